// The real program on a free port, a real browser before it, and what tests ask of both.
//
// What surprises: the map is drawn by the processor here, so everything about it is waited for patiently and nothing by the clock. Every
// page that is opened keeps a record of its noise (errors, requests to other hosts), and ends with an empty one or the test fails.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as ask, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

export const BINARY = process.env.NIGH_BINARY ?? fileURLToPath(new URL("../../../target/release/nigh", import.meta.url));
/** A folder whose files stand in for those inside the program, so that a change of the page is tried without building the program. */
const DIST = process.env.NIGH_DIST;
const CHROMIUM = process.env.NIGH_CHROMIUM ?? "/usr/bin/chromium";
const PATIENCE_MS = 60_000;
const FLAGS = [
  "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--enable-unsafe-swiftshader",
];

export class Service {
  #process: ChildProcess | null = null;
  #address = "127.0.0.1:0";
  #proxy: Proxy | null = null;
  root = "";
  readonly #folder = mkdtempSync(join(tmpdir(), "nigh-page-"));
  constructor(private readonly more: string[] = []) {}

  async start(): Promise<this> {
    const child = spawn(BINARY, ["serve", "--listen", this.#address, "--data-dir", join(this.#folder, "data"), ...this.more], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let said = "";
    this.#address = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the service printed no address: ${said}`)), 20_000);
      child.stderr?.on("data", (text) => (said += text));
      child.stdout?.on("data", (text) => {
        said += text;
        const found = /127\.0\.0\.1:[1-9]\d*/.exec(said);
        if (found) {
          clearTimeout(timer);
          resolve(found[0]);
        }
      });
      child.on("exit", () => reject(new Error(`the service ended: ${said}`)));
    });
    const own = `http://${this.#address}/`;
    if (DIST) this.#proxy ??= await proxied(own, { folder: DIST });
    this.root = this.#proxy?.root ?? own;
    return this;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await gone;
    clearTimeout(killer);
  }

