// The page put together: what is linked is restored, the service is asked what there is, and every part is told what changes.

import "./style.css";
import { followCredits } from "./credits.ts";
import { byId, complain } from "./dom.ts";
import type { Standing } from "./follow.ts";
import { seldom } from "./latest.ts";
import { Pencil } from "./map/pencil.ts";
import { handleFeatures, shapeFeatures, shapeFrame } from "./map/shape.ts";
import { MapView } from "./map/view.ts";
import { Answers } from "./panel/answers.ts";
import { choices, commandBox, filterForm } from "./panel/asking.ts";
import { cellsPane } from "./panel/cells.ts";
import { collectionMenu, loadCollections } from "./panel/collections.ts";
import { livePane, type Live } from "./panel/live.ts";
import { placeForm } from "./panel/place.ts";
import { pointsOnMap } from "./panel/points.ts";
import { racePane } from "./panel/race.ts";
import { tabs } from "./panel/tabs.ts";
import { toolBar } from "./panel/tools.ts";
import { uploadPane } from "./panel/upload.ts";
import { walkPane } from "./panel/walk.ts";
import { readLink, writeLink } from "./permalink.ts";
import { Away, ask, isRefused, key, type Settings } from "./service.ts";
import { Store } from "./state.ts";

const AGAIN_MS = 2000;
const LINK_EVERY_MS = 300;

const linked = readLink(location.hash);
const store = new Store(linked);
const settings = await ask<Settings>("page/settings.json").catch(
  (): Settings => ({ version: "", map_style: null, collections_need_key: false }),
);

// What must be there before the map is, so that the page can be used without one
tabs(store);
collectionMenu(store);
placeForm(store, (shape) => {
  store.set({ shape, moving: false });
  view.fit(shape.kind === "nearest" ? around(shape.middle) : shapeFrame(shape));
});
filterForm(store, () => view.middle());
choices(store);
commandBox(store, settings);
racePane(store);

const view = makeView();
await view.ready;

let pencil: Pencil | null = null;
const bar = toolBar(store, () => pencil);
const answers = new Answers(store, view, troubled);
pencil = new Pencil(view, store, (rank) => answers.pick(rank), (corners) => bar.corners(corners));
const showPoints = pointsOnMap(store, view);
const cells = cellsPane(store, view);
const walk = walkPane(store, view);
const live: Live = livePane(store, view, () => void dataChanged(), stands);
uploadPane(store, async (collection) => {
  store.set({ collection, filter: "" });
  await refresh();
  fitCollection();
});

function makeView(): MapView {
  try {
    return new MapView(byId("map"), linked.view, settings);
  } catch (error) {
    complain(byId("trouble"), "This browser draws no maps: it lacks WebGL 2, or has it switched off.");
    throw error;
  }
}

// ---- what follows from what ----

store.on(["shape"], ({ shape }) => {
  view.show("shape", shapeFeatures(shape));
  view.show("handles", handleFeatures(shape));
});
store.on(["collection"], () => {
  complain(byId("trouble"), null);
  open();
});
followCredits(store, (credits) => view.credit(credits));
view.map.on("mousemove", (event) => answers.hover(view.answerAt(event.point)));
byId("collection").addEventListener("change", fitCollection);

const link = seldom(LINK_EVERY_MS, () => {
  const { collection, shape, filter, metric, index, tab, cells, level, walk } = store.now;
  const fragment = writeLink({ collection, view: view.view(), shape, filter, metric, index, tab, cells, level, walk });
  if (`#${fragment}` !== location.hash) history.replaceState(null, "", `#${fragment}`);
});
store.on(["collection", "shape", "filter", "metric", "index", "tab", "cells", "level", "walk"], link);
view.map.on("moveend", link);
window.addEventListener("hashchange", () => {
  const { view: at, ...rest } = readLink(location.hash);
  store.set({ ...rest, collection: rest.collection ?? store.now.collection, tool: rest.shape?.kind ?? store.now.tool });
  if (at) view.goTo(at, at.zoom);
});

document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // the fragment of the address is for links to questions
  view.map.getCanvas().focus();
});
byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set(byId<HTMLInputElement>("key").value.trim());
  void start();
});

function around({ lat, lon }: { lat: number; lon: number }) {
  const width = Math.max(0.5, 180 / 2 ** view.map.getZoom());
  return { west: lon - width, east: lon + width, south: lat - width / 3, north: lat + width / 3 };
}

function fitCollection(): void {
  const [west, south, east, north] = store.about()?.extent?.spatial.bbox[0] ?? [];
  if (west === undefined || south === undefined || east === undefined || north === undefined) return;
  view.fit({ west, south, east: east < west ? east + 360 : east, north });
}

/** Draws the collection at hand and follows it from what is known of it. */
function open(): void {
  showPoints();
  const about = store.about();
  if (about) live.follow(about.id, about.seq);
  else live.stop();
}

async function refresh(): Promise<void> {
  await loadCollections(store);
  const about = store.about();
  if (store.now.collection && !about) troubled(new Error(`There is no collection ${store.now.collection}. Choose another, or add points to it.`));
  open();
}

async function dataChanged(): Promise<void> {
  view.refreshTiles();
  store.set({ data: store.now.data + 1 });
  await loadCollections(store).catch(() => undefined);
}

let broken = false;
function stands(standing: Standing): void {
  if (standing.at === "flowing" && broken) {
    broken = false;
    troubled(null);
    void dataChanged();
  } else if (standing.at === "broken") {
    broken = true;
    troubled(new Away("The service does not answer. Trying again…"));
  } else if (standing.at === "over") {
    if (!standing.dropped) return troubled(new Error(standing.why));
    view.showTiles(null);
    void loadCollections(store).catch(() => undefined);
    troubled(new Error(`The collection ${store.now.collection} is no longer there. Choose another, or add points to it.`));
  }
}

/** Says what went wrong with everything, or that it does not any more. */
function troubled(error: unknown): void {
  const locked = isRefused(error, "unauthorized", "forbidden");
  if (locked || (error === null && !settings.collections_need_key)) byId("key-form").hidden = !locked;
  complain(byId("trouble"), error === null ? null : error instanceof Error ? error.message : String(error));
}

async function start(): Promise<void> {
  try {
    await refresh();
    if (store.about()) troubled(null);
    byId("key-form").hidden = key.get() !== null || !settings.collections_need_key;
    if (!linked.view && !linked.shape) fitCollection();
    answers.refresh();
    cells.refresh();
    walk.refresh();
    link();
  } catch (error) {
    troubled(error);
    if (settings.collections_need_key) byId("key-form").hidden = false;
    if (error instanceof Away) setTimeout(() => void start(), AGAIN_MS);
  }
}

if (linked.shape) {
  view.show("shape", shapeFeatures(linked.shape));
  view.show("handles", handleFeatures(linked.shape));
  if (!linked.view) view.fit(linked.shape.kind === "nearest" ? around(linked.shape.middle) : shapeFrame(linked.shape));
}
document.documentElement.dataset.ready = "true";
void start();

// For those who test the page: when nothing moves any more on the map, and what it shows.
Object.assign(window, { nighMap: view.map });
