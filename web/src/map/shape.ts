// The shape of the question as the map draws it, with the handles by which it is held.

import { circleRings, destination, type Position } from "../earth.ts";
import type { Frame } from "../hilbert.ts";
import type { Shape } from "../question.ts";

export function shapeFeatures(shape: Shape | null): GeoJSON.Feature[] {
  if (!shape || shape.kind === "nearest") return [];
  return [polygon(shapeRings(shape))];
}

function shapeRings(shape: Exclude<Shape, { kind: "nearest" }>): Position[][] {
  if (shape.kind === "circle") return circleRings(shape.middle, shape.radius_m);
  const corners = shape.kind === "box" ? boxCorners(shape) : shape.corners;
  return corners[0] ? [[...corners, corners[0]]] : [];
}

export function boxCorners({ west, south, east, north }: Frame): Position[] {
  return [[west, south], [east, south], [east, north], [west, north]];
}

export function handleFeatures(shape: Shape | null): GeoJSON.Feature[] {
  if (!shape || !("middle" in shape)) return [];
  const handles = [point([shape.middle.lon, shape.middle.lat], { role: "middle" })];
  if (shape.kind === "circle") {
    const edge = destination(shape.middle, 90, shape.radius_m);
    handles.push(point([edge.lon, edge.lat], { role: "edge" }));
  }
  return handles;
}

/** What the map has to show for the shape to be seen whole. */
export function shapeFrame(shape: Shape): Frame {
  if (shape.kind === "nearest") {
    const { lat, lon } = shape.middle;
    return { west: lon, east: lon, south: lat, north: lat };
  }
  const corners = shapeRings(shape).flat();
  const lons = corners.map(([lon]) => lon);
  const lats = corners.map(([, lat]) => lat);
  return { west: Math.min(...lons), east: Math.max(...lons), south: Math.min(...lats), north: Math.max(...lats) };
}

/** The longitude beside which answers are drawn. */
export function shapeLon(shape: Shape): number {
  if ("middle" in shape) return shape.middle.lon;
  const { west, east } = shapeFrame(shape);
  return (west + east) / 2;
}

export function point(coordinates: Position, properties: Record<string, unknown>, id?: number): GeoJSON.Feature {
  const feature: GeoJSON.Feature = { type: "Feature", geometry: { type: "Point", coordinates }, properties };
  if (id !== undefined) feature.id = id;
  return feature;
}

export function line(coordinates: Position[]): GeoJSON.Feature {
  return { type: "Feature", geometry: { type: "LineString", coordinates }, properties: {} };
}

export function polygon(coordinates: Position[][]): GeoJSON.Feature {
  return { type: "Feature", geometry: { type: "Polygon", coordinates }, properties: {} };
}
