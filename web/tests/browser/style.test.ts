// A style of the user's, from a site of its own: it is drawn, only what was named is let in, and everything works on top of it.

import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { after, before, test } from "node:test";
import { PbfWriter } from "pbf";
import { Service, assertSame, clickAt, closeBrowser, drag, drawn, open, openBrowser, settled } from "./harness.ts";

const FONT = "Plain Sans Regular";
const DOT = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

/** A site that keeps a record of what it is asked for. */
class Site {
  readonly asked: { path: string; headers: IncomingHttpHeaders }[] = [];
  origin = "";
  #server: Server | null = null;

  async start(answers: (path: string) => [type: string, body: string | Buffer | Uint8Array] | null): Promise<this> {
    this.#server = createServer((request, answer) => {
      const path = decodeURIComponent(request.url ?? "/");
      this.asked.push({ path, headers: request.headers });
      const [type, body] = answers(path) ?? ["text/plain", ""];
      answer.writeHead(body === "" ? 404 : 200, { "content-type": type, "access-control-allow-origin": "*" }).end(body);
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    assert.ok(address && typeof address === "object", "the site listens");
    this.origin = `http://127.0.0.1:${address.port}`;
    return this;
  }

  end(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

/** Letters as map styles have them: each printable one is a black square. */
function glyphs(): Uint8Array {
  const side = 8;
  const square = new Uint8Array((side + 6) ** 2).fill(255);
  const pbf = new PbfWriter();
  pbf.writeMessage(1, (_, stack) => {
    stack.writeStringField(1, FONT);
    stack.writeStringField(2, "0-255");
    for (let letter = 33; letter < 127; letter++) {
      stack.writeMessage(3, (_, glyph) => {
        glyph.writeVarintField(1, letter);
        glyph.writeBytesField(2, square);
        for (const [field, value] of [[3, side], [4, side], [7, side + 1]] as const) glyph.writeVarintField(field, value);
        glyph.writeSVarintField(5, 0);
        glyph.writeSVarintField(6, -8);
      }, null);
    }
  }, null);
  return pbf.finish();
}

const site = new Site();
const other = new Site();
const stranger = new Site();
let service: Service;

const style = () => JSON.stringify({
  version: 8, name: "Plain", glyphs: `${site.origin}/fonts/{fontstack}/{range}.pbf`,
  sources: {
    picture: { type: "raster", tiles: [`${other.origin}/{z}/{x}/{y}.png`], tileSize: 256, attribution: "Pictures: the other site" },
    strange: { type: "raster", tiles: [`${stranger.origin}/{z}/{x}/{y}.png`], tileSize: 256 },
    names: { type: "geojson", data: { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [2.35, 48.85] } } },
  },
  layers: [
    { id: "paper", type: "background", paint: { "background-color": "#ffeedd" } },
    { id: "picture", type: "raster", source: "picture" },
    { id: "strange", type: "raster", source: "strange" },
    { id: "names", type: "symbol", source: "names", layout: { "text-field": "Paris", "text-font": [FONT] } },
  ],
});

before(async () => {
  await other.start((path) => (path.endsWith(".png") ? ["image/png", DOT] : null));
  await stranger.start(() => ["image/png", DOT]);
  await site.start((path) =>
    path === "/style.json" ? ["application/json", style()] : path.startsWith("/fonts/") ? ["application/x-protobuf", glyphs()] : null,
  );
  service = await new Service(["--map-style", `${site.origin}/style.json`, "--map-origins", other.origin]).start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
  for (const one of [site, other, stranger]) one.end();
});

/** What is let pass here: requests to the sites that the setting names, and the browser's word that it kept the stranger out. */
const EXPECTED = /another host|Content Security Policy|Failed to load resource|Fetch API cannot load/;

test("the policy names the sites of the style and no other", async () => {
  const policy = (await fetch(service.root, { headers: { accept: "text/html" } })).headers.get("content-security-policy") ?? "";
  const rules = new Map(policy.split("; ").map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1)]));
  for (const name of ["connect-src", "font-src"]) assert.deepEqual(rules.get(name), ["'self'", site.origin, other.origin], name);
  for (const name of ["script-src", "style-src", "worker-src"]) assert.deepEqual(rules.get(name), ["'self'"], name);
});

test("a style of the user's is drawn, everything works on top of it, and nobody else is asked", async () => {
  const { page, noise, close } = await open(service.root, "c=default&at=48.857,2.352,8", { colorScheme: "light" }, EXPECTED);
  await settled(page);
  assert.equal(await page.evaluate(() => (window as any).nighMap.getStyle().name), "Plain");
  await clickAt(page, 48.9, 2.4);
  assert.equal((await assertSame(page)).features.length, 10);
  await settled(page);
  const labels = () => page.evaluate(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["answer-ranks", "cluster-counts"] }).length);
  assert.ok((await labels()) > 0, "what is numbered has its numbers, in the letters of the style");
  await page.click("[data-tool=circle]");
  await drag(page, [48.857, 2.352], [48.857, 3]);
  await assertSame(page);
  await page.click("#tab-index");
  await page.check("#cells");
  await page.check("#walk");
  await page.waitForSelector("#walk-legend:not([hidden])");
  await page.waitForFunction(() => /cell/.test(document.querySelector("#cells-say")?.textContent ?? ""));
  await page.click("#tab-live");
  await page.click("#fence");
  await page.waitForFunction(() => /inside/.test(document.querySelector("#fence-says")?.textContent ?? ""));
  await service.put("default", "new", 48.857, 2.36, { name: "New" });
  await page.waitForFunction(() => /1 entered/.test(document.querySelector("#fence-says")?.textContent ?? ""));
  await service.remove("collections/default/items/new");
  await page.emulateMedia({ colorScheme: "dark" });
  await settled(page);
  assert.ok((await drawn(page, "walk")).length > 0 && (await drawn(page, "cells")).length > 0, "the index is drawn");
  const credit = await page.textContent(".maplibregl-ctrl-attrib-inner");
  assert.ok(credit?.includes("the other site") && credit.includes("GeoNames") && !credit.includes("Natural Earth"), credit ?? "");
  assert.ok(site.asked.some(({ path }) => path.startsWith(`/fonts/${FONT}/`)), "the letters are those of the style");
  assert.ok(other.asked.length > 0, "the site that is named is asked");
  assert.deepEqual(stranger.asked, [], "the site that is not named is not");
  for (const { path, headers } of [...site.asked, ...other.asked]) {
    assert.ok(!headers.authorization && !headers.referer && !headers.cookie, `${path} tells nobody who asks, and from where`);
  }
  assert.deepEqual(noise, []);
  await close();
});

test("a style that does not come is done without", async () => {
  const lost = await new Service(["--map-style", `${site.origin}/nowhere.json`]).start();
  const { page, close } = await open(lost.root, "c=default&at=48.857,2.352,6&near=48.857,2.352&k=4", {}, EXPECTED);
  await page.waitForSelector("#results li:nth-child(4)");
  await settled(page);
  const ground = await page.evaluate(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["land"] }).length);
  assert.ok(ground > 0, "the land that comes with the program is drawn");
  assert.match((await page.textContent(".maplibregl-ctrl-attrib-inner")) ?? "", /Natural Earth/);
  await close();
  await lost.end();
});
