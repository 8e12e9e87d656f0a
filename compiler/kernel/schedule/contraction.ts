// Schedule of contractions: sums of products of two loads. Matrix products, convolutions and both of their gradients are
// all of this form, and one generator serves them.
//
// A tile of `rows` × columns of the result is held in registers. Per round of the reduction loops it loads each column
// vector once, each row's element once (copied to all lanes), and adds rows × columns products:
//
//            columns: lanes along v        b0 b1
//   rows: m    a0                          acc00 acc01
//              a1                          acc10 acc11     acc[i][j] += a[i] · b[j]
//
// Loads stand before the arithmetic that needs them, and the reduction loop is not unrolled: with 4 × 8 elements this is
// the form that V8 keeps in registers (unrolling it, or larger tiles, halves the speed).
// When the result has no loop worth vectorizing (three output columns), lanes run along the reduction instead.

import {
  addIndex,
  constIndex,
  type Index,
  type LoopVar,
  offsetIndex,
  scaleIndex,
  varIndex,
} from '../affine.ts';
import { definitionBytes, definitionFlops } from '../cost.ts';
import { type KernelDefinition, type ReduceExpr, reductionsOf, volume } from '../definition.ts';
import { binary, constant, type Expr, type Register } from '../expr.ts';
import type { Kernel, Stmt, Target } from '../ir.ts';
import { coefficientOf, replacer, substituter, substituteStores } from '../substitute.ts';
import { arrangeReductions, collapseSpace } from './collapse.ts';
import { forLoop, storeValues } from './elementwise.ts';
import { cutUnits, describeUnits, unitPrefix, wantedUnits } from './units.ts';
import { canVectorize, vectorizer } from './vector.ts';

type Load = Extract<Expr, { kind: 'load' }>;

export interface Product {
  readonly reduction: ReduceExpr;
  readonly x: Load;
  readonly y: Load;
}

/** The definition's single sum of products of two affine loads, or null. */
export function productOf(def: KernelDefinition): Product | null {
  const reductions = reductionsOf(def.stores);
  const r = reductions[0];
  if (reductions.length !== 1 || r === undefined || r.kind !== 'reduce' || r.monoid !== 'sum') return null;
  const b = r.body;
  if (b.kind !== 'binary' || b.fn !== 'mul' || b.x.kind !== 'load' || b.y.kind !== 'load') return null;
  const all = [...def.space, ...r.vars];
  for (const load of [b.x, b.y]) if (all.some((v) => Number.isNaN(coefficientOf(load.index, v)))) return null;
  return { reduction: r, x: b.x, y: b.y };
}

/** Reduction loops by distance in memory of the operand that is read element by element, the largest outside. */
export function reductionOrder(vars: readonly LoopVar[], primary: Load, secondary: Load): LoopVar[] {
  const distance = (l: Load, v: LoopVar): number => Math.abs(coefficientOf(l.index, v));
  return vars
    .map((v, i) => ({ v, i }))
    .sort(
      (a, b) =>
        distance(primary, b.v) - distance(primary, a.v) ||
        distance(secondary, b.v) - distance(secondary, a.v) ||
        a.i - b.i,
    )
    .map((p) => p.v);
}

/**
 * The loop along which lanes run: that of neighbouring results, unless it is shorter than a vector and another one has
 * neighbouring operands (the gradient to the weights of a layer with three outputs).
 */
export function columnLoop(def: KernelDefinition, { x, y }: Product): LoopVar | null {
  const neighbours =
    def.space.findLast((v) => v.extent > 1 && coefficientOf(def.stores[0]!.index, v) === 1) ?? null;
  if (neighbours && neighbours.extent >= 4) return neighbours;
  const strides = (v: LoopVar): number[] => [coefficientOf(x.index, v), coefficientOf(y.index, v)];
  const other = def.space.findLast(
    (v) => v.extent >= 4 && strides(v).every((s) => s === 0 || s === 1) && strides(v).includes(1),
  );
  return other ?? neighbours;
}

