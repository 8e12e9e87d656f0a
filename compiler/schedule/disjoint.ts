// Proofs that sets of elements are disjoint, for kernels too large to enumerate.
//
// An address is read as digits of mixed radix, given by strides that divide each other (a row-major tensor's):
//
//   address = d0 · 200 + d1 · 20 + d2,   d1 < 10, d2 < 20
//
// Each set gets an interval per digit; two sets are disjoint when one of their digits cannot agree. Tiles of a tensor
// have such digits, even where their addresses interleave.

import { constIndex, divIndex, indexRange, type LoopVar, modIndex, type Range } from '../kernel/affine.ts';
import { type Footprint, rangeUnder } from './footprint.ts';

/** Strides, the largest first, each a multiple of the next; the last is 1. */
export function radicesOf(stores: readonly Footprint[]): number[] {
  const strides = new Set<number>();
  for (const s of stores) for (const t of s.index.terms) strides.add(Math.abs(t.coeff));
  const chain: number[] = [];
  for (const stride of [...strides].sort((a, b) => b - a)) {
    if (stride > 1 && (chain.length === 0 || chain.at(-1)! % stride === 0)) chain.push(stride);
  }
  return [...chain, 1];
}

/** The interval of each digit; null when the access never happens. */
export function digitsOf(s: Footprint, radices: readonly number[]): Range[] | null {
  const whole = rangeUnder(s.index, s.bounds);
  if (whole === null) return null;
  return [
    whole,
    ...radices.map((radix, k) => {
      const quotient = divIndex(s.index, radix);
      return indexRange(k === 0 ? quotient : modIndex(quotient, radices[k - 1]! / radix));
    }),
  ];
}

/** The smallest intervals that hold both. */
export function hull(a: readonly Range[], b: readonly Range[]): Range[] {
  return a.map((r, k) => ({ min: Math.min(r.min, b[k]!.min), max: Math.max(r.max, b[k]!.max) }));
}

/** Whether all sets are pairwise disjoint: some digit splits them into groups, and each group is split further. */
export function areDisjoint(sets: readonly (readonly Range[])[]): boolean {
  if (sets.length <= 1) return true;
  const digits = sets[0]!.length;
  for (let d = 0; d < digits; d++) {
    const sorted = [...sets].sort((a, b) => a[d]!.min - b[d]!.min);
    const groups: (readonly Range[])[][] = [];
    let end = Number.NEGATIVE_INFINITY;
    for (const set of sorted) {
      if (set[d]!.min > end) groups.push([]);
      groups.at(-1)!.push(set);
      end = Math.max(end, set[d]!.max);
    }
    if (groups.length > 1) return groups.every(areDisjoint);
  }
  return false;
}

/**
 * Whether an access touches a different element in each round of its loops: sorted by stride, each stride is larger than
 * what all smaller ones together span.
 */
export function isInjective(s: Footprint): boolean {
  const strideOf = (v: LoopVar): number =>
    s.index.terms.find((t) => t.atom.kind === 'var' && t.atom.id === v.id)?.coeff ?? 0;
  if (s.vars.some((v) => strideOf(v) === 0)) return false;
  const spans = s.index.terms.map((t) => {
    const r = indexRange({ ...constIndex(0), terms: [{ coeff: 1, atom: t.atom }] });
    return { stride: Math.abs(t.coeff), extent: r.max - r.min };
  });
  let reach = 0;
  for (const { stride, extent } of spans.sort((a, b) => a.stride - b.stride)) {
    if (stride <= reach) return false;
    reach += stride * extent;
  }
  return true;
}

/** Elements that the access touches when it is exact and injective. */
export function volumeOf(s: Footprint): number {
  return s.vars.reduce((n, v) => n * v.extent, 1);
}
