import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { Service, assertSame, clickAt, closeBrowser, drag, drawn, listed, onScreen, open, openBrowser, settled } from "./harness.ts";

const PARIS = "c=default&at=48.857,2.352,8";
const service = new Service();

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
});

test("the menu counts every collection", async () => {
  const { page, close } = await open(service.root);
  await page.waitForFunction(() => document.querySelectorAll("#collection option").length === 2);
  assert.deepEqual(await page.$$eval("#collection option", (all) => all.map(({ textContent }) => textContent)), ["default · 24,323", "earthquakes · 1,707"]);
  await page.selectOption("#collection", "earthquakes");
  await page.waitForFunction(() => location.hash.includes("c=earthquakes"));
  await settled(page);
  await close();
});

test("a click asks for the ten nearest, and they are the service's", async () => {
  const { page, close } = await open(service.root, PARIS);
  await settled(page);
  await clickAt(page, 48.9, 2.4);
  const answer = await assertSame(page);
  assert.equal(answer.features.length, 10);
  assert.match((await page.textContent("#summary")) ?? "", /^10 nearest/);
  assert.equal((await drawn(page, "answers")).length, 10);
  assert.equal((await drawn(page, "rays")).length, 10);
  await close();
});

test("the pin is dragged and the nearest follow it", async () => {
  const { page, close } = await open(service.root, `${PARIS}&near=48.857,2.352&k=10`);
  await page.waitForSelector("#results li");
  await settled(page);
  await drag(page, [48.857, 2.352], [48.6, 2.9]);
  const answer = await assertSame(page);
  assert.equal(answer.features.length, 10);
  const [lat, lon] = await Promise.all(["lat", "lon"].map((name) => page.inputValue(`#place [name=${name}]`)));
  assert.ok(Math.abs(Number(lat) - 48.6) < 0.02 && Math.abs(Number(lon) - 2.9) < 0.02, `${lat}, ${lon}`);
  await close();
});

test("a drag draws a circle, with answers while it moves and never an old one after a new one", async () => {
  const { page, close } = await open(service.root, PARIS);
  await settled(page);
  await page.click("[data-tool=circle]");
  await page.evaluate(() => {
    const seen: string[] = ((window as any).seen = []);
    new MutationObserver(() => seen.push(document.querySelector("#summary strong")?.textContent ?? "")).observe(document.querySelector("#summary")!, { childList: true, subtree: true });
  });
  await drag(page, [48.857, 2.352], [48.857, 3.3], 25, 60);
  const answer = await assertSame(page);
  const seen: string[] = await page.evaluate(() => (window as any).seen);
  const counts = seen.map((text) => Number(/^([\d,]+) answer/.exec(text)?.[1]?.replaceAll(",", ""))).filter(Number.isFinite);
  assert.ok(new Set(counts).size >= 3, `answers came while it moved: ${counts}`);
  // The circle only grew, so the answers may only have grown.
  assert.deepEqual(counts, [...counts].sort((a, b) => a - b));
  assert.equal(counts.at(-1), answer.numberMatched);
  assert.ok(answer.numberMatched > 100, "answer.numberMatched > 100");
  // More than a page: the rest is a click away, and in order.
  await page.click("#more");
  await page.waitForFunction(() => document.querySelectorAll("#results li").length > 100);
  assert.deepEqual(await listed(page), answer.features.slice(0, 200).map(({ id }: { id: string }) => id));
  // The circle is held by its edge, and by its middle.
  await drag(page, [48.857, 3.3], [48.857, 2.6]);
  const smaller = await assertSame(page);
  assert.ok(smaller.numberMatched < answer.numberMatched, "smaller.numberMatched < answer.numberMatched");
  await close();
});

test("with Shift a drag draws a circle whatever the tool", async () => {
  const { page, close } = await open(service.root, PARIS);
  await settled(page);
  await page.keyboard.down("Shift");
  await drag(page, [48.857, 2.352], [49.1, 2.352]);
  await page.keyboard.up("Shift");
  await assertSame(page);
  assert.match((await page.textContent("#summary")) ?? "", /within 27/);
  await close();
});

test("a box is drawn from corner to corner", async () => {
  const { page, close } = await open(service.root, PARIS);
  await settled(page);
  await page.click("[data-tool=box]");
  await drag(page, [49.2, 1.8], [48.4, 3]);
  const answer = await assertSame(page);
  assert.ok(answer.numberMatched > 50, "answer.numberMatched > 50");
  await close();
});

