// Resizing. Which elements an output is made of, and with which weights, follows from sizes and attributes alone; so each
// place of an axis is a sum of a few elements with known weights.

import * as h from '../../../compiler/ops/index.ts';
import { combineTaps, takeTaps } from '../../../compiler/ops/taps.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import { asFloat, type B, type F, range, rankOf, shapeOf, type T } from './common.ts';

type Mode = 'nearest' | 'linear' | 'cubic';

interface Axis {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Part of the axis that is resized, as fractions of it; for `tf_crop_and_resize`. */
  readonly roi: readonly [number, number];
}

interface How {
  readonly mode: Mode;
  readonly transform: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludesOutside: boolean;
  readonly antialias: boolean;
  readonly extrapolation: number;
}

/** Where the element at `i` of the result lies in the operand. */
function sourceOf(c: Call, { from, to, scale, roi }: Axis, transform: string, i: number): number {
  const length = scale * from;
  switch (transform) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric':
      return (from / 2) * (1 - to / length) + (i + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return length > 1 ? (i + 0.5) / scale - 0.5 : -0.5;
    case 'align_corners':
      return length === 1 ? 0 : (i * (from - 1)) / (length - 1);
    case 'asymmetric':
      return i / scale;
    case 'tf_half_pixel_for_nn':
      return (i + 0.5) / scale;
    case 'tf_crop_and_resize': {
      const span = roi[1] - roi[0];
      const inside = to > 1 ? (i * span * (from - 1)) / (to - 1) : (span * (from - 1)) / 2;
      return inside + roi[0] * (from - 1);
    }
    default:
      return c.refuse(`coordinate_transformation_mode '${transform}' is not known`, "use 'half_pixel'");
  }
}

function nearestOf(c: Call, x: number, mode: string): number {
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    default:
      return c.refuse(`nearest_mode '${mode}' is not known`, "use 'round_prefer_floor'");
  }
}

