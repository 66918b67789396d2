// What is known of an item, as text. It may be anything: markup, no names at all, 64 KiB of one letter.

import { byId, count, element, shortened } from "../dom.ts";
import { sayMetres } from "../earth.ts";
import type { Answer } from "../service.ts";

const NAMES = ["name", "title", "label", "place"];
const LONGEST = 600;
const MOST = 100;

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function nameKey({ properties }: Answer): string | undefined {
  return NAMES.find((name) => typeof properties[name] === "string" && (properties[name] as string).trim() !== "");
}

/** What people would call it. */
export function nameOf(answer: Answer): string {
  const name = nameKey(answer);
  return shortened(name === undefined ? answer.id : textOf(answer.properties[name]), 120);
}

/** What stands beside it on the map: its name, where it has one that the map can draw. Letters from right to left it cannot join. */
export function signOf(answer: Answer): { name?: string } {
  const name = nameOf(answer);
  const isDrawn = nameKey(answer) !== undefined && !/[\p{Cc}\p{Cf}\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/u.test(name);
  return isDrawn ? { name: shortened(name, 40) } : {};
}

/** The first few of its other properties, on one line. */
export function restOf(answer: Answer): string {
  const called = nameKey(answer);
  const rest = Object.entries(answer.properties).filter(([name, value]) => name !== called && value !== null).slice(0, 3);
  return rest.map(([name, value]) => `${shortened(name, 30)} ${typeof value === "number" ? count(value) : shortened(textOf(value), 40)}`).join(" · ");
}

export function details(answer: Answer, near: () => void): HTMLElement {
  const [lon, lat] = answer.geometry.coordinates;
  const rows: [string, string][] = [["id", answer.id], ["lat, lon", `${lat}, ${lon}`]];
  if (answer.distance_m !== undefined) rows.push(["distance", `${sayMetres(answer.distance_m)} (${answer.distance_m} m)`]);
  const properties = Object.entries(answer.properties);
  rows.push(...properties.slice(0, MOST).map(([name, value]): [string, string] => [shortened(name, LONGEST), textOf(value)]));
  if (properties.length > MOST) rows.push(["…", `and ${count(properties.length - MOST)} more`]);
  const list = element("dl", {}, ...rows.flatMap(([name, text]) => [element("dt", {}, name), valueOf(text)]));
  const copy = () => {
    void navigator.clipboard?.writeText(answer.id).then(() => (byId("said").textContent = "The id is copied."));
  };
  return element(
    "div", { class: "details" },
    element("div", { class: "known", tabindex: 0, role: "region", "aria-label": `Properties of ${nameOf(answer)}` }, list),
    element("div", { class: "row" },
      element("button", { type: "button", class: "quiet", onclick: near }, "Nearest to this"),
      element("button", { type: "button", class: "quiet", onclick: copy }, "Copy the id"),
    ),
  );
}

function valueOf(text: string): HTMLElement {
  if (text.length <= LONGEST) return element("dd", {}, text);
  const all = element("dd", {}, shortened(text, LONGEST), " ");
  const show = element("button", { type: "button", class: "quiet", onclick: () => (all.textContent = text) }, `All ${count(text.length)} letters`);
  all.append(show);
  return all;
}
