// The badge that carries an answer's rank: a picture and not a circle, because only what stands on the map as a sign makes room for
// others. Where answers crowd, the nearest have one and the rest are dots.

import type { Palette } from "./palette.ts";

export const BADGE = "badge";
const SIDE = 40; // drawn at twice its size, for sharp screens

export function badgeImage({ answer, halo }: Palette): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  if (!context) return new ImageData(SIDE, SIDE);
  context.beginPath();
  context.arc(SIDE / 2, SIDE / 2, SIDE / 2 - 2, 0, 2 * Math.PI);
  context.fillStyle = answer;
  context.strokeStyle = halo;
  context.lineWidth = 3;
  context.fill();
  context.stroke();
  return context.getImageData(0, 0, SIDE, SIDE);
}