/** Weight of an element at a distance: a triangle, or Keys' cubic. */
function kernel(mode: Mode, a: number): (distance: number) => number {
  if (mode === 'linear') return (d) => Math.max(0, 1 - Math.abs(d));
  return (distance) => {
    const d = Math.abs(distance);
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
}

/** For each place of the result, the elements that it is made of, and their weights. */
interface Taps {
  readonly positions: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
}

function sourcesOf(c: Call, axis: Axis, how: How): number[] {
  return range(axis.to).map((i) => sourceOf(c, axis, how.transform, i));
}

function tapsOf(sources: readonly number[], axis: Axis, how: How): Taps {
  const last = axis.from - 1;
  const inside = (i: number): number => Math.min(Math.max(i, 0), last);
  const stretch = how.antialias ? Math.min(1, axis.scale) : 1;
  const support = Math.ceil((how.mode === 'linear' ? 1 : 2) / stretch);
  const weigh = kernel(how.mode, how.cubic);
  const rows = sources.map((x) => {
    const places = range(2 * support).map((k) => Math.floor(x) - support + 1 + k);
    const weights = places.map((i) =>
      how.excludesOutside && (i < 0 || i > last) ? 0 : weigh((i - x) * stretch),
    );
    const isScaled = how.antialias || how.excludesOutside;
    const total = isScaled ? weights.reduce((s, w) => s + w, 0) : 1;
    return { places, weights: weights.map((w) => w / total) };
  });
  const used = range(2 * support).filter((k) => rows.some((r) => r.weights[k] !== 0));
  return {
    positions: rows.map((r) => used.map((k) => inside(r.places[k]!))),
    weights: rows.map((r) => used.map((k) => r.weights[k]!)),
  };
}

function resizeAxis(c: Call, x: T, axis: Axis, how: How): T {
  const sources = sourcesOf(c, axis, how);
  if (how.mode === 'nearest') {
    const places = sources.map((p) => [Math.min(Math.max(nearestOf(c, p, how.nearest), 0), axis.from - 1)]);
    return takeTaps(x, axis.axis, places);
  }
  const { positions, weights } = tapsOf(sources, axis, how);
  return combineTaps(x as F, axis.axis, positions, weights);
}

/** The value for outside, where any axis lies outside. */
function extrapolated(c: Call, y: T, axes: readonly Axis[], how: How): T {
  let result = y;
  if (how.transform !== 'tf_crop_and_resize') return y;
  for (const axis of axes) {
    const isOutside = sourcesOf(c, axis, how).map((p) => p < 0 || p > axis.from - 1);
    if (!isOutside.includes(true)) continue;
    const shape = new Array<number>(rankOf(y)).fill(1);
    shape[axis.axis] = axis.to;
    const mask = h.constant(Uint8Array.from(isOutside, Number), shape, 'bool') as T;
    const value = h.full([...shapeOf(y)], how.extrapolation, y.type.dtype) as T;
    result = h.where(h.broadcastTo(mask, [...shapeOf(y)]) as B, value, result) as T;
  }
  return result;
}

function resized(c: Call, x: T, axes: readonly Axis[], how: How): T {
  const moved = axes.filter(
    (a) => a.from !== a.to || a.scale !== 1 || how.transform === 'tf_crop_and_resize',
  );
  const isFloat = x.type.dtype === 'f32';
  const source = isFloat || how.mode === 'nearest' ? x : asFloat(x);
  let y = source;
  for (const a of moved) y = resizeAxis(c, y, a, how);
  const whole = extrapolated(c, y, moved, how);
  return (
    isFloat || how.mode === 'nearest' ? whole : h.cast(h.round(whole as never) as T, x.type.dtype)
  ) as T;
}

/** Sizes and scales of the axes, from the operands of a node. */
function axesOf(c: Call, scalesAt: number, sizesAt: number, roiAt: number): Axis[] {
  const x = c.x(0);
  const rank = rankOf(x);
  const named = (c.ints('axes') ?? range(rank)).map((a) => c.axis(a, rank));
  const policy = c.text('keep_aspect_ratio_policy', 'stretch');
  const roi = roiAt >= 0 && c.has(roiAt) ? c.numbers(roiAt) : [];
  const part = (k: number): readonly [number, number] => [roi[k] ?? 0, roi[k + named.length] ?? 1];
  const scales = c.has(scalesAt) ? c.numbers(scalesAt) : [];
  if (scales.length > 0) {
    return named.map((axis, k) => {
      const from = shapeOf(x)[axis]!;
      const [start, end] = part(k);
      const isCrop = c.text('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
      const to = Math.floor(from * (isCrop ? end - start : 1) * scales[k]!);
      return { axis, from, to, scale: scales[k]!, roi: part(k) };
    });
  }
  const sizes = c.numbers(sizesAt);
  const ratios = named.map((axis, k) => sizes[k]! / shapeOf(x)[axis]!);
  if (policy === 'stretch') {
    return named.map((axis, k) => ({
      axis,
      from: shapeOf(x)[axis]!,
      to: sizes[k]!,
      scale: ratios[k]!,
      roi: part(k),
    }));
  }
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return named.map((axis, k) => {
    const from = shapeOf(x)[axis]!;
    return { axis, from, to: Math.floor(scale * from + 0.5), scale, roi: part(k) };
  });
}

function modeOf(c: Call): Mode {
  const mode = c.text('mode', 'nearest');
  if (mode === 'bilinear' || mode === 'linear') return 'linear';
  if (mode !== 'nearest' && mode !== 'cubic')
    c.refuse(`mode '${mode}' is not known`, "use 'nearest', 'linear' or 'cubic'");
  return mode as Mode;
}

/** Before opset 11 and in Upsample: pixels are counted from their corners, and the lower one is taken. */
const plain: Omit<How, 'mode'> = {
  transform: 'asymmetric',
  nearest: 'floor',
  cubic: -0.75,
  excludesOutside: false,
  antialias: false,
  extrapolation: 0,
};

export const resizeOps: readonly OnnxOp[] = [
  op(
    'Resize',
    {
      versions: {
        10: 'as Upsample',
        11: 'coordinates, sizes, cubic',
        18: 'antialias, axes, aspect ratio',
        19: 'half_pixel_symmetric',
      },
    },
    (c) => {
      if (c.opset < 11) return resized(c, c.x(0), axesOf(c, 1, -1, -1), { ...plain, mode: modeOf(c) });
      const how: How = {
        mode: modeOf(c),
        transform: c.text('coordinate_transformation_mode', 'half_pixel'),
        nearest: c.text('nearest_mode', 'round_prefer_floor'),
        cubic: c.float('cubic_coeff_a', -0.75),
        excludesOutside: c.flag('exclude_outside'),
        antialias: c.flag('antialias'),
        extrapolation: c.float('extrapolation_value', 0),
      };
      return resized(c, c.x(0), axesOf(c, 2, 3, 1), how);
    },
  ),
  op('Upsample', { versions: { 7: 'scales are an attribute', 9: 'scales are an operand' } }, (c) => {
    const x = c.x(0);
    const scales = c.opset < 9 ? (c.floats('scales') ?? []) : c.numbers(1);
    const axes = scales.map(
      (scale, axis): Axis => ({
        axis,
        from: shapeOf(x)[axis]!,
        to: Math.floor(shapeOf(x)[axis]! * scale),
        scale,
        roi: [0, 1],
      }),
    );
    return resized(c, x, axes, { ...plain, mode: modeOf(c) });
  }),
];
