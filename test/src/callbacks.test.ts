// Callbacks, schedules in training, several outputs, and models that are saved and loaded.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  type Callback,
  callbacks,
  concat,
  type Floats,
  initializers,
  losses,
  Model,
  metrics,
  nn,
  optimizers,
  type TrainingRun,
} from '../../src/index.ts';

const quiet = { verbose: false };

/** A run whose figures are given, for callbacks alone. */
async function drive(
  callback: Callback,
  values: readonly number[],
): Promise<{ epochs: number; rate: number; events: string[] }> {
  let rate = 1;
  const events: string[] = [];
  const run: TrainingRun = {
    history: {},
    learningRate: () => rate,
    scaleLearningRate: (factor) => {
      rate *= factor;
    },
    snapshot: () => {
      events.push('snapshot');
      return new Map();
    },
    restore: () => events.push('restore'),
    save: async () => Uint8Array.of(values.length),
    checkpoint: () => Uint8Array.of(values.length),
    stop: () => events.push('stop'),
  };
  let epochs = 0;
  for (const valLoss of values) {
    epochs++;
    if ((await callback.onEpochEnd?.({ epoch: epochs, figures: { loss: 0, valLoss } }, run)) === 'stop')
      break;
  }
  await callback.onTrainEnd?.(run);
  return { epochs, rate, events };
}

t.test('early stopping', async (t) => {
  const values = [5, 4, 4.5, 4.2, 3.9, 4, 4, 4, 1];
  t.equal((await drive(callbacks.earlyStopping({ patience: 3 }), values)).epochs, 8);
  t.equal((await drive(callbacks.earlyStopping(), values)).epochs, 3);
  t.equal((await drive(callbacks.earlyStopping({ minDelta: 2, patience: 2 }), values)).epochs, 3);
  t.equal((await drive(callbacks.earlyStopping({ mode: 'max' }), values)).epochs, 2);
  const { events } = await drive(callbacks.earlyStopping({ restoreBest: true }), values);
  t.same(events, ['snapshot', 'snapshot', 'restore']);
  t.equal((await drive(callbacks.earlyStopping(), [Number.NaN, 1])).epochs, 1, 'NaN is never better');
  await t.rejects(drive(callbacks.earlyStopping({ monitor: 'valAccuracy' }), [1]), {
    code: 'HDL0003',
    message:
      /watches 'valAccuracy'\n {2}rule: the figures are 'loss', 'valLoss'\n {2}try: {2}give fit\(\{ validation \}\)/,
  });
  t.throws(() => callbacks.earlyStopping({ patience: 0 }), { code: 'HDL0003' });
});

t.test('reduce on plateau', async (t) => {
  const values = [3, 2, 2, 2, 2, 2, 2, 1, 1];
  const reduce = (options: object): Promise<{ rate: number }> =>
    drive(callbacks.reduceOnPlateau({ factor: 0.5, ...options }), values);
  t.equal((await reduce({ patience: 2 })).rate, 0.25, 'after epochs 4 and 6');
  t.equal((await reduce({ patience: 2, cooldown: 3 })).rate, 0.5);
  t.equal((await reduce({ patience: 1, minRate: 0.3 })).rate, 0.3);
  t.throws(() => callbacks.reduceOnPlateau({ factor: 2 }), { code: 'HDL0003' });
});

t.test('logs and checkpoints, to functions and to files', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const lines: string[] = [];
  await drive(
    callbacks.jsonlLog((line) => lines.push(line)),
    [2, Number.NaN],
  );
  t.same(lines, ['{"epoch":1,"loss":0,"valLoss":2}\n', '{"epoch":2,"loss":0,"valLoss":null}\n']);
  const path = join(folder, 'log.csv');
  await drive(callbacks.csvLog(path), [2, 1]);
  await drive(callbacks.csvLog(path), [2, 1]);
  t.equal(
    await readFile(path, 'utf8'),
    'epoch,loss,valLoss\n1,0,2\n2,0,1\n',
    'a new training starts a new log',
  );
  const saved: number[] = [];
  const checkpoint = callbacks.bestCheckpoint({ to: (_, { epoch }) => saved.push(epoch) });
  await drive(checkpoint, [3, 2, 2.5, 1]);
  t.same(saved, [1, 2, 4]);
  await drive(callbacks.bestCheckpoint({ to: join(folder, 'best') }), [3, 2]);
  t.same([...(await readFile(join(folder, 'best')))], [2]);
});

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(i)]);
const y = x.map(([a, b]) => [2 * a! - b!]);

