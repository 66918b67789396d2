// Takes a picture of everything the page can show, at two sizes, in light and dark, for somebody to look at.
//
//     npm run tour -- FOLDER [PART OF A NAME]
//
// Nothing compares them: they are for eyes.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Service, clickAt, closeBrowser, drag, open, openBrowser, settled } from "../tests/browser/harness.ts";
import { loadMillion } from "./million.ts";

const [folder, only = ""] = process.argv.slice(2);
if (!folder) throw new Error("npm run tour -- FOLDER");
mkdirSync(folder, { recursive: true });

const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
} as const;
const PARIS = "c=default&at=48.857,2.352,8.5";
const CIRCLE = "c=default&at=48.7,2.5,7.2&near=48.857,2.352&radius=90000&tab=index";

interface Stop {
  name: string;
  fragment: string;
  act?: (page: Page, phone: boolean) => Promise<unknown>;
}

const answered = (page: Page) => page.waitForSelector("#results li", { state: "attached" });
const inView = (page: Page, selector: string) => page.locator(selector).scrollIntoViewIfNeeded();

const STOPS: Stop[] = [
  { name: "start", fragment: "" },
  { name: "nearest", fragment: `${PARIS}&near=48.857,2.352&k=10`, act: answered },
  { name: "circle", fragment: "c=default&at=48.82,2.45,8.6&near=48.857,2.352&radius=40000&filter=population%20%3E%2020000", act: answered },
  {
    name: "properties", fragment: `${PARIS}&near=48.857,2.352&k=10`,
    act: async (page) => {
      await answered(page);
      await page.click("#results li:nth-child(2) > button");
      await inView(page, "#results li:nth-child(2) .details");
    },
  },
  { name: "command", fragment: `${PARIS}&near=48.857,2.352&k=3`, act: async (page) => (await answered(page), inView(page, "#copied")) },
  { name: "polygon", fragment: `${PARIS}&polygon=1.9,49.2,3.1,49.15,2.7,48.4,1.7,48.6`, act: answered },
  {
    name: "half-drawn", fragment: PARIS,
    act: async (page) => {
      await page.click("[data-tool=polygon]");
      for (const [lat, lon] of [[49, 2], [49.05, 2.7], [48.7, 2.6]] as const) {
        await clickAt(page, lat, lon);
        await page.waitForTimeout(400);
      }
    },
  },
  ...(["rtree", "quadtree", "geohash", "hilbert"] as const).map((kind) => ({
    name: `cells-${kind}`, fragment: `c=default&at=48.7,5,5.2&tab=index&index=${kind}&cells=auto`,
    act: (page: Page) => page.waitForFunction(() => /cell/.test(document.querySelector("#cells-say")?.textContent ?? "")),
  })),
  ...(["rtree", "geohash"] as const).map((kind) => ({
    name: `walk-${kind}`, fragment: `${CIRCLE}&index=${kind}&walk=1`,
    act: async (page: Page) => {
      await page.waitForSelector("#walk-legend:not([hidden])");
      await inView(page, "#walk-says");
    },
  })),
  {
    name: "race", fragment: CIRCLE,
    act: async (page) => {
      await answered(page);
      await page.click("#race");
      await page.waitForSelector("#race-result table");
      await inView(page, "#race-result .same");
    },
  },
  {
    name: "upload", fragment: "tab=add",
    act: async (page) => {
      const rows = Array.from({ length: 60 }, (_, at) => `b${at},${-35 + (at % 9) / 3},${18 + at / 12},boat ${at}`);
      const text = ["id,lat,lon,name", ...rows.slice(0, 20), "x1,N/A,3,nobody", "x2,95,3,far out", "x3,151.2,-33.8,swapped", ...rows.slice(20)].join("\n");
      await page.setInputFiles("#upload-file", { name: "Boats & Buoys.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
      await page.waitForSelector("#upload-rejected table");
      await inView(page, "#upload-rejected");
    },
  },
  { name: "add", fragment: "tab=add" },
  {
    name: "live", fragment: "c=taxis&at=20,20,6.5&tab=live",
    act: async (page) => {
      await page.check("#live");
      await page.click("[data-tool=circle]");
      await drag(page, [20, 20], [20, 20.9]);
      await page.click("#tab-live");
      await page.click("#fence");
      await page.waitForFunction(() => /inside/.test(document.querySelector("#fence-says")?.textContent ?? ""));
      for (const [at, [lat, lon]] of ([[20.2, 20.1], [19.8, 20.3], [20.5, 19.8], [21.6, 21.5], [20.1, 20.6]] as const).entries()) {
        await service.put("taxis", `cab ${at}`, lat, lon, { name: `Cab ${at}` });
      }
      await service.put("taxis", "cab 1", 22, 18.6, { name: "Cab 1" });
      await page.waitForFunction(() => /1 left/.test(document.querySelector("#fence-says")?.textContent ?? ""));
    },
  },
  { name: "fiji", fragment: "c=earthquakes&at=-18,179.5,3.6&near=-18,179.8&radius=1400000", act: answered },
  { name: "pole", fragment: "c=default&at=62,-40,1.6&near=84,-40&radius=3200000", act: answered },
  { name: "error", fragment: "c=default&at=48.857,2.352,8&near=48.857,2.352&k=5&filter=population%20%3E", act: (page) => page.waitForSelector("#filter-trouble:not([hidden])") },
  { name: "million", fragment: "c=million&at=48.857,2.352,5.5" },
  { name: "million-world", fragment: "c=million&at=20,10,1.4" },
  { name: "million-circle", fragment: "c=million&at=48.857,2.352,9.5&near=48.857,2.352&radius=12000&cells=auto", act: answered },
  { name: "gone", fragment: "c=nowhere&at=20,0,2", act: (page) => page.waitForSelector("#trouble:not([hidden])") },
  { name: "empty", fragment: "c=nothing&at=20,0,2&near=10,10&k=10", act: (page) => page.waitForFunction(() => /^0/.test(document.querySelector("#summary")?.textContent ?? "")) },
];

const service = await new Service().start();
await openBrowser();
try {
  await service.json("collections/nothing", { method: "PUT" });
  if (STOPS.some(({ name }) => name.startsWith("million") && name.includes(only))) await loadMillion(service);
  await service.put("taxis", "cab 9", 20.4, 20.4, { name: "Cab 9" });
  for (const { name, fragment, act } of STOPS.filter(({ name }) => name.includes(only))) {
    for (const [size, options] of Object.entries(SIZES)) {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, close } = await open(service.root, fragment, { ...options, colorScheme, reducedMotion: "reduce" }, /4\d\d \(/);
        await page.waitForFunction(() => document.querySelectorAll("#collection option").length > 1);
        await act?.(page, size === "phone");
        await settled(page);
        await page.waitForTimeout(300);
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
        await close();
      }
    }
    console.log(name);
  }
} finally {
  await closeBrowser();
  await service.end();
}
