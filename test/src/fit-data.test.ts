// Training on data of every form: the same bits as on arrays, whatever way the examples come; weights of examples; what is refused.

import t from 'tap';
import {
  callbacks,
  cast,
  Dataset,
  entry,
  type FitData,
  type FitOptions,
  grad,
  initializers,
  losses,
  Model,
  mean,
  metrics,
  mul,
  nn,
  optimizers,
  program,
  square,
  sub,
  sum,
  tensor,
  variable,
} from '../../src/index.ts';
import { outcomeOf, smallNet } from '../support/small-net.ts';

const quiet = { verbose: false } as const;
const n = 50;
const rows = Array.from({ length: n }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const x = Float32Array.from(rows.flat());
const y = Int32Array.from(rows, ([a]) => Number(a! > 0));
const examples = rows.map((row, i) => ({ x: row, y: y[i]! }));

/** History and all variables after training on the data. */
async function trained(data: FitData, options: FitOptions = {}): Promise<string> {
  const model = smallNet();
  try {
    return outcomeOf(model, await model.fit(data, { epochs: 3, batchSize: 8, ...quiet, ...options }));
  } finally {
    await model.dispose();
  }
}

t.test('the same examples in the same order make the same bits', async (t) => {
  const want = await trained({ x, y }, { shuffle: false });
  const { batchSize, ...rest } = { batchSize: undefined as never };
  t.equal(await trained(Dataset.from({ x, y })), want, 'columns');
  t.equal(await trained(Dataset.from({ x, y }).batch(8), rest), want, 'columns in batches');
  t.equal(await trained(Dataset.from({ x: rows, y }).prefetch()), want, 'nested arrays');
  t.equal(await trained(Dataset.from({ x, y }).map((e) => e)), want, 'elements that are made');
  t.equal(
    await trained(
      Dataset.from({ x, y })
        .map(async (e) => e)
        .batch(8),
    ),
    want,
    'asynchronously',
  );
  t.equal(await trained(examples), want, 'a list of elements');
  t.equal(await trained(new Set(examples)), want, 'an iterable');
  t.equal(
    await trained(async function* () {
      for (const e of examples) {
        if (e.y === 1) await new Promise((resolve) => setImmediate(resolve));
        yield e;
      }
    }),
    want,
    'a function that makes an async iterable',
  );
  t.equal(
    await trained({ x, y, sampleWeight: new Float32Array(n).fill(1) }, { shuffle: false }),
    want,
    'weights of 1',
  );
});

t.test('a data set that is shuffled: from memory and as a stream', async (t) => {
  const want = await trained(Dataset.from({ x, y }).shuffle({ seed: 5 }));
  t.equal(
    await trained(
      Dataset.from({ x, y })
        .shuffle({ seed: 5 })
        .map((e) => e),
    ),
    want,
  );
  t.equal(
    await trained(
      Dataset.from({ x, y })
        .map((e) => e)
        .shuffle({ seed: 5 })
        .batch(8),
    ),
    want,
  );
  t.not(await trained(Dataset.from({ x, y }).shuffle({ seed: 6 })), want);
  const dropped = await trained(
    Dataset.from({ x, y }).shuffle({ seed: 5 }).batch(8, { dropRemainder: true }),
  );
  t.not(dropped, want);
  t.equal(
    await trained(
      Dataset.from({ x, y })
        .map((e) => e)
        .shuffle({ seed: 5 })
        .batch(8, { dropRemainder: true }),
    ),
    dropped,
  );
  const some = await trained(Dataset.from({ x, y }).skip(3).take(20).shuffle({ seed: 1 }));
  t.equal(
    await trained({ x: x.slice(6, 46), y: y.slice(3, 23) }, { shuffle: false, epochs: 1 }).then(
      (s) => s.length > 0,
    ),
    true,
  );
  t.equal(await trained(Dataset.from(examples.slice(3, 23)).shuffle({ seed: 1 })), some);
});

t.test('validation and evaluation take the same', async (t) => {
  const model = smallNet();
  const want = await model.evaluate({ x, y });
  for (const set of [Dataset.from({ x, y }), Dataset.from(examples).batch(7), examples, new Set(examples)]) {
    const { loss, accuracy } = await model.evaluate(set);
    t.ok(Math.abs(loss! - want['loss']!) < 1e-6);
    t.equal(accuracy, want['accuracy']);
  }
  const whole = await model.predict(x);
  t.same(await model.predict(Dataset.from({ x, y })), whole, 'predictions of a data set');
  t.same(await model.predict(Dataset.from(examples).map(({ x }) => ({ x }))), whole);
  t.same(
    await model.measure(metrics.confusionMatrix(), Dataset.from(examples)),
    await model.measure(metrics.confusionMatrix(), { x, y }),
  );
  await t.rejects(model.predict(Dataset.from({ x, y }).batch(4)), {
    code: 'HDL0003',
    message: /leave out .batch/,
  });
  await t.rejects(model.predict(Dataset.from({ x, y }).take(0)), { code: 'HDL0016' });
  const [train, held] = Dataset.from({ x, y }).split(0.8);
  const history = await model.fit(train.shuffle().batch(8), {
    validation: held.batch(5),
    epochs: 2,
    ...quiet,
  });
  t.same(Object.keys(history), ['loss', 'accuracy', 'valLoss', 'valAccuracy']);
  for (const { train, validation } of Dataset.from({ x, y }).kFold(3)) {
    const { valLoss } = await model.fit(train, { validation, batchSize: 10, ...quiet });
    t.equal(valLoss!.length, 1);
  }
  await model.dispose();
});

t.test('sample weights: 0 leaves examples out, n counts them n times', async (t) => {
  const plain = (options: object = {}): Model =>
    new Model({ input: [2] }).add(nn.dense(1)).compile({
      loss: losses.meanSquaredError,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      threads: 1,
      ...options,
    });
  const target = rows.map(([a, b]) => [2 * a! - b!]);
  const sampleWeight = Float32Array.from({ length: n }, (_, i) => [0, 3, 1, 1, 0][i % 5]!);
  const weighted = plain();
  const { loss } = await weighted.fit(
    { x, y: target, sampleWeight },
    { batchSize: n, shuffle: false, ...quiet },
  );
  const repeated = rows.flatMap((row, i) =>
    Array.from({ length: sampleWeight[i]! }, () => [row, target[i]!] as const),
  );
  t.equal(repeated.length, n, 'as many, so that means have the same divisor');
  const twice = plain();
  const other = await twice.fit(
    { x: repeated.map(([row]) => row), y: repeated.map(([, v]) => v) },
    { batchSize: n, shuffle: false, ...quiet },
  );
  t.ok(Math.abs(loss![0]! - other['loss']![0]!) < 1e-5, `${loss} ${other['loss']}`);
  const [a, b] = [weighted, twice].map((m) => m.program.get('dense1/w').data);
  t.ok(a!.every((v, i) => Math.abs(v - b![i]!) < 1e-5));
  const stream = plain();
  const streamed = await stream.fit(
    rows.map((row, i) => ({ x: row, y: target[i], sampleWeight: sampleWeight[i] })),
    { batchSize: n, ...quiet },
  );
  t.same(streamed['loss'], loss);
  t.same(stream.program.get('dense1/w').data, a);
  const figures = await weighted.evaluate({ x, y: target, sampleWeight: new Float32Array(n) });
  t.equal(figures['loss'], 0);

  await t.rejects(weighted.fit({ x, y: target, sampleWeight: [1, 2] }, quiet), {
    code: 'HDL0016',
    message: /x has 50 examples and sampleWeight has 2/,
  });
  const own = plain({ loss: (p: never, v: never) => losses.meanSquaredError(p, v) });
  await t.rejects(own.fit({ x, y: target, sampleWeight }, quiet), {
    code: 'HDL0015',
    message: /which does not use it.*third argument/s,
  });
  t.throws(() => new Model({ input: { sampleWeight: [2] } }), { code: 'HDL0015' });
  for (const model of [weighted, twice, stream, own]) await model.dispose();
});

t.test('two inputs and two outputs, from a stream', async (t) => {
  const model = new Model({
    input: { a: [1], b: [1] },
    build: ({ a, b }, ctx) => ({
      p: nn.dense(1, { name: 'p' }).apply(a!, ctx),
      q: nn.dense(1, { name: 'q' }).apply(b!, ctx),
    }),
  }).compile({
    loss: { p: losses.meanSquaredError, q: losses.meanSquaredError },
    optimizer: optimizers.sgd(),
    threads: 1,
  });
  const set = Dataset.from(rows.map(([a, b]) => ({ x: { a: [a], b: [b] }, y: { p: [1], q: [2] } })));
  const { loss } = await model.fit(set.batch(10), { epochs: 20, ...quiet });
  t.ok(loss!.at(-1)! < loss![0]!);
  await model.dispose();
});

t.test('a stream ends in the middle of an epoch when it is told to', async (t) => {
  const model = smallNet();
  const control = new AbortController();
  let asked = 0;
  let closed = 0;
  const endless = async function* (): AsyncGenerator<object> {
    try {
      for (;;) {
        if (++asked === 200) control.abort();
        yield examples[asked % n]!;
      }
    } finally {
      closed++;
    }
  };
  const history = await model.fit(endless, { epochs: 5, batchSize: 4, signal: control.signal, ...quiet });
  t.same(history, {}, 'no epoch was complete');
  for (let i = 0; i < 100 && closed === 0; i++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(closed, 1, 'and the source is told');
  await model.dispose();
});

t.test('what is refused', async (t) => {
  const model = smallNet();
  const refuses = async (
    data: unknown,
    code: string,
    message: RegExp,
    options: FitOptions = {},
  ): Promise<void> => {
    await t.rejects(model.fit(data as FitData, { ...quiet, ...options }), { code, message });
  };
  await refuses([], 'HDL0016', /data has no batch in an epoch/);
  await refuses(
    Dataset.from({ x, y }).filter(() => false),
    'HDL0016',
    /data has no batch/,
  );
  await refuses(
    Dataset.from({ x, y }).batch(64, { dropRemainder: true }),
    'HDL0016',
    /data has no batch.*smaller batches/s,
  );
  await refuses(
    Dataset.from({ x, y })
      .map((e) => e)
      .batch(64, { dropRemainder: true }),
    'HDL0016',
    /data has no batch/,
  );
  await refuses(rows, 'HDL0016', /data is no record/);
  await refuses(new Set(rows), 'HDL0016', /an element of data is a list.*\{ x, y \}/s);
  await refuses([{ image: 1 }], 'HDL0016', /an element of data has image/);
  await refuses(Dataset.from({ images: x, labels: y }), 'HDL0016', /x is missing/);
  await refuses(Dataset.from({ x, y }).batch(8), 'HDL0003', /batchSize: 16 and batches of 8/, {
    batchSize: 16,
  });
  await refuses(Dataset.from({ x, y }), 'HDL0003', /shuffle: true for a Dataset.*data.shuffle/s, {
    shuffle: true,
  });
  await refuses({ x, y }, 'HDL0016', /batches of 0 out of 50/, { batchSize: 0 });
  await refuses(Dataset.from({ x, y }), 'HDL0016', /batches of 0 out of 50/, { batchSize: 0 });
  await refuses([{ x: [1, 2, 3], y: 0 }], 'HDL0016', /x has shape \[1, 3\]/);
  await refuses([{ x: [1, 2], y: 0.5 }], 'HDL0016', /y is a Float64Array with 0.5/);
  const once = (function* () {
    yield* examples;
  })();
  await refuses(once, 'HDL0016', /a second time/, { epochs: 2 });
  await refuses(
    async function* () {
      yield examples[0];
      throw new Error('the line is dead');
    },
    undefined as never,
    /the line is dead/,
  );
  const stop = callbacks.earlyStopping({ monitor: 'loss' });
  t.ok((await model.fit({ x, y }, { callbacks: [stop], ...quiet }))['loss'], 'and goes on after all that');
  await refuses(
    [...examples.slice(0, 9), { x: [1, Number.NaN], y: 0 }],
    'HDL1005',
    /the loss is NaN at step 2, in epoch 1, and x has NaN\n.*leave such examples out/s,
    { batchSize: 5 },
  );
  await model.dispose();
});

t.test('a step that is written by hand is fed from a data set', async (t) => {
  const w = variable('w', [2], initializers.uniform(-1, 1));
  const p = program(
    {
      train: entry({ x: tensor(['batch', 2]), y: tensor(['batch'], 'i32') }, ({ x, y }, ctx) => {
        const loss = mean(square(sub(sum(mul(x, w), 1), cast(y, 'f32'))));
        const [dw] = grad(loss, [w]);
        ctx.assign(w, sub(w, mul(0.1, dw!)));
        return { loss };
      }),
    },
    { threads: 1 },
  );
  const set = Dataset.from({ x, y }).shuffle().batch(8, { dropRemainder: true });
  const { loss } = await p.run('train', { steps: 100, feed: set as AsyncIterable<never> });
  t.equal(loss.shape[0], 6, 'an epoch');
  t.ok(loss.data[5]! < loss.data[0]!, `${loss.data}`);
  await p.dispose();
});
