// Scheduling of kernels: from what is computed (definition.ts) to a loop nest for a target (ir.ts).

import { type KernelDefinition, reductionsOf } from '../definition.ts';
import type { Kernel, Target } from '../ir.ts';
import { collapseSpace } from './collapse.ts';
import { scheduleContraction } from './contraction.ts';
import { scheduleElementwise } from './elementwise.ts';
import { scheduleGathered } from './gathered.ts';
import { productOf } from './product.ts';
import { scheduleReduction } from './reduction.ts';
import { canCutInto } from './units.ts';

export type { Bound, NewTemporary } from './bound.ts';
export {
  allowedTiles,
  contractionKey,
  isSame,
  prepareWithTile,
  type Tunable,
  tilesFor,
  tunableOf,
} from './given-tile.ts';
export { prepareContraction } from './prepare.ts';
export { productOf } from './product.ts';
export { addSums, rowLength, type Summed, scheduleSummed } from './summed.ts';

/** Chooses the schedule by the form of the definition. */
export function scheduleKernel(def: KernelDefinition, target: Target): Kernel {
  if (reductionsOf(def.stores).length === 0) return scheduleElementwise(def, target);
  return scheduleContraction(def, target) ?? scheduleGathered(def, target) ?? scheduleReduction(def, target);
}

/** The definition with its number of units given, if it has one like that; null otherwise, and for contractions. */
export function withUnits(def: KernelDefinition, units: number): KernelDefinition | null {
  return mayCutInto(def, units) ? { ...def, units } : null;
}

/** Whether the definition can be cut into so many units of equal size. */
export function mayCutInto(def: KernelDefinition, units: number): boolean {
  return productOf(def) === null && canCutInto(collapseSpace(def).space, units);
}
