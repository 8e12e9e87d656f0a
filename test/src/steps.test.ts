// Many steps of a program in one call: the same bits as step by step, for any number of workers and every feed.

import t from 'tap';
import type { Machine } from '../../compiler/kernel/ir.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { loadPlans } from '../../runtime/file.ts';
import * as h from '../../src/index.ts';

const batch = 12;
const examples = 40;
const steps = 50;
const draws = h.random(3, 'examples');
const images = Float32Array.from({ length: examples * 2 * 6 * 6 }, () => 2 * draws.uniform() - 1);
const labels = Int32Array.from({ length: examples }, (_, i) => (i * 7) % 3);
const order = Int32Array.from({ length: steps * batch }, (_, i) => (i * 11 + (i >> 3)) % examples);

/** A net with a convolution, batch norm and dropout; `train` and `evaluate`. */
function makeProgram(options: h.ProgramOptions) {
  const { conv2d, batchNorm, relu, dropout, dense, flatten, sequential } = h.nn;
  const net = sequential([
    conv2d(4, 3, { padding: 1 }),
    batchNorm(),
    relu(),
    flatten(),
    dropout(0.4),
    dense(3),
  ]);
  const inputs = { x: h.tensor(['batch', 2, 6, 6]), y: h.tensor(['batch'], 'i32') };
  return h.program(
    {
      train: h.entry(
        inputs,
        ({ x, y }, ctx) => {
          const loss = h.losses.softmaxCrossEntropy(net.apply(x, ctx), y);
          const parameters = h.parametersOf(loss);
          h.optimizers.adam({ learningRate: 0.01 }).update(parameters, h.grad(loss, parameters), ctx);
          return { loss };
        },
        { training: true },
      ),
      evaluate: h.entry(inputs, ({ x, y }, ctx) => {
        const logits = net.apply(x, ctx);
        return { loss: h.losses.softmaxCrossEntropy(logits, y), logits };
      }),
    },
    { seed: 5, ...options },
  );
}

type Made = ReturnType<typeof makeProgram>;
const state = (p: Made): Record<string, number[]> =>
  Object.fromEntries(p.variables().map(({ name }) => [name, [...p.get(name).data]]));
const restore = (p: Made, saved: Record<string, number[]>): void => {
  for (const [name, values] of Object.entries(saved)) p.set(name, values);
};
const batchAt = (step: number) => {
  const rows = order.subarray(step * batch, (step + 1) * batch);
  return {
    x: h.data.gatherRows({ data: images, rowSize: 72 }, rows),
    y: h.data.gatherRows({ data: labels, rowSize: 1 }, rows),
  };
};
const set = () => h.resident({ x: { data: images, shape: [examples, 2, 6, 6] }, y: labels });

/** Where work is dear and company costs nothing: whatever can be cut is, and all of it is shared. */
const eager: Machine = {
  flopsPerNs: 0.01,
  bytesPerNs: 0.01,
  nearBytesPerNs: 0.01,
  callNs: 0.001,
  barrierNs: 0.001,
  wakeNs: 0.001,
};

t.test(
  'fifty steps with batch norm and dropout: same bits for any number of workers, and one by one',
  async (t) => {
    const single = makeProgram({ threads: 1 });
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      losses.push((await single.run('train', batchAt(step))).loss.data[0]!);
    }
    const wanted = state(single);
    t.ok(losses.at(-1)! < losses[0]!, 'it learns');
    for (const threads of [1, 2, 3, 4, 8]) {
      const p = makeProgram({ threads, machine: eager });
      const { loss } = await p.run('train', { steps, feed: set().rows(order) });
      t.same([...loss.data], losses, `${threads} threads`);
      t.same(state(p), wanted);
      const { schedules } = loadPlans(await p.save()).plans[0]!.manifest;
      const { lists } = schedules.find(({ workers }) => workers === threads)!;
      const runs = lists.map((list) => list.filter((item) => item.do === 'run'));
      t.ok(
        runs.every((own) => own.length > 0),
        'all have something to do',
      );
      const isShared = runs.flat().some(({ shared }) => shared !== undefined);
      t.equal(isShared, threads === 2 || threads === 3, 'and two and three have ranges long enough to share');
      await p.dispose();
    }
    await single.dispose();
  },
);

