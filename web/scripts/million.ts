// A million points: in Gaussians round the demo's cities, a twentieth of them anywhere, and in every run the same.

import { readFileSync } from "node:fs";
import type { Service } from "../tests/browser/harness.ts";

export const POINTS = 1_000_000;

/** Numbers from 0 to 1, the same in every run (xorshift). */
let state = 0x9e3779b9;
export function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const cities = readFileSync(new URL("../../data/cities.csv", import.meta.url), "utf8").trim().split("\n").slice(1)
  .map((row) => row.split(",").slice(-2).map(Number) as [lat: number, lon: number]);

/** Where one of the cities is. */
export const anyCity = (): [lat: number, lon: number] => cities[Math.floor(random() * cities.length)] ?? [0, 0];

function* rows(): Generator<string> {
  yield "id,lat,lon,name,size\n";
  for (let at = 0; at < POINTS; at++) {
    const [cityLat, cityLon] = anyCity();
    const spread = () => (random() + random() + random() - 1.5) * 0.4;
    const anywhere = random() < 0.05;
    const lat = anywhere ? random() * 170 - 85 : Math.max(-90, Math.min(90, cityLat + spread()));
    const lon = anywhere ? random() * 360 - 180 : Math.max(-180, Math.min(180, cityLon + spread()));
    yield `p${at},${lat.toFixed(5)},${lon.toFixed(5)},point ${at},${Math.floor(random() * 1000)}\n`;
  }
}

/** Loads them into the collection `million`; how many bytes they were, and how long it took. */
export async function loadMillion(service: Service): Promise<{ created: number; bytes: number; ms: number }> {
  const body = [...rows()].join("");
  const begun = performance.now();
  const { created } = await service.json("collections/million/items", { method: "POST", headers: { "content-type": "text/csv" }, body });
  return { created, bytes: body.length, ms: performance.now() - begun };
}
