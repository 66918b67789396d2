// The tools over the map, and a line that says what the one in hand does.

import { byId } from "../dom.ts";
import type { Pencil } from "../map/pencil.ts";
import type { Store, Tool } from "../state.ts";

const HINTS: Record<Tool, string> = {
  nearest: "Click for the nearest. Drag the pin to move it, or with Shift to draw a circle.",
  circle: "Drag to draw a circle. Hold it by its middle or its edge.",
  box: "Drag from corner to corner.",
  polygon: "Click corner by corner; click the first again, or double-click, to close.",
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