interface Shape {
  readonly def: KernelDefinition;
  readonly product: Product;
  readonly vars: readonly LoopVar[];
  /** Columns: lanes run along it (`across`), or single elements. Null: the result has one column. */
  readonly v: LoopVar | null;
  readonly m: LoopVar | null;
  readonly form: 'across' | 'along';
  readonly lanes: 1 | 4;
}

export function scheduleContraction(definition: KernelDefinition, target: Target): Kernel | null {
  const shape = analyze(definition, target);
  if (!shape) return null;
  const { def, v, m, vars } = shape;
  const outer = def.space.filter((s) => s !== v && s !== m);
  const rowCount = m?.extent ?? 1;
  const columnCount = v?.extent ?? 1;
  const perTile =
    shape.form === 'across'
      ? target.tile.vectors * target.lanes
      : Math.min(4, target.tile.vectors * target.lanes);
  const work = 2 * volume(def.space) * volume(vars);
  const worth = Math.max(1, Math.min(wantedUnits, Math.ceil(work / target.unitWork)));
  const prefix = unitPrefix(outer, work, target.unitWork);
  const have = volume(outer.slice(0, prefix));
  // Rows, and then columns, are cut into blocks of whole tiles when the outer loops give too few units.
  const rowTiles = Math.ceil(rowCount / target.tile.rows);
  const rowBlocks = prefix === outer.length ? Math.min(rowTiles, Math.ceil(worth / have)) : 1;
  const rowBlock = Math.ceil(rowTiles / rowBlocks) * target.tile.rows;
  const rowsCut = Math.max(1, Math.ceil(rowCount / rowBlock));
  const columnTiles = Math.ceil(columnCount / perTile);
  const columnBlocks =
    prefix === outer.length && rowsCut >= rowTiles
      ? Math.min(columnTiles, Math.ceil(worth / (have * rowsCut)))
      : 1;
  const columnBlock = Math.ceil(columnTiles / columnBlocks) * perTile;
  const columnsCut = Math.max(1, Math.ceil(columnCount / columnBlock));
  const cut = cutUnits(def.vars, [...outer.slice(0, prefix), fakeVar(rowsCut), fakeVar(columnsCut)], 1);
  const map = new Map<number, Index>(outer.slice(0, prefix).map((o, i) => [o.id, cut.coordinates[i]!]));
  const rowAt = cut.coordinates[prefix]!;
  const columnAt = cut.coordinates[prefix + 1]!;
  const nest = (
    rest: readonly LoopVar[],
    at: ReadonlyMap<number, Index>,
    rows: [Index, number],
    columns: [Index, number],
  ): Stmt[] => {
    const [o, ...more] = rest;
    if (!o) return tiles(shape, at, rows, columns, target.tile.rows, perTile);
    const w = def.vars.make(o.name, o.extent);
    return forLoop(w, 1, w.extent, nest(more, new Map([...at, [o.id, varIndex(w)]]), rows, columns));
  };
  // The last block may be shorter: it has code of its own.
  const blocked = (
    count: number,
    block: number,
    cuts: number,
    at: Index,
    make: (from: Index, size: number) => Stmt[],
  ): Stmt[] => {
    if (cuts === 1) return make(constIndex(0), count);
    const last = count - (cuts - 1) * block;
    const full = make(scaleIndex(at, block), block);
    if (last === block) return full;
    return [
      {
        kind: 'if',
        conditions: [{ kind: 'inRange', index: at, lo: 0, hi: cuts - 1 }],
        body: full,
        otherwise: make(constIndex((cuts - 1) * block), last),
      },
    ];
  };
  const body = blocked(rowCount, rowBlock, rowsCut, rowAt, (r0, rows) =>
    blocked(columnCount, columnBlock, columnsCut, columnAt, (c0, columns) =>
      nest(outer.slice(prefix), map, [r0, rows], [c0, columns]),
    ),
  );
  const show = (vs: readonly LoopVar[]): string => vs.map((x) => `${x.name}:${x.extent}`).join(' × ') || '1';
  return {
    name: def.name,
    params: def.params,
    flags: def.flags,
    unit: cut.unit,
    body,
    schedule:
      `contraction over ${show(vars)} for ${show(def.space)}, tile ${Math.min(rowCount, target.tile.rows)} × ${Math.min(columnCount, perTile)}` +
      ` (rows ${m?.name ?? '–'}, columns ${v?.name ?? '–'}), lanes ${shape.lanes === 1 ? 'none' : shape.form === 'across' ? `across ${v!.name}` : `along ${vars.at(-1)!.name}`}, ${describeUnits(cut)}`,
    cost: { flops: definitionFlops(def), bytes: definitionBytes(def) },
  };
}

