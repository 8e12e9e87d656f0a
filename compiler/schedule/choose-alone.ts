// Which phases one worker does alone, because company would not pay: by the times of each phase, alone and shared, and by how
// much of what the workers read others have made.

import type { ScheduleItem } from '../../runtime/plan.ts';
import type { Machine } from '../kernel/ir.ts';
import { workOf } from './cost.ts';
import { bytesFromAfar } from './from-afar.ts';
import type { PartitionedStep, Share } from './phases.ts';

/** Where so much would be done alone, it is worth a look how much of what is shared comes from others. */
const muchAlone = 16;
/** Longer runs than so many barriers are shared anyhow. */
const longRun = 10_000;
/**
 * Where workers meet after a few microseconds, who comes last is late by more than a barrier takes: 2 µs a phase in a step of 40
 * µs, which was slower for two workers than for one.
 */
const lateness = 4;

/**
 * Which phases one worker does alone. What is shared is taken to come from others, all of it; if much is to be done alone
 * for that reason, as much as does.
 */
export function whichAlone(
  steps: readonly PartitionedStep[],
  shared: readonly Share[],
  alone: readonly Share[],
  machine: Machine,
  workers: number,
): boolean[] {
  const afar = shared.map(({ time }) => time);
  const own = alone.map(({ time }) => time);
  const first = chooseAlone({ near: afar, afar }, { near: own, afar: own }, machine, workers);
  const timeAlone = (chosen: readonly boolean[]): number =>
    own.reduce((sum, time, p) => sum + (chosen[p] ? time : 0), 0);
  const left = timeAlone(first);
  if (left < muchAlone * machine.barrierNs || timeAlone(alone.map(() => true)) > longRun * machine.barrierNs)
    return first;
  const foreign = bytesFromAfar(
    steps,
    shared.map(({ parts }) => parts),
  );
  const near = shared.map(({ parts, time }) =>
    steps[firstStep(parts)]?.times !== undefined
      ? time
      : parts.reduce((most, items) => Math.max(most, timeOf(items, steps, foreign, machine)), 0),
  );
  const fromOthers = Float64Array.from(steps, ({ kernel }) => (kernel.cost.bytes * (workers - 1)) / workers);
  const ownAfar = alone.map(({ parts, time }) =>
    steps[firstStep(parts)]?.times !== undefined ? time : timeOf(parts[0]!, steps, fromOthers, machine),
  );
  return chooseAlone(
    { near, afar },
    { near: own, afar: ownAfar },
    { ...machine, barrierNs: lateness * machine.barrierNs },
    workers,
  );
}

function firstStep(parts: Share['parts']): number {
  const [first] = parts.flat();
  return first?.do === 'run' ? first.step : -1;
}

/** Nanoseconds of what one worker does, when so many bytes of each step come from others. */
function timeOf(
  items: readonly ScheduleItem[],
  steps: readonly PartitionedStep[],
  foreign: Float64Array,
  machine: Machine,
): number {
  return items.reduce((sum, item) => {
    if (item.do !== 'run') return sum;
    const { kernel } = steps[item.step]!;
    const part = (item.end - item.begin) / kernel.unit.extent;
    return sum + machine.callNs + part * workOf(kernel, machine, foreign[item.step]);
  }, 0);
}

/** Nanoseconds of each phase after one that was done in the same way (`near`), and in the other (`afar`). */
interface PhaseTimes {
  readonly near: readonly number[];
  readonly afar: readonly number[];
}

/**
 * Which phases one worker does alone: between two of those there is no barrier (merge-barriers.ts), so a stretch of small
 * phases may be quicker without company. The best choice for all phases, found phase by phase for both ends. Others are
 * woken, and waited for at the end, only if that pays: more workers never make a run slower than one alone.
 */
function chooseAlone(
  shared: PhaseTimes,
  alone: PhaseTimes,
  { barrierNs, wakeNs }: Machine,
  workers: number,
): boolean[] {
  /** Least time until the end of phase p, if it is done alone, and if not; and whether p − 1 is alone then. */
  const time = { alone: 0, shared: 0 };
  const from: { readonly alone: boolean; readonly shared: boolean }[] = [];
  alone.near.forEach((_, p) => {
    const meet = p === 0 ? 0 : barrierNs;
    const alike = { alone: time.alone + alone.near[p]!, shared: time.shared + shared.near[p]! + meet };
    const other = { alone: time.shared + meet + alone.afar[p]!, shared: time.alone + meet + shared.afar[p]! };
    // What is there before the first phase is near to whoever begins.
    if (p === 0) other.alone = alike.alone;
    from.push({ alone: alike.alone <= other.alone, shared: other.shared < alike.shared });
    time.alone = Math.min(alike.alone, other.alone);
    time.shared = Math.min(alike.shared, other.shared);
  });
  const nobodyElse = alone.near.reduce((sum, t) => sum + t, 0);
  const company = barrierNs + (workers - 1) * wakeNs;
  if (nobodyElse <= Math.min(time.alone, time.shared) + company) return alone.near.map(() => true);
  const chosen: boolean[] = [];
  let isAlone = time.alone < time.shared;
  for (let p = from.length - 1; p >= 0; p--) {
    chosen[p] = isAlone;
    isAlone = isAlone ? from[p]!.alone : from[p]!.shared;
  }
  return chosen;
}
