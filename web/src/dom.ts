// Elements of the page. Text goes in as text and never as HTML: ids and properties are anybody's.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void)>;

/** The element with an id that stands in index.html. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found as E;
}

/** A new element: `onclick` and the like are listeners, true and false are for attributes that are there or not. */
export function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return made;
}

/** Text short enough for a line; the rest is a click away. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Numbers with their thousands apart. */
export const count = (value: number): string => value.toLocaleString("en");

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Shows what went wrong beside what it concerns, or takes it away. */
export function complain(place: HTMLElement, message: string | null): void {
  place.textContent = message ?? "";
  place.hidden = message === null;
}

export const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
