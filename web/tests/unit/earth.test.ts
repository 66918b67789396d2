import assert from "node:assert/strict";
import { test } from "node:test";
import { FARTHEST_M, circleRings, destination, distanceM, unwrapLon, wrapLon } from "../../src/earth.ts";

const between = (value: number, low: number, high: number) => assert.ok(value >= low && value <= high, `${value} is not in ${low}..${high}`);

test("a longitude comes home from any copy of the world", () => {
  assert.deepEqual([181, -181, 540, -539, 179.5, 180, -180].map(wrapLon), [-179, 179, -180, -179, 179.5, 180, -180]);
});

test("an answer is unwrapped into the copy of the world where the question is", () => {
  assert.equal(unwrapLon(-179.9, 179.9), 180.1);
  assert.equal(unwrapLon(179.9, -180.5), -180.1);
  assert.equal(unwrapLon(10, 370), 370);
  assert.equal(unwrapLon(10, 20), 10);
});

test("distances are those of the sphere that the service uses", () => {
  const [paris, london] = [{ lat: 48.857, lon: 2.352 }, { lat: 51.5, lon: -0.12 }];
  assert.ok(Math.abs(distanceM(paris, london) - 342_526.841_885_738_1) < 1e-6, "Math.abs(distanceM(paris, london) - 342_526.841_885_738_1) < 1e-6");
  const there = destination(paris, 73, 123_456);
  assert.ok(Math.abs(distanceM(paris, there) - 123_456) < 1e-6, "Math.abs(distanceM(paris, there) - 123_456) < 1e-6");
});

test("a circle near Fiji is one piece that runs over 180", () => {
  const [ring, ...more] = circleRings({ lat: -17, lon: 179 }, 300_000);
  assert.equal(more.length, 0);
  const lons = (ring ?? []).map(([lon]) => lon);
  between(Math.max(...lons), 181.8, 182);
  between(Math.min(...lons), 176, 176.3);
});

test("a circle over the pole is closed along it and goes once round", () => {
  for (const lat of [85, -85]) {
    const [ring = []] = circleRings({ lat, lon: 30 }, 1_500_000);
    assert.deepEqual(ring[0], ring.at(-1));
    assert.deepEqual([Math.min(...ring.map(([lon]) => lon)), Math.max(...ring.map(([lon]) => lon))], [-150, 210]);
    assert.equal(ring.filter(([, y]) => y === Math.sign(lat) * 90).length, 2);
    // Every corner that is not on the pole or on the seam lies on the circle.
    for (const [lon, y] of ring.slice(1, -4)) between(distanceM({ lat, lon: 30 }, { lat: y, lon }), 1_499_999, 1_500_001);
  }
});

test("a circle over both poles is the world with a hole round the antipode", () => {
  const rings = circleRings({ lat: 10, lon: 20 }, FARTHEST_M - 500_000);
  assert.equal(rings.length, 2);
  for (const [lon, lat] of rings[1] ?? []) between(distanceM({ lat: -10, lon: 200 }, { lat, lon }), 499_999, 500_001);
  assert.equal(circleRings({ lat: 10, lon: 20 }, FARTHEST_M + 1).length, 1);
});
