// The menu of collections with their counts.

import { byId, count, element } from "../dom.ts";
import { ask, type Collection } from "../service.ts";
import type { Store } from "../state.ts";

/** Asks which collections there are; without one at hand, the first with anything in it. */
export async function loadCollections(store: Store): Promise<void> {
  const { collections } = await ask<{ collections: Collection[] }>("collections");
  const { collection } = store.now;
  const first = collections.find(({ id, count: items }) => id === "default" && items > 0) ?? collections.find(({ count: items }) => items > 0);
  store.set({ collections, collection: collection ?? (first ?? collections[0])?.id ?? null });
}

export function collectionMenu(store: Store): void {
  const menu = byId<HTMLSelectElement>("collection");
  const reflect = (): void => {
    const { collections, collection } = store.now;
    const options = collections.map(({ id, count: items }) => element("option", { value: id }, `${id} · ${count(items)}`));
    // What a link names may not be there, and what is open may have been dropped: it stays visible that it is meant.
    if (collection && !collections.some(({ id }) => id === collection)) options.unshift(element("option", { value: collection }, `${collection} · not there`));
    if (options.length === 0) options.push(element("option", { value: "" }, "no collections yet"));
    menu.replaceChildren(...options);
    menu.value = collection ?? "";
  };
  menu.addEventListener("change", () => store.set({ collection: menu.value || null, filter: "", shape: store.now.shape }));
  store.on(["collections", "collection"], reflect);
  reflect();
}
