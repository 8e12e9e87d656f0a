// Functions that people know from NumPy and PyTorch: places that no table of values shows, and the texts of errors. Values and
// gradients are held in test/golden/functions.test.ts, dtypes, axes and empty shapes in public.test.ts.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  affineGrid, average, binCount, channelShuffle, constant, conv2d, convolve, copySign, correlate, correlation, covariance, ctcGreedyDecode, cummax, eye, fold, gridSample,
  hardShrink, hardTanh, heaviside, histogram, input, interp, iota, kron, kthValue, logCumSumExp, matmul, mul, nanMax, nanMean,
  reshape, rot90, scatterMax, searchSorted, sinc, slidingWindows, softmin, softShrink, sum, threshold, trapezoid, unfold, unstack, xlogy,
} from '../../compiler/ops/index.ts'; // biome-ignore format: a list
import { grad } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';

type Floats = Node<Shape, 'f32'>;
const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

const floats = (...v: number[]): Floats => constant(v, [v.length]) as Node as Floats;
const ints = (...v: number[]): Node<Shape, 'i32'> =>
  constant(v, [v.length], 'i32') as Node as Node<Shape, 'i32'>;
const counting = (...shape: number[]): Floats =>
  reshape(iota([shape.reduce((n, d) => n * d, 1)], 0, 'f32') as Node, shape) as Node as Floats;
const near = (got: readonly number[], want: readonly number[], tolerance = 1e-12): boolean =>
  got.length === want.length && got.every((v, i) => Math.abs(v - want[i]!) <= tolerance);
/** The gradient of Σ f(x). */
const slopes = (f: (x: Floats) => Node, at: readonly number[]): number[] => {
  const x = input('x', [at.length]) as Node as Floats;
  const [node] = grad(sum(f(x) as Floats) as Node, [x]);
  const graph = makeGraph('slopes', { inputs: [x], outputs: [{ name: 'g', node: node! }] });
  return [...interpretGraph(graph, { inputs: { x: [...at] } }).outputs['g']!.data];
};

t.test('what unfold lays out is what a convolution multiplies', async (t) => {
  const x = counting(2, 3, 6, 5);
  const w = mul(counting(4, 3, 3, 2), 0.1) as Node as Floats;
  for (const options of [
    {},
    { padding: 1 },
    { strides: [2, 1], dilation: [1, 2] },
    {
      padding: [
        [1, 0],
        [0, 2],
      ],
      strides: 3,
    },
  ] as const) {
    const columns = unfold(x, { kernel: [3, 2], ...(options as object) });
    const y = matmul(reshape(w, [4, 18]) as Floats, columns as Floats);
    const want = conv2d(
      x as Node<readonly [2, 3, 6, 5], 'f32'>,
      w as Node as Node<readonly [4, 3, 3, 2], 'f32'>,
      options as object,
    );
    t.ok(near(evaluate(y), evaluate(want), 1e-9), JSON.stringify(options));
  }
  const patches = unfold(counting(1, 1, 4, 4) as Node, { kernel: 2, strides: 2 });
  t.same(evaluate(patches), [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15], 'windows side by side');
  t.same(
    evaluate(fold(patches, [4, 4], { kernel: 2, strides: 2 })),
    evaluate(counting(1, 1, 4, 4)),
    'and back',
  );
  const line = unfold(reshape(floats(1, nan, 3), [1, 1, 3]) as Node, { kernel: 2 });
  t.same(evaluate(line), [1, nan, nan, 3], 'NaN stays in its place');
});

t.test('sinc, xlogy, copySign, heaviside where formulas break', async (t) => {
  t.same(evaluate(sinc(floats(-3, -2, 1, 8388609))), [0, 0, 0, 0], 'integers');
  const x = input('x', [1]) as Node as Floats;
  const [first] = grad(sum(sinc(x)) as Node, [x]);
  const [second] = grad(sum(first! as Floats) as Node, [x]);
  const at = (v: number): number => evaluate(second!, { x: [v] })[0]!;
  t.ok(Math.abs(at(0) + Math.PI ** 2 / 3) < 1e-12, 'second derivative at 0');
  t.ok(Math.abs(at(0.299999999) - at(0.300000001)) < 1e-6, 'both formulas meet');
  t.same(
    slopes((v) => xlogy(v, 0), [0]),
    [0],
  );
  t.same(
    slopes((v) => xlogy(v, 2), [0]),
    [Math.log(2)],
    'where the logarithm is a number it is the slope',
  );
  t.same(
    slopes((v) => xlogy(0, v), [0, 1]),
    [0, 0],
  );
  const signs = evaluate(copySign(floats(0, 0, nan), floats(-1, -0, -1)));
  t.ok(Object.is(signs[0], -0) && Object.is(signs[1], -0) && Number.isNaN(signs[2]));
  t.same(
    slopes((v) => copySign(v, -1), [2, -2]),
    [-1, 1],
  );
  t.same(
    slopes((v) => heaviside(0, v), [3]),
    [1],
  );
});

