"""Real calls with the Python client that was generated from the contract. Prints what it did; ends with an error when an answer is wrong."""

import sys

from nigh_client import Client
from nigh_client.api.collections import get_collection
from nigh_client.api.distance import distance
from nigh_client.api.items import delete_item, get_item, list_items, patch_item, put_item, upload_items
from nigh_client.api.near_and_search import near, search
from nigh_client.models import ItemPatch, Place, PlainItemInput, Problem, Search
from nigh_client.types import File

client = Client(base_url=sys.argv[1])


def check(what, is_true, seen):
    print(("fine:  " if is_true else "WRONG: ") + what)
    if not is_true:
        sys.exit(f"{seen!r}")


page = near.sync("default", client=client, lat=48.857, lon=2.352, radius="50km", limit=5)
distances = [feature.distance_m for feature in page.features]
check("near gives the nearest first", len(distances) == 5 and distances == sorted(distances), distances)
check("the next page is linked", any(link.rel == "next" for link in page.links), page.links)

flore = PlainItemInput.from_dict({"lat": 48.8541, "lon": 2.3326, "properties": {"name": "Café de Flore", "seats": 120}})
made = put_item.sync_detailed("cafes", "flore", client=client, body=flore)
check("an item is made", made.status_code == 201 and made.parsed.created, made)
check("with a tag and a place", made.headers["etag"] and made.headers["location"] == "/collections/cafes/items/flore", made.headers)
again = put_item.sync_detailed("cafes", "flore", client=client, body=flore, if_match=made.headers["etag"])
check("and replaced under its tag", again.status_code == 200 and not again.parsed.created, again)
stale = put_item.sync_detailed("cafes", "flore", client=client, body=flore, if_match=made.headers["etag"])
check("but not under an old one", stale.status_code == 412 and isinstance(stale.parsed, Problem), stale)
item = get_item.sync("cafes", "flore", client=client, min_seq=again.parsed.seq)
check("it is read back", item.id == "flore" and item.properties.to_dict()["name"] == "Café de Flore", item)
check("where it was put", item.geometry.coordinates == [2.3326, 48.8541], item)
patch = patch_item.sync_detailed("cafes", "flore", client=client, body=ItemPatch.from_dict({"properties": {"seats": None, "open": True}}))
item = get_item.sync("cafes", "flore", client=client, min_seq=patch.parsed.seq)
check("and changed in part", item.properties.to_dict() == {"name": "Café de Flore", "open": True}, item)

wanted = Search.from_dict({
    "near": Place(lat=48.857, lon=2.352).to_dict(), "k": 3, "filter": "population > 100000",
    "within": {"type": "Polygon", "coordinates": [[[1, 48], [4, 48], [2.5, 50], [1, 48]]]},
})
found = search.sync("default", client=client, body=wanted)
names = [feature.properties.to_dict()["name"] for feature in found.features]
check("a search has the nearest in a polygon", len(names) == 3 and names[0] == "Paris", names)

rows = File(payload=b"id,lat,lon,name\nprocope,48.8532,2.3387,Le Procope\nnowhere,N/A,2,Nowhere\n")
taken = upload_items.sync_detailed("cafes", client=client, body=rows)
check("rows are uploaded, and a bad one told", taken.status_code == 200 and taken.parsed.created == 1 and taken.parsed.errors[0].line == 3, taken)
check("and counted", get_collection.sync("cafes", client=client).count == 2, taken)
boxed = list_items.sync("cafes", client=client, bbox="2.33,48.85,2.335,48.86")
check("a box holds what is in it", [feature.id for feature in boxed.features] == ["flore"], boxed)
check("an item is removed", delete_item.sync_detailed("cafes", "flore", client=client).status_code == 204, None)
gone = get_item.sync_detailed("cafes", "flore", client=client)
check("and then refused by its code", gone.status_code == 404 and gone.parsed.code.value == "item-not-found", gone)
metres = distance.sync(client=client, from_="48.857,2.352", to="51.5,-0.12")
check("metres are metres", 342_000 < metres.distance_m < 343_000, metres)
