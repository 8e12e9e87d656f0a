// Costs that need no measurement: arithmetic operations and bytes of a definition. The weights are rough counts of
// instructions in the polynomials of math.ts; they only steer decisions, never results.

import { atomRange, type Index, sameIndex } from './affine.ts';
import type { KernelDefinition } from './definition.ts';
import { reductionsOf, volume } from './definition.ts';
import { type Expr, walkExprs } from './expr.ts';
import type { KernelParam } from './ir.ts';

const weights: Readonly<Record<string, number>> = {
  exp: 18, expm1: 20, log: 24, log1p: 30, sin: 26, cos: 26, tanh: 20, erf: 32, pow: 60, sqrt: 4, div: 4, mod: 8,
}; // biome-ignore format: a table

/** Arithmetic operations of one expression node, its children not counted. */
export function operationsOf(e: Expr): number {
  switch (e.kind) {
    case 'unary':
    case 'binary':
      return weights[e.fn] ?? 1;
    case 'compare':
    case 'select':
    case 'convert':
    case 'checkIndex':
    case 'checkFinite':
      return 1;
    case 'index':
      return 1;
    default:
      return 0;
  }
}

/** Operations of evaluating the expressions once, shared parts counted once. */
export function operationCount(roots: readonly Expr[]): number {
  return walkExprs(roots).reduce((n, e) => n + operationsOf(e), 0);
}

/** Operations of the whole definition: bodies of reductions once per reduced element. */
export function definitionFlops(def: KernelDefinition): number {
  const points = volume(def.space);
  const values = def.stores.map((s) => s.value);
  const reductions = reductionsOf(def.stores);
  const inside = new Set(walkExprs(reductions.map((r) => r.body)));
  const outside = walkExprs(values)
    .filter((e) => !inside.has(e))
    .reduce((n, e) => n + operationsOf(e), 0);
  const rounds = reductions.reduce((n, r) => n + volume(r.vars), 0) / Math.max(1, reductions.length);
  const within = [...inside].reduce((n, e) => n + operationsOf(e), 0) + reductions.length;
  return points * (outside + (reductions.length > 0 ? within * rounds : 0));
}

const storageBytes: Readonly<Record<KernelParam['storage'], number>> = {
  f32: 4,
  i32: 4,
  u32: 4,
  bool: 1,
  u8: 1,
};

export function elementBytes(storage: KernelParam['storage']): number {
  return storageBytes[storage];
}

/**
 * Bytes of the elements that it touches, each once: of a parameter at most all, and at most as many as its different accesses
 * have points. A border of a picture, or a part of a list, touches little of its buffer.
 */
export function definitionBytes(def: KernelDefinition): number {
  const reductions = reductionsOf(def.stores);
  const points = volume(def.space) * Math.max(1, ...reductions.map((r) => volume(r.vars)));
  const accesses: Index[][] = def.params.map(() => []);
  const touch = (param: number, index: Index): void => {
    const known = accesses[param]!;
    if (!known.some((other) => other === index || sameIndex(other, index))) known.push(index);
  };
  for (const { param, index } of def.stores) touch(param, index);
  for (const e of walkExprs(def.stores.map((s) => s.value))) if (e.kind === 'load') touch(e.param, e.index);
  return def.params.reduce((bytes, { elements, storage }, p) => {
    let touched = 0;
    for (const index of accesses[p]!) touched += Math.min(points, valuesOf(index));
    return bytes + Math.min(elements, touched) * storageBytes[storage];
  }, 0);
}

/** As many values as an index can have, or more. */
function valuesOf({ terms }: Index): number {
  return terms.reduce((n, { atom }) => {
    const { min, max } = atomRange(atom);
    return n * (max - min + 1);
  }, 1);
}
