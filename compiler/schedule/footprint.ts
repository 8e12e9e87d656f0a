// Footprints: which elements the accesses of a kernel can touch, as canonical indices over variables whose extents are
// exact, with the conditions under which they happen. What the checker proves bounds and disjointness from.
//
//   for v < 10 step 4: store p[v], 4 lanes        →        p[4 v' + lane],  v' < 3, lane < 4

import {
  type Atom,
  addIndex,
  atomKey,
  atomRange,
  type Index,
  indexRange,
  type LoopVar,
  offsetIndex,
  type Range,
  sameIndex,
  scaleIndex,
  substituteIndex,
  varIndex,
} from '../kernel/affine.ts';
import type { Condition } from '../kernel/expr.ts';
import type { Kernel } from '../kernel/ir.ts';
import { decide } from '../kernel/substitute.ts';
import type { Trace } from './trace.ts';

/** lo ≤ index ≤ hi. */
export interface Bound {
  readonly index: Index;
  readonly lo: number;
  readonly hi: number;
}

export interface Footprint {
  readonly kind: 'load' | 'store';
  readonly param: number;
  readonly index: Index;
  readonly bounds: readonly Bound[];
  /** Loops around it that run more than once, and its lanes: the variables of one unit's box. */
  readonly vars: readonly LoopVar[];
  /** All elements of the box are touched: no condition that depends, no limit that varies. */
  readonly isExact: boolean;
}

/** Ids of variables are not negative: lanes get one that no loop has. */
const laneId = -1;

interface Context {
  readonly map: ReadonlyMap<number, Index>;
  readonly bounds: readonly Bound[];
  readonly vars: readonly LoopVar[];
  readonly isExact: boolean;
}

/** What a vector of lanes touches, from an index with constant 0 on. */
interface Lanes {
  readonly count: number;
  readonly stride: number;
  readonly index: Index;
  readonly vars: readonly LoopVar[];
}

/** Footprints of all accesses, with the unit variable replaced by `units`; what can never happen is left out. */
export function footprints(trace: readonly Trace[], unit: LoopVar, units: Index): Footprint[] {
  const out: Footprint[] = [];
  visit(trace, { map: new Map([[unit.id, units]]), bounds: [], vars: [], isExact: true }, out);
  return out;
}

function visit(trace: readonly Trace[], at: Context, out: Footprint[]): void {
  // Accesses of a tile differ in their constants only, and share their terms: so do their footprints.
  const moved = new Map<Index['terms'], Index>();
  const spread = new Map<Index['terms'], Lanes[]>();
  const place = (v: LoopVar): Index | undefined => at.map.get(v.id);
  const move = (i: Index): Index => {
    let base = moved.get(i.terms);
    if (base === undefined) {
      base = substituteIndex({ constant: 0, terms: i.terms }, place);
      moved.set(i.terms, base);
    }
    return offsetIndex(base, i.constant);
  };
  for (const t of trace) {
    switch (t.kind) {
      case 'load':
      case 'store': {
        const { kind, param, stride } = t;
        const { bounds, isExact } = at;
        const first = move(t.index);
        if (t.lanes === 1) {
          out.push({ kind, param, index: first, bounds, vars: at.vars, isExact });
          break;
        }
        const known = spread.get(first.terms) ?? [];
        let lanes = known.find((l) => l.count === t.lanes && l.stride === stride);
        if (lanes === undefined) {
          const lane: LoopVar = { kind: 'var', name: 'lane', extent: t.lanes, id: laneId };
          const own: Index = { constant: 0, terms: first.terms };
          const index = addIndex(own, scaleIndex(varIndex(lane), stride));
          lanes = { count: t.lanes, stride, index, vars: [...at.vars, lane] };
          spread.set(first.terms, [...known, lanes]);
        }
        const index = offsetIndex(lanes.index, first.constant);
        out.push({ kind, param, index, bounds, vars: lanes.vars, isExact });
        break;
      }
      case 'loop': {
        const limit = indexRange(move(t.limit));
        const rounds = Math.ceil(limit.max / t.step);
        if (rounds <= 0) break;
        const v: LoopVar = { ...t.v, extent: rounds };
        visit(
          t.body,
          {
            map: new Map([...at.map, [t.v.id, scaleIndex(varIndex(v), t.step)]]),
            bounds: at.bounds,
            vars: rounds === 1 ? at.vars : [...at.vars, v],
            isExact: at.isExact && limit.min === limit.max,
          },
          out,
        );
        break;
      }
      case 'branch': {
        const conditions = t.conditions.map((c): Condition => ({ ...c, index: move(c.index) }));
        const open = conditions.filter((c) => decide(c) === null);
        const isNever = conditions.some((c) => decide(c) === false);
        if (!isNever) visit(t.body, narrowed(at, open, true), out);
        if (isNever || open.length > 0) visit(t.otherwise, isNever ? at : narrowed(at, open, false), out);
        break;
      }
      default:
        t satisfies never;
    }
  }
}

function narrowed(at: Context, open: readonly Condition[], holds: boolean): Context {
  if (open.length === 0) return at;
  const added = holds ? open.flatMap(boundOf) : open.length === 1 ? boundOfOpposite(open[0]!, at.bounds) : [];
  return { ...at, bounds: intersect([...at.bounds, ...added]), isExact: false };
}