t.test('gradients at kinks', async (t) => {
  t.same(slopes((v) => hardTanh(v), [-1, 0, 1, nan]).slice(0, 3), [0, 1, 0]);
  t.same(
    slopes((v) => hardShrink(v), [-0.5, 0, 0.5, 2]),
    [0, 0, 0, 1],
  );
  t.same(
    slopes((v) => softShrink(v), [-0.5, 0, 0.5, 2]),
    [0, 0, 0, 1],
  );
  t.same(
    slopes((v) => threshold(v, 1, 5), [1, 2]),
    [0, 1],
  );
  t.same(
    slopes((v) => cummax(v), [1, 3, 3]),
    [1, 1.5, 0.5],
    'ties of a running maximum share',
  );
  t.same(
    slopes((v) => scatterMax(floats(2, 0), ints(0, 0, 1), v), [2, 2, 1]),
    [0.25, 0.25, 1],
    'x has half of a tie',
  );
  t.same(
    slopes((v) => nanMean(v), [nan, 1, 3]),
    [0, 0.5, 0.5],
  );
  t.same(
    slopes((v) => logCumSumExp(v), [-inf, 0]),
    [1, 1],
    'nothing of a probability of 0 in later sums',
  );
  t.same(
    slopes((v) => interp(v, floats(0, 1, 1, 2), floats(0, 2, 5, 5)), [-1, 0, 0.5, 1, 2, inf]),
    [0, 2, 2, 0, 0, 0],
  );
  const ys = slopes((v) => interp(floats(inf, 0.25, -inf), floats(0, 1), v), [3, 4]);
  t.same(ys, [1.75, 1.25], 'no NaN from infinite places');
});

t.test('NaN, none, and one', async (t) => {
  t.same(
    evaluate(
      nanMax(
        constant([
          [nan, nan],
          [1, nan],
        ]) as Floats,
        1,
      ),
    ),
    [nan, 1],
  );
  t.same(evaluate(average(floats(1, 2), floats(1, -1))), [-inf], 'weights that add up to 0');
  t.same(evaluate(cummax(floats(1, nan, 3), 0, { reverse: true })), [nan, nan, 3]);
  t.same(evaluate(cummax(ints(-5, 2), 0, { exclusive: true })), [-2147483648, -5]);
  t.same(evaluate(trapezoid(reshape(floats(), [2, 0]) as Node as Floats)), [0, 0]);
  t.same(
    evaluate(interp(floats(1, 2), floats(0, 1, 1, 2), floats(0, 2, 5, 5))),
    [5, 5],
    'of points that share a place the last',
  );
  t.same(evaluate(histogram(floats(), 2).edges), [0, 0.5, 1]);
  t.same(unstack(input('x', [0, 3])), []);
  t.same(evaluate(kron(eye(2), floats(5, 7))), [5, 7, 0, 0, 0, 0, 5, 7]);
  t.same(evaluate(softmin(floats(0, 1e30))), [1, 0]);
  t.same(evaluate(rot90(counting(2, 2), 4)), [0, 1, 2, 3]);
  t.same(evaluate(scatterMax(floats(-inf, -inf), ints(), floats())), [-inf, -inf]);
});

t.test('an index out of range is named', async (t) => {
  for (const [name, run] of [
    ['binCount', () => evaluate(binCount(ints(1, 9), 5))],
    ['scatterMax indices', () => evaluate(scatterMax(floats(1, 2), ints(-1), floats(1)))],
  ] as const) {
    t.throws(run, { code: 'HDL1004', message: new RegExp(`${name}: index (9|-1)`) });
  }
});

