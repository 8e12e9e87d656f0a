// Operators that move elements and do not change them.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import {
  axesOf,
  broadcastShape,
  int64,
  ints,
  like,
  part,
  product,
  range,
  rankOf,
  shapeOf,
  type T,
} from './common.ts';

function reshaped(c: Call): T {
  const x = c.x(0);
  c.ignore('consumed_inputs');
  const wanted = c.opset < 5 ? (c.ints('shape') ?? []) : c.numbers(1);
  const allowZero = c.flag('allowzero');
  const shape = wanted.map((d, i) => (d === 0 && !allowZero ? (shapeOf(x)[i] ?? 0) : d));
  const open = shape.indexOf(-1);
  if (open < 0) return h.reshape(x, shape) as T;
  const known = product(shape.filter((_, i) => i !== open));
  if (known === 0)
    c.refuse(`-1 in [${shape.join(', ')}] is not determined beside a dimension of 0`, 'write it out');
  return h.reshape(
    x,
    shape.map((d) => (d === -1 ? product(shapeOf(x)) / known : d)),
  ) as T;
}

function sliced(c: Call): T {
  const x = c.x(0);
  const isOld = c.opset < 10;
  const starts = isOld ? c.ints('starts')! : c.numbers(1);
  const ends = isOld ? c.ints('ends')! : c.numbers(2);
  const axes = (isOld ? c.ints('axes') : c.has(3) ? c.numbers(3) : undefined) ?? range(starts.length);
  const steps = (!isOld && c.has(4) ? c.numbers(4) : undefined) ?? starts.map(() => 1);
  let y = x;
  axes.forEach((a, i) => {
    const axis = c.axis(a, rankOf(x));
    y = sliceAxis(y, axis, starts[i]!, ends[i]!, steps[i]!);
  });
  return y;
}

/** The elements from start towards end (both may count from the end, and lie outside) in steps of any sign. */
export function sliceAxis(x: T, axis: number, start: number, end: number, step: number): T {
  const n = shapeOf(x)[axis]!;
  const place = (v: number, lo: number, hi: number): number => Math.min(Math.max(v < 0 ? v + n : v, lo), hi);
  const [from, to, source] =
    step > 0
      ? [place(start, 0, n), place(end, 0, n), x]
      : // Backwards: from the other end of the reversed axis.
        [n - 1 - place(start, -1, n - 1), n - 1 - place(end, -1, n - 1), h.flip(x, [axis]) as T];
  const shape = shapeOf(x);
  return h.slice(
    source,
    shape.map((_, d) => (d === axis ? from : 0)),
    shape.map((size, d) => (d === axis ? Math.max(from, to) : size)),
    shape.map((_, d) => (d === axis ? Math.abs(step) : 1)),
  ) as T;
}

function split(c: Call): Results {
  const x = c.x(0);
  const axis = c.axis(c.int('axis', 0), rankOf(x));
  const n = shapeOf(x)[axis]!;
  const count = c.opset >= 18 && c.given('num_outputs') ? c.int('num_outputs') : c.node.output.length;
  const listed =
    c.opset < 13
      ? (c.ints('split') ?? (c.has(1) ? c.numbers(1) : undefined))
      : c.has(1)
        ? c.numbers(1)
        : undefined;
  const size = Math.ceil(n / count);
  const sizes = listed ?? range(count).map((i) => Math.max(0, Math.min(size, n - i * size)));
  return h.split(x, sizes, axis).map((y) => like(c, 0, y as T));
}

function padded(c: Call): T {
  const x = c.x(0);
  const rank = rankOf(x);
  const mode = c.text('mode', 'constant');
  const pads = c.opset < 11 ? (c.ints(c.opset < 2 ? 'paddings' : 'pads') ?? []) : c.numbers(1);
  const axes = c.has(3) ? c.numbers(3).map((a) => c.axis(a, rank)) : range(rank);
  const widths = range(rank).map((): [number, number] => [0, 0]);
  axes.forEach((a, i) => {
    widths[a] = [pads[i]!, pads[i + axes.length]!];
  });
  if (mode === 'constant') {
    const value = c.opset < 11 ? c.float('value', 0) : c.has(2) ? (h.reshape(c.x(2), []) as T) : 0;
    return h.pad(x, widths, value) as T;
  }
  if (mode !== 'edge' && mode !== 'reflect' && mode !== 'wrap') {
    c.refuse(`mode '${mode}' is not known`, "use 'constant', 'edge', 'reflect' or 'wrap'");
  }
  if (c.opset < 11) c.ignore('value');
  // What is removed goes first; modes see what is left.
  let y = h.pad(
    x,
    widths.map(([lo, hi]) => [Math.min(0, lo), Math.min(0, hi)] as const),
  ) as T;
  widths.forEach(([lo, hi], axis) => {
    if (lo > 0 || hi > 0) y = padAxis(y, axis, Math.max(0, lo), Math.max(0, hi), mode as PadMode);
  });
  return y;
}

type PadMode = 'edge' | 'reflect' | 'wrap';

