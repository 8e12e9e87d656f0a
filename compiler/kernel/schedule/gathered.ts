// Schedule of sums of products of which one factor lies where a value computed at run time says: the gradient to a
// convolution's weights below a pool. Lanes run across a loop along which that factor's elements are neighbours, and the other
// factor is the same in all lanes:
//
//   for c, p:   at = index[c, p]   s = d[c, p]   for j:  acc[j] += s · x[… + at, 4 j]
//
// As many sums as there are registers are added up at once; where that is not all of them, positions are computed once, before
// (positions.ts). A long sum is cut into parts, whose elements stay near while all sums walk through them, and which are added up
// afterwards.

import {
  addIndex,
  constIndex,
  type Index,
  isStaticIndex,
  type LoopVar,
  offsetIndex,
  scaleIndex,
  substituteIndex,
  varIndex,
} from '../affine.ts';
import { definitionBytes, definitionFlops } from '../cost.ts';
import { type KernelDefinition, type ReduceExpr, reductionsOf, volume } from '../definition.ts';
import { binary, constant, type Expr, type Register } from '../expr.ts';
import type { Kernel, Lanes, Stmt, Target } from '../ir.ts';
import { coefficientOf, replacer, substituter } from '../substitute.ts';
import { type Bound, type NewTemporary, throughBuffer } from './bound.ts';
import { collapseSpace } from './collapse.ts';
import { storePositions } from './positions.ts';
import type { Load } from './product.ts';
import { forLoop, nestLoops, type Places, storeValues } from './statements.ts';
import { cutUnits, describeUnits, unitPrefix } from './units.ts';
import { placer, vectorsOf } from './vector.ts';

/**
 * Vectors of sums at once: with 13 V8 keeps some of them in memory, and 7 and 6 take three quarters of the time. With all 10 of a
 * kernel of 5 × 5 it keeps three there: 338 µs, and 305 with 6 and 4.
 */
const mostSums = 8;
/** A sum is cut into about so many parts, each at least so long. */
const wantedParts = 16;
const shortestPart = 64;

interface Gathered {
  readonly reduction: Extract<ReduceExpr, { kind: 'reduce' }>;
  /** The factor at positions of run time, and the other. */
  readonly x: Load;
  readonly y: Load;
  /** Columns, in lanes: neighbours in x. */
  readonly v: LoopVar;
  /** Rows: x moves, y does not. Null: one. */
  readonly m: LoopVar | null;
}

function gatheredOf(def: KernelDefinition): Gathered | null {
  const [r, ...more] = reductionsOf(def.stores);
  if (r?.kind !== 'reduce' || more.length > 0 || r.monoid !== 'sum' || r.type !== 'f32') return null;
  const b = r.body;
  if (b.kind !== 'binary' || b.fn !== 'mul' || b.x.kind !== 'load' || b.y.kind !== 'load') return null;
  const [x, y] = isStaticIndex(b.x.index) ? [b.y, b.x] : [b.x, b.y];
  if (isStaticIndex(x.index) || !isStaticIndex(y.index)) return null;
  const free = def.space.filter(
    (s) => s.extent > 1 && coefficientOf(y.index, s) === 0 && !Number.isNaN(coefficientOf(x.index, s)),
  );
  const longest = (loops: readonly LoopVar[]): LoopVar | null =>
    loops.reduce<LoopVar | null>((a, s) => (a === null || s.extent > a.extent ? s : a), null);
  const v = longest(free.filter((s) => s.extent >= 4 && coefficientOf(x.index, s) === 1));
  if (v === null) return null;
  const m = longest(free.filter((s) => s !== v && coefficientOf(x.index, s) !== 0));
  return { reduction: r, x, y, v, m };
}

