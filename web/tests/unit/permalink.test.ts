import assert from "node:assert/strict";
import { test } from "node:test";
import { readLink, writeLink, type Linked } from "../../src/permalink.ts";

const plain: Linked = {
  collection: "default", view: { lat: 48.5, lon: 2.25, zoom: 7.5 }, shape: null, filter: "", metric: null, index: null,
  tab: "ask", cells: false, level: null, walk: false,
};
const full: Linked = {
  ...plain, filter: "name = 'a&b' AND x > 1", metric: "vincenty", index: "geohash", tab: "index", cells: true, level: 4, walk: true,
};

test("what is linked is restored, for every shape", () => {
  const shapes: Linked["shape"][] = [
    null,
    { kind: "nearest", middle: { lat: 1.5, lon: -2.25 }, k: 25 },
    { kind: "circle", middle: { lat: -17, lon: 179.5 }, radius_m: 250_000.5 },
    { kind: "box", west: 175, south: -20, east: 185, north: -10 },
    { kind: "polygon", corners: [[181, -10], [185, -10], [185, -15]] },
  ];
  for (const linked of [plain, full]) {
    for (const shape of shapes) assert.deepEqual(readLink(`#${writeLink({ ...linked, shape })}`), { ...linked, shape });
  }
});

test("what cannot be read in a link is passed over, and the rest is taken", () => {
  const empty = { ...plain, collection: null, view: null };
  assert.deepEqual(readLink(""), empty);
  assert.deepEqual(readLink("#c=<script>&at=1,2&near=x,y&metric=miles&index=b&tab=z&cells=many&walk=0"), { ...empty, cells: true });
  assert.deepEqual(readLink("#c=../x&at=91,0,3&near=91,0&box=1,2,0,3&polygon=1,2,3").shape, null);
  assert.deepEqual(readLink("#near=1,2&k=-4").shape, { kind: "nearest", middle: { lat: 1, lon: 2 }, k: 10 });
  assert.deepEqual(readLink("#near=1,2&radius=NaN").shape?.kind, "nearest");
});
