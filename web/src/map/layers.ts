// What the map draws, from the ground up: the land, the index, the shape, the points, the answers.

import type { LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";
import { url } from "../service.ts";
import { BADGE } from "./badge.ts";
import type { Palette } from "./palette.ts";
import { VERDICTS } from "./patterns.ts";

const NOTHING = { type: "FeatureCollection" as const, features: [] };
const drawn = (): SourceSpecification => ({ type: "geojson", data: NOTHING, tolerance: 0.2 });

/** Sources that are filled from the page; `points` is tiles of the service and comes with a collection. */
export const DRAWN = ["cells", "curve", "walk", "shape", "answers", "rays", "events", "handles"] as const;
export type Drawn = (typeof DRAWN)[number];

export function groundStyle(palette: Palette): StyleSpecification {
  return {
    version: 8,
    sources: {
      ground: { type: "vector", tiles: [url("page/basemap/") + "{z}/{x}/{y}.mvt"], maxzoom: 5 },
    },
    layers: groundLayers(palette),
  };
}

export function groundLayers(palette: Palette): LayerSpecification[] {
  return [
    { id: "water", type: "background", paint: { "background-color": palette.water } },
    { id: "land", type: "fill", source: "ground", "source-layer": "land", paint: { "fill-color": palette.land } },
    {
      id: "borders", type: "line", source: "ground", "source-layer": "borders",
      paint: { "line-color": palette.border, "line-width": ["interpolate", ["linear"], ["zoom"], 1, 0.5, 6, 1.3] },
    },
  ];
}

export function drawnSources(): Record<Drawn, SourceSpecification> {
  return Object.fromEntries(DRAWN.map((name) => [name, drawn()])) as Record<Drawn, SourceSpecification>;
}

/** Everything above the ground and under the points. */
export function indexLayers(palette: Palette): LayerSpecification[] {
  return [
    { id: "cells-fill", type: "fill", source: "cells", paint: { "fill-color": palette.cell, "fill-opacity": 0.06 } },
    { id: "cells-line", type: "line", source: "cells", paint: { "line-color": palette.cell, "line-width": 1, "line-opacity": 0.8 } },
    {
      id: "curve-line", type: "line", source: "curve", layout: { "line-join": "round", "line-cap": "round" },
      paint: { "line-color": palette.curve, "line-width": 2.2, "line-opacity": 0.85 },
    },
    ...VERDICTS.flatMap((verdict) => walkLayers(verdict, palette)),
    { id: "shape-fill", type: "fill", source: "shape", filter: ["==", "$type", "Polygon"], paint: { "fill-color": palette.shape, "fill-opacity": 0.1 } },
    { id: "shape-line", type: "line", source: "shape", paint: { "line-color": palette.shape, "line-width": 2 } },
  ];
}

function walkLayers(verdict: (typeof VERDICTS)[number], palette: Palette): LayerSpecification[] {
  const mine = ["==", ["get", "verdict"], verdict] as any;
  const line: LayerSpecification = {
    id: `walk-${verdict}-line`, type: "line", source: "walk", filter: mine,
    paint: { "line-color": palette[verdict], "line-width": verdict === "pruned" ? 0.8 : 1.6 },
  };
  if (verdict === "opened") {
    line.paint = { ...line.paint, "line-dasharray": [4, 2.5] };
    return [line];
  }
  const fill: LayerSpecification = {
    id: `walk-${verdict}`, type: "fill", source: "walk", filter: mine,
    paint: { "fill-pattern": `pattern-${verdict}`, "fill-opacity": { pruned: 0.4, tested: 0.55, whole: 0.8 }[verdict] },
  };
  return [fill, line];
}

export function pointLayers(palette: Palette, font: string[]): LayerSpecification[] {
  const cluster: any = ["has", "point_count"];
  // A cell of clusters is 16 pixels wide at a whole zoom, and 32 before the next: so wide that letters find room, and neighbours too.
  const counted: any = ["step", ["get", "point_count"], 5, 10, 6.5, 100, 7.5, 1000, 8.5, 100_000, 10];
  const size: any = ["interpolate", ["linear"], ["zoom"], 0, ["*", 0.7, counted], 1, counted];
  return [
    {
      id: "points", type: "circle", source: "points", "source-layer": "points", filter: ["!", cluster],
      paint: {
        "circle-color": palette.point, "circle-stroke-color": palette.halo,
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 4, 0.3, 9, 0.8],
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 2, 1.8, 6, 2.6, 10, 4, 16, 6.5],
      },
    },
    {
      id: "clusters", type: "circle", source: "points", "source-layer": "points", filter: cluster,
      layout: { "circle-sort-key": ["get", "point_count"] },
      paint: { "circle-color": palette.cluster, "circle-radius": size, "circle-stroke-color": palette.halo, "circle-stroke-width": 1 },
    },
    {
      id: "cluster-counts", type: "symbol", source: "points", "source-layer": "points", filter: cluster,
      layout: {
        "text-field": ["get", "point_count_abbreviated"], "text-font": font, "text-padding": 0,
        "text-size": ["interpolate", ["linear"], ["zoom"], 0, 8, 1, 9], "symbol-sort-key": ["-", 0, ["get", "point_count"]],
      },
      paint: { "text-color": palette.clusterInk },
    },
  ];
}

