// Losses and metrics against their formulas.

import t from 'tap';
import {
  cast,
  constant,
  entry,
  type Floats,
  grad,
  input,
  logSoftmax,
  losses,
  metrics,
  program,
  reshape,
  type Tensor,
  tensor,
} from '../../src/index.ts';

async function compute(
  build: (p: Tensor, y: Tensor) => Tensor,
  p: readonly (readonly number[])[],
  y: readonly number[],
  dtype: 'f32' | 'i32',
): Promise<{ value: number[]; gradient: number[] }> {
  const isClasses = dtype === 'i32';
  const target = isClasses ? tensor(['n'], 'i32') : tensor(['n', p[0]!.length]);
  const program1 = program(
    {
      run: entry({ p: tensor(['n', p[0]!.length]), y: target }, ({ p, y }) => {
        const value = build(p, y);
        const isScalar = value.type.shape.length === 0 && value.type.dtype === 'f32';
        return {
          value: cast(value, 'f32'),
          ...(isScalar ? { gradient: grad(value, [p])[0]! } : {}),
        } as Record<string, Tensor>;
      }),
    },
    { target: 'reference' },
  );
  const result = (await program1.run('run', {
    p,
    y: { data: y, shape: isClasses ? [p.length] : [p.length, p[0]!.length] },
  })) as Record<string, { data: ArrayLike<number> }>;
  return { value: Array.from(result['value']!.data), gradient: Array.from(result['gradient']?.data ?? []) };
}

const near = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => Math.abs(v - b[i]!) < 1e-5);

t.test('softmaxCrossEntropy', async (t) => {
  const logits = [
    [1, 2, 3],
    [0, -1, 5],
  ];
  const labels = [2, 0];
  const rows = logits.map((z, i) => Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - z[labels[i]!]!);
  const mean = await compute(losses.softmaxCrossEntropy, logits, labels, 'i32');
  t.ok(near(mean.value, [(rows[0]! + rows[1]!) / 2]), `mean ${mean.value}`);
  const wanted = logits.flatMap((z, i) => {
    const s = z.reduce((a, v) => a + Math.exp(v), 0);
    return z.map((v, c) => (Math.exp(v) / s - (c === labels[i] ? 1 : 0)) / 2);
  });
  t.ok(near(mean.gradient, wanted), 'gradient is (softmax − one-hot) / N');
  t.ok(
    near(
      (await compute((p, y) => losses.softmaxCrossEntropy(p, y, { reduction: 'sum' }), logits, labels, 'i32'))
        .value,
      [rows[0]! + rows[1]!],
    ),
  );
  t.ok(
    near(
      (
        await compute(
          (p, y) => losses.softmaxCrossEntropy(p, y, { reduction: 'none' }),
          logits,
          labels,
          'i32',
        )
      ).value,
      rows,
    ),
  );
  const large = await compute(losses.softmaxCrossEntropy, [[1000, 0]], [1], 'i32');
  t.same(large.value, [1000], 'stable for large logits');
});

t.test('meanSquaredError', async (t) => {
  const result = await compute(losses.meanSquaredError, [[1], [2], [4]], [0, 2, 1], 'f32');
  t.ok(near(result.value, [(1 + 0 + 9) / 3]));
  t.ok(near(result.gradient, [2 / 3, 0, 6 / 3]));
});

const rowsOf = (
  z: readonly (readonly number[])[],
  of: (row: readonly number[], i: number) => number,
): number[] => z.map(of);
const logSum = (z: readonly number[]): number => Math.log(z.reduce((s, v) => s + Math.exp(v), 0));

