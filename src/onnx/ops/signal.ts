// Fourier transforms, as products with matrices of sines and cosines: exact for every length, and differentiable.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import { at, fromLast, type I, ints, part, range, rankOf, shapeOf, type T, toLast } from './common.ts';

/** Matrix [rows, columns] of f(2π r c / n). */
function waves(f: (angle: number) => number, rows: number, columns: number, n: number): T {
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    // The angle of a whole number of turns is none: the product is reduced first, so that large ones stay exact.
    for (let k = 0; k < columns; k++) values[r * columns + k] = f((2 * Math.PI * ((r * k) % n)) / n);
  }
  return h.constant(values, [rows, columns]) as T;
}

const times = (x: T, m: T): T => h.matmul(x, m) as T;

/** The last axis with n elements: cut, or filled up with zeros. */
function resized(x: T, n: number): T {
  const last = rankOf(x) - 1;
  const size = shapeOf(x)[last]!;
  if (size >= n) return part(x, last, 0, n);
  return h.pad(
    x,
    shapeOf(x).map((_, d): [number, number] => [0, d === last ? n - size : 0]),
  ) as T;
}

/** Transform along the last axis of a signal, whose imaginary part may be missing: real and imaginary parts of `bins`. */
function forward(real: T, imaginary: T | null, n: number, bins: number): readonly [T, T] {
  const [cos, sin] = [waves(Math.cos, n, bins, n), waves(Math.sin, n, bins, n)];
  const [a, b] = [times(real, cos), h.neg(times(real, sin) as never) as T];
  if (imaginary === null) return [a, b];
  return [h.add(a, times(imaginary, sin)) as T, h.add(b, times(imaginary, cos)) as T];
}

function dft(c: Call): T {
  const x = c.x(0);
  const rank = rankOf(x);
  const named = c.opset < 20 ? c.int('axis', 1) : c.has(2) ? c.scalar(2) : -2;
  const axis = c.axis(named, rank);
  const [isInverse, isOneSided] = [c.flag('inverse'), c.flag('onesided')];
  const size = shapeOf(x)[axis]!;
  const n = c.has(1) ? c.scalar(1) : isInverse && isOneSided ? 2 * (size - 1) : size;
  const component = (k: number): T => toLast(at(x, rank - 1, k), axis);
  const isComplex = shapeOf(x)[rank - 1] === 2;
  const back = (parts: readonly T[]): T =>
    h.stack(
      parts.map((v) => fromLast(v, axis)),
      rank - 1,
    ) as T;
  if (isInverse && isOneSided) return back([halfInverse(component(0), isComplex ? component(1) : null, n)]);
  const real = resized(component(0), n);
  const imaginary = isComplex ? resized(component(1), n) : null;
  const bins = isOneSided ? Math.floor(n / 2) + 1 : n;
  if (!isInverse) return back(forward(real, imaginary, n, bins));
  // The inverse is the forward transform with the sign of angles turned, divided by n.
  const flipped = imaginary === null ? null : (h.neg(imaginary as never) as T);
  const [a, b] = forward(real, flipped, n, bins);
  return back([h.div(a, n) as T, h.div(h.neg(b as never) as T, n) as T]);
}

/** The real signal of n elements whose spectrum has these first ⌊n / 2⌋ + 1 elements. */
function halfInverse(real: T, imaginary: T | null, n: number): T {
  const bins = Math.floor(n / 2) + 1;
  // Those in the middle stand for their mirror images too.
  const weights = range(bins).map((k) => (k === 0 || 2 * k === n ? 1 : 2) / n);
  const scale = h.constant(weights, [bins]) as T;
  const a = times(h.mul(resized(real, bins), scale) as T, waves(Math.cos, bins, n, n));
  if (imaginary === null) return a;
  return h.sub(a, times(h.mul(resized(imaginary, bins), scale) as T, waves(Math.sin, bins, n, n))) as T;
}

function stft(c: Call): T {
  const x = c.x(0);
  const [batch, length, components] = shapeOf(x) as [number, number, number];
  const step = c.scalar(1);
  const n = c.has(3) ? c.scalar(3) : c.has(2) ? shapeOf(c.x(2))[0]! : length;
  const frames = Math.floor((length - n) / step) + 1;
  const bins = c.flag('onesided', true) ? Math.floor(n / 2) + 1 : n;
  const places = range(frames).flatMap((f) => range(n).map((k) => f * step + k));
  const framed = (k: number): T => {
    const taken = h.gather(at(x, 2, k), ints(places, [frames, n]) as I, 1) as T;
    return c.has(2) ? (h.mul(taken, c.x(2)) as T) : taken;
  };
  const [a, b] = forward(framed(0), components === 2 ? framed(1) : null, n, bins);
  return h.reshape(h.stack([a, b], 3) as T, [batch, frames, bins, 2]) as T;
}

export const signalOps: readonly OnnxOp[] = [
  op('DFT', { versions: { 17: 'the axis is an attribute', 20: 'the axis is an operand' } }, dft),
  op('STFT', {}, stft),
];
