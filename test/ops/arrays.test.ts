// Functions that NumPy and PyTorch have for arrays, against plain loops; places where formulas break; texts of errors.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  allClose, arange, causalMask, cdist, constant, cosineSimilarity, countNonZero, cross, diag, diagonal, diff, expand, eye,
  floorDiv, floorMod, glu, hypot, input, iota, isClose, lerp, linspace, logAddExp, logit, median, meshgrid, moveAxis, nanToNum, norm, normalize, outer,
  pairwiseDistance, quantile, reshape, sequenceMask, sigmoid, sum, swapAxes, trace, transpose,
} from '../../compiler/ops/index.ts'; // biome-ignore format: a list
import { grad } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';

type Floats = Node<Shape, 'f32'>;
const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

/** 0, 1, 2, … in a shape. */
const counting = (...shape: number[]): Node =>
  reshape(iota([shape.reduce((n, d) => n * d, 1)], 0), shape) as Node;
const floats = (...v: number[]): Floats => constant(v, [v.length]) as Node as Floats;
const near = (got: readonly number[], want: readonly number[], tolerance = 1e-12): boolean =>
  got.length === want.length && got.every((v, i) => Math.abs(v - want[i]!) <= tolerance);

t.test('eye, diag, diagonal, trace, outer', async (t) => {
  for (const [rows, columns, k] of [[3, 3, 0], [2, 4, 1], [4, 2, -1], [3, 3, 5], [0, 2, 0], [1, 1, 0]] as const) {
    const want = Array.from({ length: rows * columns }, (_, i) => (i % columns === Math.floor(i / columns) + k ? 1 : 0));
    t.same(evaluate(eye(rows, { columns, k })), want, `eye ${rows} × ${columns}, ${k}`);
  }
  t.equal(eye(2, { dtype: 'bool' }).type.dtype, 'bool');
  for (const k of [-2, -1, 0, 1, 2]) {
    const n = 3 + Math.abs(k);
    const want = new Array<number>(n * n).fill(0);
    for (let i = 0; i < 3; i++) want[(i + Math.max(-k, 0)) * n + i + Math.max(k, 0)] = i + 5;
    const matrix = diag(floats(5, 6, 7), k);
    t.same(evaluate(matrix), want, `diag ${k}`);
    t.same(evaluate(diag(matrix, k)), [5, 6, 7], 'and back');
  }
  for (const [rows, columns] of [[3, 3], [2, 5], [5, 2], [1, 4], [0, 3]] as const) {
    const x = counting(2, rows, columns);
    for (let k = -6; k <= 6; k++) {
      const want: number[] = [];
      for (let b = 0; b < 2; b++) {
        for (let i = 0; i < rows; i++) {
          if (i + k >= 0 && i + k < columns) want.push((b * rows + i) * columns + i + k);
        }
      }
      t.same(evaluate(diagonal(x, k)), want, `diagonal ${k} of ${rows} × ${columns}`);
    }
  }
  t.same(evaluate(trace(counting(2, 2, 3))), [0 + 4, 6 + 10]);
  t.same(evaluate(outer(floats(1, 2), floats(3, 4, 5))), [3, 4, 5, 6, 8, 10]);
  t.same(evaluate(diag(floats(nan, 1))), [nan, 0, 0, 1], 'NaN stays in its place');
  t.equal(
    errorOf(() => diag(input('x', [2, 2, 2]) as Node)),
    "HDL0001: diag('x' (input f32[2, 2, 2]), 0): it takes a vector or a matrix, not 3 dimensions (diagonals of a batch of matrices: diagonal(x))",
  );
  t.equal(
    errorOf(() => eye(-1)),
    'HDL0003: eye(-1, { columns: -1, k: 0 }): sizes are integers of at least 0, and k is an integer (write eye(3) for f32[3, 3])',
  );
  t.equal(
    errorOf(() => outer(input('x', [2, 2]), input('y', [2]))),
    "HDL0001: outer('x' (input f32[2, 2]), 'y' (input f32[2])): it takes two vectors (flatten them first: reshape(x, [-1]))",
  );
}); // biome-ignore format: tables

