// Schedule of reductions that are not contractions. Two forms, chosen by how the operands lie in memory:
//
//   across   lanes run along a parallel loop (batch norm's sums in channels-last: each lane owns a channel); several
//            vectors at once hide the latency of the addition
//   along    lanes run along a reduction loop (the sum of a row); four accumulators, combined in a fixed order
//
// In both forms the order of combination is fixed by shapes and target alone.

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
import {
  type DefinitionStore,
  type KernelDefinition,
  type ReduceExpr,
  reductionsOf,
  type VarSource,
  volume,
} from '../definition.ts';
import { binary, combiner, type Expr } from '../expr.ts';
import type { Kernel, Stmt, Target } from '../ir.ts';
import { coefficientOf, replacer, substituter, substituteStores } from '../substitute.ts';
import { makeAccumulator } from './accumulate.ts';
import { arrangeReductions, collapseSpace, positionOf } from './collapse.ts';
import { forLoop, storeValues } from './elementwise.ts';
import { bindShared } from './share.ts';
import { cutUnits, describeUnits, splitForUnits, unitPrefix } from './units.ts';
import { canVectorize, laneStrides, vectorizer } from './vector.ts';

/** Vectors that are accumulated at once in the `across` form. */
const vectorsAtOnce = 4;
/** Independent accumulators in the `along` form. */
const accumulatorsAlong = 4;

interface Prepared {
  readonly def: KernelDefinition;
  readonly vars: readonly LoopVar[];
  readonly reductions: readonly ReduceExpr[];
}

export function scheduleReduction(definition: KernelDefinition, target: Target): Kernel {
  const whole = collapseSpace(definition);
  const reduced = reductionsOf(whole.stores);
  const work = volume(whole.space) * volume(reduced[0]!.vars) * reduced.length * 2;
  const p = arrangeReductions(splitForUnits(whole, work, target.unitWork), byStride);
  const along = target.lanes === 4 ? vectorAlong(p) : null;
  return along ? scheduleAlong(p, along, target, work) : scheduleAcross(p, target, work);
}

/** Reduction loops, outermost first: the largest distance in memory outside. */
function byStride(vars: readonly LoopVar[], bodies: readonly Expr[]): LoopVar[] {
  const distance = (v: LoopVar): number =>
    Math.max(0, ...laneStrides(bodies, v).map((s) => (Number.isNaN(s) ? 0 : Math.abs(s))));
  return vars
    .map((v, i) => ({ v, i, d: distance(v) }))
    .sort((a, b) => b.d - a.d || a.i - b.i)
    .map((x) => x.v);
}

/** Loads per element when lanes run along a loop: whole vectors and splats cost one load for four, others one each. */
function price(strides: readonly number[], extent: number): number {
  const loads = strides.reduce((n, s) => n + (s === 0 || s === 1 ? 1 : 4), 1);
  return (loads * (Math.floor(extent / 4) + (extent % 4))) / extent;
}

/** The reduction loop along which lanes should run, or null when running across a parallel loop is no worse. */
function vectorAlong(p: Prepared): LoopVar | null {
  if (p.reductions.some((r) => r.kind === 'argmax')) return null;
  const bodies = p.reductions.map((r) => r.body);
  const r = p.vars.at(-1);
  if (!r || r.extent < 8 || !canVectorize(bodies, r)) return null;
  const v = p.def.space.at(-1);
  const acrossPossible =
    v !== undefined &&
    v.extent >= 4 &&
    canVectorize(
      p.def.stores.map((s) => s.value),
      v,
    );
  if (!acrossPossible) return r;
  return price(laneStrides(bodies, r), r.extent) < price(laneStrides(bodies, v), v.extent) ? r : null;
}

function finish(p: Prepared, unit: LoopVar, body: readonly Stmt[], how: string): Kernel {
  const { def } = p;
  const show = (vs: readonly LoopVar[]): string =>
    vs.map((v) => `${v.name}:${v.extent}`).join(' × ') || 'one point';
  return {
    name: def.name,
    params: def.params,
    flags: def.flags,
    unit,
    body,
    schedule: `reduction over ${show(p.vars)} for ${show(def.space)}, ${how}, ${describeUnits({ unit })}`,
    cost: { flops: definitionFlops(def), bytes: definitionBytes(def) },
  };
}

