// Windows over any dimensions: pooling operators where ONNX has them, with the windowed dimensions moved to where these
// expect them; else one slice per element of the window.

import { elementCount, rowMajorStrides, type Shape } from '../../../../compiler/graph/types.ts';
import type { ExportCall, ExportRule, Name } from '../call.ts';
import { padded, sliced } from './shape.ts';

/** More slices than that make no sensible model. */
const mostTaps = 64;

interface Windows {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padLo: readonly number[];
  readonly padHi: readonly number[];
  readonly dilation: readonly number[];
}

function windowsOf(c: ExportCall): Windows {
  const [window, strides, padLo, padHi, dilation] = ['window', 'strides', 'padLo', 'padHi', 'dilation'].map(
    (name) => c.ints(name),
  );
  return { window: window!, strides: strides!, padLo: padLo!, padHi: padHi!, dilation: dilation! };
}

interface Sized {
  readonly name: Name;
  readonly shape: Shape;
}

function pad(c: ExportCall, w: Windows, value: Name): Sized {
  const interior = w.window.map(() => 0);
  return padded(c, c.x(0), c.shapeOf(0), value, { lo: w.padLo, hi: w.padHi, interior });
}

/** The inverse: without what padding adds, with zeros for what it leaves out. */
function unpad(c: ExportCall, w: Windows, { name, shape }: Sized): Name {
  const [lo, hi] = [w.padLo, w.padHi].map((list) => list.map((n) => -n || 0));
  return padded(c, name, shape, c.scalar(0), { lo: lo!, hi: hi!, interior: w.window.map(() => 0) }).name;
}

const neutral: Readonly<Record<string, number>> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
};

function reduceWindow(c: ExportCall): Name {
  const w = windowsOf(c);
  const monoid = String(c.node.attrs['monoid']);
  const dims = w.window.flatMap((_, d) =>
    w.window[d] !== 1 || w.strides[d] !== 1 || w.padLo[d] !== 0 || w.padHi[d] !== 0 ? [d] : [],
  );
  if (dims.length === 0) return c.result('Identity', [c.x(0)]);
  const running = monoid === 'sum' && dims.length === 1 ? runningSum(c, w, dims[0]!) : null;
  if (running !== null) return running;
  if (c.dtype !== 'f32' || dims.length > 3) return bySlices(c, w, monoid);

  // [others, 1, windowed…]
  const others = w.window.map((_, d) => d).filter((d) => !dims.includes(d));
  const perm = [...others, ...dims];
  const { name, shape } = pad(c, w, c.scalar(neutral[monoid]!));
  const sizes = (list: readonly number[], of: Shape): number[] => list.map((d) => of[d]!);
  const rows = elementCount(sizes(others, shape));
  const image = c.reshape(c.transpose(name, perm), [rows, 1, ...sizes(dims, shape)]);
  const [kernel, strides, dilations] = [w.window, w.strides, w.dilation].map((list) => sizes(dims, list));
  const attributes = { kernel_shape: kernel!, strides: strides!, dilations: dilations! };
  const pooled = (): Name => {
    if (monoid === 'max') return c.emit('MaxPool', [image], attributes);
    if (monoid === 'min') return c.emit('Neg', [c.emit('MaxPool', [c.emit('Neg', [image])], attributes)]);
    const ones = c.emit('Expand', [c.scalar(1), c.int64([1, 1, ...kernel!])]);
    return c.emit('Conv', [image, ones], attributes);
  };
  const result = c.reshape(pooled(), sizes(perm, c.shape));
  return c.result('Transpose', [result], { perm: perm.map((_, d) => perm.indexOf(d)) });
}

/** Windows that end, or begin, at each element and reach over all before, or after. */
function runningSum(c: ExportCall, w: Windows, d: number): Name | null {
  const n = c.shapeOf(0)[d]!;
  const isWhole = w.window[d] === n && w.strides[d] === 1 && w.dilation[d] === 1;
  const [lo, hi] = [w.padLo[d], w.padHi[d]];
  const isForward = lo === n - 1 && hi === 0;
  const isBackward = lo === 0 && hi === n - 1;
  if (!isWhole || !(isForward || isBackward)) return null;
  return c.result('CumSum', [c.x(0), c.int64([d], [])], { reverse: isForward ? 0 : 1 });
}

