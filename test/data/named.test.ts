// Data sets by name: downloaded from a server that behaves badly in every way that is known, from folders, and from the cache. What
// arrives is whole and right, or there is an error, and nothing is kept.

import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { Dataset, data } from '../../src/index.ts';
import { badServer } from '../support/bad-server.ts';
import { missing, sharedFolder } from '../support/shared.ts';

const shared = `${sharedFolder}/data/classics/iris.csv`;
const skip = missing('data/classics/iris.csv');
/** As at the usual address: without names, with an empty line at the end. */
const irisFile = skip
  ? new Uint8Array(0)
  : new Uint8Array(Buffer.from(`${(await readFile(shared, 'utf8')).split('\n').slice(1).join('\n')}\n\n`));
const server = await badServer({ 'iris.data': irisFile });
t.teardown(() => server.close());

async function cache(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

const fast = {
  base: server.base,
  retryMs: 1,
  stallMs: 20_000,
  onProgress: ({ bytes }: data.DataEvent) => server.seen(bytes),
} as const;
const { length } = irisFile;

t.test('downloaded, kept, and taken from the cache', { skip }, async (t) => {
  const folder = await cache();
  server.script({ kind: 'good' });
  const events: data.DataEvent[] = [];
  const iris = await data.iris({ ...fast, cache: folder, onProgress: (event) => events.push(event) });
  t.same([iris.x.shape, iris.y.length, iris.classes.length], [[150, 4], 150, 3]);
  t.equal(Dataset.from({ x: iris.x, y: iris.y }).size, 150);
  t.same(events.at(-1), { file: 'iris.data', kind: 'verified', bytes: length, total: length });
  t.same(events.at(-2), { file: 'iris.data', kind: 'download', bytes: length, total: length });
  t.same(await readdir(join(folder, 'iris')), ['iris.data']);
  await data.iris({ ...fast, cache: folder });
  t.equal(server.requests.length, 1, 'asked for once');
  await writeFile(join(folder, 'iris/iris.data'), irisFile.subarray(0, 100));
  await data.iris({ ...fast, cache: folder });
  t.equal(server.requests.length, 2, 'what is damaged on the disk is downloaded again');
  t.equal((await readFile(join(folder, 'iris/iris.data'))).length, length);
  await data.iris({ ...fast, cache: null });
  t.equal(server.requests.length, 3, 'without a cache nothing is kept');
});

t.test('several at once: one downloads, the others wait for it', { skip }, async (t) => {
  const folder = await cache();
  server.script({ kind: 'good' });
  const all = await Promise.all([1, 2, 3].map(() => data.iris({ ...fast, cache: folder })));
  t.same(
    all.map((iris) => iris.y.length),
    [150, 150, 150],
  );
  t.equal(server.requests.length, 1);
  t.same(await readdir(join(folder, 'iris')), ['iris.data'], 'and nobody has a lock');

  const other = await cache();
  await mkdir(join(other, 'iris'));
  const path = join(other, 'iris/iris.data.lock');
  await writeFile(path, '999999999');
  await data.iris({ ...fast, cache: other });
  t.same(
    await readdir(join(other, 'iris')),
    ['iris.data'],
    'the lock of a process that is gone is taken over',
  );
  await rm(join(other, 'iris/iris.data'));
  await writeFile(path, String(process.pid));
  await utimes(path, 1, 1);
  await data.iris({ ...fast, cache: other });
  t.same(await readdir(join(other, 'iris')), ['iris.data'], 'and one that was not touched for long');
  await rm(join(other, 'iris/iris.data'));
  await writeFile(path, String(process.pid));
  const control = new AbortController();
  const waiting = data.iris({ ...fast, cache: other, signal: control.signal });
  setTimeout(() => control.abort(new Error('enough')), 50);
  await t.rejects(waiting, { message: 'enough' });
});

t.test('failures that pass', { skip }, async (t) => {
  const passes = async (name: string, ranges: readonly (string | undefined)[]): Promise<void> => {
    for (const folder of [await cache(), null]) {
      const requests = [...script];
      server.script(...requests);
      const isSlow = script.some(({ kind }) => kind === 'stall' || kind === 'silent');
      const iris = await data.iris({ ...fast, ...(isSlow ? { stallMs: 1500 } : {}), cache: folder });
      t.equal(iris.y.length, 150, name);
      t.same(
        server.requests.map((r) => r.range),
        ranges,
        name,
      );
      if (folder !== null) t.same(await readdir(join(folder, 'iris')), ['iris.data'], 'nothing else is left');
    }
  };
  let script: Parameters<typeof server.script> = [];
  script = [{ kind: 'break', bytes: 1000 }, { kind: 'break', bytes: 500 }, { kind: 'good' }];
  await passes('a connection that breaks is asked for the rest', [undefined, 'bytes=1000-', 'bytes=1500-']);
  script = [{ kind: 'stall', bytes: 700 }, { kind: 'good' }];
  await passes('a connection that stalls', [undefined, 'bytes=700-']);
  script = [{ kind: 'silent' }, { kind: 'good' }];
  await passes('no answer', [undefined, undefined]);
  script = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
    { kind: 'status', status: 429 },
    { kind: 'good' },
  ];
  await passes('a server that is busy', [undefined, undefined, undefined, undefined]);
  script = [{ kind: 'break', bytes: 1000 }, { kind: 'ignoreRange' }];
  await passes('a server that knows no ranges sends all', [undefined, 'bytes=1000-']);
  script = [{ kind: 'break', bytes: 1000 }, { kind: 'wrongRange' }, { kind: 'good' }];
  await passes('another range than asked for is not taken', [undefined, 'bytes=1000-', undefined]);
  script = [{ kind: 'lie', announce: length + 10 }, { kind: 'good' }];
  await passes('more announced than there is', [undefined, `bytes=${length}-`]);
  script = [{ kind: 'chunked' }];
  await passes('no length', [undefined]);
});

