// Clicks, drags and keys on the map, as shapes.
//
// A drag that begins on a handle moves what it holds; with the tools for circles and boxes it draws one; else it is the map's own and
// pans. With Shift it draws a circle whatever the tool. Longitudes stay in the copy of the world where the hand is.

import type { MapMouseEvent, MapTouchEvent } from "maplibre-gl";
import { FARTHEST_M, distanceM, type Place, type Position } from "../earth.ts";
import type { Shape } from "../question.ts";
import type { Store, Tool } from "../state.ts";
import { line, point, shapeFeatures } from "./shape.ts";
import type { MapView } from "./view.ts";

const CLICK_PX = 4;
const CLOSE_PX = 14;

type Drag = (to: Place) => Shape;

export class Pencil {
  #corners: Position[] = [];
  #drag: { to: Drag; from: { x: number; y: number }; moved: boolean; click: (() => void) | null } | null = null;
  #swallow = false;

  constructor(
    private readonly view: MapView,
    private readonly store: Store,
    private readonly picked: (rank: number) => void,
    private readonly cornersChanged: (corners: number) => void,
  ) {
    const { map } = view;
    map.on("mousedown", (event) => event.originalEvent.button === 0 && this.#press(event, event.originalEvent.shiftKey));
    map.on("touchstart", (event) => (event.points.length === 1 ? this.#press(event, false) : this.#letGo(false)));
    map.on("click", (event) => this.#click(event));
    map.on("dblclick", (event) => {
      if (this.store.now.tool !== "polygon") return;
      event.preventDefault();
      this.finish();
    });
    map.on("mousemove", (event) => this.#hover(event));
    map.getCanvas().addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("pointermove", (event) => event.isPrimary && this.#move(event));
    window.addEventListener("pointerup", (event) => event.isPrimary && this.#letGo(true));
    window.addEventListener("pointercancel", () => this.#letGo(false));
    store.on(["tool"], () => this.abandon());
  }

  #press(event: MapMouseEvent | MapTouchEvent, shift: boolean): void {
    const { tool, shape } = this.store.now;
    const at = placeOf(event.lngLat);
    const handle = this.view.handleAt(event.point);
    let to: Drag | null = null;
    let click: (() => void) | null = null;
    if (handle && shape && "middle" in shape) {
      to = handle === "middle" ? (middle) => ({ ...shape, middle }) : (edge) => circle(shape.middle, edge);
    } else if (tool === "circle" || (shift && tool !== "polygon")) {
      to = (edge) => circle(at, edge);
      click = () => this.#draw({ kind: "circle", middle: at, radius_m: this.#usualRadius() });
    } else if (tool === "box") {
      to = (corner) => box(at, corner);
    }
    this.#swallow = to !== null; // the click that ends this is no click of its own
    if (!to) return;
    event.preventDefault();
    this.#drag = { to, from: event.point, moved: false, click };
  }

  #move(event: PointerEvent): void {
    const drag = this.#drag;
    if (!drag) return;
    const frame = this.view.map.getCanvas().getBoundingClientRect();
    const here = { x: event.clientX - frame.left, y: event.clientY - frame.top };
    drag.moved ||= Math.hypot(here.x - drag.from.x, here.y - drag.from.y) > CLICK_PX;
    if (!drag.moved) return;
    const shape = drag.to(placeOf(this.view.map.unproject([here.x, here.y])));
    this.store.set({ shape, moving: true, tool: shape.kind });
  }

  #letGo(finished: boolean): void {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (drag.moved) this.store.set({ moving: false });
    else if (finished) drag.click?.();
  }

  #click(event: MapMouseEvent): void {
    const swallow = this.#swallow;
    this.#swallow = false;
    const { tool } = this.store.now;
    if (tool === "polygon") return this.#corner(placeOf(event.lngLat), event.point);
    if (swallow) return;
    const rank = this.view.answerAt(event.point);
    if (rank !== null) return this.picked(rank);
    if (tool === "nearest") this.askAt(placeOf(event.lngLat));
  }

  /** The nearest to a place. */
  askAt(middle: Place): void {
    const { shape } = this.store.now;
    this.#draw({ kind: "nearest", middle, k: shape?.kind === "nearest" ? shape.k : 10 });
  }

  #draw(shape: Shape): void {
    this.store.set({ shape, moving: false, tool: shape.kind });
  }

  #usualRadius(): number {
    const { shape } = this.store.now;
    if (shape?.kind === "circle") return shape.radius_m;
    const { map } = this.view;
    const middle = map.getCenter();
    const { width } = map.getCanvas().getBoundingClientRect();
    const beside = map.unproject([width / 2 + Math.min(80, width / 4), map.project(middle).y]);
    return Math.min(FARTHEST_M, distanceM(placeOf(middle), placeOf(beside)));
  }

  // ---- polygons, corner by corner ----

  #corner(at: Place, on: { x: number; y: number }): void {
    const first = this.#corners[0];
    if (first && this.#corners.length >= 3) {
      const there = this.view.map.project(first);
      if (Math.hypot(there.x - on.x, there.y - on.y) < CLOSE_PX) return this.finish();
    }
    const last = this.#corners.at(-1);
    if (last && this.view.map.project(last).dist(this.view.map.project([at.lon, at.lat])) < 3) return;
    this.#corners.push([at.lon, at.lat]);
    this.#sketch();
  }

  #hover(event: MapMouseEvent): void {
    if (this.#corners.length > 0 && this.store.now.tool === "polygon") this.#sketch([event.lngLat.lng, event.lngLat.lat]);
  }

  #sketch(to?: Position): void {
    const corners = to ? [...this.#corners, to] : this.#corners;
    const dots = this.#corners.map((corner, at) => point(corner, { role: at === 0 ? "middle" : "edge" }));
    this.view.show("shape", corners.length > 1 ? [line(corners)] : []);
    this.view.show("handles", dots);
    this.cornersChanged(this.#corners.length);
  }

  finish(): void {
    const corners = this.#corners;
    if (corners.length < 3) return;
    this.#corners = [];
    this.cornersChanged(0);
    this.#draw({ kind: "polygon", corners });
  }

  /** Takes away what is half drawn. */
  abandon(): void {
    if (this.#corners.length === 0) return;
    this.#corners = [];
    this.cornersChanged(0);
    this.view.show("shape", shapeFeatures(this.store.now.shape));
    this.view.show("handles", []);
  }

  // ---- keys, while the map has the focus ----

  #key(event: KeyboardEvent): void {
    const half = this.#corners.length > 0;
    if (event.key === "Escape") half ? this.abandon() : this.store.set({ shape: null });
    else if (event.key === "Backspace" && half) {
      this.#corners.pop();
      this.#sketch();
    } else if (event.key === "Enter") this.#enter(event.shiftKey);
    else return;
    event.preventDefault();
  }

  /** What a click at the middle of the map would do. */
  #enter(shift: boolean): void {
    const { map } = this.view;
    const tool: Tool = this.store.now.tool;
    const middle = placeOf(map.getCenter());
    if (tool === "nearest") this.askAt(middle);
    else if (tool === "circle") this.#draw({ kind: "circle", middle, radius_m: this.#usualRadius() });
    else if (tool === "polygon") shift ? this.finish() : this.#corner(middle, map.project(map.getCenter()));
    else {
      const { width, height } = map.getCanvas().getBoundingClientRect();
      const corner = (part: number) => placeOf(map.unproject([width * part, height * part]));
      this.#draw(box(corner(0.25), corner(0.75)));
    }
  }
}

function placeOf({ lng, lat }: { lng: number; lat: number }): Place {
  return { lat, lon: lng };
}

function circle(middle: Place, edge: Place): Shape {
  return { kind: "circle", middle, radius_m: distanceM(middle, edge) };
}

function box(one: Place, other: Place): Shape {
  return {
    kind: "box",
    west: Math.min(one.lon, other.lon), east: Math.max(one.lon, other.lon),
    south: Math.min(one.lat, other.lat), north: Math.max(one.lat, other.lat),
  };
}