test("a polygon is drawn corner by corner and closed at its first", async () => {
  const { page, close } = await open(service.root, PARIS);
  await settled(page);
  await page.click("[data-tool=polygon]");
  for (const [lat, lon] of [[49.2, 1.9], [49.1, 3], [48.4, 2.6], [49.2, 1.9]] as const) {
    await clickAt(page, lat, lon);
    await page.waitForTimeout(400); // two clicks in a moment would be a double-click
  }
  const answer = await assertSame(page);
  assert.ok(answer.numberMatched > 20, "answer.numberMatched > 20");
  assert.match((await page.textContent("#curl")) ?? "", /search' -H .* -d '\{"within"/);
  await close();
});

test("a filter is applied, examples come from the collection, and a bad one is told in its place", async () => {
  const { page, close } = await open(service.root, `${PARIS}&near=48.857,2.352&radius=100000`, {}, /400 \(Bad Request\)/);
  await page.waitForSelector("#filter-examples button");
  const all = await assertSame(page);
  await page.fill("#filter", "population > 100000");
  await page.press("#filter", "Enter");
  await page.waitForFunction(() => location.hash.includes("filter="));
  const some = await assertSame(page);
  assert.ok(some.numberMatched > 0 && some.numberMatched < all.numberMatched, "some.numberMatched > 0 && some.numberMatched < all.numberMatched");
  await page.fill("#filter", "population >");
  await page.press("#filter", "Enter");
  await page.waitForSelector("#filter-trouble:not([hidden])");
  const told = await page.textContent("#filter-trouble");
  assert.ok((told ?? "").length > 20, told ?? "");
  assert.deepEqual(await listed(page), []);
  await page.click("#filter-examples button:last-child");
  await page.waitForSelector("#filter-trouble[hidden]", { state: "attached" });
  await assertSame(page);
  await close();
});

test("metric and kind are switched, and only what they may change does", async () => {
  const { page, close } = await open(service.root, `${PARIS}&near=48.857,2.352&radius=30000`);
  await page.waitForSelector("#results li");
  const far = () => page.$$eval("#results .far", (all) => all.map(({ textContent }) => textContent).join());
  const before = await listed(page);
  for (const kind of ["quadtree", "geohash", "hilbert", "rtree"]) {
    await page.selectOption("#kind", kind);
    await page.waitForFunction((kind) => document.querySelector("#summary small")?.textContent?.startsWith(kind), kind);
    assert.deepEqual(await listed(page), before);
  }
  const sphere = await far();
  await page.selectOption("#metric", "vincenty");
  await page.waitForFunction((sphere) => [...document.querySelectorAll("#results .far")].map(({ textContent }) => textContent).join() !== sphere, sphere);
  await assertSame(page);
  await close();
});

test("list and map are linked both ways, and a feature shows its properties", async () => {
  const { page, close } = await open(service.root, "c=default&at=48.7,2.352,11&near=48.7,2.352&k=5");
  await page.waitForSelector("#results li");
  await settled(page);
  await page.hover("#results li:nth-child(3)");
  const lit = () => page.evaluate(() => [1, 2, 3, 4, 5].filter((id) => (window as any).nighMap.getFeatureState({ source: "answers", id }).lit));
  assert.deepEqual(await lit(), [3]);
  const [, second] = await drawn(page, "answers");
  const [lon, lat] = second.geometry.coordinates;
  const { x, y } = await onScreen(page, lat, lon);
  await page.mouse.move(x, y);
  await page.waitForSelector("#results li:nth-child(2).lit");
  assert.deepEqual(await lit(), [2]);
  await page.mouse.click(x, y);
  await page.waitForSelector("#results li:nth-child(2) .details");
  const shown = await page.textContent("#results li:nth-child(2) dl");
  const [, item] = (await assertSame(page)).features;
  assert.ok(shown?.includes(item.properties.name) && shown.includes(String(item.properties.population)) && shown.includes(item.id), shown ?? "");
  await close();
});

test("the command that is shown does the same in a shell, and is copied", async () => {
  const { page, close } = await open(service.root, `${PARIS}&near=48.857,2.352&radius=20000&filter=${encodeURIComponent("name <> 'L''Haÿ-les-Roses'")}`);
  await page.waitForSelector("#results li");
  const shown = await listed(page);
  await page.click("#copy-curl");
  await page.waitForFunction(() => document.querySelector("#copied")?.textContent?.includes("copied"));
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const answer = JSON.parse(execFileSync("sh", ["-c", command.replace(/^curl /, "curl -sS --fail ")], { encoding: "utf8" }));
  assert.ok(shown.length > 20, "shown.length > 20");
  assert.deepEqual(answer.features.slice(0, 100).map(({ id }: { id: string }) => id), shown);
  await close();
});

test("a link brings back the whole question", async () => {
  const first = await open(service.root, PARIS);
  await settled(first.page);
  await first.page.click("[data-tool=circle]");
  await drag(first.page, [48.857, 2.352], [48.857, 2.8]);
  await first.page.fill("#filter", "population > 30000");
  await first.page.press("#filter", "Enter");
  await first.page.selectOption("#kind", "geohash");
  await assertSame(first.page);
  await first.page.waitForFunction(() => /index=geohash/.test(location.hash) && /radius=/.test(location.hash));
  const [link, ids, view] = [first.page.url(), await listed(first.page), await first.page.evaluate(() => (window as any).nighMap.getCenter().toArray())];
  await first.close();
  const second = await open(service.root, new URL(link).hash.slice(1));
  await second.page.waitForSelector("#results li");
  await assertSame(second.page);
  assert.deepEqual(await listed(second.page), ids);
  assert.equal(await second.page.inputValue("#filter"), "population > 30000");
  assert.equal(await second.page.inputValue("#kind"), "geohash");
  const restored = await second.page.evaluate(() => (window as any).nighMap.getCenter().toArray());
  view.forEach((degrees: number, at: number) => assert.ok(Math.abs(degrees - restored[at]) < 1e-4, "Math.abs(degrees - restored[at]) < 1e-4"));
  await second.close();
});

test("a filter that cannot be read is told also without a question, and the map keeps its points", async () => {
  const { page, close } = await open(service.root, `${PARIS}&filter=${encodeURIComponent("population >")}`, {}, /400 \(Bad Request\)/);
  const points = () => page.evaluate(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["points", "clusters"] }).length);
  await page.waitForSelector("#filter-trouble:not([hidden])");
  await settled(page);
  const all = await points();
  assert.ok(all > 0, "the map shows points");
  await page.fill("#filter", "population > 100000");
  await page.press("#filter", "Enter");
  await page.waitForSelector("#filter-trouble[hidden]", { state: "attached" });
  await settled(page);
  const some = await points();
  assert.ok(some > 0 && some < all, `${some} points of ${all} are large`);
  await page.fill("#filter", "population > > 5");
  await page.press("#filter", "Enter");
  await page.waitForSelector("#filter-trouble:not([hidden])");
  await settled(page);
  assert.equal(await points(), all, "all points are there again");
  await close();
});

