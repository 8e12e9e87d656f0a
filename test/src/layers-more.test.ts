// Layers that are one family over ranks or functions: each against the op that it applies, or the same layer of another rank;
// shapes of variables; what they refuse.

import t, { type Test } from 'tap';
import * as h from '../../src/index.ts';
import { entry, initializers, nn, type Program, program, type Tensor, tensor } from '../../src/index.ts';

type Floats = Tensor<readonly number[], 'f32'>;

const functions = h as unknown as Readonly<Record<string, (x: Floats) => Tensor>>;

/** What a layer makes of numbers, in evaluation or training, and its variables. */
async function applied(
  layer: nn.Layer,
  shape: readonly number[],
  data: readonly number[],
  training = false,
): Promise<{ y: number[]; shape: readonly number[]; variables: string[] }> {
  const p = program(
    { f: entry({ x: tensor(shape) }, ({ x }, ctx) => ({ y: layer.apply(x, ctx) }), { training }) },
    { target: 'reference', seed: 5 },
  ) as Program;
  const { y } = await p.run('f', { x: { data, shape } });
  return { y: [...y!.data], shape: y!.shape, variables: p.variables().map((v) => `${v.name} ${v.shape}`) };
}

const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
const waves = (shape: readonly number[]): number[] =>
  Array.from({ length: count(shape) }, (_, i) => Math.sin(1.7 * i));

/** The layer makes what a function of ops makes. */
async function equals(
  t: Test,
  layer: nn.Layer,
  f: (x: Floats) => Tensor,
  shape: readonly number[],
  told: string,
): Promise<void> {
  const x = waves(shape);
  const [got, want] = [
    await applied(layer, shape, x),
    await applied(
      nn.lambda((v) => f(v) as Floats),
      shape,
      x,
    ),
  ];
  t.same([got.shape, got.y], [want.shape, want.y], told);
}

t.test('activations are the functions of their names', async (t) => {
  const plain = ['relu', 'relu6', 'selu', 'silu', 'mish', 'hardSwish', 'hardSigmoid', 'sigmoid', 'logSigmoid', 'tanh',
    'softplus', 'softsign', 'softmin', 'hardTanh', 'hardShrink', 'softShrink', 'tanhShrink', 'leakyRelu', 'elu', 'celu', 'gelu', 'softmax', 'logSoftmax'] as const; // biome-ignore format: names
  for (const name of plain) await equals(t, nn[name](), (x) => functions[name]!(x), [3, 4], name);
  await equals(t, nn.leakyRelu(0.3), (x) => h.leakyRelu(x, 0.3), [3, 4], 'leakyRelu(0.3)');
  await equals(t, nn.elu(2), (x) => h.elu(x, 2), [3, 4], 'elu(2)');
  await equals(t, nn.celu(0.5), (x) => h.celu(x, 0.5), [3, 4], 'celu(0.5)');
  await equals(t, nn.gelu('tanh'), (x) => h.gelu(x, 'tanh'), [3, 4], 'gelu(tanh)');
  await equals(t, nn.hardTanh(-0.2, 0.4), (x) => h.hardTanh(x, -0.2, 0.4), [3, 4], 'hardTanh(-0.2, 0.4)');
  await equals(t, nn.softShrink(0.1), (x) => h.softShrink(x, 0.1), [3, 4], 'softShrink(0.1)');
  await equals(t, nn.threshold(0.1, 7), (x) => h.threshold(x, 0.1, 7), [3, 4], 'threshold(0.1, 7)');
  await equals(t, nn.glu({ axis: 1 }), (x) => h.glu(x, 1), [2, 4, 3], 'glu along 1');
  await equals(t, nn.softmax({ axis: 1 }), (x) => h.softmax(x, 1), [2, 3, 2], 'softmax along 1');
});

t.test('prelu learns a slope for each channel', async (t) => {
  const init = initializers.fromArray([0.5, 2]);
  const { y, variables } = await applied(nn.prelu({ init }), [1, 2, 2], [-1, 3, -1, 4]);
  t.same(y, [-0.5, 3, -2, 4]);
  t.same(variables, ['prelu1/slope 2']);
  const shared = await applied(nn.prelu({ shared: true }), [1, 2, 2], [-4, 3, -8, 4]);
  t.same(shared.y, [-1, 3, -2, 4]);
  t.same(shared.variables, ['prelu1/slope ']);
});

