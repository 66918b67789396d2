// What goes with a question: the filter with its examples, the metric, the index kind, and the question as a command.

import { curlOf } from "../curl.ts";
import { byId, complain, element } from "../dom.ts";
import type { Place } from "../earth.ts";
import { filterExamples } from "../filters.ts";
import { KINDS, METRICS } from "../question.ts";
import { ROOT, ask, key, type Page, type Settings } from "../service.ts";
import type { Store } from "../state.ts";

const SAMPLES = 200;

export function filterForm(store: Store, middle: () => Place): void {
  const form = byId<HTMLFormElement>("filter-form");
  const input = byId<HTMLInputElement>("filter");
  const examples = byId("filter-examples");
  input.value = store.now.filter;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    complain(byId("filter-trouble"), null);
    store.set({ filter: input.value.trim() });
  });
  store.on(["filter"], ({ filter }) => {
    if (filter !== input.value.trim()) input.value = filter;
  });
  let shown: string | null = null;
  const show = async (): Promise<void> => {
    const { collection } = store.now;
    const wanted = `${collection} ${Boolean(store.about()?.count)}`;
    if (wanted === shown || !collection) return;
    shown = wanted;
    examples.replaceChildren();
    try {
      const { lat, lon } = middle();
      const page = await ask<Page>(`collections/${collection}/near?lat=${lat}&lon=${lon}&k=${SAMPLES}`);
      if (wanted !== shown) return;
      const texts = filterExamples(page.features.map(({ properties }) => properties));
      input.placeholder = texts[0] ?? "";
      examples.replaceChildren(
        ...texts.map((text) => element("button", { type: "button", title: text, onclick: () => store.set({ filter: text }) }, text)),
      );
    } catch {
      shown = null; // without examples the filter works as well
    }
  };
  store.on(["collection", "collections"], () => void show());
}

export function choices(store: Store): void {
  const metric = byId<HTMLSelectElement>("metric");
  const kind = byId<HTMLSelectElement>("kind");
  const fill = (): void => {
    const settings = store.about()?.settings;
    const own = settings?.metric;
    metric.replaceChildren(option("", own ? `${own} (default)` : "default"), ...METRICS.map((name) => option(name, name)));
    metric.value = store.now.metric ?? "";
    const kept = KINDS.filter((name) => settings?.kinds.includes(name) ?? true);
    kind.replaceChildren(option("", "any"), ...kept.map((name) => option(name, name)));
    kind.value = store.now.index ?? "";
  };
  metric.addEventListener("change", () => store.set({ metric: METRICS.find((name) => name === metric.value) ?? null }));
  kind.addEventListener("change", () => store.set({ index: KINDS.find((name) => name === kind.value) ?? null }));
  store.on(["collection", "collections", "metric", "index"], fill);
  fill();
}

function option(value: string, text: string): HTMLOptionElement {
  return element("option", { value }, text);
}

export function commandBox(store: Store, settings: Settings): void {
  const box = byId("curl-box");
  const show = (): void => {
    const question = store.question();
    box.hidden = question === null;
    if (question) byId("curl").textContent = curlOf(question, ROOT, settings.collections_need_key || key.get() !== null);
  };
  store.on(["collection", "shape", "filter", "metric", "index"], show);
  show();
  const copy = (id: string, text: () => string, says: string): void => {
    byId(id).addEventListener("click", () => {
      const copied = navigator.clipboard?.writeText(text()) ?? Promise.reject(new Error("no clipboard"));
      copied.then(
        () => (byId("copied").textContent = says),
        () => (byId("copied").textContent = "The browser does not let this page copy. Mark the text and copy it."),
      );
    });
  };
  copy("copy-curl", () => byId("curl").textContent ?? "", "The command is copied.");
  copy("copy-link", () => location.href, "The link is copied.");
}
