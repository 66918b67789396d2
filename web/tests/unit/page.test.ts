import assert from "node:assert/strict";
import { test } from "node:test";
import { filterExamples, propertyName } from "../../src/filters.ts";
import { curveThrough } from "../../src/hilbert.ts";
import { Latest } from "../../src/latest.ts";
import { jsonLines } from "../../src/lines.ts";
import { runners, sayMicroseconds } from "../../src/panel/race.ts";
import { readLength, readShape } from "../../src/panel/place.ts";
import { collectionName, mediaType } from "../../src/panel/upload.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

test("of many questions only the newest waits, and no answer comes after a newer one", async () => {
  const pending = new Map<number, (output: string) => void>();
  const shown: string[] = [];
  const latest = new Latest<number, string>((input) => new Promise((resolve) => pending.set(input, resolve)), (output) => shown.push(output), assert.fail);
  for (const input of [1, 2, 3, 4]) latest.submit(input);
  assert.deepEqual([...pending.keys()], [1]);
  pending.get(1)?.("one");
  await tick();
  assert.deepEqual([...pending.keys()], [1, 4]);
  pending.get(4)?.("four");
  await tick();
  assert.deepEqual(shown, ["one", "four"]);
});

test("a question that holds up a newer one for long is given up, and its answer is dropped", async () => {
  const pending = new Map<number, (output: string) => void>();
  const shown: string[] = [];
  const latest = new Latest<number, string>(
    (input, signal) => new Promise((resolve, reject) => {
      pending.set(input, resolve);
      signal.addEventListener("abort", () => reject(new Error("aborted")));
    }),
    (output) => shown.push(output), assert.fail, 5,
  );
  latest.submit(1);
  latest.submit(2);
  await new Promise((resolve) => setTimeout(resolve, 30));
  pending.get(1)?.("one");
  pending.get(2)?.("two");
  await tick();
  assert.deepEqual(shown, ["two"]);
});

test("what was dropped is never shown, even when it answers", async () => {
  let answer: (output: string) => void = () => undefined;
  const shown: string[] = [];
  const latest = new Latest<number, string>(() => new Promise((resolve) => (answer = resolve)), (output) => shown.push(output), assert.fail);
  latest.submit(1);
  latest.drop();
  answer("one");
  await tick();
  assert.deepEqual(shown, []);
});

test("lines of JSON are whole whatever pieces they come in", async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n\n{"a":2}\n{"a":3}');
  for (const size of [1, 2, 3, 7, 100]) {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const lines: unknown[] = [];
    for await (const line of jsonLines(stream)) lines.push(line);
    assert.deepEqual(lines, [{ a: "é" }, { a: 2 }, { a: 3 }]);
  }
});

test("the curve passes every cell once and steps to a neighbour each time", () => {
  for (const order of [1, 2, 3, 5]) {
    const [curve = [], ...more] = curveThrough({ west: -180, south: -90, east: 180, north: 90 }, order);
    assert.equal(more.length, 0);
    assert.equal(new Set(curve.map(String)).size, 4 ** order);
    const [width, height] = [360 / 2 ** order, 180 / 2 ** order];
    curve.slice(1).forEach(([x, y], at) => {
      const [lon, lat] = curve[at] ?? [NaN, NaN];
      assert.equal(Math.abs(x - lon) / width + Math.abs(y - lat) / height, 1);
    });
    assert.ok((curve[0]?.[0] ?? 0) < 0 && (curve[0]?.[1] ?? 0) < 0, "it begins in the south-west");
  }
});

test("examples of filters quote what must be quoted", () => {
  const samples = [{ "a b": 3, name: "O'Neil", kind: "x" }, { "a b": 5, name: "O'Neil", kind: "y" }];
  assert.deepEqual(filterExamples(samples), ['"a b" > 5', "name = 'O''Neil'", "kind LIKE 'x%'", `"a b" > 5 AND name = 'O''Neil'`]);
  assert.equal(propertyName('say "x"'), '"say ""x"""');
  assert.equal(propertyName("and"), '"and"');
  assert.deepEqual(filterExamples([]), []);
  assert.deepEqual(filterExamples([{ a: { b: 1 } }, { a: [1] }, { b: null }]), []);
});

test("what is typed is read, or said to be wrong", () => {
  const read = (values: Record<string, string>) => (name: string) => values[name] ?? "";
  assert.deepEqual(readShape("nearest", read({ lat: "48.857", lon: "2.352", k: "3" })), { kind: "nearest", middle: { lat: 48.857, lon: 2.352 }, k: 3 });
  assert.match(String(readShape("nearest", read({ lat: "91", lon: "2", k: "3" }))), /latitude/);
  assert.match(String(readShape("nearest", read({ lat: "", lon: "2", k: "3" }))), /latitude/);
  assert.deepEqual(readShape("box", read({ west: "170", south: "-20", east: "-170", north: "0" })), { kind: "box", west: 170, south: -20, east: 190, north: 0 });
  assert.deepEqual(readShape("polygon", read({ corners: "1 2, 3 4; 5 6" })), { kind: "polygon", corners: [[2, 1], [4, 3], [6, 5]] });
  assert.match(String(readShape("polygon", read({ corners: "1 2, 3 4" }))), /three corners/);
  assert.deepEqual(["2km", "500", "3 mi", "1 nmi", ".5 KM"].map(readLength), [2000, 500, 4828.032, 1852, 500]);
  assert.deepEqual(["", "km", "-3", "3 parsec", "1e400x"].map(readLength), [null, null, null, null, null]);
});

test("a file names its collection and its type", () => {
  assert.deepEqual(["Cafés de Paris.csv", "points.geojson.gz", "___.csv", "A".repeat(99) + ".csv"].map(collectionName), ["cafes-de-paris", "points", "points", "a".repeat(64)]);
  assert.deepEqual(mediaType("x.CSV.gz"), { type: "text/csv", packed: "gzip" });
  assert.deepEqual(mediaType("x.json"), { type: "application/octet-stream", packed: null });
});

test("of a race the kinds are told with the middle of their times, and the referee does not run", () => {
  const explain = (index: string) => ({ index, nodes: 2, boxes: 30, candidates: 7, because: "", segments: 1, runs: 1, exact_tests: 7, elapsed_us: 9 });
  const kinds = [["scan", 51_358], ["rtree", 2_198]].map(([index, elapsed_ns]) => ({ elapsed_ns: Number(elapsed_ns), explain: explain(String(index)) }));
  assert.deepEqual(runners({ identical: true, matched: 3, kinds }), [{ kind: "rtree", time_us: 2.198, cells: 32, candidates: 7 }]);
  assert.deepEqual([2.198, 99.96, 1234.5].map(sayMicroseconds), ["2.2 µs", "100.0 µs", "1,235 µs"]);
});
