// Folders of pictures: MNIST's names plain and packed, CIFAR-10's batches, one level below, and what can be wrong.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { drawnFigures, readFolder } from '../../examples/support/datasets.ts';
import { InputError } from '../../examples/support/input-error.ts';
import { losses, Model, metrics, nn, optimizers } from '../../src/index.ts';

/** An IDX file of bytes: 00 00 08 rank, sizes, elements. */
function idx(shape: readonly number[], element: (i: number) => number): Uint8Array {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head[2] = 8;
  head[3] = shape.length;
  shape.forEach((n, d) => {
    head.writeUInt32BE(n, 4 + 4 * d);
  });
  const count = shape.reduce((a, b) => a * b, 1);
  return Buffer.concat([head, Uint8Array.from({ length: count }, (_, i) => element(i))]);
}

const pictures = (count: number, size = 4): Uint8Array => idx([count, size, size], (i) => (i * 37) % 256);
const labels = (count: number): Uint8Array => idx([count], (i) => i % 3);

const mnist: Readonly<Record<string, Uint8Array>> = {
  'train-images-idx3-ubyte': pictures(6),
  'train-labels-idx1-ubyte': labels(6),
  't10k-images-idx3-ubyte': pictures(2),
  't10k-labels-idx1-ubyte': labels(2),
};

/** Records of one label and 3 × 32 × 32 bytes. */
function cifar(count: number, first = 0): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) {
    bytes.fill(17 * i + 1, i * 3073, (i + 1) * 3073);
    bytes[i * 3073] = (first + i) % 10;
  }
  return bytes;
}

async function folder(t: Test, files: Readonly<Record<string, Uint8Array>>, below = ''): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'heddle-data-'));
  t.teardown(() => rm(path, { recursive: true }));
  await mkdir(join(path, below), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(path, below, name), bytes);
  return path;
}

/** The folder is refused with one line that matches. */
async function refused(
  t: Test,
  files: Readonly<Record<string, Uint8Array>>,
  message: RegExp,
  because: string,
): Promise<void> {
  const path = await folder(t, files);
  await t.rejects(readFolder(path), { constructor: InputError, message }, because);
  const text = await readFolder(path).then(String, (e: Error) => e.message);
  t.notMatch(text, /\n/, 'in one line');
}

t.test('IDX files, plain', async (t) => {
  const set = await readFolder(await folder(t, mnist));
  t.same(set.shape, [1, 4, 4]);
  t.equal(set.classes, 3);
  t.same([...set.train.y], [0, 1, 2, 0, 1, 2]);
  t.equal(set.test.y.length, 2);
  const mean = set.train.x.reduce((a, b) => a + b, 0) / set.train.x.length;
  const square = set.train.x.reduce((a, b) => a + b * b, 0) / set.train.x.length;
  t.ok(Math.abs(mean) < 1e-6 && Math.abs(square - 1) < 1e-5, 'training pictures have mean 0 and deviation 1');
});

t.test('IDX files, packed, one level below', async (t) => {
  const packed = Object.fromEntries(
    Object.entries(mnist).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]),
  );
  const set = await readFolder(await folder(t, packed, 'raw'));
  t.equal(set.name, 'raw');
  t.same((await readFolder(await folder(t, mnist))).train, set.train, 'the same as plain');
});

t.test('CIFAR-10: several batches, one of them packed', async (t) => {
  const path = await folder(t, {
    'data_batch_1.bin': cifar(3),
    'data_batch_2.bin': cifar(2, 3),
    'train_batch.bin.gz': gzipSync(cifar(2, 5)),
    'test_batch.bin': cifar(2),
  });
  const set = await readFolder(path);
  t.equal(set.name, 'CIFAR-10');
  t.same(set.shape, [3, 32, 32]);
  t.same([...set.train.y], [0, 1, 2, 3, 4, 5, 6], 'batches one after the other');
  t.equal(set.test.x.length, 2 * 3072);
});

t.test('what is wrong is said in one line', async (t) => {
  const without = (name: string): Record<string, Uint8Array> =>
    Object.fromEntries(Object.entries(mnist).filter(([key]) => key !== name));
  const withFile = (name: string, bytes: Uint8Array): Record<string, Uint8Array> => ({
    ...mnist,
    [name]: bytes,
  });
  const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length - 5);

  await t.rejects(readFolder('/no/such/folder'), { message: '/no/such/folder: there is no such folder' });
  await refused(t, {}, /neither IDX files .* nor CIFAR-10 batches/, 'an empty folder');
  await refused(
    t,
    without('t10k-labels-idx1-ubyte'),
    /there is no t10k-labels-idx1-ubyte \(or \.gz\)$/,
    'a file is missing',
  );
  await refused(
    t,
    withFile('train-images-idx3-ubyte', cut(pictures(6))),
    /train-images-idx3-ubyte: IDX file of 107 bytes should have 112 for shape \[6, 4, 4\]; the file is cut short/,
    'an IDX file is cut short',
  );
  await refused(
    t,
    { ...without('train-images-idx3-ubyte'), 'train-images-idx3-ubyte.gz': cut(gzipSync(pictures(6))) },
    /train-images-idx3-ubyte\.gz: .* does not unpack/,
    'a packed file is cut short',
  );
  await refused(
    t,
    withFile('train-labels-idx1-ubyte', labels(5)),
    /train-images-idx3-ubyte has 6 pictures and train-labels-idx1-ubyte has 5 labels/,
    'pictures and labels do not belong together',
  );
  await refused(
    t,
    withFile('train-images-idx3-ubyte', labels(6)),
    /holds \[6\], not \[count, height, width\]/,
    'labels as pictures',
  );
  await refused(
    t,
    withFile('t10k-images-idx3-ubyte', pictures(2, 5)),
    /1 × 4 × 4, test pictures 1 × 5 × 5/,
    'other sizes',
  );
  await refused(t, { 'data_batch_1.bin': cifar(2) }, /there is no test_batch\.bin/, 'no test batch');
  await refused(
    t,
    { 'data_batch_1.bin': cut(cifar(2)), 'test_batch.bin': cifar(1) },
    /data_batch_1\.bin: CIFAR-10 batch of 6141 bytes/,
    'a CIFAR-10 batch is cut short',
  );
});

t.test('drawn figures: ten classes, other pictures to be tested on', async (t) => {
  const set = drawnFigures({ train: 20, test: 20, seed: 1 });
  t.same(set.shape, [1, 28, 28]);
  t.equal(set.classes, 10);
  const bytes = (x: Float32Array): Buffer => Buffer.from(x.buffer);
  t.notOk(bytes(set.test.x).equals(bytes(set.train.x)), 'not the pictures that it learns from');
  t.same(
    drawnFigures({ train: 20, test: 20, seed: 1 }).train.x,
    set.train.x,
    'a seed gives the same pictures',
  );
});

t.test('drawn figures: a linear model does not learn them', async (t) => {
  const set = drawnFigures({ train: 3000, test: 500, seed: 1 });
  const model = new Model({ input: set.shape }).add(nn.flatten(), nn.dense(set.classes)).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.adam({ learningRate: 0.002 }),
    metrics: [metrics.accuracy()],
    threads: 1,
  });
  await model.fit(set.train, { epochs: 5, batchSize: 100, verbose: false });
  const { accuracy } = await model.evaluate(set.test, { batchSize: 100 });
  await model.dispose();
  t.ok(accuracy! < 0.5, `test accuracy ${accuracy}: the residual net reaches 0.97`);
});
