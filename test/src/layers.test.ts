// Each layer's formula, computed by hand beside it.

import t, { type Test } from 'tap';
import {
  type Context,
  entry,
  grad,
  initializers,
  nn,
  type Program,
  program,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.ts';

const { constant, fromArray } = initializers;

/** A program that applies a layer in evaluation (`predict`) and training (`train`). */
function programOf(layer: nn.Layer, shape: readonly number[]): Program {
  const inputs = { x: tensor(['batch', ...shape]) };
  const build = ({ x }: { readonly x: Tensor }, ctx: Context): { y: Tensor } => ({ y: layer.apply(x, ctx) });
  return program(
    { predict: entry(inputs, build), train: entry(inputs, build, { training: true }) },
    { target: 'reference', seed: 3 },
  ) as Program;
}

async function output(
  p: Program,
  name: string,
  data: readonly number[],
  shape: readonly number[],
): Promise<number[]> {
  const { y } = await p.run(name, { x: { data, shape } });
  return Array.from(y!.data);
}

function close(t: Test, got: readonly number[], want: readonly number[], tolerance = 1e-5): void {
  t.ok(
    got.length === want.length && got.every((g, i) => Math.abs(g - want[i]!) <= tolerance),
    `${got} is near ${want}`,
  );
}

t.test('dense: x w + b', async (t) => {
  const p = programOf(
    nn.dense(2, { init: fromArray([1, 2, 3, 4, 5, 6]), biasInit: fromArray([10, 20]) }),
    [3],
  );
  close(t, await output(p, 'predict', [1, 0, 2], [1, 3]), [10 + 1 + 10, 20 + 2 + 12]);
  t.same(
    p.variables().map((v) => [v.name, v.shape, v.trainable]),
    [
      ['dense1/w', [3, 2], true],
      ['dense1/b', [2], true],
    ],
  );
});

t.test('conv2d: cross-correlation with padding and stride', async (t) => {
  const p = programOf(
    nn.conv2d(1, 3, {
      padding: 1,
      stride: 2,
      init: fromArray([1, 2, 3, 4, 5, 6, 7, 8, 9]),
      biasInit: constant(1),
    }),
    [1, 3, 3],
  );
  const x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  // Windows at the corners of the padded picture: at (0, 0) the kernel's 5, 6, 8, 9 meet 1, 2, 4, 5.
  const corner = 5 * 1 + 6 * 2 + 8 * 4 + 9 * 5;
  close(
    t,
    await output(p, 'predict', x, [1, 1, 3, 3]),
    [corner, 4 * 2 + 5 * 3 + 7 * 5 + 8 * 6, 2 * 4 + 3 * 5 + 5 * 7 + 6 * 8, 1 * 5 + 2 * 6 + 4 * 8 + 5 * 9].map(
      (v) => v + 1,
    ),
  );
});

t.test('batchNorm: batch statistics in training, running ones in evaluation', async (t) => {
  const p = programOf(
    nn.batchNorm({ momentum: 0.1, epsilon: 1e-5, scaleInit: constant(2), shiftInit: constant(0.5) }),
    [1],
  );
  const x = [1, 2, 3, 6];
  const mean = 3;
  const biased = (4 + 1 + 0 + 9) / 4;
  const normal = (m: number, v: number) => x.map((e) => (2 * (e - m)) / Math.sqrt(v + 1e-5) + 0.5);
  close(t, await output(p, 'predict', x, [4, 1]), normal(0, 1));
  close(t, await output(p, 'train', x, [4, 1]), normal(mean, biased));
  const [runningMean, runningVariance] = [0.1 * mean, 0.9 + 0.1 * biased * (4 / 3)];
  close(t, Array.from(p.get('bn1/mean').data), [runningMean]);
  close(t, Array.from(p.get('bn1/variance').data), [runningVariance]);
  close(t, await output(p, 'predict', x, [4, 1]), normal(runningMean, runningVariance));
  await t.rejects(
    p.run('train', { x: { data: [1], shape: [1, 1] } }),
    { code: 'HDL0015' },
    'one value has no variance',
  );
});

t.test('batchNorm normalizes over all axes but 1', async (t) => {
  const p = programOf(nn.batchNorm(), [2, 1, 2]);
  const y = await output(p, 'train', [0, 2, 5, 5, 2, 4, 5, 9], [2, 2, 1, 2]);
  const channel = (c: number): number[] => [0, 1].flatMap((n) => y.slice(n * 4 + c * 2, n * 4 + c * 2 + 2));
  for (const c of [0, 1]) {
    const values = channel(c);
    close(
      t,
      [values.reduce((a, b) => a + b, 0) / 4, values.reduce((a, b) => a + b * b, 0) / 4],
      [0, 1],
      1e-4,
    );
  }
});

t.test('pooling', async (t) => {
  const x = Array.from({ length: 16 }, (_, i) => i);
  close(t, await output(programOf(nn.maxPool2d(2), [1, 4, 4]), 'predict', x, [1, 1, 4, 4]), [5, 7, 13, 15]);
  close(
    t,
    await output(programOf(nn.avgPool2d(2), [1, 4, 4]), 'predict', x, [1, 1, 4, 4]),
    [2.5, 4.5, 10.5, 12.5],
  );
  close(t, await output(programOf(nn.globalAvgPool(), [2, 2, 4]), 'predict', x, [1, 2, 2, 4]), [3.5, 11.5]);
});

t.test('activations, flatten, identity, lambda', async (t) => {
  const x = [-1, 0, 2];
  close(t, await output(programOf(nn.relu(), [3]), 'predict', x, [1, 3]), [0, 0, 2]);
  close(
    t,
    await output(programOf(nn.sigmoid(), [3]), 'predict', x, [1, 3]),
    x.map((v) => 1 / (1 + Math.exp(-v))),
  );
  close(t, await output(programOf(nn.tanh(), [3]), 'predict', x, [1, 3]), x.map(Math.tanh));
  const exps = x.map(Math.exp);
  const total = exps.reduce((a, b) => a + b);
  close(
    t,
    await output(programOf(nn.softmax(), [3]), 'predict', x, [1, 3]),
    exps.map((e) => e / total),
  );
  close(t, await output(programOf(nn.identity(), [3]), 'predict', x, [1, 3]), x);
  close(
    t,
    await output(
      programOf(
        nn.lambda((v) => sum(v, 1)),
        [3],
      ),
      'predict',
      x,
      [1, 3],
    ),
    [1],
  );
  const flat = await programOf(nn.flatten(), [2, 3]).run('predict', {
    x: { data: [1, 2, 3, 4, 5, 6], shape: [1, 2, 3] },
  });
  t.same(flat['y']!.shape, [1, 6]);
});

t.test('dropout: scaled in training, another mask each run, identity in evaluation', async (t) => {
  const p = programOf(nn.dropout(0.25), [1000]);
  const x = new Array<number>(1000).fill(3);
  const first = await output(p, 'train', x, [1, 1000]);
  const second = await output(p, 'train', x, [1, 1000]);
  t.ok(
    first.every((v) => v === 0 || Math.abs(v - 4) < 1e-5),
    'each is 0 or 3 / 0.75',
  );
  const share = first.filter((v) => v === 0).length / 1000;
  t.ok(Math.abs(share - 0.25) < 0.05, `dropped ${share}`);
  t.notSame(first, second, 'the next run drops others');
  t.same(await output(p, 'predict', x, [1, 1000]), x);
  const again = programOf(nn.dropout(0.25), [1000]);
  t.same(await output(again, 'train', x, [1, 1000]), first, 'same seed, same mask');
});

t.test('residual adds its branches', async (t) => {
  const p = programOf(nn.residual([nn.dense(2, { init: fromArray([0, 1, 1, 0]) }), nn.relu()]), [2]);
  close(t, await output(p, 'predict', [1, -2], [1, 2]), [1 + 0, -2 + 1]);
  t.same(
    p.variables().map((v) => v.name),
    ['residual1/main/dense1/w', 'residual1/main/dense1/b'],
  );
});

t.test('names: by kind and order in a container, by the user’s name, by object when shared', async (t) => {
  const shared = nn.dense(2, { name: 'tied' });
  const net = nn.sequential(
    [nn.dense(2), nn.relu(), nn.dense(2), shared, shared, nn.sequential([nn.dense(2)])],
    { name: 'net' },
  );
  const p = programOf(net, [2]);
  await output(p, 'predict', [1, 2], [1, 2]);
  t.same(
    p
      .variables()
      .filter((v) => v.name.endsWith('/w'))
      .map((v) => v.name),
    ['net/dense1/w', 'net/dense2/w', 'net/tied/w', 'net/block1/dense1/w'],
  );
});

t.test('layers made inside a build function find their variables by place', async (t) => {
  const build = ({ x }: { readonly x: Tensor }, ctx: Context): { y: Tensor } => ({
    y: nn.dense(1).apply(nn.dense(4).apply(x, ctx), ctx),
  });
  const inputs = { x: tensor(['batch', 3]) };
  const p = program({ a: entry(inputs, build), b: entry(inputs, build) }, { target: 'reference' });
  const one = await p.run('a', { x: [[1, 2, 3]] });
  const other = await p.run('b', {
    x: [
      [1, 2, 3],
      [1, 2, 3],
    ],
  });
  t.same([...other.y.data], [one.y.data[0], one.y.data[0]]);
  t.equal(p.variables().length, 4);
});

t.test('gradients flow through layers', async (t) => {
  const layer = nn.sequential([nn.dense(2, { init: fromArray([1, 2, 3, 4]), bias: false }), nn.relu()]);
  const p = program(
    { dx: entry({ x: tensor([1, 2]) }, ({ x }, ctx) => ({ dx: grad(sum(layer.apply(x, ctx)), [x])[0]! })) },
    { target: 'reference' },
  );
  const { dx } = await p.run('dx', { x: [[1, 1]] });
  t.same([...dx.data], [3, 7]);
});

t.test(
  'layerNorm, rmsNorm, groupNorm, instanceNorm: learned scale and shift, the same in training',
  async (t) => {
    const standardized = (v: readonly number[]): number[] => {
      const m = v.reduce((a, b) => a + b, 0) / v.length;
      const s = Math.sqrt(v.reduce((a, b) => a + (b - m) ** 2, 0) / v.length + 1e-5);
      return v.map((x) => (x - m) / s);
    };
    const x = [1, 4, 2, -3, 0, 6, 5, 5];
    const parts = (n: number): number[] =>
      Array.from({ length: x.length / n }, (_, i) => standardized(x.slice(i * n, i * n + n))).flat();
    for (const [layer, n] of [
      [nn.layerNorm(), 2],
      [nn.groupNorm(2), 4],
      [nn.instanceNorm({ affine: false }), 2],
    ] as const) {
      const p = programOf(layer, [4, 2]);
      close(t, await output(p, 'predict', x, [1, 4, 2]), parts(n), 1e-4);
      close(t, await output(p, 'train', x, [1, 4, 2]), parts(n), 1e-4);
    }
    const p = programOf(nn.rmsNorm({ epsilon: 0 }), [2]);
    close(t, await output(p, 'predict', [3, 4], [1, 2]), [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)]);
    t.same(
      p.variables().map((v) => [v.name, v.shape]),
      [['rms1/scale', [2]]],
    );
    await t.rejects(
      output(programOf(nn.groupNorm(3), [4, 2]), 'predict', x, [1, 4, 2]),
      /HDL0015|split into 3 groups/,
    );
  },
);

