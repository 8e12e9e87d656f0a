// From what workers noted to what a person asks: which step takes the time, how fast it is, what is lost between steps.
// Pure. Invariant, in each run: workers · walk = kernels + imbalance + synchronisation, since spans have no gaps. Figures are
// means over the third of the runs in the middle, by wall time: unlike medians, means of parts add up to that of the
// whole, and unlike the mean over all runs, they do not see the run in which the machine did something else.

import { timesOfSteps } from '../../runtime/loops.ts';
import type { PlanManifest } from '../../runtime/plan.ts';
import { tensorBytes } from '../../runtime/tensor.ts';
import type { MeasuredOn } from '../engine.ts';
import type { Dims } from '../spec.ts';
import { type Prediction, predict, relativeError } from './predict.ts';
import type { Profile, ProfileKernel, ProfileStep, ProfileTotals } from './profile.ts';
import { boundOf, type Ceiling } from './roofline.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import { traceOf } from './trace.ts';

/** The profile of an entry, from the plan that ran and the times of its runs. */
export function summarise(
  entry: string,
  dims: Dims,
  manifest: PlanManifest,
  { walk, runs, machine }: MeasuredOn,
  ceilings: Ceiling | null = null,
): Profile {
  const timelines = runs.map((run) => timelineOf(walk, run));
  const chosen = inTheMiddle(timelines);
  const totals = timelines.map(totalsOf);
  const workers = walk.lists.length;
  const predicted = predict(manifest, walk, machine);
  const steps = stepsOf(manifest, workers, { all: timelines, chosen }, predicted, ceilings);
  const errors = steps.flatMap(({ predictedMs, ms }): WeightedError[] => {
    const error = relativeError(predictedMs, ms);
    return error === null ? [] : [{ error, weight: ms }];
  });
  const typical = timelines[nearest(totals.map((t) => t.wallMs))]!;
  return {
    entry,
    dims,
    target: manifest.target,
    workers,
    runs: runs.length,
    averaged: chosen.length,
    ceilings,
    barriers: waitsOf(timelines[0]!).length,
    memoryBytes: memoryOf(manifest),
    steps,
    kernels: kernelsOf(manifest, steps),
    prediction: {
      walkMs: predicted.walkMs,
      medianError: errors.length === 0 ? null : median(errors.map(({ error }) => error)),
      medianErrorByTime: weightedMedian(errors),
    },
    totals: means(chosen.map(totalsOf)),
    trace: () => traceOf(typical, manifest),
  };
}

interface WeightedError {
  readonly error: number;
  readonly weight: number;
}

/** The least error such that half of the weight has it or less. */
function weightedMedian(errors: readonly WeightedError[]): number | null {
  const half = sum(errors.map(({ weight }) => weight)) / 2;
  let weight = 0;
  for (const e of [...errors].sort((a, b) => a.error - b.error)) {
    weight += e.weight;
    if (weight >= half) return e.error;
  }
  return null;
}

/** Bytes of arena, constants, and variables in both banks. */
export function memoryOf({ arenaBytes, constantBytes, variables }: PlanManifest): number {
  return arenaBytes + constantBytes + sum(variables.map((v) => tensorBytes(v) * (v.updated ? 2 : 1)));
}

function stepsOf(
  manifest: PlanManifest,
  workers: number,
  { all, chosen }: { readonly all: readonly Timeline[]; readonly chosen: readonly Timeline[] },
  predicted: Prediction,
  ceilings: Ceiling | null,
): readonly ProfileStep[] {
  const count = manifest.steps.length;
  // By run, step, worker: a worker may run several parts of a step.
  const timesOf = (timeline: Timeline): Float64Array[] => {
    const ms = Array.from({ length: count }, () => new Float64Array(workers));
    timeline.workers.forEach(({ spans }, worker) => {
      for (const s of spans) if (s.kind === 'kernel') ms[s.index]![worker]! += s.to - s.from;
    });
    return ms;
  };
  const times = chosen.map(timesOf);
  const allTimes = all.map(timesOf);
  const repeats = timesOfSteps(manifest);
  const phase = new Array<number>(count).fill(0);
  /** The steps of each phase; those of a loop are in many. */
  const inPhase: Set<number>[] = [];
  for (const { spans } of all[0]!.workers) {
    for (const s of spans) {
      if (s.kind !== 'kernel') continue;
      phase[s.index] = s.phase;
      inPhase[s.phase] = (inPhase[s.phase] ?? new Set()).add(s.index);
    }
  }

  const longest = (ms: readonly Float64Array[], step: number): number => Math.max(...ms[step]!);
  const ms = manifest.steps.map((_, s) => mean(times.map((t) => longest(t, s))));
  const msPerWorker = manifest.steps.map((_, s) =>
    Array.from({ length: workers }, (_, w) => mean(times.map((t) => t[s]![w]!))),
  );
  const total = sum(msPerWorker.flat());
  const waits = waitMs(ms, inPhase, chosen);
  return manifest.steps.map(({ label, kernel, units }, s) => {
    const { name, work: once } = manifest.kernels[kernel]!;
    const work = once && { flops: once.flops * repeats[s]!, bytes: once.bytes * repeats[s]! };
    const cores = msPerWorker[s]!.filter((x) => x > 0).length;
    const bound =
      ceilings === null || work === undefined || cores === 0
        ? null
        : boundOf(work, { gflops: cores * ceilings.gflops, gbps: cores * ceilings.gbps });
    const rate = (amount: number | undefined): number | null =>
      amount === undefined || ms[s] === 0 ? null : amount / ms[s]! / 1e6;
    return {
      step: s,
      label,
      kernel: name,
      schedule: once?.schedule ?? null,
      phase: phase[s]!,
      units,
      flops: work?.flops ?? null,
      bytes: work?.bytes ?? null,
      msPerWorker: msPerWorker[s]!,
      ms: ms[s]!,
      bestMs: Math.min(...allTimes.map((t) => longest(t, s))),
      predictedMs: predicted.steps[s]!,
      gflops: rate(work?.flops),
      gbps: rate(work?.bytes),
      ofCeiling: bound === null || ms[s] === 0 ? null : bound.ms / ms[s]!,
      boundBy: bound?.by ?? null,
      share: total === 0 ? 0 : sum(msPerWorker[s]!) / total,
      waitMs: waits[s]!,
    };
  });
}

