// The same question on every kind: three bars each, and whether the answers are the same to the bit.

import { byId, count, element } from "../dom.ts";
import { searchBody } from "../question.ts";
import { ask, type Explain } from "../service.ts";
import type { Store } from "../state.ts";

const RUNS = 9;

interface Comparison {
  identical: boolean;
  matched: number;
  returned: number;
  kinds: { identical: boolean; explain: Explain }[];
}

export interface Runner {
  kind: string;
  time_us: number;
  cells: number;
  candidates: number;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The kinds that can be chosen, with the middle of their times; the scan is the referee and does not run. */
export function runners(comparisons: Comparison[]): Runner[] {
  const last = comparisons.at(-1)?.kinds.filter(({ explain }) => explain.index !== "scan") ?? [];
  return last.map(({ explain: { index, nodes, boxes, candidates } }) => {
    const times = comparisons.flatMap(({ kinds }) => kinds.filter(({ explain }) => explain.index === index).map(({ explain }) => explain.elapsed_us));
    return { kind: index, time_us: median(times), cells: nodes + boxes, candidates };
  });
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
    if (!question) return void (result.textContent = "Ask something first: click the map.");
    const mine = ++raced;
    button.setAttribute("disabled", "");
    result.textContent = "They are off…";
    try {
      const comparisons: Comparison[] = [];
      for (let run = 0; run < RUNS && mine === raced; run++) {
        comparisons.push(await ask<Comparison>(`collections/${question.collection}/compare`, { body: searchBody(question) }));
      }
      if (mine === raced) show(comparisons);
    } catch (error) {
      if (mine === raced) result.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      button.removeAttribute("disabled");
    }
  }

  function show(comparisons: Comparison[]): void {
    const ran = runners(comparisons);
    const same = comparisons.every(({ identical }) => identical);
    const matched = comparisons.at(-1)?.matched ?? 0;
    const most = (of: keyof Runner) => Math.max(1, ...ran.map((runner) => Number(runner[of])));
    const fastest = Math.min(...ran.map(({ time_us }) => time_us));
    const bar = (value: number, of: keyof Runner, unit = "") => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      svg.setAttribute("aria-hidden", "true");
      rect.setAttribute("width", `${(100 * value) / most(of)}%`);
      rect.setAttribute("height", "100%");
      svg.append(rect);
      return element("td", {}, `${count(value)}${unit}`, svg);
    };
    const heads = ["Kind", "Time", "Cells", "Candidates"].map((head) => element("th", { scope: "col" }, head));
    const rows = ran.map(({ kind, time_us, cells, candidates }) =>
      element("tr", time_us === fastest ? { class: "first" } : {}, element("th", { scope: "row" }, kind),
        bar(time_us, "time_us", " µs"), bar(cells, "cells"), bar(candidates, "candidates")),
    );
    result.replaceChildren(
      element("table", { class: "race" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)),
      element("p", { class: same ? "same" : "differ" },
        same ? `✓ All ${ran.length} answer the same, to the bit: ${count(matched)} found` : "✗ The answers differ: this is a fault of the service"),
    );
  }
}
