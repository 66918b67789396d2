// The tools over the map, and a line that says what the one in hand does.

import { byId } from "../dom.ts";
import type { Pencil } from "../map/pencil.ts";
import type { Store, Tool } from "../state.ts";

const TOUCH = matchMedia("(pointer: coarse)").matches ? "Tap" : "Click";

const HINTS: Record<Tool, string> = {
  nearest: `${TOUCH} for the nearest; drag the pin to move it`,
  circle: "Drag to draw; hold it by its middle or its edge",
  box: "Drag from corner to corner",
  polygon: `${TOUCH} the corners, and the first one again to close`,
};

export function toolBar(store: Store, pencil: () => Pencil | null): { corners(count: number): void } {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("#tools [data-tool]")];
  const finish = byId("finish");
  const reflect = (): void => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === store.now.tool));
    byId("tool-hint").textContent = HINTS[store.now.tool];
    byId("map").classList.toggle("drawing", store.now.tool !== "nearest");
    byId("clear").hidden = store.now.shape === null;
  };
  for (const button of buttons) button.addEventListener("click", () => store.set({ tool: button.dataset.tool as Tool }));
  byId("clear").addEventListener("click", () => store.set({ shape: null }));
  finish.addEventListener("click", () => pencil()?.finish());
  store.on(["tool", "shape"], reflect);
  reflect();
  return { corners: (count) => (finish.hidden = count < 3) };
}
