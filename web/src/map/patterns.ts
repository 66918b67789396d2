// Patterns that tell verdicts apart without colour, on the map and in its legend alike.

import type { Palette } from "./palette.ts";

export const VERDICTS = ["pruned", "opened", "whole", "tested"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What each verdict means, for the legend. */
export const MEANING: Record<Verdict, string> = {
  pruned: "passed over: nothing in it can be an answer",
  opened: "opened: its children were looked at",
  whole: "taken whole: everything in it is an answer",
  tested: "tested point by point",
};

const SIDE = 16;

/** One tile of a pattern, drawn so that it joins up with itself on every side. */
export function drawPattern(context: CanvasRenderingContext2D, verdict: Verdict, { [verdict]: colour }: Palette): void {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  if (verdict === "pruned") {
    for (const from of [-SIDE, 0, SIDE]) {
      context.moveTo(from, SIDE);
      context.lineTo(from + SIDE, 0);
    }
    context.stroke();
  } else if (verdict === "tested") {
    for (const [x, y] of [[4, 4], [12, 12]] as const) {
      context.moveTo(x + 2, y);
      context.arc(x, y, 2, 0, 2 * Math.PI);
    }
    context.fill();
  } else if (verdict === "whole") {
    context.globalAlpha = 0.42;
    context.fillRect(0, 0, SIDE, SIDE);
  }
}

export function patternImage(verdict: Verdict, palette: Palette): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  if (!context) return new ImageData(SIDE, SIDE);
  drawPattern(context, verdict, palette);
  return context.getImageData(0, 0, SIDE, SIDE);
}

/** A swatch for the legend: the pattern inside the outline that it has on the map. */
export function swatch(verdict: Verdict, palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = 52;
  canvas.height = 36;
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const tile = document.createElement("canvas");
  tile.width = tile.height = SIDE;
  const inside = tile.getContext("2d");
  if (inside) drawPattern(inside, verdict, palette);
  const pattern = context.createPattern(tile, "repeat");
  if (pattern) {
    context.fillStyle = pattern;
    context.fillRect(0, 0, 52, 36);
  }
  context.strokeStyle = palette[verdict];
  context.lineWidth = 5;
  if (verdict === "opened") context.setLineDash([8, 5]);
  context.strokeRect(0, 0, 52, 36);
  return canvas;
}
