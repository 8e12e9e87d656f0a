// Accesses: which addresses and index sums a loop nest needs, found before any code is written, for every target.
//
//   address = base of the parameter + scale · (Σ coefficient · atom + bias) + offset
//
// The offset is a constant of the load or store; accesses that differ only in it share one pointer. Per loop, `needs`
// lists the parts that do not change inside it: the emitter computes them before the loop.

import {
  type Atom,
  atomKey,
  atomRange,
  type Index,
  type LoopVar,
  modIndex,
  type Term,
} from '../kernel/affine.ts';
import { elementBytes } from '../kernel/cost.ts';
import { type Condition, type Expr, walkExprs } from '../kernel/expr.ts';
import type { Kernel, KernelParam, Stmt } from '../kernel/ir.ts';

/** A sum of index terms: an address when `param` names a parameter, a plain index when it is −1. */
export interface Sum {
  readonly param: number;
  /** Bytes per element, or 1 where addresses count elements; 1 for a plain index. */
  readonly scale: number;
  /** No run-time values among the atoms. */
  readonly terms: readonly Term[];
  /** Added to the terms, so that an address never lies before its parameter. */
  readonly bias: number;
  readonly key: string;
}

export function makeSum(param: number, scale: number, terms: readonly Term[], bias: number): Sum {
  let key = `${param}:${scale}:`;
  for (const { coeff, atom } of terms) key += `${coeff}*${atomKey(atom)}+`;
  return { param, scale, terms, bias, key: key + bias };
}

export interface Access {
  readonly sum: Sum;
  /** Terms known only when the statement runs (a gather's index). */
  readonly dynamic: readonly Term[];
  /** In the same unit as the address; never negative where addresses count bytes. */
  readonly offset: number;
}

/** Whether an atom contains a value computed at run time. */
export function isDynamic(atom: Atom): boolean {
  if (atom.kind === 'var') return false;
  return atom.kind === 'value' || atom.x.terms.some((t) => isDynamic(t.atom));
}

/**
 * The address of element `index` (plus the lowest of the lane distances). Immediates must not be negative, and neither
 * may the pointer be below the parameter: the bias lifts terms that can be negative, and takes over a constant that is
 * too low for that (then the access stands under a guard).
 */
function accessOf(
  param: number,
  storage: KernelParam['storage'],
  terms: KnownTerms,
  index: Index,
  lowest: number,
): Access {
  const bytes = elementBytes(storage);
  const constant = index.constant + lowest;
  const bias = Math.min(constant, terms.lift);
  return {
    sum: sumOf(terms, param, bytes, bias),
    dynamic: terms.dynamic,
    offset: (constant - bias) * bytes,
  };
}

/** The same in elements: positions in an array, where any constant may be added to any sum. */
function positionOf(param: number, terms: KnownTerms, index: Index, lowest: number): Access {
  return { sum: sumOf(terms, param, 1, 0), dynamic: terms.dynamic, offset: index.constant + lowest };
}

/** What terms say whatever is added to them, and the sums that were made of them. */
interface KnownTerms {
  readonly fixed: readonly Term[];
  readonly dynamic: readonly Term[];
  /** How far they may be below 0. */
  readonly lift: number;
  readonly sums: Sum[];
}

function aboutTerms(terms: readonly Term[]): KnownTerms {
  let min = 0;
  let isFixed = true;
  for (let k = 0; k < terms.length; k++) {
    const { atom, coeff } = terms[k]!;
    if (atom.kind === 'var' && coeff > 0) continue;
    const r = atomRange(atom);
    min += coeff > 0 ? coeff * r.min : coeff * r.max;
    if (isDynamic(atom)) isFixed = false;
  }
  const lift = Math.max(0, -min);
  if (isFixed) return { fixed: terms, dynamic: [], lift, sums: [] };
  const fixed = terms.filter((t) => !isDynamic(t.atom));
  return { fixed, dynamic: terms.filter((t) => isDynamic(t.atom)), lift, sums: [] };
}

function sumOf({ fixed, sums }: KnownTerms, param: number, scale: number, bias: number): Sum {
  for (let k = 0; k < sums.length; k++) {
    const known = sums[k]!;
    if (known.param === param && known.scale === scale && known.bias === bias) return known;
  }
  const made = makeSum(param, scale, fixed, bias);
  sums.push(made);
  return made;
}

/** Accesses of one kernel, by the index object: they are asked for when loops are planned and when code is written. */
export class Accesses {
  readonly #kernel: Kernel;
  readonly #unit: 'bytes' | 'elements';
  readonly #known = new Map<Index, { param: number; lowest: number; access: Access }[]>();
  /** Indices that differ in their constants share their terms. */
  readonly #terms = new Map<readonly Term[], KnownTerms>();

