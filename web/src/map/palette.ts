// The colours of the map, for light and dark. Verdicts of a walk differ in pattern as well: see patterns.ts.

export interface Palette {
  water: string;
  land: string;
  border: string;
  point: string;
  cluster: string;
  clusterInk: string;
  halo: string;
  ink: string;
  shape: string;
  answer: string;
  cell: string;
  curve: string;
  pruned: string;
  opened: string;
  whole: string;
  tested: string;
}

const LIGHT: Palette = {
  water: "#dbe4e8", land: "#f7f5ef", border: "#c3bdad", point: "#46586a", cluster: "#5a6f84", clusterInk: "#ffffff",
  halo: "#ffffff", ink: "#1c2227", shape: "#0f6f68", answer: "#c2410c", cell: "#6d4bb3", curve: "#a21a6b",
  pruned: "#6b7280", opened: "#1d4ed8", whole: "#15803d", tested: "#b45309",
};
const DARK: Palette = {
  water: "#0f1418", land: "#1f272e", border: "#43505a", point: "#a9bccd", cluster: "#7d93a6", clusterInk: "#10161b",
  halo: "#10161b", ink: "#e6e9ea", shape: "#4fd1c0", answer: "#fb9a5b", cell: "#b79cf2", curve: "#f28cc4",
  pruned: "#8b95a1", opened: "#7aa5ff", whole: "#5fd38a", tested: "#f5b14c",
};

const dark = matchMedia("(prefers-color-scheme: dark)");

export const palette = (): Palette => (dark.matches ? DARK : LIGHT);

export function onPaletteChange(call: () => void): void {
  dark.addEventListener("change", call);
}
