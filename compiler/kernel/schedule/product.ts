// The product of a contraction, and how its operands move: by how many elements a load's address changes per round of a
// loop. Operands that were packed into panels (pack.ts) move by one element inside of a panel. An operand may be guarded,
// as a border of zeros is (guards.ts): products with what is not there are left out.

import { remembered } from '../../remembered.ts';
import type { Index, LoopVar } from '../affine.ts';
import { type KernelDefinition, type ReduceExpr, reductionsOf } from '../definition.ts';
import type { Condition, Expr } from '../expr.ts';
import { coefficientOf } from '../substitute.ts';
import { isAsked } from './guards.ts';

export type Load = Extract<Expr, { kind: 'load' }>;

export interface Product {
  readonly reduction: Extract<ReduceExpr, { kind: 'reduce' }>;
  readonly x: Load;
  readonly y: Load;
  /** Where one of them does not hold, the operand is 0. */
  readonly guards: { readonly x: readonly Condition[]; readonly y: readonly Condition[] };
}

/** The definition's single sum of products of two loads, or null. Every loop moves both in known strides. */
export const productOf: (def: KernelDefinition) => Product | null = remembered((def) => {
  const reductions = reductionsOf(def.stores);
  const r = reductions[0];
  if (reductions.length !== 1 || r?.kind !== 'reduce' || r.monoid !== 'sum') return null;
  const b = r.body;
  if (b.kind !== 'binary' || b.fn !== 'mul') return null;
  const [x, y] = [factorOf(b.x), factorOf(b.y)];
  if (x === null || y === null) return null;
  const all = [...def.space, ...r.vars];
  for (const { load } of [x, y]) if (all.some((v) => Number.isNaN(motionOf(load, v).stride))) return null;
  return { reduction: r, x: x.load, y: y.load, guards: { x: x.conditions, y: y.conditions } };
});

/** A load, or a load where conditions hold and 0 elsewhere. */
function factorOf(e: Expr): { readonly load: Load; readonly conditions: readonly Condition[] } | null {
  if (e.kind === 'load') return { load: e, conditions: [] };
  const isFactor = e.kind === 'guard' && e.value.kind === 'load' && e.otherwise.kind === 'const';
  if (!isFactor || !Object.is(e.otherwise.value, 0)) return null;
  return { load: e.value, conditions: e.conditions };
}

/** What must hold for a product to count: that of both operands. */
export function conditionsOf({ guards }: Product): readonly Condition[] {
  return [...guards.x, ...guards.y];
}

/** How an operand moves along a loop. */
export interface Motion {
  /** Elements apart; NaN when that is not the same everywhere. */
  readonly stride: number;
  /** The operand lies in panels of so many rounds of this loop: the stride holds inside of a panel. */
  readonly panel: number | null;
}

export function motionOf(load: Load, v: LoopVar): Motion {
  const stride = coefficientOf(load.index, v);
  return Number.isNaN(stride)
    ? (panelMotion(load.index, v) ?? { stride, panel: null })
    : { stride, panel: null };
}

/** The address is … + a · (v div w) + (v mod w): panels of w. */
function panelMotion(index: Index, v: LoopVar): Motion | null {
  let panel: number | null = null;
  for (const { atom, coeff } of index.terms) {
    if (atom.kind === 'var' || atom.kind === 'value') continue;
    const [only, ...more] = atom.x.terms;
    if (only?.atom !== v || only.coeff !== 1 || more.length > 0 || atom.x.constant !== 0) return null;
    if (panel !== null && panel !== atom.by) return null;
    if (atom.kind === 'mod' && coeff !== 1) return null;
    panel = atom.by;
  }
  const hasBoth = index.terms.filter((t) => t.atom.kind === 'div' || t.atom.kind === 'mod').length === 2;
  return panel !== null && hasBoth ? { stride: 1, panel } : null;
}

export function moves(load: Load, v: LoopVar): boolean {
  return coefficientOf(load.index, v) !== 0;
}

/** The operand that does not move with the columns is read element by element: it comes first. */
export function operandsFor({ x, y }: Product, v: LoopVar | null): readonly [primary: Load, secondary: Load] {
  return !v || !moves(x, v) ? [x, y] : [y, x];
}

/**
 * Reduction loops by distance in memory of the operand that is read element by element, the largest outside. Those that
 * conditions ask for come first.
 */
export function reductionOrder(
  vars: readonly LoopVar[],
  [primary, secondary]: readonly [Load, Load],
  conditions: readonly Condition[] = [],
): LoopVar[] {
  const asked = (v: LoopVar): number => (isAsked(conditions, v) ? 1 : 0);
  const distance = (l: Load, v: LoopVar): number => Math.abs(coefficientOf(l.index, v));
  return vars
    .map((v, i) => ({ v, i, asked: asked(v), first: distance(primary, v), second: distance(secondary, v) }))
    .sort((a, b) => b.asked - a.asked || b.first - a.first || b.second - a.second || a.i - b.i)
    .map((p) => p.v);
}
