// checkPlan: proves a plan safe without trusting the planner. Nothing here shares a decision with the code that makes
// plans; lifetimes, dependences and bounds are found anew from the kernels and the plan alone.
//
//   kernels    every access in bounds, units store disjoint elements                            check-kernel.ts
//   memory     no two live buffers overlap, everything is written before it is read, …          check-memory.ts
//   schedule   each unit once, equal barriers, no race under any interleaving                   check-schedule.ts
//
// A plan with loops is proved iteration by iteration: what is checked is the plan, and the program, with loops written out.

import { unrollManifest } from '../../runtime/loops.ts';
import type { Plan, PlanManifest } from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Kernel } from '../kernel/ir.ts';
import { examineKernel, type KernelFacts } from './check-kernel.ts';
import {
  checkOverlap,
  checkRoom,
  checkWritten,
  type Fail,
  locateBuffers,
  stepText,
  usesOf,
} from './check-memory.ts';
import { checkOrder } from './check-order.ts';
import { checkSchedule } from './check-schedule.ts';
import { foldLoops, unrollLowered } from './fold-loops.ts';
import { baseBytes, type Lowered } from './lowered.ts';

/**
 * Throws HDL0012, naming steps and buffers, unless the plan is proved safe. `lowered` has its steps in the order of the
 * plan, as `schedulePlan` returns it; with `original`, the program before it was ordered, the order is checked too.
 *
 * @example
 * const { plan, lowered } = schedulePlan(program, options);
 * checkPlan(plan, lowered, program);
 */
export function checkPlan(
  plan: Plan | { readonly manifest: PlanManifest },
  lowered: Lowered,
  original?: Lowered,
): void {
  const fail: Fail = (what, rule) => {
    throw compilerError('HDL0012', {
      what: `plan '${plan.manifest.entry}' is not safe: ${what}`,
      rule,
      hint: 'this is a mistake of the compiler, unless the plan was made by hand; please report it with the dump of the plan',
    });
  };
  if (original) checkFoldedOrder(lowered, original, fail);
  checkLoops(plan.manifest, lowered, fail);
  proveSafe(unrollManifest(plan.manifest), unrollLowered(lowered), fail);
}

/** Loops are those of the program: each iteration is one of it, so what is proved of all iterations is proved of the plan. */
function checkLoops(m: PlanManifest, { loops = [] }: Lowered, fail: Fail): void {
  const text = (list: readonly { begin: number; end: number; length: number }[]): string =>
    list.map(({ begin, end, length }) => `steps ${begin} to ${end - 1} ${length} times`).join(', ') ||
    'no loops';
  const [mine, theirs] = [text(m.loops ?? []), text(loops)];
  if (mine !== theirs) fail(`it has ${mine}, the program ${theirs}`, 'loops are those of the program');
}

/** The order around loops, and that of their bodies. */
function checkFoldedOrder(lowered: Lowered, original: Lowered, fail: Fail): void {
  const now = foldLoops(lowered);
  const before = foldLoops(original);
  checkOrder(now.outer, before.outer, fail);
  before.bodies.forEach((body, l) => {
    const { kernel } = original.loops![l]!;
    const index = lowered.loops?.findIndex((loop) => loop.kernel === kernel) ?? -1;
    if (index < 0) fail(`there is no loop '${kernel.name}'`, 'loops are those of the program');
    checkOrder(now.bodies[index]!, body, fail);
  });
}

/** A plan without loops. */
function proveSafe(m: PlanManifest, lowered: Lowered, fail: Fail): void {
  checkSteps(m, lowered, fail);
  const known = new Map<Kernel, KernelFacts>();
  const facts = lowered.steps.map((step, s) => {
    const fact = known.get(step.kernel) ?? examineKernel(step.kernel);
    known.set(step.kernel, fact);
    if (fact.problem)
      fail(
        `kernel '${step.kernel.name}' of ${stepText(m, s)}: ${fact.problem}`,
        'accesses stay in bounds, and units store elements of their own',
      );
    return fact;
  });
  checkArguments(m, lowered, facts, fail);
  const locations = locateBuffers(m, lowered, fail);
  const uses = usesOf(lowered);
  checkRoom(m, lowered, locations, fail);
  checkWritten(m, lowered, uses, facts, fail);
  checkOverlap(m, lowered, uses, locations, facts, fail);
  for (const schedule of m.schedules) checkSchedule(m, lowered, schedule, facts, fail);
}

/** The plan calls the kernels of the program, with as many units and arguments. */
function checkSteps(m: PlanManifest, lowered: Lowered, fail: Fail): void {
  if (m.steps.length !== lowered.steps.length)
    fail(
      `it has ${m.steps.length} steps, the program ${lowered.steps.length}`,
      'steps are those of the program',
    );
  if (m.schedules.length === 0) fail('it has no schedule', 'a plan has at least one schedule');
  lowered.steps.forEach((step, s) => {
    const mine = m.steps[s]!;
    const { kernel } = step;
    const name = m.kernels[mine.kernel]?.name;
    if (mine.label !== step.label || name !== kernel.name) {
      fail(
        `step ${s} is '${mine.label}' by kernel '${name}', the program has '${step.label}' by '${kernel.name}'`,
        'steps are those of the program',
      );
    }
    if (mine.units !== kernel.unit.extent)
      fail(
        `${stepText(m, s)} has ${mine.units} units, its kernel ${kernel.unit.extent}`,
        'units are fixed by the kernel',
      );
    if (mine.args.length !== kernel.params.length || step.args.length !== kernel.params.length) {
      fail(
        `${stepText(m, s)} has ${mine.args.length} arguments, its kernel ${kernel.params.length} parameters`,
        'there is one argument per parameter',
      );
    }
  });
}

/** Two arguments of a step share bytes only if both are read, or the step replaces what it reads element by element. */
function checkArguments(m: PlanManifest, lowered: Lowered, facts: readonly KernelFacts[], fail: Fail): void {
  lowered.steps.forEach((step, s) => {
    const { params } = step.kernel;
    step.args.forEach((id, q) => {
      if (params[q]!.access !== 'write') return;
      const end = (p: number): number =>
        baseBytes(step, p) + params[p]!.elements * elementBytes(params[p]!.storage);
      step.args.forEach((other, p) => {
        if (other !== id || p === q || baseBytes(step, p) >= end(q) || baseBytes(step, q) >= end(p)) return;
        const isSame = baseBytes(step, p) === baseBytes(step, q) && end(p) === end(q);
        const isRead = params[p]!.access === 'read' && params[p]!.storage === params[q]!.storage;
        if (isSame && isRead && facts[s]!.mayOverwrite(p, q)) return;
        fail(
          `${stepText(m, s)} has buffer '${lowered.buffers[id]!.name}' twice and writes it`,
          'a buffer may be an argument twice only if both are reads, parts of it that do not meet, or one is replaced by the other',
        );
      });
    });
  });
}
