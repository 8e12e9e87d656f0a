// schedulePlan: from a lowered program to a plan. Reads as the list of decisions:
//
//   order → phases (barriers) → lifetimes → in-place pairs → placement → per worker count: partition, barriers, sharing
//
// first for the body of each loop, then for the program around it, in which a loop is one step (fold-loops.ts).
//
// Everything depends on the lowered program, the target and the set of worker counts; results of a run depend on none
// of it. The lowered program comes back with its steps in the order of the plan: what dumps and the checker go by.

import { movedBy } from '../../runtime/loops.ts';
import {
  type Location,
  type Plan,
  type PlanManifest,
  type PlanMove,
  type PlanPlacement,
  type PlanSchedule,
  type PlanStep,
  planFormat,
} from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Machine, Target } from '../kernel/ir.ts';
import { type Arranged, arrange } from './arrange.ts';
import { layOutConstants } from './constants.ts';
import { defaultMachine } from './cost.ts';
import { foldLoops } from './fold-loops.ts';
import { findInPlacePairs, type InPlacePair } from './inplace.ts';
import { lifetimesOf, peakBytes, widen } from './lifetimes.ts';
import {
  type Buffer,
  type BufferId,
  baseBytes,
  type Lowered,
  type LoweredLoop,
  type LoweredStep,
  type LoweredTensor,
  moveLocation,
} from './lowered.ts';

import { mergeBarriers, mustMeetBetween } from './merge-barriers.ts';

