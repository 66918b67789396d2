import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Service, assertSame, clickAt, closeBrowser, listed, open, openBrowser, settled } from "./harness.ts";

const service = new Service();
const MARKUP = `<img src=x onerror="window.ran=1"><script>window.ran=2</script><b onclick='window.ran=3'>bold</b>`;
const IDS = [`it's "quoted" <i>`, `a/b?c=d&e#f%20`, `'; DROP TABLE items;--`, "\u202Eright to left", "🚲".repeat(60)];

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
});

test("markup in names, properties and ids is text, and runs nothing", async () => {
  await service.put("markup", MARKUP.slice(0, 80), 1, 1, { name: MARKUP, [MARKUP]: MARKUP, html: { nested: MARKUP }, list: [MARKUP] });
  for (const [at, id] of IDS.entries()) await service.put("markup", id, 1 + (at + 1) / 100, 1, { note: MARKUP });
  const { page, close } = await open(service.root, "c=markup&at=1,1,8&near=1,1&k=10");
  await page.waitForSelector("#results li");
  await assertSame(page);
  assert.deepEqual(await listed(page), [MARKUP.slice(0, 80), ...IDS]);
  for (let at = 1; at <= 6; at++) {
    await page.click(`#results li:nth-child(${at}) > button`);
    await page.waitForSelector(`#results li:nth-child(${at}) .details`);
  }
  await page.click("#results li:nth-child(1) > button");
  assert.ok((await page.textContent("#results li:nth-child(1) dl"))?.includes(MARKUP), "(await page.textContent('#results li:nth-child(1) dl'))?.includes(MARKUP)");
  await page.click("#tab-live");
  await page.check("#live");
  await service.put("markup", IDS[0] ?? "", 1.5, 1, { name: MARKUP });
  await page.waitForFunction((id) => document.querySelector("#events")?.textContent?.includes(id), IDS[0] ?? "");
  await page.click("#tab-ask");
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => (window as any).ran), undefined);
  assert.equal(await page.$$eval("#panel img, #panel script, #panel b[onclick]", (all) => all.length), 0);
  // A filter made from such data quotes what it must: every example is understood.
  const examples = await page.$$("#filter-examples button");
  for (const example of examples) {
    await example.click();
    await page.waitForTimeout(150);
    assert.ok(await page.isHidden("#filter-trouble"), (await page.textContent("#filter-trouble")) ?? "");
  }
  await close();
});

test("properties of 64 KiB and hundreds of names leave the page usable", async () => {
  await service.put("large", "long", 1, 1, { name: "n".repeat(65_000) });
  await service.put("large", "many", 1, 1.01, Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`p${at}`, at])));
  await service.put("large", "word", 1, 1.02, { text: "w".repeat(60_000), deep: JSON.parse("[".repeat(100) + "]".repeat(100)) });
  const { page, close } = await open(service.root, "c=large&at=1,1,9&near=1,1&k=3");
  await page.waitForSelector("#results li:nth-child(3)");
  for (const at of [1, 2, 3]) {
    await page.click(`#results li:nth-child(${at}) > button`);
    const width = await page.evaluate(() => document.querySelector("#tabs-body")!.scrollWidth - document.querySelector("#tabs-body")!.clientWidth);
    assert.ok(width <= 1, `the panel is ${width} px too wide`);
  }
  assert.ok((await page.textContent("#results li:nth-child(3) dl"))!.length < 5000, "(await page.textContent('#results li:nth-child(3) dl'))!.length < 5000");
  await page.click("#results li:nth-child(3) dd button");
  assert.ok((await page.textContent("#results li:nth-child(3) dl"))!.length > 60_000, "(await page.textContent('#results li:nth-child(3) dl'))!.length > 60_000");
  await close();
});

test("an empty collection is empty, and says so", async () => {
  await service.json("collections/nothing", { method: "PUT" });
  const { page, close } = await open(service.root, "c=nothing&cells=auto&walk=1&tab=index&at=10,10,4");
  await settled(page);
  await clickAt(page, 10, 10);
  await page.waitForFunction(() => document.querySelector("#summary strong")?.textContent === "0 nearest");
  await page.waitForFunction(() => document.querySelector("#cells-say")?.textContent?.startsWith("0 cells"));
  await page.click("#race");
  await page.waitForSelector("#race-result .same");
  await close();
});

test("a collection that is dropped while it is open is told, and others go on", async () => {
  for (let at = 0; at < 20; at++) await service.put("fading", `f${at}`, at / 10, 0);
  const { page, close } = await open(service.root, "c=fading&at=1,0,6&near=1,0&k=5&cells=auto", {}, /404 \(Not Found\)/);
  await page.waitForSelector("#results li");
  await settled(page);
  await service.remove("collections/fading");
  await page.waitForFunction(() => /no longer there|no collection/.test(document.querySelector("#trouble")?.textContent ?? ""));
  await clickAt(page, 1, 0.2);
  await page.waitForFunction(() => document.querySelectorAll("#results li").length === 0);
  assert.match((await page.textContent("#collection option:checked")) ?? "", /not there/);
  await page.selectOption("#collection", "default");
  await page.waitForSelector("#results li");
  await page.waitForSelector("#trouble[hidden]", { state: "attached" });
  await assertSame(page);
  await close();
});

test("a link to a collection that never was says so", async () => {
  const { page, close } = await open(service.root, "c=nowhere&near=1,1&k=3", {}, /404 \(Not Found\)/);
  await page.waitForFunction(() => /no collection/.test(document.querySelector("#trouble")?.textContent ?? ""));
  await close();
});

test("the service stops and comes back while the page is open, and the page goes on", async () => {
  const { page, close } = await open(service.root, "c=default&at=48.857,2.352,8&near=48.857,2.352&k=5", {}, /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_CONNECTION_RESET|503|502/);
  await page.waitForSelector("#results li");
  await settled(page);
  await service.stop();
  await page.waitForFunction(() => /does not answer/.test(document.querySelector("#trouble")?.textContent ?? ""));
  await clickAt(page, 48.6, 2.6);
  await service.start();
  await page.waitForSelector("#trouble[hidden]", { state: "attached" });
  await assertSame(page);
  await clickAt(page, 48.9, 2.2);
  await assertSame(page);
  await close();
});
