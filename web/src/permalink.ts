// Everything that makes two people see the same, in the fragment of the address.
//
// Whatever stands there was typed by somebody: what cannot be read is passed over, and the rest is taken.

import type { Place, Position } from "./earth.ts";
import { wrapLon } from "./earth.ts";
import { KINDS, METRICS, rounded, type Kind, type Metric, type Shape } from "./question.ts";

export interface View extends Place {
  zoom: number;
}
export const TABS = ["ask", "index", "live", "add"] as const;
export type Tab = (typeof TABS)[number];

/** What a link tells. */
export interface Linked {
  collection: string | null;
  view: View | null;
  shape: Shape | null;
  filter: string;
  metric: Metric | null;
  index: Kind | null;
  tab: Tab;
  cells: boolean;
  /** None where the zoom decides. */
  level: number | null;
  walk: boolean;
}

export function writeLink(linked: Linked): string {
  const words: [string, string][] = [];
  const { collection, view, shape } = linked;
  if (collection) words.push(["c", collection]);
  if (view) words.push(["at", numbers(view.lat, wrapLon(view.lon), rounded(view.zoom, 2))]);
  if (shape) words.push(...shapeWords(shape));
  if (linked.filter) words.push(["filter", linked.filter]);
  if (linked.metric) words.push(["metric", linked.metric]);
  if (linked.index) words.push(["index", linked.index]);
  if (linked.tab !== "ask") words.push(["tab", linked.tab]);
  if (linked.cells) words.push(["cells", linked.level === null ? "auto" : String(linked.level)]);
  if (linked.walk) words.push(["walk", "1"]);
  return words.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&");
}

function shapeWords(shape: Shape): [string, string][] {
  switch (shape.kind) {
    case "nearest":
      return [["near", numbers(shape.middle.lat, wrapLon(shape.middle.lon))], ["k", String(shape.k)]];
    case "circle":
      return [["near", numbers(shape.middle.lat, wrapLon(shape.middle.lon))], ["radius", String(rounded(shape.radius_m, 1))]];
    case "box":
      return [["box", numbers(shape.west, shape.south, shape.east, shape.north)]];
    case "polygon":
      return [["polygon", numbers(...shape.corners.flat())]];
  }
}

export function readLink(fragment: string): Linked {
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const collection = words.get("c");
  const [lat, lon, zoom] = readNumbers(words.get("at"));
  const at = place(lat, lon);
  const cells = words.get("cells");
  return {
    collection: collection && /^[a-z0-9][a-z0-9_-]{0,63}$/.test(collection) ? collection : null,
    view: at && zoom !== undefined && zoom >= 0 && zoom <= 24 ? { ...at, zoom } : null,
    shape: readShape(words),
    filter: words.get("filter") ?? "",
    metric: METRICS.find((metric) => metric === words.get("metric")) ?? null,
    index: KINDS.find((kind) => kind === words.get("index")) ?? null,
    tab: TABS.find((tab) => tab === words.get("tab")) ?? "ask",
    cells: cells !== null,
    level: cells && /^\d{1,2}$/.test(cells) ? Number(cells) : null,
    walk: words.get("walk") === "1",
  };
}

function readShape(words: URLSearchParams): Shape | null {
  const middle = place(...firstTwo(readNumbers(words.get("near"))));
  if (middle) {
    const radius_m = Number(words.get("radius") ?? NaN);
    if (Number.isFinite(radius_m) && radius_m >= 0) return { kind: "circle", middle, radius_m };
    const k = Number(words.get("k") ?? 10);
    return { kind: "nearest", middle, k: Number.isInteger(k) && k >= 1 && k <= 1000 ? k : 10 };
  }
  const [west, south, east, north] = readNumbers(words.get("box"));
  const [low, high] = [place(south, west), place(north, east)];
  if (low && high && low.lat <= high.lat && low.lon <= high.lon) {
    return { kind: "box", west: low.lon, south: low.lat, east: high.lon, north: high.lat };
  }
  const flat = readNumbers(words.get("polygon"));
  const corners: Position[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const corner = place(flat[at + 1], flat[at]);
    if (!corner) return null;
    corners.push([corner.lon, corner.lat]);
  }
  return corners.length >= 3 ? { kind: "polygon", corners } : null;
}

function firstTwo([one, two]: number[]): [number | undefined, number | undefined] {
  return [one, two];
}

/** A place, if these are one. Longitudes of shapes run over the edge of the world, once round at most. */
function place(lat: number | undefined, lon: number | undefined): Place | null {
  if (lat === undefined || lon === undefined || Math.abs(lat) > 90 || Math.abs(lon) > 540) return null;
  return { lat, lon };
}

function numbers(...values: number[]): string {
  return values.map((value) => rounded(value)).join(",");
}

function readNumbers(text: string | null): number[] {
  const values = (text ?? "").split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return values.every(Number.isFinite) ? values : [];
}
