// Reductions with lanes across a parallel loop (batch norm's sums in channels-last: each lane owns a channel); several
// vectors at once hide the latency of the addition. Without a loop for the lanes, one element at a time.

import {
  constIndex,
  type Index,
  type LoopVar,
  offsetIndex,
  scaleIndex,
  substituteIndex,
  varIndex,
} from '../affine.ts';
import { flatIndex, type ReduceExpr, volume } from '../definition.ts';
import type { Expr } from '../expr.ts';
import type { Kernel, Lanes, Stmt, Target } from '../ir.ts';
import { coefficientOf, replacer } from '../substitute.ts';
import { makeAccumulators } from './accumulate.ts';
import type { Arranged } from './collapse.ts';
import { bindUnified, unified } from './share.ts';
import {
  forLoop,
  nestLoops,
  type PlacedStore,
  type Places,
  pointsOf,
  storeUnified,
  unifiedStores,
} from './statements.ts';
import { cutUnits, unitPrefix, unitsWorth } from './units.ts';
import { canVectorize, lanesFurther, lanesMover, placer, vectorsOf } from './vector.ts';

/** Vectors that are accumulated at once. */
const vectorsAtOnce = 4;
/** Rounds of all vectors of a tile that are written out, without loops: those of a small window. */
const mostRounds = 16;
/** Columns of a tile. */
const tile = 4 * vectorsAtOnce;

export interface Scheduled extends Pick<Kernel, 'unit'> {
  readonly write: () => readonly Stmt[];
  /** For the schedule line. */
  readonly how: string;
}

export function scheduleAcross(p: Arranged, target: Target, work: number): Scheduled {
  const { def } = p;
  const v = target.lanes === 4 ? laneLoop(p) : null;
  const outer = v ? def.space.slice(0, -1) : def.space;
  const prefix = unitPrefix(outer, work, target.unitWork, def.units);
  const units = outer.slice(0, prefix);
  // A unit holds one tile of columns when the outer loops alone give too few units.
  const tooFew =
    def.units === undefined && prefix === outer.length && volume(units) < unitsWorth(work, target.unitWork);
  const tiles = v && tooFew ? Math.ceil(v.extent / tile) : 1;
  const cut = cutUnits(
    def.vars,
    units.map((u) => u.extent),
    tiles,
  );
  const places = new Map<number, Index>(units.map((u, i) => [u.id, cut.coordinates[i]!]));
  const inner = (at: Places): Stmt[] => {
    if (!v) return writeTile(p, at, null, [{ at: constIndex(0), lanes: 1 }]);
    if (tiles === 1) return columnLoops(p, at, v, 0);
    const full = Math.floor(v.extent / tile);
    const main = writeTile(p, at, v, columnsFrom(scaleIndex(cut.block, tile), tile));
    if (full === tiles) return main;
    return [
      {
        kind: 'if',
        conditions: [{ kind: 'inRange', index: cut.block, lo: 0, hi: full }],
        body: main,
        otherwise: columnLoops(p, at, v, full * tile),
      },
    ];
  };
  return {
    unit: cut.unit,
    write: () => nestLoops(outer.slice(prefix), def.vars, places, inner),
    how: v ? `lanes across ${v.name}` : 'one lane',
  };
}

/** The innermost parallel loop, when lanes may run along it. */
function laneLoop({ def }: Arranged): LoopVar | null {
  const v = def.space.at(-1);
  if (v === undefined || v.extent < 4) return null;
  const values = def.stores.map((s) => s.value);
  if (!canVectorize(values, v)) return null;
  return def.stores.some((s) => Number.isNaN(coefficientOf(s.index, v))) ? null : v;
}

interface Column {
  readonly at: Index;
  readonly lanes: Lanes;
}

function columnsFrom(start: Index, count: number): Column[] {
  return vectorsOf(count).map(({ from, lanes }) => ({ at: offsetIndex(start, from), lanes }));
}

