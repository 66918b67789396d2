import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { curveThrough } from "../../src/hilbert.ts";
import { Service, closeBrowser, drawn, open, openBrowser, settled } from "./harness.ts";

const service = new Service();
const CIRCLE = "c=default&at=48.857,2.352,6&near=48.857,2.352&radius=150000&tab=index";
const KINDS = ["rtree", "quadtree", "geohash", "hilbert"];

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
});

test("the cells of every kind are shown, geohashes with their names, and the curve itself", async () => {
  const { page, close } = await open(service.root, CIRCLE);
  await settled(page);
  await page.check("#cells");
  for (const kind of KINDS) {
    await page.selectOption("#seen-kind", kind);
    await page.selectOption("#level", kind === "geohash" ? "3" : "6");
    await page.waitForFunction(
      ([kind, level]) => location.hash.includes(`index=${kind}`) && document.querySelector("#cells-say")?.textContent?.includes(`level ${level}`),
      [kind, kind === "geohash" ? 3 : 6],
    );
    await settled(page);
    const bounds = await page.evaluate(() => (window as any).nighMap.getBounds().toArray().flat());
    const path = `collections/default/indexes/${kind}/cells?bbox=${bounds.join(",")}&level=${kind === "geohash" ? 3 : 6}&limit=1500`;
    const [cells, api] = [await drawn(page, "cells"), await service.json(path)];
    assert.equal(cells.length, api.numberReturned, kind);
    assert.ok(cells.length > 0, kind);
    if (kind === "geohash") {
      assert.deepEqual(cells.map(({ properties }) => properties.label), api.features.map(({ properties }: any) => properties.label));
      const labels = await page.evaluate(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["cells-label"] }).map((found: any) => found.properties.label));
      assert.ok(labels.includes("u09"), `the cell of Paris carries its name: ${labels}`);
    }
    assert.equal((await drawn(page, "curve")).length > 0, kind === "hilbert");
  }
  await page.selectOption("#level", "auto");
  await page.waitForFunction(() => /cell/.test(document.querySelector("#cells-say")?.textContent ?? ""));
  await page.uncheck("#cells");
  await page.waitForTimeout(200);
  assert.deepEqual(await drawn(page, "cells"), []);
  await close();
});

test("the curve that is drawn passes the cells in the order of the service", async () => {
  const order = 5;
  const [curve = []] = curveThrough({ west: -180, south: -90, east: 180, north: 90 }, order);
  const place = new Map(curve.map(([lon, lat], at) => [`${lon} ${lat}`, at]));
  const { features } = await service.json(`collections/default/indexes/hilbert/cells?level=${order}&limit=10000`);
  const places: number[] = features.filter(({ properties }: any) => properties.level === order).map(({ geometry }: any) => {
    const [[west, south], , [east, north]] = geometry.coordinates[0];
    return place.get(`${(west + east) / 2} ${(south + north) / 2}`);
  });
  assert.ok(places.length > 50, "places.length > 50");
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
});

test("the way of a question is shown with the service's own counts, for every kind", async () => {
  const { page, close } = await open(service.root, CIRCLE);
  await page.check("#walk");
  for (const kind of KINDS) {
    await page.selectOption("#seen-kind", kind);
    const body = JSON.stringify({ near: { lat: 48.857, lon: 2.352 }, radius: 150000 });
    const api = await service.json(`collections/default/indexes/${kind}/walk`, { method: "POST", headers: { "content-type": "application/json" }, body });
    const says = `${api.matched.toLocaleString("en")} answers: ${api.counts.accepted_whole.toLocaleString("en")} taken without a look, ${api.counts.accepted_tested.toLocaleString("en")} out of ${api.counts.points_tested.toLocaleString("en")} points tested.`;
    await page.waitForFunction((says) => document.querySelector("#walk-says")?.textContent?.startsWith(says), says);
    for (const verdict of ["pruned", "opened", "whole", "tested"]) {
      const shown = await page.textContent(`#walk-legend [data-verdict=${verdict}] b`);
      assert.equal(shown, api.counts[verdict].toLocaleString("en"), `${kind} ${verdict}`);
    }
    assert.equal((await drawn(page, "walk")).length, api.features.length);
  }
  // Step by step: with the first step alone, no more than one cell is on the map.
  await settled(page);
  await page.focus("#walk-step");
  await page.keyboard.press("Home");
  await settled(page);
  const orders = await page.evaluate(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["walk-opened-line", "walk-pruned-line", "walk-tested-line", "walk-whole-line"] }).map((found: any) => found.properties.at));
  assert.ok(orders.every((at: number) => at === 0), `${orders}`);
  await page.click("#walk-play");
  await page.waitForFunction(() => { const range = document.querySelector<HTMLInputElement>("#walk-step")!; return range.value === range.max; });
  await close();
});

test("four kinds race, and their answers are the same", async () => {
  const { page, requests, close } = await open(service.root, CIRCLE);
  await page.click("#race");
  await page.waitForSelector("#race-result table");
  const rows = await page.$$eval("#race-result tbody tr", (all) => all.map((row) => [...row.children].map(({ textContent }) => textContent)));
  assert.deepEqual(rows.map(([kind]) => kind), KINDS);
  const api = await service.json("collections/default/compare?lat=48.857&lon=2.352&radius=150000");
  for (const [kind, time, cells, candidates] of rows) {
    const { explain } = api.kinds.find((raced: any) => raced.explain.index === kind);
    assert.match(time ?? "", /^[\d,]+(\.\d)? µs$/);
    assert.equal(cells, (explain.nodes + explain.boxes).toLocaleString("en"));
    assert.equal(candidates, explain.candidates.toLocaleString("en"));
  }
  assert.equal(await page.textContent("#race-result .same"), `✓ All 4 answer the same, to the bit: ${api.matched.toLocaleString("en")} found`);
  assert.equal((await page.$$("#race-result rect")).length, 12);
  assert.equal(requests.filter(({ url }) => url.includes("/compare")).length, 1, "the service repeats, and the page asks once");
  await close();
});