/** Bounds of equal indices are one bound: a range uses each index once. */
function intersect(bounds: readonly Bound[]): Bound[] {
  const out: Bound[] = [];
  for (const b of bounds) {
    const k = out.findIndex((o) => sameIndex(o.index, b.index));
    if (k < 0) out.push(b);
    else out[k] = { index: b.index, lo: Math.max(out[k]!.lo, b.lo), hi: Math.min(out[k]!.hi, b.hi) };
  }
  return out;
}

function boundOf(c: Condition): Bound[] {
  return c.kind === 'inRange' ? [{ index: c.index, lo: c.lo, hi: c.hi - 1 }] : [];
}

/** Outside of a range is on one side of it when the other side cannot be reached. */
function boundOfOpposite(c: Condition, bounds: readonly Bound[]): Bound[] {
  if (c.kind !== 'inRange') return [];
  const r = rangeUnder(c.index, bounds) ?? indexRange(c.index);
  if (r.min >= c.lo) return [{ index: c.index, lo: c.hi, hi: r.max }];
  if (r.max < c.hi) return [{ index: c.index, lo: r.min, hi: c.lo - 1 }];
  return [];
}

/**
 * Range of an index under bounds, or null when they cannot be met. Where a bounded index is part of the given one, its
 * bounds take the place of the range of its terms: x + 28 (y + k - 1) with 0 ≤ y + k - 1 < 28 lies in x + [0, 756].
 */
export function rangeUnder(index: Index, bounds: readonly Bound[]): Range | null {
  let rest = index;
  let min = 0;
  let max = 0;
  for (const b of bounds) {
    const own = indexRange(b.index);
    const lo = Math.max(own.min, b.lo);
    const hi = Math.min(own.max, b.hi);
    if (lo > hi) return null;
    const factor = multipleOf(rest, b.index);
    if (factor === 0) continue;
    rest = addIndex(rest, scaleIndex(b.index, -factor));
    min += factor > 0 ? factor * lo : factor * hi;
    max += factor > 0 ? factor * hi : factor * lo;
  }
  const r = { min: rest.constant, max: rest.constant };
  for (const { coeff, atom } of rest.terms) {
    const own = atomUnder(atom, bounds);
    if (own === null) return null;
    r.min += Math.min(coeff * own.min, coeff * own.max);
    r.max += Math.max(coeff * own.min, coeff * own.max);
  }
  const whole = indexRange(index);
  return { min: Math.max(whole.min, min + r.min), max: Math.min(whole.max, max + r.max) };
}

/** Bounds on x say something about quotients and remainders of x; null when they cannot be met. */
function atomUnder(atom: Atom, bounds: readonly Bound[]): Range | null {
  const own = atomRange(atom);
  if (atom.kind === 'var' || atom.kind === 'value') return own;
  const x = rangeUnder(atom.x, bounds);
  if (x === null) return null;
  const [low, high] = [Math.floor(x.min / atom.by), Math.floor(x.max / atom.by)];
  if (atom.kind === 'div') return { min: Math.max(own.min, low), max: Math.min(own.max, high) };
  return low === high ? { min: x.min - low * atom.by, max: x.max - low * atom.by } : own;
}

/** The factor with which all terms of `part` occur in `index`; 0 when they do not. */
function multipleOf(index: Index, part: Index): number {
  const coefficients = new Map(index.terms.map((t) => [atomKey(t.atom), t.coeff]));
  let factor = 0;
  for (const t of part.terms) {
    const found = (coefficients.get(atomKey(t.atom)) ?? 0) / t.coeff;
    if (found === 0 || !Number.isInteger(found) || (factor !== 0 && found !== factor)) return 0;
    factor = found;
  }
  return factor;
}

/** `rangeUnder`, for many indices: a range moves with the constant of its index, and accesses of a tile share their terms. */
export function rangesUnder(): typeof rangeUnder {
  const known = new Map<readonly Bound[], Map<Index['terms'], Range | null>>();
  return ({ constant, terms }, bounds) => {
    let byTerms = known.get(bounds);
    if (byTerms === undefined) {
      byTerms = new Map();
      known.set(bounds, byTerms);
    }
    let range = byTerms.get(terms);
    if (range === undefined) {
      range = rangeUnder({ constant: 0, terms }, bounds);
      byTerms.set(terms, range);
    }
    return range && { min: range.min + constant, max: range.max + constant };
  };
}

/** The smallest ranges of elements that hold all that units [begin, end) touch, by parameter; null for nothing. */
export function touchedBy(
  kernel: Kernel,
  trace: readonly Trace[],
  begin: number,
  end: number,
): (Range | null)[] {
  const ranges: (Range | null)[] = kernel.params.map(() => null);
  if (end <= begin) return ranges;
  const units = { ...varIndex({ ...kernel.unit, extent: end - begin }), constant: begin };
  const rangeOf = rangesUnder();
  for (const { index, bounds, param } of footprints(trace, kernel.unit, units)) {
    const own = rangeOf(index, bounds);
    if (own === null) continue;
    const range = ranges[param];
    ranges[param] = range ? { min: Math.min(range.min, own.min), max: Math.max(range.max, own.max) } : own;
  }
  if (kernel.flags !== null)
    ranges[kernel.flags] = { min: 0, max: kernel.params[kernel.flags]!.elements - 1 };
  return ranges;
}
