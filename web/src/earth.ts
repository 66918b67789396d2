// Shapes on the sphere, for drawing only: what lies inside is the service's to say.
//
// Longitudes here may run past 180. The map shows several copies of the world side by side, and a shape stays in one piece in
// the copy where its user drew it; `wrapLon` brings a longitude home when it is sent away.

export type Position = [lon: number, lat: number];
export interface Place {
  lat: number;
  lon: number;
}

export const EARTH_RADIUS_M = 6_371_008.8;
/** Half the way round: no two places are further apart. */
export const FARTHEST_M = Math.PI * EARTH_RADIUS_M;

const RAD = Math.PI / 180;

/** The same meridian, from -180 up to but not including 180; 180 itself stays what it is. */
export function wrapLon(lon: number): number {
  if (lon >= -180 && lon <= 180) return lon;
  return ((((lon + 180) % 360) + 360) % 360) - 180;
}

/** The same meridian in the copy of the world where `beside` is: never more than half a turn away from it. */
export function unwrapLon(lon: number, beside: number): number {
  return lon + 360 * Math.round((beside - lon) / 360);
}

export function distanceM(a: Place, b: Place): number {
  const half = (degrees: number) => Math.sin((degrees * RAD) / 2) ** 2;
  const chord = half(b.lat - a.lat) + Math.cos(a.lat * RAD) * Math.cos(b.lat * RAD) * half(b.lon - a.lon);
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** Where one arrives `distance_m` from a place, setting out at an angle clockwise from north. */
export function destination(from: Place, bearing_deg: number, distance_m: number): Place {
  const angle = distance_m / EARTH_RADIUS_M;
  const bearing = bearing_deg * RAD;
  const [sin, cos] = [Math.sin(from.lat * RAD), Math.cos(from.lat * RAD)];
  const sinLat = sin * Math.cos(angle) + cos * Math.sin(angle) * Math.cos(bearing);
  const lon = Math.atan2(Math.sin(bearing) * Math.sin(angle) * cos, Math.cos(angle) - sin * sinLat);
  return { lat: Math.asin(Math.max(-1, Math.min(1, sinLat))) / RAD, lon: from.lon + lon / RAD };
}

const CORNERS = 180;

/**
 * What a circle covers, as the rings of a polygon round the longitude of its middle.
 *
 * A circle that holds a pole is no closed ring on a map of longitudes and latitudes: it is what lies beyond a line from edge to edge,
 * and gets closed along the pole. One that holds both is the world with a hole round the antipode.
 */
export function circleRings(middle: Place, radius_m: number): Position[][] {
  const { lat, lon } = middle;
  if (radius_m >= FARTHEST_M) return [world(lon)];
  const reach_deg = radius_m / EARTH_RADIUS_M / RAD;
  const north = lat + reach_deg > 90;
  const south = lat - reach_deg < -90;
  if (north && south) {
    const antipode = { lat: -lat, lon: lon + 180 };
    return [world(antipode.lon), ring(antipode, FARTHEST_M - radius_m)];
  }
  if (!north && !south) return [ring(middle, radius_m)];
  const pole = north ? 90 : -90;
  // Once round the pole, from half a turn west of the middle to half a turn east of it.
  const line = ring(middle, radius_m).slice(1);
  const byLon = line.map(([x, y]): Position => [unwrapLon(x, lon), y]).sort((a, b) => a[0] - b[0]);
  const edge = byLon[0]?.[1] ?? pole;
  const inside = byLon.filter(([x]) => x > lon - 180 && x < lon + 180);
  return [[[lon - 180, edge], ...inside, [lon + 180, edge], [lon + 180, pole], [lon - 180, pole], [lon - 180, edge]]];
}

function ring(middle: Place, radius_m: number): Position[] {
  const corners: Position[] = [];
  let beside = middle.lon;
  for (let corner = 0; corner <= CORNERS; corner++) {
    const at = destination(middle, (corner * 360) / CORNERS, radius_m);
    beside = unwrapLon(at.lon, beside);
    corners.push([beside, at.lat]);
  }
  return corners;
}

function world(lon: number): Position[] {
  const [west, east] = [lon - 180, lon + 180];
  return [[west, -90], [east, -90], [east, 90], [west, 90], [west, -90]];
}

/** Metres as people say them, with as many digits as help. */
export function sayMetres(metres: number): string {
  if (metres < 1000) return `${metres < 10 ? metres.toFixed(1) : Math.round(metres)} m`;
  const km = metres / 1000;
  return `${km < 10 ? km.toFixed(2) : km < 100 ? km.toFixed(1) : Math.round(km).toLocaleString("en")} km`;
}
