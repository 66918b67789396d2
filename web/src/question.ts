// The question at hand: a shape on the map with all that is asked about it, and how it reads as a request.

import { wrapLon, type Place, type Position } from "./earth.ts";

export type Shape =
  | { kind: "nearest"; middle: Place; k: number }
  | { kind: "circle"; middle: Place; radius_m: number }
  | { kind: "box"; west: number; south: number; east: number; north: number }
  | { kind: "polygon"; corners: Position[] };

export const KINDS = ["rtree", "quadtree", "geohash", "hilbert"] as const;
export type Kind = (typeof KINDS)[number];
export const METRICS = ["haversine", "vincenty"] as const;
export type Metric = (typeof METRICS)[number];

export interface Question {
  collection: string;
  shape: Shape;
  filter: string;
  /** None for the collection's own. */
  metric: Metric | null;
  /** None for the service's choice. */
  index: Kind | null;
}

/** A request as `fetch` takes it: a path under the service's root, and a body where there is one. */
export interface Asked {
  path: string;
  body?: SearchBody;
}

export interface SearchBody {
  near?: Place;
  k?: number;
  radius?: number;
  bbox?: [number, number, number, number];
  within?: { type: "Polygon"; coordinates: Position[][] };
  filter?: string;
  metric?: Metric;
  index?: Kind;
  limit?: number;
  explain?: boolean;
}

const DIGITS = 6; // a tenth of a metre

/** A number with no more digits than a hand on a map can mean. */
export function rounded(value: number, digits = DIGITS): number {
  return Number(value.toFixed(digits));
}

function home({ lat, lon }: Place): Place {
  return { lat: rounded(Math.max(-90, Math.min(90, lat))), lon: rounded(wrapLon(lon)) };
}

/** West, south, east, north with the west at home; an east beyond 180 crosses the antimeridian. */
function homeBox(shape: Extract<Shape, { kind: "box" }>): [number, number, number, number] {
  const [south, north] = [rounded(Math.max(-90, shape.south)), rounded(Math.min(90, shape.north))];
  if (shape.east - shape.west >= 360) return [-180, south, 180, north];
  const west = wrapLon(shape.west);
  return [rounded(west), south, rounded(west + (shape.east - shape.west)), north];
}

/** The ring closed, moved by whole turns so that it begins at home. */
function homeRing(corners: Position[]): Position[] {
  const first = corners[0]?.[0] ?? 0;
  const turn = wrapLon(first) - first;
  const ring = corners.map(([lon, lat]): Position => [rounded(lon + turn), rounded(lat)]);
  return ring[0] ? [...ring, ring[0]] : ring;
}

/** The question as a search body, which every operation takes. */
export function searchBody({ shape, filter, metric }: Question): SearchBody {
  const body: SearchBody = {};
  if (shape.kind === "nearest") Object.assign(body, { near: home(shape.middle), k: shape.k });
  if (shape.kind === "circle") Object.assign(body, { near: home(shape.middle), radius: rounded(shape.radius_m, 1) });
  if (shape.kind === "box") body.bbox = homeBox(shape);
  if (shape.kind === "polygon") body.within = { type: "Polygon", coordinates: [homeRing(shape.corners)] };
  if (filter.trim()) body.filter = filter.trim();
  if (metric && body.near) body.metric = metric;
  return body;
}

/** What people would type: the short form where there is one. */
export function asked(question: Question, more: { limit?: number; explain?: boolean } = {}): Asked {
  const body: SearchBody = { ...searchBody(question), ...more };
  if (question.index) body.index = question.index;
  const under = `collections/${question.collection}`;
  if (body.within) return { path: `${under}/search`, body };
  const { near, ...rest } = body;
  const parameters = Object.entries({ ...near, ...rest }).map(([name, value]) => `${name}=${encode(String(value))}`);
  return { path: `${under}/${near ? "near" : "items"}?${parameters.join("&")}` };
}

/** Percent-encoded where it must be, and readable where it may. Apostrophes too: the address will stand between them in a shell. */
export function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("'", "%27");
}
