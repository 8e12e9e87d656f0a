// A contraction whose loops have their parts: what contraction.ts cuts into units and tile.ts writes.

import type { LoopVar } from '../affine.ts';
import type { KernelDefinition } from '../definition.ts';
import type { Target } from '../ir.ts';
import { chooseLoops, type TileSize } from './choice.ts';
import { arrangeReductions, collapseSpace } from './collapse.ts';
import { operandsFor, type Product, productOf, reductionOrder } from './product.ts';

/** A contraction whose loops have their parts. */
export interface Contraction {
  readonly def: KernelDefinition;
  readonly product: Product;
  /** Reduction loops, outermost first. */
  readonly vars: readonly LoopVar[];
  /** Columns of the tile. Null: the result has one column. */
  readonly v: LoopVar | null;
  /** Rows of the tile. Null: it has one. */
  readonly m: LoopVar | null;
  /** Lanes run across the columns, or along the innermost reduction loop. */
  readonly form: 'across' | 'along';
  readonly lanes: 1 | 4;
  readonly tile: TileSize;
}

/** The parts of the loops, or null when the definition is no contraction or no element would be used twice. */
export function analyzeContraction(definition: KernelDefinition, target: Target): Contraction | null {
  if (!productOf(definition)) return null;
  const collapsed = collapseSpace(definition);
  const before = productOf(collapsed)!;
  const choice = chooseLoops(collapsed, before, target);
  if (!choice) return null;
  const { v, m, form, lanes, tile } = choice;
  const { def, vars } = arrangeReductions(collapsed, (rs) => reductionOrder(rs, operandsFor(before, v)));
  return { def, product: productOf(def)!, vars, v, m, form, lanes, tile };
}