import { type PartitionedStep, partition } from './partition.ts';
import type { Lifetime } from './phases.ts';
import { place } from './place.ts';
import {
  type Body,
  type BodySchedule,
  isShared,
  partitionBody,
  putBodiesBack,
  repeatBodies,
  timesOfLoop,
} from './schedule-loops.ts';
import { type PlacedStep, shareUnits } from './share.ts';

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
  const { lowered: outer, lifetimes, phases, arena, bodies, loopOf, divisions } = fitBudget(program, options);
  const flat = putBodiesBack(outer, bodies);
  const lowered: Lowered = {
    ...outer,
    steps: flat.steps,
    ...(flat.loops.length > 0 && { loops: flat.loops }),
  };
  const constants = layOutConstants(lowered.buffers);
  const kernels = [...new Set(lowered.steps.map((s) => s.kernel))];
  const kernelIndex = new Map(kernels.map((k, i) => [k, i]));

  /** The scratch of a loop stands behind the buffers of the program. */
  const scratchOf = (loop: number): number => arena.offsets[program.buffers.length + loop]!;
  const offsetOf = (b: Buffer): number => {
    const loop = loopOf[b.id] ?? -1;
    return loop < 0 ? arena.offsets[b.id]! : scratchOf(loop) + bodies[loop]!.offsets[b.id]!;
  };
  const sizeOf = (b: Buffer): number => elementBytes(b.type.dtype);
  const locate = (b: Buffer): Location => {
    switch (b.home.kind) {
      case 'arena':
        return { space: 'arena', offset: offsetOf(b) };
      case 'view':
        return moveLocation(locate(lowered.buffers[b.home.of]!), b.home.offset * sizeOf(b));
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

  const placesOf = (s: LoweredStep): Location[] =>
    s.args.map((id, p) => moveLocation(locate(lowered.buffers[id]!), baseBytes(s, p)));
  const moveOf = (b: Buffer): PlanMove | null => {
    if (b.home.kind !== 'view' || b.home.stride === 0) return null;
    const { stride, period } = b.home;
    return { stride: stride * sizeOf(b), ...(period !== undefined && { period }) };
  };
  const steps = lowered.steps.map((s): PlanStep => {
    const moves = s.args.map((id) => moveOf(lowered.buffers[id]!));
    return {
      label: s.label,
      kernel: kernelIndex.get(s.kernel)!,
      args: placesOf(s),
      units: s.kernel.unit.extent,
      ...(moves.some((m) => m !== null) && { moves }),
    };
  });
  const placed = (list: readonly LoweredStep[], iteration = 0): PlacedStep[] =>
    list.map((s) => ({
      kernel: s.kernel,
      args: placesOf(s).map((l, p) =>
        moveLocation(l, movedBy(moveOf(lowered.buffers[s.args[p]!]!), iteration)),
      ),
    }));
  const machine = machineOf(options);
  const inBodies = bodies.map(({ lowered: body, loop, phases: within }, l) => {
    const context = { steps: placed(body.steps), phases: within, machine };
    const merged = mergeBarriers(
      divisions.map((d) => d.bodies[l]!),
      context,
      false,
    );
    return merged.map((schedule): BodySchedule => {
      const meets =
        isShared(schedule) && mustMeetBetween(schedule, (t) => placed(body.steps, t), loop.length);
      // Where workers go on to the next iteration without meeting, nobody may take what others will go on with.
      return { ...(meets ? shareUnits(schedule, context) : schedule), meets };
    });
  });
  const context = { steps: placed(outer.steps), phases, machine };
  const schedules = mergeBarriers(
    divisions.map((d) => d.outer),
    context,
  ).map((schedule, k) =>
    repeatBodies(
      shareUnits(schedule, context),
      outer.steps,
      inBodies.map((list) => list[k]!),
      flat,
    ),
  );
  /** Lifetimes count the steps of the plan. */
  const lifeOf = ({ id }: Buffer): Lifetime | null => {
    const loop = loopOf[id] ?? -1;
    const own = loop < 0 ? lifetimes[id] : bodies[loop]!.lifetimes[id];
    if (!own) return null;
    if (loop >= 0) {
      const { begin } = flat.loops.find((l) => l.kernel === bodies[loop]!.loop.kernel)!;
      return { from: begin + own.from, to: begin + own.to };
    }
    const at = (s: number, edge: readonly number[]): number =>
      s < 0 ? s : s >= outer.steps.length ? lowered.steps.length : edge[s]!;
    return { from: at(own.from, flat.first), to: at(own.to, flat.last) };
  };
  const isScratch = ({ id }: Buffer): boolean =>
    id >= program.buffers.length && id < program.buffers.length + bodies.length;
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
    ...(flat.loops.length > 0 && {
      loops: flat.loops.map(({ label, begin, end, length }) => ({ label, begin, end, length })),
    }),
    schedules,
    sites: lowered.sites,
    buffers: lowered.buffers.flatMap((b) => {
      const l = isScratch(b) ? null : lifeOf(b);
      return l ? [{ name: b.name, offset: offsetOf(b), bytes: b.bytes, from: l.from, to: l.to }] : [];
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

/** The work of one number of workers: around loops, and in each body. */
interface Division {
  readonly outer: PlanSchedule;
  readonly bodies: readonly PlanSchedule[];
}

/** A program with a step for each loop, arranged and placed, and the bodies. */
interface Fitted extends Arranged {
  readonly lifetimes: readonly (Lifetime | null)[];
  readonly arena: Arena;
  readonly bodies: readonly Body[];
  readonly loopOf: Int32Array;
  /** For each number of workers. */
  readonly divisions: readonly Division[];
}

/** The program arranged and placed; within the budget, or HDL0018. */
function fitBudget(program: Lowered, options: ScheduleOptions): Fitted {
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
        ({ kernel, loop }): PartitionedStep =>
          loop === undefined
            ? { kernel }
            : { kernel, times: timesOfLoop(bodies[loop]!, inBodies[k]![loop]!, machine) },
      );
      return { outer: partition(steps, machine, phases, n), bodies: inBodies[k]! };
    });
  let goal = budget;
  for (let round = 1; ; round++) {
    const parallel = arrange(outer, { isParallel, machine, budget: goal });
    // Steps that one worker does alone need no room to run at once.
    const arranged =
      isParallel && divide(parallel).every((d) => !isShared(d.outer))
        ? arrange(outer, { isParallel: false, machine, budget: goal })
        : parallel;
    const { lowered, phases } = arranged;
    const { lifetimes, arena } = placeIn(arranged, options);
    if (budget === null || goal === null || arena.height <= budget)
      return {
        ...arranged,
        lifetimes,
        arena,
        bodies,
        loopOf,
        divisions: divide({ ...arranged, lowered, phases }),
      };
    if (arena.lowerBound > goal || round === budgetRounds) throw overBudget(program, arena.height, budget);
    goal -= arena.height - budget;
  }
}

/** Where the buffers of an arranged program lie. */
function placeIn(
  { lowered, phases }: Arranged,
  { placementEffort }: ScheduleOptions,
): Pick<Fitted, 'lifetimes' | 'arena'> {
  const lifetimes = lifetimesOf(lowered);
  const pairs = findInPlacePairs(lowered, lifetimes, phases);
  return { lifetimes, arena: placeArena(lowered, widen(lifetimes, phases), pairs, placementEffort) };
}

/** The body of a loop on its own: nothing of it is computed twice, and it needs what it needs. */
function arrangeBody(body: Lowered, loop: LoweredLoop, isParallel: boolean, options: ScheduleOptions): Body {
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
