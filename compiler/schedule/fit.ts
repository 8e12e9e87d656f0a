// Fitting a program into memory: its steps are arranged, its buffers placed, its work divided, for the bodies of its loops and
// for what stands around them; again with less memory in mind until the arena is within the budget, where there is one.

import type { PlanSchedule } from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';
import type { Machine, Target } from '../kernel/ir.ts';
import { type Arranged, arrange } from './arrange.ts';
import { defaultMachine } from './cost.ts';
import { foldLoops } from './fold-loops.ts';
import { findInPlacePairs, type InPlacePair } from './inplace.ts';
import { lifetimesOf, peakBytes, widen } from './lifetimes.ts';
import type { Buffer, BufferId, Lowered, LoweredLoop, LoweredStep } from './lowered.ts';
import { partition } from './partition.ts';
import type { Lifetime, PartitionedStep } from './phases.ts';
import { place } from './place.ts';
import { type Body, isShared, partitionBody, timesOfLoop } from './schedule-loops.ts';

/** Offsets in the arena are multiples of a cache line, or of an element where all of it lies in a cache anyway. */
const alignment = 64;
const smallAlignment = 4;
const smallArena = 16384;

/** What memory and work are divided by. */
export interface FitOptions {
  readonly target: Target;
  /** Worker counts to make schedules for. */
  readonly workers: readonly number[];
  /** Bytes that the arena may have; default: as few as cost next to no time. */
  readonly budget?: number | undefined;
  /** Measured on the machine that will run the plan; default: the target's. */
  readonly machine?: Machine | undefined;
  /** Looks at buffers that placement may spend (place.ts). */
  readonly placementEffort?: number;
}

/** Rounds in which memory is arranged for less than the budget, since placement left gaps; and then for as little as can be. */
const budgetRounds = 4;
const leastGoal = 1;

/** The work of one number of workers: around loops, and in each body. */
export interface Division {
  readonly outer: PlanSchedule;
  readonly bodies: readonly PlanSchedule[];
}

/** A program with a step for each loop, arranged and placed, and the bodies. */
export interface Fitted extends Arranged {
  readonly lifetimes: readonly (Lifetime | null)[];
  readonly arena: Arena;
  readonly bodies: readonly Body[];
  readonly loopOf: Int32Array;
  /** For each number of workers. */
  readonly divisions: readonly Division[];
}

/** The program arranged and placed; within the budget, or HDL0018. */
export function fitBudget(program: Lowered, options: FitOptions): Fitted {
  const isParallel = options.workers.some((w) => w > 1);
  const { budget = null } = options;
  checkBudget(budget);
  const machine = machineOf(options);
  const folded = foldLoops(program);
  const bodies = folded.bodies.map((body, l) => arrangeBody(body, program.loops![l]!, isParallel, options));
  const outer = withScratch(folded.outer, bodies);
  const { loopOf } = folded;
  const inBodies = options.workers.map((n) => bodies.map((body) => partitionBody(body, machine, n)));
  const divide = ({ lowered, phases }: Arranged): Division[] =>
    options.workers.map((n, k) => {
      const steps = lowered.steps.map(
        (step): PartitionedStep =>
          step.loop === undefined
            ? step
            : { ...step, times: timesOfLoop(bodies[step.loop]!, inBodies[k]![step.loop]!, machine) },
      );
      return { outer: partition(steps, machine, phases, n), bodies: inBodies[k]! };
    });
  let goal = budget;
  for (let round = 1; ; round++) {
    let arranged = arrange(outer, { isParallel, machine, budget: goal });
    let divisions = divide(arranged);
    // Steps that one worker does alone need no room to run at once.
    if (isParallel && divisions.every((d) => !isShared(d.outer))) {
      arranged = arrange(outer, { isParallel: false, machine, budget: goal });
      divisions = divide(arranged);
    }
    const { lifetimes, arena } = placeIn(arranged, options);
    if (budget === null || goal === null || arena.height <= budget)
      return {
        ...arranged,
        lifetimes,
        arena,
        bodies,
        loopOf,
        divisions,
      };
    if (goal === leastGoal) throw overBudget(program, arena.height, budget);
    // What placement lost may be had back by less at once; at last by the least that there is, which a refusal names.
    const isLast = arena.lowerBound > goal || round === budgetRounds;
    goal = isLast ? leastGoal : Math.max(leastGoal, goal - (arena.height - budget));
  }
}

