// How a contraction is cut into units: leading loops of the result, then blocks of whole tiles of its rows and columns. The
// cut depends on shapes and on the target only.

import { constIndex, type Index, type LoopVar, scaleIndex } from '../affine.ts';
import { volume } from '../definition.ts';
import type { Stmt, Target } from '../ir.ts';
import type { Contraction } from './analyze.ts';
import type { Extent } from './bands.ts';
import { shareOf } from './guards.ts';
import { conditionsOf } from './product.ts';
import { unlessLast } from './statements.ts';
import { unitPrefix, unitsWorth } from './units.ts';

/** A range of rows or columns, cut into blocks of whole tiles; the last block may be shorter. */
export interface Blocks {
  readonly count: number;
  readonly tiles: number;
  readonly blocks: number;
  readonly size: number;
}

export interface ContractionCut {
  /** Loops of the result that are neither rows nor columns; the first `prefix` of them are coordinates of the unit. */
  readonly outer: readonly LoopVar[];
  readonly prefix: number;
  readonly rows: Blocks;
  readonly columns: Blocks;
  /** Whether units next to each other have the same columns, and not the same rows. */
  readonly columnsFirst: boolean;
}

/**
 * Rows are cut before columns unless there are so many times as many columns: those are a batch, not features. Every block of
 * rows reads the operand of all columns again: workers with half of the features each would read all of the batch, from
 * each other too.
 */
const muchLonger = 32;

export function cutContraction(
  { def, product, v: columnLoop, m: rowLoop, vars, tile, sums }: Contraction,
  target: Target,
): ContractionCut {
  const outer = def.space.filter((s) => s !== columnLoop && s !== rowLoop);
  const share = shareOf(conditionsOf(product), [...def.space, ...vars]);
  const work = 2 * volume(def.space) * volume(vars) * share;
  const prefix = unitPrefix(outer, work, target.unitWork);
  // Rows and then columns, or the other way round, are cut into blocks of whole tiles when the outer loops give too few units.
  const [m, v] = [rowLoop?.extent ?? 1, columnLoop?.extent ?? 1];
  const columnsFirst = !sums && v >= muchLonger * m;
  let missing =
    prefix === outer.length ? unitsWorth(work, target.unitWork) / volume(outer.slice(0, prefix)) : 1;
  const cut = (count: number, tile: number): Blocks => {
    const blocks = cutBlocks(count, tile, missing);
    missing = blocks.blocks < blocks.tiles ? 1 : missing / blocks.blocks;
    return blocks;
  };
  if (columnsFirst) {
    const columns = cut(v, tile.columns);
    return { outer, prefix, rows: cut(m, tile.rows), columns, columnsFirst };
  }
  const rows = cut(m, tile.rows);
  const columns = sums ? cutBlocks(v, tile.columns, 1) : cut(v, tile.columns);
  return { outer, prefix, rows, columns, columnsFirst };
}

function cutBlocks(count: number, tile: number, wanted: number): Blocks {
  const tiles = Math.ceil(count / tile);
  const size = Math.ceil(tiles / Math.min(tiles, Math.ceil(wanted))) * tile;
  return { count, tiles, blocks: Math.ceil(count / size), size };
}

/** The code for one block; the last one may be shorter. */
export function overBlocks(
  { count, blocks, size }: Blocks,
  at: Index,
  make: (part: Extent) => Stmt[],
): Stmt[] {
  if (blocks === 1) return make({ from: constIndex(0), count });
  const last = count - (blocks - 1) * size;
  const full = make({ from: scaleIndex(at, size), count: size });
  if (last === size) return full;
  return [unlessLast(at, blocks, full, make({ from: constIndex((blocks - 1) * size), count: last }))];
}
