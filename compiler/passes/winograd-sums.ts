// The sums of Winograd's convolutions (winograd.ts, winograd-weights.ts): their coefficients, how they are computed, and when
// they pay.

import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { add, mul, sub } from '../ops/arithmetic.ts';
import type { ConvolutionAttrs } from '../ops/convolution.ts';
import { slice } from '../ops/slice.ts';

export const outputs = 4;
export const taps = 3;
export const inputs: number = outputs + taps - 1;

/**
 * The finite points at which the polynomials of the filter and of the outputs are multiplied; infinity is the last. These
 * round least of those with small powers: relative error 1.6 to 1.85 times that of the plain sum, with ±1/2 2.2 times, with
 * ±2 2.1 times (16 and 64 channels of 3 × 3 taps, random normal pictures and their rectified values).
 */
const points = [0, 1, -1, 0.5, -2] as const;

/** u = G g: the filter, as a polynomial, at the points, over the product of their distances. */
export const filterSums: readonly (readonly number[])[] = [
  ...points.map((p, i) => {
    const distance = points.reduce((n: number, q, j) => (j === i ? n : n * (p - q)), 1);
    return Array.from({ length: taps }, (_, k) => p ** k / distance);
  }),
  [0, 0, 1],
];

/** y = Aᵀ m: powers of the points. */
export const outputSums: readonly (readonly number[])[] = Array.from({ length: outputs }, (_, j) => [
  ...points.map((p) => p ** j),
  j === outputs - 1 ? 1 : 0,
]);

/** v = Bᵀ d: coefficients of Π (x − q) over the other points q; for infinity over all. */
export const inputSums: readonly (readonly number[])[] = [...points, null].map((p) => {
  let polynomial = [1];
  for (const q of points) {
    if (q === p) continue;
    const shifted = [0, ...polynomial];
    polynomial = shifted.map((c, i) => c - q * (polynomial[i] ?? 0));
  }
  return Array.from({ length: inputs }, (_, i) => polynomial[i] ?? 0);
});

/** Whether taps lie side by side along the last dimension of a convolution, which has something to compute. */
export function isPlainAlongLast({ attrs, operands, type }: Node): boolean {
  const { strides, dilation, inputDilation } = attrs as ConvolutionAttrs;
  const isPlain = strides.at(-1) === 1 && dilation.at(-1) === 1 && inputDilation.every((d) => d === 1);
  return isPlain && elementCount(type.shape) > 0 && elementCount(operands[0]!.type.shape) > 0;
}

/** Fused products in a nanosecond: a core of 3.8 GHz, in tiles at 0.9 of its peak. Only the ratio to bytes matters. */
const productsPerNs = 27;
/**
 * Bytes in a nanosecond to and from v, u and m, as if nothing stayed near: ResNet-8's layers of 16 channels move 30 MB in 1.5 ms
 * for 64 pictures, which saves 1.4 of 5.8 ms; one picture's stay near, but short sums are slower than long ones.
 */
const bytesPerNs = 24;
/** Of the time without; what is gained must also pay for code that is half as long again. */
const mostOfTime = 0.9;
/** Whether so many products for so many bytes more take less time than all of the products. */
export function isFaster(plain: number, products: number, bytes: number): boolean {
  return products / productsPerNs + bytes / bytesPerNs <= (mostOfTime * plain) / productsPerNs;
}

/** `count` elements along the last dimension, from `start` on, `stride` apart. */
export function every(t: Node, start: number, count: number, stride: number): Node {
  const { shape } = t.type;
  const last = shape.length - 1;
  return slice(
    t,
    shape.map((_, d) => (d === last ? start : 0)),
    shape.map((n, d) => (d === last ? start + (count - 1) * stride + 1 : n)),
    shape.map((_, d) => (d === last ? stride : 1)),
  ) as Node;
}

/** Σ cᵢ xᵢ without the terms that are 0, from the last one on that needs no product: so no two sums begin alike. */
export function combine(coefficients: readonly number[], values: readonly Node[]): Node {
  const terms = coefficients.flatMap((c, i) => (c === 0 ? [] : [{ c, value: values[i]! }]));
  const first = Math.max(
    0,
    terms.findLastIndex(({ c }) => c === 1),
  );
  const [{ c, value }] = terms.splice(first, 1) as [(typeof terms)[number]];
  const start = c === 1 ? value : mul(value, c);
  return terms.reduce((sum: Node, { c, value }) => {
    const term = Math.abs(c) === 1 ? value : mul(value, Math.abs(c));
    return (c < 0 ? sub(sum, term) : add(sum, term)) as Node;
  }, start as Node);
}