/** Where the buffers of an arranged program lie. */
function placeIn(
  { lowered, phases }: Arranged,
  { placementEffort }: FitOptions,
): Pick<Fitted, 'lifetimes' | 'arena'> {
  const lifetimes = lifetimesOf(lowered);
  const pairs = findInPlacePairs(lowered, lifetimes, phases);
  return { lifetimes, arena: placeArena(lowered, widen(lifetimes, phases), pairs, placementEffort) };
}

/** The body of a loop on its own: nothing of it is computed twice, and it needs what it needs. */
function arrangeBody(body: Lowered, loop: LoweredLoop, isParallel: boolean, options: FitOptions): Body {
  const machine = machineOf(options);
  const arranged = arrange(body, { isParallel, machine, budget: null, copies: false });
  const { lifetimes, arena } = placeIn(arranged, options);
  return { ...arranged, loop, lifetimes, offsets: arena.offsets, height: arena.height };
}

/** The program around loops, whose steps also write a buffer that holds what lives within an iteration. */
function withScratch(outer: Lowered, bodies: readonly Body[]): Lowered {
  if (bodies.length === 0) return outer;
  const first = outer.buffers.length;
  const scratch = bodies.map(
    ({ loop, height }, l): Buffer => ({
      id: (first + l) as BufferId,
      name: `${loop.label} (scratch)`,
      type: { dtype: 'u8', shape: [height] },
      order: [0],
      bytes: height,
      home: { kind: 'arena', role: 'temporary' },
      node: null,
    }),
  );
  const steps = outer.steps.map((step): LoweredStep => {
    if (step.loop === undefined) return step;
    const { id, bytes } = scratch[step.loop]!;
    const params = step.kernel.params.map((p, i) => (i < step.args.length ? p : { ...p, elements: bytes }));
    return { ...step, kernel: { ...step.kernel, params }, args: [...step.args, id] };
  });
  return { ...outer, buffers: [...outer.buffers, ...scratch], steps };
}

function checkBudget(budget: number | null): void {
  if (budget === null || (Number.isFinite(budget) && budget > 0)) return;
  throw compilerError('HDL0003', {
    what: `memory budget is ${budget}`,
    rule: 'a memory budget is a positive number of bytes',
    hint: 'pass for example memory: { budget: 24e6 }',
  });
}

function overBudget({ entry }: Lowered, needed: number, budget: number): Error {
  const bytes = (n: number): string => `${Math.ceil(n)} bytes`;
  return compilerError('HDL0018', {
    what: `entry '${entry}' fits in an arena of ${bytes(needed)}, the budget is ${bytes(budget)}: ${bytes(needed - budget)} too much`,
    rule: 'the arena holds what is alive at once, after everything has been computed again that helps',
    hint: 'use a smaller batch, or a larger memory: { budget }',
  });
}

export function machineOf({ machine, target }: FitOptions): Machine {
  return machine ?? target.machine ?? defaultMachine;
}

export interface Arena {
  /** By buffer id. */
  readonly offsets: readonly number[];
  readonly height: number;
  readonly lowerBound: number;
}

/** Buffers that follow each other in place are one interval. */
function placeArena(
  lowered: Lowered,
  lifetimes: readonly (Lifetime | null)[],
  pairs: readonly InPlacePair[],
  effort: number | undefined,
): Arena {
  const head = lowered.buffers.map((b) => b.id as number);
  // Pairs are in step order, so the input's own head is known.
  for (const { input, output } of pairs) head[output] = head[input]!;
  const spans = new Map<number, { from: number; to: number }>();
  lifetimes.forEach((l, id) => {
    if (!l) return;
    const span = spans.get(head[id]!);
    if (!span) spans.set(head[id]!, { ...l });
    else {
      span.from = Math.min(span.from, l.from);
      span.to = Math.max(span.to, l.to);
    }
  });
  const intervals = [...spans].map(([id, l]) => ({ id, ...l, bytes: lowered.buffers[id]!.bytes }));
  const isSmall = peakBytes(lifetimes, (id) => lowered.buffers[id]!.bytes) <= smallArena;
  const placed = place(intervals, {
    alignment: isSmall ? smallAlignment : alignment,
    ...(effort === undefined ? {} : { effort }),
  });
  const at = new Map(intervals.map((x, k) => [x.id, placed.offsets[k]!]));
  return {
    offsets: head.map((id) => at.get(id) ?? 0),
    height: placed.height,
    lowerBound: placed.lowerBound,
  };
}
