// Index arithmetic: quasi-affine integer expressions over loop variables, in a canonical form that simplifies itself.
//
//   index = constant + Σ coefficient · atom
//   atom  = loop variable | floor(index / k) | index mod k | an i32 value computed at run time (gather)
//
// Every atom knows its range, so that `(4i + j) / 4` with 0 ≤ j < 4 becomes `i`, and reshapes of neighbouring
// dimensions cost nothing. Equal indices have equal keys.

import { remembered } from '../remembered.ts';
import type { Expr } from './expr.ts';

/** A loop variable runs over [0, extent). Identity is object identity; names only serve the reader. */
export interface LoopVar {
  readonly kind: 'var';
  readonly name: string;
  readonly extent: number;
  /** Unique within a kernel; orders terms and makes keys. */
  readonly id: number;
}

export type Atom =
  | LoopVar
  | { readonly kind: 'div'; readonly x: Index; readonly by: number }
  | { readonly kind: 'mod'; readonly x: Index; readonly by: number }
  /** An i32 expression known to lie in [0, extent): a gather's index after its check. `id` orders atoms; equal are those of equal expressions. */
  | { readonly kind: 'value'; readonly expr: Expr; readonly extent: number; readonly id: number };

export interface Term {
  readonly coeff: number;
  readonly atom: Atom;
}

export interface Index {
  readonly constant: number;
  /** Sorted by atom (see `compareAtoms`), no zero coefficients, no atom twice. */
  readonly terms: readonly Term[];
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export function atomKey(a: Atom): string {
  switch (a.kind) {
    case 'var':
      return `v${a.id}`;
    case 'div':
      return `(${indexKey(a.x)})/${a.by}`;
    case 'mod':
      return `(${indexKey(a.x)})%${a.by}`;
    case 'value':
      return `x${a.id}{${contentKey(a.expr)}}`;
    default:
      return a satisfies never;
  }
}

/**
 * What a value computed at run time is made of, in sixteen digits: it was one expression, and is another one in each place that
 * something was put into it. Expressions share parts, so parts count by their keys; two that differ are taken for equal once
 * in 2⁶⁴ times.
 */
const contentKey = remembered((x: object): string => {
  const text = 'terms' in x ? indexKey(x as Index) : Object.values(x).map(partKey).join();
  let [a, b] = [0x811c9dc5, 0x9dc5811c];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b ^ c, 0x85ebca6b) + 1;
  }
  const digits = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
  return digits(a) + digits(b);
});

function partKey(x: unknown): string {
  if (typeof x === 'object' && x !== null) return contentKey(x);
  return Object.is(x, -0) ? '-0' : String(x);
}

export function indexKey(i: Index): string {
  return `${i.terms.map((t) => `${t.coeff}*${atomKey(t.atom)}`).join('+')}+${i.constant}`;
}

export function constIndex(constant: number): Index {
  return { constant, terms: [] };
}

export function varIndex(v: LoopVar): Index {
  return v.extent === 1 ? constIndex(0) : { constant: 0, terms: [{ coeff: 1, atom: v }] };
}

export function atomIndex(atom: Atom): Index {
  return { constant: 0, terms: [{ coeff: 1, atom }] };
}

/** An order of atoms that depends on their content alone; 0 means equal. */
function compareAtoms(a: Atom, b: Atom): number {
  if (a === b) return 0;
  if (a.kind !== b.kind) return kindOrder[a.kind] - kindOrder[b.kind];
  if (a.kind === 'var') return a.id - (b as typeof a).id;
  if (a.kind === 'value') {
    const other = b as typeof a;
    if (a.id !== other.id || a.expr === other.expr) return a.id - other.id;
    const [x, y] = [contentKey(a.expr), contentKey(other.expr)];
    return x === y ? 0 : x < y ? -1 : 1;
  }
  const other = b as typeof a;
  return a.by - other.by || compareIndices(a.x, other.x);
}

const kindOrder = { var: 0, div: 1, mod: 2, value: 3 } as const;

