// Resuming: a training that goes on from a checkpoint has the same bits as one that was never interrupted, wherever it was made;
// and a checkpoint that does not fit is refused, with the model as it was.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  type Callback,
  callbacks,
  Dataset,
  data,
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
  schedules,
  square,
  state,
  sub,
  sum,
  tensor,
  variable,
} from '../../src/index.ts';
import { outcomeOf, type SmallNet, smallNet } from '../support/small-net.ts';

const quiet = { verbose: false } as const;
const n = 90;
const points = Array.from({ length: n }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const x = Float32Array.from(points.flat());
const y = Int32Array.from(points, ([a, b]) => Number(a! * b! > 0));

const make = (options: SmallNet = {}): Model =>
  smallNet({ metrics: [metrics.accuracy(), metrics.f1()], ...options });

/** Trains to the end, and keeps a checkpoint at each of the pauses. */
async function interruptible(
  train: FitData,
  options: () => FitOptions,
  everySteps: number,
): Promise<{ readonly end: string; readonly checkpoints: Uint8Array[] }> {
  const model = make();
  const checkpoints: Uint8Array[] = [];
  const keep = callbacks.checkpoint({
    path: (bytes) => checkpoints.push(bytes),
    everySteps,
    everyEpochs: 1,
    onInterrupt: 'ignore',
  });
  const given = options();
  const history = await model.fit(train, {
    ...quiet,
    ...given,
    callbacks: [...(given.callbacks ?? []), keep],
  });
  const end = outcomeOf(model, history);
  await model.dispose();
  return { end, checkpoints };
}

async function resumed(train: FitData, options: FitOptions, from: Uint8Array): Promise<string> {
  const model = make();
  try {
    const history = await model.fit(train, { ...quiet, ...options, resume: from });
    return outcomeOf(model, history);
  } finally {
    await model.dispose();
  }
}

t.test('dropout, batch norm, Adam, a schedule, shuffling: from every checkpoint the same bits', async (t) => {
  const options = (): FitOptions => ({
    epochs: 4,
    batchSize: 16,
    seed: 9,
    learningRate: schedules.cosineDecay({ rate: 0.05, steps: 24, warmup: 3 }),
    validation: { x, y },
  });
  const { end, checkpoints } = await interruptible({ x, y }, options, 5);
  t.equal(checkpoints.length, 8, 'after steps 5, 10, 15, 20 and epochs 1 to 4');
  for (const [i, from] of checkpoints.entries()) {
    t.equal(await resumed({ x, y }, options(), from), end, `checkpoint ${i}`);
  }
});

t.test('data sets: in memory, as streams, through a buffer', async (t) => {
  const base = Dataset.from({ x, y });
  const sets: readonly (readonly [string, FitData])[] = [
    ['rows', base.shuffle({ seed: 2 })],
    ['batches', base.shuffle({ seed: 2 }).batch(16)],
    [
      'a map that draws',
      base.shuffle({ seed: 2 }).map(({ x, y }, { random }) => ({
        x: (x as Float32Array).map((v) => v + random.normal(0, 0.1)),
        y,
      })),
    ],
    [
      'a buffer',
      base
        .filter(({ y }) => y === 1 || true)
        .shuffle({ seed: 2, buffer: 20 })
        .prefetch(4),
    ],
    [
      'a function',
      function* (epoch: number) {
        for (let i = 0; i < n; i++) yield { x: points[(i * 7 + epoch) % n]!, y: y[(i * 7 + epoch) % n]! };
      },
    ],
  ];
  for (const [name, set] of sets) {
    const options = (): FitOptions => ({ epochs: 3, ...(name === 'batches' ? {} : { batchSize: 16 }) });
    const { end, checkpoints } = await interruptible(set, options, 4);
    for (const i of [0, 2, 4])
      t.equal(await resumed(set, options(), checkpoints[i]!), end, `${name}, checkpoint ${i}`);
  }
});

t.test('callbacks go on where they were, too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const log = join(folder, 'log.csv');
  const lines: string[] = [];
  const best: number[] = [];
  const given = (): FitOptions => ({
    epochs: 9,
    batchSize: 16,
    validation: { x, y },
    callbacks: [
      callbacks.earlyStopping({ patience: 3, restoreBest: true }),
      callbacks.reduceOnPlateau({ patience: 1, factor: 0.3 }),
      callbacks.csvLog(log),
      callbacks.jsonlLog((line) => lines.push(line)),
      callbacks.bestCheckpoint({ to: (_, { epoch }) => best.push(epoch) }),
    ],
  });
  const { end, checkpoints } = await interruptible({ x, y }, given, 11);
  const [wholeLog, wholeLines, wholeBest] = [await readFile(log, 'utf8'), lines.splice(0), best.splice(0)];
  t.ok(wholeLog.split('\n').length > 4);
  for (const [i, from] of checkpoints.entries()) {
    const { training } = JSON.parse(state.readSafetensors(from).metadata['heddle']!) as {
      training: { epoch: number };
    };
    t.equal(await resumed({ x, y }, given(), from), end, `checkpoint ${i}`);
    t.equal(await readFile(log, 'utf8'), wholeLog, 'the log is as if nothing had happened');
    t.same(lines.splice(0), wholeLines.slice(training.epoch - 1));
    t.same(
      best.splice(0),
      wholeBest.filter((epoch) => epoch >= training.epoch),
    );
  }
  await t.rejects(resumed({ x, y }, { epochs: 9, batchSize: 16 }, checkpoints[0]!), {
    code: 'HDL1020',
    message: /state of callback 1, and there is none here/,
  });
});

