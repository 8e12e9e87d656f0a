// Augmentation: what each transform does, that a worker makes the same bits, and training on it.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  callbacks,
  Dataset,
  data,
  type FitOptions,
  HeddleError,
  losses,
  Model,
  nn,
  optimizers,
} from '../../src/index.ts';

const { augment } = data;

/** One picture [2, 3, 4] of the numbers 0 … 23. */
const picture = { data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [2, 3, 4] };
const planes = (p: { readonly data: Float32Array }): number[][] =>
  Array.from({ length: 6 }, (_, row) => [...p.data.subarray(row * 4, row * 4 + 4)]);

async function one(transforms: readonly data.augment.Transform[], seed = 0): Promise<number[][]> {
  const [element] = await Dataset.from([{ x: picture }])
    .augment(transforms, { seed })
    .toArray();
  return planes(element!.x as never);
}

t.test('flip', async (t) => {
  const rows = planes(picture);
  t.same(
    await one([augment.flip({ horizontal: 1 })]),
    rows.map((r) => [...r].reverse()),
  );
  t.same(
    await one([augment.flip({ horizontal: 0, vertical: 1 })]),
    [2, 1, 0, 5, 4, 3].map((r) => rows[r]),
  );
  t.same(await one([augment.flip({ horizontal: 0 })]), rows);
  const seeds = await Promise.all(Array.from({ length: 200 }, (_, seed) => one([augment.flip()], seed)));
  const flipped = seeds.filter((r) => r[0]![0] === 3).length;
  t.ok(flipped > 70 && flipped < 130, `${flipped} of 200 are mirrored`);
});

t.test('crop: every shift is a window of the padded picture', async (t) => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 120; seed++) {
    const rows = await one([augment.crop({ padding: 1, fill: -1 })], seed);
    const at = (c: number, row: number, column: number): number =>
      row >= 0 && row < 3 && column >= 0 && column < 4 ? c * 12 + row * 4 + column : -1;
    const found = [-1, 0, 1].flatMap((down) =>
      [-1, 0, 1]
        .filter((right) =>
          rows.every((r, i) => r.every((v, x) => v === at(Math.floor(i / 3), (i % 3) + down, x + right))),
        )
        .map((right) => `${down},${right}`),
    );
    t.equal(found.length, 1);
    seen.add(found[0]!);
  }
  t.equal(seen.size, 9, 'all shifts occur');
  t.same(await one([augment.crop({ padding: 0 })]), planes(picture));
  for (let seed = 0; seed < 20; seed++) {
    const far = await one([augment.crop({ padding: 9, fill: 5 })], seed);
    t.ok(
      far.flat().every((v) => Number.isInteger(v) && v >= 0 && v < 24),
      'also beyond the picture',
    );
  }
});

t.test('noise and normalize', async (t) => {
  const big = { data: new Float32Array(3 * 50 * 50).fill(0.5), shape: [3, 50, 50] };
  const [{ x }] = (await Dataset.from([{ x: big }])
    .augment([augment.noise({ deviation: 0.1 })])
    .toArray()) as [{ x: typeof big }];
  const mean = x.data.reduce((a, b) => a + b) / x.data.length;
  const deviation = Math.sqrt(x.data.reduce((a, b) => a + (b - mean) ** 2, 0) / x.data.length);
  t.ok(Math.abs(mean - 0.5) < 0.01 && Math.abs(deviation - 0.1) < 0.01, `${mean} ${deviation}`);
  const bytes = { data: Uint8Array.of(0, 255, 51, 102), shape: [2, 1, 2] };
  const list = async (transforms: readonly data.augment.Transform[]): Promise<number[]> => {
    const [element] = await Dataset.from([{ x: bytes }])
      .augment(transforms)
      .toArray();
    return [...(element!.x as unknown as { data: Float32Array }).data].map((v) => Number(v.toFixed(5)));
  };
  t.same(await list([]), [0, 1, 0.2, 0.4], 'bytes are fractions of 255');
  t.same(await list([augment.normalize({ mean: 0.5, deviation: 0.25 })]), [-2, 2, -1.2, -0.4]);
  t.same(await list([augment.normalize({ mean: [0, 0.2], deviation: [1, 0.1] })]), [0, 1, 0, 2]);
});

const shapes = data.shapes(150, 3);
const all = [
  augment.flip({ vertical: 0.3 }),
  augment.crop({ padding: 3 }),
  augment.noise(),
  augment.normalize(data.statistics(shapes.images)),
];

async function pixels(set: Dataset, epoch: number, from = 0): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const { x, y } of set.epoch(epoch, from)) {
    const { data } = x as { readonly data: Float32Array };
    parts.push(Buffer.from(data.slice().buffer), Buffer.of(Number(y)));
  }
  return Buffer.concat(parts);
}

