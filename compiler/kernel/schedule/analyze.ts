// A contraction whose loops have their parts: what contraction.ts cuts into units, bands.ts into tiles, and tile.ts writes.

import type { LoopVar } from '../affine.ts';
import type { DefinitionStore, KernelDefinition } from '../definition.ts';
import type { Expr, Monoid, Register } from '../expr.ts';
import type { Target } from '../ir.ts';
import { chooseLoops, coverer, type Parts, type TileSize } from './choice.ts';
import { arrangeReductions, collapseSpace } from './collapse.ts';
import type { Cover } from './cover.ts';
import { conditionsOf, operandsFor, type Product, productOf, reductionOrder } from './product.ts';

/** A contraction whose loops have their parts. */
export interface Contraction extends Parts {
  readonly def: KernelDefinition;
  readonly product: Product;
  /** Reduction loops, outermost first. */
  readonly vars: readonly LoopVar[];
  readonly tile: TileSize;
  /** How tiles cover a range of rows × columns of the result. */
  readonly cover: (rows: number, columns: number) => Cover;
  /** Sums along the columns of what each row of the result is made into (summed.ts). */
  readonly sums?: readonly RowSums[];
}

/** What is added up along the columns of the result while it is in registers, and what is stored of that for each row. */
export interface RowSums {
  readonly sums: readonly {
    readonly monoid: Monoid;
    /** Of one column; may contain the contraction's own sum. */
    readonly body: Expr;
    /** Stands for the result in `stores`. */
    readonly total: Register;
  }[];
  readonly stores: readonly DefinitionStore[];
}

/** The parts of the loops, or null when the definition is no contraction or no element would be used twice. */
export function analyzeContraction(definition: KernelDefinition, target: Target): Contraction | null {
  if (!productOf(definition)) return null;
  const collapsed = collapseSpace(definition);
  const before = productOf(collapsed)!;
  const choice = givenParts(collapsed) ?? chooseLoops(collapsed, before, target);
  if (!choice) return null;
  const { v, m, form, lanes, tile } = choice;
  const { def, vars } = arrangeReductions(collapsed, (rs) =>
    reductionOrder(rs, operandsFor(before, v), conditionsOf(before)),
  );
  const product = productOf(def)!;
  const parts = { v, m, form, lanes, tile };
  return { def, product, vars, ...parts, cover: coverer(def, product, parts, target) };
}

/** What was decided before, if it was. */
function givenParts({ given, space }: KernelDefinition): (Parts & { readonly tile: TileSize }) | null {
  if (given === undefined) return null;
  const { v, m, ...rest } = given;
  return { ...rest, v: v === null ? null : space[v]!, m: m === null ? null : space[m]! };
}
