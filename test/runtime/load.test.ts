// A saved file is loaded from bytes, a path or a URL and runs without the compiler, with its weights or with others.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { load, type SavedProgram, savePlans } from '../../runtime/index.ts';
import * as h from '../../src/index.ts';
import { trainPlan } from './plans.ts';

const net = () => {
  const layer = h.nn.dense(2, { name: 'dense' });
  const x = h.tensor(['batch', 3]);
  return h.program(
    {
      predict: h.entry({ x }, ({ x }, ctx) => ({ y: layer.apply(x, ctx) })),
      train: h.entry(
        { x },
        ({ x }, ctx) => {
          const loss = h.sum(h.square(layer.apply(x, ctx)));
          const params = h.parametersOf(loss);
          h.optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }).update(params, h.grad(loss, params), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    { threads: 2 },
  );
};

const x = (batch: number) => Float32Array.from({ length: 3 * batch }, (_, i) => Math.cos(i));
const messageOf = async (job: () => Promise<unknown>): Promise<string> => {
  try {
    await job();
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
};

t.test('save to a path, load from it: the same bits, before and after training steps', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'load-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'net.heddle');
  const p = net();
  await p.compile('train', { batch: 4 });
  await p.compile('predict', { batch: 1 });
  await p.compile('predict', { batch: 2 });
  await p.run('train', { x: x(4) });
  const bytes = await p.save(path);
  const start = p.variables().map(({ name }) => [name, p.get(name).data] as const);
  t.same(new Uint8Array(await readFile(path)), new Uint8Array(bytes));
  t.same(await readdir(folder), ['net.heddle'], 'nothing else is left there');

  for (const source of [path, pathToFileURL(path), pathToFileURL(path).href, bytes]) {
    for (const threads of [1, 2]) {
      const saved: SavedProgram = await load(source, { threads });
      t.same(
        saved.entries.map((e) => [e.entry, e.inputs.map((i) => i.shape), e.outputs.map((o) => o.name)]),
        [
          ['train', [[4, 3]], ['loss']],
          ['predict', [[1, 3]], ['y']],
          ['predict', [[2, 3]], ['y']],
        ],
      );
      t.same(saved.get('dense/w').data, p.get('dense/w').data);
      const before = p.get('dense/w').data;
      for (const batch of [1, 2]) {
        t.same(
          (await saved.run('predict', { x: x(batch) }))['y'],
          (await p.run('predict', { x: x(batch) })).y,
          `batch ${batch}`,
        );
      }
      t.same((await saved.run('train', { x: x(4) }))['loss'], (await p.run('train', { x: x(4) })).loss);
      t.same(saved.get('dense/w').data, p.get('dense/w').data, 'it goes on training');
      t.notSame(saved.get('dense/w').data, before);
      for (const [name, value] of start) p.set(name, value);
      await saved.dispose();
    }
  }
  await p.dispose();
});

t.test('weights may come from elsewhere', async (t) => {
  const p = net();
  await p.compile('predict', { batch: 1 });
  const bytes = await p.save({ weights: false });
  const whole = await p.save();
  t.ok(bytes.length < whole.length);
  t.equal(
    await messageOf(() => load(bytes)),
    `HDL1006: saved plans cannot be loaded: there is no value for dense/w, dense/b
  rule: a file that was saved without weights gets the value of every variable when it is loaded
  try:  pass weights: { 'name': values, … } to load, or save it with its weights`,
  );
  const weights = { 'dense/w': p.get('dense/w').data, 'dense/b': [1, 2] };
  const saved = await load(bytes, { weights, threads: 1 });
  p.set('dense/b', [1, 2]);
  t.same((await saved.run('predict', { x: x(1) }))['y'], (await p.run('predict', { x: x(1) })).y);
  const others = new Map(p.variables().map(({ name }) => [name, p.get(name)]));
  const again = await load(whole, { weights: others, threads: 1 });
  t.same(again.get('dense/b').data, Float32Array.of(1, 2), 'given values come before those of the file');
  t.match(
    await messageOf(() => load(bytes, { weights: { ...weights, weight: [1] } })),
    /HDL1008: a value is given for 'weight', which is no variable of the file/,
  );
  t.match(
    await messageOf(() => load(bytes, { weights: { ...weights, 'dense/b': [1] } })),
    /HDL1001: initial value of variable 'dense\/b' is an array of 1 elements/,
  );
  await Promise.all([saved.dispose(), again.dispose(), p.dispose()]);
});

t.test('what cannot be run says why', async (t) => {
  const p = net();
  await p.compile('predict', { batch: 1 });
  await p.compile('predict', { batch: 2 });
  const saved = await load(await p.save(), { threads: 1 });
  t.match(await messageOf(() => saved.run('train', { x: x(1) })), /HDL1008: the file has no entry 'train'/);
  t.equal(
    await messageOf(() => saved.run('predict', { x: x(3) })),
    `HDL1001: the inputs of 'predict' fit none of the 2 sizes that it was saved for
  rule: a plan has fixed shapes
  try:  feed one of: 'x' f32[1, 3]; 'x' f32[2, 3]`,
  );
  await Promise.all([saved.dispose(), p.dispose()]);
  t.match(
    await messageOf(() => load('/no/such/file.heddle')),
    /HDL1006: '\/no\/such\/file.heddle' cannot be read: ENOENT/,
  );
  t.match(
    await messageOf(() => load(7 as never)),
    /HDL1006: '7' cannot be read: it is neither bytes nor a path/,
  );
});

t.test('features that are missing, and JavaScript, are refused with the reason', async (t) => {
  const zeros = ({ shape }: { shape: readonly number[] }) =>
    new Float32Array(shape.reduce((n, d) => n * d, 1));
  const future = savePlans([await trainPlan('wasm', { features: ['simd128', 'simd4096'] })], zeros);
  t.match(
    await messageOf(() => load(future, { threads: 1 })),
    /^HDL1006: plan 'train' cannot be loaded: it needs simd4096, and this runtime does not know it\n {2}rule: a plan runs where all features are that its code needs: simd128, simd4096/,
  );
  const js = savePlans([await trainPlan('js')], zeros);
  t.match(await messageOf(() => load(js)), /plan 'train' is for target 'js'/);
  const saved = await load(js, { trust: 'js', threads: 1 });
  t.equal(saved.entries.length, 1);
  await saved.dispose();
});

t.test('a file that cannot be written leaves nothing behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'load-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'plain'), '');
  const p = net();
  await p.compile('predict', { batch: 1 });
  t.match(await messageOf(() => p.save(join(folder, 'plain', 'net.heddle'))), /ENOTDIR/);
  t.same(await readdir(folder), ['plain']);
  await p.dispose();
});
