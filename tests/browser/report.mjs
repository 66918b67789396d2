// The report of `nigh bench` in a real browser: it loads without errors and without the network, fits a phone and a desk, can be
// read in the light and in the dark, and says the same without JavaScript.
//
//   node tests/browser/report.mjs REPORT.html                      # the checks; CHROMIUM names the browser, by default `chromium`
//   node tests/browser/report.mjs REPORT.html --picture FILE.png   # the checks, then a picture of its upper part
//
// What surprises: contrast is reckoned from what the browser really painted behind each text, as far as colours go, so a colour that
// was forgotten in the dark is found.

import { chromium } from 'playwright-core';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import assert from 'node:assert/strict';

const [report, option, picture] = process.argv.slice(2);
assert.ok(report && (!option || (option === '--picture' && picture)), 'usage: report.mjs REPORT.html [--picture FILE.png]');
const address = pathToFileURL(resolve(report)).href;
const executablePath = execFileSync('which', [process.env.CHROMIUM ?? 'chromium'], { encoding: 'utf8' }).trim();
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

/** Opens the report, and fails on anything it asks for or complains about. */
async function open(options) {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const troubles = [];
  page.on('console', message => troubles.push(`console: ${message.text()}`));
  page.on('pageerror', error => troubles.push(`error: ${error}`));
  page.on('request', request => request.url() !== address && !request.url().startsWith('data:')
    && troubles.push(`request: ${request.url()}`));
  await page.goto(address);
  await page.waitForLoadState('networkidle');
  assert.deepEqual(troubles, []);
  return { context, page };
}

/** In the page: texts whose contrast with what lies behind them is below what WCAG 2.1 AA asks for. */
function faint() {
  const numbers = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ['SCRIPT', 'STYLE'].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(numbers(element.closest('svg') ? style.fill : style.color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return faint;
}

const words = {};
let views = 0;
for (const [device, width, height] of [['desk', 1280, 900], ['phone', 360, 740]]) {
  for (const colorScheme of ['light', 'dark']) {
    const { context, page } = await open({ viewport: { width, height }, colorScheme, deviceScaleFactor: 1 });
    const where = `${device}, ${colorScheme}`;
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${where}: ${wide} px wider than the screen`);
    assert.deepEqual(await page.evaluate(faint), [], where);
    const small = await page.evaluate(() => [...document.querySelectorAll('svg text')]
      .filter(text => text.getBoundingClientRect().height < 11).map(text => text.textContent));
    assert.deepEqual(small, [], `${where}: letters too small to read`);
    const outside = await page.evaluate(() => [...document.querySelectorAll('figure svg text')].filter(text => {
      const [own, plot] = [text.getBoundingClientRect(), text.closest('figure').getBoundingClientRect()];
      return own.left < plot.left - 1 || own.right > plot.right + 1;
    }).map(text => text.textContent));
    assert.deepEqual(outside, [], `${where}: letters outside their plot`);
    const figures = await page.evaluate(() => JSON.parse(document.getElementById('figures').textContent));
    for (const kind of figures.kinds) assert.ok(await page.getByText(kind.name, { exact: true }).count() > 0, kind.name);
    assert.equal(await page.locator('h1').innerText(), figures.verdict.headline);
    words[device] = await page.evaluate(() => document.body.innerText);
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(/rgb\((\d+)/.exec(dark)[1] < 60, colorScheme === 'dark', `${where}: ${dark}`);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${device}-${colorScheme}.png`, fullPage: true });
    views += 1;
    await context.close();
  }
}
const { context, page } = await open({ viewport: { width: 1280, height: 900 }, javaScriptEnabled: false });
assert.equal(await page.locator('h1').innerText(), words.desk.split('\n').find(line => line && line !== 'nigh bench'));
await context.close();

if (picture) {
  const shot = await open({ viewport: { width: 1180, height: 1660 }, colorScheme: 'light', deviceScaleFactor: 0.7 });
  await shot.page.screenshot({ path: picture });
  console.log(`${picture}: ${statSync(picture).size} bytes`);
  await shot.context.close();
}
await browser.close();
console.log(`${report}: sound in ${views} views and without JavaScript`);
