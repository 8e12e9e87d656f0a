// Vectors: an expression for one element becomes one for `lanes` neighbours along a loop variable, by telling each
// load and index value how far apart the lanes are. Nothing else changes: arithmetic is the same in every lane.

import { addIndex, type Index, type LoopVar, offsetIndex, scaleIndex, substituteIndex } from '../affine.ts';
import { childrenOf, type Expr, withChildren } from '../expr.ts';
import type { Lanes } from '../ir.ts';
import { coefficientOf, dependsOn, guard, type Substitution, substituter } from '../substitute.ts';
import type { PlacedStore } from './statements.ts';

/** So many neighbours in vectors, and what is left of them in half a vector and a single lane. */
export function vectorsOf(count: number): { readonly from: number; readonly lanes: Lanes }[] {
  const out: { from: number; lanes: Lanes }[] = [];
  let from = 0;
  for (const lanes of [4, 2, 1] as const)
    for (; from + lanes <= count; from += lanes) out.push({ from, lanes });
  return out;
}

/** The length of that list. */
export function vectorCount(count: number): number {
  return (count >> 2) + ((count >> 1) & 1) + (count & 1);
}

/** Whether lanes may run along `v`: nothing but affine loads, index values and arithmetic depends on it. */
export function canVectorize(roots: readonly Expr[], v: LoopVar): boolean {
  const memo = new Map<Expr, boolean>();
  const fine = (e: Expr): boolean => {
    const seen = memo.get(e);
    if (seen !== undefined) return seen;
    let ok = childrenOf(e).every(fine);
    if (ok && (e.kind === 'load' || e.kind === 'index')) ok = !Number.isNaN(coefficientOf(e.index, v));
    if (ok && e.kind === 'guard') ok = e.conditions.every((c) => coefficientOf(c.index, v) === 0);
    memo.set(e, ok);
    return ok;
  };
  return roots.every(fine);
}

/**
 * Places expressions: loop variables become what `map` says, and with `vector`, lanes run along its variable from `at`
 * on (then `map` leaves that variable alone). Calls share their memo, so what expressions share stays shared.
 */
export function placer(
  map: Substitution,
  vector: { readonly v: LoopVar; readonly at: Index } | null,
): (e: Expr) => Expr {
  const substitute = substituter(map);
  if (!vector) return substitute;
  const vectorize = vectorizer(vector.v, vector.at);
  return (e) => vectorize(substitute(e));
}

/** Tells each load and index value how far apart its lanes are along `v`, and puts `base` in its place. */
export function vectorizer(v: LoopVar, base: Index): (e: Expr) => Expr {
  const memo = new Map<Expr, Expr>();
  const place = (i: Index): Index => substituteIndex(i, (x) => (x.id === v.id ? base : undefined), visit);
  const visit = (e: Expr): Expr => {
    const seen = memo.get(e);
    if (seen) return seen;
    let out: Expr;
    if (e.kind === 'load' || e.kind === 'index')
      out = { ...e, laneStride: laneDistance(e.index, v, base), index: place(e.index) };
    else if (e.kind === 'guard') {
      out = guard(
        e.conditions.map((c) => ({ ...c, index: place(c.index) })),
        () => visit(e.value),
        () => visit(e.otherwise),
      );
    } else out = withChildren(e, childrenOf(e).map(visit));
    memo.set(e, out);
    return out;
  };
  return visit;
}

/**
 * How far apart four lanes from `base` on are. Inside of a panel they are neighbours although the panels are far apart:
 * then the first two places tell. NaN when the four are not evenly spaced.
 */
function laneDistance(index: Index, v: LoopVar, base: Index): number {
  const everywhere = coefficientOf(index, v);
  if (!Number.isNaN(everywhere)) return everywhere;
  const at = (lane: number): Index =>
    substituteIndex(index, (x) => (x.id === v.id ? offsetIndex(base, lane) : undefined));
  const first = scaleIndex(at(0), -1);
  const distances = [1, 2, 3].map((lane) => addIndex(at(lane), first));
  const one = distances[0]!.constant;
  const isEven = distances.every((d, i) => d.terms.length === 0 && d.constant === one * (i + 1));
  return isEven ? one : Number.NaN;
}

/**
 * Stores of a vector, so many elements further along the loop of its lanes: as if they were placed there, with less to do.
 * Only where nothing but loads, index values and arithmetic depends on that loop (`canVectorize`). `instead`: what takes the
 * place of some expressions.
 */
export function lanesFurther<S extends Pick<PlacedStore, 'index' | 'value' | 'laneStride'>>(
  stores: readonly S[],
  by: number,
  instead?: ReadonlyMap<Expr, Expr>,
): readonly S[] {
  if (by === 0) return stores;
  const move = lanesMover(by, instead);
  return stores.map((s) => ({ ...s, index: offsetIndex(s.index, by * s.laneStride), value: move(s.value) }));
}

/** The same for expressions; calls share their memo. */
export function lanesMover(by: number, instead?: ReadonlyMap<Expr, Expr>): (e: Expr) => Expr {
  const memo = new Map<Expr, Expr>(instead);
  const visit = (e: Expr): Expr => {
    if (e.kind === 'const') return e;
    const seen = memo.get(e);
    if (seen !== undefined) return seen;
    let out: Expr = e;
    if (e.kind === 'load' || e.kind === 'index') {
      if (e.laneStride !== 0) out = { ...e, index: offsetIndex(e.index, by * e.laneStride) };
    } else out = withChildren(e, childrenOf(e).map(visit));
    memo.set(e, out);
    return out;
  };
  return by === 0 ? (e) => e : visit;
}

/** Lane distances of all loads along `v`, for cost estimates; loads that do not depend on it give 0. */
export function laneStrides(roots: readonly Expr[], v: LoopVar): number[] {
  const out: number[] = [];
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load') out.push(dependsOn(e, v) ? coefficientOf(e.index, v) : 0);
    for (const c of childrenOf(e)) visit(c);
  };
  for (const r of roots) visit(r);
  return out;
}