/** A coordinate of the unit that is not a loop of the space. */
function fakeVar(extent: number): LoopVar {
  return { kind: 'var', name: 'block', extent, id: -1 };
}

function analyze(definition: KernelDefinition, target: Target): Shape | null {
  if (!productOf(definition)) return null;
  const collapsed = collapseSpace(definition);
  const before = productOf(collapsed)!;
  const v = columnLoop(collapsed, before);
  const onV = (l: Load): number => (v ? coefficientOf(l.index, v) : 0);
  // The primary operand is the one that does not move with the columns.
  const primary = onV(before.x) === 0 ? before.x : before.y;
  const secondary = primary === before.x ? before.y : before.x;
  const { def, vars } = arrangeReductions(collapsed, (rs) => reductionOrder(rs, primary, secondary));
  const product = productOf(def)!;
  const values = def.stores.map((s) => s.value);
  const storesAffine = (x: LoopVar): boolean =>
    def.stores.every((s) => !Number.isNaN(coefficientOf(s.index, x)));
  const acrossFine =
    target.lanes === 4 &&
    v !== null &&
    v.extent >= 4 &&
    canVectorize(values, v) &&
    storesAffine(v) &&
    [product.x, product.y].every((l) => [0, 1].includes(coefficientOf(l.index, v)));
  const last = vars.at(-1);
  const alongFine =
    target.lanes === 4 &&
    last !== undefined &&
    last.extent >= 8 &&
    [product.x, product.y].every((l) => [0, 1].includes(coefficientOf(l.index, last)));
  const m = rowLoop(def, product, v, target.tile.rows);
  // Nothing is used twice: a plain reduction.
  if (!m) return null;
  if (acrossFine) return { def, product, vars, v, m, form: 'across', lanes: 4 };
  if (alongFine) return { def, product, vars, v, m, form: 'along', lanes: 4 };
  return { def, product, vars, v, m, form: 'across', lanes: 1 };
}

/** The loop whose elements make the rows of a tile: the innermost that is long enough and moves only one operand. */
function rowLoop(def: KernelDefinition, product: Product, v: LoopVar | null, rows: number): LoopVar | null {
  const moves = (l: Load, s: LoopVar): boolean => coefficientOf(l.index, s) !== 0;
  const candidates = def.space.filter((s) => s !== v && moves(product.x, s) !== moves(product.y, s));
  // Rows must share the column vectors: the operand that moves with v must not move with the rows.
  const sharing = candidates.filter(
    (s) => !v || ![product.x, product.y].some((l) => moves(l, v) && moves(l, s)),
  );
  const long = sharing.filter((s) => s.extent >= rows);
  return (
    long.at(-1) ??
    sharing.reduce<LoopVar | null>((best, s) => (best && best.extent >= s.extent ? best : s), null)
  );
}

interface Column {
  readonly at: Index;
  readonly lanes: 1 | 4;
}

