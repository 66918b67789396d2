// Makes dist/basemap.tiles: land and borders of Natural Earth as vector tiles, from npm world-atlas of fixed version.
//
//     npm run basemap
//
// Bytes: `NIGHTILE`, u32 count, then for each tile u8 z, u32 x, u32 y, u32 offset, u32 length (17 bytes, little-endian,
// ordered by z, x, y, offsets from the start of the file), then the tiles, each a Mapbox Vector Tile packed with gzip.
//
// What surprises: the rings of world-atlas are stitched across the antimeridian. Russia, Fiji and Antarctica jump from 180 to -180
// between two corners, and Antarctica runs round the pole; drawn as they are they smear over the map. They are cut first.

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import GeoJSONVT from "geojson-vt";
import { feature, mesh } from "topojson-client";
import { cutPolygon, cutLine } from "./cut.ts";

const require = createRequire(import.meta.url);
const vtpbf = require("vt-pbf") as { fromGeojsonVt(layers: Record<string, unknown>, options: object): Uint8Array };
const DEEPEST = 5;

type Rings = number[][][];
const atlas = (name: string) => JSON.parse(readFileSync(require.resolve(`world-atlas/${name}.json`), "utf8"));

function land(): object {
  const topology = atlas("land-50m");
  const shapes = feature(topology, topology.objects.land) as any;
  const polygons: Rings[] = (shapes.features ?? [shapes]).flatMap(({ geometry }: any) =>
    geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates,
  );
  return collection(polygons.flatMap(cutPolygon).map((coordinates) => ({ type: "Polygon", coordinates })));
}

function borders(): object {
  const topology = atlas("countries-50m");
  // Only lines between two countries: coasts are the edge of the land.
  const lines = mesh(topology, topology.objects.countries, (one: unknown, other: unknown) => one !== other) as any;
  return collection([{ type: "MultiLineString", coordinates: lines.coordinates.flatMap(cutLine) }]);
}

function collection(geometries: object[]): object {
  const features = geometries.map((geometry) => ({ type: "Feature", properties: {}, geometry }));
  return { type: "FeatureCollection", features };
}

const options = { maxZoom: DEEPEST, indexMaxZoom: DEEPEST, indexMaxPoints: 0, tolerance: 4, extent: 4096, buffer: 64 };
const layers = { land: new GeoJSONVT(land() as any, options), borders: new GeoJSONVT(borders() as any, options) };

const tiles: { z: number; x: number; y: number; packed: Buffer }[] = [];
for (let z = 0; z <= DEEPEST; z++) {
  for (let x = 0; x < 2 ** z; x++) {
    for (let y = 0; y < 2 ** z; y++) {
      const found = Object.entries(layers).flatMap(([name, index]) => {
        const tile = index.getTile(z, x, y);
        return tile && tile.features.length > 0 ? [[name, tile] as const] : [];
      });
      if (found.length === 0) continue;
      const packed = gzipSync(vtpbf.fromGeojsonVt(Object.fromEntries(found), { version: 2 }), { level: 9 });
      packed[9] = 255; // which system packed it is nobody's business: the same bytes everywhere
      tiles.push({ z, x, y, packed });
    }
  }
}

const head = Buffer.alloc(12 + 17 * tiles.length);
head.write("NIGHTILE", 0, "latin1");
head.writeUInt32LE(tiles.length, 8);
let offset = head.length;
tiles.forEach(({ z, x, y, packed }, at) => {
  const entry = 12 + 17 * at;
  head.writeUInt8(z, entry);
  [x, y, offset, packed.length].forEach((value, place) => head.writeUInt32LE(value, entry + 1 + 4 * place));
  offset += packed.length;
});
const file = process.argv[2] ?? new URL("../dist/basemap.tiles", import.meta.url);
writeFileSync(file, Buffer.concat([head, ...tiles.map(({ packed }) => packed)]));
console.log(`basemap.tiles: ${tiles.length} tiles, ${offset} bytes`);
