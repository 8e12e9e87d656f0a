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
  type PlanStep,
  planFormat,
} from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';
import { elementBytes } from '../kernel/cost.ts';
import { layOutConstants } from './constants.ts';
import { type FitOptions, fitBudget, machineOf } from './fit.ts';
import {
  type Buffer,
  baseBytes,
  type Lowered,
  type LoweredStep,
  type LoweredTensor,
  moveLocation,
} from './lowered.ts';

import { mergeBarriers, mustMeetBetween } from './merge-barriers.ts';

import type { Lifetime } from './phases.ts';
import { type BodySchedule, isShared, putBodiesBack, repeatBodies } from './schedule-loops.ts';
import { type PlacedStep, shareUnits } from './share.ts';

export { manifestFromJson, manifestToJson } from './manifest.ts';
export { printPlan } from './print.ts';

export interface ScheduleOptions extends FitOptions {
  readonly targetKind: 'wasm' | 'js';
  /** Default: the target's. */
  readonly features?: readonly string[];
  /** Tiles that were given to contractions, by key: noted in the manifest. */
  readonly tiles?: Readonly<Record<string, readonly [rows: number, columns: number]>>;
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