/** Full tiles in loops, then what is left over: of columns outside, of rows inside. */
function tiles(
  s: Shape,
  map: ReadonlyMap<number, Index>,
  rows: [Index, number],
  columns: [Index, number],
  perRow: number,
  perTile: number,
): Stmt[] {
  const across = s.lanes === 4 && s.form === 'across';
  const cells = (from: Index, count: number): Column[] => {
    const out: Column[] = [];
    let j = 0;
    if (across) for (; j + 4 <= count; j += 4) out.push({ at: offsetIndex(from, j), lanes: 4 });
    for (; j < count; j++) out.push({ at: offsetIndex(from, j), lanes: across ? 1 : s.lanes });
    return out;
  };
  const rowTiles = (cols: readonly Column[]): Stmt[] =>
    split(s, s.m, rows, perRow, (from, count) =>
      tile(
        s,
        map,
        Array.from({ length: count }, (_, i) => offsetIndex(from, i)),
        cols,
      ),
    );
  return split(s, s.v, columns, perTile, (from, count) => rowTiles(cells(from, count)));
}

/** Runs `body` for pieces of `size` of a range, then once for the rest. */
function split(
  s: Shape,
  v: LoopVar | null,
  [from, count]: [Index, number],
  size: number,
  body: (from: Index, count: number) => Stmt[],
): Stmt[] {
  const full = Math.floor(count / size);
  const out: Stmt[] = [];
  if (full > 0) {
    const w = s.def.vars.make(v?.name ?? 'tile', full);
    out.push(...forLoop(w, 1, full, body(addIndex(from, scaleIndex(varIndex(w), size)), size)));
  }
  if (full * size < count) out.push(...body(offsetIndex(from, full * size), count - full * size));
  return out;
}

