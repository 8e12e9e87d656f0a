// Substitution of loop variables in expressions and definitions. Indices and guards simplify as they are rebuilt: a guard
// that is known to hold (or to fail) on the new ranges disappears. Sharing is kept: one object maps to one object.

import {
  coefficientOfVar,
  constIndex,
  divIndex,
  type Index,
  indexRange,
  type LoopVar,
  modIndex,
  rewriteValues,
  substituteIndex,
} from './affine.ts';
import type { DefinitionStore } from './definition.ts';
import { type Condition, childrenOf, type Expr, indicesOf, withChildren } from './expr.ts';

export type Substitution = (v: LoopVar) => Index | undefined;

/** A function that substitutes in expressions; calls share their memo, so sharing between roots survives. */
export function substituter(map: Substitution): (e: Expr) => Expr {
  const memo = new Map<Expr, Expr>();
  const index = (i: Index): Index => substituteIndex(i, map, visit);
  const visit = (e: Expr): Expr => {
    const seen = memo.get(e);
    if (seen) return seen;
    const result = rebuild(e, index, visit);
    memo.set(e, result);
    return result;
  };
  return visit;
}

export function substituteStores(stores: readonly DefinitionStore[], map: Substitution): DefinitionStore[] {
  const sub = substituter(map);
  return stores.map((s) => ({
    param: s.param,
    index: substituteIndex(s.index, map, sub),
    value: sub(s.value),
  }));
}

/** Replaces whole sub-expressions (a reduction by the register that holds it). */
export function replacer(replace: (e: Expr) => Expr | undefined): (e: Expr) => Expr {
  const memo = new Map<Expr, Expr>();
  const index = (i: Index): Index => rewriteValues(i, visit);
  const visit = (e: Expr): Expr => {
    const seen = memo.get(e);
    if (seen) return seen;
    const result = replace(e) ?? rebuild(e, index, visit);
    memo.set(e, result);
    return result;
  };
  return visit;
}

/** Changes every expression once, children and the values in indices before parents. */
export function rewriter(change: (e: Expr) => Expr): (e: Expr) => Expr {
  const memo = new Map<Expr, Expr>();
  const changed = new Set<Expr>();
  const index = (i: Index): Index => rewriteValues(i, visit);
  const visit = (e: Expr): Expr => {
    const seen = memo.get(e);
    if (seen) return seen;
    const built = rebuild(e, index, visit);
    // Of a guard that is decided one side is left, which was changed before.
    const result = e.kind === 'guard' && changed.has(built) ? built : change(built);
    memo.set(e, result);
    changed.add(result);
    return result;
  };
  return visit;
}

function rebuild(e: Expr, index: (i: Index) => Index, expr: (e: Expr) => Expr): Expr {
  if (e.kind === 'load' || e.kind === 'index') {
    const i = index(e.index);
    if (i === e.index) return e;
    if (e.kind === 'index' && i.terms.length === 0) return { kind: 'const', type: 'i32', value: i.constant };
    return { ...e, index: i };
  }
  if (e.kind === 'guard') {
    const conditions = e.conditions.map((c) => {
      const i = index(c.index);
      return i === c.index ? c : { ...c, index: i };
    });
    const made = guard(
      conditions,
      () => expr(e.value),
      () => expr(e.otherwise),
    );
    return made.kind === 'guard' && sameGuard(made, e) ? e : made;
  }
  // The common forms without a list of children.
  if (e.kind === 'const' || e.kind === 'reg') return e;
  if (e.kind === 'binary' || e.kind === 'compare') {
    const x = expr(e.x);
    const y = expr(e.y);
    return x === e.x && y === e.y ? e : { ...e, x, y };
  }
  if (e.kind === 'unary') {
    const x = expr(e.x);
    return x === e.x ? e : { ...e, x };
  }
  return withChildren(e, childrenOf(e).map(expr));
}

function sameGuard(a: Extract<Expr, { kind: 'guard' }>, b: Extract<Expr, { kind: 'guard' }>): boolean {
  return (
    a.value === b.value &&
    a.otherwise === b.otherwise &&
    a.conditions.length === b.conditions.length &&
    a.conditions.every((c, i) => c === b.conditions[i])
  );
}

/** A guard whose decided conditions are gone; the sides are made only when they are needed. */
export function guard(conditions: readonly Condition[], value: () => Expr, otherwise: () => Expr): Expr {
  const open: Condition[] = [];
  for (const c of conditions) {
    const known = decide(c);
    if (known === false) return otherwise();
    if (known === null) open.push(c);
  }
  const inside = value();
  if (open.length === 0) return inside;
  return { kind: 'guard', type: inside.type, conditions: open, value: inside, otherwise: otherwise() };
}

/** Whether the condition holds everywhere (true), nowhere (false), or depends (null). */
export function decide(c: Condition): boolean | null {
  if (c.kind === 'inRange') {
    const r = indexRange(c.index);
    if (r.min >= c.lo && r.max < c.hi) return true;
    return r.max < c.lo || r.min >= c.hi || !steps(c.index, Math.max(r.min, c.lo), Math.min(r.max, c.hi - 1))
      ? false
      : null;
  }
  const rest = modIndex(c.index, c.by);
  if (rest.terms.length === 0) return rest.constant === 0;
  return null;
}

/** Whether the index has a value in [lo, hi]: 2 i never is 1. */
function steps(index: Index, lo: number, hi: number): boolean {
  const by = index.terms.reduce((g, t) => gcd(g, Math.abs(t.coeff)), 0);
  if (by <= 1) return true;
  const first = lo + ((((index.constant - lo) % by) + by) % by);
  return first <= hi;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Coefficient of a variable that may hide in run-time values; NaN when it does. See `coefficientOfVar`. */
export function coefficientOf(i: Index, v: LoopVar): number {
  let coeff = 0;
  for (let k = 0; k < i.terms.length; k++) {
    const { coeff: c, atom } = i.terms[k]!;
    if (atom.kind !== 'var') return coefficientOfVar(i, v, (e) => dependsOn(e, v));
    if (atom.id === v.id) coeff += c;
  }
  return coeff;
}

/** Whether an expression's value can change with the loop variable. */
export function dependsOn(root: Expr, v: LoopVar): boolean {
  const seen = new Set<Expr>();
  const visit = (e: Expr): boolean => {
    if (seen.has(e)) return false;
    seen.add(e);
    if ((e.kind === 'reduce' || e.kind === 'argmax') && e.vars.includes(v)) return false;
    return indicesOf(e).some((i) => coefficientOfVar(i, v, visit) !== 0) || childrenOf(e).some(visit);
  };
  return visit(root);
}

/**
 * Splits a point counter into the indices of a box: with extents (3, 4), u ↦ (u div 4, u mod 4). `u` runs over [0, 12).
 */
export function unflatten(u: Index, extents: readonly number[]): Index[] {
  const out: Index[] = [];
  let stride = 1;
  for (let i = extents.length - 1; i >= 0; i--) {
    const n = extents[i]!;
    out[i] = n === 1 ? constIndex(0) : i === 0 ? divIndex(u, stride) : modIndex(divIndex(u, stride), n);
    stride *= n;
  }
  return out;
}