t.test('metrics that keep values, and many steps at a time', async (t) => {
  const make = (): Model =>
    new Model({ input: [2] }).add(nn.dense(1)).compile({
      loss: losses.binaryCrossEntropy,
      optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
      metrics: [metrics.rocAuc()],
      threads: 1,
    });
  const target = Float32Array.from(y);
  const options = { epochs: 2, batchSize: 2, ...quiet };
  const whole = make();
  const want = outcomeOf(whole, await whole.fit({ x, y: target }, options));
  const half = make();
  const at: Uint8Array[] = [];
  const keep = callbacks.checkpoint({
    path: (bytes) => at.push(bytes),
    everySteps: 61,
    onInterrupt: 'ignore',
  });
  t.equal(outcomeOf(half, await half.fit({ x, y: target }, { ...options, callbacks: [keep] })), want);
  t.equal(at.length, 2, 'step 61, in the second epoch, and the end');
  const rest = make();
  t.equal(outcomeOf(rest, await rest.fit({ x, y: target }, { ...options, resume: at[0]! })), want);
  for (const model of [whole, half, rest]) await model.dispose();
});

t.test('stopped by a signal: what is saved goes on', async (t) => {
  const options = { epochs: 3, batchSize: 8, ...quiet };
  const whole = make();
  const want = outcomeOf(whole, await whole.fit({ x, y }, options));
  for (const stopAt of [1, 7, 12, 13]) {
    const control = new AbortController();
    const at: Uint8Array[] = [];
    const stopper: Callback = {
      onBatchEnd: ({ step }) => {
        if (step === stopAt) control.abort();
      },
    };
    const keep = callbacks.checkpoint({
      path: (bytes) => at.push(bytes),
      everyEpochs: 100,
      onInterrupt: 'ignore',
    });
    const half = make();
    await half.fit({ x, y }, { ...options, signal: control.signal, callbacks: [stopper, keep] });
    t.equal(at.length, 1);
    const rest = make();
    t.equal(
      outcomeOf(rest, await rest.fit({ x, y }, { ...options, resume: at[0]! })),
      want,
      `step ${stopAt}`,
    );
    await half.dispose();
    await rest.dispose();
  }
  const longer = make();
  const listeners = process.listenerCount('SIGINT');
  const at: Uint8Array[] = [];
  const keep = callbacks.checkpoint({ path: (bytes) => at.push(bytes), everyEpochs: 2 });
  await longer.fit({ x, y }, { ...options, epochs: 2, callbacks: [keep] });
  t.equal(at.length, 1, 'the last epoch and the end are one checkpoint');
  t.equal(outcomeOf(longer, await longer.fit({ x, y }, { ...options, resume: at[0]! })), want, 'more epochs');
  t.equal(process.listenerCount('SIGINT'), listeners, 'nobody listens any more');
  await whole.dispose();
  await longer.dispose();
});

t.test('stopped in the midst of a run of many steps, on two threads', async (t) => {
  const make = (): Model =>
    new Model({ input: [2] })
      .add(nn.dense(64), nn.batchNorm(), nn.relu(), nn.dropout(0.3), nn.dense(64), nn.relu(), nn.dense(2))
      .compile({
        loss: losses.softmaxCrossEntropy,
        optimizer: optimizers.adam(),
        metrics: [metrics.accuracy()],
        threads: 2,
      });
  const options = { epochs: 150, batchSize: 10, ...quiet };
  const whole = make();
  const want = outcomeOf(whole, await whole.fit({ x, y }, options));
  let resume: Uint8Array | undefined;
  const seen: number[] = [];
  // Whenever that is: a run, between two, at the end of an epoch.
  for (const ms of [1, 4, 9, 16]) {
    const half = make();
    let isAsked = false;
    const at: Uint8Array[] = [];
    const keep = callbacks.checkpoint({ path: (b) => at.push(b), everyEpochs: 1000, onInterrupt: 'ignore' });
    const stopper: Callback = {
      everySteps: 100,
      onPause: ({ step, reason }, run) => {
        if (reason === 'steps' && !isAsked) setTimeout(() => run.stop(), ms);
        isAsked = true;
        seen.push(step);
      },
    };
    const going = resume === undefined ? {} : { resume };
    await half.fit({ x, y }, { ...options, ...going, callbacks: [stopper, keep] });
    resume = at[0]!;
    await half.dispose();
  }
  const rest = make();
  t.equal(
    outcomeOf(rest, await rest.fit({ x, y }, { ...options, resume: resume! })),
    want,
    `stopped at ${seen.at(-1)}`,
  );
  await whole.dispose();
  await rest.dispose();
});

