// The same question on every kind: three bars each, and whether the answers are the same to the bit.

import { byId, count, element } from "../dom.ts";
import { searchBody } from "../question.ts";
import { ask, type Explain } from "../service.ts";
import type { Store } from "../state.ts";

const RUNS = 9;

/** What the service says of all kinds: it asks them in turns, as often as it is told, and tells the middle of the times. */
interface Comparison {
  identical: boolean;
  matched: number;
  kinds: { elapsed_ns: number; explain: Explain }[];
}

export interface Runner {
  kind: string;
  time_us: number;
  cells: number;
  candidates: number;
}

/** The kinds that can be chosen; the scan is the referee and does not run. */
export function runners({ kinds }: Comparison): Runner[] {
  return kinds
    .filter(({ explain }) => explain.index !== "scan")
    .map(({ elapsed_ns, explain: { index, nodes, boxes, candidates } }) => ({
      kind: index, time_us: elapsed_ns / 1000, cells: nodes + boxes, candidates,
    }));
}

/** Microseconds with as many digits as tell four kinds apart. */
export function sayMicroseconds(us: number): string {
  return `${us < 100 ? us.toFixed(1) : count(Math.round(us))} µs`;
}

export function racePane(store: Store): void {
  const button = byId("race");
  const result = byId("race-result");
  let raced = 0;
  const forget = (): void => {
    raced += 1;
    result.replaceChildren();
  };
  store.on(["collection", "shape", "filter", "metric"], forget);
  button.addEventListener("click", () => void race());

  async function race(): Promise<void> {
    const question = store.question();
    if (!question) return void (result.textContent = "Ask something first: click or tap the map.");
    const mine = ++raced;
    button.setAttribute("disabled", "");
    result.textContent = "They are off…";
    try {
      const path = `collections/${question.collection}/compare?repeat=${RUNS}`;
      const comparison = await ask<Comparison>(path, { body: searchBody(question) });
      if (mine === raced) show(comparison);
    } catch (error) {
      if (mine === raced) result.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      button.removeAttribute("disabled");
    }
  }

  function show(comparison: Comparison): void {
    const { identical: same, matched } = comparison;
    const ran = runners(comparison);
    const most = (of: keyof Runner) => Math.max(1, ...ran.map((runner) => Number(runner[of])));
    const fastest = Math.min(...ran.map(({ time_us }) => time_us));
    const bar = (value: number, of: keyof Runner, says = count(value)) => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      svg.setAttribute("aria-hidden", "true");
      rect.setAttribute("width", `${(100 * value) / most(of)}%`);
      rect.setAttribute("height", "100%");
      svg.append(rect);
      return element("td", {}, says, svg);
    };
    const heads = ["Kind", "Time", "Cells", "Candidates"].map((head) => element("th", { scope: "col" }, head));
    const rows = ran.map(({ kind, time_us, cells, candidates }) =>
      element("tr", time_us === fastest ? { class: "first" } : {}, element("th", { scope: "row" }, kind),
        bar(time_us, "time_us", sayMicroseconds(time_us)), bar(cells, "cells"), bar(candidates, "candidates")),
    );
    result.replaceChildren(
      element("table", { class: "race" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)),
      element("p", { class: same ? "same" : "differ" },
        same ? `✓ All ${ran.length} answer the same, to the bit: ${count(matched)} found` : "✗ The answers differ: this is a fault of the service"),
    );
  }
}