t.test('what another process left behind', { skip }, async (t) => {
  const folder = await cache();
  server.script({ kind: 'break', bytes: 1000 }, { kind: 'status', status: 500 });
  await t.rejects(data.iris({ ...fast, cache: folder, attempts: 2 }), {
    code: 'HDL1021',
    message: /the server answers 500.*it goes on behind the 1000 bytes that are here/s,
  });
  t.same((await readdir(join(folder, 'iris'))).sort(), ['iris.data.part', 'iris.data.part.json']);
  server.script({ kind: 'good' });
  await data.iris({ ...fast, cache: folder });
  t.same(
    server.requests.map((r) => r.range),
    ['bytes=1000-'],
    'the next one asks for the rest',
  );

  const other = await cache();
  server.script({ kind: 'break', bytes: 1000 }, { kind: 'status', status: 404 });
  await t.rejects(data.iris({ ...fast, cache: other }), { code: 'HDL1021' });
  server.change({ 'iris.data': irisFile }, '"two"');
  server.script({ kind: 'good' });
  await data.iris({ ...fast, cache: other });
  t.same(
    server.requests.map((r) => r.range),
    ['bytes=1000-'],
    'another version is sent, and taken, from its start',
  );

  const third = await cache();
  server.script({ kind: 'break', bytes: 1000 }, { kind: 'status', status: 404 });
  await t.rejects(data.iris({ ...fast, cache: third }), { code: 'HDL1021' });
  await writeFile(join(third, 'iris/iris.data.part'), Buffer.alloc(1000, 7));
  server.script({ kind: 'good' });
  const iris = await data.iris({ ...fast, cache: third });
  t.equal(iris.y.length, 150);
  t.same(
    server.requests.map((r) => r.range),
    ['bytes=1000-', undefined],
    'a beginning that turns out wrong is dropped, and all is downloaded',
  );
});

