// Stripes: contractions of short sums over many columns, as layers of a few features have over the rows of a batch. All that a band
// of rows reads of the other operand, and what follows its sums reads once a row (a bias), fits into registers together with one
// column: it is loaded once for all columns, and each vector of columns is then finished before the next begins:
//
//   tiles                                     stripes
//   for tiles of 12 columns                   w, b = …
//   └ load w; load x; 9 sums; 9 times + b     for 4 vectors in turn
//                                             └ load x; 3 sums + b
//
// In: a contraction with its loops. Out: how many rows a band has, and what it holds. The sum of an element is the same chain of
// additions as in a tile.

import { type Index, indexKey, isStaticIndex, substituteIndex } from '../affine.ts';
import { operationCount } from '../cost.ts';
import { volume } from '../definition.ts';
import { type Expr, type Register, walkExprs } from '../expr.ts';
import type { Stmt } from '../ir.ts';
import { dependsOn, replacer } from '../substitute.ts';
import type { Contraction } from './analyze.ts';
import { conditionsOf, type Load, motionOf, moves } from './product.ts';
import { longChain, type Places, pointsOf } from './statements.ts';

/** Registers for what a band holds and one column: as many as there are, less some for what is being computed. */
const registers = 12;
/** Fewer columns are not worth loading anything before. */
const fewestColumns = 32;

/** Vectors of columns in one round of the loop over them. */
export const stripesInRound: number = 3;

/** Rows of a band of stripes; null when the contraction is better served by tiles. */
export function stripeRows(s: Contraction): number | null {
  const { product, v, m, vars, form, lanes } = s;
  const { x, y } = product;
  if (form !== 'across' || lanes !== 4 || v === null || product.reduction.type !== 'f32') return null;
  if (v.extent < fewestColumns || conditionsOf(product).length > 0 || volume(vars) < 2) return null;
  const [rowOperand, columnOperand] = operandsOf(s);
  if (moves(rowOperand, v) || !moves(columnOperand, v) || (m !== null && moves(columnOperand, m)))
    return null;
  // Those lie so that tiles of one size fit.
  const isPacked = [v, m].some((l) => l !== null && [x, y].some((load) => motionOf(load, l).panel !== null));
  if (isPacked) return null;
  const values = valuesOf(s);
  // What a guard keeps from being read must not be read before it.
  if (walkExprs(values).some((e) => e.kind === 'guard')) return null;
  // Those take several vectors in turn.
  if (operationCount(values) - operationCount([product.reduction.body]) >= longChain) return null;
  const rounds = volume(vars);
  const sums = (s.sums ?? []).reduce((n, b) => n + b.sums.length, 0);
  const rows = Math.floor((registers - rounds) / (rounds + onceARow(s).length + 2 * sums));
  return rows >= Math.min(2, m?.extent ?? 1) ? Math.min(rows, m?.extent ?? 1) : null;
}

/** What a band of rows holds in registers. */
export class Held {
  readonly lets: readonly Stmt[];
  readonly #known = new Map<string, Register>();

  constructor(s: Contraction, places: Places, rows: readonly Index[]) {
    const { def, m, vars } = s;
    const lets: Stmt[] = [];
    const hold = (load: Load, row: Index, point: ReadonlyMap<number, Index>): void => {
      const index = substituteIndex(load.index, (x) =>
        x.id === m?.id ? row : (point.get(x.id) ?? places.get(x.id)),
      );
      const key = keyOf(load.param, index);
      if (this.#known.has(key)) return;
      const reg: Register = { name: 'held', type: load.type, id: def.vars.next() };
      this.#known.set(key, reg);
      lets.push({ kind: 'let', reg, value: { ...load, index, laneStride: 0 }, lanes: 4 });
    };
    const [rowOperand] = operandsOf(s);
    for (const row of rows) {
      for (const point of pointsOf(vars)) hold(rowOperand, row, new Map(point));
      for (const load of onceARow(s)) hold(load, row, new Map());
    }
    this.lets = lets;
  }

  /** The register of a load that is held. */
  find(e: Expr): Expr | undefined {
    if (e.kind !== 'load' || e.laneStride !== 0) return undefined;
    const reg = this.#known.get(keyOf(e.param, e.index));
    return reg && { kind: 'reg', type: reg.type, reg };
  }

  /** The expression with registers for what is held. */
  readonly in: (e: Expr) => Expr = replacer((e) => this.find(e));
}

function keyOf(param: number, index: Index): string {
  return `${param} ${indexKey(index)}`;
}

/** The operand that is read element by element, and that which is read in vectors. */
function operandsOf({ product: { x, y }, v }: Contraction): readonly [rows: Load, columns: Load] {
  return v !== null && moves(x, v) ? [y, x] : [x, y];
}

/** What is made of the sums of one element. */
function valuesOf({ def, sums }: Contraction): Expr[] {
  return [...def.stores.map((s) => s.value), ...(sums ?? []).flatMap((b) => b.sums.map((x) => x.body))];
}

/** Loads beside the sum that are the same for all columns. */
function onceARow(s: Contraction): Load[] {
  const { product, v } = s;
  const outside = replacer((e) =>
    e === product.reduction ? { kind: 'const', type: 'f32', value: 0 } : undefined,
  );
  const loads = walkExprs(valuesOf(s).map(outside)).filter((e): e is Load => e.kind === 'load');
  return loads.filter((e) => isStaticIndex(e.index) && !dependsOn(e, v!));
}
