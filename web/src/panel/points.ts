// The points of the collection at hand: tiles of the service, drawn by the map.
//
// A filter goes into the address of every tile, and a tile that is refused shows nothing. So a filter is tried before it gets there:
// while the service cannot read it, that is said in its place, and the map keeps all the points.

import { byId, complain } from "../dom.ts";
import { Latest } from "../latest.ts";
import type { MapView } from "../map/view.ts";
import { encode } from "../question.ts";
import { ask, isRefused, url } from "../service.ts";
import type { Store } from "../state.ts";

interface Wanted {
  collection: string;
  filter: string;
}

/** Draws what the collection and the filter say from now on; what comes back does so at once. */
export function pointsOnMap(store: Store, view: MapView): () => void {
  const trial = new Latest<Wanted, void>(
    async ({ collection, filter }, signal) => void (await ask(`collections/${collection}/near?lat=0&lon=0&radius=0&filter=${encode(filter)}`, { signal })),
    (_, wanted) => show(wanted, null),
    (error, wanted) => (isRefused(error, "bad-filter") ? show({ ...wanted, filter: "" }, error.message) : show(wanted, null)),
  );
  const show = ({ collection, filter }: Wanted, trouble: string | null): void => {
    const only = filter ? `&filter=${encode(filter)}` : "";
    view.showTiles(`${url(`collections/${collection}/tiles/`)}{z}/{x}/{y}.mvt?fields=${only}`);
    complain(byId("filter-trouble"), trouble);
  };
  const refresh = (): void => {
    const { collection, filter } = store.now;
    if (collection && filter && store.about()) return trial.submit({ collection, filter });
    trial.drop();
    if (collection && store.about()) show({ collection, filter }, null);
    else view.showTiles(null);
  };
  store.on(["collection", "filter"], refresh);
  return refresh;
}
