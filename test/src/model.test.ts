// Model: it learns, its figures are right, and what it is given is checked.

import t from 'tap';
import {
  add,
  data,
  entry,
  losses,
  Model,
  metrics,
  nn,
  optimizers,
  type Progress,
  program,
  tensor,
} from '../../src/index.ts';

const training = { loss: losses.softmaxCrossEntropy, metrics: [metrics.accuracy()] };
const quiet = { verbose: false };

t.test('fit learns a spiral; evaluate and predict agree with it', async (t) => {
  const { x, y } = data.spiral(30, 3, 1);
  const model = new Model({ input: [2] }).add(nn.dense(32), nn.relu(), nn.dense(3));
  model.compile({ ...training, optimizer: optimizers.adam({ learningRate: 0.03 }), seed: 1, threads: 1 });
  const history = await model.fit({ x, y }, { epochs: 60, batchSize: 20, validation: { x, y }, ...quiet });
  t.same(Object.keys(history), ['loss', 'accuracy', 'valLoss', 'valAccuracy']);
  t.equal(history['loss']!.length, 60);
  const { loss, accuracy } = await model.evaluate({ x, y }, { batchSize: 32 });
  t.ok(accuracy! > 0.9, `accuracy ${accuracy}`);
  t.ok(Math.abs(loss! - history['valLoss']!.at(-1)!) < 1e-5, 'short batches count by their examples');
  const prediction = await model.predict(x, { batchSize: 7 });
  t.same(prediction.shape, [90, 3]);
  let correct = 0;
  for (let i = 0; i < 90; i++) {
    const row = [...prediction.data.subarray(3 * i, 3 * i + 3)];
    if (row.indexOf(Math.max(...row)) === y[i]) correct++;
  }
  t.ok(Math.abs(correct / 90 - accuracy!) < 1e-6);
  await model.dispose();
});

t.test('the same seed gives the same history', async (t) => {
  const { x, y } = data.spiral(10, 3, 1);
  const run = async (seed: number): Promise<unknown> => {
    const model = new Model({ input: [2] }).add(nn.dense(8), nn.relu(), nn.dropout(0.2), nn.dense(3));
    model.compile({ ...training, optimizer: optimizers.sgd({ learningRate: 0.1 }), seed: 1, threads: 1 });
    const history = await model.fit({ x, y }, { epochs: 3, batchSize: 8, seed, ...quiet });
    await model.dispose();
    return history;
  };
  t.same(await run(1), await run(1));
  t.notSame(await run(1), await run(2));
});

t.test('several inputs, regression, plain numbers', async (t) => {
  const model = new Model({
    input: { a: [2], b: [1] },
    build: ({ a, b }, ctx) =>
      add(nn.dense(1, { name: 'a' }).apply(a!, ctx), nn.dense(1, { name: 'b' }).apply(b!, ctx)),
  });
  model.compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.adam({ learningRate: 0.1 }),
    threads: 1,
  });
  const a = Array.from({ length: 16 }, (_, i) => [i % 4, i >> 2].map((v) => v / 4));
  const b = a.map(([u]) => [1 - u!]);
  const y = a.map(([u, v], i) => 2 * u! - v! + b[i]![0]!);
  const history = await model.fit({ x: { a, b }, y }, { epochs: 150, batchSize: 16, ...quiet });
  t.ok(history['loss']!.at(-1)! < 1e-2, `loss ${history['loss']!.at(-1)}`);
  t.same((await model.predict({ a: [[1, 1]], b: [[0]] })).shape, [1, 1]);
  await model.dispose();
});

t.test('summary', async (t) => {
  const model = new Model({ input: [1, 8, 8] }).add(
    nn.conv2d(4, 3, { padding: 1, bias: false }),
    nn.batchNorm(),
    nn.relu(),
    nn.residual([nn.conv2d(4, 3, { padding: 1 })]),
    nn.globalAvgPool(),
    nn.dense(10),
  );
  const rule = '─'.repeat(58);
  // Convolutions: 2 · outputs · channels · taps, and one sum for each bias.
  const table = [
    'layer                 output            parameters   FLOPs',
    rule,
    'conv1                 [batch, 4, 8, 8]          36   4,608',
    'bn1                   [batch, 4, 8, 8]          16     776',
    'relu1                 [batch, 4, 8, 8]                 512',
    'residual1/main/conv1  [batch, 4, 8, 8]         148  18,688',
    'residual1             [batch, 4, 8, 8]                 256',
    'pool1                 [batch, 4]                       260',
    'dense1                [batch, 10]               50      90',
    rule,
    '250 parameters (242 trainable), 1.0 KiB; 25,190 FLOPs for one example',
  ].join('\n');
  t.equal(model.summary(), table);
  model.compile({ threads: 1 });
  const planned = model.summary({ batchSize: 4 });
  t.ok(planned.startsWith(`${table}\npredict(batch=4): `), planned);
  t.match(planned, /arena .* KiB for \d+ buffers/);
  await model.dispose();
});

