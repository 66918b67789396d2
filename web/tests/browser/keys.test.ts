import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BINARY, Service, closeBrowser, listed, open, openBrowser, settled } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "nigh-keys-"));
const file = join(folder, "keys");
const made = execFileSync(BINARY, ["key", "new", "--name", "page", "--collection", "*", "--scope", "write", "--file", file], { encoding: "utf8" });
const key = /^\S{20,}$/m.exec(made)?.[0] ?? "";
const service = new Service(["--keys", file]);

before(async () => {
  await service.start();
  await openBrowser();
});
after(async () => {
  await closeBrowser();
  await service.end();
  rmSync(folder, { recursive: true });
});

test("a service with keys is asked with the one that is typed, and a link never holds it", async () => {
  assert.ok(key, made);
  const { page, requests, close } = await open(service.root, "c=default&at=48.857,2.352,8&near=48.857,2.352&k=4", {}, /401 \(Unauthorized\)/);
  await page.waitForSelector("#key-form:not([hidden])");
  assert.deepEqual(await listed(page), []);
  await page.fill("#key", "nigh-of-somebody-else");
  await page.press("#key", "Enter");
  await page.waitForSelector("#trouble:not([hidden])");
  await page.fill("#key", key);
  await page.press("#key", "Enter");
  await page.waitForSelector("#results li:nth-child(4)");
  await settled(page);
  await page.waitForFunction(() => (window as any).nighMap.queryRenderedFeatures({ layers: ["points", "clusters"] }).length > 0);
  assert.ok(await page.isHidden("#key-form"), "await page.isHidden('#key-form')");
  assert.ok((await page.textContent("#curl"))?.endsWith('-H "authorization: Bearer $NIGH_KEY"'), "(await page.textContent('#curl'))?.endsWith('-H 'authorization: Bearer $NIGH_KEY'')");
  assert.ok(!(await page.content()).includes(key) && requests.every(({ url }) => !url.includes(key)) && !page.url().includes(key), "!(await page.content()).includes(key) && requests.every(({ url }) => !url.includes(key)) && !page.url().includes(key)");
  await page.reload();
  await page.waitForSelector("#results li:nth-child(4)");
  await close();
});
