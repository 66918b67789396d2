// The way of a question through an index: what was passed over, opened, taken whole and tested, in colours, patterns and numbers.

import { byId, calm, count, element, plural } from "../dom.ts";
import { Latest } from "../latest.ts";
import { onPaletteChange, palette } from "../map/palette.ts";
import { MEANING, VERDICTS, swatch, type Verdict } from "../map/patterns.ts";
import type { MapView } from "../map/view.ts";
import { searchBody, type Question } from "../question.ts";
import { ask } from "../service.ts";
import type { Store } from "../state.ts";
import { seenKind } from "./cells.ts";

interface Step {
  verdict: Verdict;
  level: number;
  points: number;
  accepted: number;
  order: number;
}
interface Walk {
  /** Whether every cell is drawn; the counts are exact in any case. */
  complete: boolean;
  matched: number;
  counts: Record<Verdict, number> & { points_tested: number; accepted_whole: number; accepted_tested: number };
  features: GeoJSON.Feature<GeoJSON.Polygon, Step>[];
}

const STEP_MS = 120;
const FRAMES_MOST = 60;

export function walkPane(store: Store, view: MapView): { refresh(): void } {
  const switched = byId<HTMLInputElement>("walk");
  const says = byId("walk-says");
  const legend = byId("walk-legend");
  const steps = byId("walk-steps");
  const range = byId<HTMLInputElement>("walk-step");
  let walk: Walk | null = null;
  let playing: ReturnType<typeof setInterval> | undefined;

  const layers = VERDICTS.flatMap((verdict) => (verdict === "opened" ? [`walk-${verdict}-line`] : [`walk-${verdict}`, `walk-${verdict}-line`]));
  const upTo = (step: number): void => {
    range.value = String(step);
    byId("walk-at").textContent = `${count(step)} of ${count(Number(range.max))}`;
    view.setFilter(layers, (layer) => {
      const verdict = layer.replace(/^walk-|-line$/g, "");
      return ["all", ["==", ["get", "verdict"], verdict], ["<", ["get", "at"], step]];
    });
  };
  const stop = (): void => {
    clearInterval(playing);
    playing = undefined;
    byId("walk-play").textContent = "Play";
  };
  const tell = (): void => {
    if (!walk) return;
    const { features, complete, counts, matched } = walk;
    legend.replaceChildren(
      ...VERDICTS.map((verdict) =>
        element("div", { "data-verdict": verdict }, swatch(verdict, palette()), element("span", {}, MEANING[verdict]), element("b", {}, count(counts[verdict]))),
      ),
    );
    const rest = complete ? "" : ` The first ${count(features.length)} cells are drawn.`;
    says.textContent =
      `${plural(matched, "answer")}: ${count(counts.accepted_whole)} taken without a look, ` +
      `${count(counts.accepted_tested)} out of ${plural(counts.points_tested, "point")} tested.${rest}`;
  };
  const show = (found: Walk, question: Question | null): void => {
    if (!store.now.walk || !question) return;
    walk = found;
    walk.features.sort((a, b) => a.properties.order - b.properties.order);
    walk.features.forEach((feature, at) => (feature.properties = { ...feature.properties, at } as Step));
    view.show("walk", walk.features);
    stop();
    range.max = String(Math.max(1, walk.features.length));
    legend.hidden = steps.hidden = false;
    upTo(walk.features.length);
    tell();
  };
  const hide = (message: string): void => {
    stop();
    walk = null;
    legend.hidden = steps.hidden = true;
    says.textContent = message;
    view.show("walk", []);
  };
  const latest = new Latest<Question, Walk>(
    (question, signal) =>
      ask<Walk>(`collections/${question.collection}/indexes/${seenKind(store)}/walk`, { body: searchBody(question), signal }),
    show,
    (error) => hide(error instanceof Error ? error.message : String(error)),
  );
  const refresh = (): void => {
    const question = store.question();
    if (store.now.walk && question) return latest.submit(question);
    latest.drop();
    hide(store.now.walk ? "Ask something first: click or tap the map." : "");
  };

  switched.addEventListener("change", () => store.set({ walk: switched.checked }));
  range.addEventListener("input", () => {
    stop();
    upTo(Number(range.value));
  });
  byId("walk-play").addEventListener("click", () => {
    if (playing) return stop();
    const last = Number(range.max);
    const stride = Math.max(1, Math.ceil(last / FRAMES_MOST));
    let step = Number(range.value) >= last ? 0 : Number(range.value);
    if (calm()) return upTo(Math.min(last, step + stride)); // a step at a time, and nothing moves by itself
    byId("walk-play").textContent = "Pause";
    playing = setInterval(() => {
      step = Math.min(last, step + stride);
      upTo(step);
      if (step >= last) stop();
    }, STEP_MS);
  });
  onPaletteChange(tell);
  store.on(["walk"], ({ walk: on }) => (switched.checked = on));
  store.on(["walk", "collection", "shape", "filter", "metric", "index", "data"], refresh);
  switched.checked = store.now.walk;
  return { refresh };
}
