// Asks the question at hand and shows what comes back: a line that sums it up, the list, and the same answers on the map.

import { byId, complain, count, element, plural } from "../dom.ts";
import { sayMetres, unwrapLon } from "../earth.ts";
import { Latest } from "../latest.ts";
import { line, point, shapeLon } from "../map/shape.ts";
import type { MapView } from "../map/view.ts";
import { asked, type Question, type SearchBody, type Shape } from "../question.ts";
import { ROOT, Refused, ask, type Answer, type Page } from "../service.ts";
import type { Store } from "../state.ts";
import { details, nameOf, restOf, signOf } from "./properties.ts";

const PAGE = 100;
const RAYS_MOST = 100;

export class Answers {
  #answers: Answer[] = [];
  #next: string | null = null;
  #open: number | null = null;
  #shown: Shape | null = null;
  readonly #list = byId("results");
  readonly #summary = byId("summary");
  readonly #more = byId("more");
  readonly #latest: Latest<Question, Page>;

  constructor(
    private readonly store: Store,
    private readonly view: MapView,
    private readonly trouble: (error: unknown) => void,
  ) {
    this.#latest = new Latest(
      (question, signal) => {
        const { path, body } = asked(question, { limit: PAGE, explain: true });
        return ask<Page>(path, body ? { body, signal } : { signal });
      },
      (page, question) => this.#show(page, question),
      (error) => this.#fail(error),
    );
    store.on(["collection", "shape", "filter", "metric", "index", "data"], () => this.refresh());
    this.#more.addEventListener("click", () => void this.#showMore());
  }

  refresh(): void {
    const question = this.store.question();
    if (question) return this.#latest.submit(question);
    this.#latest.drop();
    this.#forget("Click or tap the map, or type a place above.");
  }

  #forget(says: string): void {
    this.#answers = [];
    this.#next = null;
    this.#open = null;
    this.#list.replaceChildren();
    this.#more.hidden = true;
    this.#summary.textContent = says;
    this.#draw();
  }

  #show(page: Page, question: Question): void {
    this.trouble(null);
    complain(byId("filter-trouble"), null);
    complain(byId("place-trouble"), null);
    const open = this.#open === null ? null : this.#answers[this.#open - 1]?.id;
    this.#answers = page.features;
    this.#next = nextOf(page);
    this.#open = null;
    this.#list.replaceChildren(...page.features.map((answer, at) => this.#row(answer, at + 1)));
    this.#more.hidden = this.#next === null;
    this.#sumUp(page, question);
    this.#draw();
    this.#bringIntoView(question);
    const again = open === undefined ? -1 : page.features.findIndex(({ id }) => id === open);
    if (again >= 0) this.#toggle(again + 1, false);
  }

  /** Where the panel is a sheet, what was asked on the map is answered under the form: the sheet goes there. */
  #bringIntoView({ shape }: Question): void {
    const asked = shape !== this.#shown;
    this.#shown = shape;
    const small = matchMedia("(max-width: 760px)").matches;
    if (asked && small && !byId("pane-ask").contains(document.activeElement)) this.#summary.scrollIntoView({ block: "start" });
  }

  #sumUp(page: Page, { shape }: Question): void {
    const { explain } = page;
    const where =
      shape.kind === "circle" ? ` within ${sayMetres(shape.radius_m)}` : shape.kind === "nearest" ? " nearest" : ` in the ${shape.kind}`;
    const took = explain
      ? `${explain.index} answered in ${count(explain.elapsed_us)} µs from ${plural(explain.candidates, "candidate")}`
      : "";
    const shown = page.numberReturned < page.numberMatched ? `, the first ${count(page.numberReturned)} shown` : "";
    this.#summary.replaceChildren(
      element("strong", {}, shape.kind === "nearest" ? `${count(page.numberMatched)}${where}` : `${plural(page.numberMatched, "answer")}${where}`),
      shown,
      element("small", {}, took),
    );
  }

  #fail(error: unknown): void {
    if (!(error instanceof Refused)) return this.trouble(error);
    const { parameter, code } = error.problem;
    const place =
      code === "bad-filter" || parameter === "filter" ? "filter-trouble"
      : code === "collection-not-found" || code === "unauthorized" || code === "forbidden" ? null
      : "place-trouble";
    this.#forget("");
    if (place) complain(byId(place), error.message);
    else this.trouble(error);
  }

  async #showMore(): Promise<void> {
    const question = this.store.question();
    const path = this.#next;
    if (!question || !path) return;
    this.#more.setAttribute("disabled", "");
    try {
      const body: SearchBody | undefined = asked(question, { limit: PAGE }).body;
      const page = await ask<Page>(path, body ? { body } : {});
      if (path !== this.#next) return; // another question came in between
      const first = this.#answers.length;
      this.#answers = [...this.#answers, ...page.features];
      this.#next = nextOf(page);
      this.#list.append(...page.features.map((answer, at) => this.#row(answer, first + at + 1)));
      this.#more.hidden = this.#next === null;
      this.#list.querySelectorAll<HTMLElement>("li > button")[first]?.focus();
      this.#draw();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#more.removeAttribute("disabled");
    }
  }

  #row(answer: Answer, rank: number): HTMLElement {
    const far = answer.distance_m === undefined ? "" : sayMetres(answer.distance_m);
    const button = element(
      "button", { type: "button", "aria-expanded": "false", onclick: () => this.#toggle(rank, true) },
      element("span", { class: "rank" }, String(rank)),
      element("span", { class: "name" }, nameOf(answer)),
      element("span", { class: "far" }, far),
      element("span", { class: "rest" }, restOf(answer)),
    );
    const lit = () => this.#light(rank);
    const dark = () => this.#light(null);
    return element(
      "li", { "data-id": answer.id, onmouseenter: lit, onmouseleave: dark, onfocusin: lit, onfocusout: dark }, button,
    );
  }

  /** Shows an answer as the one that is looked at, in the list and on the map. */
  #light(rank: number | null, scroll = false): void {
    for (const row of this.#list.querySelectorAll(".lit")) row.classList.remove("lit");
    const row = rank === null ? undefined : this.#list.children[rank - 1];
    row?.classList.add("lit");
    if (scroll) row?.scrollIntoView({ block: "nearest" });
    this.view.light(rank);
  }

  hover(rank: number | null): void {
    this.#light(rank ?? this.#open, rank !== null);
  }

  /** Opens an answer that was picked on the map. */
  pick(rank: number): void {
    this.store.set({ tab: "ask" });
    if (this.#open !== rank) this.#toggle(rank, false);
    this.#light(rank, true);
    this.#list.children[rank - 1]?.querySelector("button")?.focus({ preventScroll: false });
  }

  #toggle(rank: number, go: boolean): void {
    const opens = this.#open !== rank;
    if (this.#open !== null) {
      const row = this.#list.children[this.#open - 1];
      row?.querySelector("button")?.setAttribute("aria-expanded", "false");
      row?.querySelector(".details")?.remove();
    }
    this.#open = opens ? rank : null;
    const answer = this.#answers[rank - 1];
    const row = this.#list.children[rank - 1];
    if (!opens || !answer || !row) return;
    row.querySelector("button")?.setAttribute("aria-expanded", "true");
    const [lon, lat] = answer.geometry.coordinates;
    const near = () => this.store.set({ shape: { kind: "nearest", middle: { lat, lon: this.#beside(lon) }, k: 10 }, tool: "nearest" });
    row.append(details(answer, near));
    if (go && !this.#inView(lon, lat)) this.view.goTo({ lat, lon: this.#beside(lon) });
  }

  #inView(lon: number, lat: number): boolean {
    const { west, south, east, north } = this.view.frame();
    const beside = unwrapLon(lon, (west + east) / 2);
    return beside > west && beside < east && lat > south && lat < north;
  }

  #beside(lon: number): number {
    const { shape } = this.store.now;
    return shape ? unwrapLon(lon, shapeLon(shape)) : lon;
  }

  /** The answers on the map, in the copy of the world where the question is. */
  #draw(): void {
    const { shape } = this.store.now;
    const positions = this.#answers.map(({ geometry: { coordinates: [lon, lat] } }): [number, number] => [this.#beside(lon), lat]);
    const signs = this.#answers.map((answer, at) => ({ rank: at + 1, ...signOf(answer) }));
    this.view.show("answers", positions.map((at, index) => point(at, signs[index] ?? {}, index + 1)));
    const middle = shape && "middle" in shape && shape.kind === "nearest" ? shape.middle : null;
    const rays = middle ? positions.slice(0, RAYS_MOST).map((to) => line([[middle.lon, middle.lat], to])) : [];
    this.view.show("rays", rays);
  }
}

/** The path of the next page, under our own root: behind a proxy the service does not know its own address. */
function nextOf(page: Page): string | null {
  const href = page.links.find(({ rel }) => rel === "next")?.href;
  if (!href) return null;
  const { pathname, search } = new URL(href, ROOT);
  const at = pathname.lastIndexOf("collections/");
  return at < 0 ? null : pathname.slice(at) + search;
}
