import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Service, assertSame, clickAt, closeBrowser, drag, drawn, onScreen, open, openBrowser, settled } from "./harness.ts";

const service = new Service();
const folder = mkdtempSync(join(tmpdir(), "nigh-upload-"));

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
  rmSync(folder, { recursive: true });
});

/** How many points the tiles in view hold, each cluster with all that are in it. */
function pointsDrawn(page: Page): Promise<number> {
  return page.evaluate(() => {
    const map = (window as any).nighMap;
    const found = map.queryRenderedFeatures({ layers: ["points", "clusters"] });
    const seen = new Map(found.map((one: any) => [`${one.geometry.coordinates}`, one.properties.point_count ?? 1]));
    return [...seen.values()].reduce((sum: number, count: any) => sum + count, 0) as number;
  });
}

async function untilDrawn(page: Page, wanted: number): Promise<void> {
  for (let tries = 0; tries < 100 && (await pointsDrawn(page)) !== wanted; tries++) await page.waitForTimeout(150);
  assert.equal(await pointsDrawn(page), wanted);
}

test("points are drawn as tiles, clusters with counts where they are many", async () => {
  const { page, close } = await open(service.root, "c=default&at=48.857,2.352,4");
  await settled(page);
  const labels: string[] = await page.evaluate(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["cluster-counts"] }).map((one: any) => one.properties.point_count_abbreviated));
  assert.ok(labels.length > 10 && labels.every((label) => /^[\d.]+[kM]?$/.test(label)), `${labels}`);
  await close();
});

test("a CSV is chosen by the keyboard's button, its bad rows are told, and its points appear", async () => {
  const file = join(folder, "Boats & Buoys.csv");
  const rows = Array.from({ length: 50 }, (_, at) => `b${at},${-40 + at / 100},${20 + at / 100},boat ${at}`);
  writeFileSync(file, ["id,lat,lon,name", ...rows.slice(0, 20), "bad1,N/A,3,nobody", "bad2,95,3,far out", ...rows.slice(20)].join("\n"));
  const { page, close } = await open(service.root, "tab=add");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.focus("#upload-file").then(() => page.keyboard.press("Enter"))]);
  await chooser.setFiles(file);
  await page.waitForSelector("#upload-rejected table");
  assert.equal(await page.textContent("#upload-result"), "52 rows read: 50 new, 0 replaced, 2 rejected. They are in boats-buoys.");
  const told = await page.$$eval("#upload-rejected tbody tr", (all) => all.map((row) => [...row.children].map(({ textContent }) => textContent)));
  assert.deepEqual(told.map(([line, value]) => [line, value]), [["22", "N/A"], ["23", "95"]]);
  assert.equal(await page.inputValue("#collection"), "boats-buoys");
  await settled(page);
  await untilDrawn(page, 50);
  await close();
});

test("a file is dropped onto the map and goes into the collection that is named", async () => {
  const file = join(folder, "two.csv");
  writeFileSync(file, "lat,lon\n1,2\n3,4\nnorth,5\n");
  const { page, close } = await open(service.root, "tab=add");
  await page.fill("#upload-name", "dropped");
  const session = await page.context().newCDPSession(page);
  const { x, y } = await onScreen(page, 28, 8);
  // What a browser does when a file is drawn over it from outside.
  const over = (type: "dragEnter" | "dragOver" | "drop") =>
    session.send("Input.dispatchDragEvent", { type, x, y, data: { items: [], files: [file], dragOperationsMask: 1 } });
  await over("dragEnter");
  await over("dragOver");
  await page.waitForSelector("#drop-here:not([hidden])");
  await over("drop");
  await page.waitForFunction(() => document.querySelector("#upload-result")?.textContent?.includes("They are in dropped"));
  assert.ok(await page.isHidden("#drop-here"), "the invitation is gone");
  assert.equal(await page.textContent("#upload-rejected tbody td:nth-child(2)"), "north");
  assert.equal((await service.json("collections/dropped")).count, 2);
  await close();
});

test("a large upload shows how far it is, and can be stopped", async () => {
  const { page, close } = await open(service.root, "tab=add");
  // As over a line of ten megabytes a second: on the machine itself all of it may be there before the page knows of a half.
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 10e6 };
  await network.send("Network.emulateNetworkConditions", conditions);
  const seen = await page.evaluate(async () => {
    const row = "12.5,7.25," + "x".repeat(990) + "\n";
    const data = new DataTransfer();
    data.items.add(new File(["lat,lon,note\n", ...Array.from({ length: 60 }, () => row.repeat(1000))], "large.csv", { type: "text/csv" }));
    const bar = document.querySelector<HTMLProgressElement>("#upload-bar")!;
    const seen: number[] = [];
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    for (let tries = 0; tries < 2000 && !(seen.at(-1)! > 0 && seen.at(-1)! < 1); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(bar.value);
    }
    document.querySelector<HTMLElement>("#upload-stop")!.click();
    return seen;
  });
  assert.ok(seen.some((value) => value > 0 && value < 1), "it was seen on its way");
  await page.waitForSelector("#upload-trouble:not([hidden])");
  assert.match((await page.textContent("#upload-trouble")) ?? "", /^Stopped/);
  await page.waitForTimeout(300);
  const { collections } = await service.json("collections");
  assert.ok(!collections.some(({ id, count }: any) => id === "large" && count > 0), "nothing of it was taken in");
  await close();
});