t.test('softmaxCrossEntropy with smoothed and with ignored labels', async (t) => {
  const logits = [
    [1, 2, 3],
    [0, -1, 5],
    [2, 2, 0],
  ];
  const labels = [2, -1, 0];
  const e = 0.2;
  const smooth = rowsOf(logits, (z, i) => {
    const log = z.map((v) => v - logSum(z));
    return -log.reduce((s, v, k) => s + v * ((k === labels[i] ? 1 - e : 0) + e / 3), 0);
  });
  const options = { labelSmoothing: e, ignoreIndex: -1 };
  const mean = await compute((p, y) => losses.softmaxCrossEntropy(p, y, options), logits, labels, 'i32');
  t.ok(near(mean.value, [(smooth[0]! + smooth[2]!) / 2]), 'the mean is over labels that count');
  t.same(mean.gradient.slice(3, 6), [0, 0, 0], 'an ignored row has no gradient');
  const none = await compute(
    (p, y) => losses.softmaxCrossEntropy(p, y, { ...options, reduction: 'none' }),
    logits,
    labels,
    'i32',
  );
  t.ok(near(none.value, [smooth[0]!, 0, smooth[2]!]));
  const all = await compute((p, y) => losses.softmaxCrossEntropy(p, y, options), logits, [-1, -1, -1], 'i32');
  t.same(all.value, [0], 'of no labels');
  await t.rejects(
    compute(losses.softmaxCrossEntropy, logits, labels, 'i32'),
    /softmaxCrossEntropy labels: index -1/,
  );
});

t.test('negativeLogLikelihood and softCrossEntropy are parts of softmaxCrossEntropy', async (t) => {
  const logits = [
    [1, 2, 3],
    [0, -1, 5],
  ];
  const whole = await compute(losses.softmaxCrossEntropy, logits, [2, 0], 'i32');
  const likely = await compute(
    (p, y) => losses.negativeLogLikelihood(logSoftmax(p as Floats, 1), y),
    logits,
    [2, 0],
    'i32',
  );
  t.ok(near(likely.value, whole.value));
  t.ok(near(likely.gradient, whole.gradient));
  const soft = await compute(losses.softCrossEntropy, logits, [0, 0, 1, 1, 0, 0], 'f32');
  t.ok(near(soft.value, whole.value));
  t.ok(near(soft.gradient, whole.gradient));
});

t.test('binaryCrossEntropy', async (t) => {
  const x = [-2, 0.5, 3, -100, 100];
  const y = [0, 1, 0.25, 1, 1];
  const w = 3;
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  const value = x.map(
    (v, i) => w * y[i]! * Math.log1p(Math.exp(-v)) + (1 - y[i]!) * (v + Math.log1p(Math.exp(-v))),
  );
  const got = await compute(
    (p, t) => losses.binaryCrossEntropy(p, t, { positiveWeight: w, reduction: 'sum' }),
    x.map((v) => [v]),
    y,
    'f32',
  );
  t.ok(Math.abs(got.value[0]! - value.reduce((a, b) => a + b, 0)) < 1e-3, `${got.value}`);
  const gradient = x.map((v, i) => w * y[i]! * (sigmoid(v) - 1) + (1 - y[i]!) * sigmoid(v));
  t.ok(near(got.gradient, gradient), `${got.gradient}`);
  const plain = await compute(losses.binaryCrossEntropy, [[0], [0]], [0, 1], 'f32');
  t.ok(near(plain.value, [Math.LN2]));
});

t.test('losses of distances', async (t) => {
  const p = [[0.5], [-3], [1]];
  const y = [0, 1, 1];
  const value = async (f: (p: Tensor, y: Tensor) => Tensor): Promise<number[]> =>
    (await compute(f, p, y, 'f32')).value;
  t.ok(near(await value(losses.meanAbsoluteError), [4.5 / 3]));
  t.ok(near(await value((p, y) => losses.huber(p, y, { delta: 2, reduction: 'none' })), [0.125, 6, 0]));
  t.ok(near(await value((p, y) => losses.smoothL1(p, y, { beta: 2, reduction: 'none' })), [0.0625, 3, 0]));
  t.ok(near(await value((p, y) => losses.hinge(p, y, { reduction: 'none' })), [1, 4, 0]));
  const { gradient } = await compute(losses.huber, p, y, 'f32');
  t.ok(near(gradient, [0.5 / 3, -1 / 3, 0]));
  t.throws(() => losses.huber({} as Tensor, {} as Tensor, { delta: 0 }), /delta is a number above 0/);
});