/** The definitions to schedule in place of one that is such a sum: its parts, and what is made of them; null for others. */
export function splitGathered<Arg>(
  bound: Bound<Arg>,
  target: Target,
  temporary: NewTemporary<Arg>,
): Bound<Arg>[] | null {
  if (target.lanes === 1) return null;
  const whole: Bound<Arg> = { ...bound, def: collapseSpace(bound.def) };
  const { def } = whole;
  const shape = gatheredOf(def);
  if (shape === null) return null;
  const { reduction, v, m } = shape;
  const cut = reduction.vars.find((r) => r.extent > 1);
  const length = volume(reduction.vars);
  if (cut === undefined || length < 2 * shortestPart) return null;
  const parts = largestDivisor(cut.extent, Math.min(wantedParts, Math.floor(length / shortestPart)));
  const part = def.vars.make('part', parts);
  const piece = def.vars.make(cut.name, cut.extent / parts);
  const at = addIndex(scaleIndex(varIndex(part), piece.extent), varIndex(piece));
  const box = [part, ...def.space.filter((s) => s !== v && s !== m), ...(m ? [m] : []), v];
  const sum: Expr = {
    ...reduction,
    vars: reduction.vars.map((x) => (x === cut ? piece : x)),
    body: substituter((x) => (x.id === cut.id ? at : undefined))(reduction.body),
  };
  const [parted, rest] = throughBuffer(whole, temporary, {
    name: `${def.name} (parts)`,
    reduction,
    box,
    sum,
    parts: [part],
  });
  return [...(positionsOf(parted, temporary) ?? [parted]), rest];
}

/** With positions that are computed once, where several tiles would ask for each. */
function positionsOf<Arg>(bound: Bound<Arg>, temporary: NewTemporary<Arg>): readonly Bound<Arg>[] | null {
  const shape = gatheredOf(bound.def);
  if (shape === null) return null;
  const { v, m, x, reduction } = shape;
  const { columns, rows } = tileOf(shape);
  const tiles = Math.ceil(v.extent / columns) * Math.ceil((m?.extent ?? 1) / rows);
  const isSame = [v, ...(m ? [m] : [])].every((s) => !Number.isNaN(coefficientOf(x.index, s)));
  return tiles > 1 && isSame ? storePositions(bound, x, reduction.vars, temporary) : null;
}

/** Columns and rows whose sums are added up at once. */
function tileOf({ v, m }: Gathered): { readonly columns: number; readonly rows: number } {
  const columns = Math.min(v.extent, 4 * evenly(vectorsOf(v.extent).length, mostSums));
  const rows = m === null ? 1 : evenly(m.extent, Math.floor(mostSums / vectorsOf(columns).length));
  return { columns, rows };
}

function largestDivisor(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** The kernel of such a sum, or null: also when something is made of it that is not stored as it is. */
export function scheduleGathered(definition: KernelDefinition, target: Target): Kernel | null {
  if (target.lanes === 1) return null;
  const def = collapseSpace(definition);
  const shape = gatheredOf(def);
  if (shape === null || def.stores.some((s) => s.value !== shape.reduction)) return null;
  const { v, m, reduction } = shape;
  const outer = def.space.filter((s) => s !== v && s !== m);
  const work = 2 * volume(def.space) * volume(reduction.vars);
  const prefix = unitPrefix(outer, work, target.unitWork);
  const units = outer.slice(0, prefix);
  const cut = cutUnits(
    def.vars,
    units.map((u) => u.extent),
    1,
  );
  const places = new Map<number, Index>(units.map((u, i) => [u.id, cut.coordinates[i]!]));
  const { columns, rows } = tileOf(shape);
  const body = nestLoops(outer.slice(prefix), def.vars, places, (at) =>
    ranges(def, v, columns, (c) => ranges(def, m, rows, (r) => writeTile(def, shape, at, r, c))),
  );
  const show = (vs: readonly LoopVar[]): string => vs.map((x) => `${x.name}:${x.extent}`).join(' × ');
  return {
    name: def.name,
    params: def.params,
    flags: def.flags,
    unit: cut.unit,
    body,
    schedule: `gathered sum over ${show(reduction.vars)} for ${show(def.space)}, lanes across ${v.name}, ${describeUnits(cut)}`,
    cost: { flops: definitionFlops(def), bytes: definitionBytes(def) },
  };
}

/** The size of pieces that are about equal, and at most so large. */
function evenly(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / Math.max(1, most)));
}