/** The elements of each window in a dimension of their own, the last one. */
function taps(c: ExportCall, w: Windows, value: Name, out: Shape): Name {
  const count = elementCount(w.window);
  if (count > mostTaps) c.refuse(`windows of ${count} elements have no counterpart for these dimensions`);
  const { name } = pad(c, w, value);
  const axes = out.map((_, d) => d);
  const parts = Array.from({ length: count }, (_, tap) => {
    const place = rowMajorStrides(w.window).map((s, d) => Math.floor(tap / s) % w.window[d]!);
    const starts = axes.map((d) => place[d]! * w.dilation[d]!);
    const ends = axes.map((d) => starts[d]! + (out[d]! - 1) * w.strides[d]! + 1);
    return c.reshape(sliced(c, name, axes, starts, ends, w.strides), [...out, 1]);
  });
  return c.emit('Concat', parts, { axis: out.length });
}

function bySlices(c: ExportCall, w: Windows, monoid: string): Name {
  const limits = c.dtype === 'u32' ? [0, 4294967295] : [-2147483648, 2147483647];
  const value = c.dtype === 'f32' ? neutral[monoid]! : { sum: 0, max: limits[0]!, min: limits[1]! }[monoid]!;
  const all = taps(c, w, c.scalar(value), c.shape);
  const opType = { sum: 'ReduceSum', max: 'ReduceMax', min: 'ReduceMin' }[monoid]!;
  return c.result(opType, [all, c.int64([c.shape.length])], { keepdims: 0 });
}

function windowArgmax(c: ExportCall): Name {
  const dtype = c.node.operands[0]!.type.dtype;
  const least = { f32: Number.NEGATIVE_INFINITY, i32: -2147483648 }[dtype as string] ?? 0;
  const all = taps(c, windowsOf(c), c.scalar(least, dtype), c.shape);
  const index = c.emit('ArgMax', [all], { axis: c.shape.length, keepdims: 0 });
  return c.result('Cast', [index], { to: 6 });
}

/** For each window the row-major number, in a padded value of this shape, of the element that its index names. */
function positions(c: ExportCall, w: Windows, shape: Shape, out: Shape, index: Name): Name {
  const strides = rowMajorStrides(shape);
  const inWindow = rowMajorStrides(w.window);
  const offsets = Array.from({ length: elementCount(w.window) }, (_, tap) =>
    strides.reduce(
      (sum, s, d) => sum + (Math.floor(tap / inWindow[d]!) % w.window[d]!) * w.dilation[d]! * s,
      0,
    ),
  );
  let at = c.emit('Gather', [c.int64(offsets), index], { axis: 0 });
  out.forEach((n, d) => {
    const begins = Array.from({ length: n }, (_, i) => i * w.strides[d]! * strides[d]!);
    if (begins.every((b) => b === 0)) return;
    const along = out.map((_, e) => (e === d ? n : 1));
    at = c.emit('Add', [at, c.int64(begins, along)]);
  });
  return at;
}

export const windowRules: Readonly<Record<string, ExportRule>> = {
  reduceWindow,
  windowArgmax,
  windowGather: (c) => {
    const w = windowsOf(c);
    const { name, shape } = pad(c, w, c.scalar(0));
    const at = positions(c, w, shape, c.shape, c.x(1));
    return c.result('Gather', [c.reshape(name, [elementCount(shape)]), at], { axis: 0 });
  },
  windowScatter: (c) => {
    const w = windowsOf(c);
    const shape = c.shape.map((n, d) => n + w.padLo[d]! + w.padHi[d]!);
    const at = positions(c, w, shape, c.shapeOf(0), c.x(1));
    const count = [elementCount(c.shapeOf(0))];
    const zeros = c.emit('ConstantOfShape', [c.int64([elementCount(shape)])]);
    const sums = c.emit('ScatterElements', [zeros, c.reshape(at, count), c.reshape(c.x(0), count)], {
      axis: 0,
      reduction: 'add',
    });
    return c.result('Identity', [unpad(c, w, { name: c.reshape(sums, shape), shape })]);
  },
};
