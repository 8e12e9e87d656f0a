// Ranges of indices where they are used: loops with steps and limits say more about a variable than its extent, and
// conditions say more inside what they guard. Ranges are safe: never too narrow.

import {
  type Atom,
  addIndex,
  atomKey,
  atomRange,
  type Index,
  indexRange,
  isStaticIndex,
  type LoopVar,
  type Range,
  scaleIndex,
} from './affine.ts';
import type { Condition } from './expr.ts';

/** What is known at a place in a kernel. Immutable: `withLoop` and `withConditions` make new ones. */
export interface RangeScope {
  readonly vars: ReadonlyMap<number, Range>;
  readonly bounds: readonly Bound[];
  /** All conditions that hold here. */
  readonly conditions: readonly Condition[];
}

/** lo ≤ index ≤ hi */
interface Bound {
  readonly index: Index;
  readonly lo: number;
  readonly hi: number;
}

export const emptyRanges: RangeScope = { vars: new Map(), bounds: [], conditions: [] };

/** Inside a loop: v takes the values 0, step, … below the limit. */
export function withLoop(scope: RangeScope, v: LoopVar, step: number, limit: Index): RangeScope {
  const most = Math.min(v.extent, rangeOf(limit, scope).max);
  const max = Math.max(0, Math.floor((most - 1) / step) * step);
  return { ...scope, vars: new Map([...scope.vars, [v.id, { min: 0, max }]]) };
}

/** Where all conditions hold. */
export function withConditions(scope: RangeScope, conditions: readonly Condition[]): RangeScope {
  const bounds = conditions.flatMap((c): Bound[] =>
    c.kind === 'inRange' ? undivided({ index: c.index, lo: c.lo, hi: c.hi - 1 }) : [],
  );
  const known = { ...scope, conditions: [...scope.conditions, ...conditions] };
  return narrow({ ...known, bounds: [...scope.bounds, ...bounds] }, bounds);
}

/** Where the conditions do not all hold: a single one that fails at one end only still says something. */
export function withoutConditions(scope: RangeScope, conditions: readonly Condition[]): RangeScope {
  const only = conditions.length === 1 ? conditions[0]! : null;
  if (only?.kind !== 'inRange') return scope;
  const r = rangeOf(only.index, scope);
  const bounds: Bound[] = [];
  if (r.min >= only.lo) bounds.push({ index: only.index, lo: only.hi, hi: r.max });
  else if (r.max < only.hi) bounds.push({ index: only.index, lo: r.min, hi: only.lo - 1 });
  const opposite = bounds.map(
    (b): Condition => ({ kind: 'inRange', index: b.index, lo: b.lo, hi: b.hi + 1 }),
  );
  const known = { ...scope, conditions: [...scope.conditions, ...opposite] };
  return narrow({ ...known, bounds: [...scope.bounds, ...bounds] }, bounds);
}

/** A bound on a multiple of floor(x / k) is one on x as well. */
function undivided(bound: Bound): Bound[] {
  const only = bound.index.terms.length === 1 ? bound.index.terms[0]! : null;
  if (only?.atom.kind !== 'div') return [bound];
  const { x, by } = only.atom;
  const ends = [
    (bound.lo - bound.index.constant) / only.coeff,
    (bound.hi - bound.index.constant) / only.coeff,
  ];
  const lo = Math.ceil(Math.min(...ends)) * by;
  const hi = Math.floor(Math.max(...ends)) * by + by - 1;
  return [bound, ...undivided({ index: x, lo, hi })];
}

/** Bounds on a multiple of one variable narrow the variable itself, so that quotients of it are known better too. */
function narrow(scope: RangeScope, bounds: readonly Bound[]): RangeScope {
  const vars = new Map(scope.vars);
  for (const { index, lo, hi } of bounds) {
    const only = index.terms.length === 1 ? index.terms[0]! : null;
    if (only?.atom.kind !== 'var') continue;
    const known = vars.get(only.atom.id) ?? atomRange(only.atom);
    // A bound that nothing meets (lo > hi) leaves a variable without values, and the place cannot be reached.
    const ends = [(lo - index.constant) / only.coeff, (hi - index.constant) / only.coeff] as const;
    const [from, to] = only.coeff > 0 ? ends : [ends[1], ends[0]];
    vars.set(only.atom.id, {
      min: Math.max(known.min, Math.ceil(from)),
      max: Math.min(known.max, Math.floor(to)),
    });
  }
  return { ...scope, vars };
}

/** The range of an index in a scope. When the scope cannot be reached, min may be larger than max. */
export function rangeOf(index: Index, scope: RangeScope, bounds: readonly Bound[] = scope.bounds): Range {
  if (isUnreachable(scope)) return nowhere;
  let { min, max } = plainRange(index, scope);
  // index = k · bounded + rest, where the first term of `bounded` goes away.
  bounds.forEach((b, i) => {
    const first = b.index.terms[0];
    if (!first) return;
    const key = atomKey(first.atom);
    const same = index.terms.find((t) => atomKey(t.atom) === key);
    if (!same) return;
    const k = same.coeff / first.coeff;
    if (!Number.isInteger(k)) return;
    const rest = addIndex(index, scaleIndex(b.index, -k));
    const r = rangeOf(rest, scope, bounds.toSpliced(i, 1));
    min = Math.max(min, r.min + Math.min(k * b.lo, k * b.hi));
    max = Math.min(max, r.max + Math.max(k * b.lo, k * b.hi));
  });
  return { min, max };
}