t.test('axes', async (t) => {
  const x = counting(2, 3, 4);
  t.same(evaluate(swapAxes(x, 0, -1)), evaluate(transpose(x as Node, [2, 1, 0])));
  t.same(evaluate(moveAxis(x, 0, -1)), evaluate(transpose(x as Node, [1, 2, 0])));
  t.same(evaluate(moveAxis(x, [0, 1], [-1, 0])), evaluate(transpose(x as Node, [1, 2, 0])));
  t.equal(swapAxes(x, 1, 1), x, 'nothing to do makes no node');
  t.equal(
    errorOf(() => moveAxis(input('x', [2, 3]), [0, 1], [1, 1])),
    "HDL0003: moveAxis('x' (input f32[2, 3]), [0,1], [1,1]): each axis that moves is named once and has a place of its own (name as many places as axes: moveAxis(x, [0, 1], [-1, -2]))",
  );
  t.same(evaluate(expand(counting(2, 1), [3, -1, 2])), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
  t.equal(
    errorOf(() => expand(input('x', [3]), [-1, 3])),
    "HDL0003: expand('x' (input f32[3]), [-1, 3]): a size of -1 keeps a dimension, and x has none that becomes dimension 0 (dimensions are aligned at the right: write the size of a new one out)",
  );
});

t.test('ranges and grids', async (t) => {
  for (const [start, stop, step] of [[0, 5, 1], [2, 10, 3], [5, 0, -2], [3, 3, 1], [1, 0, 1], [0, 1, 0.25], [-1, 1, 0.5]] as const) {
    const want: number[] = [];
    for (let v = start as number; step > 0 ? v < stop : v > stop; v += step) want.push(v);
    const y = arange(start, stop, step);
    t.same(evaluate(y), want, `arange ${start} ${stop} ${step}`);
    t.equal(y.type.dtype, Number.isInteger(step) ? 'i32' : 'f32');
  }
  t.same(evaluate(arange(3)), [0, 1, 2]);
  for (const count of [0, 1, 2, 5, 7]) {
    const y = evaluate(linspace(-1, 3, count));
    t.ok(near(y, Array.from({ length: count }, (_, i) => -1 + (4 * i) / Math.max(1, count - 1))), `linspace ${count}: ${y}`);
  }
  const odd = evaluate(linspace(0.1, 0.7, 13));
  t.same([odd[0], odd[12]], [0.1, 0.7], 'both ends are exact');
  const [a, b] = meshgrid([floats(1, 2, 3), floats(10, 20)]);
  t.same([a!.type.shape, evaluate(a!), evaluate(b!)], [[2, 3], [1, 2, 3, 1, 2, 3], [10, 10, 10, 20, 20, 20]]);
  const [c, d] = meshgrid([floats(1, 2, 3), floats(10, 20)], { indexing: 'ij' });
  t.same([c!.type.shape, evaluate(c!), evaluate(d!)], [[3, 2], [1, 1, 2, 2, 3, 3], [10, 20, 10, 20, 10, 20]]);
  t.equal(
    errorOf(() => arange(0, 5, 0)),
    'HDL0003: arange(0, 5, 0): start, stop and step are finite, and the step is not 0 (for a number of points between two ends use linspace)',
  );
  t.match(errorOf(() => linspace(0, inf, 3)), /the ends are finite/);
  t.match(errorOf(() => meshgrid([input('x', [2, 2]) as Node])), /HDL0001: .*it takes vectors/);
}); // biome-ignore format: tables

t.test('norms, directions, distances', async (t) => {
  const v = [3, -4, 0, 1];
  const x = floats(...v);
  for (const p of [1, 1.5, 2, 3, 7]) {
    const want = v.reduce((s, e) => s + Math.abs(e) ** p, 0) ** (1 / p);
    t.ok(near(evaluate(norm(x, 0, { p })), [want]), `p = ${p}`);
  }
  t.same([inf, -inf, 0].map((p) => evaluate(norm(x, 0, { p }))[0]), [4, 0, 3]);
  t.same(norm(input('x', [2, 3]), -1, { keepDims: true }).type.shape, [2, 1]);
  for (const p of [1, 2, 3]) {
    const at = input('v', [3]);
    t.same(evaluate(grad(norm(at, 0, { p }) as Node, [at])[0]!, { v: [0, 0, 0] }), [0, 0, 0], `gradient of ${p} at 0`);
  }
  t.ok(near(evaluate(norm(floats(3e30, 4e30), 0, { p: 3 })), [91 ** (1 / 3) * 1e30], 1e20), 'large');
  t.ok(near(evaluate(normalize(floats(3, 4))), [0.6, 0.8]));
  t.same(evaluate(normalize(floats(0, 0))), [0, 0]);
  t.ok(near(evaluate(cosineSimilarity(floats(1, 2), floats(3, -1))), [1 / Math.sqrt(50)], 1e-12));
  t.same(evaluate(cosineSimilarity(floats(0, 0), floats(3, -1))), [0]);
  t.ok(near(evaluate(pairwiseDistance(floats(1, 2), floats(4, 6))), [5]));
  const [rows, centres] = [counting(3, 2), counting(2, 2)].map((n) => sum(reshape(n, [...n.type.shape, 1]) as Node, -1));
  const at = (k: number): number[] => [2 * k, 2 * k + 1];
  const want = [0, 1, 2].flatMap((i) => [0, 1].map((j) => Math.hypot(at(i)[0]! - at(j)[0]!, at(i)[1]! - at(j)[1]!)));
  const asFloats = (n: Node): Floats => reshape(floats(...evaluate(n)), n.type.shape) as Node as Floats;
  t.ok(near(evaluate(cdist(asFloats(rows!), asFloats(centres!))), want));
  t.same(evaluate(cross(floats(1, 2, 3), floats(-2, 5, 4))), [2 * 4 - 3 * 5, 3 * -2 - 1 * 4, 1 * 5 - 2 * -2]);
  t.match(errorOf(() => cross(floats(1, 2), floats(1, 2))), /HDL0001: .*three elements along the axis/);
  t.match(errorOf(() => cdist(input('x', [3, 2]), input('y', [3, 4]) as Node)), /HDL0001: .*rows of vectors/);
  t.match(errorOf(() => norm(input('x', [2]), 0, { p: 0.5 })), /HDL0003: .*p is a number of at least 1/);
}); // biome-ignore format: tables

t.test('counting and closeness', async (t) => {
  t.same(evaluate(countNonZero(floats(0, -0, 1, nan, inf))), [3]);
  t.same(evaluate(countNonZero(counting(2, 3), 1)), [2, 3]);
  t.same(evaluate(countNonZero(eye(3, { dtype: 'bool' }))), [3]);
  const [x, y] = [floats(1, 1, inf, inf, nan, 1, 0), floats(1.000009, 1.0001, inf, -inf, nan, inf, 1e-9)];
  t.same(evaluate(isClose(x, y)), [1, 0, 1, 0, 0, 0, 1]);
  t.same(evaluate(isClose(x, y, { equalNaN: true, relative: 1e-3 })), [1, 1, 1, 0, 1, 0, 1]);
  t.same([evaluate(allClose(x, y)), evaluate(allClose(floats(1, 2), floats(1, 2)))], [[0], [1]]);
});

t.test('floorDiv belongs to floorMod', async (t) => {
  const pairs = [[7, 2], [-7, 2], [7, -2], [-7, -2], [1, 0.25], [6, 3], [0, 5], [-1, 3]] as const; // biome-ignore format: short
  const [x, y] = [floats(...pairs.map((p) => p[0])), floats(...pairs.map((p) => p[1]))];
  const [q, r] = [evaluate(floorDiv(x, y)), evaluate(floorMod(x, y))];
  t.same(q, [3, -4, -4, 3, 4, 2, 0, -1]);
  pairs.forEach(([a, b], i) => {
    t.ok(Math.abs(q[i]! * b + r[i]! - a) < 1e-12, `${a} = ${q[i]} · ${b} + ${r[i]}`);
  });
  t.same(evaluate(floorDiv(floats(1, -1, 0), floats(0, 0, 0))), [inf, -inf, nan]);
  t.same(evaluate(floorDiv(constant([-7, 7, 5], [3], 'i32'), constant([2, -2, 0], [3], 'i32'))), [-4, -4, 0]);
});

t.test('hypot, lerp, diff', async (t) => {
  const close = (a: number, b: number): boolean => a === b || Math.abs(a - b) < 1e-12 * Math.abs(b);
  for (const [a, b] of [[3, 4], [-3e30, 4e30], [3e-30, 4e-30], [0, 0], [0, 2], [inf, 1]] as const) {
    t.ok(close(evaluate(hypot(floats(a), floats(b)))[0]!, Math.hypot(a, b)), `hypot(${a}, ${b})`);
  }
  const [x, y] = [input('x', [1]), input('y', [1])];
  const gradients = grad(sum(hypot(x, y)) as Node, [x, y]);
  t.same(gradients.map((g) => evaluate(g, { x: [0], y: [0] })), [[0], [0]]);
  t.same(evaluate(lerp(floats(0.1, 5), floats(0.7, -3), floats(1, 0))), [0.7, 5], 'both ends are exact');
  t.same([0, 0.25, 1].map((s) => evaluate(lerp(floats(2), floats(6), s))[0]), [2, 3, 6]);
  t.same(evaluate(diff(floats(1, 4, 9, 16))), [3, 5, 7]);
  t.same(evaluate(diff(floats(1, 4, 9, 16), 0, 2)), [2, 2]);
  t.same(evaluate(diff(floats(1), 0, 3)), []);
  t.match(errorOf(() => diff(input('x', [3]), 0, -1)), /HDL0003: .*n is an integer of at least 0/);
}); // biome-ignore format: tables

t.test('logit, glu, nanToNum', async (t) => {
  t.ok(near(evaluate(sigmoid(logit(floats(1e-6, 0.25, 0.5, 0.999)))), [1e-6, 0.25, 0.5, 0.999], 1e-15), 'logit undoes sigmoid');
  t.same(evaluate(logit(floats(0, 1, -0.1, 1.1))), [-inf, inf, nan, nan]);
  const gated = glu(constant([[1, 2, 0, 1e3], [3, 4, -1e3, 0]]) as Floats);
  t.ok(near(evaluate(gated), [0.5, 2, 0, 2]), 'the first half, as far as the second lets it');
  t.ok(near(evaluate(glu(floats(3, 0), 0)), [1.5]));
  t.match(errorOf(() => glu(input('x', [3]) as Floats)), /HDL0001: glu.*dimension 0 of size 3 has no two halves/);
  t.same(evaluate(nanToNum(floats(nan, inf, -inf, 2))), [0, 3.4028234663852886e38, -3.4028234663852886e38, 2]);
  t.same(evaluate(nanToNum(floats(nan, inf, -inf, 2), { nan: 1, positive: 7, negative: -7 })), [1, 7, -7, 2]);
  const x = input('x', [4]);
  const [g] = grad(sum(nanToNum(x)) as Node, [x]);
  t.same(evaluate(g!, { x: [nan, inf, -inf, 2] }), [0, 0, 0, 1]);
}); // biome-ignore format: tables

t.test('logAddExp', async (t) => {
  const plain = (a: number, b: number): number => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
  for (const [a, b] of [[0, 0], [3, -1], [-1, 3], [1e4, 1e4 - 1], [-1e8, 0.125], [0.125, -1e8]] as const) {
    const got = evaluate(logAddExp(floats(a), floats(b)))[0]!;
    t.ok(Math.abs(got - plain(a, b)) <= 1e-15 * Math.abs(plain(a, b)), `logAddExp(${a}, ${b}) = ${got}`);
  }
  for (const [a, b, want] of [[-inf, -inf, -inf], [-inf, 2, 2], [inf, 2, inf], [inf, -inf, inf], [inf, inf, inf], [nan, 1, nan], [1, nan, nan]] as const) {
    t.same(evaluate(logAddExp(floats(a), floats(b))), [want], `logAddExp(${a}, ${b})`);
  }
  const [x, y] = [input('x', [1]), input('y', [1])];
  const first = grad(sum(logAddExp(x, y)) as Node, [x, y]);
  const second = grad(sum(first[0]! as Floats) as Node, [x, y]);
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  for (const [a, b] of [[0, 0], [2, -1], [-1, 2], [500, -500]] as const) {
    const [s, at] = [sigmoid(a - b), { x: [a], y: [b] }];
    t.ok(near(first.flatMap((g) => evaluate(g, at)), [s, 1 - s]), `gradients at (${a}, ${b}): shares of the sum`);
    t.ok(near(second.flatMap((g) => evaluate(g, at)), [s * (1 - s), -s * (1 - s)]), 'and theirs');
  }
  t.same(first.flatMap((g) => evaluate(g, { x: [-inf], y: [1] })), [0, 1], 'nothing goes to a probability of 0');
}); // biome-ignore format: tables

t.test('medians and quantiles', async (t) => {
  const data = [5, 1, 4, 2, 9, 7, 3];
  for (const n of [1, 2, 3, 6, 7]) {
    const v = data.slice(0, n);
    const s = [...v].sort((a, b) => a - b);
    for (const q of [0, 0.1, 0.5, 0.77, 1]) {
      const place = q * (n - 1);
      const [lo, hi] = [Math.floor(place), Math.ceil(place)];
      const want = s[lo]! + (place - lo) * (s[hi]! - s[lo]!);
      t.ok(near(evaluate(quantile(floats(...v), q)), [want]), `${q} of ${n}`);
    }
  }
  t.same(evaluate(median(floats(4, 1, 3, 2))), [2.5]);
  t.same(evaluate(median(floats(4, nan, 3, 2))), [nan]);
  t.same(median(input('x', [2, 3, 5]), 1, { keepDims: true }).type.shape, [2, 1, 5]);
  t.same(median(input('x', [2, 3]), undefined, { keepDims: true }).type.shape, [1, 1]);
  const x = input('x', [4]);
  t.same(evaluate(grad(median(x), [x])[0]!, { x: [4, 1, 3, 2] }), [0, 0, 0.5, 0.5]);
  t.match(
    errorOf(() => quantile(x, 1.5)),
    /HDL0003: .*a share in \[0, 1\]/,
  );
  t.match(
    errorOf(() => median(input('x', [0, 3]), 0)),
    /HDL0001: .*no elements have no quantile/,
  );
});

t.test('masks', async (t) => {
  t.same(evaluate(causalMask(3)), [1, 0, 0, 1, 1, 0, 1, 1, 1]);
  t.same(evaluate(causalMask(2, 4)), [1, 1, 1, 0, 1, 1, 1, 1], 'the last query sees the last key');
  t.same(evaluate(sequenceMask(constant([0, 2, 5], [3], 'i32'), 3)), [0, 0, 0, 1, 1, 0, 1, 1, 1]);
  t.match(
    errorOf(() => sequenceMask(input('n', [2]), 3)),
    /HDL0002: .*lengths are i32, not f32/,
  );
  t.match(
    errorOf(() => causalMask(2.5)),
    /HDL0003: .*a size is an integer/,
  );
});
