// Rings and lines cut at the antimeridian.
//
// A ring is first unrolled: each corner is put within half a turn of the one before it, so that the ring is in one piece again, somewhere
// between -540 and 540. A ring that does not come back to where it began goes round a pole and is closed along it. The unrolled ring is
// then clipped to each of the three worlds and every piece moved home.

type Corner = number[];
type Ring = Corner[];

const lonOf = (corner: Corner): number => corner[0] ?? 0;
const latOf = (corner: Corner): number => corner[1] ?? 0;

/** The corners, each within half a turn of the one before. */
export function unrolled(line: Ring): Ring {
  let turn = 0;
  return line.map((corner, at) => {
    const before = line[at - 1];
    if (before) turn -= 360 * Math.round((lonOf(corner) - lonOf(before)) / 360);
    return [lonOf(corner) + turn, latOf(corner)];
  });
}

function closed(ring: Ring): Ring {
  const [first, last] = [ring[0], ring.at(-1)];
  if (!first || !last || Math.abs(lonOf(last) - lonOf(first)) < 180) return ring;
  // Once round: the pole on the side of its mean latitude belongs to it.
  const pole = ring.reduce((sum, corner) => sum + latOf(corner), 0) < 0 ? -90 : 90;
  return [...ring, [lonOf(last), pole], [lonOf(first), pole], first];
}

/** The part of a closed ring on one side of a meridian (Sutherland and Hodgman, 1974). */
function clipped(ring: Ring, meridian: number, east: boolean): Ring {
  const inside = (corner: Corner) => (east ? lonOf(corner) >= meridian : lonOf(corner) <= meridian);
  const kept: Ring = [];
  ring.slice(1).forEach((corner, at) => {
    const before = ring[at] ?? corner;
    if (inside(corner) !== inside(before)) kept.push(crossing(before, corner, meridian));
    if (inside(corner)) kept.push(corner);
  });
  const first = kept[0];
  // What only touches the meridian is no piece.
  return first && kept.some((corner) => lonOf(corner) !== meridian) ? [...kept, first] : [];
}

function crossing(a: Corner, b: Corner, meridian: number): Corner {
  const part = (meridian - lonOf(a)) / (lonOf(b) - lonOf(a));
  return [meridian, latOf(a) + part * (latOf(b) - latOf(a))];
}

const WORLDS = [-360, 0, 360];

/** A polygon as the polygons it is between -180 and 180. */
export function cutPolygon(rings: Ring[]): Ring[][] {
  const whole = rings.map((ring) => closed(unrolled(ring)));
  const outer = whole[0];
  if (!outer) return [];
  const middle = (ring: Ring) => ring.reduce((sum, corner) => sum + lonOf(corner), 0) / ring.length;
  // Holes are moved to the copy of the world where their polygon is.
  const beside = whole.map((ring) => {
    const turn = 360 * Math.round((middle(outer) - middle(ring)) / 360);
    return ring.map((corner): Corner => [lonOf(corner) + turn, latOf(corner)]);
  });
  return WORLDS.flatMap((world) => {
    const pieces = beside
      .map((ring) => clipped(clipped(ring, world - 180, true), world + 180, false))
      .map((ring) => ring.map((corner): Corner => [lonOf(corner) - world, latOf(corner)]));
    const [first, ...holes] = pieces;
    return first && first.length > 0 ? [[first, ...holes.filter((hole) => hole.length > 0)]] : [];
  });
}

/** A line as the lines it is between -180 and 180. */
export function cutLine(line: Ring): Ring[] {
  const whole = unrolled(line);
  const pieces: Ring[] = [[]];
  whole.forEach((corner, at) => {
    const before = whole[at - 1];
    const edges = before ? [-180, 180].filter((edge) => (lonOf(before) - edge) * (lonOf(corner) - edge) < 0) : [];
    for (const edge of edges) {
      const cut = crossing(before ?? corner, corner, edge);
      pieces.at(-1)?.push(cut);
      pieces.push([cut]);
    }
    pieces.at(-1)?.push(corner);
  });
  return pieces
    .filter((piece) => piece.length > 1)
    .map((piece) => {
      const middle = piece.reduce((sum, corner) => sum + lonOf(corner), 0) / piece.length;
      const home = 360 * Math.round(middle / 360);
      return piece.map((corner): Corner => [lonOf(corner) - home, latOf(corner)]);
    });
}
