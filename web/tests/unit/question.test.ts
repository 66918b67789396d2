import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { curlOf, shellQuoted } from "../../src/curl.ts";
import { asked, searchBody, type Question } from "../../src/question.ts";

const nearest: Question = {
  collection: "default", shape: { kind: "nearest", middle: { lat: 48.857, lon: 2.352 }, k: 10 }, filter: "", metric: null, index: null,
};

test("the nearest read as people would type them", () => {
  assert.deepEqual(asked(nearest), { path: "collections/default/near?lat=48.857&lon=2.352&k=10" });
});

test("a place in another copy of the world is sent home", () => {
  const shape: Question["shape"] = { kind: "circle", middle: { lat: -17.5, lon: 181.25 }, radius_m: 300_000.04 };
  assert.deepEqual(asked({ ...nearest, shape, metric: "vincenty", index: "hilbert" }), {
    path: "collections/default/near?lat=-17.5&lon=-178.75&radius=300000&metric=vincenty&index=hilbert",
  });
});

test("a box over 180 keeps its width, and one round the world is the world", () => {
  const box = (west: number, east: number) => searchBody({ ...nearest, shape: { kind: "box", west, south: -20, east, north: -10 } }).bbox;
  assert.deepEqual(box(175, 185), [175, -20, 185, -10]);
  assert.deepEqual(box(185, 190), [-175, -20, -170, -10]);
  assert.deepEqual(box(-200, 200), [-180, -20, 180, -10]);
});

test("a polygon is closed and begins at home", () => {
  const shape: Question["shape"] = { kind: "polygon", corners: [[181, -10], [185, -10], [185, -15]] };
  assert.deepEqual(asked({ ...nearest, shape }).body?.within?.coordinates, [[[-179, -10], [-175, -10], [-175, -15], [-179, -10]]]);
});

test("a metric is sent only where there is a distance", () => {
  const shape: Question["shape"] = { kind: "box", west: 0, south: 0, east: 1, north: 1 };
  assert.equal(searchBody({ ...nearest, shape, metric: "vincenty" }).metric, undefined);
});

test("a shell gives back what was quoted for it, byte for byte", () => {
  for (const text of [`it's`, `a"b$c\`d\\e`, "$(touch never); 'rm'", "'''", "ünïcode\nline"]) {
    assert.equal(execFileSync("sh", ["-c", `printf %s ${shellQuoted(text)}`], { encoding: "utf8" }), text);
  }
});

test("a filter with apostrophes stays one word of the command", () => {
  const command = curlOf({ ...nearest, filter: "name = 'L''Aquila' AND x > 1" }, "http://h:1/p/", false);
  const words = execFileSync("sh", ["-c", `printf '%s\\n' ${command.slice("curl ".length)}`], { encoding: "utf8" }).trim().split("\n");
  assert.equal(words.length, 1);
  const address = new URL(words[0] ?? "");
  assert.equal(address.pathname, "/p/collections/default/near");
  assert.equal(address.searchParams.get("filter"), "name = 'L''Aquila' AND x > 1");
});

test("a command never holds the key, but says where it goes", () => {
  assert.match(curlOf(nearest, "http://h/", true), / -H "authorization: Bearer \$NIGH_KEY"$/);
});
