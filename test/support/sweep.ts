// Draws of applications with attributes that nobody chose: strides above the window, dilated and uneven padding, groups, sizes
// of 1 and primes, five dimensions, repeated indices, ties. test/ops/sweep.test.ts compares targets with the interpreter on them.

import type { HostTensor, Node, SampleSource } from '../../compiler/graph/ir.ts';
import { type DType, elementCount, roundTo, type Shape } from '../../compiler/graph/types.ts';
import { host } from './evaluate-ops.ts';
import { h } from './public-functions.ts';

export interface Drawn {
  /** What was drawn, to be read in a failure. */
  readonly told: string;
  readonly operands: readonly HostTensor[];
  readonly build: (...x: Node[]) => Node | readonly Node[];
}

type Family = (r: SampleSource) => Drawn;

const numbers: readonly DType[] = ['f32', 'i32', 'u32'];
const sizes = [1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17];

/** Elements of which some are equal: halves in [-4, 4], so that there are ties and exact sums. */
function tied(r: SampleSource, shape: Shape, dtype: DType = 'f32'): HostTensor {
  const draw = (): number => (dtype === 'f32' ? r.int(-8, 8) / 2 : r.int(0, dtype === 'bool' ? 1 : 5));
  return host(shape, Array.from({ length: elementCount(shape) }, draw), dtype);
}

function real(r: SampleSource, shape: Shape): HostTensor {
  return host(
    shape,
    Array.from({ length: elementCount(shape) }, () => roundTo('f32', r.uniform(-2, 2))),
  );
}

function indices(r: SampleSource, shape: Shape, below: number): HostTensor {
  return host(
    shape,
    Array.from({ length: elementCount(shape) }, () => r.int(0, below - 1)),
    'i32',
  );
}

const list = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const shapeOf = (r: SampleSource, rank: number, most = 3000): number[] => {
  const shape = list(rank, () => r.pick(sizes));
  while (elementCount(shape) > most) shape[r.int(0, rank - 1)] = 1;
  return shape;
};

/** Window, strides, dilation and uneven padding that fit some image. */
function window(r: SampleSource, rank: number) {
  const kernel = list(rank, () => r.int(1, rank === 3 ? 3 : 5));
  const strides = list(rank, () => r.int(1, 4));
  const dilation = list(rank, () => r.int(1, 3));
  const reach = kernel.map((k, d) => (k - 1) * dilation[d]! + 1);
  const padding = reach.map((n) => [r.int(0, n - 1), r.int(0, n - 1)]);
  const image = reach.map(
    (n, d) => Math.max(1, n - padding[d]![0]! - padding[d]![1]!) + r.int(0, rank === 3 ? 3 : 9),
  );
  return { kernel, strides, dilation, padding, image, reach };
}

const convolution: Family = (r) => {
  const rank = r.int(1, 3);
  const { kernel, strides, dilation, padding, image } = window(r, rank);
  const groups = r.int(1, 3);
  const [inputs, outputs] = [r.int(1, 3), r.int(1, 9)];
  const isDepthwise = r.bool(0.25);
  const channels = groups * (isDepthwise ? 1 : inputs);
  const filters = groups * outputs;
  const options = { strides, dilation, groups, padding: r.bool(0.2) ? 'same' : padding };
  const x = real(r, [r.int(1, 3), channels, ...image]);
  const w = real(r, [filters, channels / groups, ...kernel]);
  return {
    told: `conv${rank}d ${JSON.stringify({ x: x.type.shape, w: w.type.shape, ...options })}`,
    operands: [x, w],
    build: (a, b) => h[`conv${rank}d`]!(a, b, options),
  };
};