t.test('failures that stay: an error that says what to try, and nothing is kept', { skip }, async (t) => {
  const fails = async (
    script: Parameters<typeof server.script>,
    message: RegExp,
    options: data.NamedDataOptions = {},
  ): Promise<void> => {
    const folder = await cache();
    server.script(...script);
    await t.rejects(data.iris({ ...fast, cache: folder, attempts: 3, ...options }), {
      code: 'HDL1021',
      message,
    });
    const left = await readdir(join(folder, 'iris')).catch((): string[] => []);
    t.notOk(left.includes('iris.data'), 'no part of it is taken for the whole');
  };
  await fails(
    [{ kind: 'status', status: 404 }],
    /iris.data: the server answers 404 Not Found\n.*try: {2}give another base address/s,
  );
  t.equal(server.requests.length, 1, 'what is not there is asked for once');
  await fails([{ kind: 'status', status: 503 }], /answers 503 Service Unavailable \(tried 3 times\)/);
  t.equal(server.requests.length, 3);
  await fails([{ kind: 'stall', bytes: 0 }], /no byte came for 1500 ms, after 0 \(tried 3 times\)/, {
    stallMs: 1500,
  });
  await fails([{ kind: 'silent' }], /no byte came for 1500 ms/, { stallMs: 1500 });
  await fails([{ kind: 'break', bytes: 0 }], /the connection failed, after 0 bytes/);
  await fails(
    [
      { kind: 'lie', announce: length + 10 },
      { kind: 'status', status: 500 },
    ],
    /answers 500/,
  );
  await fails(
    [{ kind: 'lie', announce: 2000 }],
    /not what it should be: its SHA-256 is [0-9a-f]{64}, not 6f608b/,
  );
  await fails([{ kind: 'wrong' }], /not what it should be: its SHA-256.*nothing was kept/s);
  await fails([{ kind: 'good' }], /the connection failed/, { base: 'http://127.0.0.1:1/' });
  await t.rejects(data.iris({ base: 'iris' }), { code: 'HDL0003', message: /base: 'iris'/ });

  const control = new AbortController();
  server.script({ kind: 'stall', bytes: 100 });
  const folder = await cache();
  const stopped = data.iris({
    ...fast,
    stallMs: 60_000,
    cache: folder,
    signal: control.signal,
    onProgress: ({ bytes }) => {
      if (bytes === 100) control.abort(new Error('enough'));
    },
  });
  await t.rejects(stopped, { message: 'enough' });
  t.same(
    (await readdir(join(folder, 'iris'))).sort(),
    ['iris.data.part', 'iris.data.part.json'],
    'the rest can follow',
  );
});

/** An IDX file of bytes. */
function idx(shape: readonly number[], fill: (i: number) => number): Uint8Array {
  const count = shape.reduce((a, b) => a * b);
  const file = new Uint8Array(4 + 4 * shape.length + count);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x800 + shape.length);
  shape.forEach((d, i) => {
    view.setUint32(4 + 4 * i, d);
  });
  for (let i = 0; i < count; i++) file[4 + 4 * shape.length + i] = fill(i);
  return new Uint8Array(gzipSync(file));
}

t.test('Fashion-MNIST: no hash is known, and it is said; form and size are checked', async (t) => {
  const files = {
    'train-images-idx3-ubyte.gz': idx([60_000, 28, 28], (i) => i % 251),
    'train-labels-idx1-ubyte.gz': idx([60_000], (i) => i % 10),
    't10k-images-idx3-ubyte.gz': idx([10_000, 28, 28], (i) => i % 7),
    't10k-labels-idx1-ubyte.gz': idx([10_000], (i) => i % 10),
  };
  const fashion = await badServer(files);
  const events: string[] = [];
  const options = {
    ...fast,
    base: fashion.base.replace(/\/$/, ''),
    cache: await cache(),
    onProgress: ({ file, kind, bytes }: data.DataEvent) => {
      fashion.seen(bytes);
      if (kind !== 'download') events.push(`${file} ${kind}`);
    },
  };
  fashion.script({ kind: 'good' }, { kind: 'break', bytes: 10 }, { kind: 'good' });
  const { train, test, isVerified } = await data.fashionMnist(options);
  t.same([train.shape, test.shape, isVerified], [[60_000, 1, 28, 28], [10_000, 1, 28, 28], false]);
  t.same([train.images[252], train.labels[13]], [1, 3]);
  t.same(
    events,
    Object.keys(files).map((name) => `${name} unverified`),
  );
  const small = { ...files, 't10k-labels-idx1-ubyte.gz': idx([9_999], (i) => i % 10) };
  fashion.change(small, '"two"');
  await t.rejects(data.fashionMnist({ ...options, cache: null }), {
    code: 'HDL0016',
    message: /has \[9999\]/,
  });
  const cut = files['t10k-labels-idx1-ubyte.gz'].slice(0, 60);
  fashion.change({ ...files, 't10k-labels-idx1-ubyte.gz': cut }, '"three"');
  await t.rejects(data.fashionMnist({ ...options, cache: null }), {
    code: 'HDL1021',
    message: /t10k-labels.*not what it should be.*does not unpack/s,
  });
  await fashion.close();
});

