// A figure: data and a description, drawn on demand. Making one loads nothing; `svg` and `png` load the plotting library, which
// is a peer that only those who draw need: vega and vega-lite, for PNG also @resvg/resvg-wasm and a font.

import { refuse } from './check.ts';
import { needed } from './needed.ts';
import { type Theme, type ThemeName, themes } from './themes.ts';

/** A part of a Vega-Lite description. */
export type Spec = Readonly<Record<string, unknown>>;

/** What a figure is made of: a description for a theme and a width in pixels, axes included. */
export type Panel = (theme: Theme, width: number) => Spec;

export interface FigureOptions {
  /** Stands above the figure. */
  readonly title?: string | undefined;
}

export interface DrawOptions {
  /** Default light. */
  readonly theme?: ThemeName | undefined;
  /** In pixels; default 600. The height follows. */
  readonly width?: number | undefined;
}

export interface PngOptions extends DrawOptions {
  /** Pixels of the picture for each of the figure's: 2 for dense screens; default 1. */
  readonly scale?: number | undefined;
  /** A TrueType font; default DejaVu Sans, from the package dejavu-fonts-ttf. */
  readonly font?: Uint8Array | undefined;
}

/**
 * Something to look at. Made by the functions of `plot`.
 *
 * @example
 * const figure = plot.curves({ train: history.loss, validation: history.valLoss });
 * await writeFile('loss.svg', await figure.svg({ theme: 'dark' }));
 */
export class Figure {
  /** The figure without its title. */
  readonly panel: Panel;
  readonly title: string | undefined;

  constructor(panel: Panel, { title }: FigureOptions = {}) {
    this.panel = panel;
    this.title = title;
  }

  /** The figure as SVG text. Throws HDL0040 when vega or vega-lite is not installed. */
  async svg({ theme = 'light', width = 600 }: DrawOptions = {}): Promise<string> {
    const colors = themes[theme];
    return framed(await draw(this.panel(colors, width - 2 * padding), colors), this.title, width, colors);
  }

  /** The figure as PNG bytes. Throws HDL0040 when a package is not installed. */
  async png({ scale = 1, font, ...options }: PngOptions = {}): Promise<Uint8Array> {
    const { rasterize } = await import('./rasterize.ts');
    return rasterize(await this.svg(options), scale, font);
  }
}

const padding = 8;
const font = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif';

async function draw(panel: Spec, theme: Theme): Promise<string> {
  const [vega, lite] = await Promise.all([
    needed('vega', import('vega')),
    needed('vega-lite', import('vega-lite')),
  ]);
  const spec = { ...panel, padding, background: theme.ground, config: configOf(theme) };
  const { spec: full } = lite.compile(spec as unknown as Parameters<typeof lite.compile>[0]);
  const view = new vega.View(vega.parse(full), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/**
 * What was drawn, below its title. The library guesses widths of text, too large ones: where axes and legends then need more than
 * there is, all is drawn a little smaller. The title is ours, since a guess would make room for it, too.
 */
function framed(svg: string, title: string | undefined, width: number, theme: Theme): string {
  const [, w, h] = / width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.map(Number) as [number, number, number];
  const scale = Math.min(1, width / w);
  const [left, top] = [padding, title === undefined ? 0 : 30];
  const height = Math.ceil(h * scale) + top;
  const head =
    title === undefined
      ? ''
      : `<text x="${left}" y="22" fill="${theme.text}" font-family='${font}' font-size="${titleSize(title, width)}" font-weight="600">${escapeXml(title)}</text>`;
  // Roles of parts say nothing to a reader who hears the figure; its title does.
  const inner = svg
    .replace(/ (role|aria-roledescription|aria-label|aria-hidden)="[^"]*"/g, '')
    .replace(
      / width="[\d.]+" height="[\d.]+"/,
      ` aria-hidden="true" y="${top}" width="${round(w * scale)}" height="${round(h * scale)}"`,
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title ?? 'figure')}"><rect width="${width}" height="${height}" fill="${theme.ground}"/>${head}${inner}</svg>`;
}

/** As large as fits: bold letters are about two thirds as wide as high. */
function titleSize(title: string, width: number): number {
  return round(Math.max(9, Math.min(15, (width - 2 * padding) / (0.66 * title.length))));
}

const round = (v: number): number => Math.round(v * 100) / 100;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function configOf({ text, faint, grid, colors }: Theme): Spec {
  return {
    font,
    aria: false,
    view: { stroke: grid },
    title: { color: text, fontSize: 15, fontWeight: 600, anchor: 'start', offset: 10 },
    axis: {
      labelColor: faint,
      titleColor: text,
      labelFontSize: 12,
      titleFontSize: 13,
      titleFontWeight: 'normal',
      gridColor: grid,
      gridOpacity: 0.7,
      domainColor: faint,
      tickColor: faint,
    },
    legend: { labelColor: text, titleColor: text, labelFontSize: 12, titleFontSize: 12, symbolSize: 90 },
    text: { color: text, fontSize: 12 },
    range: { category: colors },
    concat: { spacing: 18 },
  };
}

function expectFigures(fn: string, figures: readonly unknown[]): void {
  const wrong = figures.findIndex((f) => !(f instanceof Figure));
  if (wrong < 0 && figures.length > 0) return;
  const given = figures[wrong];
  refuse(
    `${fn} with ${figures.length === 0 ? 'nothing' : given instanceof Promise ? 'a promise' : String(given)} at position ${Math.max(wrong, 0)}`,
    'it is made of figures, at least one',
    given instanceof Promise
      ? 'await it: plot.columns([await plot.filters(…), …])'
      : 'plot.columns([plot.curves(…), plot.bars(…)])',
  );
}

/** A figure as a part of another: its title is a smaller one. */
function within({ panel, title }: Figure, theme: Theme, width: number): Spec {
  return title === undefined
    ? panel(theme, width)
    : { ...panel(theme, width), title: { text: title, fontSize: 13 } };
}

/** Figures side by side, in shares of the width: equal ones, or as given. Throws HDL0016 for what is no figure. */
export function columns(
  figures: readonly Figure[],
  options: FigureOptions & { readonly shares?: readonly number[] | undefined } = {},
): Figure {
  expectFigures('columns', figures);
  const shares = options.shares ?? figures.map(() => 1);
  const sum = shares.reduce((a, b) => a + b, 0);
  return new Figure((theme, width) => {
    const free = width - 18 * (figures.length - 1);
    return {
      hconcat: figures.map((f, i) => within(f, theme, (free * shares[i]!) / sum)),
      resolve: { scale: { color: 'independent' } },
    };
  }, options);
}

/** Figures one below the other. Throws HDL0016 for what is no figure. */
export function rows(figures: readonly Figure[], options: FigureOptions = {}): Figure {
  expectFigures('rows', figures);
  return new Figure(
    (theme, width) => ({
      vconcat: figures.map((f) => within(f, theme, width)),
      resolve: { scale: { color: 'independent' } },
    }),
    options,
  );
}
