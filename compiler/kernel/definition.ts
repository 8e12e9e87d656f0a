// What a kernel computes, before anybody decides how: an index space and, for every point of it, the elements to store.
// Fusion makes definitions; schedules turn them into loop nests (ir.ts). Reductions are still expressions here.
//
//   for every point of `space`:  params[s.param][s.index] = s.value      for each s of `stores`

import { remembered } from '../remembered.ts';
import type { Index, LoopVar } from './affine.ts';
import { addIndex, constIndex, scaleIndex, varIndex } from './affine.ts';
import type { Expr } from './expr.ts';
import { walkExprs } from './expr.ts';
import type { KernelParam } from './ir.ts';

export interface DefinitionStore {
  readonly param: number;
  readonly index: Index;
  readonly value: Expr;
}

export interface KernelDefinition {
  readonly name: string;
  readonly params: readonly KernelParam[];
  readonly flags: number | null;
  /** Parallel loop variables, outermost first, in the memory order of what the first store writes. */
  readonly space: readonly LoopVar[];
  readonly stores: readonly DefinitionStore[];
  /** Makes loop variables with ids that are fresh in this kernel. */
  readonly vars: VarSource;
  /** So many units, in blocks of equal size, when that is given instead of chosen (schedule/units.ts). */
  readonly units?: number;
  /** Of a contraction: its loops and tile, when they are given instead of chosen (schedule/given-tile.ts). */
  readonly given?: GivenTile;
  /** Of a contraction: the parameter in which sums of whole rows wait for what is made of them (schedule/stage.ts). */
  readonly stage?: number;
}

/** Loops of a contraction by their places among those of its collapsed space, and its tile. */
export interface GivenTile {
  /** Columns and rows; null: the tile has one. */
  readonly v: number | null;
  readonly m: number | null;
  readonly form: 'across' | 'along';
  readonly lanes: 1 | 4;
  readonly tile: { readonly rows: number; readonly columns: number; readonly cycles: number };
}

/** Numbers loop variables and registers within one kernel: equal definitions get equal numbers. */
export class VarSource {
  private last = 0;

  /** A fresh loop variable over [0, extent). */
  make(name: string, extent: number): LoopVar {
    return { kind: 'var', name, extent, id: this.last++ };
  }

  /** A fresh number, for registers and run-time index values. */
  next(): number {
    return this.last++;
  }
}

export type ReduceExpr = Extract<Expr, { kind: 'reduce' | 'argmax' }>;

export function isReduction(e: Expr): e is ReduceExpr {
  return e.kind === 'reduce' || e.kind === 'argmax';
}

/**
 * The reductions of a definition, each object once, in order of first use. They stand beside each other and outside of
 * guards, and all have the same extents.
 */
export const reductionsOf: (stores: readonly DefinitionStore[]) => readonly ReduceExpr[] = remembered(
  (stores) => walkExprs(stores.map((s) => s.value)).filter(isReduction),
);

/** Row-major position of the point (v0, v1, …). */
export function flatIndex(vars: readonly LoopVar[]): Index {
  let stride = 1;
  let sum = constIndex(0);
  for (let i = vars.length - 1; i >= 0; i--) {
    sum = addIndex(sum, scaleIndex(varIndex(vars[i]!), stride));
    stride *= vars[i]!.extent;
  }
  return sum;
}

/** Number of points of a box. */
export function volume(vars: readonly LoopVar[]): number {
  return vars.reduce((n, v) => n * v.extent, 1);
}
