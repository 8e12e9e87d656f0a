// Specs: what an entry says about its inputs before it knows all sizes. A dimension is a number, or a name that is bound
// when arrays are fed: `tensor(['batch', 784])` accepts any number of rows, and an entry is compiled once for each.

import { compilerError } from '../compiler/graph/errors.ts';
import type { Tensor } from '../compiler/graph/ir.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import type { DType, Shape } from '../compiler/graph/types.ts';

export type SpecDim = number | string;
export type SpecShape = readonly SpecDim[];

export interface Spec<S extends SpecShape = SpecShape, D extends DType = DType> {
  readonly shape: S;
  readonly dtype: D;
}

/** Sizes of the named dimensions. */
export type Dims = Readonly<Record<string, number>>;

/** The shape of a spec as types know it: a named dimension is some number. */
export type SpecToShape<S extends SpecShape> = {
  readonly [K in keyof S]: S[K] extends number ? S[K] : number;
};

/** The tensor that an entry's build function gets for a spec. */
export type SpecTensor<T extends Spec> =
  T extends Spec<infer S, infer D>
    ? SpecToShape<S> extends infer B extends Shape
      ? Tensor<B, D>
      : never
    : never;

/**
 * The spec of an input. Dimensions are integers of at least 1, or names. Throws HDL0003 for anything else.
 *
 * @example tensor(['batch', 1, 28, 28]) // f32
 * @example tensor(['batch'], 'i32')
 */
export function tensor<const S extends SpecShape>(shape: S): Spec<S, 'f32'>;
export function tensor<const S extends SpecShape, D extends DType>(shape: S, dtype: D): Spec<S, D>;
// Two signatures: where a spec is an argument of `entry`, an optional dtype would be inferred as any dtype, not as f32.
export function tensor(shape: SpecShape, dtype: DType = 'f32'): Spec {
  const wrong = shape.findIndex((d) => (typeof d === 'string' ? d === '' : !Number.isInteger(d) || d < 1));
  if (wrong >= 0) {
    throw compilerError('HDL0003', {
      what: `tensor([${shape.join(', ')}])`,
      rule: `dimension ${wrong} must be an integer ≥ 1 or a name`,
      hint: "a size that is only known when arrays are fed gets a name: tensor(['batch', 784])",
      loc: callerLocation(),
    });
  }
  return { shape, dtype };
}

/** `f32[batch, 1, 28, 28]` */
export function formatSpec(spec: Spec): string {
  return `${spec.dtype}[${spec.shape.join(', ')}]`;
}

/** `batch=64`; empty when nothing is named. */
export function formatDims(dims: Dims): string {
  return Object.entries(dims)
    .map(([name, size]) => `${name}=${size}`)
    .join(', ');
}

/** The named dimensions of several specs, in order of first appearance. */
export function dimNames(specs: Readonly<Record<string, Spec>>): string[] {
  const names = Object.values(specs).flatMap((s) => s.shape.filter((d) => typeof d === 'string'));
  return [...new Set(names)];
}

/** The spec's shape with its names replaced by sizes. */
export function bindShape(spec: Spec, dims: Dims): number[] {
  return spec.shape.map((d) => (typeof d === 'string' ? dims[d]! : d));
}

/**
 * Sizes for exactly the named dimensions of an entry, in order of first appearance. Throws HDL0003 for sizes that are
 * missing, are not integers ≥ 1, or belong to nothing.
 */
export function checkDims(entry: string, specs: Readonly<Record<string, Spec>>, dims: Dims): Dims {
  const wanted = dimNames(specs);
  const ok = (n: string): boolean => Number.isInteger(dims[n]) && dims[n]! >= 1;
  const missing = wanted.filter((n) => !ok(n));
  const extra = Object.keys(dims).filter((n) => !wanted.includes(n));
  if (missing.length === 0 && extra.length === 0) {
    return Object.fromEntries(wanted.map((n) => [n, dims[n]!]));
  }
  throw compilerError('HDL0003', {
    what: `sizes { ${formatDims(dims)} } for entry '${entry}'`,
    rule: `its named dimensions are ${wanted.map((n) => `'${n}'`).join(', ') || 'none'}`,
    hint: `pass { ${wanted.map((n) => `${n}: 64`).join(', ')} }`,
    loc: callerLocation(),
  });
}