const transposed: Family = (r) => {
  const rank = r.int(1, 3);
  const { kernel, strides, dilation, reach } = window(r, rank);
  const image = list(rank, () => r.int(1, rank === 3 ? 3 : 7));
  const groups = r.int(1, 3);
  const padding = reach.map((n, d) => {
    const most = Math.min(n - 1, Math.floor(((image[d]! - 1) * strides[d]! + n - 1) / 2));
    return [r.int(0, most), r.int(0, most)];
  });
  const outputPadding = strides.map((s) => r.int(0, s - 1));
  const options = { strides, dilation, padding, outputPadding, groups };
  const x = real(r, [r.int(1, 2), groups * r.int(1, 3), ...image]);
  const w = real(r, [x.type.shape[1]!, r.int(1, 5), ...kernel]);
  return {
    told: `convTranspose${rank}d ${JSON.stringify({ x: x.type.shape, w: w.type.shape, ...options })}`,
    operands: [x, w],
    build: (a, b) => h[`convTranspose${rank}d`]!(a, b, options),
  };
};

const pool: Family = (r) => {
  const rank = r.int(1, 3);
  const { kernel, strides, dilation, padding, image } = window(r, rank);
  const kind = r.pick(['max', 'avg', 'lp'] as const);
  const options = {
    kernel, strides, dilation, padding, ceil: r.bool(),
    ...(kind === 'avg' && { countIncludePad: r.bool() }),
    ...(kind === 'lp' && { p: r.pick([1, 2, 3]) }),
  }; // biome-ignore format: short
  const dtype = kind === 'max' ? r.pick(numbers) : 'f32';
  const x =
    kind === 'max'
      ? tied(r, [r.int(1, 2), r.int(1, 5), ...image], dtype)
      : real(r, [r.int(1, 2), r.int(1, 5), ...image]);
  return {
    told: `${kind}Pool${rank}d ${JSON.stringify({ x: x.type.shape, ...options })}`,
    operands: [x],
    build: (a) => h[`${kind}Pool${rank}d`]!(a, options),
  };
};

const adaptive: Family = (r) => {
  const x = tied(r, [r.int(1, 2), r.int(1, 4), ...list(r.int(1, 3), () => r.int(1, 9))]);
  const size = x.type.shape.slice(2).map((n) => r.int(1, n + 2));
  const fn = r.pick(['adaptiveAvgPool', 'adaptiveMaxPool'] as const);
  return { told: `${fn} ${x.type.shape} to ${size}`, operands: [x], build: (a) => h[fn]!(a, size) };
};

const resize: Family = (r) => {
  const x = real(r, [r.int(1, 2), r.int(1, 3), ...list(r.int(1, 3), () => r.int(1, 7))]);
  const size = x.type.shape.slice(2).map(() => r.int(1, 9));
  const options = {
    mode: r.pick(['nearest', 'linear', 'cubic']),
    coordinates: r.pick(['halfPixel', 'pytorchHalfPixel', 'alignCorners', 'asymmetric']),
    rounding: r.pick(['roundPreferFloor', 'roundPreferCeil', 'floor', 'ceil']),
  };
  return {
    told: `resize ${x.type.shape} to ${size} ${JSON.stringify(options)}`,
    operands: [x],
    build: (a) => h['resize']!(a, size, options),
  };
};

const padding: Family = (r) => {
  const x = real(
    r,
    list(r.int(1, 5), () => r.int(2, 5)),
  );
  const mode = r.pick(['edge', 'reflect', 'wrap', 1.5, -0]);
  // A mode sees what is left after cropping.
  const least = typeof mode === 'number' ? -1 : 0;
  const widths = x.type.shape.map((n) => [r.int(least, n - 1), r.int(least, n - 1)] as const);
  return {
    told: `pad ${x.type.shape} by ${JSON.stringify(widths)} ${mode}`,
    operands: [x],
    build: (a) => h['pad']!(a, widths, mode),
  };
};

