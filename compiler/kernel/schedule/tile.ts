// Register tiles of contractions. A tile of `rows` × columns of the result is held in registers. Per round of the reduction
// loops it loads each column vector once, each row's element once (copied to all lanes), and adds rows × columns products:
//
//            columns: lanes along v        b0 b1
//   rows: m    a0                          acc00 acc01
//              a1                          acc10 acc11     acc[i][j] += a[i] · b[j]
//
// Loads stand before the arithmetic that needs them, and the reduction loop is not unrolled: with 4 × 8 elements this is
// the form that V8 keeps in registers (unrolling it, or larger tiles, halves the speed). Only sums so short that all they
// read fits into registers are written out.
// When the result has no loop worth vectorizing (three output columns), lanes run along the reduction instead; what is
// left of it after whole vectors is summed in accumulators of one lane and added at the end.

import { constIndex, type Index, type LoopVar, offsetIndex, substituteIndex, varIndex } from '../affine.ts';
import { operationCount } from '../cost.ts';
import { volume } from '../definition.ts';
import { binary, constant, type Expr, type Register } from '../expr.ts';
import type { Lanes, Stmt } from '../ir.ts';
import { coefficientOf, replacer } from '../substitute.ts';
import type { Contraction } from './analyze.ts';
import { conditionsOf, type Load, moves } from './product.ts';
import type { RowTotals } from './row-totals.ts';
import {
  forLoop,
  inTurn,
  longChain,
  nestLoops,
  type PlacedStore,
  type Places,
  pointsOf,
  storeUnified,
  storeValues,
  unifiedStores,
  vectorsInTurn,
} from './statements.ts';
import type { Held } from './stripes.ts';
import { lanesFurther, placer } from './vector.ts';

/** A vector of columns, or one. */
export interface Column {
  readonly at: Index;
  readonly lanes: Lanes;
}

/** Vectors that a tile without a loop may load: as many as there are registers, less some for what is made of them. */
const mostLoads = 13;

type Grid = readonly (readonly Register[])[];

