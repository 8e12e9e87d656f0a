// Work units: how the index space of a kernel is cut into pieces that any worker may run. The cut depends on shapes and
// on the target only, never on the number of workers.

import { divIndex, type Index, type LoopVar, modIndex, varIndex } from '../affine.ts';
import type { VarSource } from '../definition.ts';
import type { Kernel } from '../ir.ts';
import { unflatten } from '../substitute.ts';

/** Kernels are cut into at least this many units when they are large enough: work for many workers, evenly. */
export const wantedUnits = 32;

/**
 * How many of the leading loops become unit coordinates: the shortest prefix with enough units, but no more units than
 * the work is worth.
 */
export function unitPrefix(space: readonly LoopVar[], work: number, unitWork: number): number {
  const worth = Math.max(1, Math.min(wantedUnits, Math.ceil(work / unitWork)));
  let units = 1;
  for (let k = 0; k < space.length; k++) {
    if (units >= worth) return k;
    units *= space[k]!.extent;
  }
  return space.length;
}

export interface UnitCut {
  readonly unit: LoopVar;
  /** Indices that stand for the loops that became unit coordinates. */
  readonly coordinates: readonly Index[];
  /** Which block of the remaining loop this unit is, when that loop is cut into `blocks`. */
  readonly block: Index;
}

/** The unit variable over prefix × blocks, and its coordinates. */
export function cutUnits(vars: VarSource, prefix: readonly LoopVar[], blocks: number): UnitCut {
  const outer = prefix.reduce((n, v) => n * v.extent, 1);
  const unit = vars.make('unit', outer * blocks);
  const u = varIndex(unit);
  const coordinates = unflatten(
    divIndex(u, blocks),
    prefix.map((v) => v.extent),
  );
  return { unit, coordinates, block: modIndex(u, blocks) };
}

/** The number of units, for schedule lines. */
export function describeUnits(kernel: Pick<Kernel, 'unit'>): string {
  return `${kernel.unit.extent} unit${kernel.unit.extent === 1 ? '' : 's'}`;
}
