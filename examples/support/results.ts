// What runs of experiments measured: a line of JSON for each experiment and seed, the table made of such lines, and whether the
// numbers lie where they have to.

import type { Experiment, Outcome, Range } from './experiment.ts';
import { InputError } from './input-error.ts';

/** One run, as `--json` prints it. */
export interface Result {
  readonly experiment: string;
  readonly seed: number;
  readonly metric: string;
  readonly value: number;
  readonly steps: number;
  readonly seconds: number;
  readonly steps_per_second: number;
  readonly compile_seconds: number;
  readonly others: Readonly<Record<string, number>>;
}

export function resultOf({ name, metric }: Experiment, seed: number, outcome: Outcome): Result {
  const { value, steps, seconds, compileSeconds, others = {} } = outcome;
  return {
    experiment: name,
    seed,
    metric,
    value,
    steps,
    seconds,
    steps_per_second: steps / seconds,
    compile_seconds: compileSeconds,
    others,
  };
}

/** Results of a file of such lines; of two for one experiment and seed, the later. Throws InputError. */
export function parseResults(text: string, file: string): Result[] {
  const found = new Map<string, Result>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let result: Partial<Result>;
    try {
      result = JSON.parse(line) as Partial<Result>;
    } catch {
      throw new InputError(`${file}: line ${i + 1} is no JSON`);
    }
    if (typeof result.experiment !== 'string' || typeof result.value !== 'number') {
      throw new InputError(`${file}: line ${i + 1} is no result of an experiment`);
    }
    found.set(`${result.experiment} ${result.seed}`, result as Result);
  }
  return [...found.values()];
}

export interface Row {
  readonly experiment: Experiment;
  readonly seeds: readonly number[];
  readonly least: number;
  readonly median: number;
  readonly most: number;
  /** Medians of other numbers. */
  readonly others: Readonly<Record<string, number>>;
  /** Of the fastest run. */
  readonly stepsPerSecond: number;
  /** What is out of range, in words; empty when nothing is. */
  readonly wrong: readonly string[];
  /** The median is out of range, but of too few seeds to say anything. */
  readonly isOpen: boolean;
}

/** Seeds from which on a median is judged: single runs lie further apart. */
const seedsOfMedian = 3;

/** A row for each experiment that has results, in the order of experiments. */
export function rowsOf(experiments: readonly Experiment[], results: readonly Result[]): Row[] {
  return experiments.flatMap((experiment) => {
    const runs = results.filter((r) => r.experiment === experiment.name).sort((a, b) => a.seed - b.seed);
    if (runs.length === 0) return [];
    const values = runs.map((r) => r.value);
    const names = Object.keys(runs[0]!.others);
    const others = Object.fromEntries(names.map((n) => [n, median(runs.map((r) => r.others[n]!))]));
    const middle = median(values);
    const wrong: string[] = [];
    const check = (what: string, value: number, range: Range): void => {
      if (!(value >= range[0] && value <= range[1])) wrong.push(`${what} ${digits(value)}`);
    };
    const isMedian = runs.length >= seedsOfMedian || Number.isNaN(middle);
    const isOutside = !(middle >= experiment.median[0] && middle <= experiment.median[1]);
    if (isMedian) check('median', middle, experiment.median);
    for (const { seed, value } of runs) if (experiment.each) check(`seed ${seed}`, value, experiment.each);
    if (isMedian) {
      for (const [n, range] of Object.entries(experiment.also ?? {}))
        check(n, others[n] ?? Number.NaN, range);
    }
    return [
      {
        experiment,
        seeds: runs.map((r) => r.seed),
        least: Math.min(...values),
        median: middle,
        most: Math.max(...values),
        others,
        stepsPerSecond: Math.max(...runs.map((r) => r.steps_per_second)),
        wrong,
        isOpen: !isMedian && isOutside,
      },
    ];
  });
}

/** The rows as a table in Markdown, which reads well as plain text, too. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['experiment', 'metric', 'least', 'median', 'most', 'wanted', 'seeds', 'also', ''];
  const cells = rows.map(({ experiment: e, ...row }) => [
    e.name,
    e.metric.replaceAll('_', ' '),
    digits(row.least),
    `${digits(row.median)}`,
    digits(row.most),
    `${formatRange(e.median)}${e.each ? `, each ${formatRange(e.each)}` : ''}`,
    formatSeeds(row.seeds),
    Object.entries(row.others)
      .map(([name, value]) => `${name.replaceAll('_', ' ')} ${digits(value)}`)
      .join(', '),
    verdict(row),
  ]);
  return markdownTable(head, cells);
}

function verdict({ wrong, isOpen, seeds }: Pick<Row, 'wrong' | 'isOpen' | 'seeds'>): string {
  if (wrong.length > 0) return `FAIL: ${wrong.join(', ')}`;
  return isOpen ? `open: too few seeds (${seeds.length})` : 'pass';
}

/** A table in Markdown with its columns in line. */
export function markdownTable(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const widths = head.map((h, c) => Math.max(h.length, ...cells.map((row) => row[c]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`;
  return [line(head), `|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`, ...cells.map(line)].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Four digits. */
export function digits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace('e+', 'e');
  return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

function formatRange([from, to]: Range): string {
  if (from === Number.NEGATIVE_INFINITY || (from === 0 && to < 1)) return `≤ ${digits(to)}`;
  return to >= 1 && from < 1 ? `≥ ${digits(from)}` : `${digits(from)} to ${digits(to)}`;
}

/** `1–5`, `1, 3` */
function formatSeeds(seeds: readonly number[]): string {
  const isRun = seeds.length > 2 && seeds.every((s, i) => s === seeds[0]! + i);
  return isRun ? `${seeds[0]}–${seeds.at(-1)}` : seeds.join(', ');
}