t.test('dense acts on the last axis: rows, and steps of sequences', async (t) => {
  const init = initializers.fromArray([1, 2, 3, 4, 5, 6]);
  const flat = await applied(nn.dense(2, { init }), [4, 3], waves([4, 3]));
  const steps = await applied(nn.dense(2, { init }), [2, 2, 3], waves([4, 3]));
  t.same(steps.y, flat.y);
  t.same(steps.shape, [2, 2, 2]);
  t.same(steps.variables, ['dense1/w 3,2', 'dense1/b 2']);
  const dropped = await applied(nn.dropConnect(2, 0.5, { init }), [2, 2, 3], waves([4, 3]));
  t.same(dropped.y, flat.y);
  await t.rejects(applied(nn.dense(2), [3], [1, 2, 3]), {
    code: 'HDL0015',
    message: /a batch of one has a first dimension of 1/,
  });
  await t.rejects(applied(nn.dense(2), [1, 1, 2, 2], [1, 2, 3, 4]), {
    code: 'HDL0015',
    message: /put flatten\(\) before it/,
  });
});

/** The layer of one rank, and that of two, over a picture of one row. */
const asRow = (x: readonly number[]): number[] => [...x];

t.test('convolutions of other ranks are those of pictures', async (t) => {
  const options = { stride: 2, padding: 1, dilation: 2, groups: 2 } as const;
  const x = waves([2, 4, 9]);
  const one = await applied(nn.conv1d(6, 3, options), [2, 4, 9], x);
  const two = await applied(
    nn.conv2d(6, [1, 3], { stride: [1, 2], padding: [0, 1], dilation: [1, 2], groups: 2 }),
    [2, 4, 1, 9],
    asRow(x),
  );
  t.same(one.y, two.y, 'conv1d');
  t.same(one.variables, ['conv1/w 6,2,3', 'conv1/b 6']);
  const three = await applied(
    nn.conv3d(6, [1, 1, 3], { stride: [1, 1, 2], padding: [0, 0, 1], dilation: [1, 1, 2], groups: 2 }),
    [2, 4, 1, 1, 9],
    asRow(x),
  );
  t.same(three.y, two.y, 'conv3d');
  const up1 = await applied(
    nn.convTranspose1d(2, 3, { stride: 2, padding: 1, outputPadding: 1 }),
    [2, 4, 9],
    x,
  );
  const up2 = await applied(
    nn.convTranspose2d(2, [1, 3], { stride: [1, 2], padding: [0, 1], outputPadding: [0, 1] }),
    [2, 4, 1, 9],
    x,
  );
  const up3 = await applied(
    nn.convTranspose3d(2, [1, 1, 3], { stride: [1, 1, 2], padding: [0, 0, 1], outputPadding: [0, 0, 1] }),
    [2, 4, 1, 1, 9],
    x,
  );
  t.same([up1.shape, up1.y], [[2, 2, 18], up2.y], 'convTranspose1d');
  t.same([up3.shape, up3.y], [[2, 2, 1, 1, 18], up2.y], 'convTranspose3d');
  t.same(up1.variables, ['convT1/w 4,2,3', 'convT1/b 2']);
  await t.rejects(applied(nn.conv1d(2, 3), [2, 9], x.slice(0, 18)), {
    code: 'HDL0015',
    message: /\[batch, channels, length\]/,
  });
  t.throws(() => nn.conv1d(2, 0), { code: 'HDL0003', message: /conv1d with kernel 0/ });
  t.throws(() => nn.conv3d(2, [1, 2] as never), {
    code: 'HDL0003',
    message: /a list of 3, one for each spatial dimension/,
  });
  t.throws(() => nn.conv2d(2, 3, { padding: -1 }), {
    code: 'HDL0003',
    message: /padding is an integer of at least 0/,
  });
});

