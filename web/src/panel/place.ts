// The shape in numbers: what a hand draws on the map, fingers can type.

import { byId, complain, element } from "../dom.ts";
import { wrapLon, type Position } from "../earth.ts";
import { rounded, type Shape } from "../question.ts";
import type { Store, Tool } from "../state.ts";

type Read = (name: string) => string;
type Field = { name: string; label: string; value: (shape: Shape | null) => string; wide?: boolean };

const number = (value: number | undefined): string => (value === undefined ? "" : String(rounded(value, 5)));
const lat: Field = { name: "lat", label: "Latitude", value: (shape) => (shape && "middle" in shape ? number(shape.middle.lat) : "") };
const lon: Field = { name: "lon", label: "Longitude", value: (shape) => (shape && "middle" in shape ? number(wrapLon(shape.middle.lon)) : "") };
const edge = (name: "west" | "south" | "east" | "north", label: string): Field => ({
  name, label, value: (shape) => (shape?.kind === "box" ? number(shape[name]) : ""),
});

const FIELDS: Record<Tool, Field[]> = {
  nearest: [lat, lon, { name: "k", label: "How many", value: (shape) => String(shape?.kind === "nearest" ? shape.k : 10) }],
  circle: [lat, lon, { name: "radius", label: "Radius", value: (shape) => (shape?.kind === "circle" ? sayRadius(shape.radius_m) : "50 km") }],
  box: [edge("west", "West"), edge("south", "South"), edge("east", "East"), edge("north", "North")],
  polygon: [{
    name: "corners", label: "Corners: lat lon, lat lon, …", wide: true,
    value: (shape) => (shape?.kind === "polygon" ? shape.corners.map(([x, y]) => `${number(y)} ${number(x)}`).join(", ") : ""),
  }],
};

function sayRadius(radius_m: number): string {
  return radius_m >= 1000 ? `${rounded(radius_m / 1000, 3)} km` : `${rounded(radius_m, 1)} m`;
}

const UNITS: Record<string, number> = { "": 1, m: 1, km: 1000, mi: 1609.344, ft: 0.3048, nmi: 1852 };

export function readLength(text: string): number | null {
  const found = /^\s*([0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?)\s*(m|km|mi|ft|nmi)?\s*$/i.exec(text);
  const unit = UNITS[(found?.[2] ?? "").toLowerCase()];
  return found && unit ? Number(found[1]) * unit : null;
}

/** The shape that was typed, or what is wrong with it. */
export function readShape(tool: Tool, read: Read): Shape | string {
  const degrees = (name: string, most: number): number | null => {
    const text = read(name).trim().replace(",", ".");
    const value = text === "" ? NaN : Number(text);
    return Number.isFinite(value) && Math.abs(value) <= most ? value : null;
  };
  if (tool === "polygon") return readCorners(read("corners"));
  if (tool === "box") {
    const [west, south, east, north] = [degrees("west", 360), degrees("south", 90), degrees("east", 540), degrees("north", 90)];
    if (west === null || east === null) return "West and east are degrees of longitude, such as 5.5";
    if (south === null || north === null || south > north) return "South and north are degrees from -90 to 90, the south first";
    return { kind: "box", west, south, north, east: east < west ? east + 360 : east };
  }
  const [y, x] = [degrees("lat", 90), degrees("lon", 180)];
  if (y === null) return "The latitude is a number from -90 to 90, such as 48.857";
  if (x === null) return "The longitude is a number from -180 to 180, such as 2.352";
  const middle = { lat: y, lon: x };
  if (tool === "circle") {
    const radius_m = readLength(read("radius"));
    return radius_m === null ? "The radius is a length such as 500 m, 2 km or 3 mi" : { kind: "circle", middle, radius_m };
  }
  const k = Number(read("k"));
  return Number.isInteger(k) && k >= 1 && k <= 1000 ? { kind: "nearest", middle, k } : "How many is a whole number from 1 to 1000";
}

function readCorners(text: string): Shape | string {
  const corners = text.split(/[,;\n]/).filter((part) => part.trim()).map((part) => part.trim().split(/\s+/).map(Number));
  const good = corners.every(([y, x, ...more]) => more.length === 0 && Math.abs(y ?? NaN) <= 90 && Math.abs(x ?? NaN) <= 540);
  if (!good || corners.length < 3) return "A polygon has three corners or more, each a latitude and a longitude: 48 2, 49 3, 48 3";
  return { kind: "polygon", corners: corners.map(([y = 0, x = 0]): Position => [x, y]) };
}

export function placeForm(store: Store, asked: (shape: Shape) => void): void {
  const form = byId<HTMLFormElement>("place");
  const trouble = byId("place-trouble");
  let shown: Tool | null = null;
  const input = (name: string) => form.querySelector<HTMLInputElement>(`[name="${name}"]`);

  const fill = (): void => {
    const { tool, shape } = store.now;
    if (tool !== shown) {
      form.dataset.tool = tool;
      form.replaceChildren(
        ...FIELDS[tool].map(({ name, label, wide }) =>
          element("label", wide ? { class: "wide" } : {}, label, element("input", { type: "text", name })),
        ),
        element("button", { type: "submit" }, "Ask"),
      );
      shown = tool;
      complain(trouble, null);
    }
    for (const { name, value } of FIELDS[tool]) {
      const field = input(name);
      if (field && field !== document.activeElement) field.value = value(shape?.kind === tool ? shape : shape && "middle" in shape ? shape : null);
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const read = readShape(store.now.tool, (name) => input(name)?.value ?? "");
    complain(trouble, typeof read === "string" ? read : null);
    if (typeof read !== "string") asked(read);
  });
  store.on(["tool", "shape"], fill);
  fill();
}
