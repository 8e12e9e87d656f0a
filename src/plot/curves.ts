// Curves over steps or epochs.

import { expectNumbers, refuse } from './check.ts';
import { Figure, type FigureOptions } from './figure.ts';

export interface CurvesOptions extends FigureOptions {
  /** Name of the horizontal axis; default `step`. */
  readonly x?: string | undefined;
  /** Name of the vertical axis; default none. */
  readonly y?: string | undefined;
  /** Number of the first value; default 0. */
  readonly from?: number | undefined;
  /** A logarithmic vertical axis; values that are not above 0 are left out. Default false. */
  readonly log?: boolean | undefined;
  /** Draws the values faintly, and over them the mean of the last so many. Default 0: the values alone. */
  readonly smooth?: number | undefined;
  /** Height of the plot; default 240. */
  readonly height?: number | undefined;
}

interface Row {
  readonly x: number;
  readonly y: number;
  readonly name: string;
}

/** More points than pixels say nothing more: of each stretch the least and the largest stay. */
const mostPoints = 600;

/**
 * Curves by name, one number after the other. Long ones are thinned out, keeping their extremes.
 *
 * Throws HDL0016 for what are no numbers.
 *
 * @example plot.curves({ train: history.loss, validation: history.valLoss }, { x: 'epoch', from: 1 })
 */
export function curves(
  series: Readonly<Record<string, ArrayLike<number>>>,
  options: CurvesOptions = {},
): Figure {
  const { x = 'step', y, from = 0, log = false, smooth = 0, height = 240 } = options;
  if (series instanceof Promise) expectNumbers('curves: the record of curves', series);
  const names = Object.keys(series ?? {});
  if (names.length === 0)
    refuse('curves of nothing', 'it takes curves by name', 'plot.curves({ loss: history.loss })');
  for (const name of names) expectNumbers(`curves: '${name}'`, series[name]);
  const rowsOf = (numbers: ArrayLike<number>, name: string): readonly Row[] =>
    thin(numbers)
      .filter(([, v]) => Number.isFinite(v) && (!log || v > 0))
      .map(([i, v]) => ({ x: i + from, y: v, name }));
  const values = names.flatMap((name) => rowsOf(series[name]!, name));
  const means = smooth === 0 ? [] : names.flatMap((name) => rowsOf(runningMean(series[name]!, smooth), name));
  return new Figure(
    (theme, width) => ({
      width: width - (y === undefined ? 46 : 66),
      height,
      layer: [
        {
          data: { values },
          mark: { type: 'line', strokeWidth: smooth === 0 ? 1.8 : 1, opacity: smooth === 0 ? 1 : 0.35 },
        },
        ...(smooth === 0 ? [] : [{ data: { values: means }, mark: { type: 'line', strokeWidth: 2 } }]),
      ],
      encoding: {
        x: {
          field: 'x',
          type: 'quantitative',
          title: x,
          axis: { tickCount: Math.floor(width / 90), grid: false },
          scale: { nice: false },
        },
        y: {
          field: 'y',
          type: 'quantitative',
          title: y ?? null,
          scale: log ? { type: 'log' } : { zero: values.every((v) => v.y >= 0) },
          axis: log ? { values: decades(values.map((v) => v.y)), format: '~g' } : { tickCount: 6 },
        },
        color: {
          field: 'name',
          type: 'nominal',
          sort: names,
          scale: { domain: names, range: theme.colors.slice(0, names.length) },
          legend: names.length > 1 ? { orient: 'top', title: null, offset: 4 } : null,
        },
      },
    }),
    options,
  );
}

/** Powers of ten, from the one below the least to the one above the largest; of many, every other, or fewer. */
function decades(values: readonly number[]): number[] {
  const logs = values.map((v) => Math.log10(v));
  const low = Math.floor(logs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY));
  const high = Math.ceil(logs.reduce((a, b) => Math.max(a, b), low));
  const every = Math.max(1, Math.ceil((high - low) / 8));
  return Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => 10 ** (low + i * every));
}

/** Positions and values; of many, the least and the largest of each stretch, in order. */
function thin(values: ArrayLike<number>): [number, number][] {
  const all = (i: number): [number, number] => [i, values[i]!];
  if (values.length <= mostPoints) return Array.from({ length: values.length }, (_, i) => all(i));
  const stretches = mostPoints / 2;
  const kept: [number, number][] = [];
  for (let s = 0; s < stretches; s++) {
    const [begin, end] = [s, s + 1].map((k) => Math.floor((k * values.length) / stretches)) as [
      number,
      number,
    ];
    let [low, high] = [begin, begin];
    for (let i = begin; i < end; i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
    }
    kept.push(all(Math.min(low, high)));
    if (low !== high) kept.push(all(Math.max(low, high)));
  }
  return kept;
}

/** Means of the last `window` values at each place, of fewer at the start. */
export function runningMean(values: ArrayLike<number>, window: number): Float64Array {
  let sum = 0;
  return Float64Array.from({ length: values.length }, (_, i) => {
    sum += values[i]! - (i >= window ? values[i - window]! : 0);
    return sum / Math.min(i + 1, window);
  });
}
