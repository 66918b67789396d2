// What a page has in memory, after everything that can be let go of has been.

import { readFileSync } from "node:fs";
import type { CDPSession, Page } from "playwright-core";

export interface Held {
  /** Objects of scripts, of the page and of its workers. */
  heap_bytes: number;
  /** What those objects hold outside the heap: tiles and their geometry. */
  buffer_bytes: number;
  nodes: number;
  listeners: number;
}

/** Looks into the memory of a page, time and again. */
export class Scales {
  readonly #workers: string[] = [];
  readonly #waiting = new Map<number, (result: any) => void>();
  #asked = 0;

  private constructor(private readonly session: CDPSession) {}

  static async under(page: Page): Promise<Scales> {
    const session = await page.context().newCDPSession(page);
    const scales = new Scales(session);
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => targetInfo.type === "worker" && scales.#workers.push(sessionId));
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const { id, result } = JSON.parse(message);
      scales.#waiting.get(id)?.(result);
    });
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    await session.send("Performance.enable");
    return scales;
  }

  async weigh(): Promise<Held> {
    // What finalizers let go of is gone after the second time.
    for (let time = 0; time < 2; time++) await this.session.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.session.send("Performance.getMetrics");
    const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? NaN;
    const held = { heap_bytes: 0, buffer_bytes: 0, nodes: metric("Nodes"), listeners: metric("JSEventListeners") };
    const usages: any[] = [await this.session.send("Runtime.getHeapUsage")];
    for (const worker of this.#workers) {
      await this.#askWorker(worker, "HeapProfiler.collectGarbage");
      usages.push(await this.#askWorker(worker, "Runtime.getHeapUsage"));
    }
    for (const { usedSize, backingStorageSize } of usages) {
      held.heap_bytes += usedSize;
      held.buffer_bytes += backingStorageSize;
    }
    return held;
  }

  async #askWorker(sessionId: string, method: string): Promise<any> {
    const id = ++this.#asked;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    await this.session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method }) });
    return answer;
  }
}

/** What the processes of the browser that draw pages have of the machine's memory, by what they are. */
export async function residentBytes(page: Page): Promise<Record<string, number>> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo } = (await session?.send("SystemInfo.getProcessInfo")) ?? { processInfo: [] };
  const resident: Record<string, number> = {};
  for (const { type, id } of processInfo) {
    if (!/renderer|gpu/i.test(type)) continue;
    const kB = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? NaN);
    resident[type] = (resident[type] ?? 0) + kB * 1024;
  }
  await session?.detach();
  return resident;
}
