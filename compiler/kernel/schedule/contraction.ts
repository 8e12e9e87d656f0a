// Schedule of contractions: sums of products of two loads. Matrix products, convolutions and both of their gradients are
// all of this form, and one generator serves them. Here the result is cut into units and into the ranges of register
// tiles; tile.ts writes the tiles.

import { constIndex, type Index, type LoopVar, scaleIndex } from '../affine.ts';
import { definitionBytes, definitionFlops } from '../cost.ts';
import { type KernelDefinition, volume } from '../definition.ts';
import type { Kernel, Stmt, Target } from '../ir.ts';
import { analyzeContraction, type Contraction } from './analyze.ts';
import { shareOf } from './guards.ts';
import { conditionsOf } from './product.ts';
import { nestLoops, unlessLast } from './statements.ts';
import { type Extent, writeTiles } from './tile.ts';
import { cutUnits, describeUnits, unitPrefix, unitsWorth } from './units.ts';

/** The kernel, or null when the definition is no contraction. */
export function scheduleContraction(definition: KernelDefinition, target: Target): Kernel | null {
  const shape = analyzeContraction(definition, target);
  if (!shape) return null;
  const { def, product, v, m, vars, tile } = shape;
  const outer = def.space.filter((s) => s !== v && s !== m);
  const share = shareOf(conditionsOf(product), [...def.space, ...vars]);
  const work = 2 * volume(def.space) * volume(vars) * share;
  const prefix = unitPrefix(outer, work, target.unitWork);
  // Rows, and then columns, are cut into blocks of whole tiles when the outer loops give too few units.
  const missing = unitsWorth(work, target.unitWork) / volume(outer.slice(0, prefix));
  const rows = cutBlocks(m?.extent ?? 1, tile.rows, prefix === outer.length ? missing : 1);
  const columns = cutBlocks(
    v?.extent ?? 1,
    tile.columns,
    prefix === outer.length && rows.blocks >= rows.tiles ? missing / rows.blocks : 1,
  );
  const units = outer.slice(0, prefix);
  const cut = cutUnits(def.vars, [...units.map((o) => o.extent), rows.blocks, columns.blocks], 1);
  const places = new Map<number, Index>(units.map((o, i) => [o.id, cut.coordinates[i]!]));
  const body = overBlocks(rows, cut.coordinates[prefix]!, (r) =>
    overBlocks(columns, cut.coordinates[prefix + 1]!, (c) =>
      nestLoops(outer.slice(prefix), def.vars, places, (at) =>
        writeTiles(shape, { places: at, rows: r, columns: c }),
      ),
    ),
  );
  return {
    name: def.name,
    params: def.params,
    flags: def.flags,
    unit: cut.unit,
    body,
    schedule:
      `contraction over ${show(vars)} for ${show(def.space)}, ` +
      `${def.given ? 'given ' : ''}tile ${Math.min(m?.extent ?? 1, tile.rows)} × ${Math.min(v?.extent ?? 1, tile.columns)} ` +
      `(rows ${m?.name ?? '–'}, columns ${v?.name ?? '–'}), lanes ${describeLanes(shape)}, ${describeUnits(cut)}`,
    tile: [tile.rows, tile.columns],
    cost: { flops: definitionFlops(def) * share, bytes: definitionBytes(def) },
  };
}

function show(vars: readonly LoopVar[]): string {
  return vars.map((x) => `${x.name}:${x.extent}`).join(' × ') || '1';
}

function describeLanes({ lanes, form, v, vars }: Contraction): string {
  if (lanes === 1) return 'none';
  return form === 'across' ? `across ${v!.name}` : `along ${vars.at(-1)!.name}`;
}

/** A range of rows or columns, cut into blocks of whole tiles. */
interface Blocks {
  readonly count: number;
  readonly tiles: number;
  readonly blocks: number;
  readonly size: number;
}

function cutBlocks(count: number, tile: number, wanted: number): Blocks {
  const tiles = Math.ceil(count / tile);
  const size = Math.ceil(tiles / Math.min(tiles, Math.ceil(wanted))) * tile;
  return { count, tiles, blocks: Math.ceil(count / size), size };
}

/** The code for one block; the last one may be shorter. */
function overBlocks({ count, blocks, size }: Blocks, at: Index, make: (part: Extent) => Stmt[]): Stmt[] {
  if (blocks === 1) return make({ from: constIndex(0), count });
  const last = count - (blocks - 1) * size;
  const full = make({ from: scaleIndex(at, size), count: size });
  if (last === size) return full;
  return [unlessLast(at, blocks, full, make({ from: constIndex((blocks - 1) * size), count: last }))];
}