/** Widths may be any multiple of the size: the pattern goes on. */
function padAxis(x: T, axis: number, lo: number, hi: number, mode: PadMode): T {
  const n = shapeOf(x)[axis]!;
  const source = (i: number): number => {
    if (mode === 'edge') return Math.min(Math.max(i, 0), n - 1);
    if (mode === 'wrap') return ((i % n) + n) % n;
    const period = Math.max(1, 2 * (n - 1));
    const k = ((i % period) + period) % period;
    return k < n ? k : period - k;
  };
  const isShort = mode === 'edge' || Math.max(lo, hi) <= (mode === 'wrap' ? n : n - 1);
  if (isShort) {
    const widths = shapeOf(x).map((_, d): [number, number] => (d === axis ? [lo, hi] : [0, 0]));
    return h.pad(x, widths, mode) as T;
  }
  return h.gather(x, ints(range(lo + n + hi).map((i) => source(i - lo))) as never, axis) as T;
}

function centred(c: Call): T {
  let y = c.x(0);
  const rank = rankOf(y);
  const axes = (c.ints('axes') ?? range(rank)).map((a) => c.axis(a, rank));
  c.numbers(1).forEach((size, i) => {
    const axis = axes[i]!;
    const n = shapeOf(y)[axis]!;
    if (size < n) {
      const from = Math.floor((n - size) / 2);
      y = part(y, axis, from, from + size);
    } else if (size > n) {
      const lo = Math.floor((size - n) / 2);
      y = h.pad(
        y,
        range(rank).map((d): [number, number] => (d === axis ? [lo, size - n - lo] : [0, 0])),
      ) as T;
    }
  });
  return y;
}

export const shapeOps: readonly OnnxOp[] = [
  op('Identity', {}, (c) => like(c, 0, c.x(0))),
  op(
    'Reshape',
    { versions: { 1: 'the shape is an attribute', 5: 'the shape is an operand', 14: '`allowzero`' } },
    reshaped,
  ),
  op('Flatten', {}, (c) => {
    const x = c.x(0);
    const axis = c.int('axis', 1);
    // One past the last axis is allowed, and counts from the start.
    const at = axis === rankOf(x) ? axis : c.axis(axis, rankOf(x));
    return h.reshape(x, [product(shapeOf(x).slice(0, at)), product(shapeOf(x).slice(at))]) as T;
  }),
  op('Squeeze', { versions: { 1: 'axes are an attribute', 13: 'axes are an operand' } }, (c) => {
    const x = c.x(0);
    const axes = axesOf(c, 13)?.map((a) => c.axis(a, rankOf(x)));
    return h.squeeze(x, axes ?? range(rankOf(x)).filter((d) => shapeOf(x)[d] === 1)) as T;
  }),
  op('Unsqueeze', { versions: { 1: 'axes are an attribute', 13: 'axes are an operand' } }, (c) => {
    const x = c.x(0);
    const axes = axesOf(c, 13) ?? [];
    const rank = rankOf(x) + axes.length;
    const added = axes.map((a) => c.axis(a, rank));
    let next = 0;
    return h.reshape(
      x,
      range(rank).map((d) => (added.includes(d) ? 1 : shapeOf(x)[next++]!)),
    ) as T;
  }),
  op('Transpose', {}, (c) => h.transpose(c.x(0), c.ints('perm') ?? range(rankOf(c.x(0))).reverse()) as T),
  op('Concat', {}, (c) => {
    const x = c.rest();
    const axis = c.axis(c.int('axis', c.opset < 4 ? 1 : undefined), rankOf(x[0]!));
    return h.concat(x, axis) as T;
  }),
  op(
    'Split',
    {
      versions: {
        1: 'sizes are an attribute',
        13: 'sizes are an operand',
        18: '`num_outputs`: the last part may be smaller',
      },
    },
    split,
  ),
  op('Slice', { versions: { 1: 'bounds are attributes', 10: 'bounds are operands, with steps' } }, sliced),
  op(
    'Pad',
    { versions: { 1: 'widths are an attribute', 11: 'widths are an operand', 18: 'axes', 19: 'wrap' } },
    padded,
  ),
  op('CenterCropPad', {}, centred),
  op('Tile', { versions: { 1: 'one axis', 6: 'a count for each dimension' } }, (c) => {
    const x = c.x(0);
    if (c.opset >= 6) return h.tile(x, c.numbers(1)) as T;
    const axis = c.axis(c.scalar(2), rankOf(x));
    return h.tile(
      x,
      shapeOf(x).map((_, d) => (d === axis ? c.scalar(1) : 1)),
    ) as T;
  }),
  op('Expand', {}, (c) => h.broadcastTo(c.x(0), broadcastShape(shapeOf(c.x(0)), c.numbers(1))) as T),
  op('Shape', { versions: { 1: 'all dimensions', 15: 'a part of them' } }, (c) => {
    const shape = shapeOf(c.x(0));
    const end = c.given('end') ? c.int('end') : shape.length;
    return int64(ints(shape.slice(c.int('start', 0), end)));
  }),
  op('Size', {}, (c) => int64(ints([product(shapeOf(c.x(0)))], []))),
  op(
    'DepthToSpace',
    { versions: { 1: 'DCR', 11: 'DCR or CRD' } },
    (c) => h.depthToSpace(c.x(0), c.int('blocksize'), blockOrder(c)) as T,
  ),
  op(
    'SpaceToDepth',
    { versions: { 1: 'DCR', 28: 'DCR or CRD' } },
    (c) => h.spaceToDepth(c.x(0), c.int('blocksize'), blockOrder(c)) as T,
  ),
];

function blockOrder(c: Call): 'DCR' | 'CRD' {
  const mode = c.text('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') c.refuse(`mode '${mode}' is not known`, "use 'DCR' or 'CRD'");
  return mode as 'DCR' | 'CRD';
}
