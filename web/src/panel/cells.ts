// The cells of an index kind in view, and the Hilbert curve itself.

import { byId, count, element, plural } from "../dom.ts";
import { curveThrough } from "../hilbert.ts";
import { Latest } from "../latest.ts";
import { line } from "../map/shape.ts";
import type { MapView } from "../map/view.ts";
import { KINDS, encode, type Kind } from "../question.ts";
import { ask } from "../service.ts";
import type { Store } from "../state.ts";

const MOST = 1500;
const DEEPEST = 24;
const CURVE_DEEPEST = 20;

interface Cells {
  numberReturned: number;
  complete: boolean;
  features: GeoJSON.Feature[];
}
interface Seen {
  kind: Kind;
  level: number;
  cells: Cells;
}

const SAYS: Record<Kind, string> = {
  rtree: "Boxes round the points as they lie, sixteen to a node. Empty land has none.",
  quadtree: "The earth quartered again wherever points are many.",
  geohash: "Cells of the text grid: each letter more is a thirty-second of the cell before.",
  hilbert: "One line through everything: points close on the line are close on the earth.",
};

/** The kind that the index pane looks at: the one that is asked, or the first. */
export function seenKind(store: Store): Kind {
  return store.now.index ?? KINDS.find((kind) => store.about()?.settings.kinds.includes(kind)) ?? "rtree";
}

/** The level whose cells are about as large as a thumb at this zoom. */
export function levelAt(kind: Kind, zoom: number): number {
  const halvings = Math.max(1, Math.round(zoom + 1.6)); // of the earth's width
  if (kind === "geohash") return Math.max(1, Math.round(halvings / 2.5));
  if (kind === "rtree") return Math.max(1, Math.round(zoom / 2 + 1));
  return Math.min(DEEPEST, halvings);
}

export function cellsPane(store: Store, view: MapView): { refresh(): void } {
  const switched = byId<HTMLInputElement>("cells");
  const kinds = byId<HTMLSelectElement>("seen-kind");
  const levels = byId<HTMLSelectElement>("level");
  const says = byId("cells-say");

  const look = async (signal: AbortSignal): Promise<Seen> => {
    const kind = seenKind(store);
    const { west, south, east, north } = view.frame();
    const bbox = encode([west, south, east, north].map((degrees) => degrees.toFixed(6)).join(","));
    let level = store.now.level ?? levelAt(kind, view.map.getZoom());
    for (;;) {
      const path = `collections/${store.now.collection}/indexes/${kind}/cells?bbox=${bbox}&level=${level}&limit=${MOST}`;
      const cells = await ask<Cells>(path, { signal });
      // Where the zoom decides, cells too many to be told apart are shown a level higher.
      if (cells.complete || store.now.level !== null || level <= 1) return { kind, level, cells };
      level -= 1;
    }
  };
  const show = ({ kind, level, cells }: Seen): void => {
    if (!store.now.cells) return;
    view.show("cells", cells.features);
    const curve = kind === "hilbert" ? curveThrough(view.frame(), Math.min(level, CURVE_DEEPEST)) : [];
    view.show("curve", curve.map(line));
    const more = cells.complete ? "" : `; there are more than these`;
    says.textContent = `${plural(cells.numberReturned, "cell")} at level ${level}${more}`;
  };
  const latest = new Latest<null, Seen>((_, signal) => look(signal), show, (error) => {
    view.show("cells", []);
    view.show("curve", []);
    says.textContent = error instanceof Error ? error.message : String(error);
  });

  const refresh = (): void => {
    if (store.now.cells && store.now.collection) return latest.submit(null);
    latest.drop();
    view.show("cells", []);
    view.show("curve", []);
    says.textContent = "";
  };
  const reflect = (): void => {
    switched.checked = store.now.cells;
    const kept = KINDS.filter((kind) => store.about()?.settings.kinds.includes(kind) ?? true);
    kinds.replaceChildren(...kept.map((kind) => element("option", { value: kind }, kind)));
    kinds.value = seenKind(store);
    byId("kind-says").textContent = SAYS[seenKind(store)];
    levels.value = store.now.level === null ? "auto" : String(store.now.level);
  };
  const deep = Array.from({ length: DEEPEST }, (_, at) => element("option", { value: at + 1 }, count(at + 1)));
  levels.replaceChildren(element("option", { value: "auto" }, "follows the zoom"), ...deep);
  switched.addEventListener("change", () => store.set({ cells: switched.checked }));
  kinds.addEventListener("change", () => store.set({ index: KINDS.find((kind) => kind === kinds.value) ?? null }));
  levels.addEventListener("change", () => store.set({ level: levels.value === "auto" ? null : Number(levels.value) }));
  store.on(["cells", "collection", "collections", "index", "level"], reflect);
  store.on(["cells", "collection", "index", "level", "data"], refresh);
  view.map.on("moveend", () => store.now.cells && refresh());
  reflect();
  return { refresh };
}