const slices: Family = (r) => {
  const shape = shapeOf(r, r.int(1, 5));
  const starts = shape.map((n) => r.int(0, n - 1));
  const limits = shape.map((n, d) => r.int(starts[d]!, n));
  const steps = shape.map(() => r.int(1, 4));
  const x = real(r, shape);
  return {
    told: `slice ${shape}: ${starts} ${limits} ${steps}`,
    operands: [x],
    build: (a) => h['slice']!(a, starts, limits, steps),
  };
};

const gathers: Family = (r) => {
  const x = tied(r, shapeOf(r, r.int(1, 4), 500), r.pick(numbers));
  const axis = r.int(0, x.type.shape.length - 1);
  const n = x.type.shape[axis]!;
  if (r.bool()) {
    const at = indices(r, list(r.int(0, 2), () => r.int(1, 7)), n);
    return { told: `gather ${x.type.shape} axis ${axis} at ${at.type.shape}`, operands: [x, at], build: (a, i) => h['gather']!(a, i, axis) };
  }
  const at = indices(r, x.type.shape.map((m, d) => (d === axis ? r.int(1, 9) : m)), n);
  return { told: `gatherElements ${x.type.shape} axis ${axis}`, operands: [x, at], build: (a, i) => h['gatherElements']!(a, i, axis) };
}; // biome-ignore format: short

const scatters: Family = (r) => {
  const to = tied(r, shapeOf(r, r.int(1, 3), 300), r.pick(numbers));
  const rows = r.int(1, 9);
  if (r.bool()) {
    const at = indices(r, [rows], to.type.shape[0]!);
    const updates = tied(r, [rows, ...to.type.shape.slice(1)], to.type.dtype);
    return {
      told: `scatterAdd ${rows} rows into ${to.type.shape}`,
      operands: [to, at, updates],
      build: (a, i, u) => h['scatterAdd']!(a, i, u),
    };
  }
  const axis = r.int(0, to.type.shape.length - 1);
  const shape = to.type.shape.map((n, d) => (d === axis ? rows : n));
  const at = indices(r, shape, to.type.shape[axis]!);
  const updates = tied(r, shape, to.type.dtype);
  return {
    told: `scatterAddElements ${shape} into ${to.type.shape}, axis ${axis}`,
    operands: [to, at, updates],
    build: (a, i, u) => h['scatterAddElements']!(a, i, u, axis),
  };
};

const products: Family = (r) => {
  const size: Record<string, number> = {};
  for (const c of 'abcdefg') size[c] = r.pick([1, 2, 3, 5, 7, 11]);
  const term = (): string => [...'abcdefg'].filter(() => r.bool(0.45)).sort(() => (r.bool() ? 1 : -1)).join('');
  const terms = list(r.int(1, 3), term).map((s) => s.slice(0, 4));
  const present = [...new Set(terms.join(''))];
  const out = present.filter(() => r.bool(0.5)).join('');
  const equation = `${terms.join(',')}->${out}`;
  const operands = terms.map((s) => real(r, [...s].map((c) => size[c]!)));
  return { told: `einsum ${equation} ${JSON.stringify(size)}`, operands, build: (...x) => h['einsum']!(equation, ...x) };
}; // biome-ignore format: short

const matmuls: Family = (r) => {
  const batch = list(r.int(0, 3), () => r.pick([1, 2, 3]));
  const [n, k, m] = [r.pick([1, 5, 8, 17, 33]), r.pick([1, 3, 16, 61, 200]), r.pick([1, 2, 7, 8, 24, 37])];
  const left = batch.map((b) => (r.bool(0.3) ? 1 : b)).slice(r.int(0, batch.length));
  const right = batch.map((b) => (r.bool(0.3) ? 1 : b));
  const x = real(r, [...left, n, k]);
  const y = real(r, [...right, k, m]);
  return {
    told: `matmul ${x.type.shape} by ${y.type.shape}`,
    operands: [x, y],
    build: (a, b) => h['matmul']!(a, b),
  };
};

