// A file into a collection, by drop or by button, with its progress and the rows that were rejected.
//
// `XMLHttpRequest` sends it: `fetch` cannot tell how much has gone.

import { byId, complain, count, element, plural, shortened } from "../dom.ts";
import { keyHeader, problemOf, url } from "../service.ts";
import type { Store } from "../state.ts";

interface Uploaded {
  received: number;
  created: number;
  replaced: number;
  rejected: number;
  seq: number;
  errors: { line: number; code: string; value?: string | null; detail: string; hint?: string | null }[];
}

/** A name for a collection, from that of a file. */
export function collectionName(file: string): string {
  const plain = file.replace(/\.(gz|zst)$/i, "").replace(/\.[a-z0-9]+$/i, "").toLowerCase();
  return plain.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+|-+$/g, "").slice(0, 64) || "points";
}

/** The media type by which the service knows a file, or none for it to look itself. */
export function mediaType(file: string): { type: string; packed: string | null } {
  const packed = /\.gz$/i.test(file) ? "gzip" : /\.zst$/i.test(file) ? "zstd" : null;
  const plain = file.replace(/\.(gz|zst)$/i, "");
  const type =
    /\.csv$/i.test(plain) ? "text/csv"
    : /\.(ndjson|jsonl)$/i.test(plain) ? "application/x-ndjson"
    : /\.geojson$/i.test(plain) ? "application/geo+json"
    : "application/octet-stream";
  return { type, packed };
}

export function uploadPane(store: Store, uploaded: (collection: string) => Promise<void>): void {
  const name = byId<HTMLInputElement>("upload-name");
  const file = byId<HTMLInputElement>("upload-file");
  const progress = byId("upload-progress");
  const bar = byId<HTMLProgressElement>("upload-bar");
  const says = byId("upload-says");
  const trouble = byId("upload-trouble");
  const result = byId("upload-result");
  const rejected = byId("upload-rejected");
  let sending: XMLHttpRequest | null = null;

  store.on(["collections"], ({ collections }) => {
    byId("collection-names").replaceChildren(...collections.map(({ id }) => element("option", { value: id })));
  });
  byId("upload-form").addEventListener("submit", (event) => event.preventDefault());
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen) send(chosen);
    file.value = ""; // so that the same file can be chosen again
  });
  byId("upload-stop").addEventListener("click", () => sending?.abort());
  dropping((dropped) => {
    store.set({ tab: "add" });
    send(dropped);
  });

  function send(chosen: File): void {
    if (sending) return complain(trouble, "One file at a time: the one before is still on its way.");
    complain(trouble, null);
    result.replaceChildren();
    rejected.replaceChildren();
    if (name.value && !name.checkValidity()) return complain(trouble, "The name of a collection is of a-z, 0-9, _ and -, and begins with a letter or a digit.");
    const collection = name.value || collectionName(chosen.name);
    const { type, packed } = mediaType(chosen.name);
    const request = (sending = new XMLHttpRequest());
    request.open("POST", url(`collections/${collection}/items`));
    for (const [header, value] of Object.entries(keyHeader())) request.setRequestHeader(header, value);
    request.setRequestHeader("content-type", type);
    if (packed) request.setRequestHeader("content-encoding", packed);
    progress.hidden = false;
    bar.value = 0;
    says.textContent = `Sending ${chosen.name} to ${collection}…`;
    request.upload.onprogress = ({ loaded, total }) => {
      bar.value = total > 0 ? loaded / total : 0;
      says.textContent = loaded < total ? `Sending ${chosen.name}: ${megabytes(loaded)} of ${megabytes(total)}` : "All is sent; the service is taking it in…";
    };
    request.onloadend = () => {
      sending = null;
      progress.hidden = true;
      ended(request, collection);
    };
    request.onerror = () => complain(trouble, "The file did not get through: the service does not answer, or the file cannot be read.");
    request.onabort = () => complain(trouble, "Stopped. Nothing was taken in, unless all of it had arrived by then.");
    request.send(chosen);
  }

  function ended({ status, responseText }: XMLHttpRequest, collection: string): void {
    if (status === 0) return;
    if (status >= 400) {
      complain(trouble, problemOf(status, responseText).message);
      const problem = JSON.parse(responseText || "{}") as Partial<Uploaded>;
      if (problem.errors) showRejected(problem.rejected ?? 0, problem.errors);
      return;
    }
    const answer = JSON.parse(responseText) as Uploaded;
    const { received, created, replaced } = answer;
    result.replaceChildren(
      element("p", {}, `${plural(received, "row")} read: ${count(created)} new, ${count(replaced)} replaced, ${count(answer.rejected)} rejected. They are in ${collection}.`),
    );
    showRejected(answer.rejected, answer.errors);
    name.value = "";
    void uploaded(collection);
  }

  function showRejected(many: number, errors: Uploaded["errors"]): void {
    if (many === 0 || errors.length === 0) return;
    const caption = errors.length < many ? `The first ${errors.length} of ${count(many)} rejected rows` : plural(many, "rejected row");
    const rows = errors.map(({ line, value, detail, hint }) =>
      element("tr", {}, element("td", {}, count(line)), element("td", {}, shortened(value ?? "", 60)), element("td", {}, shortened(hint ? `${detail}; ${hint}` : detail, 300))),
    );
    const heads = ["Line", "Value", "What is wrong"].map((head) => element("th", { scope: "col" }, head));
    rejected.replaceChildren(
      element("table", { class: "rows" }, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)),
    );
  }
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${count(Math.ceil(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Files dropped anywhere on the page. */
function dropping(dropped: (file: File) => void): void {
  const here = byId("drop-here");
  const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  window.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    here.hidden = false;
  });
  window.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) here.hidden = true;
  });
  window.addEventListener("drop", (event) => {
    here.hidden = true;
    if (!carries(event)) return;
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) dropped(file);
  });
}