function kernelsOf(manifest: PlanManifest, steps: readonly ProfileStep[]): ProfileKernel[] {
  return manifest.kernels.flatMap(({ name, work }, k) => {
    const own = steps.filter((_, s) => manifest.steps[s]!.kernel === k);
    if (own.length === 0) return [];
    const predictions = own.map((s) => s.predictedMs);
    const predictedMs = predictions.every((x) => x !== null) ? sum(predictions) : null;
    const ms = sum(own.map((s) => s.ms));
    return [{ kernel: name, schedule: work?.schedule ?? null, steps: own.length, ms, predictedMs }];
  });
}

/** Of each step, what was waited at the barrier after its phase, when no other step of the phase took longer. */
function waitMs(
  ms: readonly number[],
  inPhase: readonly (ReadonlySet<number> | undefined)[],
  timelines: readonly Timeline[],
): number[] {
  const waits = ms.map(() => 0);
  const runs = timelines.map(waitsOf);
  runs[0]!.forEach((_, barrier) => {
    let blamed = -1;
    for (const s of [...(inPhase[barrier] ?? [])].sort((a, b) => a - b)) {
      if (blamed < 0 || ms[s]! > ms[blamed]!) blamed = s;
    }
    if (blamed >= 0) waits[blamed]! += mean(runs.map((w) => sum(w[barrier]!)));
  });
  return waits;
}

/** By barrier, the wait of each worker. */
function waitsOf({ workers }: Timeline): number[][] {
  const lists = workers.map(({ spans }) => spans.filter((s) => s.kind === 'wait').map((s) => s.to - s.from));
  return (lists[0] ?? []).map((_, barrier) => lists.map((list) => list[barrier]!));
}

function totalsOf(timeline: Timeline): ProfileTotals {
  const { workers, wallMs, preparedAt, returnedAt } = timeline;
  const begin = Math.min(...workers.map((w) => w.from));
  const end = Math.max(...workers.map((w) => w.to));
  const walkMs = end - begin;
  const kernelMs = sum(
    workers.flatMap(({ spans }) => spans.filter((s) => s.kind === 'kernel').map((s) => s.to - s.from)),
  );
  let synchronisationMs = sum(workers.map((w) => w.from - begin));
  let imbalanceMs = sum(workers.map((w) => end - w.to));
  for (const waits of waitsOf(timeline)) {
    // The last to arrive waits for nobody: what it spends at the barrier is the barrier.
    const least = Math.min(...waits);
    synchronisationMs += least * waits.length;
    imbalanceMs += sum(waits) - least * waits.length;
  }
  return {
    wallMs,
    walkMs,
    wakeMs: returnedAt - preparedAt - walkMs,
    copyMs: preparedAt + wallMs - returnedAt,
    kernelMs,
    imbalanceMs,
    synchronisationMs,
    lostShare: walkMs === 0 ? 0 : (imbalanceMs + synchronisationMs) / (workers.length * walkMs),
  };
}

function means(totals: readonly ProfileTotals[]): ProfileTotals {
  const keys = Object.keys(totals[0]!) as (keyof ProfileTotals)[];
  return Object.fromEntries(
    keys.map((key) => [key, mean(totals.map((t) => t[key]))]),
  ) as unknown as ProfileTotals;
}

/** A third of the runs, at least one, without the fastest and the slowest; in the order of the runs. */
function inTheMiddle(timelines: readonly Timeline[]): readonly Timeline[] {
  const out = Math.floor(timelines.length / 3);
  const sorted = [...timelines].sort((a, b) => a.wallMs - b.wallMs);
  const kept = new Set(sorted.slice(out, sorted.length - out));
  return timelines.filter((timeline) => kept.has(timeline));
}

function mean(list: readonly number[]): number {
  return sum(list) / list.length;
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Position of the value nearest to the median. */
function nearest(list: readonly number[]): number {
  const m = median(list);
  const distance = list.map((x) => Math.abs(x - m));
  return distance.indexOf(Math.min(...distance));
}