const reductions: Family = (r) => {
  const fn = r.pick([
    'sum',
    'mean',
    'max',
    'min',
    'prod',
    'logSumExp',
    'l1',
    'l2',
    'variance',
    'std',
    'norm',
  ] as const);
  const shape = shapeOf(r, r.int(1, 5), fn === 'prod' ? 60 : 40_000);
  if (r.bool(0.2)) shape[0] = fn === 'prod' ? shape[0]! : 1031;
  const axes = shape.map((_, d) => d).filter(() => r.bool());
  const options = { keepDims: r.bool(), ...(fn === 'norm' && { p: r.pick([1, 2, 3, 4.5]) }) };
  const x = ['max', 'min', 'prod'].includes(fn) ? tied(r, shape) : real(r, shape);
  return { told: `${fn} ${shape} over ${axes}`, operands: [x], build: (a) => h[fn]!(a, axes, options) };
};

const orders: Family = (r) => {
  const shape = shapeOf(r, r.int(1, 3), 700);
  const axis = r.int(0, shape.length - 1);
  const dtype = r.pick(numbers);
  const x = tied(r, shape, dtype);
  const fn = r.pick(['sort', 'argsort', 'argmax', 'argmin', 'topK', 'cumsum', 'cumprod'] as const);
  const options = fn.startsWith('cum')
    ? { exclusive: r.bool(), reverse: r.bool() }
    : { descending: r.bool() };
  const k = r.int(1, shape[axis]!);
  return {
    told: `${fn} of ${dtype} ${shape} along ${axis} ${JSON.stringify(options)} k ${k}`,
    operands: [x],
    build: (a) =>
      fn === 'topK'
        ? Object.values(h['topK']!(a, k, axis) as unknown as Record<string, Node>)
        : fn.startsWith('arg') && fn !== 'argsort'
          ? h[fn]!(a, axis)
          : h[fn]!(fn === 'cumprod' ? h['where']!(h['eq']!(a, 3), 1, a) : a, axis, options),
  };
};

const views: Family = (r) => {
  const shape = shapeOf(r, 5, 2000);
  const perm = [0, 1, 2, 3, 4].sort(() => (r.bool() ? 1 : -1));
  const axis = r.int(0, 4);
  const x = real(r, shape);
  const y = real(r, shape);
  return {
    told: `views of ${shape} by ${perm}, axis ${axis}`,
    operands: [x, y],
    build: (a, b) => {
      const turned = h['transpose']!(h['concat']!([a, h['reverse']!(b, axis)], axis), perm);
      const rolled = h['roll']!(turned, r.int(-3, 3), perm.indexOf(axis));
      return [
        h['mul']!(rolled, 0.5),
        h['repeat']!(h['moveAxis']!(a, axis, 0), 2, -1),
        h['tanh']!(h['swapAxes']!(b, 0, axis)),
      ];
    },
  };
};

const norms: Family = (r) => {
  const groups = r.int(1, 3);
  const shape = [r.int(1, 3), groups * r.int(1, 4), ...list(r.int(1, 3), () => r.int(2, 5))];
  const fn = r.pick(['layerNorm', 'rmsNorm', 'groupNorm', 'instanceNorm', 'batchNorm', 'localResponseNorm', 'softmax', 'logSoftmax'] as const);
  const extra = { groupNorm: [groups], localResponseNorm: [{ size: r.int(1, 6) }], layerNorm: [{ axis: r.int(1, shape.length - 1) }], softmax: [r.int(0, shape.length - 1)] }[fn as string] ?? [];
  return { told: `${fn} ${shape} ${JSON.stringify(extra)}`, operands: [real(r, shape)], build: (a) => h[fn]!(a, ...extra) };
}; // biome-ignore format: short

export const families: Readonly<Record<string, Family>> = {
  convolution, transposed, pool, adaptive, resize, padding, slices, gathers, scatters, products, matmuls, reductions, orders, views, norms,
}; // biome-ignore format: a list