/** One register tile: accumulators, reduction loops, epilogue. */
function tile(
  s: Shape,
  map: ReadonlyMap<number, Index>,
  rows: readonly Index[],
  columns: readonly Column[],
): Stmt[] {
  const { def, product, vars, v, m } = s;
  const along = s.form === 'along';
  const reduceVar = vars.at(-1);
  const type = product.reduction.type;
  const outer = along ? vars.slice(0, -1) : vars;
  const tailFrom = along ? reduceVar!.extent - (reduceVar!.extent % 4) : 0;
  const hasTail = along && tailFrom < reduceVar!.extent;
  const reg = (name: string): Register => ({ name, type, id: def.vars.next() });
  const read = (r: Register): Expr => ({ kind: 'reg', type, reg: r });
  const grid = (name: string): Register[][] =>
    rows.map((_, i) => columns.map((_, j) => reg(`${name}${i}${j}`)));
  const acc = grid('acc');
  const tailAcc = hasTail ? grid('tail') : null;
  const cellLanes = (c: Column): 1 | 4 => (along ? 4 : c.lanes);

  /** An expression at row i and column j; in the `along` form `r` says where the reduction loop is. */
  const place = (
    e: Expr,
    at: ReadonlyMap<number, Index>,
    i: number,
    c: Column,
    r: Index | null,
    lanes: 1 | 4,
  ): Expr => {
    const vectorVar = lanes === 1 ? null : along ? (r ? reduceVar! : null) : v;
    const moved = substituter((x) => {
      if (m && x.id === m.id) return rows[i]!;
      if (vectorVar && x.id === vectorVar.id) return undefined;
      if (v && x.id === v.id) return c.at;
      if (along && reduceVar && x.id === reduceVar.id) return r ?? undefined;
      return at.get(x.id);
    })(e);
    return vectorVar ? vectorizer(vectorVar, along ? r! : c.at)(moved) : moved;
  };

  const round = (
    at: ReadonlyMap<number, Index>,
    into: Register[][],
    r: Index | null,
    lanesOf: (c: Column) => 1 | 4,
  ): Stmt[] => {
    const out: Stmt[] = [];
    const loaded = new Map<string, Register>();
    const widest = columns.some((c) => lanesOf(c) === 4) ? 4 : 1;
    // One register per distinct element: operands that do not move with rows (columns) are loaded once per column (row).
    const load = (l: Load, i: number, j: number): Expr => {
      const byRow = m !== null && coefficientOf(l.index, m) !== 0;
      const byColumn = v !== null && coefficientOf(l.index, v) !== 0;
      const key = `${l === product.x ? 'x' : 'y'}${byRow ? i : ''},${byColumn ? j : ''}`;
      const seen = loaded.get(key);
      if (seen) return read(seen);
      const name = reg(`${l === product.x ? 'x' : 'y'}${byRow ? i : ''}${byColumn ? j : ''}`);
      const lanes = byColumn ? lanesOf(columns[j]!) : widest;
      // An element that does not move with the columns is the same in all lanes: any column places it.
      out.push({ kind: 'let', reg: name, value: place(l, at, i, columns[j]!, r, lanes), lanes });
      loaded.set(key, name);
      return read(name);
    };
    const columnOperand = v && coefficientOf(product.x.index, v) !== 0 ? product.x : product.y;
    for (const j of columns.keys()) load(columnOperand, 0, j);
    rows.forEach((_, i) => {
      columns.forEach((c, j) => {
        const x = load(product.x, i, j);
        const y = load(product.y, i, j);
        out.push({
          kind: 'set',
          reg: into[i]![j]!,
          value: binary('add', read(into[i]![j]!), binary('mul', x, y)),
          lanes: lanesOf(c),
        });
      });
    });
    return out;
  };

  const loopsOver = (rest: readonly LoopVar[], at: ReadonlyMap<number, Index>): Stmt[] => {
    const [o, ...more] = rest;
    if (o) {
      const w = def.vars.make(o.name, o.extent);
      return forLoop(w, 1, w.extent, loopsOver(more, new Map([...at, [o.id, varIndex(w)]])));
    }
    if (!along) return round(at, acc, null, (c) => c.lanes);
    const w = def.vars.make(reduceVar!.name, tailFrom);
    const out: Stmt[] = [
      { kind: 'for', v: w, step: 4, limit: constIndex(tailFrom), body: round(at, acc, varIndex(w), () => 4) },
    ];
    if (tailAcc) {
      const t = def.vars.make(reduceVar!.name, reduceVar!.extent - tailFrom);
      out.push(
        ...forLoop(
          t,
          1,
          t.extent,
          round(at, tailAcc, offsetIndex(varIndex(t), tailFrom), () => 1),
        ),
      );
    }
    return out;
  };

  const zero = constant(type, 0);
  const start: Stmt[] = rows.flatMap((_, i) =>
    columns.flatMap((c, j): Stmt[] => [
      { kind: 'let', reg: acc[i]![j]!, value: zero, lanes: cellLanes(c) },
      ...(tailAcc ? [{ kind: 'let', reg: tailAcc[i]![j]!, value: zero, lanes: 1 } as const] : []),
    ]),
  );
  const write: Stmt[] = rows.flatMap((_, i) =>
    columns.flatMap((c, j): Stmt[] => {
      const lets: Stmt[] = [];
      let total = read(acc[i]![j]!);
      if (along) {
        const whole = reg('total');
        lets.push({
          kind: 'let',
          reg: whole,
          value: { kind: 'horizontal', type, monoid: 'sum', x: total },
          lanes: 4,
        });
        total = read(whole);
        if (tailAcc) {
          const all = reg('total');
          lets.push({ kind: 'let', reg: all, value: binary('add', total, read(tailAcc[i]![j]!)), lanes: 1 });
          total = read(all);
        }
      }
      const lanes = along ? 1 : c.lanes;
      const swap = replacer((e) => (e === product.reduction ? total : undefined));
      const done = def.stores.map((st) => ({ ...st, value: swap(st.value) }));
      const placed = substituteStores(done, (x) =>
        m && x.id === m.id ? rows[i]! : v && x.id === v.id ? c.at : map.get(x.id),
      );
      return [
        ...lets,
        ...storeValues(
          placed.map((st, k) => ({
            param: st.param,
            index: st.index,
            value: lanes === 4 ? place(done[k]!.value, map, i, c, null, 4) : st.value,
            laneStride: lanes === 4 ? coefficientOf(def.stores[k]!.index, v!) : 0,
          })),
          lanes,
          def.vars,
        ),
      ];
    }),
  );
  return [...start, ...loopsOver(outer, map), ...write];
}
