// Losses of sequences, pairs and distributions: properties that no table of values shows, and the texts of errors. Values and
// gradients are held in test/golden/pytorch.test.ts.

import t from 'tap';
import {
  constant, entry, grad, input, losses, Model, nn, optimizers, program, sum, type Tensor, tensor,
} from '../../src/index.ts'; // biome-ignore format: a list
import { errorOf } from '../support/error-of.ts';

type Rows = readonly (readonly number[])[];

/** The value and the gradient to the first input. */
async function both(build: (x: Tensor) => Tensor, x: number[], shape: number[]): Promise<[number[], number[]]> {
  const p = program(
    {
      run: entry({ x: tensor(shape) }, ({ x }): Record<string, Tensor> => {
        const value = build(x);
        return { value, gradient: grad(sum(value as never) as never, [x])[0]! };
      }),
    },
    { target: 'reference' },
  );
  const { value, gradient } = (await p.run('run', { x: { data: x, shape } })) as Record<string, { data: ArrayLike<number> }>;
  return [Array.from(value!.data), Array.from(gradient!.data)];
} // biome-ignore format: a long line

/** −ln of the probability of the labels, by going through all paths of the frames. */
function byPaths(logits: Rows, labels: readonly number[], blank: number): number {
  const rows = logits.map((z) => {
    const total = z.reduce((s, v) => s + Math.exp(v), 0);
    return z.map((v) => Math.exp(v) / total);
  });
  const k = logits[0]!.length;
  let sumOfPaths = 0;
  for (let code = 0; code < k ** logits.length; code++) {
    const path = logits.map((_, i) => Math.floor(code / k ** i) % k);
    const read = path.filter((c, i) => c !== blank && c !== path[i - 1]);
    if (read.join() === labels.join()) sumOfPaths += path.reduce((p, c, i) => p * rows[i]![c]!, 1);
  }
  return -Math.log(sumOfPaths);
}

t.test('ctc is the sum over all paths', async (t) => {
  const frames = 5;
  const logits = Array.from({ length: frames }, (_, i) => [0, 1, 2].map((c) => Math.sin(3 * i + c * c) * 2));
  for (const blank of [0, 2]) {
    const [a, b] = [0, 1, 2].filter((c) => c !== blank) as [number, number];
    for (const labels of [[], [a], [a, b], [a, a], [b, a, b], [a, a, b], [a, b, a, b, a], [a, a, a]]) {
      const row = [...labels, ...Array<number>(6 - labels.length).fill(blank)];
      const [value] = await both(
        (x) => losses.ctc(x, constant(row, [1, 6], 'i32'), { blank }),
        logits.flat(),
        [1, frames, 3],
      );
      const want = byPaths(logits, labels, blank);
      t.ok(Math.abs(value[0]! - want) < 1e-5, `[${labels}] with blank ${blank}: ${value}, by paths ${want}`);
    }
  }
});

t.test('ctc: labels that do not fit, frames that do not count, extreme logits', async (t) => {
  const x = [3, -1, 0, 2, 2, -2, 0, 1, 5];
  const labels = constant([1, 1, 1], [1, 3], 'i32');
  const [value, gradient] = await both((v) => losses.ctc(v, labels), x, [1, 3, 3]);
  t.same(value, [Number.POSITIVE_INFINITY], 'three of a kind need five frames');
  t.ok(gradient.every(Number.isFinite), `${gradient}`);
  const spared = await both((v) => losses.ctc(v, labels, { zeroInfinity: true }), x, [1, 3, 3]);
  t.same(spared, [[0], Array<number>(9).fill(0)]);
  const two = constant([2], [1], 'i32');
  const one = constant([1, 0], [1, 2], 'i32');
  const [short, slope] = await both((v) => losses.ctc(v, one, { frames: two }), x, [1, 3, 3]);
  const [alone] = await both((v) => losses.ctc(v, one), x.slice(0, 6), [1, 2, 3]);
  t.same(short, alone, 'frames behind the last are not read');
  t.same(slope.slice(6), [0, 0, 0]);
  const far = await both((v) => losses.ctc(v, one), [1e4, -1e4, 0, 0, 1e4, 0, 3e4, 0, 0], [1, 3, 3]);
  t.ok(far[0][0]! < 1e-6 && far[1].every(Number.isFinite), 'large logits');
  const [none] = await both((v) => losses.ctc(v, constant([], [2, 0], 'i32'), { reduction: 'none' }), [1, 2, 3, 4], [2, 1, 2]);
  t.ok(none.every((v) => Math.abs(v - Math.log(1 + Math.E)) < 1e-6), `no labels at all: ${none}`);
}); // biome-ignore format: long lines

t.test('ctc trains a net to say where marks stand', async (t) => {
  // Four classes of frames; the labels are those of the frames that are not blank, repetitions taken as one.
  const model = new Model({ input: [6, 4] }).add(nn.dense(4));
  const onehot = (c: number): number[] => [0, 1, 2, 3].map((k) => (k === c ? 1 : 0));
  const rows = [[1, 1, 0, 2, 0, 0], [3, 0, 3, 0, 1, 2], [0, 2, 2, 0, 1, 1], [0, 0, 3, 2, 0, 1]];
  const marks = [[1, 2, 0, 0], [3, 3, 1, 2], [2, 1, 0, 0], [3, 2, 1, 0]];
  model.compile({ y: tensor([4], 'i32'), loss: losses.ctc, optimizer: optimizers.adam({ learningRate: 0.1 }), threads: 1 });
  const { loss } = await model.fit({ x: rows.map((r) => r.map(onehot)), y: marks }, { epochs: 60, batchSize: 4, verbose: false });
  t.ok(loss!.at(-1)! < 0.1 * loss![0]!, `${loss![0]} to ${loss!.at(-1)}`);
  await model.dispose();
}); // biome-ignore format: tables

