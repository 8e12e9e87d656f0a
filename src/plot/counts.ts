// What is counted: confusion matrices, histograms, bars.

import { expectNumbers, refuse } from './check.ts';
import { Figure, type FigureOptions } from './figure.ts';

export interface ConfusionOptions extends FigureOptions {
  /** Names of classes; default their numbers. */
  readonly names?: readonly string[] | undefined;
}

/**
 * How often class r (row) was taken for class c (column). A matrix as `metrics.confusionMatrix()` gives it, or the same in one list.
 *
 * @example plot.confusionMatrix(await model.measure(metrics.confusionMatrix(), test), { names })
 */
export function confusionMatrix(
  matrix: ArrayLike<number> | readonly ArrayLike<number>[],
  options: ConfusionOptions = {},
): Figure {
  const isNested = typeof matrix?.[0] === 'object';
  if (!isNested) expectNumbers('confusionMatrix: the matrix', matrix);
  const rows = isNested ? (matrix as readonly ArrayLike<number>[]) : null;
  const n = rows?.length ?? Math.round(Math.sqrt(matrix.length));
  const counts = rows === null ? matrix.length : rows.reduce((sum, row) => sum + row.length, 0);
  if (counts !== n * n || rows?.some((row) => row.length !== n)) {
    refuse(
      `confusionMatrix of ${counts} counts`,
      'it is square: a row and a column for each class',
      'model.measure(metrics.confusionMatrix(), data) gives one',
    );
  }
  const name = (c: number): string => options.names?.[c] ?? String(c);
  const order = Array.from({ length: n }, (_, i) => name(i));
  const values = Array.from({ length: n * n }, (_, i) => {
    const [r, c] = [Math.floor(i / n), i % n];
    return { row: name(r), column: name(c), count: rows ? rows[r]![c]! : (matrix[i] as number) };
  });
  const most = Math.max(...values.map((v) => v.count), 1);
  return new Figure((theme, width) => {
    const longest = Math.max(...order.map((s) => s.length));
    const side = Math.min(width - 50 - 8 * longest, 70 * n, 440);
    const isSlanted = 7.5 * longest > side / n;
    return {
      data: { values },
      width: side,
      height: side,
      encoding: {
        x: {
          field: 'column',
          type: 'nominal',
          sort: order,
          title: 'predicted',
          // Places of titles are said, since guesses of text widths would put them too far away.
          axis: {
            orient: 'top',
            labelAngle: isSlanted ? -40 : 0,
            domain: false,
            ticks: false,
            titleY: isSlanted ? -22 - 4.8 * longest : -24,
          },
        },
        y: {
          field: 'row',
          type: 'nominal',
          sort: order,
          title: 'actual',
          axis: { domain: false, ticks: false, titleX: -18 - 6.6 * longest },
        },
      },
      layer: [
        {
          mark: { type: 'rect', stroke: theme.ground, strokeWidth: 2 },
          encoding: {
            color: {
              field: 'count',
              type: 'quantitative',
              scale: { type: 'sqrt', domain: [0, most], range: theme.sequential },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', fontSize: n > 12 ? 9 : 12 },
          encoding: {
            text: { field: 'count' },
            color: {
              condition: [
                { test: `datum.count > ${most * 0.3}`, value: theme.ground },
                { test: 'datum.count === 0', value: theme.faint },
              ],
              value: theme.text,
            },
          },
        },
      ],
    };
  }, options);
}

export interface HistogramOptions extends FigureOptions {
  /** At most so many bars; default 30. */
  readonly bins?: number | undefined;
  /** Name of the axis of values. */
  readonly x?: string | undefined;
}

/**
 * How values are distributed: one plot for each name, below each other, on one axis.
 *
 * @example plot.histograms({ 'dense1/w': program.get('dense1/w').data })
 */
export function histograms(
  values: Readonly<Record<string, ArrayLike<number>>>,
  options: HistogramOptions = {},
): Figure {
  const { bins = 30, x = 'value' } = options;
  for (const [name, list] of Object.entries(values)) expectNumbers(`histograms: '${name}'`, list);
  const all = Object.values(values).flatMap((v) => Array.from(v).filter(Number.isFinite));
  const low = all.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const size = (high - low) / bins || 1;
  const names = Object.keys(values);
  const bars = names.flatMap((name) => {
    const counts = new Array<number>(bins).fill(0);
    for (const v of Array.from(values[name]!)) {
      if (Number.isFinite(v)) counts[Math.min(bins - 1, Math.floor((v - low) / size))]!++;
    }
    return counts.map((count, i) => ({ name, from: low + i * size, to: low + (i + 1) * size, count }));
  });
  return new Figure(
    (theme, width) => ({
      vconcat: names.map((name, i) => ({
        data: { values: bars.filter((b) => b.name === name) },
        width: width - 62,
        height: names.length === 1 ? 220 : 90,
        ...(names.length === 1 ? {} : { title: { text: name, fontSize: 12, fontWeight: 'normal' } }),
        mark: { type: 'rect', color: theme.colors[0], stroke: theme.ground, strokeWidth: 0.5 },
        encoding: {
          x: {
            field: 'from',
            type: 'quantitative',
            title: i === names.length - 1 ? x : null,
            axis: { grid: false },
            scale: { domain: [low, low + bins * size], nice: false, zero: false },
          },
          x2: { field: 'to' },
          y: { field: 'count', type: 'quantitative', title: 'count', axis: { tickCount: 3 } },
          y2: { datum: 0 },
        },
      })),
    }),
    options,
  );
}

/**
 * A bar for each name: the probabilities of classes, say.
 *
 * @example plot.bars({ cat: 0.9, dog: 0.1 })
 */
export function bars(
  values: Readonly<Record<string, number>>,
  options: FigureOptions & { readonly x?: string } = {},
): Figure {
  // Numbers as names come first in a record, in order: as one wants digits.
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return new Figure(
    (theme, width) => ({
      data: { values: list },
      width: width - 100,
      height: Math.max(120, 20 * list.length),
      encoding: {
        y: { field: 'name', type: 'nominal', sort: null, title: null, axis: { ticks: false, domain: false } },
        x: { field: 'value', type: 'quantitative', title: options.x ?? null, axis: { tickCount: 5 } },
      },
      layer: [
        { mark: { type: 'bar', color: theme.colors[0], height: { band: 0.75 } } },
        {
          mark: { type: 'text', align: 'left', dx: 4 },
          encoding: { text: { field: 'value', format: '.3f' } },
        },
      ],
    }),
    options,
  );
}
