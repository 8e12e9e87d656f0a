// Statistics of watched values equal those computed from the values themselves, for one step and for many.

import t, { type Test } from 'tap';
import * as h from '../../src/index.ts';

const net = (options: h.ProgramOptions = {}) => {
  const dense = h.nn.dense(5, { name: 'block1/dense' });
  const head = h.nn.dense(2, { name: 'block2/dense' });
  const optimizer = h.optimizers.sgd({ learningRate: 0.1 });
  return h.program(
    {
      train: h.entry(
        { x: h.tensor(['batch', 3]) },
        ({ x }, ctx) => {
          const hidden = h.relu(dense.apply(x, ctx));
          const loss = h.mean(h.square(head.apply(hidden, ctx)));
          const params = h.parametersOf(loss);
          const [dw] = h.grad(loss, params);
          optimizer.update(params, h.grad(loss, params), ctx);
          return { loss, hidden, dw: dw! };
        },
        { training: true },
      ),
    },
    { threads: 2, ...options },
  );
};
const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i) * 2);

function expected(data: ArrayLike<number>, bins: number) {
  const list = Array.from(data);
  const [min, max] = [Math.min(...list), Math.max(...list)];
  const histogram = new Array<number>(bins).fill(0);
  for (const v of list) {
    let bin = 0;
    // The edges as the workers compute them, in f32.
    const f = Math.fround;
    while (bin < bins - 1 && v >= f(min + f(f(max - min) * f((bin + 1) / bins)))) bin++;
    histogram[bin]!++;
  }
  return {
    min,
    max,
    mean: list.reduce((a, b) => a + b, 0) / list.length,
    norm: Math.hypot(...list),
    zeros: list.filter((v) => v === 0).length / list.length,
    notFinite: 0,
    histogram,
  };
}

const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

function compare(t: Test, got: h.WatchedValue, data: ArrayLike<number>, bins = 16): void {
  const want = expected(data, bins);
  for (const key of ['min', 'max', 'mean', 'norm', 'zeros', 'notFinite'] as const) {
    t.ok(near(got[key], want[key]), `${got.path} ${key}: ${got[key]} is near ${want[key]}`);
  }
  t.same(got.histogram, want.histogram, `${got.path} histogram`);
}

for (const target of ['wasm', 'reference'] as const) {
  t.test(`${target}: one step`, async (t) => {
    const p = net({ target });
    const watch = p.watch('train', ['block1/*', 'hidden']);
    t.same(watch.last, []);
    const w = await p.run('train', { x }).then(async () => p.get('block1/dense/w'));
    const results = await p.run('train', { x });
    t.same(
      Object.keys(results),
      ['loss', 'hidden', 'dw'],
      'the output of the watch is not among the results',
    );
    t.same(
      watch.last.map((v) => [v.path, v.kind, v.shape]),
      [
        ['block1/dense/w', 'variable', [3, 5]],
        ['grad/block1/dense/w', 'gradient', [3, 5]],
        ['block1/dense/b', 'variable', [5]],
        ['grad/block1/dense/b', 'gradient', [5]],
        ['block1/dense', 'layer', [4, 5]],
        ['grad/block1/dense', 'gradient', [4, 5]],
        ['hidden', 'value', [4, 5]],
        ['grad/hidden', 'gradient', [4, 5]],
      ],
    );
    const of = (path: string) => watch.last.find((v) => v.path === path)!;
    compare(t, of('block1/dense/w'), w.data);
    compare(t, of('hidden'), results.hidden.data);
    compare(t, of('grad/block1/dense/w'), results.dw.data);
    t.ok(of('hidden').zeros > 0);
    t.equal(
      of('hidden').histogram.reduce((a, b) => a + b),
      20,
    );
    await p.dispose();
  });
}

