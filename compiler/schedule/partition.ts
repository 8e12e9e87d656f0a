// Partition: hands the units of each step to the workers, phase by phase.
//
//   phase      step 3: 8 units      step 4: 1 unit     step 5: 3 units      worker 0   worker 1
//                                                                           3 [0, 4)   3 [4, 8)
//                                                                           5 [0, 1)   4 [0, 1)
//                                                                                      5 [1, 3)   (if 4 is light)
//
// Units are fixed by the kernel and indivisible, groups (phases.ts) too. What is coarsest is handed out first, so that
// what is fine evens out the rest; a worker gets one contiguous range of each step. Results never depend on it.

import type { PlanSchedule, ScheduleItem } from '../../runtime/plan.ts';
import type { Machine } from '../kernel/ir.ts';
import type { StepCost } from './barriers.ts';
import { whichAlone } from './choose-alone.ts';
import { fromAfar, stepCosts, workOf } from './cost.ts';
import type { PartitionedStep, Phase, Phases, Share } from './phases.ts';

/** Steps of at most so many calls' time are not split while others keep the workers busy. */
const smallPiece = 64;

/** One list of work per worker. A step that stands for a loop is in the lists of all, or of the first worker alone. */
export function partition(
  steps: readonly PartitionedStep[],
  machine: Machine,
  phases: Phases,
  workers: number,
): PlanSchedule {
  const costs = stepCosts(steps, machine);
  const lists: ScheduleItem[][] = Array.from({ length: workers }, () => []);
  const afar = fromAfar(machine);
  const costsAfar = stepCosts(steps, afar);
  const shared = phases.phases.map((phase) => share(phase, costsAfar, phases.group, steps, afar, workers));
  const alone = phases.phases.map((phase) => shareAlone(phase, costs, steps, workers));
  const isAlone = workers === 1 ? [] : whichAlone(steps, shared, alone, machine, workers);
  phases.phases.forEach((_, p) => {
    if (p > 0) for (const list of lists) list.push({ do: 'barrier' });
    const { parts } = isAlone[p] ? alone[p]! : shared[p]!;
    parts.forEach((items, worker) => {
      lists[worker]!.push(...items);
    });
  });
  return { workers, lists };
}

function shareAlone(
  { begin, end }: Phase,
  costs: readonly StepCost[],
  steps: readonly PartitionedStep[],
  workers: number,
): Share {
  const parts: ScheduleItem[][] = Array.from({ length: workers }, () => []);
  let time = 0;
  for (let step = begin; step < end; step++) {
    parts[0]!.push({ do: 'run', step, begin: 0, end: steps[step]!.kernel.unit.extent });
    time += steps[step]!.times?.alone ?? costs[step]!.cost;
  }
  return { parts, time };
}

/** Hands out what is coarsest first; small steps go to one worker as a whole while that keeps the loads even. */
function share(
  { begin, end }: Phase,
  costs: readonly StepCost[],
  group: Int32Array,
  steps: readonly PartitionedStep[],
  machine: Machine,
  workers: number,
): Share {
  // A loop that may be shared is a phase of its own.
  const { times } = steps[begin]!;
  if (times !== undefined && workers > 1 && end === begin + 1 && group[begin]! < 0) {
    const run: ScheduleItem = { do: 'run', step: begin, begin: 0, end: 1 };
    return { parts: Array.from({ length: workers }, () => [run]), time: times.shared };
  }
  const parts: ScheduleItem[][] = Array.from({ length: workers }, () => []);
  const load = new Float64Array(workers);
  const pieces = piecesOf(begin, end, costs, group, steps, machine);
  const even = pieces.reduce((sum, piece) => sum + piece.cost, 0) / workers;
  for (const piece of pieces) {
    const least = leastLoaded(load);
    const fits = piece.cost <= smallPiece * machine.callNs && load[least]! + piece.cost <= even;
    if (piece.kind === 'group' || fits) {
      load[least]! += piece.cost;
      const whole = piece.kind === 'group' ? piece.steps : [piece.step];
      for (const step of whole) {
        parts[least]!.push({ do: 'run', step, begin: 0, end: steps[step]!.kernel.unit.extent });
      }
      continue;
    }
    const counts = shareUnits(piece.units, piece.grain, load);
    let from = 0;
    counts.forEach((count, worker) => {
      if (count > 0) {
        parts[worker]!.push({ do: 'run', step: piece.step, begin: from, end: from + count });
        load[worker]! += count * piece.grain + machine.callNs;
      }
      from += count;
    });
  }
  for (const items of parts) items.sort((a, b) => stepOf(a) - stepOf(b));
  return { parts, time: load.reduce((most, l) => Math.max(most, l), 0) };
}

function stepOf(item: ScheduleItem): number {
  return item.do === 'run' ? item.step : -1;
}

type Piece =
  | {
      readonly kind: 'group';
      readonly grain: number;
      readonly cost: number;
      readonly steps: readonly number[];
    }
  | {
      readonly kind: 'units';
      readonly grain: number;
      readonly cost: number;
      readonly step: number;
      readonly units: number;
    };

/** What a phase hands out, the coarsest grain first; equal grains in step order. */
function piecesOf(
  begin: number,
  end: number,
  costs: readonly StepCost[],
  group: Int32Array,
  steps: readonly PartitionedStep[],
  machine: Machine,
): Piece[] {
  const groups = new Map<number, { steps: number[]; cost: number }>();
  const pieces: Piece[] = [];
  for (let s = begin; s < end; s++) {
    const { cost } = costs[s]!;
    const g = group[s]!;
    if (g < 0) {
      const { kernel } = steps[s]!;
      const units = kernel.unit.extent;
      pieces.push({ kind: 'units', grain: workOf(kernel, machine) / units, cost, step: s, units });
      continue;
    }
    const known = groups.get(g) ?? { steps: [], cost: 0 };
    known.steps.push(s);
    known.cost += cost;
    groups.set(g, known);
  }
  for (const { steps, cost } of groups.values()) pieces.push({ kind: 'group', grain: cost, cost, steps });
  return pieces.sort((a, b) => b.grain - a.grain);
}

function leastLoaded(load: Float64Array): number {
  let least = 0;
  for (let w = 1; w < load.length; w++) if (load[w]! < load[least]!) least = w;
  return least;
}

/**
 * How many units each worker gets so that the most loaded has as little as possible: all are filled to one level, and
 * what does not divide goes, unit by unit, to the least loaded.
 */
function shareUnits(units: number, grain: number, load: Float64Array): number[] {
  const level = waterLevel(units * grain, load);
  const counts = Array.from(load, (l) => Math.max(0, Math.floor((level - l) / grain + 1e-9)));
  let left = units - counts.reduce((a, b) => a + b, 0);
  const filled = Float64Array.from(load, (l, w) => l + counts[w]! * grain);
  for (; left > 0; left--) {
    const worker = leastLoaded(filled);
    counts[worker]!++;
    filled[worker]! += grain;
  }
  for (; left < 0; left++) {
    const worker = counts.findLastIndex((count) => count > 0);
    counts[worker]!--;
  }
  return counts;
}

/** The level to which `amount` fills the loads, as water fills a vessel with steps. */
function waterLevel(amount: number, load: Float64Array): number {
  const sorted = Float64Array.from(load).sort();
  let sum = 0;
  for (let k = 0; k < sorted.length; k++) {
    sum += sorted[k]!;
    const level = (amount + sum) / (k + 1);
    if (k + 1 === sorted.length || level <= sorted[k + 1]!) return level;
  }
  return amount;
}
