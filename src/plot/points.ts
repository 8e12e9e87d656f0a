// Points of classes in the plane, and what a net says about the plane around them.

import { expectCount, expectNumbers, refuse } from './check.ts';
import { contour, type Place } from './contour.ts';
import { columns, Figure, type FigureOptions, type Spec } from './figure.ts';
import { type Picture, picture } from './png.ts';
import { mix, ramp, rgbOf, type Theme } from './themes.ts';

export interface PointsOptions extends FigureOptions {
  /** [points, 2], row-major. */
  readonly x: ArrayLike<number>;
  /** Class of each point. */
  readonly y: ArrayLike<number>;
  /** Names of classes, for the legend; default their numbers. */
  readonly names?: readonly string[] | undefined;
  /** At most so many points are drawn, evenly chosen; default 400. */
  readonly most?: number | undefined;
}

interface Box {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/**
 * Points in the colours of their classes. Both axes have one scale. Throws HDL0016.
 *
 * @example plot.scatter(data.moons(1000))
 */
export function scatter(options: PointsOptions): Figure {
  checkPoints('scatter', options);
  const box = boxOf(options.x, 0.2);
  return new Figure((theme, width) => layered(width, box, [marks(theme, width, options)]), options);
}

export interface RegionsOptions extends PointsOptions {
  /**
   * What the net says of points [n, 2]: logits or probabilities of classes, [n, classes]; or one probability each, [n] or [n, 1].
   *
   * @example (points) => model.predict(points)
   */
  readonly predict: (
    points: Float32Array,
  ) => Promise<{ readonly data: ArrayLike<number>; readonly shape: readonly number[] }>;
  /** Distance of the places that are asked about; default a 200th of the width. */
  readonly step?: number | undefined;
  /** How far the plane reaches beyond the points; default 0.5. */
  readonly margin?: number | undefined;
}

/**
 * The plane in the colours of the classes that a net sees there, and the points on it. With one probability a place, shades, and a
 * line where it is ½. Throws HDL0016.
 *
 * @example await plot.decisionRegions({ ...data.spiral(100), predict: (points) => model.predict(points) })
 */
export async function decisionRegions(options: RegionsOptions): Promise<Figure> {
  const { margin = 0.5, predict } = options;
  checkPoints('decisionRegions', options);
  const box = boxOf(options.x, margin);
  const step = options.step ?? (box.x[1] - box.x[0]) / 200;
  const [width, height] = [box.x, box.y].map(([a, b]) => Math.max(2, Math.ceil((b - a) / step))) as [
    number,
    number,
  ];
  // Places are the centers of pixels, row by row from the top.
  const at = (column: number, row: number): [number, number] => [
    box.x[0] + ((column + 0.5) / width) * (box.x[1] - box.x[0]),
    box.y[1] - ((row + 0.5) / height) * (box.y[1] - box.y[0]),
  ];
  const places = new Float32Array(2 * width * height);
  for (let i = 0; i < width * height; i++) places.set(at(i % width, Math.floor(i / width)), 2 * i);
  const { data, shape } = await predict(places);
  const classes = shape.length > 1 ? shape.at(-1)! : 1;
  if (data.length !== width * height * classes) {
    refuse(
      `decisionRegions: predict gave shape [${shape.join(', ')}] for ${width * height} places`,
      'it gives one row for each place: [places, classes], or one probability each, [places]',
      'return what model.predict(places) gives',
    );
  }
  const isBinary = classes === 1;
  const bytes = isBinary ? shades(data) : largest(data, classes);
  const image = await picture(width, height, 'indexed', bytes);
  const line = isBinary ? contour(data, width, height, 0.5, at) : [];
  return new Figure((theme, w) => {
    const faded = (color: string) => mix(rgbOf(theme.ground), rgbOf(color), 0.38);
    const palette = isBinary
      ? ramp([theme.colors[0]!, theme.ground, theme.colors[1]!], 64).map((c) =>
          mix(rgbOf(theme.ground), c, 0.6),
        )
      : theme.colors.slice(0, classes).map(faded);
    const layers = [
      background(image, palette),
      ...(line.length > 0 ? [lines(line, theme.text)] : []),
      marks(theme, w, options),
    ];
    return layered(w, box, layers);
  }, options);
}

export interface SurfaceOptions extends FigureOptions {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Columns and rows of places. */
  readonly size: readonly [number, number];
  /** Fields by name: values at all places, row by row from the top. All are drawn with the same colours. */
  readonly fields: Readonly<Record<string, ArrayLike<number>>>;
}

/**
 * Functions of the plane side by side, as shades around 0, with one scale of colours. Throws HDL0016.
 *
 * @example await plot.surfaces({ x: [-2, 2], y: [-2, 2], size: [80, 80], fields: { net, truth } })
 */
export async function surfaces(options: SurfaceOptions): Promise<Figure> {
  const { x, y, size, fields } = options;
  for (const [name, values] of Object.entries(fields)) {
    expectNumbers(`surfaces: '${name}'`, values);
    expectCount(`surfaces: '${name}'`, values, size[0] * size[1], 'columns · rows');
  }
  const most = Math.max(
    ...Object.values(fields).map((f) => Array.from(f).reduce((a, v) => Math.max(a, Math.abs(v)), 0)),
  );
  const levels = 128;
  const figures = await Promise.all(
    Object.entries(fields).map(async ([name, values]) => {
      const bytes = Uint8Array.from(values, (v) =>
        Math.min(levels - 1, Math.floor(((v / most + 1) / 2) * levels)),
      );
      const image = await picture(size[0], size[1], 'indexed', bytes);
      return new Figure(
        (theme, width) => layered(width, { x, y }, [background(image, ramp(theme.diverging, levels))]),
        { title: name },
      );
    }),
  );
  const bar = await picture(
    1,
    levels,
    'indexed',
    Uint8Array.from({ length: levels }, (_, i) => levels - 1 - i),
  );
  const scale = new Figure((theme) => ({
    width: 16,
    height: 150,
    data: { values: [{}] },
    mark: {
      type: 'image',
      url: bar.url(ramp(theme.diverging, levels)),
      width: 16,
      height: 150,
      aspect: false,
      align: 'left',
      baseline: 'top',
    },
    encoding: {
      x: { value: 0 },
      y: {
        datum: most,
        type: 'quantitative',
        title: null,
        scale: { domain: [-most, most], nice: false },
        axis: { orient: 'right', tickCount: 5, grid: false },
      },
    },
  }));
  return columns([...figures, scale], { ...options, shares: [...figures.map(() => 1), 0.16] });
}

function checkPoints(fn: string, { x, y }: PointsOptions): void {
  expectNumbers(`${fn}: x`, x);
  expectNumbers(`${fn}: y`, y);
  expectCount(`${fn}: x`, x, 2 * y.length, 'two for each point');
}

function boxOf(points: ArrayLike<number>, margin: number): Box {
  const range = (offset: number): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = offset; i < points.length; i += 2) {
      low = Math.min(low, points[i]!);
      high = Math.max(high, points[i]!);
    }
    return [low - margin, high + margin];
  };
  return { x: range(0), y: range(1) };
}

