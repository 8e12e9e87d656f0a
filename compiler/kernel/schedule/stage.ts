// Staging: what is made of the sums of a contraction, when that reads and writes several other values, waits until the sums
// of whole rows are there, and then runs along these rows.
//
//   for each stripe of rows:      tiles: sums → stage [rows of a tile, columns]
//                                 update: stage, m, v, w → next m, v, w        along whole rows
//
// Below each tile it would touch some dozen bytes of a row here and there, in as many streams as it has values and the tile
// has rows: too many to be fetched ahead, and in a chain of instructions that the next tile waits for. The first layer's
// weights of 784 × 256 with Adam, batch of 128: 1.19 ms below the tiles, 1.11 ms staged, of which the sums alone are 0.95;
// beside processes that use the memory too 1.33 and 1.13.
//
// The stage is a buffer of its own, with a place for each unit; it stays in the first-level cache. No bit changes.

import { addIndex, type Index, scaleIndex, varIndex } from '../affine.ts';
import { volume } from '../definition.ts';
import { type Expr, walkExprs } from '../expr.ts';
import type { Stmt, Target } from '../ir.ts';
import { coefficientOf, replacer, substituteStores } from '../substitute.ts';
import { analyzeContraction, type Contraction } from './analyze.ts';
import { pieces, type Region, writeTiles } from './bands.ts';
import { type ContractionCut, cutContraction } from './blocks.ts';
import { type Bound, loadTemporary, type NewTemporary, withParam } from './bound.ts';
import { elementLoops } from './elementwise.ts';
import { canVectorize } from './vector.ts';

/** So many values of the result's size read or written: a parameter that moves with its momentum. */
const fewestStreams = 4;
/**
 * Less than this stays near, whatever the order, and the stage costs more than it saves: 2 % of 256 × 128 weights with momentum, of
 * which four values are 0.5 MB; with Adam, whose six are 0.8 MB, it saves 10 to 20 %.
 */
const fewestBytes = 640 * 1024;
/** Rows shorter than this are not worth loops of their own. */
const fewestColumns = 32;

/** The definition with a stage, if it is a contraction that should have one. */
export function addStage<Arg>(bound: Bound<Arg>, target: Target, temporary: NewTemporary<Arg>): Bound<Arg> {
  const shape = analyzeContraction(bound.def, target);
  if (shape === null || !wantsStage(shape)) return bound;
  const cut = cutContraction(shape, target);
  const elements = slotOf(shape, cut) * cut.rows.blocks * cut.columns.blocks;
  const name = `${bound.def.name} (stage)`;
  const staged = withParam(
    bound,
    { name, storage: 'f32', access: 'write', elements },
    temporary(name, elements),
  );
  return { ...staged, def: { ...staged.def, stage: bound.def.params.length } };
}

/** Rows and columns are all loops of the result, lanes run along its rows, and several values are read or written there. */
function wantsStage({ def, product, v, m, form, lanes }: Contraction): boolean {
  if (form !== 'across' || lanes === 1 || v === null || m === null || def.space.length !== 2) return false;
  if (v.extent < fewestColumns || def.stores.some((s) => coefficientOf(s.index, v) !== 1)) return false;
  const inside = new Set(walkExprs([product.reduction.body]));
  const streams = walkExprs(def.stores.map((s) => s.value)).filter(
    (e) =>
      e.kind === 'load' &&
      !inside.has(e) &&
      coefficientOf(e.index, v) === 1 &&
      ![0, Number.NaN].includes(coefficientOf(e.index, m)),
  );
  const count = streams.length + def.stores.length;
  if (count < fewestStreams || 4 * count * volume(def.space) < fewestBytes) return false;
  const swap = replacer((e) => (e === product.reduction ? loadTemporary(0, varIndex(v)) : undefined));
  return canVectorize(
    def.stores.map((s) => swap(s.value)),
    v,
  );
}

/** Elements of one unit's place. */
function slotOf({ tile }: Contraction, { columns }: ContractionCut): number {
  return tile.rows * Math.min(columns.size, columns.count);
}

/** The tiles and what is made of their sums, stripe by stripe; `unit` is the number of the unit. */
export function writeStaged(
  s: Contraction,
  cut: ContractionCut,
  { places, rows, columns }: Region,
  unit: Index,
): Stmt[] {
  const { def, product } = s;
  const [v, m, stage] = [s.v!, s.m!, def.stage!];
  const slot = scaleIndex(unit, slotOf(s, cut));
  return pieces(s, m.name, rows, s.tile.rows, (stripe) => {
    const at = (row: Index, column: Index): Index => addIndex(slot, scaleIndex(row, columns.count), column);
    const index = at(
      addIndex(varIndex(m), scaleIndex(stripe.from, -1)),
      addIndex(varIndex(v), scaleIndex(columns.from, -1)),
    );
    const sums = { ...s, def: { ...def, stores: [{ param: stage, index, value: product.reduction }] } };
    const row = def.vars.make(m.name, stripe.count);
    const column = def.vars.make(v.name, columns.count);
    const sum = loadTemporary(stage, at(varIndex(row), varIndex(column)));
    const swap = replacer((e: Expr) => (e === product.reduction ? sum : undefined));
    const stores = substituteStores(
      def.stores.map((st) => ({ ...st, value: swap(st.value) })),
      (x) => {
        if (x.id === m.id) return addIndex(stripe.from, varIndex(row));
        return x.id === v.id ? addIndex(columns.from, varIndex(column)) : places.get(x.id);
      },
    );
    return [
      ...writeTiles(sums, { places, rows: stripe, columns }),
      ...elementLoops([row, column], stores, 4, def.vars),
    ];
  });
}