/** A tar archive of files. */
function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar', 257);
    header.write(
      `${header
        .reduce((a, b) => a + b)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return new Uint8Array(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

t.test('CIFAR-10 from its archive', async (t) => {
  const batch = (label: number): Uint8Array => {
    const bytes = new Uint8Array(10_000 * 3073);
    for (let i = 0; i < 10_000; i++) bytes[i * 3073] = label;
    return bytes;
  };
  const archive = tar({
    'cifar-10-batches-bin/readme.html': new Uint8Array(7),
    ...Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`cifar-10-batches-bin/data_batch_${i}.bin`, batch(i)])),
    'cifar-10-batches-bin/test_batch.bin': batch(9),
  });
  const packed = new Uint8Array(gzipSync(archive, { level: 1 }));
  const toronto = await badServer({ 'cifar-10-binary.tar.gz': packed });
  toronto.script({ kind: 'break', bytes: 1000 }, { kind: 'good' });
  const { train, test, isVerified } = await data.cifar10({
    ...fast,
    onProgress: ({ bytes }) => toronto.seen(bytes),
    base: toronto.base,
    cache: null,
  });
  t.same([train.shape, test.shape, isVerified], [[50_000, 3, 32, 32], [10_000, 3, 32, 32], false]);
  t.same([train.labels[0], train.labels[49_999], test.labels[0]], [1, 5, 9]);
  const folder = await cache();
  const refuses = async (bytes: Uint8Array, message: RegExp): Promise<void> => {
    await writeFile(join(folder, 'cifar-10-binary.tar'), bytes);
    await t.rejects(data.cifar10({ folder }), { message });
  };
  await refuses(archive.subarray(0, 1_000_000), /ends within 'cifar-10-batches-bin\/data_batch_1.bin'/);
  await refuses(archive.subarray(0, archive.length - 1024), /without an end/);
  const damaged = archive.slice();
  damaged[3] = 1;
  await refuses(damaged, /wrong checksum at byte 0/);
  await refuses(tar({ 'a/test_batch.bin': batch(1) }), /without data_batch_1.bin/);
  await toronto.close();
});

t.test('from a folder', { skip }, async (t) => {
  const iris = await data.iris({ folder: `${sharedFolder}/data/classics` });
  t.same(
    [iris.x.shape, iris.classes],
    [
      [150, 4],
      ['Iris-setosa', 'Iris-versicolor', 'Iris-virginica'],
    ],
  );
  await t.rejects(data.iris({ folder: await cache() }), {
    code: 'HDL1021',
    message: /there is no iris.data.gz or iris.data or iris.csv.gz or iris.csv in/,
  });
  const folder = await cache();
  await writeFile(join(folder, 'iris.csv'), 'a,b\n1,2\n');
  await t.rejects(data.iris({ folder }), {
    code: 'HDL1021',
    message: /iris.csv is not what it should be: its SHA-256/,
  });
});

t.test(
  'MNIST from a folder: verified',
  { skip: missing('data/mnist/train-images-idx3-ubyte.gz') },
  async (t) => {
    const events: string[] = [];
    const { train, test, isVerified } = await data.mnist({
      folder: `${sharedFolder}/data/mnist`,
      onProgress: ({ kind }) => events.push(kind),
    });
    t.same([train.shape, test.shape, isVerified], [[60_000, 1, 28, 28], [10_000, 1, 28, 28], true]);
    t.same([...train.labels.subarray(0, 5)], [5, 0, 4, 1, 9]);
    t.same(events, ['verified', 'verified', 'verified', 'verified']);
  },
);

t.test('CIFAR-10 from batches', { skip: missing('data/cifar10-small/test_batch.bin.gz') }, async (t) => {
  const { train, test } = await data.cifar10({ folder: `${sharedFolder}/data/cifar10-small` });
  t.same(
    [train.shape, test.shape],
    [
      [5000, 3, 32, 32],
      [1000, 3, 32, 32],
    ],
  );
});