/** What is refused, and by which text. */
const refusals: readonly (readonly [() => unknown, string | RegExp])[] = [
  [() => hardTanh(input('x', [2]), 1, 1), 'HDL0003: hardTanh(x, 1, 1): lo is below hi (hardTanh(x, -1, 1))'],
  [() => softShrink(input('x', [2]), -1), 'HDL0003: softShrink(x, -1): lambda is a number of at least 0 (softShrink(x, 0.5))'],
  [() => average(input('x', [2, 3]), input('w', [2]), 1), "HDL0001: average('x' (input f32[2, 3]), 'w' (input f32[2]), axes: [1]): weights have the shape of x, [2, 3], or are a vector along the one axis (broadcast them first: broadcastTo(weights, x.type.shape))"],
  [() => trapezoid(input('y', [2, 3]), -1, { x: input('x', [2]) }), "HDL0001: trapezoid('y' (input f32[2, 3]), axis: 1, x: 'x' (input f32[2])): x is a vector of 3, or [2, 3] (say where each element lies)"],
  [() => kthValue(input('x', [2, 3]), 4), "HDL0003: kthValue('x' (input f32[2, 3]), 4, axis: 1): k is an integer in [1, 3]: it counts from 1 (the smallest is k = 1)"],
  [() => searchSorted(input('s', [2, 3]), input('x', [2])), "HDL0001: searchSorted('s' (input f32[2, 3]), 'x' (input f32[2])): searchSorted looks in a vector, not in 2 dimensions (slice one out of it)"],
  [() => searchSorted(input('s', [2]), input('x', [2], 'i32') as Node), /HDL0002: .*dtypes f32 and i32 differ/],
  [() => binCount(input('x', [3], 'i32'), 2.5), "HDL0003: binCount('x' (input i32[3]), 2.5): a number of bins is an integer of at least 0 (write how many there are)"],
  [() => binCount(input('x', [3], 'i32'), 2, input('w', [2])), /HDL0001: .*there is a weight for each number/],
  [() => histogram(input('x', [3]), 2, { range: [1, 1] }), "HDL0003: histogram('x' (input f32[3]), 2, range: [1, 1]): there is a bin, and a range goes from a number to a larger one (range: [0, 1])"],
  [() => interp(input('x', [3]), input('xs', [3]), input('ys', [2])), /HDL0001: .*points have as many x as y, and there is one/],
  [() => rot90(input('x', [2, 3]), 1, [1, -1]), "HDL0003: rot90('x' (input f32[2, 3]), 1, [1, -1]): a turn is a whole number of quarters, and takes two axes (rot90(x, 1, [2, 3]))"],
  [() => convolve(input('x', [2, 3]), input('y', [3])), "HDL0001: convolve('x' (input f32[2, 3]), 'y' (input f32[3]), 'full'): it takes two vectors of at least one element (of batches and channels: conv1d)"],
  [() => correlate(input('x', [3]), input('y', [3]), 'all' as 'full'), /HDL0003: .*the mode is 'full', 'same' or 'valid'/],
  [() => unfold(input('x', [1, 2, 3, 3]), { kernel: 5 }), "HDL0001: unfold('x' (input f32[1, 2, 3, 3]), kernel: 5): the window reaches over 5 elements, but spatial dimension 0 has 3 with its padding (pad more, or use a smaller or less dilated window)"],
  [() => unfold(input('x', [2, 3]), { kernel: 1 }), /HDL0001: .*pictures are \[N, C, sizes…\]/],
  [() => fold(input('x', [1, 8, 5]), [3, 3], { kernel: 2 }), "HDL0001: fold('x' (input f32[1, 8, 5]), [3, 3]): columns are [N, C · 4, 4]: windows of 2 × 2, 2 × 2 of them (give the options that unfold had)"],
  [() => slidingWindows(input('x', [3]), 4), "HDL0001: slidingWindows('x' (input f32[3]), 4, axis: 0, step: 1): no window of 4 fits into dimension 0 of 3 (take a smaller one)"],
  [() => slidingWindows(input('x', [3]), 2, -1, { step: 0 }), /HDL0003: .*sizes and steps are integers of at least 1/],
  [() => channelShuffle(input('x', [1, 6]), 4), "HDL0003: channelShuffle('x' (input f32[1, 6]), 4): 4 groups do not divide 6 channels (take a divisor of the channels)"],
  [() => scatterMax(input('x', [3]), input('i', [2], 'i32'), input('u', [3])), "HDL0001: scatterMax('x' (input f32[3]), 'i' (input i32[2]), 'u' (input f32[3]), axis: 0): updates have shape [2], not [3] (the dimensions of the indices stand in place of the axis)"],
  [() => scatterMax(input('x', [3]), input('i', [2]), input('u', [2])), /HDL0002: .*indices are i32, not f32/],
  [() => gridSample(input('x', [1, 1, 4, 4]), input('g', [2, 3, 3, 2])), "HDL0001: gridSample('x' (input f32[1, 1, 4, 4]), 'g' (input f32[2, 3, 3, 2])): pictures are [N, C, H, W], the grid [N, h, w, 2] for as many; with other sizes alike (one grid for all: broadcastTo(grid, [N, h, w, 2]))"],
  [() => gridSample(input('x', [1, 1, 4, 4]), input('g', [1, 3, 3, 2]), { padding: 'wrap' as 'edge' }), /HDL0003: .*padding 'wrap' does not exist/],
  [() => covariance(input('x', [3])), "HDL0001: covariance('x' (input f32[3])): there is a row for each variable: […, variables, observations] (stack them: stack([x, y]))"],
  [() => covariance(input('x', [3, 1])), /HDL0003: .*1 observations less ddof 1 leave nothing to divide by/],
  [() => ctcGreedyDecode(input('x', [3, 4])), /HDL0001: .*logits are \[examples, frames, classes\]/],
  [() => ctcGreedyDecode(input('x', [2, 3, 4]), { blank: 4 }), /HDL0003: .*the blank is a class in \[0, 4\), not 4/],
  [() => ctcGreedyDecode(input('x', [2, 3, 4]), { frames: input('n', [2]) }), /HDL0002: .*frames are i32\[2\], one number for each example/],
  [() => affineGrid(input('t', [2, 3, 2]), [4, 4]), "HDL0001: affineGrid('t' (input f32[2, 3, 2]), [4, 4]): theta is [N, 2, 3] for 2 sizes (it maps (x, y, 1) to (x, y))"],
]; // biome-ignore format: a table