t.test('a training is told of, step by step, and goes back to its best', async (t) => {
  const model = new Model({ input: [2] }).add(nn.dense(1));
  model.compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.groups([
      { name: 'w', match: /w$/, optimizer: optimizers.sgd({ learningRate: 0.1 }) },
      { name: 'b', optimizer: optimizers.sgd({ learningRate: 0.2 }) },
    ]),
    threads: 1,
  });
  const seen: string[] = [];
  const rates: number[] = [];
  const teller: Callback = {
    onTrainBegin: () => seen.push('begin'),
    onBatchEnd: ({ epoch, step, loss }) => seen.push(`${epoch}.${step}${Number.isFinite(loss) ? '' : '!'}`),
    onEpochEnd: ({ epoch }, run) => {
      seen.push(`end ${epoch}`);
      rates.push(run.learningRate());
      run.scaleLearningRate(0.5);
      return epoch === 2 ? 'stop' : undefined;
    },
    onTrainEnd: (run) => seen.push(`done ${run.history['loss']!.length}`),
  };
  await model.fit({ x, y }, { epochs: 5, batchSize: 6, callbacks: [teller], ...quiet });
  t.same(seen, ['begin', '1.1', '1.2', 'end 1', '2.3', '2.4', 'end 2', 'done 2']);
  t.same(
    rates.map((r) => r.toFixed(3)),
    ['0.100', '0.050'],
  );
  const rate = (name: string): number => model.program.get(`optimizer/${name}/learningRate`).data[0]!;
  t.same([rate('w').toFixed(3), rate('b').toFixed(3)], ['0.025', '0.050']);
  await model.fit({ x, y }, { batchSize: 6, learningRate: () => 0.3, ...quiet });
  t.same([rate('w').toFixed(3), rate('b').toFixed(3)], ['0.300', '0.600'], 'schedules keep ratios');

  const stop = callbacks.earlyStopping({ restoreBest: true });
  const worse = { x, y: y.map(([v]) => [-5 * v!]) };
  const history = await model.fit(worse, {
    epochs: 9,
    batchSize: 6,
    validation: { x, y },
    callbacks: [stop],
    ...quiet,
  });
  const kept = (await model.evaluate({ x, y }))['loss']!;
  const { valLoss } = history as { readonly valLoss: readonly number[] };
  t.ok(Math.abs(kept - Math.min(...valLoss)) < 1e-4 && kept < valLoss.at(-1)!, `${kept} of ${valLoss}`);
  await model.dispose();
});

