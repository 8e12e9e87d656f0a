// Contractions: products of matrices, and convolutions.

import { elementCount } from '../../../../compiler/graph/types.ts';
import type { ExportCall, ExportRule, Name } from '../call.ts';
import { padded } from './shape.ts';

/** Dimensions in neither list. */
function freeOf(rank: number, ...used: readonly (readonly number[])[]): number[] {
  return Array.from({ length: rank }, (_, d) => d).filter((d) => !used.flat().includes(d));
}

/** Batch dimensions first, then one of what is left, then what is summed over (or before: `lastFree`); and their sizes. */
function dotGeneral(c: ExportCall): Name {
  const [lhsBatch, rhsBatch, lhsContract, rhsContract] = [
    'lhsBatch',
    'rhsBatch',
    'lhsContract',
    'rhsContract',
  ].map((name) => c.ints(name));
  const [lhs, rhs] = [c.shapeOf(0), c.shapeOf(1)];
  const lhsFree = freeOf(lhs.length, lhsBatch!, lhsContract!);
  const rhsFree = freeOf(rhs.length, rhsBatch!, rhsContract!);
  const left = c.transpose(c.x(0), [...lhsBatch!, ...lhsFree, ...lhsContract!]);
  const right = c.transpose(c.x(1), [...rhsBatch!, ...rhsContract!, ...rhsFree]);
  // Matrices, or stacks of them, are what MatMul takes as they are.
  if (lhsFree.length === 1 && rhsFree.length === 1 && lhsContract!.length === 1) {
    return c.result('MatMul', [left, right]);
  }
  const sizes = (shape: readonly number[], dims: readonly number[]): number[] => dims.map((d) => shape[d]!);
  const batch = sizes(lhs, lhsBatch!);
  const k = elementCount(sizes(lhs, lhsContract!));
  const product = c.emit('MatMul', [
    c.reshape(left, [...batch, elementCount(sizes(lhs, lhsFree)), k]),
    c.reshape(right, [...batch, k, elementCount(sizes(rhs, rhsFree))]),
  ]);
  return c.result('Reshape', [product, c.int64(c.shape)], c.shape.includes(0) ? { allowzero: 1 } : {});
}

function convolution(c: ExportCall): Name {
  const [strides, padLo, padHi, dilation, inputDilation] = [
    'strides',
    'padLo',
    'padHi',
    'dilation',
    'inputDilation',
  ].map((name) => c.ints(name));
  const shape = c.shapeOf(0);
  // What Conv cannot do: elements left out, and zeros between those of the input.
  const none = [0, 0];
  const before = padded(c, c.x(0), shape, c.scalar(0), {
    lo: [...none, ...padLo!.map((n) => Math.min(0, n))],
    hi: [...none, ...padHi!.map((n) => Math.min(0, n))],
    interior: [...none, ...inputDilation!.map((n) => n - 1)],
  });
  return c.result('Conv', [before.name, c.x(1)], {
    strides: strides!,
    pads: [...padLo!, ...padHi!].map((n) => Math.max(0, n)),
    dilations: dilation!,
    group: c.int('groups'),
    kernel_shape: c.shapeOf(1).slice(2),
  });
}

export const contractRules: Readonly<Record<string, ExportRule>> = { dotGeneral, convolution };
