// NumPy's files: written and read back, read as NumPy writes them, refused when damaged; and NumPy itself, where it is at hand.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { data } from '../../src/index.ts';

/** A file by hand: header text and elements. */
function npy(dict: string, elements: Uint8Array, major = 1): Uint8Array {
  const header = new TextEncoder().encode(`${dict}\n`);
  const length = major === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0, ...length, ...header, ...elements);
}

const dict = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`;

const samples: readonly data.NumericArray[] = [
  Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-40, 3),
  Float64Array.of(Math.PI, -0, 1e300, Number.NaN, 0, 1),
  Int8Array.of(-128, 127, 0, 1, 2, 3),
  Int16Array.of(-32768, 32767, 0, 1, 2, 3),
  Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1, 2, 3),
  Uint8Array.of(0, 255, 1, 2, 3, 4),
  Uint16Array.of(0, 65535, 1, 2, 3, 4),
  Uint32Array.of(0, 2 ** 32 - 1, 1, 2, 3, 4),
];

t.test('every dtype is read back as it was written', async (t) => {
  for (const values of samples) {
    for (const shape of [[6], [2, 3], [1, 6, 1]]) {
      const bytes = data.saveNpy({ data: values, shape });
      const read = await data.loadNpy(bytes);
      t.same(read.shape, shape);
      t.equal(read.data.constructor, values.constructor);
      t.same(
        Buffer.from(read.data.buffer),
        Buffer.from(values.buffer),
        `${values.constructor.name} ${shape}`,
      );
      t.equal((bytes.length - values.byteLength) % 64, 0, 'elements are aligned');
    }
  }
  t.same(await data.loadNpy(data.saveNpy({ data: Float32Array.of(7), shape: [] })), {
    shape: [],
    data: Float32Array.of(7),
  });
});

t.test('other byte orders, orders of dimensions, versions and sizes', async (t) => {
  const big = await data.loadNpy(npy(dict('>i4', '2,'), Uint8Array.of(0, 0, 1, 2, 255, 255, 255, 255)));
  t.same([...big.data], [258, -1]);
  const columns = await data.loadNpy(npy(dict('|u1', '2, 3', 'True'), Uint8Array.of(1, 4, 2, 5, 3, 6)));
  t.same([...columns.data], [1, 2, 3, 4, 5, 6]);
  const cube = await data.loadNpy(
    npy(dict('|u1', '2, 2, 2', 'True'), Uint8Array.of(0, 4, 2, 6, 1, 5, 3, 7), 2),
  );
  t.same([...cube.data], [0, 1, 2, 3, 4, 5, 6, 7], 'Fortran order, version 2');
  const half = await data.loadNpy(
    npy(dict('<f2', '5,'), Uint8Array.of(0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c, 0xff, 0x7b), 3),
  );
  t.same([...half.data], [1, -2, 2 ** -24, Number.POSITIVE_INFINITY, 65504]);
  const long = new Uint8Array(BigInt64Array.of(-5n, 2n ** 31n - 1n).buffer);
  t.same(await data.loadNpy(npy(dict('<i8', '2,'), long)), {
    shape: [2],
    data: Int32Array.of(-5, 2 ** 31 - 1),
  });
  const bools = await data.loadNpy(npy(dict('|b1', '2,'), Uint8Array.of(1, 0)));
  t.same(bools.data, Uint8Array.of(1, 0));
});

t.test('what is no array of numbers is refused, with the reason', async (t) => {
  const refuses = async (bytes: Uint8Array, message: RegExp): Promise<void> => {
    await t.rejects(data.loadNpy(bytes), { code: 'HDL0016', message });
  };
  const good = data.saveNpy({ data: Float32Array.of(1, 2), shape: [2] });
  await refuses(new Uint8Array(0), /does not start like one/);
  await refuses(good.subarray(0, 9), /ends after 9 bytes/);
  await refuses(good.subarray(0, 40), /ends within its header/);
  await refuses(good.subarray(0, -1), /has 135 bytes\n {2}rule: '<f4' of shape \[2\] needs 136/);
  await refuses(Uint8Array.of(...good, 0), /has 137 bytes/);
  await refuses(npy(dict('|O', '2,'), new Uint8Array(16)), /holds '\|O'/);
  await refuses(npy(dict('<U4', '2,'), new Uint8Array(32)), /holds '<U4'/);
  await refuses(
    npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", new Uint8Array(4)),
    /records/,
  );
  await refuses(npy('{}', new Uint8Array(4)), /header that cannot be read/);
  const large = new Uint8Array(BigInt64Array.of(1n, 2n ** 31n).buffer);
  await refuses(npy(dict('<i8', '2,'), large), /has 2147483648 at position 1/);
  t.throws(() => data.saveNpy({ data: Float32Array.of(1), shape: [2] }), { code: 'HDL0016' });
  await t.rejects(data.loadNpy('/nowhere/x.npy'), { code: 'HDL0016', message: /there is such a file/ });
  await t.rejects(data.loadNpy(Promise.resolve(good) as never), { message: /from a promise/ });
});

t.test('NPZ: several arrays, compressed or not, and damage', async (t) => {
  const arrays = {
    w: { data: Float32Array.from({ length: 600 }, (_, i) => Math.sin(i)), shape: [20, 30] },
    'dense1/b': { data: Int32Array.of(1, -2), shape: [2] },
  };
  for (const compress of [false, true]) {
    const bytes = await data.saveNpz(arrays, { compress });
    t.same(await data.loadNpz(bytes), arrays);
    t.same(await data.saveNpz(arrays, { compress }), bytes, 'equal arrays make equal files');
    for (const length of [0, 10, 500, bytes.length - 30, bytes.length - 1]) {
      await t.rejects(data.loadNpz(bytes.subarray(0, length)), { code: 'HDL0016' }, `cut at ${length}`);
    }
    let refused = 0;
    for (let at = 200; at < 1000; at += 100) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x10;
      await data.loadNpz(damaged).catch((error: Error) => {
        if (/HDL0016/.test(error.message)) refused++;
      });
    }
    t.equal(refused, 8, 'a changed byte is found');
  }
  await t.rejects(data.loadNpz(await data.saveNpz({})), { code: 'HDL0016', message: /holds no array/ });
});

/** NumPy, or why not. */
function noNumpy(): string | false {
  try {
    execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'python3 with numpy is not at hand';
  }
}

t.test('NumPy reads what is written, and writes what is read', { skip: noNumpy() }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const ours = Object.fromEntries(
    samples.map((values) => [values.constructor.name, { data: values, shape: [2, 3] }]),
  );
  await writeFile(join(folder, 'ours.npz'), await data.saveNpz(ours, { compress: true }));
  const script = `
import numpy as np
z = np.load('ours.npz')
assert len(z.files) == 8 and all(z[k].shape == (2, 3) for k in z.files)
np.savez('theirs.npz', **{k: z[k] for k in z.files})
np.savez_compressed('fortran.npz', **{k: np.asfortranarray(z[k]).astype(z[k].dtype.newbyteorder('>')) for k in z.files})
np.save('wide.npy', z['Int32Array'].astype(np.int64))
`;
  execFileSync('python3', ['-c', script], { cwd: folder });
  t.same(await data.loadNpz(join(folder, 'theirs.npz')), ours);
  t.same(await data.loadNpz(await readFile(join(folder, 'fortran.npz'))), ours);
  t.same(await data.loadNpy(join(folder, 'wide.npy')), ours['Int32Array']);
});
