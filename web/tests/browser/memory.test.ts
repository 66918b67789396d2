// However long somebody travels and asks, the page does not grow.
//
// What surprises: a page is to keep something, namely the tiles it was at last. So a first stretch of the way only fills what is kept, and
// the second one must add next to nothing.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Service, closeBrowser, listed, open, openBrowser, settled } from "./harness.ts";
import { Scales, type Held } from "./memory.ts";

const WARM = 40;
const PLACES = 80;
const HEAP_MOST_BYTES = 2_000_000;
const BUFFER_MOST_BYTES = 3_000_000;

const service = new Service();
const cities = readFileSync(new URL("../../../data/cities.csv", import.meta.url), "utf8").trim().split("\n").slice(1)
  .map((row) => row.split(",").slice(-2).map(Number) as [lat: number, lon: number]);

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
});

test("going from place to place and asking at each leaves nothing behind", async () => {
  const { page, close } = await open(service.root, "c=default", { viewport: { width: 720, height: 420 }, reducedMotion: "reduce" });
  const scales = await Scales.under(page);
  /** As by a link: another place, another question, and at every fourth place the index as well. */
  const go = async (stop: number): Promise<void> => {
    const [lat, lon] = cities[(stop * 7919) % cities.length] ?? [0, 0];
    const index = stop % 4 === 0 ? "&cells=auto&walk=1" : "";
    const link = `c=default&at=${lat},${lon},${3 + (stop % 8)}&near=${lat},${lon}&${stop % 2 ? "radius=60000" : "k=50"}${index}`;
    await page.evaluate((link) => (location.hash = link), link);
    await page.waitForFunction(([lat, lon]) => document.querySelector("#curl")?.textContent?.includes(`lat=${lat}&lon=${lon}`), [lat, lon] as const);
    await page.waitForFunction(() => document.querySelectorAll("#results li").length > 0);
    await settled(page);
  };
  // Both times it is the same place that is looked at, with the same answers.
  const weighAtHome = async () => (await go(0), await scales.weigh());
  for (let stop = 1; stop < WARM; stop++) await go(stop);
  const warm = await weighAtHome();
  for (let stop = WARM; stop < WARM + PLACES; stop++) await go(stop);
  const end = await weighAtHome();
  console.log(`after ${WARM} places ${JSON.stringify(warm)}, after ${PLACES} more ${JSON.stringify(end)}`);
  assert.ok((await listed(page)).length > 0, "there was something to forget");
  const grown = (name: keyof Held) => end[name] - warm[name];
  assert.ok(grown("heap_bytes") < HEAP_MOST_BYTES, `the heap grew by ${grown("heap_bytes")} bytes`);
  assert.ok(grown("buffer_bytes") < BUFFER_MOST_BYTES, `the buffers grew by ${grown("buffer_bytes")} bytes`);
  assert.ok(grown("nodes") < 100, `there are ${grown("nodes")} nodes more`);
  assert.ok(grown("listeners") < 50, `there are ${grown("listeners")} listeners more`);
  await close();
});
