// What the page costs with a million points: tiles on the server, frames while the map moves, and memory after long travels.
//
//     npm run measure [-- PLACES]
//
// Points are those of `million.ts`. Tiles are those that a browser asks for while it goes from place to place; they are asked one by
// one, so the times are those of the service and of the loopback. The map is drawn by the processor here, and beside the service: frames
// are slower than where there is a graphics card.

import { Service, closeBrowser, open, openBrowser, settled } from "../tests/browser/harness.ts";
import { Scales, residentBytes } from "../tests/browser/memory.ts";
import { anyCity, loadMillion } from "./million.ts";

const STOPS = 60;
const PLACES = Number(process.argv[2] ?? 120);
const TOLD_EVERY = 20;

function tilesRound(lat: number, lon: number, z: number): [number, number, number][] {
  const n = 2 ** z;
  const sin = Math.sin((lat * Math.PI) / 180);
  const x = Math.floor(((lon + 180) / 360) * n);
  const y = Math.floor((0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * n);
  const around = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [z, (x + dx + n) % n, y + dy] as [number, number, number]));
  return around.filter(([, , row]) => row >= 0 && row < n);
}

/** The bound, of those by which the service counts, under which that share of all tiles was answered. */
async function tookAtMost(share: number): Promise<number> {
  const figures = await (await fetch(`${service.root}metrics`)).text();
  const rows = [...figures.matchAll(/^nigh_http_request_seconds_bucket\{.*tiles\/\{z\}.*le="([^"]+)"\} (\d+)/gm)];
  const all = Number(rows.at(-1)?.[2] ?? 0);
  return 1000 * Number(rows.find(([, , count]) => Number(count) >= share * all)?.[1] ?? NaN);
}

const part = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

const MOVES = [
  ["pan by a screen", "map.panBy([700, 300], { duration: 1500 })"],
  ["zoom in by three", "map.zoomTo(map.getZoom() + 3, { duration: 1500 })"],
  ["zoom out by five", "map.zoomTo(map.getZoom() - 5, { duration: 1500 })"],
] as const;

interface Watched {
  frames: number[];
  still_ms: number;
}

/** A script that moves the map and watches the frames until it stands still and everything is drawn. */
function watched(move: string): () => Watched {
  return `(async () => {
    const [map, frames, begun] = [window.nighMap, [], performance.now()];
    let last = begun, moving = true;
    map.once("moveend", () => (moving = false));
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      if (moving) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    ${move};
    await new Promise((resolve) => map.once("idle", resolve));
    return { frames: frames.slice(1), still_ms: performance.now() - begun };
  })()` as unknown as () => Watched; // a string is run as it is
}

const service = await new Service(["--no-demo"]).start();
await openBrowser();
try {
  const { created, bytes, ms } = await loadMillion(service);
  console.log(`${created} points, ${(bytes / 1e6).toFixed(1)} MB of CSV, in ${(ms / 1000).toFixed(1)} s`);

  const times: number[] = [];
  const sizes: number[] = [];
  for (let stop = 0; stop < STOPS; stop++) {
    const [lat, lon] = anyCity();
    for (let z = 0; z <= 14; z++) {
      for (const tile of tilesRound(lat, lon, z)) {
        const asked = performance.now();
        const bytes = await (await fetch(`${service.root}collections/million/tiles/${tile.join("/")}.mvt?fields=`)).arrayBuffer();
        times.push(performance.now() - asked);
        sizes.push(bytes.byteLength);
      }
    }
  }
  times.sort((a, b) => a - b);
  sizes.sort((a, b) => a - b);
  console.log(`${times.length} tiles: median ${part(times, 0.5).toFixed(1)} ms, p99 ${part(times, 0.99).toFixed(1)} ms, most ${part(times, 1).toFixed(1)} ms`);
  for (const share of [0.5, 0.99]) console.log(`in the service itself ${100 * share} of a hundred took at most ${await tookAtMost(share)} ms`);
  console.log(`bytes: median ${part(sizes, 0.5)}, p99 ${part(sizes, 0.99)}, most ${part(sizes, 1)}`);

  const { page, close } = await open(service.root, "c=million&at=48.857,2.352,6", { viewport: { width: 900, height: 600 } });
  await settled(page);
  for (const [what, move] of MOVES) {
    const { frames, still_ms } = await page.evaluate(watched(move));
    frames.sort((a, b) => a - b);
    console.log(`${what}: ${frames.length} frames, median ${part(frames, 0.5).toFixed(0)} ms, p95 ${part(frames, 0.95).toFixed(0)} ms; all is drawn ${(still_ms / 1000).toFixed(1)} s after the move began`);
  }
  const scales = await Scales.under(page);
  const tell = async (when: string) => {
    const { heap_bytes, buffer_bytes, nodes, listeners } = await scales.weigh();
    const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
    const resident = Object.entries(await residentBytes(page)).map(([type, bytes]) => `${type} ${mb(bytes)}`).join(", ");
    console.log(`${when}: heap ${mb(heap_bytes)} MB, buffers ${mb(buffer_bytes)} MB, ${nodes} nodes, ${listeners} listeners; resident in MB: ${resident}`);
  };
  await tell("at first");
  for (let stop = 1; stop <= PLACES; stop++) {
    const [lat, lon] = anyCity();
    await page.evaluate(([lat, lon, zoom]) => (window as any).nighMap.jumpTo({ center: [lon, lat], zoom }), [lat, lon, 2 + (stop % 10)] as const);
    await settled(page);
    if (stop % TOLD_EVERY === 0) await tell(`after ${stop} places`);
  }
  await close();
} finally {
  await closeBrowser();
  await service.end();
}
