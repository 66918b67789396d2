"""Writes haversine.csv and vincenty.csv beside this file: distances with far more digits than a double holds.

    pip install mpmath==1.4.1 geographiclib==2.1
    python3 make_tables.py

Both tables are computed from the definition, with 50 digits, sharing no formula with `nigh`:

* haversine.csv: hav(angle) = sin^2(dlat/2) + cos(lat1) cos(lat2) sin^2(dlon/2), R = 6371008.8 m.
* vincenty.csv: the direct problem. From a place, an azimuth and a length the other end follows by numerical integration of
  the length and longitude integrals over the auxiliary sphere (Karney 2013, equations 7 and 8), no series. The end is then
  rounded to a double, 1 nm at most. GeographicLib's own inverse solution must agree to 20 nm, or the script stops.
"""

import csv
import pathlib
import random

from geographiclib.geodesic import Geodesic
from mpmath import mp, mpf

mp.dps = 50
HERE = pathlib.Path(__file__).parent
RADIUS = mpf("6371008.8")
A, F = mpf(6378137), 1 / mpf("298.257223563")
B = A * (1 - F)


def haversine_m(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = (mp.radians(mpf(v)) for v in (lat1, lon1, lat2, lon2))
    hav = mp.sin((lat2 - lat1) / 2) ** 2 + mp.cos(lat1) * mp.cos(lat2) * mp.sin((lon2 - lon1) / 2) ** 2
    return 2 * RADIUS * mp.atan2(mp.sqrt(hav), mp.sqrt(1 - hav))


def destination(lat1, azimuth, length):
    """Latitude and longitude difference, degrees, `length` metres along a geodesic."""
    beta1 = mp.atan((1 - F) * mp.tan(mp.radians(mpf(lat1))))
    alpha1 = mp.radians(mpf(azimuth))
    sin_a0 = mp.sin(alpha1) * mp.cos(beta1)
    cos_a0 = mp.hypot(mp.cos(alpha1), mp.sin(alpha1) * mp.sin(beta1))
    sigma1 = mp.atan2(mp.sin(beta1), mp.cos(alpha1) * mp.cos(beta1))
    omega1 = mp.atan2(sin_a0 * mp.sin(sigma1), mp.cos(sigma1))
    k2 = (A**2 - B**2) / B**2 * cos_a0**2
    stretch = lambda s: mp.sqrt(1 + k2 * mp.sin(s) ** 2)
    way = lambda s: B * mp.quad(stretch, mp.linspace(sigma1, s, 5))
    sigma2 = sigma1 + mpf(length) / A
    for _ in range(20):
        step = (mpf(length) - way(sigma2)) / (B * stretch(sigma2))
        sigma2 += step
        if abs(step) < mpf(10) ** -40:
            break
    lag = mp.quad(lambda s: (2 - F) / (1 + (1 - F) * stretch(s)), mp.linspace(sigma1, sigma2, 5))
    omega2 = mp.atan2(sin_a0 * mp.sin(sigma2), mp.cos(sigma2))
    turn = omega2 - omega1
    if turn < 0:
        turn += 2 * mp.pi
    beta2 = mp.atan2(cos_a0 * mp.sin(sigma2), mp.hypot(cos_a0 * mp.cos(sigma2), sin_a0))
    lat2 = mp.atan(mp.tan(beta2) / (1 - F))
    return mp.degrees(lat2), mp.degrees(turn - F * sin_a0 * lag)


def random_place(rng):
    return round(float(mp.degrees(mp.asin(rng.uniform(-1, 1)))), 6), round(rng.uniform(-180, 180), 6)


def wrapped(lon):
    return lon - 360 if lon > 180 else lon


def haversine_pairs(rng):
    for _ in range(100):
        yield "anywhere", *random_place(rng), *random_place(rng)
    for power in range(-9, 2):
        for _ in range(8):
            lat, lon = random_place(rng)
            reach = 10.0**power
            yield "near", lat, lon, max(-90.0, min(90.0, lat + rng.uniform(-reach, reach))), wrapped(lon + reach)
    for power in range(-12, 1):
        for _ in range(4):
            lat, lon = random_place(rng)
            reach = 10.0**power
            yield "antipodal", lat, lon, -lat + rng.uniform(0, reach) * (-1 if lat < 0 else 1), lon - 180 + reach if lon > 0 else lon + 180 - reach
    for lat in (90.0, -90.0, 89.999999, -89.999999999):
        for lon in (-180.0, -77.7, 0.0, 1e-9, 123.4, 180.0):
            yield "polar", lat, lon, *random_place(rng)
    for lon in (0.0, 1e-9, 0.5, 45.0, 90.0, 135.0, 179.0, 179.999999, 180.0):
        yield "equatorial", 0.0, 0.0, 0.0, lon
        yield "meridional", -lon / 2, 10.0, lon / 2, 10.0


def geodesics(rng):
    for _ in range(120):
        yield "anywhere", *random_place(rng), rng.uniform(0, 360), rng.uniform(1, 19_000_000)
    for power in range(-3, 6):
        for _ in range(8):
            yield "near", *random_place(rng), rng.uniform(0, 360), rng.uniform(1, 10) * 10.0**power
    for _ in range(80):
        yield "antipodal", *random_place(rng), rng.uniform(0, 360), rng.uniform(19_600_000, 19_990_000)
    for lat in (89.9, 89.999999, -89.9, -89.999999999):
        for length in (0.5, 1_000, 90_000, 110_000, 3_000_000, 15_000_000):
            yield "polar", lat, round(rng.uniform(-180, 180), 6), rng.uniform(0, 360), length
    for length in (1, 99_999, 101_000, 5_000_000, 12_345_678, 19_900_000, 19_970_000):
        yield "equatorial", 0.0, 0.0, 90.0, length
        yield "equatorial", 1e-9, 0.0, 90.0, length
        yield "meridional", -43.21, 10.0, 0.0, length
        yield "meridional", 12.34, -170.0, 180.0, length


def number(value):
    return mp.nstr(value, 25, strip_zeros=False)


def write(name, rows):
    with open(HERE / name, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["family", "from_lat", "from_lon", "to_lat", "to_lon", "distance_m"])
        out.writerows(rows)


def wgs84_rows(rng):
    for family, lat1, lon1, azimuth, length in geodesics(rng):
        lat2, turn = destination(lat1, azimuth, length)
        if turn > 180:
            turn -= 360
        lat2, lon2 = float(lat2), float(mpf(lon1) + turn)
        lon2 = lon2 - 360 if lon2 > 180 else lon2 + 360 if lon2 < -180 else lon2
        inverse = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"]
        if abs(inverse - length) > 1e-3 and inverse < length:
            continue  # past the cut locus: a geodesic, but not the shortest
        assert abs(inverse - length) < 20e-9, (family, lat1, lon1, azimuth, length, inverse)
        yield [family, repr(lat1), repr(lon1), repr(lat2), repr(lon2), number(mpf(length))]


def main():
    rng = random.Random(20250101)
    write("haversine.csv", ([f, *map(repr, p), number(haversine_m(*p))] for f, *p in haversine_pairs(rng)))
    write("vincenty.csv", wgs84_rows(rng))


main()