test("near Fiji a question reaches over 180 and its answers stay beside it", async () => {
  const { page, close } = await open(service.root, "c=earthquakes&at=-18,179.5,4");
  await settled(page);
  await clickAt(page, -18, 179.8);
  const answer = await assertSame(page);
  const homes = answer.features.map(({ geometry }: any) => geometry.coordinates[0]);
  assert.ok(homes.some((lon: number) => lon < 0) && homes.some((lon: number) => lon > 0), `the answers lie on both sides: ${homes}`);
  for (const { geometry } of await drawn(page, "answers")) assert.ok(Math.abs(geometry.coordinates[0] - 179.8) < 90, geometry.coordinates);
  await page.selectOption("#collection", "default");
  await page.evaluate(() => (window as any).nighMap.jumpTo({ center: [182, -16], zoom: 4 }));
  await settled(page);
  await page.click("[data-tool=circle]");
  await drag(page, [-15, 180.5], [-15, 190]);
  const circle = await assertSame(page);
  const sides = new Set(circle.features.map(({ geometry }: any) => Math.sign(geometry.coordinates[0])));
  assert.equal(sides.size, 2, "the circle finds both sides of the line");
  const [shape] = await drawn(page, "shape");
  const lons = shape.geometry.coordinates[0].map(([lon]: number[]) => lon);
  assert.ok(Math.max(...lons) > 180 && Math.max(...lons) - Math.min(...lons) < 30, "the circle is in one piece over the line");
  await page.click("[data-tool=box]");
  await drag(page, [-12, 176], [-22, 190]);
  const box = await assertSame(page);
  assert.equal(new Set(box.features.map(({ geometry }: any) => Math.sign(geometry.coordinates[0]))).size, 2, "so does the box");
  await close();
});

test("over the pole a circle goes once round, and finds every longitude", async () => {
  const { page, close } = await open(service.root, "c=default&at=60,0,1");
  await page.click("[data-tool=circle]");
  for (const [name, value] of [["lat", "88"], ["lon", "-150"], ["radius", "3500 km"]] as const) await page.fill(`#place [name=${name}]`, value);
  await page.press("#place [name=radius]", "Enter");
  const answer = await assertSame(page);
  const quarters = new Set(answer.features.map(({ geometry }: any) => Math.floor(geometry.coordinates[0] / 90)));
  assert.equal(quarters.size, 4, "every quarter of the way round has answers");
  const [shape] = await drawn(page, "shape");
  assert.ok(shape.geometry.coordinates[0].some(([, lat]: number[]) => lat === 90), "shape.geometry.coordinates[0].some(([, lat]: number[]) => lat === 90)");
  await settled(page);
  await close();
});