const nowhere: Range = { min: 0, max: -1 };

/** Whether a variable has no value left: what is asked about there is never run. */
function isUnreachable(scope: RangeScope): boolean {
  for (const { min, max } of scope.vars.values()) if (min > max) return true;
  return false;
}

function plainRange(index: Index, scope: RangeScope): Range {
  let min = index.constant;
  let max = index.constant;
  for (const { coeff, atom } of index.terms) {
    const r = rangeOfAtom(atom, scope);
    min += Math.min(coeff * r.min, coeff * r.max);
    max += Math.max(coeff * r.min, coeff * r.max);
  }
  return { min, max };
}

function rangeOfAtom(atom: Atom, scope: RangeScope): Range {
  if (atom.kind === 'var') return scope.vars.get(atom.id) ?? atomRange(atom);
  if (atom.kind === 'value') return atomRange(atom);
  const r = rangeOf(atom.x, scope);
  const low = Math.floor(r.min / atom.by);
  const high = Math.floor(r.max / atom.by);
  if (atom.kind === 'div') return { min: low, max: high };
  if (low === high) return { min: r.min - low * atom.by, max: r.max - low * atom.by };
  return indexRange({ constant: 0, terms: [{ coeff: 1, atom }] });
}

/** Points that `exactRange` looks at, at most. */
const mostPoints = 200_000;

/**
 * The range of an index by trying every point: for indices whose divisions agree with the conditions in ways that ranges do
 * not see. Null when there are too many points or an index depends on values computed at run time; min > max when the
 * conditions hold nowhere.
 */
export function exactRange(index: Index, scope: RangeScope): Range | null {
  const tried = new Map<number, LoopVar>();
  const collect = (i: Index): boolean =>
    i.terms.every(({ atom }) => {
      if (atom.kind === 'var') tried.set(atom.id, atom);
      return atom.kind === 'var' || (atom.kind !== 'value' && collect(atom.x));
    });
  const conditions = scope.conditions.filter((c) => collect(c.index));
  // Variables that stand outside of divisions and conditions only shift the range.
  let free: Index = { constant: 0, terms: [] };
  let tied = index;
  for (const t of index.terms)
    if (t.atom.kind !== 'var' && (t.atom.kind === 'value' || !collect(t.atom.x))) return null;
  for (const t of index.terms) {
    if (t.atom.kind !== 'var' || tried.has(t.atom.id)) continue;
    const term: Index = { constant: 0, terms: [t] };
    free = addIndex(free, term);
    tied = addIndex(tied, scaleIndex(term, -1));
  }
  const vars = [...tried.values()].map((v) => ({ id: v.id, ...(scope.vars.get(v.id) ?? atomRange(v)) }));
  if (vars.reduce((n, v) => n * Math.max(0, v.max - v.min + 1), 1) > mostPoints) return null;
  const at = new Map(vars.map((v) => [v.id, v.min]));
  if (vars.some((v) => v.min > v.max)) return { min: 0, max: -1 };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (conditions.every((c) => holds(c, at))) {
      const value = valueAt(tied, at);
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    const next = vars.find((v) => {
      const now = at.get(v.id)!;
      at.set(v.id, now < v.max ? now + 1 : v.min);
      return now < v.max;
    });
    if (!next) break;
  }
  const shift = plainRange(free, scope);
  return { min: min + shift.min, max: max + shift.max };
}

/** The part of the points of some loops at which all conditions hold; 1 where there are too many points, or values of run time. */
export function exactShare(conditions: readonly Condition[], loops: readonly LoopVar[]): number {
  const points = loops.reduce((n, v) => n * v.extent, 1);
  if (points > mostPoints || points === 0 || !conditions.every((c) => isStaticIndex(c.index))) return 1;
  let held = 0;
  const at = new Map<number, number>();
  for (let p = 0; p < points; p++) {
    let rest = p;
    for (const v of loops) {
      at.set(v.id, rest % v.extent);
      rest = Math.floor(rest / v.extent);
    }
    if (conditions.every((c) => holds(c, at))) held++;
  }
  return held / points;
}

function holds(c: Condition, at: ReadonlyMap<number, number>): boolean {
  const value = valueAt(c.index, at);
  return c.kind === 'inRange' ? value >= c.lo && value < c.hi : value % c.by === 0;
}

function valueAt(index: Index, at: ReadonlyMap<number, number>): number {
  return index.terms.reduce((sum, { coeff, atom }) => {
    if (atom.kind === 'var') return sum + coeff * at.get(atom.id)!;
    if (atom.kind === 'value') return Number.NaN;
    const x = valueAt(atom.x, at);
    const quotient = Math.floor(x / atom.by);
    return sum + coeff * (atom.kind === 'div' ? quotient : x - quotient * atom.by);
  }, index.constant);
}
