"""nigh from Python, with nothing but `requests`: upload, ask, page, change, follow.

    python examples/ask.py http://localhost:6444
"""

import json
import sys

import requests

url = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:6444"
session = requests.Session()
# session.headers["Authorization"] = "Bearer nigh_..."  where the service has keys


def checked(answer):
    """The answer, or what the service says is wrong and what would be right."""
    if not answer.ok:
        problem = answer.json()
        raise SystemExit(f"{problem['code']}: {problem['detail']} ({problem.get('hint', 'no hint')})")
    return answer


# A CSV as it is: columns are found by name, the others become properties.
csv = "id,name,lat,lon,seats\nflore,Flore,48.8541,2.3326,120\nmagots,Deux Magots,48.8540,2.3331,80\nnowhere,Nowhere,N/A,2.3,1\n"
answer = checked(session.put(f"{url}/collections/python-cafes/items", data=csv, headers={"Content-Type": "text/csv"}))
loaded = answer.json()
print(f"{loaded['created'] + loaded['replaced']} rows are in, {loaded['rejected']} rejected:")
for error in loaded["errors"]:
    print(f"  line {error['line']}: {error['code']}, {error['value']!r}")
assert (loaded["received"], loaded["rejected"]) == (3, 1)

# What is near, nearest first; min_seq waits for what was just written.
near = {"lat": 48.854, "lon": 2.333, "radius": "500m", "f": "json", "min_seq": loaded["seq"]}
page = checked(session.get(f"{url}/collections/python-cafes/near", params=near)).json()
for item in page["items"]:
    print(f"{item['distance_m']:8.1f} m  {item['properties']['name']}")
assert [item["id"] for item in page["items"]] == ["magots", "flore"]

# Every item, page after page: more answers always means a next link.
link, ids = "/collections/python-cafes/items?limit=1&f=json", []
while link:
    page = checked(session.get(url + link)).json()
    ids += [item["id"] for item in page["items"]]
    link = page["next"]
assert ids == ["flore", "magots"], ids

# Change one only if nobody else did meanwhile.
item = f"{url}/collections/python-cafes/items/flore"
tag = checked(session.get(item)).headers["ETag"]
patch = {"properties": {"seats": 130}}
checked(session.patch(item, json=patch, headers={"If-Match": tag, "Content-Type": "application/merge-patch+json"}))
again = session.patch(item, json=patch, headers={"If-Match": tag, "Content-Type": "application/merge-patch+json"})
assert again.status_code == 412, again.text

# What has changed since the upload, as lines of JSON.
changes = f"{url}/collections/python-cafes/changes"
with session.get(changes, params={"since": loaded["seq"], "f": "ndjson"}, stream=True, timeout=10) as lines:
    change = json.loads(next(checked(lines).iter_lines()))
print(f"then {json.dumps(change)[:120]}")

checked(session.delete(f"{url}/collections/python-cafes"))