t.test('depthwise and separable convolutions', async (t) => {
  const x = waves([1, 3, 4, 4]);
  const depthwise = await applied(nn.depthwiseConv2d(3, { padding: 'same', multiplier: 2 }), [1, 3, 4, 4], x);
  t.same(depthwise.shape, [1, 6, 4, 4]);
  t.same(depthwise.variables, ['conv1/w 6,1,3,3', 'conv1/b 6']);
  const grouped = await applied(nn.conv2d(6, 3, { padding: 'same', groups: 3 }), [1, 3, 4, 4], x);
  t.same(depthwise.y, grouped.y, 'a group for each channel');
  const separable = await applied(nn.separableConv2d(5, 3, { stride: 2, padding: 1 }), [1, 3, 4, 4], x);
  t.same(separable.shape, [1, 5, 2, 2]);
  t.same(separable.variables, [
    'block1/depthwise/w 3,1,3,3',
    'block1/pointwise/w 5,3,1,1',
    'block1/pointwise/b 5',
  ]);
  t.throws(() => nn.depthwiseConv2d(3, { multiplier: 0 }), { code: 'HDL0003' });
});

t.test('pools of every rank, whole and adaptive', async (t) => {
  await equals(t, nn.maxPool1d(2), (x) => h.maxPool1d(x as never, { kernel: 2 }), [2, 3, 6], 'maxPool1d');
  await equals(
    t,
    nn.maxPool3d(2),
    (x) => h.maxPool3d(x as never, { kernel: 2 }),
    [1, 2, 4, 4, 4],
    'maxPool3d',
  );
  await equals(
    t,
    nn.maxPool2d([2, 3], { stride: 1, padding: [1, 0], dilation: [1, 2], ceil: true }),
    (x) =>
      h.maxPool2d(x as never, { kernel: [2, 3], strides: 1, padding: [1, 0], dilation: [1, 2], ceil: true }),
    [1, 2, 5, 6],
    'maxPool2d with all options',
  );
  await equals(t, nn.avgPool1d(3, { stride: 2, padding: 1 }), (x) => h.avgPool1d(x as never, { kernel: 3, strides: 2, padding: 1 }), [2, 3, 6], 'avgPool1d'); // biome-ignore format: one line
  await equals(
    t,
    nn.avgPool3d(2),
    (x) => h.avgPool3d(x as never, { kernel: 2 }),
    [1, 2, 4, 4, 4],
    'avgPool3d',
  );
  await equals(
    t,
    nn.lpPool2d(2, { p: 3 }),
    (x) => h.lpPool2d(x as never, { kernel: 2, p: 3 }),
    [1, 2, 4, 4],
    'lpPool2d',
  );
  await equals(t, nn.lpPool1d(2), (x) => h.lpPool1d(x as never, { kernel: 2 }), [1, 2, 4], 'lpPool1d');
  for (const shape of [[2, 3, 6], [2, 3, 4, 5], [1, 2, 3, 2, 2]]) {
    const size = shape.slice(2).map(() => 2);
    await equals(t, nn.globalAvgPool(), (x) => h.globalAvgPool(x), shape, 'globalAvgPool');
    await equals(t, nn.globalMaxPool(), (x) => h.globalMaxPool(x), shape, 'globalMaxPool');
    await equals(t, nn.adaptiveAvgPool(2), (x) => h.adaptiveAvgPool(x, size), shape, 'adaptiveAvgPool');
    await equals(t, nn.adaptiveMaxPool(2), (x) => h.adaptiveMaxPool(x, size), shape, 'adaptiveMaxPool');
  } // biome-ignore format: table
  await t.rejects(applied(nn.globalAvgPool(), [2, 3], waves([2, 3])), {
    code: 'HDL0015',
    message: /put it before flatten/,
  });
  t.throws(() => nn.adaptiveAvgPool(0), { code: 'HDL0003' });
});

