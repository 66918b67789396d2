"""What a schema cannot say, for schemathesis: the texts behind our formats, and rules that join several values.

A case that is meant to be accepted is mended here, where its parts do not go together: a polygon's ring is closed, a parameter goes
without the one that it needs. A case that is meant to be refused is left as it is.
"""

import copy
import itertools
import json

import schemathesis
from hypothesis import strategies as st

FREE = itertools.count()


def coordinate(limit):
    return st.floats(-limit, limit, allow_nan=False).map(lambda number: repr(round(number, 6)))


def polygon(lon, lat, width, height):
    ring = [[lon, lat], [lon + width, lat], [lon + width / 2, lat + height], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


POLYGONS = st.builds(
    polygon, st.integers(-170, 150), st.integers(-80, 60), st.floats(0.5, 20), st.floats(0.5, 20)
)
NUMBERS = st.sampled_from(["0", "7", "1500", "2.5", ".5", "1e3", " 12 "])
LENGTHS = st.builds(lambda number, unit: number + unit, NUMBERS, st.sampled_from(["", "m", "km", "mi", "ft", "nmi"]))
BOXES = st.builds(
    lambda west, south, width, height: f"{west},{south},{west + width},{south + height}",
    st.integers(-180, 180), st.integers(-90, 50), st.integers(0, 179), st.integers(0, 40),
)
KNOWN_CONDITIONS = [
    "population > 1000000", "name = 'Paris'", "country IN ('FR','DE')", "name LIKE 'Saint%'", "NOT (population < 500)",
    "population BETWEEN 1000 AND 2000 OR name IS NULL", "country = 'FR' AND population >= 20000", "TRUE",
]
CONDITIONS = st.sampled_from(KNOWN_CONDITIONS)
INSTANTS = ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00"]
KNOWN_INTERVALS = INSTANTS + [f"{INSTANTS[1]}/{INSTANTS[0]}", f"../{INSTANTS[0]}", f"{INSTANTS[0]}/..", f"{INSTANTS[0]}/"]
INTERVALS = st.sampled_from(KNOWN_INTERVALS)
IDS = st.one_of(
    st.sampled_from(["2988507", "flore", "a b", "a+b", "100%", "é", "日本", "x" * 256]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/."), min_size=1, max_size=60),
)
ROWS = st.lists(st.tuples(IDS.filter(lambda text: text.strip() == text), coordinate(90), coordinate(180)), min_size=1, max_size=5)


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def csv(rows):
    return "id,lat,lon\n" + "".join(f"{quoted(id)},{lat},{lon}\n" for id, lat, lon in rows)


def ndjson(rows):
    return "".join(json.dumps({"id": id, "lat": float(lat), "lon": float(lon)}) + "\n" for id, lat, lon in rows)


def feature(id, lat, lon):
    return {"type": "Feature", "id": id, "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]}, "properties": {}}


def geojson_seq(rows):
    return "".join("\x1e" + json.dumps(feature(*row)) + "\n" for row in rows)


FORMATS = {
    "length": LENGTHS,
    "patience": st.sampled_from(["0s", "0", "1ms"]),
    "lasting": st.sampled_from(["90s", "15m", "2h", "7d", "1w", "1500ms", "30", "0.5h"]),
    "bbox": BOXES,
    "lat-lon": st.builds("{},{}".format, coordinate(90), coordinate(180)),
    "geojson-polygon": POLYGONS.map(json.dumps),
    "cql2-text": CONDITIONS,
    "datetime-interval": INTERVALS,
    "item-id": IDS,
    "csv": ROWS.map(csv),
    "ndjson": ROWS.map(ndjson),
    "geojson-seq": ROWS.map(geojson_seq),
    "binary": st.one_of(ROWS.map(csv), ROWS.map(ndjson)),
}
for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)


def as_text(context, value):
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode()


TEXTS = ["application/x-ndjson", "application/geo+json-seq", "text/csv", "application/octet-stream"]
for media_type in TEXTS:
    schemathesis.serializer(media_type)(as_text)


@schemathesis.hook
def filter_case(context, case):
    """A text of the wrong type is a text all the same once it is sent: nobody can tell that 0 was meant as a number."""
    return case.media_type not in TEXTS or isinstance(case.body, (str, bytes))


def is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


# What parameters mean nothing without, as `x-needs` says.
NEEDS = {"radius": "lat", "k": "lat", "metric": "lat", "edges": "within"}


@schemathesis.hook
def before_call(context, case, kwargs):
    query = dict(case.query or {})
    # A change that has not come is waited for, and then refused with 503: that is right, and slow.
    if str(query.get("min_seq", "")).isdigit():
        query["min_seq"] = min(int(query["min_seq"]), 1)
    # A stream that stays open would hold up everything.
    if case.path.endswith("/changes"):
        query.setdefault("wait", "0s")
    if query != dict(case.query or {}):
        case.query = query
    if case.method in ("PUT", "POST", "PATCH", "DELETE") and (case.path_parameters or {}).get("c") in ("default", "earthquakes"):
        if not reads(case):
            case.path_parameters = {**case.path_parameters, "c": "scratch"}
    # Whether it is to be accepted is judged by what it is now, not by what it was before.
    if is_positive(case):
        mend_query(case)
        mend_path(case)
        mend_headers(case)
        if isinstance(case.body, (dict, list)):
            case.body = mended_body(case, copy.deepcopy(case.body))


def reads(case):
    return case.method in ("GET", "HEAD") or any(word in case.path for word in ("search", "compare", "walk", "changes"))


def mend_query(case):
    query = dict(case.query or {})
    query.pop("cursor", None)  # belongs to one question
    # What these texts must look like no schema can tell: one that was wrong on purpose passes for right.
    for name, known in [("filter", KNOWN_CONDITIONS), ("datetime", KNOWN_INTERVALS)]:
        if name in query and query[name] not in known:
            query[name] = known[0]
    place = {"lat", "lon"} & query.keys()
    if len(place) == 1 and case.path not in ("/near", "/collections/{c}/near"):
        query.pop(place.pop())
    known = "/distance" not in case.path
    for name, needed in NEEDS.items():
        if known and name in query and needed not in query:
            query.pop(name)
    if case.path.endswith("/changes"):
        if ("radius" in query) != ("lat" in query):
            for name in ("lat", "lon", "radius", "metric"):
                query.pop(name, None)
        if "since" in query:
            query["since"] = 1  # what has not been is refused
        query.setdefault("limit", 10)
    if case.method == "DELETE" and case.path.endswith("/items") and not {"bbox", "geohash", "within", "filter"} & query.keys():
        query["bbox"] = "0,0,1,1"
    for name in ("lat_col", "lon_col", "id_col", "delimiter"):
        query.pop(name, None)  # speaks of the body
    if query != dict(case.query or {}):
        case.query = query


def mend_path(case):
    parameters = dict(case.path_parameters or {})
    if "c" in parameters:
        parameters["c"] = "default" if reads(case) else "scratch"
    if {"x", "y", "z"} <= parameters.keys():
        z = int(parameters["z"]) % 25
        parameters.update(x=int(parameters["x"]) % 2**z, y=int(parameters["y"]) % 2**z, z=z)
    if parameters != dict(case.path_parameters or {}):
        case.path_parameters = parameters


def mend_headers(case):
    headers = dict(case.headers or {})
    headers.pop("Content-Encoding", None)  # the body is not packed
    if "If-Match" in headers:
        headers.pop("If-None-Match", None)  # they exclude each other
        headers["If-Match"] = "*"
    if "Last-Event-ID" in headers:
        headers["Last-Event-ID"] = "1"
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"{headers['Idempotency-Key'][:200]}-{next(FREE)}"
    if headers != dict(case.headers or {}):
        case.headers = headers


def mended_body(case, body):
    if isinstance(body, list):
        return [mended_body(case, search) for search in body]
    body.pop("cursor", None)
    if case.path.endswith("/items/{id}"):
        body.pop("id", None)
    if isinstance(body.get("min_seq"), (int, float)):
        body["min_seq"] = min(body["min_seq"], 1)
    if body.get("within"):
        body["within"] = polygon(2, 48, 3, 2)
    if isinstance(body.get("bbox"), list):
        body["bbox"] = [0, 40, 20, 60]
    if "ttl" in body and "expires_at" in body:
        body.pop("ttl")
    for point in [body.get("geometry")] + [feature.get("geometry") for feature in body.get("features") or [] if isinstance(feature, dict)]:
        if isinstance(point, dict):
            point["coordinates"] = [2.3, 48.8]
    for name, needed in {"radius": "near", "k": "near", "metric": "near", "edges": "within"}.items():
        if body.get(name) is not None and body.get(needed) is None:
            body.pop(name)
    if case.path.endswith("/changes"):
        if (body.get("near") is None) != (body.get("radius") is None):
            for name in ("near", "radius", "metric"):
                body.pop(name, None)
        if all(body.get(name) is None for name in ("near", "bbox", "geohash", "within")):
            body["bbox"] = [0, 40, 20, 60]
    return body