/** Columns from `from` to the end: a loop over whole tiles, then what is left. */
function columnLoops(p: Arranged, places: Places, v: LoopVar, from: number): Stmt[] {
  const full = Math.floor((v.extent - from) / tile);
  const out: Stmt[] = [];
  if (full > 0) {
    const w = p.def.vars.make(v.name, full);
    const at = offsetIndex(scaleIndex(varIndex(w), tile), from);
    out.push(...forLoop(w, 1, full, writeTile(p, places, v, columnsFrom(at, tile))));
  }
  const left = from + full * tile;
  if (left < v.extent) out.push(...writeTile(p, places, v, columnsFrom(constIndex(left), v.extent - left)));
  return out;
}

/** One tile: start the accumulators, run the reduction loops, write the results. */
function writeTile(p: Arranged, places: Places, v: LoopVar | null, columns: readonly Column[]): Stmt[] {
  const { def, vars, reductions } = p;
  const cells = columns.map((c) => ({
    c,
    accs: makeAccumulators(reductions, c.lanes, def.vars),
  }));
  const place = (c: Column, at: Places): ((e: Expr) => Expr) => {
    const vector = v && c.lanes > 1 ? { v, at: c.at } : null;
    return placer((x) => at.get(x.id) ?? (!vector && x.id === v?.id ? c.at : undefined), vector);
  };
  // Columns of whole vectors differ in where they are: the first is placed, the others are moved from there.
  const first = columns[0]!;
  const distance = (c: Column): number | null => {
    if (c === first) return 0;
    const isAlike = c.lanes > 1 && c.lanes === first.lanes && c.at.terms === first.at.terms;
    return isAlike ? c.at.constant - first.at.constant : null;
  };
  const isShort = volume(vars) * cells.length <= mostRounds;
  const beginsAtFirst = isShort && volume(vars) > 0 && cells.every(({ accs }) => accs.every((a) => a.first));
  const round = (at: Places, isFirst = false): Stmt[] => {
    const position = substituteIndex(flatIndex(vars), (x) => at.get(x.id));
    const placed = unified(reductions.map((r) => r.body).map(place(first, at)));
    return cells.flatMap(({ c, accs }) => {
      const by = distance(c);
      const bodies =
        by === null ? unified(reductions.map((r) => r.body).map(place(c, at))) : placed.map(lanesMover(by));
      const shared = bindUnified(bodies, c.lanes, def.vars);
      return [
        ...shared.lets,
        ...accs.flatMap((a, i) => (isFirst ? a.first! : a.step)(shared.values[i]!, position)),
      ];
    });
  };
  const rounds = isShort
    ? pointsOf(vars).flatMap((point, k) => round(new Map([...places, ...point]), beginsAtFirst && k === 0))
    : nestLoops(vars, def.vars, places, (at) => round(at));
  /** The stores of a column, with these results of the reductions. */
  const storesAt = (c: Column, results: readonly Expr[]): readonly PlacedStore[] => {
    const swap = replacer((e) => results[reductions.indexOf(e as ReduceExpr)]);
    const put = place(c, places);
    const stores = def.stores.map((s) => ({
      param: s.param,
      index: substituteIndex(s.index, (x) => places.get(x.id) ?? (x.id === v?.id ? c.at : undefined)),
      value: put(swap(s.value)),
      laneStride: v && c.lanes > 1 ? coefficientOf(s.index, v) : 0,
    }));
    return unifiedStores(stores);
  };
  const firstResults = cells[0]!.accs.map((a) => a.result);
  const firstStores = storesAt(first, firstResults);
  const write = cells.flatMap(({ c, accs }) => {
    const results = accs.map((a) => a.result);
    const by = distance(c);
    const stores =
      by === null
        ? storesAt(c, results)
        : lanesFurther(firstStores, by, new Map(firstResults.map((e, i) => [e, results[i]!])));
    return storeUnified(stores, c.lanes, def.vars);
  });
  const starts = beginsAtFirst ? [] : cells.flatMap(({ accs }) => accs.flatMap((a) => a.start));
  return [...starts, ...rounds, ...write];
}