function compareIndices(a: Index, b: Index): number {
  if (a.constant !== b.constant) return a.constant - b.constant;
  if (a.terms.length !== b.terms.length) return a.terms.length - b.terms.length;
  for (let k = 0; k < a.terms.length; k++) {
    const t = a.terms[k]!;
    const u = b.terms[k]!;
    const order = t.coeff - u.coeff || compareAtoms(t.atom, u.atom);
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether both are the same sum of the same atoms. */
export function sameIndex(a: Index, b: Index): boolean {
  return a === b || compareIndices(a, b) === 0;
}

export function addIndex(...parts: readonly Index[]): Index {
  let sum: Index = parts[0] ?? constIndex(0);
  for (let k = 1; k < parts.length; k++) sum = addScaled(sum, parts[k]!, 1);
  return sum;
}

/** a + by · b, by ≠ 0: merges two sorted lists of terms. */
function addScaled(a: Index, b: Index, by: number): Index {
  if (b.terms.length === 0) return offsetIndex(a, b.constant * by);
  if (a.terms.length === 0) return offsetIndex(scaleIndex(b, by), a.constant);
  const terms: Term[] = [];
  let i = 0;
  let j = 0;
  while (i < a.terms.length && j < b.terms.length) {
    const t = a.terms[i]!;
    const u = b.terms[j]!;
    const order = compareAtoms(t.atom, u.atom);
    if (order < 0) {
      terms.push(t);
      i++;
    } else if (order > 0) {
      terms.push(by === 1 ? u : { coeff: u.coeff * by, atom: u.atom });
      j++;
    } else {
      const coeff = t.coeff + u.coeff * by;
      if (coeff !== 0) terms.push({ coeff, atom: t.atom });
      i++;
      j++;
    }
  }
  while (i < a.terms.length) terms.push(a.terms[i++]!);
  for (; j < b.terms.length; j++) {
    const u = b.terms[j]!;
    terms.push(by === 1 ? u : { coeff: u.coeff * by, atom: u.atom });
  }
  return wholeAgain({ constant: a.constant + b.constant * by, terms });
}

/** by · floor(x / by) + x mod by is x again: what was split into dimensions, and lies in memory as it did before. */
function wholeAgain(index: Index): Index {
  const { constant, terms } = index;
  for (let k = 0; k < terms.length; k++) {
    const { coeff, atom } = terms[k]!;
    if (atom.kind !== 'mod') continue;
    const at = terms.findIndex(
      (t) =>
        t.atom.kind === 'div' &&
        t.atom.by === atom.by &&
        t.coeff === coeff * atom.by &&
        compareIndices(t.atom.x, atom.x) === 0,
    );
    if (at < 0) continue;
    return addScaled({ constant, terms: terms.filter((_, n) => n !== k && n !== at) }, atom.x, coeff);
  }
  return index;
}

export function scaleIndex(i: Index, by: number): Index {
  if (by === 0) return constIndex(0);
  if (by === 1) return i;
  const terms: Term[] = [];
  for (let k = 0; k < i.terms.length; k++) {
    const t = i.terms[k]!;
    terms.push({ coeff: t.coeff * by, atom: t.atom });
  }
  return { constant: i.constant * by, terms };
}

export function offsetIndex(i: Index, by: number): Index {
  return by === 0 ? i : { constant: i.constant + by, terms: i.terms };
}

export function atomRange(a: Atom): Range {
  switch (a.kind) {
    case 'var':
    case 'value':
      return { min: 0, max: a.extent - 1 };
    case 'div': {
      const r = indexRange(a.x);
      return { min: Math.floor(r.min / a.by), max: Math.floor(r.max / a.by) };
    }
    case 'mod': {
      const r = indexRange(a.x);
      if (Math.floor(r.min / a.by) === Math.floor(r.max / a.by)) {
        return { min: mod(r.min, a.by), max: mod(r.max, a.by) };
      }
      return { min: 0, max: a.by - 1 };
    }
    default:
      return a satisfies never;
  }
}

export function indexRange(i: Index): Range {
  let min = i.constant;
  let max = i.constant;
  for (let k = 0; k < i.terms.length; k++) {
    const { coeff, atom } = i.terms[k]!;
    if (atom.kind === 'var') {
      // Nearly all of them: from 0 on.
      if (coeff > 0) max += coeff * (atom.extent - 1);
      else min += coeff * (atom.extent - 1);
      continue;
    }
    const r = atomRange(atom);
    min += coeff > 0 ? coeff * r.min : coeff * r.max;
    max += coeff > 0 ? coeff * r.max : coeff * r.min;
  }
  return { min, max };
}

/** Whether an index depends on loop variables only, on no value computed at run time. */
export function isStaticIndex(index: Index): boolean {
  return index.terms.every(
    ({ atom }) => atom.kind === 'var' || (atom.kind !== 'value' && isStaticIndex(atom.x)),
  );
}

/** floor(i / by), by > 0: the divisible part leaves the division, the rest vanishes when it lies in [0, by). */
export function divIndex(i: Index, by: number): Index {
  if (by === 1) return i;
  const out: Term[] = [];
  const rest: Term[] = [];
  for (const t of i.terms) {
    if (t.coeff % by === 0) out.push({ coeff: t.coeff / by, atom: t.atom });
    else rest.push(t);
  }
  const whole = Math.floor(i.constant / by);
  const remainder: Index = { constant: i.constant - whole * by, terms: rest };
  const quotient: Index = { constant: whole, terms: out };
  const r = indexRange(remainder);
  const low = Math.floor(r.min / by);
  if (low === Math.floor(r.max / by)) return offsetIndex(quotient, low);
  // floor(floor(x / a) / b) = floor(x / (a b))
  const only = rest.length === 1 && remainder.constant === 0 ? rest[0]! : null;
  if (only && only.coeff === 1 && only.atom.kind === 'div') {
    return addIndex(quotient, atomIndex({ kind: 'div', x: only.atom.x, by: only.atom.by * by }));
  }
  return addIndex(quotient, atomIndex({ kind: 'div', x: remainder, by }));
}

/** i mod by in [0, by), by > 0. */
export function modIndex(i: Index, by: number): Index {
  if (by === 1) return constIndex(0);
  const rest = i.terms.filter((t) => t.coeff % by !== 0);
  const remainder: Index = { constant: mod(i.constant, by), terms: rest };
  const r = indexRange(remainder);
  const low = Math.floor(r.min / by);
  if (low === Math.floor(r.max / by)) return offsetIndex(remainder, -low * by);
  return atomIndex({ kind: 'mod', x: remainder, by });
}

function mod(a: number, b: number): number {
  return a - Math.floor(a / b) * b;
}

/**
 * Replaces variables; what becomes simpler is simplified again. Values computed at run time go through `value`.
 */
export function substituteIndex(
  i: Index,
  map: (v: LoopVar) => Index | undefined,
  value: (e: Expr) => Expr = (e) => e,
): Index {
  // Made at the first change: most indices have none.
  let result: Index | null = null;
  for (let k = 0; k < i.terms.length; k++) {
    const t = i.terms[k]!;
    const part = substituteAtom(t.atom, map, value);
    if (part === null) {
      if (result !== null) result = addScaled(result, { constant: 0, terms: [t] }, 1);
    } else {
      result ??= { constant: i.constant, terms: i.terms.slice(0, k) };
      result = addScaled(result, part, t.coeff);
    }
  }
  return result ?? i;
}

/** The index with the values in it that are computed at run time rewritten; variables stay. */
export function rewriteValues(i: Index, value: (e: Expr) => Expr): Index {
  for (let k = 0; k < i.terms.length; k++)
    if (i.terms[k]!.atom.kind !== 'var') return substituteIndex(i, keepVariable, value);
  return i;
}

const keepVariable = (): undefined => undefined;

/** The values in an index that are computed at run time. */
export function valuesIn(i: Index): Expr[] {
  return i.terms.flatMap(({ atom }) =>
    atom.kind === 'value' ? [atom.expr] : atom.kind === 'var' ? [] : valuesIn(atom.x),
  );
}

/** What stands for an atom; null when it stays as it is. */
function substituteAtom(
  a: Atom,
  map: (v: LoopVar) => Index | undefined,
  value: (e: Expr) => Expr,
): Index | null {
  if (a.kind === 'var') return map(a) ?? null;
  if (a.kind === 'value') {
    const expr = value(a.expr);
    return expr === a.expr ? null : atomIndex({ ...a, expr });
  }
  const x = substituteIndex(a.x, map, value);
  if (x === a.x) return null;
  return a.kind === 'div' ? divIndex(x, a.by) : modIndex(x, a.by);
}

/**
 * Coefficient of `v` in the index; NaN when v hides inside a division, a remainder or (as `hides` tells) a run-time
 * value.
 */
export function coefficientOfVar(i: Index, v: LoopVar, hides: (e: Expr) => boolean): number {
  let coeff = 0;
  for (let k = 0; k < i.terms.length; k++) {
    const { coeff: c, atom } = i.terms[k]!;
    if (atom.kind === 'var') coeff += atom.id === v.id ? c : 0;
    else if (atom.kind === 'value' ? hides(atom.expr) : coefficientOfVar(atom.x, v, hides) !== 0)
      return Number.NaN;
  }
  return coeff;
}