t.test('files: names, how many are kept, the newest', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'run (a)-{epoch}-{step}.safetensors');
  const options = { batchSize: 16, ...quiet };
  const model = make();
  await writeFile(join(folder, 'run (a)-x.safetensors'), 'not one of them');
  await model.fit(
    { x, y },
    { ...options, epochs: 2, callbacks: [callbacks.checkpoint({ path, everySteps: 3, keep: 2 })] },
  );
  t.same((await readdir(folder)).sort(), [
    'run (a)-2-12.safetensors',
    'run (a)-2-9.safetensors',
    'run (a)-x.safetensors',
  ]);
  const other = make();
  const history = await other.fit({ x, y }, { ...options, epochs: 2, resume: path });
  t.equal(history['loss']!.length, 2);
  t.same(other.program.state(), model.program.state());
  const fresh = await other.fit(
    { x, y },
    { ...options, resume: { path: join(folder, 'none-{step}.safetensors'), ifExists: true } },
  );
  t.equal(fresh['loss']!.length, 1, 'without a checkpoint it begins anew');
  await t.rejects(other.fit({ x, y }, { ...options, resume: join(folder, 'none.safetensors') }), {
    code: 'HDL0016',
    message: /there is such a file/,
  });
  const single = join(folder, 'one.safetensors');
  await model.fit({ x, y }, { ...options, callbacks: [callbacks.checkpoint({ path: single })] });
  t.ok((await readFile(single)).length > 0);
  t.notOk((await readdir(folder)).some((name) => name.endsWith('.part')));
  for (const wrong of [
    { path: '' },
    { path: 'a', everySteps: 0 },
    { path: 'a', everyEpochs: 1.5 },
    { path: 'a', keep: 3 },
    { path: 'a', onInterrupt: 'save' as never },
  ]) {
    t.throws(() => callbacks.checkpoint(wrong), { code: 'HDL0003' });
  }
  await model.dispose();
  await other.dispose();
});

t.test('what does not fit is refused, and the model stays as it was', async (t) => {
  const options = { batchSize: 16, ...quiet };
  const source = make();
  const at: Uint8Array[] = [];
  await source.fit(
    { x, y },
    { ...options, callbacks: [callbacks.checkpoint({ path: (b) => at.push(b), everySteps: 2 })] },
  );
  const good = at[0]!;
  await source.dispose();

  const model = make();
  await model.fit({ x, y }, { ...options, seed: 3 });
  const before = JSON.stringify([...model.program.state()]);
  const refuses = async (from: Uint8Array, message: RegExp, more: FitOptions = {}): Promise<void> => {
    await t.rejects(model.fit({ x, y }, { ...options, ...more, resume: from }), { code: 'HDL1020', message });
    t.equal(JSON.stringify([...model.program.state()]), before, 'nothing has changed');
  };
  await refuses(good.subarray(0, good.length - 1), /the file is cut short/);
  await refuses(good.subarray(0, 100), /its header would end/);
  await refuses(good, /batchSize: 16, this one batchSize: 8/, { batchSize: 8 });
  await refuses(good, /seed: 0, this one seed: 1/, { seed: 1 });
  await refuses(good, /shuffle: true, this one shuffle: false/, { shuffle: false });
  await t.rejects(model.fit({ x: x.slice(2), y: y.slice(1) }, { ...options, resume: good }), {
    message: /examples: 90, this one examples: 89/,
  });
  await t.rejects(model.fit(Dataset.from({ x, y }), { ...options, resume: good }), {
    message: /data: arrays, this one data: dataset/,
  });
  const { tensors, metadata } = state.readSafetensors(good);
  const changed = (change: (all: Map<string, state.StoredTensor>) => void): Uint8Array => {
    const all = new Map(tensors);
    change(all);
    return state.writeSafetensors(all, metadata);
  };
  await refuses(
    changed((all) => all.delete('dense1/w')),
    /it has no 'dense1\/w'/,
  );
  await refuses(
    changed((all) => all.set('dense9/w', all.get('dense1/w')!)),
    /it has 'dense9\/w'/,
  );
  await refuses(
    changed((all) => all.set('dense1/w', { ...all.get('dense1/w')!, shape: [3, 4] })),
    /'dense1\/w' is f32\[3, 4\]\n {2}rule: here it is f32\[2, 6\]/,
  );
  await refuses(
    changed((all) => all.set('random/counter', { dtype: 'i32', shape: [], data: Int32Array.of(1) })),
    /'random\/counter' is i32\[\]\n {2}rule: here it is u32\[\]/,
  );
  await refuses(
    changed((all) => all.set('bn1/scale', { dtype: 'f64', shape: [6], data: new Float64Array(6) })),
    /'bn1\/scale' is f64/,
  );
  await refuses(state.writeSafetensors(tensors, {}), /its format is not told/);
  await refuses(state.writeSafetensors(tensors, { ...metadata, heddle: '{' }), /its metadata cannot be read/);
  await refuses(
    state.writeSafetensors(tensors, {
      ...metadata,
      heddle: metadata['heddle']!.replace('"step":2', '"step":-2'),
    }),
    /its metadata cannot be read/,
  );
  const bytes: Uint8Array[] = [];
  await model.saveCheckpoint((b) => bytes.push(b));
  await refuses(bytes[0]!, /was not made during a training/);
  const other = make({ seed: 5 });
  await t.rejects(other.fit({ x, y }, { ...options, resume: good }), {
    message: /program has seed 4, this one 5/,
  });
  const wider = make({ units: 7 });
  await t.rejects(wider.loadCheckpoint(good), { code: 'HDL1020', message: /'dense1\/w' is f32\[2, 6\]/ });
  for (const m of [model, other, wider]) await m.dispose();
});

