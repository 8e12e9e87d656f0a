// Schedule of contractions: sums of products of two loads. Matrix products, convolutions and both of their gradients are
// all of this form, and one generator serves them. Here the result is cut into units and into the ranges of register
// tiles; bands.ts and tile.ts write the tiles.

import { type Index, type LoopVar, varIndex } from '../affine.ts';
import { definitionBytes, definitionFlops } from '../cost.ts';
import type { KernelDefinition } from '../definition.ts';
import type { Kernel, Target } from '../ir.ts';
import { analyzeContraction, type Contraction } from './analyze.ts';
import { writeTiles } from './bands.ts';
import { cutContraction, overBlocks } from './blocks.ts';
import { shareOf } from './guards.ts';
import { conditionsOf } from './product.ts';
import { writeStaged } from './stage.ts';
import { nestLoops } from './statements.ts';
import { cutUnits, describeUnits } from './units.ts';

/** The kernel, or null when the definition is no contraction. */
export function scheduleContraction(definition: KernelDefinition, target: Target): Kernel | null {
  const shape = analyzeContraction(definition, target);
  return shape && scheduleTiles(shape, target);
}

/** The kernel of a contraction whose loops have their parts. */
export function scheduleTiles(shape: Contraction, target: Target): Kernel {
  const { def, product, v, m, vars, tile } = shape;
  const share = shareOf(conditionsOf(product), [...def.space, ...vars]);
  const blocks = cutContraction(shape, target);
  const { outer, prefix, rows, columns, columnsFirst } = blocks;
  const units = outer.slice(0, prefix);
  const both = columnsFirst ? [columns.blocks, rows.blocks] : [rows.blocks, columns.blocks];
  const cut = cutUnits(def.vars, [...units.map((o) => o.extent), ...both], 1);
  const places = new Map<number, Index>(units.map((o, i) => [o.id, cut.coordinates[i]!]));
  const body = overBlocks(rows, cut.coordinates[columnsFirst ? prefix + 1 : prefix]!, (r) =>
    overBlocks(columns, cut.coordinates[columnsFirst ? prefix : prefix + 1]!, (c) =>
      nestLoops(outer.slice(prefix), def.vars, places, (at) => {
        const region = { places: at, rows: r, columns: c };
        if (def.stage === undefined) return writeTiles(shape, region);
        return writeStaged(shape, blocks, region, varIndex(cut.unit));
      }),
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
      `(rows ${m?.name ?? '–'}, columns ${v?.name ?? '–'}), lanes ${describeLanes(shape)}, ${def.stage === undefined ? '' : 'staged, '}${describeUnits(cut)}`,
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
