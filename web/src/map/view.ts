// The map itself: made once, told what to show, and asked where things are.
//
// What surprises: letters are drawn by the browser's own fonts and no glyph files are needed, as long as the style names none. A
// style of the user's does name some; then ours take the font that its labels have.

import {
  AttributionControl, GlobeControl, Map as GlMap, NavigationControl, ScaleControl, setWorkerUrl,
  type FilterSpecification, type GeoJSONSource, type LayerSpecification, type MapMouseEvent, type VectorTileSource,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { calm } from "../dom.ts";
import { unwrapLon, wrapLon, type Place } from "../earth.ts";
import type { Frame } from "../hilbert.ts";
import type { View } from "../permalink.ts";
import { ROOT, keyHeader, type Settings } from "../service.ts";
import {
  answerLayers, drawnLayers, drawnSources, groundLayers, groundStyle, pointLayers, type Drawn,
} from "./layers.ts";
import { BADGE, badgeImage } from "./badge.ts";
import { onPaletteChange, palette } from "./palette.ts";
import { VERDICTS, patternImage } from "./patterns.ts";

setWorkerUrl(new URL(workerUrl, import.meta.url).href);

const GROUND_CREDIT = 'Land: <a href="https://www.naturalearthdata.com/">Natural Earth</a>';

export class MapView {
  readonly map: GlMap;
  readonly ready: Promise<void>;
  #font = ["sans-serif"];
  #own: boolean;
  #tiles: string | null = null;
  #isReady = false;
  #lit: number | null = null;
  #credits: string[] = [];
  #credit: AttributionControl | null = null;

  constructor(container: HTMLElement, view: View | null, settings: Settings) {
    this.#own = settings.map_style === null;
    this.map = new GlMap({
      container,
      style: settings.map_style ?? groundStyle(palette()),
      center: view ? [view.lon, view.lat] : [8, 28],
      zoom: view?.zoom ?? 1.4,
      attributionControl: false,
      boxZoom: false, // Shift and drag draws a circle
      doubleClickZoom: true,
      dragRotate: false,
      touchPitch: false,
      pitchWithRotate: false,
      maxTileCacheSize: 120, // memory has an end, however long one pans
      zoomLevelsToOverscale: 22, // all: otherwise the ground is cut anew for every place, and a thousand pieces of it are kept
      fadeDuration: calm() ? 0 : 150,
      // Every tile of the service takes the key; nobody else gets it.
      transformRequest: (address) => (address.startsWith(ROOT) ? { url: address, headers: keyHeader() } : { url: address }),
      locale: { "Map.Title": "Map. Arrow keys move it, plus and minus zoom, Enter asks at its middle" },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.credit([]);
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new GlobeControl(), "top-right");
    this.map.addControl(new ScaleControl({}), "bottom-left");
    this.map.on("error", () => {
      // Tiles that do not come are told by the page, and not in the console. A style that does not come is done without.
      if (this.#isReady || this.#own) return;
      this.#own = true;
      this.map.setStyle(groundStyle(palette()));
      this.credit(this.#credits);
    });
    this.ready = new Promise((resolve) => {
      this.map.once("style.load", () => {
        this.#addOurs();
        this.#isReady = true;
        resolve();
      });
    });
    onPaletteChange(() => this.#repaint());
  }

  /** Names those whose points are shown, beside those whose ground they lie on; a style of the user's names its own. */
  credit(credits: string[]): void {
    this.#credits = credits;
    const customAttribution = [...(this.#own ? [GROUND_CREDIT] : []), ...credits];
    if (this.#credit) this.map.removeControl(this.#credit);
    this.#credit = new AttributionControl({ compact: this.map.getContainer().clientWidth < 700, customAttribution });
    this.map.addControl(this.#credit);
  }

  #addOurs(): void {
    const { map } = this;
    const labels = map.getStyle().layers.find((layer) => layer.type === "symbol" && layer.layout?.["text-font"]);
    const font = labels?.type === "symbol" ? labels.layout?.["text-font"] : undefined;
    if (!this.#own && Array.isArray(font) && font.every((name) => typeof name === "string")) this.#font = font as string[];
    for (const [name, source] of Object.entries(drawnSources())) map.addSource(name, source);
    this.#addPictures();
    for (const layer of drawnLayers(palette(), this.#font)) map.addLayer(layer);
  }

  #addPictures(): void {
    const pictures = VERDICTS.map((verdict): [string, ImageData] => [`pattern-${verdict}`, patternImage(verdict, palette())]);
    for (const [name, picture] of [...pictures, [BADGE, badgeImage(palette())] as const]) {
      if (this.map.hasImage(name)) this.map.updateImage(name, picture);
      else this.map.addImage(name, picture, { pixelRatio: 2 });
    }
  }

  #repaint(): void {
    if (!this.#isReady) return;
    this.#addPictures();
    const ours = [...drawnLayers(palette(), this.#font), ...pointLayers(palette(), this.#font)];
    for (const layer of this.#own ? [...groundLayers(palette()), ...ours] : ours) this.#paint(layer);
  }

  #paint(layer: LayerSpecification): void {
    if (!this.map.getLayer(layer.id)) return;
    for (const [name, value] of Object.entries(layer.paint ?? {})) this.map.setPaintProperty(layer.id, name as never, value as never);
  }

  /** The tiles that are drawn as points; none for no points. */
  showTiles(tiles: string | null): void {
    if (!this.#isReady || tiles === this.#tiles) return;
    const { map } = this;
    this.#tiles = tiles;
    const source = map.getSource<VectorTileSource>("points");
    if (source && tiles) {
      source.setTiles([tiles]);
      return;
    }
    if (source) {
      for (const layer of pointLayers(palette(), this.#font)) map.removeLayer(layer.id);
      map.removeSource("points");
    }
    if (!tiles) return;
    map.addSource("points", { type: "vector", tiles: [tiles], maxzoom: 18 });
    const above = answerLayers(palette(), this.#font)[0]?.id;
    for (const layer of pointLayers(palette(), this.#font)) map.addLayer(layer, above);
  }

  /** Asks for the tiles in view again: the points have moved. */
  refreshTiles(): void {
    if (this.#isReady && this.map.getSource("points")) this.map.refreshTiles("points");
  }

  show(name: Drawn, features: GeoJSON.Feature[]): void {
    if (name === "answers") this.#lit = null;
    void this.map.getSource<GeoJSONSource>(name)?.setData({ type: "FeatureCollection", features });
  }

  setFilter(layers: string[], filterOf: (layer: string) => FilterSpecification): void {
    for (const layer of layers) if (this.map.getLayer(layer)) this.map.setFilter(layer, filterOf(layer));
  }

  /** Shows one answer as the one that is looked at. */
  light(rank: number | null): void {
    if (rank === this.#lit || !this.#isReady) return;
    if (this.#lit !== null) this.map.removeFeatureState({ source: "answers", id: this.#lit });
    if (rank !== null) this.map.setFeatureState({ source: "answers", id: rank }, { lit: true });
    this.#lit = rank;
  }

  /** The rank of the answer at a place on the screen. */
  answerAt(point: { x: number; y: number }): number | null {
    const found = this.#featuresAt("answers", point, 5)[0];
    return typeof found?.properties?.rank === "number" ? found.properties.rank : null;
  }

  handleAt(point: { x: number; y: number }): "middle" | "edge" | null {
    const roles = this.#featuresAt("handles", point, 9).map((feature) => feature.properties?.role);
    return roles.includes("edge") ? "edge" : roles.includes("middle") ? "middle" : null;
  }

  #featuresAt(layer: string, { x, y }: { x: number; y: number }, reach: number) {
    if (!this.map.getLayer(layer)) return [];
    return this.map.queryRenderedFeatures([[x - reach, y - reach], [x + reach, y + reach]], { layers: [layer] });
  }

  /** What is in the middle of the map, with the longitude at home. */
  middle(): Place {
    const { lat, lng } = this.map.getCenter();
    return { lat, lon: wrapLon(lng) };
  }

  view(): View {
    const { lat, lng } = this.map.getCenter();
    return { lat, lon: lng, zoom: this.map.getZoom() };
  }

  /** What is in view, with the west at home and never more than once round. */
  frame(): Frame {
    const bounds = this.map.getBounds();
    const [south, north] = [Math.max(-90, bounds.getSouth()), Math.min(90, bounds.getNorth())];
    const width = bounds.getEast() - bounds.getWest();
    if (width >= 360) return { west: -180, south, east: 180, north };
    const west = wrapLon(bounds.getWest());
    return { west, south, east: west + width, north };
  }

  /** Goes where a place is, by the shortest way: into the copy of the world that is in view. */
  goTo(place: Place, zoom?: number): void {
    const here = this.map.getCenter();
    const center: [number, number] = [unwrapLon(place.lon, here.lng), Math.max(-85, Math.min(85, place.lat))];
    this.map.easeTo({ center, zoom: zoom ?? this.map.getZoom(), duration: calm() ? 0 : 500 });
  }

  fit(frame: Frame): void {
    const south = Math.max(-80, frame.south);
    const north = Math.min(83, frame.north);
    this.map.fitBounds([frame.west, south, Math.max(frame.east, frame.west), Math.max(north, south)], {
      padding: 48, maxZoom: 14, duration: calm() ? 0 : 600,
    });
  }
}

export type { MapMouseEvent };
