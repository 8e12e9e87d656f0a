// Costs that need no measurement: arithmetic operations and bytes of a definition. The weights are rough counts of
// instructions in the polynomials of math.ts; they only steer decisions, never results.

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

/** Bytes of all parameters, each once. */
export function definitionBytes(def: KernelDefinition): number {
  return def.params.reduce((n, p) => n + p.elements * storageBytes[p.storage], 0);
}