  async end(): Promise<void> {
    await this.stop();
    this.#proxy?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async json(path: string, init?: RequestInit): Promise<any> {
    const response = await fetch(new URL(path, this.root), init);
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  put(collection: string, id: string, lat: number, lon: number, properties: object = {}): Promise<any> {
    const body = JSON.stringify({ lat, lon, properties });
    return this.json(`collections/${collection}/items/${encodeURIComponent(id)}`, { method: "PUT", headers: { "content-type": "application/json" }, body });
  }

  remove(path: string): Promise<any> {
    return this.json(path, { method: "DELETE" });
  }
}

export interface Proxy {
  root: string;
  close: () => void;
}

/**
 * A proxy that puts the service under a path, and asks it under its own name, as proxies do that are not told otherwise. Or one
 * that takes files of the page out of a folder.
 */
export async function proxied(root: string, { prefix = "/", folder }: { prefix?: string; folder?: string }): Promise<Proxy> {
  const target = new URL(root);
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "/";
    if (!path.startsWith(prefix)) return void outgoing.writeHead(404).end("outside");
    const file = folder && fileBehind(folder, path, incoming.headers.accept ?? "");
    if (file) return void answerFile(root, file, incoming.headers["accept-encoding"] ?? "", outgoing);
    const headers = folder ? incoming.headers : { ...incoming.headers, host: target.host };
    const onward = ask(
      { host: target.hostname, port: target.port, path: `/${path.slice(prefix.length)}`, method: incoming.method, headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref(); // a test that fails is not to wait for its proxy
  const address = server.address();
  assert.ok(address && typeof address === "object", "the proxy listens");
  return { root: `http://127.0.0.1:${address.port}${prefix}`, close: () => (server.closeAllConnections(), server.close()) };
}

function fileBehind(folder: string, path: string, accepted: string): string | null {
  const name = path === "/" && accepted.includes("text/html") ? "index.html" : /^\/page\/([\w./-]+)$/.exec(path)?.[1];
  const file = name && !name.includes("..") ? join(folder, name) : null;
  return file && existsSync(file) ? file : null;
}

const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** A file under the policy that the service has for its own. */
async function answerFile(root: string, file: string, accepted: string, outgoing: ServerResponse): Promise<void> {
  const policy = await fetch(`${root}page/settings.json`).then(({ headers }) => headers.get("content-security-policy") ?? "", () => null);
  if (policy === null) return void outgoing.destroy();
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  const coding = [["br", ".br"], ["gzip", ".gz"]].find(([name = "", ending]) => accepted.includes(name) && existsSync(file + ending));
  outgoing.writeHead(200, {
    "content-type": type, "content-security-policy": policy, "cache-control": "no-cache", ...(coding && { "content-encoding": coding[0] }),
  });
  outgoing.end(readFileSync(file + (coding?.[1] ?? "")));
}

let browser: Browser | null = null;

export async function openBrowser(): Promise<void> {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export async function closeBrowser(): Promise<void> {
  await browser?.close();
}

export interface Opened {
  page: Page;
  noise: string[];
  requests: { url: string }[];
  close: () => Promise<void>;
}

/** Opens the page; what `quiet` matches is no noise, where a test brings trouble about. */
export async function open(root: string, fragment = "", options: BrowserContextOptions = {}, quiet?: RegExp): Promise<Opened> {
  assert.ok(browser, "the browser is open");
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const noise: string[] = [];
  const requests: Opened["requests"] = [];
  const hear = (text: string) => !quiet?.test(text) && noise.push(text);
  page.on("console", (message) => message.type() === "error" && hear(`console: ${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => hear(`error: ${error.message}`));
  page.on("dialog", (dialog) => (noise.push(`dialog: ${dialog.message()}`), void dialog.dismiss()));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith("http") && host !== new URL(root).host) hear(`another host: ${request.url()}`);
  });
  page.on("requestfinished", (request) => requests.push({ url: request.url() }));
  await page.goto(root + (fragment ? `#${fragment}` : ""));
  await page.waitForSelector("html[data-ready]");
  return {
    page, noise, requests,
    close: async () => {
      await context.close();
      assert.deepEqual(noise, []);
    },
  };
}

/** Until the map has drawn everything and stands still. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const map = (window as any).nighMap;
    for (let calm = 0; calm < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      calm = map.loaded() && !map.isMoving() ? calm + 1 : 0;
    }
  });
}

/** Where a place is on the screen. */
export async function onScreen(page: Page, lat: number, lon: number): Promise<{ x: number; y: number }> {
  return page.evaluate(([lat, lon]) => {
    const map = (window as any).nighMap;
    const frame = map.getCanvas().getBoundingClientRect();
    const { x, y } = map.project([lon, lat]);
    return { x: frame.left + x, y: frame.top + y };
  }, [lat, lon] as const);
}

export async function clickAt(page: Page, lat: number, lon: number): Promise<void> {
  const { x, y } = await onScreen(page, lat, lon);
  await page.mouse.click(x, y);
}

export async function drag(page: Page, from: [number, number], to: [number, number], steps = 8, pause_ms = 40): Promise<void> {
  const [start, end] = [await onScreen(page, ...from), await onScreen(page, ...to)];
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  for (let step = 1; step <= steps; step++) {
    await page.mouse.move(start.x + ((end.x - start.x) * step) / steps, start.y + ((end.y - start.y) * step) / steps);
    await page.waitForTimeout(pause_ms);
  }
  await page.mouse.up();
}

/** The ids in the list, in order. */
export function listed(page: Page): Promise<string[]> {
  return page.$$eval("#results > li", (rows) => rows.map((row) => (row as HTMLElement).dataset.id ?? ""));
}

/** What the service answers to the command that the page shows. */
export async function commanded(page: Page): Promise<any> {
  const command = (await page.textContent("#curl")) ?? "";
  const address = /^curl '([^']+)'/.exec(command)?.[1];
  assert.ok(address, command);
  const body = / -d '(.*)'$/.exec(command)?.[1];
  const response = await fetch(address, body ? { method: "POST", headers: { "content-type": "application/json" }, body } : {});
  assert.equal(response.status, 200, command);
  return response.json();
}

/** Holds the list against the service, once both agree or patience ends. */
export async function assertSame(page: Page): Promise<any> {
  const until = Date.now() + 20_000;
  for (;;) {
    const answer = await commanded(page);
    const ids = answer.features.slice(0, 100).map((feature: { id: string }) => feature.id);
    const shown = await listed(page);
    if (JSON.stringify(ids) === JSON.stringify(shown) || Date.now() > until) {
      assert.deepEqual(shown, ids);
      return answer;
    }
    await page.waitForTimeout(100);
  }
}

/** What a source that the page fills holds. */
export function drawn(page: Page, source: string): Promise<any[]> {
  return page.evaluate(async (source) => (await (window as any).nighMap.getSource(source).getData()).features, source);
}
