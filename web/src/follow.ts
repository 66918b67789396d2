// The feed of changes, followed for as long as the page looks at a collection.
//
// A stream that breaks is taken up again where it ended. `fetch` reads it rather than `EventSource`, which can send no key.

import { jsonLines } from "./lines.ts";
import { Refused, isRefused, send } from "./service.ts";
import type { SearchBody } from "./question.ts";

export interface Change {
  seq: number | null;
  event:
    | "put" | "remove" | "expire" | "load" | "enter" | "inside" | "exit"
    | "reset" | "current" | "idle" | "gone" | "dropped" | "failed";
  id?: string;
  lat?: number;
  lon?: number;
  items?: number;
  properties?: Record<string, unknown>;
  was?: { lat: number; lon: number } | null;
}

/** How a stream stands: it flows, it is being taken up again, or it is over for good, and why. */
export type Standing = { at: "flowing" } | { at: "broken"; why: string } | { at: "over"; why: string; dropped: boolean };

export type Area = Pick<SearchBody, "near" | "radius" | "bbox" | "within" | "metric">;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

export class Follower {
  readonly #ended = new AbortController();
  #seq: number | null;

  constructor(
    private readonly collection: string,
    since: number | null,
    private readonly area: Area | null,
    private readonly each: (change: Change) => void,
    private readonly stands: (standing: Standing) => void,
  ) {
    this.#seq = since;
    void this.#follow();
  }

  end(): void {
    this.#ended.abort();
  }

  async #follow(): Promise<void> {
    let pause_ms = FIRST_PAUSE_MS;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        const since = this.#seq === null ? "" : `&since=${this.#seq}`;
        const path = `collections/${this.collection}/changes?f=ndjson${since}`;
        const response = await send(path, this.area ? { body: this.area, signal } : { signal });
        this.stands({ at: "flowing" });
        pause_ms = FIRST_PAUSE_MS;
        if (await this.#read(response)) return;
      } catch (error) {
        if (signal.aborted) return;
        // Changes from so long ago are not kept: what there is now is looked at anew.
        if (isRefused(error, "changes-gone")) this.#seq = null;
        else if (error instanceof Refused && error.problem.status < 500 && error.problem.status !== 429) {
          return this.stands({ at: "over", why: error.message, dropped: isRefused(error, "collection-not-found") });
        }
        this.stands({ at: "broken", why: error instanceof Error ? error.message : String(error) });
      }
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
      pause_ms = Math.min(2 * pause_ms, LONGEST_PAUSE_MS);
    }
  }

  /** Whether the stream is over for good. */
  async #read(response: Response): Promise<boolean> {
    if (!response.body) return false;
    for await (const change of jsonLines<Change>(response.body)) {
      if (this.#ended.signal.aborted) return true;
      if (change.seq !== null) this.#seq = change.seq;
      if (change.event === "gone" || change.event === "reset") this.#seq = change.event === "gone" ? null : this.#seq;
      this.each(change);
      if (change.event === "dropped") {
        this.stands({ at: "over", why: "The collection is gone.", dropped: true });
        return true;
      }
    }
    return false;
  }
}