interface Range {
  readonly from: Index;
  readonly count: number;
}

/** Pieces of `size` of a loop, and the rest; without a loop, one. */
function ranges(
  def: KernelDefinition,
  loop: LoopVar | null,
  size: number,
  body: (r: Range) => Stmt[],
): Stmt[] {
  const count = loop?.extent ?? 1;
  const full = Math.floor(count / size);
  const out: Stmt[] = [];
  if (full > 0) {
    const w = def.vars.make(loop?.name ?? 'row', full);
    out.push(...forLoop(w, 1, full, body({ from: scaleIndex(varIndex(w), size), count: size })));
  }
  if (full * size < count) out.push(...body({ from: constIndex(full * size), count: count - full * size }));
  return out;
}

interface Cell {
  readonly row: Index;
  readonly column: Index;
  readonly lanes: Lanes;
  readonly acc: Register;
}

function writeTile(
  def: KernelDefinition,
  { reduction, x, y, v, m }: Gathered,
  places: Places,
  rows: Range,
  columns: Range,
): Stmt[] {
  const register = (name: string, type: Register['type'] = 'f32'): Register => ({
    name,
    type,
    id: def.vars.next(),
  });
  const cells = Array.from({ length: rows.count }, (_, i) =>
    vectorsOf(columns.count).map(({ from, lanes }): Cell => {
      return {
        row: offsetIndex(rows.from, i),
        column: offsetIndex(columns.from, from),
        lanes,
        acc: register('acc'),
      };
    }),
  ).flat();
  // Positions known at run time become registers: one load for all cells.
  const chosen = valuesIn(x.index);
  const registers = chosen.map(() => register('at', 'i32'));
  const byRegister = replacer((e) => {
    const k = chosen.indexOf(e);
    return k < 0 ? undefined : read(registers[k]!);
  })(x) as Load;
  const scale = register('scale');
  const put = (at: Places, cell: Cell | null): ((e: Expr) => Expr) =>
    placer(
      (s) => (s === m ? cell?.row : s === v ? (cell?.lanes === 1 ? cell.column : undefined) : at.get(s.id)),
      cell && cell.lanes > 1 ? { v, at: cell.column } : null,
    );
  const rounds = nestLoops(reduction.vars, def.vars, places, (at): Stmt[] => {
    const plain = put(at, null);
    return [
      ...chosen.map((e, k): Stmt => ({ kind: 'let', reg: registers[k]!, value: plain(e), lanes: 1 })),
      { kind: 'let', reg: scale, value: plain(y), lanes: 4 },
      ...cells.map((cell): Stmt => {
        const product = binary('mul', read(scale), put(at, cell)(byRegister));
        const value = binary('add', read(cell.acc), product);
        return { kind: 'set', reg: cell.acc, value, lanes: cell.lanes };
      }),
    ];
  });
  return [
    ...cells.map(({ acc, lanes }): Stmt => ({ kind: 'let', reg: acc, value: constant('f32', 0), lanes })),
    ...rounds,
    ...cells.flatMap((cell) => {
      const index = (i: Index): Index =>
        substituteIndex(i, (s) => (s === m ? cell.row : s === v ? cell.column : places.get(s.id)));
      const stores = def.stores.map((s) => ({
        param: s.param,
        index: index(s.index),
        value: read(cell.acc),
        laneStride: cell.lanes > 1 ? coefficientOf(s.index, v) : 0,
      }));
      return storeValues(stores, cell.lanes, def.vars);
    }),
  ];
}

/** The expressions of run-time values in an index, each once. */
function valuesIn(index: Index): Expr[] {
  const out = new Set<Expr>();
  const visit = (i: Index): void => {
    for (const { atom } of i.terms) {
      if (atom.kind === 'value') out.add(atom.expr);
      else if (atom.kind !== 'var') visit(atom.x);
    }
  };
  visit(index);
  return [...out];
}

function read(reg: Register): Expr {
  return { kind: 'reg', type: reg.type, reg };
}