t.test('save and load', async (t) => {
  const make = (): Model =>
    new Model({ input: [2] })
      .add(nn.dense(3), nn.batchNorm(), nn.dense(1))
      .compile({ loss: losses.meanSquaredError, optimizer: optimizers.adam(), threads: 1 });
  const trained = make();
  await trained.fit({ x, y }, { batchSize: 6, epochs: 2, ...quiet });
  const bytes = await trained.save();
  const loaded = make().load(bytes);
  t.same((await loaded.predict(x)).data, (await trained.predict(x)).data);
  const further = async (model: Model): Promise<unknown> =>
    model.fit({ x, y }, { batchSize: 6, seed: 3, ...quiet });
  t.same(await further(loaded), await further(trained), 'the state of the optimizer is there, too');

  const untrained = make();
  t.ok((await untrained.save()).length > 0, 'before anything is compiled');
  const other = new Model({ input: [2] })
    .add(nn.dense(4), nn.batchNorm(), nn.dense(1))
    .compile({ threads: 1 });
  t.throws(() => other.load(bytes), {
    code: 'HDL0015',
    message: /load of 'dense1\/w' as f32\[2, 3\]\n {2}rule: in this model it is f32\[2, 4\]/,
  });
  const smaller = new Model({ input: [2] }).add(nn.dense(3)).compile({ threads: 1 });
  t.throws(() => smaller.load(bytes), { code: 'HDL0015', message: /load of a file with 'bn1\// });
  t.throws(() => smaller.load(bytes.slice(0, 100)), { code: 'HDL1006' });
  for (const model of [trained, loaded, untrained, other, smaller]) await model.dispose();
});

t.test('several inputs and outputs, a shared layer, tied weights', async (t) => {
  const encoder = nn.dense(4, { name: 'encoder', init: initializers.glorotUniform() });
  const model = new Model({
    input: { a: [2], b: [2] },
    build: ({ a, b }, ctx) => {
      const both = concat([encoder.apply(a!, ctx), encoder.apply(b!, ctx)], 1) as Floats;
      return {
        sum: nn.dense(1, { name: 'sum' }).apply(both, ctx),
        kind: nn.dense(2, { name: 'kind' }).apply(both, ctx),
      };
    },
  });
  model.compile({
    loss: { sum: losses.meanSquaredError, kind: losses.softmaxCrossEntropy },
    lossWeights: { kind: 0.5 },
    metrics: { kind: [metrics.accuracy()] },
    optimizer: optimizers.adam({ learningRate: 0.05 }),
    threads: 1,
  });
  const b = x.map(([u, v]) => [v!, u!]);
  const target = { sum: x.map(([u, v]) => [u! + v!]), kind: x.map(([u]) => Number(u! > 0)) };
  const history = await model.fit({ x: { a: x, b }, y: target }, { epochs: 40, batchSize: 12, ...quiet });
  t.same(Object.keys(history), ['loss', 'kindAccuracy']);
  t.ok(history['loss']!.at(-1)! < 0.3 * history['loss']![0]!);
  const names = model.program.variables().filter((v) => v.trainable);
  t.equal(names.filter((v) => v.name.startsWith('encoder/')).length, 2, 'one layer, applied twice');
  const outputs = await model.predictAll({ a: x, b }, { batchSize: 5 });
  t.same(
    [outputs['sum']!.shape, outputs['kind']!.shape],
    [
      [12, 1],
      [12, 2],
    ],
  );
  await t.rejects(model.predict({ a: x, b }), { code: 'HDL0015', message: /predictAll/ });
  const matrix = await model.measure(
    metrics.confusionMatrix(),
    { x: { a: x, b }, y: target },
    { output: 'kind' },
  );
  const accuracy = (matrix[0]![0]! + matrix[1]![1]!) / 12;
  const figures = await model.evaluate({ x: { a: x, b }, y: target });
  t.ok(Math.abs(figures['kindAccuracy']! - accuracy) < 1e-6);
  await t.rejects(model.fit({ x: { a: x, b }, y: { sum: target.sum } as never }, quiet), {
    code: 'HDL0016',
    message: /y has no 'kind'/,
  });
  t.throws(() => model.compile({ loss: losses.meanSquaredError }), {
    code: 'HDL0015',
    message: /one loss for outputs 'sum', 'kind'/,
  });
  t.throws(() => model.compile({ loss: { som: losses.meanSquaredError } }), {
    code: 'HDL0015',
    message: /the outputs are/,
  });
  await model.dispose();
});

t.test('metrics of one name are refused, others may be named', async (t) => {
  const model = new Model({ input: [2] }).add(nn.dense(3));
  const loss = losses.softmaxCrossEntropy;
  t.throws(() => model.compile({ loss, metrics: [metrics.f1(), metrics.f1({ average: 'micro' })] }), {
    code: 'HDL0015',
    message: /two figures named 'f1'/,
  });
  model.compile({
    loss,
    metrics: [metrics.f1(), metrics.f1({ average: 'micro', name: 'micro' })],
    threads: 1,
  });
  t.same(Object.keys(await model.evaluate({ x, y: x.map(() => 1) })), ['loss', 'f1', 'micro']);
  await model.dispose();
});