t.test('feeds: rows of data, iterators, constants', async (t) => {
  async function* loader() {
    for (let step = 0; step < steps; step++) {
      if (step % 9 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      yield batchAt(step);
    }
  }
  const feeds = {
    resident: () => h.resident({ x: { data: images, shape: [examples, 2, 6, 6] }, y: labels }, order),
    flat: () => h.resident({ x: images, y: labels }).rows([...order]),
    iterator: () => Array.from({ length: steps }, (_, step) => batchAt(step)),
    loader,
  };
  for (const target of ['wasm', 'js'] as const) {
    const p = makeProgram({ threads: 2, target });
    await p.compile('train', { batch });
    const initial = state(p);
    const results: unknown[] = [];
    for (const feed of Object.values(feeds)) {
      restore(p, initial);
      const { loss } = await p.run('train', { steps, feed: feed() });
      results.push({ loss: [...loss.data], state: state(p) });
    }
    await p.dispose();
    for (const other of results.slice(1)) t.same(other, results[0], target);
  }
});

t.test('what is returned, and the reference', async (t) => {
  for (const target of ['wasm', 'reference'] as const) {
    const p = makeProgram({ threads: 2, target });
    const feed = set();
    const rows = feed.rows(order.subarray(0, 3 * batch));
    const results = await p.run('evaluate', { steps: 3, feed: rows });
    t.same(results.loss.shape, [3]);
    t.same(results.logits.shape, [3, batch, 3], 'small outputs of each step');
    const last = await p.run('evaluate', { steps: 3, feed: rows, outputs: { logits: 'last', loss: 'none' } });
    t.same(Object.keys(last), ['logits']);
    t.same(last.logits.shape, [batch, 3]);
    t.same(last.logits.data, results.logits.data.slice(-3 * batch));
    const rates = await p.run('train', {
      steps: 3,
      feed: rows,
      schedules: { 'optimizer/learningRate': [0.1, 0.01, 0] },
    });
    t.same(rates.loss.shape, [3]);
    t.equal(p.get('optimizer/learningRate').data[0], 0);
    const constant = await p.run('evaluate', { steps: 2, feed: batchAt(0) });
    t.equal(constant.loss.data[0], constant.loss.data[1]);
    await feed.release();
    await p.dispose();
  }
});

t.test('inputs written in place', async (t) => {
  for (const [target, threads] of [
    ['wasm', 2],
    ['js', 1],
    ['reference', 1],
  ] as const) {
    const p = makeProgram({ threads, target });
    const inputs = await p.inputs('train', { batch });
    const initial = state(p);
    const losses: unknown[] = [];
    for (let step = 0; step < 3; step++) {
      const { x, y } = batchAt(step);
      inputs.x.set(x);
      inputs.y.set(y);
      losses.push((await p.run('train', inputs)).loss);
      t.same([inputs.x, inputs.y], [x, y], 'they stay as written');
    }
    const { loss } = await p.run('train', { steps: 2, feed: inputs });
    const after = state(p);
    restore(p, initial);
    for (let step = 0; step < 3; step++) {
      t.same((await p.run('train', batchAt(step))).loss, losses[step], `${target}, ${threads}`);
    }
    t.same((await p.run('train', { steps: 2, feed: batchAt(2) })).loss, loss);
    t.same(state(p), after);
    await p.dispose();
  }
});

t.test('abort rejects with the reason of the signal, after the last complete step', async (t) => {
  const p = makeProgram({ threads: 2 });
  const q = makeProgram({ threads: 1 });
  const controller = new AbortController();
  let done = 0;
  const reason = new Error('enough');
  const running = p.run('train', {
    steps: 1_000_000,
    feed: batchAt(0),
    signal: controller.signal,
    onProgress: (progress) => {
      done = progress.done;
      t.equal(progress.steps, 1_000_000);
      controller.abort(reason);
    },
  });
  t.equal(await running.catch((error: unknown) => error), reason);
  t.ok(done > 0);
  const result = await q.runSteps('train', { steps: done, feed: batchAt(0) });
  t.equal(result.end, 'complete');
  const counts = [p, q].map((program) => program.get('optimizer/step').data[0]!);
  t.ok(counts[0]! >= counts[1]!, 'at least the steps that were told are committed');
  await Promise.all([p.dispose(), q.dispose()]);
});

t.test('what goes wrong is said', async (t) => {
  const p = makeProgram({ threads: 1, checkNumerics: true });
  const message = async (options: Parameters<Made['runSteps']>[1]) => {
    try {
      await p.run('train', options);
      return 'no error';
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      return error.message.split('\n')[0];
    }
  };
  const bad = batchAt(0);
  bad.x[3] = Number.NaN;
  t.match(
    await message({ steps: 9, feed: [batchAt(0), batchAt(1), bad, batchAt(2)] }),
    /^HDL1005: a value of .* in 'train' is not finite.* at step 2 of 9 \(counted from 0\)$/,
  );
  t.equal(p.get('optimizer/step').data[0], 2, 'two steps are committed');
  const far = Int32Array.from(order);
  far[30] = examples;
  t.match(await message({ steps, feed: set().rows(far) }), /^HDL1001: index 40 at position 30 is not a row/);
  t.match(await message({ steps: 7, feed: set().rows(order) }), /^HDL1001: 600 indices of rows for 7 steps/);
  t.match(await message({ steps: 0, feed: batchAt(0) }), /^HDL1001: 'train' cannot run 0 steps/);
  t.match(await message({ steps: 2, feed: [] }), /^HDL1001: the feed of 'train' has no batch/);
  const smaller = { x: batchAt(0).x.subarray(0, 72), y: Int32Array.of(1) };
  t.match(
    await message({ steps: 3, feed: [batchAt(0), smaller] }),
    /^HDL1001: batch 1 of the feed of 'train' has batch = 1, the first has 12/,
  );
  t.match(
    await message({ steps: 2, feed: h.resident({ x: images, y: labels, z: labels }, order) as never }),
    /^HDL1001: entry 'train' has no input 'z'/,
  );
  await p.dispose();
});

t.test('an entry with an input called steps is fed as ever; one without inputs needs no feed', async (t) => {
  const count = h.variable('count', [], h.initializers.zeros());
  const p = h.program(
    {
      add: h.entry({ steps: h.tensor([]) }, ({ steps: n }, ctx) => {
        const next = h.add(count, n);
        ctx.assign(count, next);
        return { next };
      }),
      tick: h.entry({}, (_, ctx) => {
        const next = h.add(count, 1);
        ctx.assign(count, next);
        return { next };
      }),
    },
    { threads: 1 },
  );
  t.equal((await p.run('add', { steps: 5 })).next.data[0], 5);
  t.same([...(await p.run('tick', { steps: 3 })).next.data], [6, 7, 8]);
  await p.dispose();
});

t.test('fit runs many batches at once and gives the bits of batches one by one', async (t) => {
  const train = async (perBatch: boolean) => {
    const model = new h.Model({ input: [4] }).add(
      h.nn.dense(8),
      h.nn.batchNorm(),
      h.nn.relu(),
      h.nn.dropout(0.3),
      h.nn.dense(3),
    );
    model.compile({
      loss: h.losses.softmaxCrossEntropy,
      optimizer: h.optimizers.adam({ learningRate: 0.02 }),
      metrics: [h.metrics.accuracy()],
      seed: 3,
      threads: 2,
    });
    const seen: number[] = [];
    const progress = { ...h.silent, update: (done: number) => void seen.push(done) };
    const history = await model.fit(
      { x: images.subarray(0, 4 * 150), y: Int32Array.from({ length: 150 }, (_, i) => i % 3) },
      {
        epochs: 6,
        batchSize: 8,
        progress,
        // With a signal beside a progress, each batch waits for what the progress says to the one before.
        ...(perBatch ? { signal: new AbortController().signal } : {}),
      },
    );
    const weights = model.program.variables().map(({ name }) => [...model.program.get(name).data]);
    await model.dispose();
    return { history, weights, seen };
  };
  const [many, single] = [await train(false), await train(true)];
  t.same(many, single);
  t.equal(many.seen.length, 6 * 19, 'progress hears of every batch');
});