t.test('convTranspose2d: each pixel puts its filter', async (t) => {
  const p = programOf(
    nn.convTranspose2d(1, 2, { stride: 2, init: fromArray([1, 10, 100, 1000]), biasInit: constant(0.5) }),
    [1, 1, 2],
  );
  close(
    t,
    await output(p, 'predict', [1, 2], [1, 1, 1, 2]),
    [1.5, 10.5, 2.5, 20.5, 100.5, 1000.5, 200.5, 2000.5],
    1e-3,
  );
  t.same(
    p.variables().map((v) => [v.name, v.shape]),
    [
      ['convT1/w', [1, 1, 2, 2]],
      ['convT1/b', [1]],
    ],
  );
});

t.test('embedding: rows of a table', async (t) => {
  const p = program(
    {
      run: entry({ x: tensor(['batch', 2], 'i32') }, ({ x }, ctx) => ({
        y: nn.embedding(3, 2, { init: fromArray([1, 2, 3, 4, 5, 6]) }).apply(x, ctx),
      })),
    },
    { target: 'reference' },
  );
  const { y } = await p.run('run', { x: { data: [2, 0], shape: [1, 2] } });
  close(t, Array.from(y.data), [5, 6, 1, 2]);
  await t.rejects(p.run('run', { x: { data: [3, 0], shape: [1, 2] } }), { code: 'HDL1004' });
});

