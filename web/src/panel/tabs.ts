// The four panes, and the sheet that they lie on where the screen is small.

import { byId } from "../dom.ts";
import { TABS, type Tab } from "../permalink.ts";
import type { Store } from "../state.ts";

export function tabs(store: Store): void {
  const button = (tab: Tab) => byId(`tab-${tab}`);
  const reflect = (): void => {
    for (const tab of TABS) {
      const chosen = tab === store.now.tab;
      button(tab).setAttribute("aria-selected", String(chosen));
      button(tab).tabIndex = chosen ? 0 : -1;
      byId(`pane-${tab}`).hidden = !chosen;
    }
  };
  TABS.forEach((tab, at) => {
    button(tab).addEventListener("click", () => store.set({ tab }));
    button(tab).addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      const next = TABS[(at + step + TABS.length) % TABS.length];
      if (step === 0 || !next) return;
      event.preventDefault();
      store.set({ tab: next });
      button(next).focus();
    });
  });
  store.on(["tab"], reflect);
  reflect();

  const sheet = byId("sheet");
  sheet.addEventListener("click", () => {
    const low = byId("panel").classList.toggle("low");
    sheet.setAttribute("aria-expanded", String(!low));
    window.dispatchEvent(new Event("resize"));
  });
}