t.test('klDivergence: a target of 0 adds nothing', async (t) => {
  const q = [0.5, 0.5, 0, 0, 0.25, 0.75];
  const p = [
    [-1, -2, -3],
    [-0.5, -1, -2],
  ];
  const want = p.flat().reduce((s, v, i) => s + (q[i]! === 0 ? 0 : q[i]! * (Math.log(q[i]!) - v)), 0) / 2;
  const got = await compute(losses.klDivergence, p, q, 'f32');
  t.ok(near(got.value, [want]), `${got.value} for ${want}`);
  t.ok(
    near(
      got.gradient,
      q.map((v) => -v / 2),
    ),
  );
});

t.test('accuracy counts the first largest', async (t) => {
  const logits = [
    [1, 3, 2],
    [5, 5, 0],
    [0, 0, 0],
    [0, 1, 9],
  ];
  t.same((await compute(metrics.countCorrect, logits, [1, 1, 0, 2], 'i32')).value, [3]);
  t.equal(metrics.accuracy().result({ correct: Float64Array.of(3) }, 4), 0.75);
});

t.test('sample weights: for each value or each example, and the mean divides by the number', async (t) => {
  const p = [
    [1, 3],
    [5, 7],
  ];
  const weighted = (shape: readonly number[], weights: readonly number[]) =>
    compute(
      (p, y) =>
        losses.meanSquaredError(p, y, {
          sampleWeight: reshape(constant([...weights]), [...shape]) as Tensor,
        }),
      p,
      [0, 0, 0, 0],
      'f32',
    );
  t.ok(near((await weighted([2], [1, 0.5])).value, [(1 + 9 + 0.5 * (25 + 49)) / 4]));
  t.ok(near((await weighted([2, 2], [0, 1, 0, 2])).value, [(9 + 2 * 49) / 4]));
  await t.rejects(weighted([2, 1], [1, 1]), {
    code: 'HDL0001',
    message: /weights have shape \[2\], one for each example/,
  });
  const byClass = await compute(
    (p, y) =>
      losses.softmaxCrossEntropy(p, y, { sampleWeight: constant([2, 0]) as Tensor, classWeights: [1, 3] }),
    [
      [0, 0],
      [0, 0],
    ],
    [1, 0],
    'i32',
  );
  t.ok(near(byClass.value, [(2 * 3 * Math.LN2) / 4]), 'classes are averaged by their weights');
});

t.test('probabilities of 0 and 1 have a finite loss and gradient', async (t) => {
  const bce = losses.withOptions(losses.binaryCrossEntropy, { fromLogits: false });
  const wrong = await compute(bce, [[0], [1], [0], [1]], [1, 0, 0, 1], 'f32');
  t.ok(near(wrong.value, [50]), 'two of four are as wrong as can be: 100');
  t.ok(wrong.gradient.every(Number.isFinite), `${wrong.gradient}`);
  t.equal(bce.logits, undefined, 'it takes no logits any more');
  const still = await compute(bce, [[Number.NaN]], [1], 'f32');
  t.ok(Number.isNaN(still.value[0]), 'NaN stays');
});

t.test('squaredHinge; vectors of zeros have a finite cosine', async (t) => {
  const squared = await compute(
    (p, y) => losses.squaredHinge(p, y, { reduction: 'none' }),
    [[0.5], [-3], [1]],
    [1, 1, 1],
    'f32',
  );
  t.ok(near(squared.value, [0.25, 16, 0]));
  const zero = await compute(losses.cosineDistance, [[0, 0]], [1, 1], 'f32');
  t.ok(near(zero.value, [1]) && zero.gradient.every(Number.isFinite), `${zero.gradient}`);
});

t.test('withOptions keeps what a loss says of its targets', async (t) => {
  const smooth = losses.withOptions(losses.softmaxCrossEntropy, { labelSmoothing: 0.1 });
  t.equal(smooth.targets, 'classes');
  t.equal(smooth.logits, 'softmax');
  t.throws(
    () => losses.softmaxCrossEntropy(input('z', [2, 3]), input('y', [2], 'i32'), { classWeights: [1, 2] }),
    {
      code: 'HDL0003',
      message: /one number of at least 0 for each of the 3 classes/,
    },
  );
});