t.test('recurrent layers: shapes and variables', async (t) => {
  const p = programOf(nn.lstm(4, { layers: 2, bidirectional: true }), [5, 3]);
  const x = Array.from({ length: 30 }, (_, i) => Math.sin(i));
  t.equal((await output(p, 'predict', x, [2, 5, 3])).length, 2 * 5 * 8);
  t.same(
    p
      .variables()
      .map((v) => `${v.name} ${v.shape}`)
      .sort(),
    [1, 2].flatMap((l) =>
      ['backward', 'forward'].flatMap((direction) =>
        ['bias 16', `kernel ${l === 1 ? 3 : 8},16`, 'recurrent 4,16'].map(
          (name) => `lstm1/layer${l}/${direction}/${name}`,
        ),
      ),
    ),
  );
  // One unit, weights of 1: h = tanh(x + h).
  const plain = programOf(nn.rnn(1, { init: constant(1), recurrentInit: constant(1) }), [3, 1]);
  const h1 = Math.tanh(0.5);
  const h2 = Math.tanh(-1 + h1);
  close(t, await output(plain, 'predict', [0.5, -1, 2], [1, 3, 1]), [h1, h2, Math.tanh(2 + h2)]);
  const last = programOf(
    nn.rnn(1, { init: constant(1), recurrentInit: constant(1), sequences: false, bidirectional: true }),
    [2, 1],
  );
  close(t, await output(last, 'predict', [0.5, -1], [1, 2, 1]), [h2, Math.tanh(0.5 + Math.tanh(-1))]);
  t.equal((await output(programOf(nn.gru(3), [2, 1]), 'train', [1, 2], [1, 2, 1])).length, 6);
});

