// From what workers noted to what a person asks: which step takes the time, how fast it is, what is lost between steps.
// Pure. Invariant, in each run: workers · walk = kernels + imbalance + synchronisation, since spans have no gaps.

import type { PlanManifest } from '../../runtime/plan.ts';
import { tensorBytes } from '../../runtime/tensor.ts';
import type { MeasuredOn } from '../engine.ts';
import type { Dims } from '../spec.ts';
import { type Prediction, predict, relativeError } from './predict.ts';
import type { Profile, ProfileKernel, ProfileStep, ProfileTotals } from './profile.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import { traceOf } from './trace.ts';

/** The profile of an entry, from the plan that ran and the times of its runs. */
export function summarise(
  entry: string,
  dims: Dims,
  manifest: PlanManifest,
  { walk, runs, machine }: MeasuredOn,
): Profile {
  const timelines = runs.map((run) => timelineOf(walk, run));
  const totals = timelines.map(totalsOf);
  const workers = walk.lists.length;
  const predicted = predict(manifest, walk, machine);
  const steps = stepsOf(manifest, workers, timelines, predicted);
  const errors = steps.map((s) => relativeError(s.predictedMs, s.ms)).filter((e) => e !== null);
  const typical = timelines[nearest(totals.map((t) => t.wallMs))]!;
  return {
    entry,
    dims,
    target: manifest.target,
    workers,
    runs: runs.length,
    barriers: waitsOf(timelines[0]!).length,
    memoryBytes: memoryOf(manifest),
    steps,
    kernels: kernelsOf(manifest, steps),
    prediction: { walkMs: predicted.walkMs, medianError: errors.length === 0 ? null : median(errors) },
    totals: medians(totals),
    trace: () => traceOf(typical, manifest),
  };
}

function memoryOf({ arenaBytes, constantBytes, variables }: PlanManifest): number {
  return arenaBytes + constantBytes + sum(variables.map((v) => tensorBytes(v) * (v.updated ? 2 : 1)));
}

function stepsOf(
  manifest: PlanManifest,
  workers: number,
  timelines: readonly Timeline[],
  predicted: Prediction,
): readonly ProfileStep[] {
  const count = manifest.steps.length;
  // By run, step, worker: a worker may run several parts of a step.
  const times = timelines.map((timeline) => {
    const ms = Array.from({ length: count }, () => new Float64Array(workers));
    timeline.workers.forEach(({ spans }, worker) => {
      for (const s of spans) if (s.kind === 'kernel') ms[s.index]![worker]! += s.to - s.from;
    });
    return ms;
  });
  const phase = new Array<number>(count).fill(0);
  for (const { spans } of timelines[0]!.workers)
    for (const s of spans) if (s.kind === 'kernel') phase[s.index] = s.phase;

  const longest = (ms: readonly Float64Array[], step: number): number => Math.max(...ms[step]!);
  const ms = manifest.steps.map((_, s) => median(times.map((t) => longest(t, s))));
  const msPerWorker = manifest.steps.map((_, s) =>
    Array.from({ length: workers }, (_, w) => median(times.map((t) => t[s]![w]!))),
  );
  const total = sum(msPerWorker.flat());
  const waits = waitMs(ms, phase, timelines);
  return manifest.steps.map(({ label, kernel, units }, s) => {
    const { name, work } = manifest.kernels[kernel]!;
    const rate = (amount: number | undefined): number | null =>
      amount === undefined || ms[s] === 0 ? null : amount / ms[s]! / 1e6;
    return {
      step: s,
      label,
      kernel: name,
      schedule: work?.schedule ?? null,
      phase: phase[s]!,
      units,
      flops: work?.flops ?? null,
      bytes: work?.bytes ?? null,
      msPerWorker: msPerWorker[s]!,
      ms: ms[s]!,
      bestMs: Math.min(...times.map((t) => longest(t, s))),
      predictedMs: predicted.steps[s]!,
      gflops: rate(work?.flops),
      gbps: rate(work?.bytes),
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
function waitMs(ms: readonly number[], phase: readonly number[], timelines: readonly Timeline[]): number[] {
  const waits = ms.map(() => 0);
  const runs = timelines.map(waitsOf);
  runs[0]!.forEach((_, barrier) => {
    let blamed = -1;
    phase.forEach((p, s) => {
      if (p === barrier && (blamed < 0 || ms[s]! > ms[blamed]!)) blamed = s;
    });
    if (blamed >= 0) waits[blamed] = median(runs.map((w) => sum(w[barrier]!)));
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

function medians(totals: readonly ProfileTotals[]): ProfileTotals {
  const keys = Object.keys(totals[0]!) as (keyof ProfileTotals)[];
  return Object.fromEntries(
    keys.map((key) => [key, median(totals.map((t) => t[key]))]),
  ) as unknown as ProfileTotals;
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