/** Nested loops over the reduction variables around `body`; `map` has the index of each variable. */
function reductionLoops(
  vars: readonly LoopVar[],
  source: VarSource,
  body: (map: ReadonlyMap<number, Index>) => readonly Stmt[],
  map: ReadonlyMap<number, Index> = new Map(),
): Stmt[] {
  const [v, ...rest] = vars;
  if (!v) return [...body(map)];
  const w = source.make(v.name, v.extent);
  return forLoop(w, 1, w.extent, reductionLoops(rest, source, body, new Map([...map, [v.id, varIndex(w)]])));
}

// --- lanes across a parallel loop ---

function scheduleAcross(p: Prepared, target: Target, work: number): Kernel {
  const { def } = p;
  const v = def.space.at(-1);
  const values = def.stores.map((s) => s.value);
  const vector =
    v !== undefined &&
    target.lanes === 4 &&
    v.extent >= 4 &&
    canVectorize(values, v) &&
    def.stores.every((s) => !Number.isNaN(coefficientOf(s.index, v)));
  const columns = vector ? v : null;
  const outer = columns ? def.space.slice(0, -1) : def.space;
  const prefix = unitPrefix(outer, work, target.unitWork);
  const units = outer.slice(0, prefix);
  const rest = outer.slice(prefix);
  // A unit holds one tile of columns when the outer loops alone give too few units.
  const tile = 4 * vectorsAtOnce;
  const worth = Math.max(1, Math.ceil(work / target.unitWork));
  const tiles =
    columns && prefix === outer.length && volume(units) < Math.min(32, worth)
      ? Math.ceil(columns.extent / tile)
      : 1;
  const cut = cutUnits(def.vars, units, tiles);
  const map = new Map<number, Index>(units.map((u, i) => [u.id, cut.coordinates[i]!]));
  const inner = (m: ReadonlyMap<number, Index>): Stmt[] => {
    if (!columns) return tileBody(p, m, null, [{ at: constIndex(0), lanes: 1 }]);
    const n = columns.extent;
    if (tiles === 1) return columnLoops(p, m, columns, 0, n);
    const full = Math.floor(n / tile);
    const start = scaleIndex(cut.block, tile);
    const main = tileBody(p, m, columns, vectorsFrom(start, tile));
    if (full === tiles) return main;
    return [
      {
        kind: 'if',
        conditions: [{ kind: 'inRange', index: cut.block, lo: 0, hi: full }],
        body: main,
        otherwise: columnLoops(p, m, columns, full * tile, n),
      },
    ];
  };
  const nest = (vars: readonly LoopVar[], m: ReadonlyMap<number, Index>): Stmt[] => {
    const [o, ...more] = vars;
    if (!o) return inner(m);
    const w = def.vars.make(o.name, o.extent);
    return forLoop(w, 1, w.extent, nest(more, new Map([...m, [o.id, varIndex(w)]])));
  };
  return finish(p, cut.unit, nest(rest, map), columns ? `lanes across ${columns.name}` : 'one lane');
}

interface Column {
  readonly at: Index;
  readonly lanes: 1 | 4;
}

function vectorsFrom(start: Index, count: number): Column[] {
  const out: Column[] = [];
  for (let j = 0; j + 4 <= count; j += 4) out.push({ at: offsetIndex(start, j), lanes: 4 });
  for (let j = count - (count % 4); j < count; j++) out.push({ at: offsetIndex(start, j), lanes: 1 });
  return out;
}

/** Columns [from, to): a loop over whole tiles, then what is left. */
function columnLoops(
  p: Prepared,
  map: ReadonlyMap<number, Index>,
  v: LoopVar,
  from: number,
  to: number,
): Stmt[] {
  const tile = 4 * vectorsAtOnce;
  const full = Math.floor((to - from) / tile);
  const out: Stmt[] = [];
  if (full > 0) {
    const w = p.def.vars.make(v.name, full);
    const at = offsetIndex(scaleIndex(varIndex(w), tile), from);
    out.push(...forLoop(w, 1, full, tileBody(p, map, v, vectorsFrom(at, tile))));
  }
  const left = from + full * tile;
  if (left < to) out.push(...tileBody(p, map, v, vectorsFrom(constIndex(left), to - left)));
  return out;
}