/** One register tile: accumulators, reduction loops, epilogue. */
export class Tile {
  readonly #s: Contraction;
  readonly #places: Places;
  readonly #rows: readonly Index[];
  readonly #columns: readonly Column[];
  /** The loop along which lanes run in the `along` form, and its elements that make whole vectors. */
  readonly #along: { readonly r: LoopVar; readonly whole: number } | null;
  readonly #acc: Grid;
  readonly #tail: Grid | null;
  /** The stores of the cell that was placed last: those of its row that lie further along the lanes are moved from there. */
  #placed: {
    readonly row: number;
    readonly column: Column;
    readonly sum: Expr;
    readonly stores: readonly PlacedStore[];
  } | null = null;
  readonly #sums: RowTotals | null;
  /** What lies in registers for all columns. */
  readonly #held: Held | null;

  constructor(
    s: Contraction,
    places: Places,
    rows: readonly Index[],
    columns: readonly Column[],
    sums?: RowTotals,
    held?: Held,
  ) {
    this.#s = s;
    this.#held = held ?? null;
    this.#sums = sums ?? null;
    this.#places = places;
    this.#rows = rows;
    this.#columns = columns;
    const r = s.form === 'along' ? s.vars.at(-1)! : null;
    this.#along = r && { r, whole: r.extent - (r.extent % 4) };
    this.#acc = this.#grid('acc');
    this.#tail = this.#along && this.#along.whole < this.#along.r.extent ? this.#grid('tail') : null;
  }

  write(): Stmt[] {
    const { def, vars, product } = this.#s;
    const conditions = conditionsOf(product);
    if (this.#isShort()) {
      const rounds = pointsOf(vars).flatMap((point, k) =>
        this.#round(new Map([...this.#places, ...point]), this.#acc, null, k === 0),
      );
      return [...rounds, ...this.#epilogues()];
    }
    const zero = constant(product.reduction.type, this.#startsAtFirst() ? -0 : 0);
    const start = this.#cells((i, j, c): Stmt[] => [
      { kind: 'let', reg: this.#acc[i]![j]!, value: zero, lanes: this.#along ? 4 : c.lanes },
      ...(this.#tail ? [{ kind: 'let', reg: this.#tail[i]![j]!, value: zero, lanes: 1 } as const] : []),
    ]);
    const outer = this.#along ? vars.slice(0, -1) : vars;
    const round = (at: Places): Stmt[] =>
      this.#along ? this.#roundsAlong(at, this.#along) : this.#round(at, this.#acc, null);
    const rounds = nestLoops(outer, def.vars, this.#places, round, conditions);
    return [...start, ...rounds, ...this.#epilogues()];
  }

  /**
   * Whether sums are those of their products and nothing else: written out, they begin with the first product, and in a loop
   * with −0, to which adding is exact, so that both give the same bits. Sums that may be empty begin with 0.
   */
  #startsAtFirst(): boolean {
    const { product, vars } = this.#s;
    const isFloat = product.reduction.type === 'f32';
    return isFloat && !this.#along && volume(vars) > 0 && conditionsOf(product).length === 0;
  }

  /** Whether all that the sums read fits into registers at once: then the rounds stand one after the other, without a loop. */
  #isShort(): boolean {
    const rounds = volume(this.#s.vars);
    if (this.#held) return true;
    return this.#startsAtFirst() && rounds * (this.#rows.length + this.#columns.length) <= mostLoads;
  }

  /** What is made of each cell's sum; where that takes long, of several cells in turn. */
  #epilogues(): Stmt[] {
    const parts = this.#rows.flatMap((_, i) => this.#columns.map((c, j) => this.#epilogue(i, j, c)));
    const { def, product } = this.#s;
    // Operations of the sum itself are a load, a load, a product.
    const values = [
      ...def.stores.map((s) => s.value),
      ...(this.#s.sums ?? []).flatMap((b) => b.sums.map((x) => x.body)),
    ];
    const long = operationCount(values) - operationCount([product.reduction.body]) >= longChain;
    if (!long) return parts.flat();
    const size = Math.ceil(parts.length / Math.ceil(parts.length / vectorsInTurn));
    const groups = Array.from({ length: Math.ceil(parts.length / size) }, (_, k) =>
      inTurn(parts.slice(k * size, (k + 1) * size)),
    );
    return groups.flat();
  }

  #roundsAlong(at: Places, { r, whole }: { readonly r: LoopVar; readonly whole: number }): Stmt[] {
    const { vars } = this.#s.def;
    const w = vars.make(r.name, whole);
    const body = this.#round(at, this.#acc, { at: varIndex(w), lanes: 4 });
    const main: Stmt = { kind: 'for', v: w, step: 4, limit: constIndex(whole), body };
    if (!this.#tail) return [main];
    const rest = vars.make(r.name, r.extent - whole);
    const single: Column = { at: offsetIndex(varIndex(rest), whole), lanes: 1 };
    return [main, ...forLoop(rest, 1, rest.extent, this.#round(at, this.#tail, single))];
  }

  /**
   * Adds one product to each accumulator, or makes it the first; `r` says where the reduction loop is in the `along` form, and
   * its lanes.
   */
  #round(at: Places, into: Grid, r: Column | null, isFirst = false): Stmt[] {
    const { product, v, m } = this.#s;
    const lanesOf = (c: Column): Lanes => r?.lanes ?? c.lanes;
    const widest = Math.max(...this.#columns.map(lanesOf)) as Lanes;
    const out: Stmt[] = [];
    const loaded = new Map<string, Register>();
    // One register per distinct element: operands that do not move with rows (columns) are loaded once per column (row).
    const load = (l: Load, i: number, j: number): Expr => {
      const byColumn = v !== null && moves(l, v);
      const row = m !== null && moves(l, m) ? i : '';
      const column = byColumn ? j : '';
      const side = l === product.x ? 'x' : 'y';
      const key = `${side}${row},${column}`;
      const seen = loaded.get(key);
      if (seen) return read(seen);
      const reg = this.#register(`${side}${row}${column}`);
      const c = this.#columns[j]!;
      const lanes = byColumn ? lanesOf(c) : widest;
      // An element that does not move with the columns is the same in all lanes: any column places it.
      const value = this.#place(at, i, { at: c.at, lanes }, r?.at ?? null)(l);
      const held = this.#held?.find(value);
      if (held) return held;
      out.push({ kind: 'let', reg, value, lanes });
      loaded.set(key, reg);
      return read(reg);
    };
    const columnOperand = v && moves(product.x, v) ? product.x : product.y;
    for (const j of this.#columns.keys()) load(columnOperand, 0, j);
    this.#rows.forEach((_, i) => {
      this.#columns.forEach((c, j) => {
        const acc = into[i]![j]!;
        const term = binary('mul', load(product.x, i, j), load(product.y, i, j));
        if (isFirst) out.push({ kind: 'let', reg: acc, value: term, lanes: lanesOf(c) });
        else out.push({ kind: 'set', reg: acc, value: binary('add', read(acc), term), lanes: lanesOf(c) });
      });
    });
    return out;
  }

  /** The sum of a cell, and the stores of what is made of it. */
  #epilogue(i: number, j: number, c: Column): Stmt[] {
    const { def, product, v, m } = this.#s;
    const { type } = product.reduction;
    const lets: Stmt[] = [];
    const total = (value: Expr, lanes: Lanes): Expr => {
      const reg = this.#register('total');
      lets.push({ kind: 'let', reg, value, lanes });
      return read(reg);
    };
    let sum = read(this.#acc[i]![j]!);
    if (this.#along) sum = total({ kind: 'horizontal', type, monoid: 'sum', x: sum }, 4);
    if (this.#tail) sum = total(binary('add', sum, read(this.#tail[i]![j]!)), 1);
    const column: Column = this.#along ? { at: c.at, lanes: 1 } : c;
    const first = this.#placed;
    const isBeside = first?.row === i && column.lanes > 1 && first.column.lanes === column.lanes;
    if (isBeside && first.column.at.terms === column.at.terms) {
      const by = column.at.constant - first.column.at.constant;
      const stores = lanesFurther(first.stores, by, new Map([[first.sum, sum]]));
      return [...lets, ...storeUnified(stores, column.lanes, def.vars)];
    }
    const swap = replacer((e) => (e === product.reduction ? sum : undefined));
    const atCell = this.#place(this.#places, i, column, null);
    const place = (e: Expr): Expr => (this.#held ? this.#held.in(atCell(e)) : atCell(e));
    const placed = def.stores.map((st) => ({
      param: st.param,
      index: substituteIndex(st.index, (x) =>
        x.id === m?.id ? this.#rows[i]! : x.id === v?.id ? c.at : this.#places.get(x.id),
      ),
      value: place(swap(st.value)),
      laneStride: column.lanes > 1 ? coefficientOf(st.index, v!) : 0,
    }));
    if (this.#sums || this.#held) {
      const sums = this.#sums?.of(i, (body) => place(swap(body)));
      return [...lets, ...storeValues(placed, column.lanes, def.vars, sums)];
    }
    const stores = unifiedStores(placed);
    this.#placed = { row: i, column, sum, stores };
    return [...lets, ...storeUnified(stores, column.lanes, def.vars)];
  }

  /** Puts expressions at row i and a column; `r` is where the reduction loop is in the `along` form. */
  #place(at: Places, i: number, c: Column, r: Index | null): (e: Expr) => Expr {
    const { v, m } = this.#s;
    const along = this.#along?.r ?? null;
    const vectorVar = c.lanes === 1 ? null : along ? (r ? along : null) : v;
    return placer(
      (x) => {
        if (x.id === m?.id) return this.#rows[i]!;
        if (x.id === vectorVar?.id) return undefined;
        if (x.id === v?.id) return c.at;
        if (x.id === along?.id) return r ?? undefined;
        return at.get(x.id);
      },
      vectorVar && { v: vectorVar, at: r ?? c.at },
    );
  }

  #cells(make: (i: number, j: number, c: Column) => Stmt[]): Stmt[] {
    return this.#rows.flatMap((_, i) => this.#columns.flatMap((c, j) => make(i, j, c)));
  }

  #grid(name: string): Grid {
    return this.#rows.map((_, i) => this.#columns.map((_, j) => this.#register(`${name}${i}${j}`)));
  }

  #register(name: string): Register {
    const { def, product } = this.#s;
    return { name, type: product.reduction.type, id: def.vars.next() };
  }
}

function read(reg: Register): Expr {
  return { kind: 'reg', type: reg.type, reg };
}