  /** `unit`: what addresses count. */
  constructor(kernel: Kernel, unit: 'bytes' | 'elements') {
    this.#kernel = kernel;
    this.#unit = unit;
  }

  /** The address of element `index` of a parameter; `lowest` is the smallest distance of a lane. */
  of(param: number, index: Index, lowest: number): Access {
    const list = this.#known.get(index);
    const seen = list?.find((k) => k.param === param && k.lowest === lowest);
    if (seen) return seen.access;
    const access =
      this.#unit === 'bytes'
        ? accessOf(param, this.#kernel.params[param]!.storage, this.#about(index), index, lowest)
        : positionOf(param, this.#about(index), index, lowest);
    if (list) list.push({ param, lowest, access });
    else this.#known.set(index, [{ param, lowest, access }]);
    return access;
  }

  /** The terms of a plain index, without its constant. */
  plain(index: Index): Sum {
    return sumOf(this.#about(index), -1, 1, 0);
  }

  #about({ terms }: Index): KnownTerms {
    const known = this.#terms.get(terms);
    if (known !== undefined) return known;
    const made = aboutTerms(terms);
    this.#terms.set(terms, made);
    return made;
  }
}

/** The index that a condition tests: itself, or its remainder. */
export function testedIndex(c: Condition): Index {
  return c.kind === 'inRange' ? c.index : modIndex(c.index, c.by);
}

export interface LoopAccesses {
  /** Invariant parts that the loop, or a loop inside it, builds upon. */
  readonly needs: readonly Sum[];
  /** Sums used directly in the body, not in a loop inside it. */
  readonly direct: readonly Sum[];
  /** No loop inside. */
  readonly innermost: boolean;
}

type For = Extract<Stmt, { kind: 'for' }>;

/** What each loop of a kernel needs. `expand` gives the expression that is computed in place of a statement's value. */
export function collectAccesses(
  kernel: Kernel,
  accesses: Accesses,
  expand: (e: Expr) => Expr,
): Map<Stmt, LoopAccesses> {
  const loops = new Map<Stmt, LoopAccesses>();
  const visit = (stmts: readonly Stmt[], direct: Map<string, Sum>): readonly For[] => {
    const inside: For[] = [];
    const add = (sum: Sum): void => {
      if (sum.terms.length > 0 || sum.bias !== 0) direct.set(sum.key, sum);
    };
    const address = (param: number, index: Index, stride: number, lanes: number): void =>
      add(accesses.of(param, index, lowestLane(stride, lanes)).sum);
    const expression = (root: Expr, lanes: number): void => {
      for (const e of walkExprs([expand(root)])) {
        if (e.kind === 'load') address(e.param, e.index, e.laneStride, lanes);
        else if (e.kind === 'index') add(accesses.plain(e.index));
        else if (e.kind === 'guard') for (const c of e.conditions) add(accesses.plain(testedIndex(c)));
      }
    };
    for (const s of stmts) {
      switch (s.kind) {
        case 'let':
        case 'set':
          expression(s.value, s.lanes);
          break;
        case 'store':
          address(s.param, s.index, s.laneStride, s.lanes);
          expression(s.value, s.lanes);
          break;
        case 'if':
          for (const c of s.conditions) add(accesses.plain(testedIndex(c)));
          inside.push(...visit(s.body, direct), ...visit(s.otherwise, direct));
          break;
        case 'for': {
          inside.push(s);
          add(accesses.plain(s.limit));
          const own = new Map<string, Sum>();
          const children = visit(s.body, own);
          const used = [...own.values()];
          const below = children.flatMap((c) => loops.get(c)!.needs);
          const needs = new Map<string, Sum>();
          for (const sum of [...used, ...below]) {
            const kept = sum.terms.filter((t) => !mentions(t.atom, s.v));
            if (kept.length === sum.terms.length) needs.set(sum.key, sum);
            else if (kept.length > 0) {
              const outer = makeSum(sum.param, sum.scale, kept, 0);
              needs.set(outer.key, outer);
            }
          }
          loops.set(s, { needs: [...needs.values()], direct: used, innermost: children.length === 0 });
          break;
        }
        default:
          s satisfies never;
      }
    }
    return inside;
  };
  visit(kernel.body, new Map());
  return loops;
}

/** The smallest distance of a lane from lane 0. */
export function lowestLane(stride: number, lanes: number): number {
  return Math.min(0, stride * (lanes - 1));
}

export function mentions(atom: Atom, v: LoopVar): boolean {
  if (atom.kind === 'var') return atom.id === v.id;
  return atom.kind !== 'value' && atom.x.terms.some((t) => mentions(t.atom, v));
}
