// Arranging: in which order the steps run, which of them run twice to save memory, and where all workers must meet. Reads
// as the list of decisions:
//
//   the least memory, by order alone → steps copied where that saves memory → phases that need no more than that
//
// The program that comes out is never larger in memory than the one that came in, in its own order.

import type { Machine } from '../kernel/ir.ts';
import { findPhases } from './barriers.ts';
import { costOf, smallCost, stepCosts } from './cost.ts';
import { dependencesOf } from './dependences.ts';
import { depthFirstOrder } from './depth-first.ts';
import { improveOrder } from './improve-order.ts';
import { highest, LiveFacts, type LiveModel, liveModel, liveProfile, roomAtOnce } from './live.ts';
import type { Lowered } from './lowered.ts';
import { orderSteps } from './order.ts';
import { type Phases, singlePhase } from './phases.ts';
import { rematerialize } from './rematerialize.ts';

export interface ArrangeOptions {
  /** Some schedule is for several workers. */
  readonly isParallel: boolean;
  readonly machine: Machine;
  /** Bytes that the arena may have; null: as few as cost next to no time. */
  readonly budget: number | null;
  /** Whether steps may be copied; default true. */
  readonly copies?: boolean;
}

export interface Arranged {
  /** The program in its order, with copies of steps. */
  readonly lowered: Lowered;
  readonly phases: Phases;
  /** The most bytes alive at once when steps run one after another. */
  readonly peak: number;
}

/** Part of the program's cost that copies of steps may add when nobody asked for less memory. */
const freeShare = 0.03;
/** Copies are free when they take no longer than moving what they make so often: no products, whose data have left the caches. */
const freePerByte = 2;

/** What fewer barriers may cost in memory, as a factor. */
const roomForBarriers = 1 + 1 / 64;

/** Deterministic; effort is counted. */
export function arrange(program: Lowered, options: ArrangeOptions): Arranged {
  const { machine } = options;
  const facts = new LiveFacts();
  const model = liveModel(program, facts);
  const ordered = leastMemory(program, model, [
    firstOrder(program, model),
    orderSteps(program, dependencesOf(program)),
  ]);
  const smaller =
    options.copies === false
      ? ordered.lowered
      : rematerialize(ordered.lowered, { machine, ...limitsOf(program, options.budget, machine) }, facts);
  const best =
    smaller === ordered.lowered
      ? ordered
      : leastMemory(smaller, liveModel(smaller, facts), [ownOrder(smaller)]);
  if (!options.isParallel) return { ...best, phases: singlePhase(best.lowered.steps.length) };
  const limit = options.budget ?? best.peak * roomForBarriers;
  return fewestBarriers(best, Math.max(best.peak, limit), machine, facts);
}

function limitsOf(
  program: Lowered,
  budget: number | null,
  machine: Machine,
): { goal: number; allowance: number; mostPerByte: number } {
  if (budget !== null) {
    return { goal: budget, allowance: Number.POSITIVE_INFINITY, mostPerByte: Number.POSITIVE_INFINITY };
  }
  const total = program.steps.reduce((sum, step) => sum + costOf(step.kernel, machine), 0);
  return { goal: 0, allowance: freeShare * total, mostPerByte: freePerByte / machine.bytesPerNs };
}

interface Ordered {
  readonly lowered: Lowered;
  readonly peak: number;
}

/** The program's own order, or depth first if that needs less memory. */
function firstOrder(program: Lowered, model: LiveModel): readonly number[] {
  const [own, deep] = [ownOrder(program), depthFirstOrder(dependencesOf(program))];
  return highest(liveProfile(model, deep)) < highest(liveProfile(model, own)) ? deep : own;
}

function ownOrder(program: Lowered): number[] {
  return program.steps.map((_, s) => s);
}

/** The order with the least memory of those that the search finds from each start. */
function leastMemory(program: Lowered, model: LiveModel, starts: readonly (readonly number[])[]): Ordered {
  const dependences = dependencesOf(program);
  let best: { order: readonly number[]; peak: number } | null = null;
  for (const start of starts) {
    const order = improveOrder(model, dependences, start);
    const peak = highest(liveProfile(model, order));
    if (!best || peak < best.peak) best = { order, peak };
  }
  return { lowered: inOrder(program, best!.order), peak: best!.peak };
}

function inOrder(program: Lowered, order: readonly number[]): Lowered {
  return { ...program, steps: order.map((s) => program.steps[s]!) };
}

/** The order itself, or the list schedule of it when that has fewer barriers; within `limit` bytes. */
function fewestBarriers(
  { lowered, peak }: Ordered,
  limit: number,
  machine: Machine,
  facts: LiveFacts,
): Arranged {
  const listed = inOrder(lowered, orderSteps(lowered, dependencesOf(lowered)));
  const found = [lowered, listed].flatMap((program): Arranged[] => {
    const model = liveModel(program, facts);
    if (highest(liveProfile(model, ownOrder(program))) > limit) return [];
    const room = roomAtOnce(model, limit);
    const phases = findPhases(
      dependencesOf(program).before,
      stepCosts(program.steps, machine),
      smallCost(machine),
      room,
    );
    return [{ lowered: program, phases, peak }];
  });
  return found.reduce((a, b) => (b.phases.phases.length < a.phases.phases.length ? b : a));
}
