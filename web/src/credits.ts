// Whom the points in view are to be credited to.
//
// What surprises: nothing marks the demo data, which may be dropped, renamed and loaded again. They are known by an item of theirs that is
// where it was, under its own id: whoever has that has the data, whatever the collection is called.

import { ask, type Page } from "./service.ts";
import type { Store } from "./state.ts";

interface Source {
  credit: string;
  /** An item that nobody else's data have. */
  id: string;
  lat: number;
  lon: number;
}

const SOURCES: Source[] = [
  { credit: 'Cities: <a href="https://www.geonames.org/">GeoNames</a> (<a href="https://creativecommons.org/licenses/by/4.0/">CC BY</a>)', id: "2988507", lat: 48.85341, lon: 2.3488 },
  { credit: 'Earthquakes: <a href="https://earthquake.usgs.gov/">USGS</a>', id: "ak18247005", lat: 59.8411, lon: -136.5559 },
];

async function holds(collection: string, { id, lat, lon }: Source): Promise<boolean> {
  const { features } = await ask<Page>(`collections/${collection}/items?bbox=${lon},${lat},${lon},${lat}&fields=`);
  return features.some((item) => item.id === id);
}

/** Tells the credits of the collection at hand, whenever they may be others. */
export function followCredits(store: Store, tell: (credits: string[]) => void): void {
  let looked = "";
  let told = "";
  const look = async (): Promise<void> => {
    const about = store.about();
    const wanted = about ? `${about.id} ${about.count}` : "";
    if (wanted === looked) return;
    looked = wanted;
    try {
      const held = await Promise.all(SOURCES.map((source) => about !== undefined && about.count > 0 && holds(about.id, source)));
      if (wanted !== looked) return; // another collection came in between
      const credits = SOURCES.filter((_, at) => held[at]).map(({ credit }) => credit);
      if (credits.join() !== told) tell(credits);
      told = credits.join();
    } catch {
      looked = ""; // the next change asks again
    }
  };
  store.on(["collection", "collections"], () => void look());
}
