// Takes the pictures of the page that the README shows, of the real program with its demo data.
//
//     npm run pictures

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { indexedPng } from "./indexed-png.ts";
import { Service, closeBrowser, open, openBrowser, settled } from "../tests/browser/harness.ts";

const MOST_BYTES = 200_000;
const PICTURES = [
  { name: "ask", fragment: "c=default&at=48.82,2.45,9.2&near=48.857,2.352&radius=25000&filter=population%20%3E%2020000", colorScheme: "light" },
  { name: "index", fragment: "c=default&at=48.5,3,6.4&near=48.857,2.352&radius=120000&tab=index&index=quadtree&walk=1", colorScheme: "dark", race: true },
] as const;

const service = await new Service().start();
await openBrowser();
try {
  for (const { name, fragment, colorScheme, ...more } of PICTURES) {
    const { page, close } = await open(service.root, fragment, { colorScheme, viewport: { width: 1100, height: "race" in more ? 840 : 680 }, reducedMotion: "reduce" });
    await page.waitForFunction(() => document.querySelectorAll("#results li").length > 0);
    if ("race" in more) {
      await page.waitForSelector("#walk-legend:not([hidden])");
      await page.click("#race");
      await page.waitForSelector("#race-result table");
      await page.locator("#race-result .same").scrollIntoViewIfNeeded();
    }
    await settled(page);
    const path = fileURLToPath(new URL(`../pictures/${name}.png`, import.meta.url));
    const taken = (await page.screenshot()).toString("base64");
    // The browser unpacks it, so that no package has to.
    const { width, height, rgba } = await page.evaluate(async (taken) => {
      const bytes = Uint8Array.from(atob(taken), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      let text = "";
      for (let at = 0; at < data.length; at += 30_000) text += String.fromCharCode(...data.subarray(at, at + 30_000));
      return { width: bitmap.width, height: bitmap.height, rgba: btoa(text) };
    }, taken);
    const picture = indexedPng(width, height, Buffer.from(rgba, "base64"));
    if (picture.length > MOST_BYTES) throw new Error(`${path} would be ${picture.length} bytes`);
    writeFileSync(path, picture);
    console.log(`${name}.png: ${picture.length} bytes`);
    await close();
  }
} finally {
  await closeBrowser();
  await service.end();
}
