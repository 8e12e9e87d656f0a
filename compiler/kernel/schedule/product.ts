// The product of a contraction and the parts that its loops play: which loop makes the columns of a register tile, which
// its rows, and in which order the reduction loops run.

import type { LoopVar } from '../affine.ts';
import { type KernelDefinition, type ReduceExpr, reductionsOf } from '../definition.ts';
import type { Expr } from '../expr.ts';
import type { Target } from '../ir.ts';
import { coefficientOf } from '../substitute.ts';
import { arrangeReductions, collapseSpace } from './collapse.ts';
import { canVectorize } from './vector.ts';

export type Load = Extract<Expr, { kind: 'load' }>;

export interface Product {
  readonly reduction: Extract<ReduceExpr, { kind: 'reduce' }>;
  readonly x: Load;
  readonly y: Load;
}

/** The definition's single sum of products of two affine loads, or null. */
export function productOf(def: KernelDefinition): Product | null {
  const reductions = reductionsOf(def.stores);
  const r = reductions[0];
  if (reductions.length !== 1 || r?.kind !== 'reduce' || r.monoid !== 'sum') return null;
  const b = r.body;
  if (b.kind !== 'binary' || b.fn !== 'mul' || b.x.kind !== 'load' || b.y.kind !== 'load') return null;
  const all = [...def.space, ...r.vars];
  for (const load of [b.x, b.y]) if (all.some((v) => Number.isNaN(coefficientOf(load.index, v)))) return null;
  return { reduction: r, x: b.x, y: b.y };
}

/** The operand that does not move with the columns is read element by element: it comes first. */
export function operandsFor({ x, y }: Product, v: LoopVar | null): readonly [primary: Load, secondary: Load] {
  return !v || coefficientOf(x.index, v) === 0 ? [x, y] : [y, x];
}

/** Reduction loops by distance in memory of the operand that is read element by element, the largest outside. */
export function reductionOrder(
  vars: readonly LoopVar[],
  [primary, secondary]: readonly [Load, Load],
): LoopVar[] {
  const distance = (l: Load, v: LoopVar): number => Math.abs(coefficientOf(l.index, v));
  return vars
    .map((v, i) => ({ v, i, first: distance(primary, v), second: distance(secondary, v) }))
    .sort((a, b) => b.first - a.first || b.second - a.second || a.i - b.i)
    .map((p) => p.v);
}

/**
 * The loop along which lanes run: that of neighbouring results, unless it is shorter than a vector and another one has
 * neighbouring operands (the gradient to the weights of a layer with three outputs).
 */
export function columnLoop(def: KernelDefinition, { x, y }: Product): LoopVar | null {
  const neighbours =
    def.space.findLast((v) => v.extent > 1 && coefficientOf(def.stores[0]!.index, v) === 1) ?? null;
  if (neighbours && neighbours.extent >= 4) return neighbours;
  const strides = (v: LoopVar): number[] => [coefficientOf(x.index, v), coefficientOf(y.index, v)];
  const other = def.space.findLast(
    (v) => v.extent >= 4 && strides(v).every((s) => s === 0 || s === 1) && strides(v).includes(1),
  );
  return other ?? neighbours;
}

/** The loop whose elements make the rows of a tile: the innermost that is long enough and moves only one operand. */
function rowLoop(def: KernelDefinition, product: Product, v: LoopVar | null, rows: number): LoopVar | null {
  const moves = (l: Load, s: LoopVar): boolean => coefficientOf(l.index, s) !== 0;
  const candidates = def.space.filter((s) => s !== v && moves(product.x, s) !== moves(product.y, s));
  // Rows must share the column vectors: the operand that moves with v must not move with the rows.
  const sharing = candidates.filter(
    (s) => !v || ![product.x, product.y].some((l) => moves(l, v) && moves(l, s)),
  );
  const long = sharing.filter((s) => s.extent >= rows);
  return (
    long.at(-1) ??
    sharing.reduce<LoopVar | null>((best, s) => (best && best.extent >= s.extent ? best : s), null)
  );
}

/** A contraction whose loops have their parts. */
export interface Contraction {
  readonly def: KernelDefinition;
  readonly product: Product;
  /** Reduction loops, outermost first. */
  readonly vars: readonly LoopVar[];
  /** Columns of the tile. Null: the result has one column. */
  readonly v: LoopVar | null;
  /** Rows of the tile. */
  readonly m: LoopVar;
  /** Lanes run across the columns, or along the innermost reduction loop. */
  readonly form: 'across' | 'along';
  readonly lanes: 1 | 4;
}

/** The parts of the loops, or null when the definition is no contraction or no element would be used twice. */
export function analyzeContraction(definition: KernelDefinition, target: Target): Contraction | null {
  if (!productOf(definition)) return null;
  const collapsed = collapseSpace(definition);
  const before = productOf(collapsed)!;
  const v = columnLoop(collapsed, before);
  const { def, vars } = arrangeReductions(collapsed, (rs) => reductionOrder(rs, operandsFor(before, v)));
  const product = productOf(def)!;
  const m = rowLoop(def, product, v, target.tile.rows);
  if (!m) return null;
  const isUnit = (along: LoopVar): boolean =>
    [product.x, product.y].every((l) => [0, 1].includes(coefficientOf(l.index, along)));
  const last = vars.at(-1);
  const parts = { def, product, vars, v, m };
  if (target.lanes === 4 && v !== null && v.extent >= 4 && isUnit(v) && canStoreVectors(def, v))
    return { ...parts, form: 'across', lanes: 4 };
  if (target.lanes === 4 && last !== undefined && last.extent >= 8 && isUnit(last))
    return { ...parts, form: 'along', lanes: 4 };
  return { ...parts, form: 'across', lanes: 1 };
}

function canStoreVectors(def: KernelDefinition, v: LoopVar): boolean {
  return (
    canVectorize(
      def.stores.map((s) => s.value),
      v,
    ) && def.stores.every((s) => !Number.isNaN(coefficientOf(s.index, v)))
  );
}
