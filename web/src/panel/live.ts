// What happens in the collection while it happens, and a fence that tells who enters and leaves.
//
// The feed is followed whether or not it is shown: it is what tells the page that its points have moved.

import { byId, count, element, plural, shortened } from "../dom.ts";
import { unwrapLon } from "../earth.ts";
import { Follower, type Area, type Change, type Standing } from "../follow.ts";
import { seldom } from "../latest.ts";
import { point, shapeLon } from "../map/shape.ts";
import type { MapView } from "../map/view.ts";
import { searchBody } from "../question.ts";
import type { Store } from "../state.ts";

const KEPT = 100;
const DRAWN = 200;
const DRAW_EVERY_MS = 250;
const REFRESH_EVERY_MS = 1200;

const SAID: Record<string, string> = { put: "put", remove: "removed", expire: "expired", load: "loaded", enter: "enter", exit: "exit", inside: "inside" };

export interface Live {
  /** Follows the collection at hand, from a change on. */
  follow(collection: string, since: number): void;
  stop(): void;
}

export function livePane(store: Store, view: MapView, changed: () => void, stands: (standing: Standing) => void): Live {
  const switched = byId<HTMLInputElement>("live");
  const says = byId("live-says");
  const fenceSays = byId("fence-says");
  const list = byId("events");
  let feed: Follower | null = null;
  let fence: Follower | null = null;
  let recent: Change[] = [];
  let told = 0;
  let seen = 0;
  let inside = 0;
  let entered = 0;
  let left = 0;
  let since = 0;

  const refresh = seldom(REFRESH_EVERY_MS, changed);
  const draw = seldom(DRAW_EVERY_MS, () => {
    list.replaceChildren(...recent.slice(0, KEPT).map(row));
    const middle = store.now.shape ? shapeLon(store.now.shape) : view.map.getCenter().lng;
    const dots = new Map<string, GeoJSON.Feature>();
    for (const { id, lat, lon, event } of recent) {
      if (id === undefined || lat === undefined || lon === undefined || dots.has(id)) continue;
      dots.set(id, point([unwrapLon(lon, middle), lat], { event }));
    }
    view.show("events", [...dots.values()].slice(0, DRAWN));
    if (switched.checked) says.textContent = `${plural(seen, "change")} since you began to follow.`;
    if (fence) fenceSays.textContent = `${count(inside)} inside · ${count(entered)} entered · ${count(left)} left`;
  });
  const note = (change: Change): void => {
    recent = [change, ...recent].slice(0, DRAWN);
    draw();
  };
  const onChange = (change: Change): void => {
    if (change.event === "idle" || change.event === "reset" || change.event === "current") return;
    refresh();
    if (!switched.checked) return;
    seen += change.items ?? 1;
    if (!fence) note(change);
    else draw();
  };
  const onFence = (change: Change): void => {
    const { event } = change;
    if (event === "reset") inside = entered = left = 0;
    else if (event === "inside" && change.seq === null) inside += 1;
    else if (event === "enter") {
      inside += 1;
      entered += 1;
      note(change);
    } else if (event === "exit") {
      inside -= 1;
      left += 1;
      note(change);
    } else if (event === "inside") note(change);
    draw();
    if ((event === "enter" || event === "exit") && Date.now() - told > 1500) {
      told = Date.now(); // a reader of screens is not to be talked over
      byId("said").textContent = `${shortened(change.id ?? "", 60)} ${event === "enter" ? "entered" : "left"} the fence`;
    }
  };

  const takeDown = (message = ""): void => {
    fence?.end();
    fence = null;
    byId("fence-off").hidden = true;
    fenceSays.textContent = message;
  };
  byId("fence").addEventListener("click", () => {
    const question = store.question();
    if (!question || question.shape.kind === "nearest") {
      fenceSays.textContent = "Draw a circle, a box or a polygon first.";
      return;
    }
    takeDown();
    if (!switched.checked) switched.click();
    const { near, radius, bbox, within, metric } = searchBody(question);
    const area: Area = Object.fromEntries(Object.entries({ near, radius, bbox, within, metric }).filter(([, value]) => value !== undefined));
    fence = new Follower(question.collection, null, area, onFence, (standing) => {
      if (standing.at === "over") takeDown(standing.why);
    });
    byId("fence-off").hidden = false;
    fenceSays.textContent = "The fence is going up…";
  });
  byId("fence-off").addEventListener("click", () => takeDown("The fence is down."));
  switched.addEventListener("change", () => {
    seen = 0;
    if (switched.checked) says.textContent = "Waiting for changes…";
    else {
      takeDown();
      recent = [];
      list.replaceChildren();
      view.show("events", []);
      says.textContent = "";
    }
  });

  return {
    follow(collection, from) {
      feed?.end();
      since = from;
      feed = new Follower(collection, since, null, onChange, stands);
      takeDown();
      recent = [];
      list.replaceChildren();
      view.show("events", []);
    },
    stop() {
      feed?.end();
      feed = null;
      takeDown();
    },
  };
}

function row(change: Change): HTMLElement {
  const who = change.event === "load" ? plural(change.items ?? 0, "item") : (change.id ?? "");
  return element(
    "li", {},
    element("span", { class: `what ${change.event === "enter" ? "enter" : change.event === "exit" ? "exit" : ""}` }, SAID[change.event] ?? change.event),
    element("span", { class: "who", title: shortened(who, 256) }, shortened(who, 80)),
    element("span", { class: "seq" }, change.seq === null ? "" : count(change.seq)),
  );
}