export function answerLayers(palette: Palette, font: string[]): LayerSpecification[] {
  const lit: any = ["boolean", ["feature-state", "lit"], false];
  return [
    {
      id: "cells-label", type: "symbol", source: "cells", filter: ["has", "label"],
      layout: {
        "text-field": ["get", "label"], "text-font": font, "text-size": 12, "text-padding": 2,
        "text-variable-anchor": ["center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"],
        "text-radial-offset": 1.4, // what is written in a cell makes room for answers
      },
      paint: { "text-color": palette.cell, "text-halo-color": palette.halo, "text-halo-width": 2 },
    },
    { id: "rays", type: "line", source: "rays", paint: { "line-color": palette.answer, "line-width": 1, "line-opacity": 0.55 } },
    {
      id: "answers", type: "circle", source: "answers", layout: { "circle-sort-key": ["-", 0, ["get", "rank"]] },
      paint: {
        "circle-color": palette.answer, "circle-stroke-color": palette.halo, "circle-stroke-width": ["case", lit, 3, 1],
        "circle-radius": ["case", lit, 12, 4.5],
      },
    },
    // Signs are placed from the top layer down, so ranks come before names; what finds no room is left to the list.
    {
      id: "answer-names", type: "symbol", source: "answers", filter: ["has", "name"],
      layout: {
        "text-field": ["get", "name"], "text-font": font, "text-size": 12, "text-padding": 3, "symbol-sort-key": ["get", "rank"],
        "text-variable-anchor": ["left", "right", "bottom", "top"], "text-radial-offset": 1, "text-justify": "auto", "text-max-width": 12,
      },
      paint: { "text-color": palette.ink, "text-halo-color": palette.land, "text-halo-width": 1.5 },
    },
    {
      id: "answer-ranks", type: "symbol", source: "answers", filter: ["<=", ["get", "rank"], 99],
      layout: {
        "icon-image": BADGE, "icon-padding": 0, "text-field": ["to-string", ["get", "rank"]], "text-font": font, "text-size": 11,
        "text-padding": 0, "symbol-sort-key": ["get", "rank"],
      },
      paint: { "text-color": palette.halo },
    },
    {
      id: "events", type: "circle", source: "events",
      paint: {
        "circle-radius": ["match", ["get", "event"], ["enter", "exit"], 11, 8], "circle-color": "rgba(0,0,0,0)", "circle-stroke-width": 2.5,
        "circle-stroke-color": ["match", ["get", "event"], "enter", palette.whole, "exit", palette.answer, palette.shape],
      },
    },
    {
      id: "event-signs", type: "symbol", source: "events", filter: ["in", ["get", "event"], ["literal", ["enter", "exit"]]],
      layout: {
        "text-field": ["match", ["get", "event"], "enter", "+", "–"], "text-font": font, "text-size": 18, "text-allow-overlap": true,
        "text-offset": [0.75, -0.75], // beside the ring: an answer may have its rank within it
      },
      paint: { "text-color": palette.ink, "text-halo-color": palette.halo, "text-halo-width": 1.5 },
    },
    {
      id: "handles", type: "circle", source: "handles",
      paint: {
        "circle-radius": ["match", ["get", "role"], "middle", 8, 6.5], "circle-color": ["match", ["get", "role"], "middle", palette.shape, palette.halo],
        "circle-stroke-color": ["match", ["get", "role"], "middle", palette.halo, palette.shape], "circle-stroke-width": 2.5,
      },
    },
  ];
}

export function drawnLayers(palette: Palette, font: string[]): LayerSpecification[] {
  return [...indexLayers(palette), ...answerLayers(palette, font)];
}
