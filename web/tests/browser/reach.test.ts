// Whom the page reaches: by keyboard and screen reader, on a phone, in light and dark, behind a proxy, over a slow line.

import assert from "node:assert/strict";
import { get } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Service, assertSame, closeBrowser, commanded, drawn, listed, open, openBrowser, proxied, settled } from "./harness.ts";

const service = new Service();
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const MOST_BYTES = 500_000;

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
});

/** How long the body is as it goes over the wire. */
function bytesOf(url: string, packing: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { "accept-encoding": packing, accept: "text/html,*/*" } }, (answer) => {
      let bytes = 0;
      answer.on("data", (piece: Buffer) => (bytes += piece.length));
      answer.on("end", () => (answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${url}: ${answer.statusCode}`))));
    }).on("error", reject);
  });
}

async function assertAccessible(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(async () => {
    const { violations } = await (window as any).axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, nodes }: any) => `${impact} ${id}: ${nodes.slice(0, 3).map((node: any) => node.html.slice(0, 160)).join(" | ")}`);
  });
  assert.deepEqual(found.filter((text: string) => /^(serious|critical)/.test(text)), [], where);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`every pane is accessible in ${colorScheme}`, async () => {
    // The judge is put into the page by the browser, past the policy that keeps everybody else's scripts out.
    const { page, close } = await open(service.root, "c=default&at=48.857,2.352,6&near=48.857,2.352&radius=60000&cells=auto&walk=1", { colorScheme, bypassCSP: true });
    await page.addScriptTag({ path: AXE });
    await page.waitForSelector("#results li");
    await page.click("#results li:first-child > button");
    await assertAccessible(page, "ask");
    await page.click("#tab-index");
    await page.waitForSelector("#walk-legend:not([hidden])");
    await page.click("#race");
    await page.waitForSelector("#race-result table");
    await assertAccessible(page, "index");
    await page.click("#tab-live");
    await page.check("#live");
    await page.click("#fence");
    await service.put("default", "here", 48.85, 2.35, { name: "Here" });
    await page.waitForSelector("#events li");
    await assertAccessible(page, "live");
    await page.click("#tab-add");
    await assertAccessible(page, "add");
    await service.remove("collections/default/items/here");
    await close();
  });
}

test("everything can be done from the keyboard, and the focus is always seen", async () => {
  const { page, close } = await open(service.root, "c=default&at=48.857,2.352,8", { reducedMotion: "reduce" });
  await settled(page);
  const seen = new Set<string>();
  for (let tab = 0; tab < 40; tab++) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => {
      const at = document.activeElement as HTMLElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const shown = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
      return { name: at.id || at.dataset.tool || at.className || at.getAttribute("name") || at.tagName, shown };
    });
    if (here.name === "BODY") break;
    assert.ok(here.shown, `the focus on ${here.name} is seen`);
    seen.add(here.name);
  }
  for (const name of ["skip", "collection", "tab-ask", "lat", "lon", "filter", "metric", "kind", "nearest", "circle", "box", "polygon"]) {
    assert.ok(seen.has(name), `${name} is reached: ${[...seen]}`);
  }
  // A typed place.
  await page.focus("#place [name=lat]");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("41.9");
  await page.keyboard.press("Tab");
  await page.keyboard.type("12.5");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#results li");
  await assertSame(page);
  // The tools, and the map itself: Enter asks at its middle, arrows move it.
  for (const [tool, what] of [["circle", /within/], ["box", /in the box/], ["nearest", /nearest/]] as const) {
    await page.focus(`[data-tool=${tool}]`);
    await page.keyboard.press("Enter");
    await page.focus("#map canvas");
    await page.keyboard.press("ArrowRight");
    await settled(page);
    await page.keyboard.press("Enter");
    await page.waitForFunction((what) => new RegExp(what).test(document.querySelector("#summary")?.textContent ?? ""), what.source);
    await assertSame(page);
  }
  await page.focus("[data-tool=polygon]");
  await page.keyboard.press("Enter");
  await page.focus("#map canvas");
  for (const arrow of ["ArrowRight", "ArrowDown", "ArrowLeft"]) {
    await page.keyboard.press("Enter");
    await page.keyboard.press(arrow);
    await settled(page);
  }
  await page.keyboard.press("Shift+Enter");
  await page.waitForFunction(() => /in the polygon/.test(document.querySelector("#summary")?.textContent ?? ""));
  await assertSame(page);
  await page.focus("#map canvas");
  await page.keyboard.press("Escape");
  assert.deepEqual(await drawn(page, "shape"), []);
  // The list and the panes.
  await page.focus("#tab-ask");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getAttribute("#tab-index", "aria-selected"), "true");
  await page.focus("#cells");
  await page.keyboard.press("Space");
  await page.waitForFunction(() => /cell/.test(document.querySelector("#cells-say")?.textContent ?? ""));
  await close();
});

test("whatever takes the focus has a name and a role that a screen reader says", async () => {
  const { page, close } = await open(service.root, "c=default&at=48.857,2.352,8&near=48.857,2.352&radius=60000&walk=1&cells=auto");
  await page.waitForSelector("#results li");
  await page.click("#results li:first-child > button");
  const session = await page.context().newCDPSession(page);
  const named = new Map<string, string>();
  for (const tab of ["ask", "index", "live", "add"]) {
    await page.click(`#tab-${tab}`);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    for (const { role, name, properties, ignored } of nodes) {
      if (ignored || !properties?.some((one) => one.name === "focusable" && one.value.value)) continue;
      if (role?.value === "RootWebArea") continue;
      const said: string = name?.value?.trim() ?? "";
      assert.ok(said, `a ${role?.value} in the pane ${tab} has no name`);
      named.set(said, role?.value);
    }
  }
  for (const [name, role] of [
    ["Collection", "combobox"], ["Latitude", "textbox"], ["Longitude", "textbox"], ["Radius", "textbox"], ["Only where", "textbox"], ["Metric", "combobox"],
    ["Show the cells in view", "switch"], ["Show what it looked at", "switch"], ["Start the race", "button"], ["Follow the changes", "switch"],
    ["Put up a fence", "button"], ["Into the collection", "combobox"], ["Polygon", "button"], ["Zoom in", "button"], 
  ] as const) {
    assert.equal(named.get(name), role, `${name} among ${[...named.keys()].join(", ")}`);
  }
  assert.ok([...named.keys()].some((name) => /^Map\. Arrow keys move it/.test(name)), "the map says how it is used");
  await close();
});

