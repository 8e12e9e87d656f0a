// schedulePlan: from a lowered program to a plan. Reads as the list of decisions:
//
//   order → phases (barriers) → lifetimes → in-place pairs → placement → partition, once per worker count
//
// Everything depends on the lowered program, the target and the set of worker counts; results of a run depend on none
// of it. The lowered program comes back with its steps in the order of the plan: what dumps and the checker go by.

import {
  type Location,
  type Plan,
  type PlanManifest,
  type PlanPlacement,
  type PlanStep,
  planFormat,
} from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Machine, Target } from '../kernel/ir.ts';
import { type Arranged, arrange } from './arrange.ts';
import { layOutConstants } from './constants.ts';
import { defaultMachine } from './cost.ts';
import { findInPlacePairs, type InPlacePair } from './inplace.ts';
import { lifetimesOf, peakBytes, widen } from './lifetimes.ts';
import { type Buffer, baseBytes, type Lowered, type LoweredTensor, moveLocation } from './lowered.ts';
import { mergeBarriers } from './merge-barriers.ts';
import { partition } from './partition.ts';
import type { Lifetime } from './phases.ts';
import { place } from './place.ts';

export { manifestFromJson, manifestToJson } from './manifest.ts';
export { printPlan } from './print.ts';

/** Offsets in the arena are multiples of a cache line, or of an element where all of it lies in a cache anyway. */
const alignment = 64;
const smallAlignment = 4;
const smallArena = 16384;

export interface ScheduleOptions {
  readonly target: Target;
  readonly targetKind: 'wasm' | 'js';
  /** Worker counts to make schedules for. */
  readonly workers: readonly number[];
  /** Default: the target's. */
  readonly features?: readonly string[];
  /** Bytes that the arena may have; default: as few as cost next to no time. */
  readonly budget?: number | undefined;
  /** Measured on the machine that will run the plan; default: the target's. */
  readonly machine?: Machine | undefined;
  /** Tiles that were given to contractions, by key: noted in the manifest. */
  readonly tiles?: Readonly<Record<string, readonly [rows: number, columns: number]>>;
  /** Looks at buffers that placement may spend (place.ts). */
  readonly placementEffort?: number;
}

export interface Scheduled {
  readonly manifest: PlanManifest;
  readonly constants: Uint8Array;
  /** The program with its steps in the order of the plan. */
  readonly lowered: Lowered;
  /** Largest sum of bytes of the arena alive at once, which no placement beats. */
  readonly lowerBound: number;
}

/**
 * Decides order, memory and work of every worker. Pure and deterministic. Throws HDL0003 when `workers` is not a list of
 * positive integers.
 *
 * @example
 * const { manifest, constants } = scheduleProgram(lowered, { target, targetKind: 'wasm', workers: [1, 4] });
 */