t.test('many steps: each is recorded, results and state are as without a watch', async (t) => {
  const [plain, watched] = [net(), net()];
  const watch = watched.watch('train', 'block2', { bins: 4, gradients: false, keep: 5 });
  const feed = { x };
  const [a, b] = [
    await plain.run('train', { steps: 8, feed, outputs: { dw: 'last' } }),
    await watched.run('train', { steps: 8, feed, outputs: { dw: 'last' } }),
  ];
  t.same(b.loss, a.loss);
  t.same(b.dw, a.dw);
  t.same(watched.get('block2/dense/w'), plain.get('block2/dense/w'), 'the same bits');
  t.equal(watch.total, 8);
  t.equal(watch.steps.length, 5, 'as many as are to be kept');
  t.same(
    watch.last.map((v) => v.path),
    ['block2/dense/w', 'block2/dense/b', 'block2/dense'],
  );
  const before = watched.get('block2/dense/w').data;
  await watched.run('train', { x });
  compare(t, watch.last[0]!, before, 4);
  watch.stop();
  await watched.run('train', { x });
  t.equal(watch.total, 9, 'after stop nothing is recorded');
  await Promise.all([plain.dispose(), watched.dispose()]);
});

t.test('NaN and infinities are counted', async (t) => {
  const p = h.program({ apply: h.entry({ x: h.tensor([4]) }, ({ x }) => ({ y: h.log(x) })) }, { threads: 1 });
  const watch = p.watch('apply', 'y', { bins: 0 });
  await p.run('apply', { x: [1, 0, -1, 2] });
  t.equal(watch.last[0]!.notFinite, 2);
  t.same(watch.last[0]!.histogram, []);
  await p.dispose();
});

t.test('a saved program is without its watches', async (t) => {
  const p = net();
  await p.compile('train', { batch: 4 });
  const before = await p.save();
  p.watch('train', '*');
  await p.run('train', { x });
  t.ok((await p.save()).length === before.length);
  await p.dispose();
});

t.test('a model is watched as it trains', async (t) => {
  const model = new h.Model({ input: [3] });
  model.add(h.nn.dense(4, { name: 'first' }));
  model.add(h.nn.relu());
  model.add(h.nn.dense(2, { name: 'second' }));
  model.compile({ loss: h.losses.softmaxCrossEntropy, optimizer: h.optimizers.adam() });
  const watch = model.watch('first');
  const data = {
    x: Float32Array.from({ length: 96 }, (_, i) => Math.sin(i)),
    y: Int32Array.from({ length: 32 }, (_, i) => i % 2),
  };
  const history = await model.fit(data, { epochs: 2, batchSize: 8, verbose: false });
  t.equal(history['loss']?.length, 2);
  t.equal(watch.total, 8);
  t.same(
    watch.last.map((v) => v.path),
    ['first/w', 'grad/first/w', 'first/b', 'grad/first/b', 'first', 'grad/first'],
  );
  t.ok(watch.steps[0]![0]!.norm !== watch.last[0]!.norm, 'weights move');
  const { found } = await model.checkNumerics({ x: data.x, y: data.y });
  t.equal(found, null);
  await model.dispose();
});

t.test('what cannot be watched says why', async (t) => {
  const p = net();
  const messageOf = async (job: () => unknown): Promise<string> => {
    try {
      await job();
      return 'no error';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.match(
    await messageOf(() => p.watch('trane' as 'train', '*')),
    /HDL0014: the program has no entry 'trane'/,
  );
  t.match(await messageOf(() => p.watch('train', [])), /HDL0003: watch of 'train' with patterns \[\]/);
  t.match(
    await messageOf(() => p.watch('train', '*', { bins: 1.5 })),
    /HDL0003: .* bins is an integer in \[0, 256\]/s,
  );
  p.watch('train', 'block1/dence');
  t.match(
    await messageOf(() => p.run('train', { x })),
    /HDL0015: watch of 'train': nothing matches 'block1\/dence'\n.*\n.*\n {2}try: {2}did you mean 'block1\/dense'\?/,
  );
  await p.dispose();
});
