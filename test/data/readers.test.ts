// IDX of every dtype, CIFAR-100, and files by path.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { data } from '../../src/index.ts';

t.test('IDX: every dtype, big-endian, plain and gzip, from bytes, a path and a URL', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const kinds: readonly (readonly [
    code: number,
    values: data.NumericArray,
    set: keyof DataView & `set${string}`,
  ])[] = [
    [8, Uint8Array.of(0, 1, 254, 255), 'setUint8'],
    [9, Int8Array.of(-128, -1, 0, 127), 'setInt8'],
    [11, Int16Array.of(-32768, -1, 258, 32767), 'setInt16'],
    [12, Int32Array.of(-(2 ** 31), -1, 66051, 2 ** 31 - 1), 'setInt32'],
    [13, Float32Array.of(-1.5, 1e-40, Number.POSITIVE_INFINITY, 3), 'setFloat32'],
    [14, Float64Array.of(Math.PI, -0, 5e-324, 1e300), 'setFloat64'],
  ];
  for (const [code, values, set] of kinds) {
    const size = values.BYTES_PER_ELEMENT;
    const file = new Uint8Array(12 + 4 * size);
    const view = new DataView(file.buffer);
    view.setUint32(0, code * 256 + 2);
    view.setUint32(4, 2);
    view.setUint32(8, 2);
    values.forEach((v, i) => {
      (view[set] as (at: number, value: number) => void)(12 + i * size, v);
    });
    const want = { shape: [2, 2], data: values };
    t.same(await data.loadIdx(file), want, set);
    const path = join(folder, `${code}.gz`);
    await writeFile(path, gzipSync(file));
    t.same(await data.loadIdx(path), want);
    t.same(await data.loadIdx(pathToFileURL(path)), want);
    await t.rejects(data.loadIdx(file.subarray(0, -1)), { code: 'HDL0016', message: /should have/ });
  }
  await t.rejects(data.loadIdx(Uint8Array.of(0, 0, 10, 1, 0, 0, 0, 0)), {
    message: /does not start like one/,
  });
  await t.rejects(data.loadIdx(join(folder, 'none')), { code: 'HDL0016', message: /there is such a file/ });
});

t.test('CIFAR-100: coarse and fine labels', async (t) => {
  const file = new Uint8Array(2 * 3074);
  file.set([19, 99, 5], 0);
  file.set([3, 7], 3074);
  file[2 * 3074 - 1] = 9;
  const { shape, images, labels, coarse } = await data.loadCifar100(file.buffer);
  t.same(
    [shape, [...labels], [...coarse]],
    [
      [2, 3, 32, 32],
      [99, 7],
      [19, 3],
    ],
  );
  t.same([images[0], images.at(-1)], [5, 9]);
  file[1] = 100;
  await t.rejects(data.loadCifar100(file), { code: 'HDL0016', message: /fine label 100 at picture 0/ });
  file.set([20, 1]);
  await t.rejects(data.loadCifar100(file), {
    message: /coarse label 20 at picture 0.*CIFAR-10 and CIFAR-100/s,
  });
  await t.rejects(data.loadCifar100(file.subarray(1)), { message: /records of 3074 bytes/ });
  await t.rejects(data.loadCifar100(new Uint8Array(0)), { code: 'HDL0016' });
});