t.test('errors say what to do', async (t) => {
  for (const [run, text] of refusals) {
    if (typeof text === 'string') t.equal(errorOf(run), text);
    else t.match(errorOf(run), text);
  }
});

t.test('what a path reads', async (t) => {
  const read = (path: readonly number[], blank: number): number[] =>
    path.filter((c, i) => c !== blank && c !== path[i - 1]);
  const paths = [[0, 0, 0, 0, 0, 0], [1, 1, 2, 2, 2, 1], [1, 0, 1, 0, 0, 2], [2, 2, 0, 2, 1, 1], [0, 2, 2, 0, 0, 1]];
  const logits = constant(paths.flatMap((p) => p.flatMap((c) => [0, 1, 2].map((k) => (k === c ? 1 : -k)))), [5, 6, 3]) as Node as Floats;
  for (const blank of [0, 2]) {
    for (const frames of [undefined, [6, 3, 0, 4, 5]]) {
      const { labels, lengths } = ctcGreedyDecode(logits, { blank, ...(frames && { frames: ints(...frames) }) });
      const want = paths.map((p, i) => read(p.slice(0, frames?.[i] ?? 6), blank));
      t.same(evaluate(labels), want.flatMap((l) => [...l, ...new Array<number>(6 - l.length).fill(blank)]));
      t.same(evaluate(lengths), want.map((l) => l.length));
    }
  }
  t.same(evaluate(correlation(constant([[1, 2, 3], [1, 1, 1]]) as Node as Floats)).slice(1), [nan, nan, nan], 'what does not vary');
}); // biome-ignore format: long lines

t.test('a scatter over columns, and rows of them', async (t) => {
  const x = reshape(floats(0, 0, 0, 9, 0, 0), [2, 3]) as Node as Floats;
  const updates = reshape(floats(1, 5, 2, 7, 8, 3), [2, 3]) as Node as Floats;
  t.same(evaluate(scatterMax(x, ints(2, 0, 2), updates, 1)), [5, 0, 2, 9, 0, 7]);
  t.same(evaluate(scatterMax(x, reshape(ints(1, 1), [2]) as Node, updates)), [0, 0, 0, 9, 8, 3]);
});