/** One tile: start the accumulators, run the reduction loops, write the results. */
function tileBody(
  p: Prepared,
  map: ReadonlyMap<number, Index>,
  v: LoopVar | null,
  columns: readonly Column[],
): Stmt[] {
  const { def } = p;
  const cells = columns.map((c) => ({
    c,
    accs: p.reductions.map((r) => makeAccumulator(r, c.lanes, def.vars)),
  }));
  const place = (e: Expr, c: Column, m: ReadonlyMap<number, Index>): Expr => {
    const moved = substituter((x) => m.get(x.id) ?? (c.lanes === 1 && v && x.id === v.id ? c.at : undefined))(
      e,
    );
    return v && c.lanes === 4 ? vectorizer(v, c.at)(moved) : moved;
  };
  const rounds = reductionLoops(p.vars, def.vars, (m) => {
    const all = new Map([...map, ...m]);
    const position = positionIndex(p.vars, all);
    return cells.flatMap(({ c, accs }) => {
      const shared = bindShared(
        placeAll(
          p.reductions.map((r) => r.body),
          (e) => place(e, c, all),
        ),
        c.lanes,
        def.vars,
      );
      return [...shared.lets, ...accs.flatMap((a, i) => a.step(shared.values[i]!, position))];
    });
  });
  const write = cells.flatMap(({ c, accs }) => {
    const swap = replacer((e) => {
      const at = p.reductions.indexOf(e as ReduceExpr);
      return at < 0 ? undefined : accs[at]!.result;
    });
    const done: DefinitionStore[] = def.stores.map((s) => ({ ...s, value: swap(s.value) }));
    const placed = substituteStores(done, (x) => map.get(x.id) ?? (v && x.id === v.id ? c.at : undefined));
    const valuesOf = placeAll(
      done.map((s) => s.value),
      (e) => place(e, c, map),
    );
    return storeValues(
      placed.map((s, i) => ({
        param: s.param,
        index: s.index,
        value: valuesOf[i]!,
        laneStride: v && c.lanes === 4 ? coefficientOf(def.stores[i]!.index, v) : 0,
      })),
      c.lanes,
      def.vars,
    );
  });
  return [...cells.flatMap(({ accs }) => accs.flatMap((a) => a.start)), ...rounds, ...write];
}

/** Places several expressions at once through one tuple, so that what they share stays shared. */
function placeAll(exprs: readonly Expr[], place: (e: Expr) => Expr): Expr[] {
  if (exprs.length === 1) return [place(exprs[0]!)];
  const tuple = exprs.reduce((a, b): Expr => ({ kind: 'binary', type: a.type, fn: 'add', x: a, y: b }));
  let e = place(tuple);
  const out: Expr[] = [];
  for (let i = exprs.length - 1; i > 0; i--) {
    const pair = e as Extract<Expr, { kind: 'binary' }>;
    out.unshift(pair.y);
    e = pair.x;
  }
  out.unshift(e);
  return out;
}

function positionIndex(vars: readonly LoopVar[], map: ReadonlyMap<number, Index>): Index {
  const flat = positionOf(vars);
  return flat.terms.reduce(
    (sum, t) =>
      addIndex(
        sum,
        scaleIndex(t.atom.kind === 'var' ? (map.get(t.atom.id) ?? varIndex(t.atom)) : constIndex(0), t.coeff),
      ),
    constIndex(flat.constant),
  );
}

// --- lanes along a reduction loop ---

function scheduleAlong(p: Prepared, r: LoopVar, target: Target, work: number): Kernel {
  const { def } = p;
  const prefix = unitPrefix(def.space, work, target.unitWork);
  const units = def.space.slice(0, prefix);
  const cut = cutUnits(def.vars, units, 1);
  const map = new Map<number, Index>(units.map((u, i) => [u.id, cut.coordinates[i]!]));
  const nest = (vars: readonly LoopVar[], m: ReadonlyMap<number, Index>): Stmt[] => {
    const [o, ...more] = vars;
    if (!o) return alongBody(p, r, m);
    const w = def.vars.make(o.name, o.extent);
    return forLoop(w, 1, w.extent, nest(more, new Map([...m, [o.id, varIndex(w)]])));
  };
  return finish(p, cut.unit, nest(def.space.slice(prefix), map), `lanes along ${r.name}`);
}