export function scheduleProgram(program: Lowered, options: ScheduleOptions): Scheduled {
  checkWorkers(options.workers);
  const { lowered, phases, lifetimes, arena } = fitBudget(program, options);
  const constants = layOutConstants(lowered.buffers);
  const kernels = [...new Set(lowered.steps.map((s) => s.kernel))];
  const kernelIndex = new Map(kernels.map((k, i) => [k, i]));
  const machine = machineOf(options);

  const locate = (b: Buffer): Location => {
    switch (b.home.kind) {
      case 'arena':
        return { space: 'arena', offset: arena.offsets[b.id]! };
      case 'constant':
        return { space: 'constant', offset: constants.offsets.get(b.id)! };
      case 'variable':
        return { space: 'variable', variable: b.home.variable, bank: b.home.bank };
      case 'flags':
        return { space: 'flags' };
      default:
        return b.home satisfies never;
    }
  };
  const placement = ({ name, buffer }: LoweredTensor): PlanPlacement => {
    const b = lowered.buffers[buffer]!;
    return { name, dtype: b.type.dtype, shape: b.type.shape, location: locate(b), order: b.order };
  };

  const steps = lowered.steps.map(
    (s): PlanStep => ({
      label: s.label,
      kernel: kernelIndex.get(s.kernel)!,
      args: s.args.map((id, p) => moveLocation(locate(lowered.buffers[id]!), baseBytes(s, p))),
      units: s.kernel.unit.extent,
    }),
  );
  const manifest: PlanManifest = {
    format: planFormat,
    entry: lowered.entry,
    target: options.targetKind,
    ...(Object.keys(options.tiles ?? {}).length > 0 && { tiles: options.tiles! }),
    features: [...(options.features ?? options.target.features)],
    arenaBytes: arena.height,
    constantBytes: constants.bytes.length,
    inputs: lowered.inputs.map(placement),
    outputs: lowered.outputs.map(placement),
    variables: lowered.variables.map((v) => ({
      name: v.name,
      dtype: v.type.dtype,
      shape: v.type.shape,
      order: v.order,
      trainable: v.trainable,
      updated: v.updated,
    })),
    kernels: kernels.map((k) => ({
      name: k.name,
      params: k.params.map((p) => ({ access: p.access, bytes: p.elements * elementBytes(p.storage) })),
      units: k.unit.extent,
      work: { flops: k.cost.flops, bytes: k.cost.bytes, schedule: k.schedule },
    })),
    steps,
    schedules: mergeBarriers(
      options.workers.map((n) => partition(lowered.steps, machine, phases, n)),
      steps,
      kernels,
    ),
    sites: lowered.sites,
    buffers: lowered.buffers.flatMap((b) => {
      const l = lifetimes[b.id];
      return l
        ? [{ name: b.name, offset: arena.offsets[b.id]!, bytes: b.bytes, from: l.from, to: l.to }]
        : [];
    }),
  };
  return { manifest, constants: constants.bytes, lowered, lowerBound: arena.lowerBound };
}

/** `scheduleProgram` with the code of the kernels: a whole plan, and the program in its order. */
export function schedulePlan(
  program: Lowered,
  options: ScheduleOptions & { readonly code: Uint8Array },
): { readonly plan: Plan; readonly lowered: Lowered; readonly scheduled: Scheduled } {
  const scheduled = scheduleProgram(program, options);
  const { manifest, constants, lowered } = scheduled;
  return { plan: { manifest, code: options.code, constants }, lowered, scheduled };
}

function checkWorkers(workers: readonly number[]): void {
  if (workers.length > 0 && workers.every((w) => Number.isInteger(w) && w >= 1)) return;
  throw compilerError('HDL0003', {
    what: `workers is [${workers.join(', ')}]`,
    rule: 'worker counts are positive integers, one at least',
    hint: 'pass for example workers: [1, 4]',
  });
}

/** Rounds in which memory is arranged for less than the budget, since placement left gaps. */
const budgetRounds = 4;

interface Fitted extends Arranged {
  readonly lifetimes: readonly (Lifetime | null)[];
  readonly arena: Arena;
}

/** The program arranged and placed; within the budget, or HDL0018. */
function fitBudget(program: Lowered, options: ScheduleOptions): Fitted {
  const isParallel = options.workers.some((w) => w > 1);
  const { budget = null } = options;
  checkBudget(budget);
  const machine = machineOf(options);
  let goal = budget;
  for (let round = 1; ; round++) {
    const parallel = arrange(program, { isParallel, machine, budget: goal });
    // Steps that one worker does alone need no room to run at once.
    const arranged =
      isParallel && options.workers.every((n) => isDoneByOne(parallel, machine, n))
        ? arrange(program, { isParallel: false, machine, budget: goal })
        : parallel;
    const { lowered, phases } = arranged;
    const lifetimes = lifetimesOf(lowered);
    const pairs = findInPlacePairs(lowered, lifetimes, phases);
    const arena = placeArena(lowered, widen(lifetimes, phases), pairs, options.placementEffort);
    if (budget === null || goal === null || arena.height <= budget) return { ...arranged, lifetimes, arena };
    if (arena.lowerBound > goal || round === budgetRounds) throw overBudget(program, arena.height, budget);
    goal -= arena.height - budget;
  }
}

function isDoneByOne({ lowered, phases }: Arranged, machine: Machine, workers: number): boolean {
  const { lists } = partition(lowered.steps, machine, phases, workers);
  return lists.slice(1).every((list) => list.every((item) => item.do === 'barrier'));
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

function machineOf({ machine, target }: ScheduleOptions): Machine {
  return machine ?? target.machine ?? defaultMachine;
}

interface Arena {
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
