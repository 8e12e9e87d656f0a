// Drawing operands for samplers: values at which smooth ops are differentiable, and values without ties for ops that
// choose among elements. In: a source of randomness, dtype and shape. Out: host tensors, equal for equal seeds.

import type { HostTensor, SampleSource } from '../graph/ir.ts';
import { type DType, elementCount, type Shape } from '../graph/types.ts';

/** What ops accept that only move elements. */
export const allDTypes: readonly DType[] = ['f32', 'i32', 'u32', 'bool', 'u8'];

/** Elements of any dtype: f32 in [-2, 2), small integers (u32 and u8: not negative), bits. */
export function drawTensor(random: SampleSource, dtype: DType, shape: Shape): HostTensor {
  const element = (): number => {
    switch (dtype) {
      case 'f32':
        return Math.fround(random.uniform(-2, 2));
      case 'i32':
        return random.int(-9, 9);
      case 'u32':
      case 'u8':
        return random.int(0, 9);
      case 'bool':
        return random.int(0, 1);
      default:
        return dtype satisfies never;
    }
  };
  return { type: { dtype, shape }, data: Float64Array.from({ length: elementCount(shape) }, element) };
}

/** f32 elements at least 1/8 apart from each other, in random order, so that small steps change no order. */
export function drawDistinct(random: SampleSource, shape: Shape, dtype: 'f32' | 'i32' = 'f32'): HostTensor {
  const n = elementCount(shape);
  const data = Float64Array.from({ length: n }, (_, i) => (dtype === 'f32' ? (i - n / 2) / 8 : i - (n >> 1)));
  for (let i = n - 1; i > 0; i--) {
    const j = random.int(0, i);
    const kept = data[i]!;
    data[i] = data[j]!;
    data[j] = kept;
  }
  return { type: { dtype, shape }, data };
}

/** Ascending choice of `count` of the axes 0 … rank-1. */
export function drawAxes(random: SampleSource, rank: number, count: number): number[] {
  return drawPermutation(random, rank)
    .slice(0, count)
    .sort((a, b) => a - b);
}

export function drawPermutation(random: SampleSource, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.int(0, i);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
