// Takes the pictures of the page that the README shows, of the real program with its demo data.
//
//     npm run pictures

import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Service, closeBrowser, open, openBrowser, settled } from "../tests/browser/harness.ts";

const PICTURES = [
  { name: "ask", fragment: "c=default&at=48.86,2.9,7.6&near=48.857,2.352&radius=60000&filter=population%20%3E%2020000", colorScheme: "light" },
  { name: "index", fragment: "c=default&at=48.5,3,6.4&near=48.857,2.352&radius=120000&tab=index&index=quadtree&walk=1", colorScheme: "dark", race: true },
] as const;

const service = await new Service().start();
await openBrowser();
try {
  for (const { name, fragment, colorScheme, ...more } of PICTURES) {
    const { page, close } = await open(service.root, fragment, { colorScheme, viewport: { width: 1180, height: 720 }, reducedMotion: "reduce" });
    await page.waitForFunction(() => document.querySelectorAll("#results li").length > 0);
    if ("race" in more) {
      await page.waitForSelector("#walk-legend:not([hidden])");
      await page.click("#race");
      await page.waitForSelector("#race-result table");
    }
    await settled(page);
    const path = fileURLToPath(new URL(`../pictures/${name}.png`, import.meta.url));
    rmSync(path, { force: true });
    await page.screenshot({ path });
    console.log(`${path}: ${readFileSync(path).length} bytes`);
    await close();
  }
} finally {
  await closeBrowser();
  await service.end();
}