t.test('transformer block: shapes, causality', async (t) => {
  const net = nn.sequential([nn.positions(), nn.transformerBlock(2, { causal: true, rotary: true })]);
  const p = programOf(net, [4, 8]);
  const x = Array.from({ length: 32 }, (_, i) => Math.cos(i));
  const changed = x.map((v, i) => (i < 24 ? v : v + 1));
  const [a, b] = [await output(p, 'predict', x, [1, 4, 8]), await output(p, 'predict', changed, [1, 4, 8])];
  close(t, a.slice(0, 24), b.slice(0, 24));
  t.notSame(a.slice(24), b.slice(24), 'the last step sees itself');
  t.equal(p.variables().length, 4 * 2 + 2 * 2 + 2 * 2);
  t.throws(() => nn.multiHeadAttention(0), { code: 'HDL0003' });
});

t.test('noise: in training only, by channel, by weight', async (t) => {
  const ones = new Array<number>(2 * 3 * 4).fill(1);
  const spatial = programOf(nn.spatialDropout(0.5), [3, 4]);
  const dropped = await output(spatial, 'train', ones, [2, 3, 4]);
  for (let c = 0; c < 6; c++) {
    const channel = dropped.slice(c * 4, c * 4 + 4);
    t.ok(channel.every((v) => v === channel[0]) && [0, 2].includes(channel[0]!), `channel ${c}`);
  }
  close(t, await output(spatial, 'predict', ones, [2, 3, 4]), ones);

  const connect = programOf(nn.dropConnect(50, 0.5, { init: constant(1) }), [1]);
  const y = await output(connect, 'train', [1, 1], [2, 1]);
  t.same(y.slice(0, 50), y.slice(50), 'one set of weights for the batch');
  t.same([...new Set(y)].sort(), [0, 2]);

  const noise = programOf(nn.gaussianNoise(0.5), [500]);
  const z = await output(noise, 'train', new Array<number>(500).fill(1), [1, 500]);
  const mean = z.reduce((s, v) => s + v, 0) / 500;
  const variance = z.reduce((s, v) => s + (v - mean) ** 2, 0) / 500;
  t.ok(Math.abs(mean - 1) < 0.08 && Math.abs(variance - 0.25) < 0.06, `${mean} ± √${variance}`);
});