t.test('a worker makes the same bits, in every epoch, from every place', async (t) => {
  const base = Dataset.pictures(shapes).shuffle({ seed: 2 });
  const here = base.augment(all, { seed: 7 });
  const there = base.augment(all, { seed: 7, worker: true });
  for (const [epoch, from] of [
    [0, 0],
    [1, 0],
    [1, 40],
    [1, 149],
    [2, 150],
  ] as const) {
    t.ok((await pixels(there, epoch, from)).equals(await pixels(here, epoch, from)), `${epoch} ${from}`);
  }
  t.notOk((await pixels(here, 0)).equals(await pixels(here, 1)));
  const [a, b] = await Promise.all([pixels(there, 3), pixels(there, 4)]);
  t.ok(a.equals(await pixels(here, 3)) && b.equals(await pixels(here, 4)), 'two epochs at a time');
  t.equal(there.size, 150);
  t.equal(
    shapes.images.reduce((n, v) => n + v, 0),
    data.shapes(150, 3).images.reduce((n, v) => n + v, 0),
    'pictures are not written to',
  );
  const mixed = Dataset.from([
    { x: { data: Uint8Array.of(255), shape: [1, 1, 1] } },
    { x: { data: [1, 2], shape: [1, 1, 2] } },
  ]);
  t.same(
    await mixed.augment([], { worker: true }).toArray(),
    await mixed.augment([]).toArray(),
    'sizes may differ',
  );
});

t.test('training on it is the same, too', async (t) => {
  const trained = async (worker: boolean, options: FitOptions = {}): Promise<unknown> => {
    const model = new Model({ input: [1, 28, 28] })
      .add(nn.flatten(), nn.dense(10))
      .compile({ loss: losses.softmaxCrossEntropy, optimizer: optimizers.sgd(), threads: 1 });
    const set = Dataset.pictures(shapes).shuffle().augment(all, { worker }).batch(32).prefetch();
    const history = await model.fit(set, { epochs: 2, verbose: false, ...options });
    const values = [...model.program.state()].map(([name, { data }]) => [name, ...data]);
    await model.dispose();
    return [history, values];
  };
  const checkpoints: Uint8Array[] = [];
  const keep = callbacks.checkpoint({
    path: (b) => checkpoints.push(b),
    everySteps: 3,
    onInterrupt: 'ignore',
  });
  const want = await trained(false);
  t.same(await trained(true, { callbacks: [keep] }), want);
  t.equal(checkpoints.length, 4, 'steps 3, 6, 9 and the end');
  for (const resume of checkpoints) t.same(await trained(true, { resume }), want, 'resumed');
});

t.test('errors come from the worker as they are, and the next epoch works', async (t) => {
  const wrong = [augment.normalize({ mean: [1, 2, 3] })];
  const set = Dataset.pictures(shapes).augment(wrong, { worker: true });
  for (let i = 0; i < 2; i++) {
    await t.rejects(pixels(set, 0), {
      code: 'HDL0016',
      message: /3 numbers of pictures with 1 channels.*order of dimensions/s,
    });
  }
  const error = await pixels(set, 0).catch((e: unknown) => e);
  t.ok(error instanceof HeddleError);
  await t.rejects(pixels(Dataset.pictures(shapes).augment(wrong), 0), { code: 'HDL0016' });
});

t.test('what is refused', async (t) => {
  const set = Dataset.pictures(shapes);
  const refuses = (act: () => unknown, message: RegExp): void => {
    t.throws(act, { code: 'HDL0003', message });
  };
  refuses(
    () => set.augment([((x: unknown) => x) as never], { worker: true }),
    /functions run on the main thread, in map.*cannot be sent to the worker/s,
  );
  refuses(() => set.augment([augment.flip as never]), /the function flip.*call it: data.augment.flip\(\)/s);
  refuses(
    () => set.augment([{ name: 'blur', options: {} }]),
    /transforms are made by data.augment: flip, crop, noise, normalize/,
  );
  refuses(() => set.batch(4).augment([]), /augment before batch/);
  refuses(() => augment.flip({ horizontal: 2 }), /horizontal: 2/);
  refuses(() => augment.crop({ padding: 1.5 }), /padding/);
  refuses(() => augment.noise({ deviation: -1 }), /deviation: -1/);
  refuses(() => augment.normalize({ deviation: 0 }), /deviation: 0/);
  refuses(() => set.augment([], { worker: true }).shuffle(), /shuffle of data/);
  await t.rejects(
    Dataset.from({ x: new Float32Array(8), y: [0, 1] })
      .augment([])
      .toArray(),
    {
      code: 'HDL0016',
      message: /augment of 'x', which is 4 numbers without a shape.*give the columns their shape/s,
    },
  );
  await t.rejects(set.augment([], { field: 'image' }).toArray(), { message: /'image', which is missing/ });
  await t.rejects(
    Dataset.from({ x: { data: [1, 2], shape: [1, 2] } })
      .augment([])
      .toArray(),
    { message: /without a shape|is a object/ },
  );
});

t.test('the loader does not keep a process alive', async (t) => {
  const script = `
    import { Dataset, data } from '${new URL('../../src/index.js', import.meta.url)}';
    const set = Dataset.pictures(data.shapes(80, 1)).augment([data.augment.flip()], { worker: true });
    let n = 0;
    for await (const e of set) if (++n === 50) break;
    console.log(n);
  `;
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'main.mjs'), script);
  const output = execFileSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8' });
  t.equal(output, '50\n');
});