test("what happens is told to those who do not see it", async () => {
  const { page, close } = await open(service.root, "c=default&near=48.857,2.352&k=3");
  await page.waitForSelector("#results li");
  for (const id of ["summary", "cells-say", "walk-says", "race-result", "live-says", "fence-says", "upload-result", "said"]) {
    assert.equal(await page.getAttribute(`#${id}`, "role"), "status", id);
  }
  for (const id of ["trouble", "filter-trouble", "place-trouble", "upload-trouble"]) assert.equal(await page.getAttribute(`#${id}`, "role"), "alert", id);
  await close();
});

test("on a phone a touch asks, and the sheet opens and closes", async () => {
  const { page, close } = await open(service.root, "c=default&at=48.857,2.352,8", { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await settled(page);
  const { width, overflow } = await page.evaluate(() => ({ width: document.documentElement.clientWidth, overflow: document.documentElement.scrollWidth }));
  assert.ok(overflow <= width, `${overflow} > ${width}`);
  const map = await page.locator("#map canvas").boundingBox();
  assert.ok(map && map.height > 300 && map.width === 390, "map && map.height > 300 && map.width === 390");
  await page.touchscreen.tap(map.x + map.width / 2, map.y + map.height / 2);
  await page.waitForSelector("#results li");
  await assertSame(page);
  const first = await page.locator("#results li:first-child").boundingBox();
  assert.ok(first && first.y > map.height && first.y < 700, "the first answer is in view");
  await page.tap("#sheet");
  assert.equal(await page.getAttribute("#sheet", "aria-expanded"), "false");
  assert.ok((await page.locator("#panel").boundingBox())!.height < 120, "(await page.locator('#panel').boundingBox())!.height < 120");
  await page.tap("#sheet");
  assert.ok(await page.isVisible("#results"), "await page.isVisible('#results')");
  await close();
});

test("behind a proxy that puts a path before it, everything works", async () => {
  const proxy = await proxied(service.root, { prefix: "/geo/nigh/" });
  const { page, requests, close } = await open(proxy.root, "c=default&at=48.857,2.352,6&near=48.857,2.352&radius=90000&cells=auto&walk=1");
  await page.waitForSelector("#results li");
  await assertSame(page);
  await page.click("#more");
  await page.waitForFunction(() => document.querySelectorAll("#results li").length > 100);
  await settled(page);
  await service.put("default", "proxied", 48.857, 2.352);
  await page.waitForFunction(() => document.querySelector<HTMLElement>("#results li")?.dataset.id === "proxied");
  await service.remove("collections/default/items/proxied");
  await page.click("#tab-index");
  await page.waitForSelector("#walk-legend:not([hidden])");
  await page.waitForFunction(() => /cell/.test(document.querySelector("#cells-say")?.textContent ?? ""));
  for (const source of ["cells", "walk"]) assert.ok((await drawn(page, source)).length > 0, `${source} are drawn`);
  assert.ok((await commanded(page)).numberMatched > 0, "the command asks by way of the proxy");
  await page.click("#race");
  await page.waitForSelector("#race-result .same");
  await page.click("#tab-live");
  await page.click("#fence");
  await page.waitForFunction(() => /inside/.test(document.querySelector("#fence-says")?.textContent ?? ""));
  await page.click("#tab-add");
  await page.setInputFiles("#upload-file", { name: "behind.csv", mimeType: "text/csv", buffer: Buffer.from("lat,lon\n1,2\n") });
  await page.waitForFunction(() => /They are in behind/.test(document.querySelector("#upload-result")?.textContent ?? ""));
  await page.waitForFunction(() => document.querySelector<HTMLSelectElement>("#collection")?.value === "behind");
  assert.ok(requests.length > 10 && requests.every(({ url }) => url.startsWith(proxy.root)), "requests.length > 10 && requests.every(({ url }) => url.startsWith(proxy.root))");
  await close();
  proxy.close();
});

test("the page weighs no more than 500 kB, packed, without the base map", async () => {
  const { page, requests, close } = await open(service.root, "c=default&at=48.857,2.352,6");
  await settled(page);
  const own = [...new Set(requests.map(({ url }) => url).filter((url) => !/basemap|\/collections|settings\.json/.test(url)))];
  assert.ok(own.some((url) => /worker/.test(url)) && own.length >= 4, `all of it was asked for: ${own}`);
  for (const packing of ["br", "gzip"]) {
    const sizes = await Promise.all(own.map((url) => bytesOf(url.replace(/#.*/, ""), packing)));
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    console.log(`page weight with ${packing}: ${total} bytes in ${own.length} files`);
    assert.ok(total > 100_000 && total <= MOST_BYTES, `${total} bytes with ${packing}`);
  }
  await close();
});

test("nothing of others is let into the page", async () => {
  const answer = await fetch(service.root, { headers: { accept: "text/html" } });
  const policy = answer.headers.get("content-security-policy") ?? "";
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "worker-src 'self'"]) assert.ok(policy.includes(rule), policy);
  assert.ok(!/unsafe|https?:/.test(policy), policy);
  const { page, close } = await open(service.root, "c=default&near=1,1&k=3", {}, /Content Security Policy/);
  await page.waitForSelector("#results li");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = 1";
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => (window as any).ran), undefined);
  assert.equal((await listed(page)).length, 3);
  await close();
});