type Layer = Spec | ((width: number, height: number) => Spec);

/** Layers over one box; both axes have one scale. */
function layered(width: number, box: Box, layer: readonly Layer[]): Spec {
  const inner = width - 46;
  const height = (inner * (box.y[1] - box.y[0])) / (box.x[1] - box.x[0]);
  const axis = { title: null, grid: false, tickCount: 6 };
  const scale = (domain: readonly [number, number]): Spec => ({ domain, nice: false, zero: false });
  return {
    width: inner,
    height,
    layer: layer.map((given) => {
      const { encoding, ...rest } = typeof given === 'function' ? given(inner, height) : given;
      const x = { ...both('x'), axis, scale: scale(box.x) };
      const y = { ...both('y'), axis, scale: scale(box.y) };
      return { ...rest, encoding: { x, y, ...(encoding as Spec) } };
    }),
  };
}

const both = (field: string): Spec => ({ field, type: 'quantitative' });

/** A picture that fills the plot. */
function background(image: Picture, palette: Parameters<Picture['url']>[0]): Layer {
  const url = image.url(palette);
  return (width, height) => ({
    data: { values: [{}] },
    mark: { type: 'image', url, width, height, aspect: false, align: 'left', baseline: 'top' },
    encoding: { x: { value: 0 }, y: { value: 0 } },
  });
}

function marks(theme: Theme, width: number, { x, y, names, most = 400 }: PointsOptions): Spec {
  const count = y.length;
  const shown = Math.min(most, count);
  const classes = Array.from(new Set(Array.from(y))).sort((a, b) => a - b);
  const called = (c: number): string => names?.[c] ?? `class ${c}`;
  const values = Array.from({ length: shown }, (_, k) => {
    const i = Math.floor((k * count) / shown);
    return { x: round(x[2 * i]!), y: round(x[2 * i + 1]!), name: called(y[i]!) };
  });
  return {
    data: { values },
    mark: {
      type: 'point',
      filled: true,
      size: shown > 320 ? 14 : 26,
      opacity: 1,
      stroke: theme.ground,
      strokeWidth: 0.6,
    },
    encoding: {
      color: {
        field: 'name',
        type: 'nominal',
        sort: classes.map(called),
        scale: {
          domain: classes.map(called),
          range: classes.map((c) => theme.colors[c % theme.colors.length]),
        },
        legend: { orient: 'top', title: null, offset: 4, columns: Math.max(2, Math.floor(width / 80)) },
      },
    },
  };
}

function lines(paths: readonly (readonly Place[])[], color: string): Spec {
  return {
    data: {
      values: paths.flatMap((path, line) =>
        path.map(([x, y], order) => ({ x: round(x), y: round(y), line, order })),
      ),
    },
    mark: { type: 'line', color, strokeWidth: 1.8, strokeCap: 'round' },
    encoding: { detail: { field: 'line' }, order: { field: 'order' } },
  };
}

const round = (v: number): number => Math.round(v * 1e4) / 1e4;

function largest(data: ArrayLike<number>, classes: number): Uint8Array {
  return Uint8Array.from({ length: data.length / classes }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[i * classes + c]! > data[i * classes + best]!) best = c;
    return best;
  });
}

function shades(p: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(p, (v) => Math.max(0, Math.min(63, Math.floor(v * 64))));
}
