// Builds the page anew and holds what is committed in dist/ against it.
//
//     npm run fresh
//
// Everything must be the same to the byte, but for what is packed: another zlib may pack the same better, so packed files are
// held against what they unpack to.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const web = fileURLToPath(new URL("..", import.meta.url));
const committed = join(web, "dist");
const fresh = mkdtempSync(join(tmpdir(), "nigh-page-"));

function files(folder: string, top = folder): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path, top) : [relative(top, path)];
  }).sort();
}

/** What a file says, whoever packed it. */
function content(folder: string, name: string): Buffer {
  const bytes = readFileSync(join(folder, name));
  if (name.endsWith(".br")) return brotliDecompressSync(bytes);
  if (name.endsWith(".gz")) return gunzipSync(bytes);
  return name.endsWith(".tiles") ? unpackedTiles(bytes) : bytes;
}

function unpackedTiles(archive: Buffer): Buffer {
  const tiles: Buffer[] = [];
  for (let at = 12; at < 12 + 17 * archive.readUInt32LE(8); at += 17) {
    const [offset, length] = [archive.readUInt32LE(at + 9), archive.readUInt32LE(at + 13)];
    tiles.push(archive.subarray(at, at + 9), gunzipSync(archive.subarray(offset, offset + length)));
  }
  return Buffer.concat(tiles);
}

try {
  const run = (...words: string[]) => execFileSync("npx", ["--no-install", ...words], { cwd: web, stdio: ["ignore", "ignore", "inherit"] });
  run("vite", "build", "--outDir", fresh);
  run("tsx", "scripts/make-basemap.ts", join(fresh, "basemap.tiles"));
  const [old, made] = [files(committed), files(fresh)];
  const differ = [...new Set([...old, ...made])].filter(
    (name) => !old.includes(name) || !made.includes(name) || !content(committed, name).equals(content(fresh, name)),
  );
  for (const name of differ) console.error(`dist/${name} is not what a fresh build makes`);
  if (differ.length > 0) console.error("npm run build, and npm run basemap, make it so");
  else console.log(`${made.length} files are as a fresh build makes them`);
  process.exitCode = differ.length > 0 ? 1 : 0;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