function alongBody(p: Prepared, r: LoopVar, map: ReadonlyMap<number, Index>): Stmt[] {
  const { def } = p;
  const outer = p.vars.filter((x) => x.id !== r.id);
  const wide = r.extent >= 16 ? 4 * accumulatorsAlong : 4;
  const count = wide / 4;
  const full = Math.floor(r.extent / wide);
  const vectors = Math.floor((r.extent - full * wide) / 4);
  const tailFrom = full * wide + vectors * 4;
  const accs = p.reductions.map((x) => ({
    lanes: Array.from({ length: count }, () => makeAccumulator(x, 4, def.vars)),
    tail: tailFrom < r.extent ? makeAccumulator(x, 1, def.vars) : null,
  }));
  const bodies = (
    m: ReadonlyMap<number, Index>,
    at: Index,
    lanes: 1 | 4,
  ): { lets: readonly Stmt[]; values: readonly Expr[] } => {
    const values = placeAll(
      p.reductions.map((x) => x.body),
      (e) => {
        const moved = substituter((x) => m.get(x.id) ?? (lanes === 1 && x.id === r.id ? at : undefined))(e);
        return lanes === 4 ? vectorizer(r, at)(moved) : moved;
      },
    );
    return bindShared(values, lanes, def.vars);
  };
  const zero = constIndex(0);
  const round = (m: ReadonlyMap<number, Index>, at: Index, j: number): Stmt[] => {
    const b = bodies(m, at, 4);
    return [...b.lets, ...accs.flatMap((a, i) => a.lanes[j]!.step(b.values[i]!, zero))];
  };
  const rounds = reductionLoops(outer, def.vars, (inner) => {
    const m = new Map([...map, ...inner]);
    const out: Stmt[] = [];
    if (full > 0) {
      const w = def.vars.make(r.name, full);
      const at = scaleIndex(varIndex(w), wide);
      out.push(
        ...forLoop(
          w,
          1,
          full,
          Array.from({ length: count }, (_, j) => round(m, offsetIndex(at, 4 * j), j)).flat(),
        ),
      );
    }
    for (let j = 0; j < vectors; j++) out.push(...round(m, constIndex(full * wide + 4 * j), j % count));
    if (tailFrom < r.extent) {
      const w = def.vars.make(r.name, r.extent - tailFrom);
      const b = bodies(m, offsetIndex(varIndex(w), tailFrom), 1);
      out.push(
        ...forLoop(w, 1, w.extent, [...b.lets, ...accs.flatMap((a, i) => a.tail!.step(b.values[i]!, zero))]),
      );
    }
    return out;
  });
  // The lanes meet in registers of their own; what follows computes one lane.
  const lets: Stmt[] = [];
  const named = new Map<Expr, Expr>();
  const bind = (x: ReduceExpr, value: Expr, lanes: 1 | 4): Expr => {
    const reg = { name: 'total', type: x.type, id: def.vars.next() };
    lets.push({ kind: 'let', reg, value, lanes });
    return { kind: 'reg', type: x.type, reg };
  };
  p.reductions.forEach((x, i) => {
    const monoid = (x as Extract<ReduceExpr, { kind: 'reduce' }>).monoid;
    const fn = combiner(monoid);
    let parts: Expr[] = accs[i]!.lanes.map((a) => a.result);
    // Pairwise: ((0,1),(2,3)).
    while (parts.length > 1) {
      parts = Array.from({ length: Math.ceil(parts.length / 2) }, (_, k) =>
        2 * k + 1 < parts.length ? binary(fn, parts[2 * k]!, parts[2 * k + 1]!) : parts[2 * k]!,
      );
    }
    const whole = bind(x, { kind: 'horizontal', type: x.type, monoid, x: parts[0]! }, 4);
    const tail = accs[i]!.tail;
    named.set(x, tail ? bind(x, binary(fn, whole, tail.result), 1) : whole);
  });
  const swap = replacer((e) => named.get(e));
  const done = substituteStores(
    def.stores.map((s) => ({ ...s, value: swap(s.value) })),
    (x) => map.get(x.id),
  );
  return [
    ...accs.flatMap((a) => [...a.lanes.flatMap((l) => l.start), ...(a.tail?.start ?? [])]),
    ...rounds,
    ...lets,
    ...storeValues(
      done.map((s) => ({ ...s, laneStride: 0 })),
      1,
      def.vars,
    ),
  ];
}