test("when data change elsewhere the points, the answers and the counts follow", async () => {
  await service.put("fleet", "one", 10, 10, { name: "One" });
  const { page, close } = await open(service.root, "c=fleet&at=10,10,6&near=10,10&radius=50000");
  await assertSame(page);
  await settled(page);
  await untilDrawn(page, 1);
  await service.put("fleet", "two", 10.2, 10.2, { name: "Two" });
  await page.waitForFunction(() => document.querySelectorAll("#results li").length === 2);
  await assertSame(page);
  await untilDrawn(page, 2);
  await page.waitForFunction(() => document.querySelector("#collection option:checked")?.textContent === "fleet · 2");
  await service.remove("collections/fleet/items/one");
  await page.waitForFunction(() => document.querySelectorAll("#results li").length === 1);
  await untilDrawn(page, 1);
  await close();
});

test("those are credited whose points are shown, and nobody else", async () => {
  await service.put("mine", "2988507", 1, 1, { name: "an id of somebody else" });
  const { page, close } = await open(service.root, "c=mine");
  const credit = () => page.textContent(".maplibregl-ctrl-attrib-inner");
  const until = async (is: RegExp, isNot: RegExp) => {
    for (let tries = 0; tries < 100 && !is.test((await credit()) ?? ""); tries++) await page.waitForTimeout(100);
    const text = (await credit()) ?? "";
    assert.ok(is.test(text) && /Natural Earth/.test(text) && !isNot.test(text), text);
  };
  await settled(page);
  await until(/Natural Earth/, /GeoNames|USGS/);
  await page.selectOption("#collection", "default");
  await until(/GeoNames/, /USGS/);
  await page.selectOption("#collection", "earthquakes");
  await until(/USGS/, /GeoNames/);
  await page.selectOption("#collection", "mine");
  await until(/^((?!USGS).)*$/, /GeoNames/);
  // The same data under another name are still theirs.
  await service.put("mine", "2988507", 48.85341, 2.3488, { name: "Paris" });
  await service.put("mine", "more", 48, 2);
  await until(/GeoNames/, /USGS/);
  await close();
});

test("live mode lists what happens, and a drawn fence tells who enters and leaves", async () => {
  await service.put("taxis", "in", 20.1, 20.1);
  await service.put("taxis", "out", 25, 25);
  const { page, close } = await open(service.root, "c=taxis&at=20,20,6&tab=live");
  await settled(page);
  await page.check("#live");
  await service.put("taxis", "out", 24, 24);
  await page.waitForFunction(() => document.querySelector("#events")?.textContent?.includes("out"));
  await page.click("[data-tool=circle]");
  await drag(page, [20, 20], [20, 21]);
  await page.click("#tab-live");
  await page.click("#fence");
  await page.waitForFunction(() => document.querySelector("#fence-says")?.textContent?.startsWith("1 inside"));
  await service.put("taxis", "out", 20.3, 20.3);
  await page.waitForFunction(() => document.querySelector("#fence-says")?.textContent === "2 inside · 1 entered · 0 left");
  await service.put("taxis", "in", 28, 28);
  await page.waitForFunction(() => document.querySelector("#fence-says")?.textContent === "1 inside · 1 entered · 1 left");
  const told = await page.$$eval("#events li", (all) => all.slice(0, 2).map((row) => [...row.children].slice(0, 2).map(({ textContent }) => textContent)));
  assert.deepEqual(told, [["exit", "in"], ["enter", "out"]]);
  const dots = await drawn(page, "events");
  assert.deepEqual(dots.map(({ properties }) => properties.event).sort(), ["enter", "exit", ...dots.slice(2).map(() => "put")]);
  await page.click("#fence-off");
  assert.equal(await page.textContent("#fence-says"), "The fence is down.");
  await close();
});

test("without a drawn area there is no fence, and it says so", async () => {
  const { page, close } = await open(service.root, "c=default&at=20,20,6");
  await settled(page);
  await clickAt(page, 20, 20);
  await page.click("#tab-live");
  await page.click("#fence");
  assert.equal(await page.textContent("#fence-says"), "Draw a circle, a box or a polygon first.");
  await close();
});
