// A profile as a table for people:
//
//   train(batch=64): 142 steps, 12 barriers on 2 workers; means of the middle 8 of 20 runs
//          ms predicted   share  GFLOP/s     GB/s    wait ms  units step
//       2.213     2.104  12.1 %     41.9      1.3      0.041    448 s0b0/convolution
//   …
//   wall 30.1 ms = walk 29.4 + waking 0.2 + copying 0.5
//   workers 58.8 ms = kernels 56.0 + imbalance 2.4 + synchronisation 0.4 (lost 4.8 %)
//   predicted walk 27.9 ms; median error of a step 14.2 %, weighted by time 8.1 %

import { formatDims } from '../spec.ts';
import type { Profile, ProfileStep } from './profile.ts';
import type { Ceiling } from './roofline.ts';

export interface FormatProfileOptions {
  /** Rows; default 20. */
  readonly top?: number;
  /** Say how the loops of each step were chosen; default false. */
  readonly schedules?: boolean;
  /** A second table: each kernel with all its calls; default false. */
  readonly kernels?: boolean;
}

/**
 * The steps that take longest, and where the time goes that is not theirs.
 *
 * @example console.log(formatProfile(await p.profile('train', feeds), { top: 10 }));
 */
export function formatProfile(profile: Profile, options: FormatProfileOptions = {}): string {
  const { top = 20, schedules = false, kernels = false } = options;
  const { entry, dims, steps, workers, barriers, runs, averaged, totals, ceilings } = profile;
  const rowOf = ceilings === null ? rowWithout : rowWith;
  const sizes = formatDims(dims);
  const sorted = [...steps].sort((a, b) => b.ms - a.ms || a.step - b.step);
  const rest = sorted.slice(top);
  const ms = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
  const lines = [
    `${entry}${sizes === '' ? '' : `(${sizes})`}: ${count(steps.length, 'step')}, ${count(barriers, 'barrier')} on ${count(workers, 'worker')}; means of the middle ${averaged} of ${count(runs, 'run')}`,
    rowOf('ms', 'predicted', 'share', 'GFLOP/s', 'GB/s', '÷ ceiling', 'wait ms', 'units', 'step'),
    ...sorted.slice(0, top).flatMap((s) => stepLines(s, schedules, rowOf)),
  ];
  if (rest.length > 0) {
    const sum = (f: (s: ProfileStep) => number): number => rest.reduce((n, s) => n + f(s), 0);
    lines.push(
      rowOf(sum((s) => s.ms).toFixed(3), sum((s) => s.predictedMs ?? 0).toFixed(3), percent(sum((s) => s.share)), '', '', '', sum((s) => s.waitMs).toFixed(3), '', `${rest.length} more`),
    ); // biome-ignore format: a row
  }
  lines.push(
    `wall ${ms(totals.wallMs)} ms = walk ${ms(totals.walkMs)} + waking ${ms(totals.wakeMs)} + copying ${ms(totals.copyMs)}`,
    `workers ${ms(workers * totals.walkMs)} ms = kernels ${ms(totals.kernelMs)} + imbalance ${ms(totals.imbalanceMs)} + synchronisation ${ms(totals.synchronisationMs)} (lost ${percent(totals.lostShare)})`,
    predictionLine(profile),
    ...(ceilings === null ? [] : [ceilingLine(profile, ceilings)]),
  );
  return [...lines, ...(kernels ? kernelLines(profile, top) : [])].join('\n');
}

function predictionLine({ prediction: { walkMs, medianError, medianErrorByTime } }: Profile): string {
  const error =
    medianError === null || medianErrorByTime === null
      ? ''
      : `; median error of a step ${percent(medianError)}, weighted by time ${percent(medianErrorByTime)}`;
  return `predicted walk ${walkMs.toFixed(walkMs < 10 ? 3 : 1)} ms${error}`;
}

/** At the ceilings, of all workers, the work of all steps would take so long: the share of the walk that is well spent. */
function ceilingLine({ steps, workers, totals }: Profile, { gflops, gbps }: Ceiling): string {
  const all = steps.reduce((sum, s) => sum + (s.ofCeiling ?? 0) * s.ms, 0);
  const share = totals.walkMs === 0 ? 0 : all / totals.walkMs;
  return `ceilings of a core ${gflops.toFixed(1)} GFLOP/s, ${gbps.toFixed(1)} GB/s; on ${count(workers, 'worker')} the walk reaches ${percent(share)} of them`;
}

function kernelLines({ kernels }: Profile, top: number): string[] {
  const sorted = [...kernels].sort((a, b) => b.ms - a.ms).slice(0, top);
  const row = (...cells: readonly string[]): string =>
    cells.map((c, i) => (i === 3 ? c : c.padStart(9))).join(' ');
  return [
    row('ms', 'predicted', 'steps', 'kernel'),
    ...sorted.map((k) => row(k.ms.toFixed(3), predictedText(k), String(k.steps), k.kernel)),
  ];
}

function predictedText({ predictedMs }: { readonly predictedMs: number | null }): string {
  return predictedMs === null ? '–' : predictedMs.toFixed(3);
}

function stepLines(s: ProfileStep, schedules: boolean, rowOf: typeof rowWith): string[] {
  const rate = (value: number | null): string => (value === null ? '–' : value.toFixed(1));
  const line = rowOf(s.ms.toFixed(3), predictedText(s), percent(s.share), rate(s.gflops), rate(s.gbps), ceilingText(s), s.waitMs.toFixed(3), String(s.units), s.label); // biome-ignore format: a row
  return schedules && s.schedule !== null ? [line, `${' '.repeat(12)}${s.schedule}`] : [line];
}

/** `0.83 a`: of the ceiling of arithmetic; `b`: of bandwidth. */
function ceilingText({ ofCeiling, boundBy }: ProfileStep): string {
  return ofCeiling === null || boundBy === null ? '–' : `${ofCeiling.toFixed(2)} ${boundBy[0]}`;
}

const widths = [9, 9, 7, 8, 8, 9, 10, 6];
const ceilingColumn = 5;

function rowWith(...cells: readonly string[]): string {
  const last = cells.length - 1;
  return cells.map((c, i) => (i === last ? c : c.padStart(widths[i]!))).join(' ');
}

function rowWithout(...cells: readonly string[]): string {
  const last = cells.length - 1;
  return cells
    .map((c, i) => (i === last ? c : c.padStart(widths[i]!)))
    .filter((_, i) => i !== ceilingColumn)
    .join(' ');
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