t.test('shapes: reshape, permute, repeatVector, pad, upsample, resize', async (t) => {
  await equals(t, nn.reshape([3, -1]), (x) => h.reshape(x, [2, 3, 2]), [2, 6], 'reshape');
  await equals(t, nn.permute([0, 2, 1]), (x) => h.transpose(x, [0, 2, 1]), [2, 3, 4], 'permute');
  t.same((await applied(nn.repeatVector(2), [2, 2], [1, 2, 3, 4])).y, [1, 2, 1, 2, 3, 4, 3, 4]);
  await equals(t, nn.pad(1), (x) => h.pad(x, [[0, 0], [0, 0], [1, 1], [1, 1]]), [1, 2, 3, 3], 'pad'); // biome-ignore format: one line
  await equals(t, nn.pad([[2, 1]], { mode: 'reflect' }), (x) => h.pad(x, [[0, 0], [0, 0], [2, 1]], 'reflect'), [1, 2, 4], 'reflect'); // biome-ignore format: one line
  await equals(t, nn.pad([-1, 0], { value: 5 }), (x) => h.pad(x, [[0, 0], [0, 0], [-1, -1], [0, 0]]), [1, 1, 4, 3], 'crop'); // biome-ignore format: one line
  await equals(t, nn.upsample(2), (x) => h.resize(x, [4, 6]), [1, 2, 2, 3], 'upsample');
  await equals(
    t,
    nn.upsample(3, { mode: 'linear' }),
    (x) => h.resize(x, [6], { mode: 'linear' }),
    [1, 2, 2],
    'linear',
  );
  await equals(t, nn.resize([5, 2]), (x) => h.resize(x, [5, 2]), [1, 2, 3, 4], 'resize');
  await t.rejects(applied(nn.permute([1, 0]), [2, 2], [1, 2, 3, 4]), {
    code: 'HDL0015',
    message: /stays first/,
  });
  await t.rejects(applied(nn.pad([1, 1]), [1, 2, 4], waves([8])), {
    code: 'HDL0015',
    message: /a width for each spatial/,
  });
  await t.rejects(applied(nn.upsample(2), [2, 2], [1, 2, 3, 4]), { code: 'HDL0015' });
  await t.rejects(applied(nn.repeatVector(2), [1, 2, 2], waves([4])), { code: 'HDL0015' });
});

t.test('timeDistributed shares its layer over the steps', async (t) => {
  const conv = nn.conv2d(2, 3, { init: initializers.constant(0.1) });
  const x = waves([2, 3, 1, 4, 4]);
  const steps = await applied(nn.timeDistributed(conv), [2, 3, 1, 4, 4], x);
  const batch = await applied(conv, [6, 1, 4, 4], x);
  t.same([steps.shape, steps.y], [[2, 3, 2, 2, 2], batch.y]);
  t.same(steps.variables, ['steps1/conv1/w 2,1,3,3', 'steps1/conv1/b 2']);
  await t.rejects(applied(nn.timeDistributed(conv), [3], [1, 2, 3]), { code: 'HDL0015' });
});

t.test('localResponseNorm and alphaDropout', async (t) => {
  await equals(
    t,
    nn.localResponseNorm({ size: 3 }),
    (x) => h.localResponseNorm(x, { size: 3 }),
    [1, 4, 2],
    'response',
  );
  const n = 20_000;
  const random = h.random(3);
  const x = Array.from({ length: n }, () => random.normal());
  const { y } = await applied(nn.alphaDropout(0.2), [1, n], x, true);
  const mean = (v: readonly number[]): number => v.reduce((s, e) => s + e, 0) / v.length;
  const variance = mean(y.map((v) => (v - mean(y)) ** 2));
  t.ok(Math.abs(mean(y) - mean(x)) < 0.05 && Math.abs(variance - 1) < 0.06, `${mean(y)} ± √${variance}`);
  const limit = -1.7580993408473766;
  const scale = 1 / Math.sqrt(0.8 * (1 + 0.2 * limit ** 2));
  const dropped = y.filter((v) => Math.abs(v - scale * (limit - 0.2 * limit)) < 1e-5).length / n;
  t.ok(Math.abs(dropped - 0.2) < 0.02, `dropped ${dropped}`);
  t.same(
    (await applied(nn.alphaDropout(0.2), [1, 4], [1, 2, 3, 4])).y,
    [1, 2, 3, 4],
    'in evaluation nothing',
  );
});