t.test('progress, callbacks, stopping', async (t) => {
  const { x, y } = data.spiral(10, 3, 1);
  const model = new Model({ input: [2] }).add(nn.dense(3));
  model.compile({ ...training, optimizer: optimizers.sgd(), threads: 1 });
  const seen: string[] = [];
  const progress: Progress = {
    begin: (title, total) => seen.push(`${title} of ${total}`),
    update: (done) => seen.push(`${done}`),
    end: (figures) => seen.push(Object.keys(figures).join()),
  };
  await model.fit(
    { x, y },
    { epochs: 5, batchSize: 16, progress, onEpochEnd: ({ epoch }) => (epoch === 2 ? 'stop' : undefined) },
  );
  t.same(seen, [
    'Epoch 1/5 of 30',
    '16',
    '30',
    'loss,accuracy',
    'Epoch 2/5 of 30',
    '16',
    '30',
    'loss,accuracy',
  ]);
  const rates: number[] = [];
  const controller = new AbortController();
  const history = await model.fit(
    { x, y },
    {
      epochs: 3,
      batchSize: 15,
      ...quiet,
      signal: controller.signal,
      learningRate: (step) => {
        rates.push(step);
        if (step === 2) controller.abort();
        return 0.1 / (step + 1);
      },
    },
  );
  t.same(rates, [0, 1, 2]);
  t.equal(history['loss']!.length, 1, 'the epoch that was cut is left out');
  t.ok(Math.abs(model.program.get('optimizer/learningRate').data[0]! - 0.1 / 3) < 1e-7);
  await model.dispose();
});

t.test('compiling again keeps parameters', async (t) => {
  const model = new Model({ input: [2] }).add(nn.dense(1));
  model.compile({ seed: 1, threads: 1 });
  const before = [...(await model.predict([[1, 2]])).data];
  model.compile({ seed: 2, threads: 1 });
  t.same([...(await model.predict([[1, 2]])).data], before);
  await model.dispose();
});

t.test('layers of a model serve a hand-written program', async (t) => {
  const net = nn.sequential([nn.dense(3)], { name: 'net' });
  const p = program(
    { f: entry({ x: tensor(['n', 2]) }, ({ x }, ctx) => ({ y: net.apply(x, ctx) })) },
    { threads: 1 },
  );
  t.same((await p.run('f', { x: [[1, 2]] })).y.shape, [1, 3]);
  await p.dispose();
});

t.test('what is wrong with data or settings is said', async (t) => {
  const model = new Model({ input: [2] }).add(nn.dense(3));
  await t.rejects(model.predict([[1, 2]]), { code: 'HDL0015', message: /not compiled/ });
  model.compile({ loss: losses.softmaxCrossEntropy, threads: 1 });
  await t.rejects(model.fit({ x: [[1, 2]], y: [0] }), { code: 'HDL0015', message: /without an optimizer/ });
  model.compile({ ...training, optimizer: optimizers.sgd(), threads: 1 });
  const bad = async (x: unknown, y: unknown, text: RegExp): Promise<void> => {
    await t.rejects(model.fit({ x, y } as never, quiet), { code: 'HDL0016', message: text });
  };
  await bad([], [], /x is empty/);
  await bad(
    [
      [1, 2],
      [3, 4],
    ],
    [0],
    /x has 2 examples and y has 1/,
  );
  await bad([[1, 2]], [0.5], /y is an array with 0.5 at position 0/);
  await bad(Uint8Array.of(1, 2), [0], /x is a Uint8Array(.|\n)*normalize/);
  await bad([[1, 2, 3]], [0], /x has shape \[1, 3\]/);
  await bad(Float32Array.of(1, 2, 3), [0], /x has 3 elements/);
  await bad([[1, 2]], undefined, /y is missing/);
  t.throws(() => model.add(nn.relu()), { code: 'HDL0015' });
  t.throws(() => new Model({ input: {} }), { code: 'HDL0015' });
  t.throws(() => new Model({ input: [2] }).compile(), { code: 'HDL0015', message: /without layers/ });
  await model.dispose();
});