t.test('what other losses do at their edges', async (t) => {
  const [a, b] = [constant([2, 1, 1]), constant([1, 2, 1])];
  const sign = constant([1, 1, -1]);
  const ranked = await both((x) => losses.marginRanking(x, b, sign, { reduction: 'none' }), [2, 1, 1], [3]);
  t.same(ranked, [[0, 1, 0], [0, -1, 0]], 'no gradient at the kink');
  t.same(a.type.shape, [3]);
  const zero = await both((x) => losses.cosineEmbedding(x, constant([[1, 1]]), constant([1])), [0, 0], [1, 2]);
  t.same(zero[0], [1]);
  t.ok(zero[1].every(Number.isFinite), 'a vector of zeros');
  const sure = await both((v) => losses.gaussianNegativeLogLikelihood(constant([1]), constant([1]), v), [0], [1]);
  t.ok(Math.abs(sure[0][0]! - Math.log(1e-6) / 2) < 1e-5 && sure[1][0] === 0, 'a variance of 0 counts as epsilon');
  const big = await both((x) => losses.logCosh(x, constant([0, 0])), [3e4, -3e4], [2]);
  t.same(big.map((v) => v.map(Math.round)), [[29999], [1, -1].map((v) => Math.round(v / 2))]);
  const share = await both((x) => losses.meanAbsolutePercentageError(x, constant([0, 2])), [0, 3], [2]);
  t.same(share[0], [25], 'a target of 0 that is met has no error');
}); // biome-ignore format: long lines

t.test('errors say what to do', async (t) => {
  const x = input('x', [2, 5, 4]);
  const y = input('y', [2, 3], 'i32');
  t.equal(
    errorOf(() => losses.ctc(x, input('z', [2, 3]))),
    "HDL0002: ctc('x' (input f32[2, 5, 4]), 'z' (input f32[2, 3])): labels are i32, not f32 (declare them as tensor(['batch', S], 'i32'))",
  );
  t.equal(
    errorOf(() => losses.ctc(input('x', [2, 4]), y)),
    "HDL0001: ctc('x' (input f32[2, 4]), 'y' (input i32[2, 3])): logits are [examples, frames, classes] (of [frames, examples, classes]: transpose(x, [1, 0, 2]))",
  );
  t.equal(
    errorOf(() => losses.ctc(x, input('y', [3, 3], 'i32'))),
    "HDL0001: ctc('x' (input f32[2, 5, 4]), 'y' (input i32[3, 3])): labels are [2, most labels], not [3, 3] (fill up shorter lists with the blank)",
  );
  t.match(errorOf(() => losses.ctc(x, y, { blank: 4 })), /HDL0003: .*blank is a class, an integer in \[0, 4\)/);
  t.match(errorOf(() => losses.ctc(x, y, { frames: input('n', [2]) })), /HDL0002: .*frames are i32, not f32/);
  t.match(
    errorOf(() => losses.ctc(x, y, { lengths: input('n', [3], 'i32') })),
    /HDL0001: .*lengths are \[2\], one for each example, not \[3\]/,
  );
  t.equal(
    errorOf(() => losses.marginRanking(input('a', [3]), input('b', [3]), input('t', [3]), { margin: -1 })),
    'HDL0003: marginRanking with margin: -1: margin is a number of at least 0 (choose margin of at least 0)',
  );
  t.equal(
    errorOf(() => losses.cosineEmbedding(input('a', [3, 2]), input('b', [3, 2]), input('t', [3, 1]))),
    "HDL0001: cosineEmbedding('a' (input f32[3, 2]), 'b' (input f32[3, 2]), 't' (input f32[3, 1])): targets are [3], one for each pair, not [3, 1] (check their shape)",
  );
  t.match(
    errorOf(() => losses.cosineEmbedding(input('a', [3, 2]), input('b', [3, 2]), input('t', [3]), { margin: 2 })),
    /HDL0003: .*margin is a cosine, in \[−1, 1\]/,
  );
  t.match(
    errorOf(() => losses.gaussianNegativeLogLikelihood(input('a', [3]), input('b', [3]), input('v', [3, 1]))),
    /HDL0001: gaussianNegativeLogLikelihood.*prediction and target have one shape/,
  );
}); // biome-ignore format: long lines

t.test('a label out of range fails the run by name', async (t) => {
  const run = both((x) => losses.ctc(x, constant([7, 0], [1, 2], 'i32')), [1, 2, 3, 4], [1, 2, 2]);
  await t.rejects(run, { code: 'HDL1004', message: /ctc labels: index 7/ });
  const more = both((x) => losses.ctc(x, constant([1, 0], [1, 2], 'i32'), { frames: constant([3], [1], 'i32') }), [1, 2, 3, 4], [1, 2, 2]);
  await t.rejects(more, { code: 'HDL1004', message: /ctc frames: index 3/ });
}); // biome-ignore format: long lines
