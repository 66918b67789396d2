// The Hilbert curve that orders the points of every collection, for drawing the part of it in view.
//
// The grid is that of longitudes and latitudes, the whole earth at once. A cell's four children are passed in the order that
// its state says; the values equal those of the service, which a browser test holds against its cells.

import type { Position } from "./earth.ts";

export interface Frame {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Bit 0 of a state swaps x and y, bit 1 turns both round. */
function child(state: number, place: number): { x: number; y: number; state: number } {
  const x = place >> 1;
  const y = (place & 1) ^ x;
  const next = y === 0 ? state ^ 1 ^ (x << 1) : state;
  const swapped = state & 1 ? { x: y, y: x } : { x, y };
  const turn = state & 2 ? 1 : 0;
  return { x: swapped.x ^ turn, y: swapped.y ^ turn, state: next };
}

/**
 * The stretches of the curve of an order that pass through a frame, each through the middles of neighbouring cells.
 * Where the curve leaves the frame a stretch ends.
 */
export function curveThrough(frame: Frame, order: number): Position[][] {
  const stretches: Position[][] = [];
  let joined = false;
  const walk = (west: number, south: number, width: number, height: number, state: number, depth: number): void => {
    if (west > frame.east || west + width < frame.west || south > frame.north || south + height < frame.south) {
      joined = false;
      return;
    }
    if (depth === order) {
      const middle: Position = [west + width / 2, south + height / 2];
      if (joined) stretches.at(-1)?.push(middle);
      else stretches.push([middle]);
      joined = true;
      return;
    }
    for (let place = 0; place < 4; place++) {
      const next = child(state, place);
      walk(west + (next.x * width) / 2, south + (next.y * height) / 2, width / 2, height / 2, next.state, depth + 1);
    }
  };
  walk(-180, -90, 360, 180, 0, 0);
  return stretches.filter((stretch) => stretch.length > 1);
}
