// Schedule of reductions that are not contractions. Two forms, chosen by how the operands lie in memory:
//
//   across   lanes run along a parallel loop (across.ts)
//   along    lanes, or several sums where there are no lanes, run along a reduction loop (along.ts)
//
// In both forms the order of combination is fixed by shapes and target alone.

import type { LoopVar } from '../affine.ts';
import { definitionBytes, definitionFlops } from '../cost.ts';
import { type KernelDefinition, reductionsOf, volume } from '../definition.ts';
import type { Expr } from '../expr.ts';
import type { Kernel, Target } from '../ir.ts';
import { lazyKernel } from '../lazy-body.ts';
import { scheduleAcross } from './across.ts';
import { scheduleAlong } from './along.ts';
import { type Arranged, arrangeReductions, collapseSpace } from './collapse.ts';
import { describeUnits, splitForUnits } from './units.ts';
import { canVectorize, laneStrides } from './vector.ts';

/** The kernel of a definition with reductions over one index space. */
export function scheduleReduction(definition: KernelDefinition, target: Target): Kernel {
  const whole = collapseSpace(definition);
  const reduced = reductionsOf(whole.stores);
  const work = volume(whole.space) * volume(reduced[0]!.vars) * reduced.length * 2;
  const p = arrangeReductions(splitForUnits(whole, work, target.unitWork), byStride);
  const along = target.lanes === 4 ? vectorAlong(p) : longestLoop(p);
  const { unit, write, how } = along
    ? scheduleAlong(p, along, target, work)
    : scheduleAcross(p, target, work);
  const show = (vs: readonly LoopVar[]): string =>
    vs.map((v) => `${v.name}:${v.extent}`).join(' × ') || 'one point';
  const { def } = p;
  const rest = {
    name: def.name,
    params: def.params,
    flags: def.flags,
    unit,
    schedule: `reduction over ${show(p.vars)} for ${show(def.space)}, ${how}, ${describeUnits({ unit })}`,
    cost: { flops: definitionFlops(def), bytes: definitionBytes(def) },
  };
  return lazyKernel(rest, write);
}

/** Reduction loops, outermost first: the largest distance in memory outside. */
function byStride(vars: readonly LoopVar[], bodies: readonly Expr[]): LoopVar[] {
  const distance = (v: LoopVar): number =>
    Math.max(0, ...laneStrides(bodies, v).map((s) => (Number.isNaN(s) ? 0 : Math.abs(s))));
  return vars
    .map((v, i) => ({ v, i, d: distance(v) }))
    .sort((a, b) => b.d - a.d || a.i - b.i)
    .map((x) => x.v);
}

/** The reduction loop along which lanes should run, or null when running across a parallel loop is no worse. */
function vectorAlong({ def, vars, reductions }: Arranged): LoopVar | null {
  if (reductions.some((r) => r.kind === 'argmax')) return null;
  const bodies = reductions.map((r) => r.body);
  const r = vars.at(-1);
  if (!r || r.extent < 8 || !canVectorize(bodies, r)) return null;
  const v = def.space.at(-1);
  const acrossPossible =
    v !== undefined &&
    v.extent >= 4 &&
    canVectorize(
      def.stores.map((s) => s.value),
      v,
    );
  if (!acrossPossible) return r;
  return price(laneStrides(bodies, r), r.extent) < price(laneStrides(bodies, v), v.extent) ? r : null;
}

/** Without lanes: the inner reduction loop, if it is long enough for several sums. */
function longestLoop({ vars, reductions }: Arranged): LoopVar | null {
  const r = vars.at(-1);
  return r && r.extent >= 16 && reductions.every((x) => x.kind === 'reduce') ? r : null;
}

/** Loads per element when lanes run along a loop: whole vectors and splats cost one load for four, others one each. */
function price(strides: readonly number[], extent: number): number {
  const loads = strides.reduce((n, s) => n + (s === 0 || s === 1 ? 1 : 4), 1);
  return (loads * (Math.floor(extent / 4) + (extent % 4))) / extent;
}