t.test('model.saveCheckpoint, loadCheckpoint, exportNpz', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'model.safetensors');
  const trained = make();
  await trained.saveCheckpoint(path);
  await trained.fit({ x, y }, { batchSize: 16, ...quiet });
  await trained.saveCheckpoint(path, { note: 'after one epoch' });
  const loaded = make();
  t.same(await loaded.loadCheckpoint(path), { note: 'after one epoch' });
  t.same(loaded.program.state(), trained.program.state());
  const further = { batchSize: 16, seed: 3, ...quiet };
  t.same(await loaded.fit({ x, y }, further), await trained.fit({ x, y }, further), 'with all state');
  const arrays = await data.loadNpz(await trained.exportNpz());
  t.same(arrays['dense1/w']!.data, trained.program.get('dense1/w').data);
  t.same(arrays['dense1/w']!.shape, [2, 6]);
  await trained.dispose();
  await loaded.dispose();
});

t.test('a step that is written by hand', async (t) => {
  const make = () => {
    const w = variable('w', [2], initializers.uniform(-1, 1));
    return program(
      {
        train: entry(
          { x: tensor(['batch', 2]), y: tensor(['batch']) },
          ({ x, y }, ctx) => {
            const loss = mean(square(sub(sum(mul(nn.dropout(0.5).apply(x, ctx) as typeof x, w), 1), y)));
            const [dw] = grad(loss, [w]);
            ctx.assign(w, sub(w, mul(0.1, dw!)));
            return { loss };
          },
          { training: true },
        ),
      },
      { threads: 1 },
    );
  };
  const feed = {
    x: [
      [1, 2],
      [3, -1],
    ],
    y: [1, 2],
  };
  const whole = make();
  const steps = async (p: ReturnType<typeof make>, k: number) =>
    (await p.run('train', { steps: k, feed })).loss.data;
  const want = [...(await steps(whole, 10))];
  const half = make();
  const got = [...(await steps(half, 4))];
  const bytes: Uint8Array[] = [];
  await half.saveCheckpoint((b) => bytes.push(b), { step: '4' });
  const rest = make();
  await t.rejects(rest.loadCheckpoint(bytes[0]!), {
    code: 'HDL1020',
    message: /no such variable yet.*compile/s,
  });
  await rest.compile('train', { batch: 2 });
  t.same(await rest.loadCheckpoint(bytes[0]!), { step: '4' });
  got.push(...(await steps(rest, 6)));
  t.same(got, want);
  t.same(rest.state(), whole.state());
  const wrong = new Map([...rest.state()].map(([name, v]) => [name, { ...v, shape: [9] }]));
  t.throws(() => rest.restore(wrong), { code: 'HDL1020' });
  t.same(rest.state(), whole.state());
  for (const p of [whole, half, rest]) await p.dispose();
});
