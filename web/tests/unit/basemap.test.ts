import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { VectorTile } from "@mapbox/vector-tile";
import { PbfReader } from "pbf";
import { cutLine, cutPolygon, unrolled } from "../../scripts/cut.ts";

type Ring = number[][];

function areaOf(ring: Ring): number {
  const twice = ring.slice(1).reduce((sum, [x = 0, y = 0], at) => sum + (ring[at]?.[0] ?? 0) * y - x * (ring[at]?.[1] ?? 0), 0);
  return Math.abs(twice) / 2;
}

test("a ring that was stitched over 180 becomes one piece on each side, of the same area", () => {
  const pieces = cutPolygon([[[175, 10], [-170, 10], [-170, 20], [175, 20], [175, 10]]]);
  assert.equal(pieces.length, 2);
  const widths = pieces.map(([ring = []]) => [Math.min(...ring.map(([x = 0]) => x)), Math.max(...ring.map(([x = 0]) => x))]);
  assert.deepEqual(widths.sort(), [[-180, -170], [175, 180]]);
  assert.equal(pieces.reduce((sum, [ring = []]) => sum + areaOf(ring), 0), 150);
});

test("a hole goes with its polygon over the edge", () => {
  const outer = [[170, 0], [-170, 0], [-170, 20], [170, 20], [170, 0]];
  const hole = [[-178, 5], [-175, 5], [-175, 8], [-178, 8], [-178, 5]];
  const pieces = cutPolygon([outer, hole]);
  assert.deepEqual(pieces.map((rings) => rings.length).sort(), [1, 2]);
});

test("a ring round the pole is closed along it", () => {
  const south = [[-180, -70], [-90, -75], [0, -70], [90, -72], [180, -70]];
  const [piece] = cutPolygon([south]);
  const lats = (piece?.[0] ?? []).map(([, y]) => y);
  assert.ok(lats.includes(-90), "lats.includes(-90)");
  assert.ok(areaOf(piece?.[0] ?? []) > 360 * 15, "areaOf(piece?.[0] ?? []) > 360 * 15");
});

test("a line over 180 is cut there, at the latitude where it crosses", () => {
  assert.deepEqual(cutLine([[179, 0], [-179, 2]]), [[[179, 0], [180, 1]], [[-180, 1], [-179, 2]]]);
  assert.deepEqual(cutLine([[1, 2], [3, 4]]), [[[1, 2], [3, 4]]]);
});

test("no step of an unrolled ring is longer than half the way round", () => {
  const line = unrolled([[170, 0], [-170, 0], [-10, 0], [160, 0], [-170, 0]]);
  line.slice(1).forEach(([x = 0], at) => assert.ok(Math.abs(x - (line[at]?.[0] ?? 0)) <= 180, "Math.abs(x - (line[at]?.[0] ?? 0)) <= 180"));
});

const archive = readFileSync(new URL("../../dist/basemap.tiles", import.meta.url));

function* entries(): Generator<{ z: number; x: number; y: number; bytes: Buffer }> {
  for (let at = 12; at < 12 + 17 * archive.readUInt32LE(8); at += 17) {
    const [x = 0, y = 0, offset = 0, length = 0] = [1, 5, 9, 13].map((place) => archive.readUInt32LE(at + place));
    yield { z: archive.readUInt8(at), x, y, bytes: archive.subarray(offset, offset + length) };
  }
}

test("the base map is an archive in order, without gaps, and small", () => {
  assert.equal(archive.toString("latin1", 0, 8), "NIGHTILE");
  const all = [...entries()];
  const keys = all.map(({ z, x, y }) => (z * 64 + x) * 64 + y);
  assert.deepEqual(keys, [...keys].sort((a, b) => a - b));
  assert.equal(new Set(keys).size, all.length);
  const bytes = 12 + all.reduce((sum, tile) => sum + 17 + tile.bytes.length, 0);
  assert.equal(bytes, archive.length);
  assert.ok(archive.length <= 600_000, "archive.length <= 600_000");
});

test("no land smears across the map: nothing in a tile leaves its buffer, and the sea by Fiji is sea", () => {
  let sea = true;
  for (const { z, x, y, bytes } of entries()) {
    const tile = new VectorTile(new PbfReader(gunzipSync(bytes)));
    for (const name of Object.keys(tile.layers)) {
      assert.ok(name === "land" || name === "borders", "name === 'land' || name === 'borders'");
      const layer = tile.layers[name];
      for (let at = 0; at < (layer?.length ?? 0); at++) {
        for (const ring of layer?.feature(at).loadGeometry() ?? []) {
          for (const point of ring) {
            const inside = [point.x, point.y].every((place) => place >= -65 && place <= 4161);
            assert.ok(inside, `${name} of ${z}/${x}/${y} reaches ${point.x}, ${point.y}`);
          }
          // The mid-Pacific at 45 west of 180 on the equator: no ring of land holds it.
          if (z === 0 && name === "land") sea &&= !holds(ring, 4096 * (45 / 360), 2048);
        }
      }
    }
  }
  assert.ok(sea, "sea");
});

function holds(ring: { x: number; y: number }[], x: number, y: number): boolean {
  let inside = false;
  ring.forEach((a, at) => {
    const b = ring[(at + 1) % ring.length] ?? a;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}
