// The service behind the page: requests with the key, where one is needed, and answers that are refusals told apart from failures.
//
// Everything is asked relative to the page's own address, so that the page works wherever a proxy has put it.

export const ROOT = typeof document === "undefined" ? "" : new URL(".", document.baseURI).href;

/** What the service says of a request that it refuses: RFC 9457. */
export interface Problem {
  title: string;
  status: number;
  code: string;
  detail: string;
  parameter?: string;
  value?: string;
  hint?: string;
}

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.hint ? `${problem.detail}; ${problem.hint}` : problem.detail);
  }
}

/** Nobody answers, or what answers is no service of this kind. */
export class Away extends Error {}

export interface Collection {
  id: string;
  count: number;
  seq: number;
  extent?: { spatial: { bbox: number[][] } };
  settings: { kinds: string[]; metric: string };
}

export interface Explain {
  index: string;
  because: string;
  segments: number;
  nodes: number;
  boxes: number;
  runs: number;
  candidates: number;
  exact_tests: number;
  elapsed_us: number;
}

export interface Answer {
  type: "Feature";
  id: string;
  distance_m?: number;
  geometry: { type: "Point"; coordinates: [number, number] };
  properties: Record<string, unknown>;
}

export interface Page {
  numberMatched: number;
  numberReturned: number;
  links: { rel: string; href: string }[];
  explain?: Explain;
  features: Answer[];
}

export interface Settings {
  version: string;
  map_style: string | null;
  collections_need_key: boolean;
}

const KEY = "nigh-key";

export const key = {
  get: (): string | null => sessionStorage.getItem(KEY),
  set: (value: string): void => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

/** The header that carries the key, where there is one. */
export function keyHeader(): Record<string, string> {
  const value = key.get();
  return value ? { authorization: `Bearer ${value}` } : {};
}

export const url = (path: string): string => new URL(path, ROOT).href;

export interface Sent {
  body?: unknown;
  signal?: AbortSignal;
}

/** The answer to a request, once its head is there and says that all is well. */
export async function send(path: string, { body, signal }: Sent = {}): Promise<Response> {
  const init: RequestInit = { headers: { ...keyHeader() }, cache: "no-cache" };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    Object.assign(init, { method: "POST", body: JSON.stringify(body) });
    init.headers = { ...keyHeader(), "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(url(path), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Away("The service does not answer.");
  }
  if (response.ok) return response;
  throw problemOf(response.status, await response.text().catch(() => ""));
}

export async function ask<T>(path: string, sent?: Sent): Promise<T> {
  const response = await send(path, sent);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (sent?.signal?.aborted) throw error;
    throw new Away("What answers here is not the service.");
  }
}

/** A refusal as the service words it, or as its status has it where something between us answered. */
export function problemOf(status: number, text: string): Refused | Away {
  try {
    const problem = JSON.parse(text) as Problem;
    if (typeof problem.code === "string" && typeof problem.detail === "string") return new Refused(problem);
  } catch {
    // no problem of ours: the status has to do
  }
  return new Away(`The service cannot be reached: what answers says ${status}.`);
}

export function isRefused(error: unknown, ...codes: string[]): error is Refused {
  return error instanceof Refused && (codes.length === 0 || codes.includes(error.problem.code));
}
