// What the page shows, in one place. Whoever changes it says what changes; whoever depends on it is told.

import type { Collection } from "./service.ts";
import type { Linked, Tab } from "./permalink.ts";
import type { Kind, Metric, Question, Shape } from "./question.ts";

export type Tool = Shape["kind"];

export interface State {
  collections: Collection[];
  collection: string | null;
  tool: Tool;
  shape: Shape | null;
  /** Whether the shape is still under the hand that draws it. */
  moving: boolean;
  filter: string;
  metric: Metric | null;
  index: Kind | null;
  tab: Tab;
  cells: boolean;
  level: number | null;
  walk: boolean;
  /** Grows whenever the items of the collection have changed. */
  data: number;
}

type Watcher = { names: (keyof State)[]; call: (state: State) => void };

export class Store {
  #state: State;
  readonly #watchers: Watcher[] = [];

  constructor(linked: Linked) {
    const { collection, shape, filter, metric, index, tab, cells, level, walk } = linked;
    const tool = shape?.kind ?? "nearest";
    this.#state = { collections: [], collection, tool, shape, moving: false, filter, metric, index, tab, cells, level, walk, data: 0 };
  }

  get now(): Readonly<State> {
    return this.#state;
  }

  set(change: Partial<State>): void {
    const before = this.#state;
    this.#state = { ...before, ...change };
    const changed = (name: keyof State) => before[name] !== this.#state[name];
    for (const { names, call } of this.#watchers) if (names.some(changed)) call(this.#state);
  }

  /** Calls whenever one of these changes; not now. */
  on(names: (keyof State)[], call: (state: State) => void): void {
    this.#watchers.push({ names, call });
  }

  /** The question at hand, once there is one. */
  question(): Question | null {
    const { collection, shape, filter, metric, index } = this.#state;
    return collection && shape ? { collection, shape, filter, metric, index } : null;
  }

  /** The collection at hand, as the service told of it. */
  about(): Collection | undefined {
    return this.#state.collections.find(({ id }) => id === this.#state.collection);
  }
}
