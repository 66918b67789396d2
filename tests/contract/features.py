"""The service read by OWSLib as OGC API Features: landing page, conformance, collections, and every page of a box."""

import sys

import requests
from owslib.ogcapi.features import Features

BOX = [-5, 42, 8, 51]


def check(what, is_true, seen):
    print(("fine:  " if is_true else "WRONG: ") + what)
    if not is_true:
        sys.exit(f"{seen!r}")


service = Features(sys.argv[1])
check("the landing page has links with whole addresses", all(link["href"].startswith("http") for link in service.links), service.links)
relations = {link["rel"] for link in service.links}
check("to all that OGC API wants", {"self", "service-desc", "conformance", "data"} <= relations, relations)
# OWSLib itself looks for a contract of OpenAPI 3.0 only.
contract = next(link for link in service.links if link["rel"] == "service-desc")
text = requests.get(contract["href"], timeout=20).text
check("the contract is found and is of the version that the link says", "openapi: 3.1" in text and "version=3.1" in contract["type"], contract)
classes = service.conformance()["conformsTo"]
check("the core is conformed to", any(name.endswith("/conf/core") for name in classes), classes)
names = service.feature_collections()
check("collections of features are found", {"default", "earthquakes"} <= set(names), names)
collection = service.collection("default")
west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
check("with their extent", -180 <= west < east <= 180 and -90 <= south < north <= 90, collection["extent"])

page = service.collection_items("default", bbox=BOX, limit=100)
matched, ids, pages = page["numberMatched"], [], 0
while True:
    pages += 1
    check(f"page {pages} has as many as it says", len(page["features"]) == page["numberReturned"], page["numberReturned"])
    for feature in page["features"]:
        lon, lat = feature["geometry"]["coordinates"]
        if not (BOX[0] <= lon <= BOX[2] and BOX[1] <= lat <= BOX[3]):
            sys.exit(f"outside the box: {feature}")
    ids += [feature["id"] for feature in page["features"]]
    following = [link for link in page["links"] if link["rel"] == "next"]
    if not following:
        break
    check("the next page is GeoJSON at a whole address", following[0]["type"] == "application/geo+json" and following[0]["href"].startswith("http"), following)
    page = requests.get(following[0]["href"], timeout=20).json()
check(f"{pages} pages hold each of {matched} items once", len(ids) == len(set(ids)) == matched > 500, (len(ids), matched))

one = service.collection_item("default", ids[0])
check("one item is found by its id", one["id"] == ids[0] and one["geometry"]["type"] == "Point", one)
stamp = page.get("timeStamp")
check("pages say when they were made", stamp is None or stamp.endswith("Z"), stamp)
