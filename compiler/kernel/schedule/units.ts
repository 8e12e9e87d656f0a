// Work units: how the index space of a kernel is cut into pieces that any worker may run. The cut depends on shapes and
// on the target only, never on the number of workers.

import { addIndex, divIndex, type Index, type LoopVar, modIndex, scaleIndex, varIndex } from '../affine.ts';
import { type KernelDefinition, type VarSource, volume } from '../definition.ts';
import type { Kernel } from '../ir.ts';
import { substituteStores, unflatten } from '../substitute.ts';

/** Kernels are cut into about this many units when they are large enough: work for many workers, evenly. */
export const wantedUnits = 32;

/** How many units the work is worth: enough for many workers, but each of them worth handing out. */
export function unitsWorth(work: number, unitWork: number): number {
  return Math.max(1, Math.min(wantedUnits, Math.ceil(work / unitWork)));
}

/**
 * How many of the leading loops become unit coordinates: the shortest prefix with enough units, but no more units than
 * the work is worth; or as many as are given.
 */
export function unitPrefix(
  space: readonly LoopVar[],
  work: number,
  unitWork: number,
  given?: number,
): number {
  const worth = given ?? unitsWorth(work, unitWork);
  let units = 1;
  for (let k = 0; k < space.length; k++) {
    if (units >= worth) return k;
    units *= space[k]!.extent;
  }
  return space.length;
}

/**
 * Cuts the loop that would give far more units than the work is worth into blocks of equal length: only the blocks become
 * units. The last loop of the space is left alone: lanes run along it.
 */
export function splitForUnits(def: KernelDefinition, work: number, unitWork: number): KernelDefinition {
  if (def.units !== undefined) return cutAsGiven(def, def.units);
  const outer = def.space.slice(0, -1);
  const count = unitPrefix(outer, work, unitWork);
  const last = outer[count - 1];
  if (!last) return def;
  const before = volume(outer.slice(0, count - 1));
  const worth = unitsWorth(work, unitWork);
  if (before * last.extent <= 2 * worth) return def;
  let blocks = Math.ceil(worth / before);
  while (last.extent % blocks !== 0) blocks++;
  return blocks === last.extent ? def : cutLoop(def, last, blocks);
}

/** Lanes run along the last loop of a space: as much is left of it in each unit. */
const shortest = 16;

/** Whether the (collapsed) space can be cut into so many units of equal size. */
export function canCutInto(space: readonly LoopVar[], units: number): boolean {
  let left = units;
  for (const v of space.slice(0, -1)) {
    if (left === 1) return true;
    if (left <= v.extent) return v.extent % left === 0;
    if (left % v.extent !== 0) return false;
    left /= v.extent;
  }
  const length = (space.at(-1)?.extent ?? 1) / left;
  return left === 1 || (length >= shortest && length % 4 === 0);
}

/** The leading loops have exactly so many points; the loop in which they end is cut. `canCutInto`. */
function cutAsGiven(def: KernelDefinition, units: number): KernelDefinition {
  let left = units;
  for (const v of def.space) {
    if (left === 1) break;
    if (left < v.extent) return cutLoop(def, v, left);
    left /= v.extent;
  }
  return def;
}

function cutLoop(def: KernelDefinition, last: LoopVar, blocks: number): KernelDefinition {
  const block = def.vars.make(last.name, blocks);
  const within = def.vars.make(last.name, last.extent / blocks);
  const at = addIndex(scaleIndex(varIndex(block), within.extent), varIndex(within));
  return {
    ...def,
    space: def.space.flatMap((v) => (v === last ? [block, within] : [v])),
    stores: substituteStores(def.stores, (v) => (v.id === last.id ? at : undefined)),
  };
}

export interface UnitCut {
  readonly unit: LoopVar;
  /** One index per extent: where in the box the unit is. */
  readonly coordinates: readonly Index[];
  /** Which block of the remaining loop this unit is, when that loop is cut into `blocks`. */
  readonly block: Index;
}

/** The unit variable over a box of these extents × blocks, and its coordinates. */
export function cutUnits(vars: VarSource, extents: readonly number[], blocks: number): UnitCut {
  const outer = extents.reduce((n, e) => n * e, 1);
  const unit = vars.make('unit', outer * blocks);
  const u = varIndex(unit);
  return { unit, coordinates: unflatten(divIndex(u, blocks), extents), block: modIndex(u, blocks) };
}

/** The number of units, for schedule lines. */
export function describeUnits(kernel: Pick<Kernel, 'unit'>): string {
  return `${kernel.unit.extent} unit${kernel.unit.extent === 1 ? '' : 's'}`;
}
