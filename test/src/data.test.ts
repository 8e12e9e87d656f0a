// Readers of files, batches, and the drawn tasks.

import { gzipSync } from 'node:zlib';
import t from 'tap';
import { data } from '../../src/index.ts';

t.test('IDX: bytes, floats, gzip', async (t) => {
  const file = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255);
  const want = { shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) };
  t.same(await data.loadIdx(file), want);
  t.same(await data.loadIdx(new Uint8Array(gzipSync(file))), want);
  const floats = new DataView(new ArrayBuffer(12));
  floats.setUint32(0, 0x00000d01);
  floats.setUint32(4, 1);
  floats.setFloat32(8, 1.5);
  t.same(await data.loadIdx(new Uint8Array(floats.buffer)), { shape: [1], data: Float32Array.of(1.5) });
});

t.test('IDX that is not whole is refused', async (t) => {
  await t.rejects(data.loadIdx(Uint8Array.of(1, 2, 3, 4)), {
    code: 'HDL0016',
    message: /does not start like one/,
  });
  await t.rejects(data.loadIdx(Uint8Array.of(0, 0, 8, 2, 0, 0)), {
    code: 'HDL0016',
    message: /ends within the sizes/,
  });
  await t.rejects(data.loadIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 9, 1)), {
    code: 'HDL0016',
    message: /should have 17/,
  });
  const cut = new Uint8Array(gzipSync(new Uint8Array(1000))).subarray(0, 15);
  await t.rejects(data.loadIdx(cut), { code: 'HDL0016', message: /does not unpack/ });
});

t.test('CIFAR-10 batches', async (t) => {
  const file = new Uint8Array(2 * 3073);
  file[0] = 7;
  file.fill(9, 1, 3073);
  file[3073] = 2;
  const { shape, images, labels } = await data.loadCifar10(file);
  t.same([shape, [...labels], images[0], images[3072]], [[2, 3, 32, 32], [7, 2], 9, 0]);
  await t.rejects(data.loadCifar10(file.subarray(1)), { code: 'HDL0016' });
  file[0] = 10;
  await t.rejects(data.loadCifar10(file), { code: 'HDL0016', message: /label 10 at picture 0/ });
});

t.test('normalize, by picture and by channel', async (t) => {
  t.same([...data.normalize(Uint8Array.of(0, 255))], [0, 1]);
  const two = data.normalize(Uint8Array.of(0, 255, 0, 255), { mean: [0, 1], deviation: [1, 0.5], plane: 2 });
  t.same([...two], [0, 1, -2, 0]);
  const { mean, deviation } = data.statistics(Uint8Array.of(0, 255));
  t.same([mean, deviation], [0.5, 0.5]);
});

t.test('batches visit every row once; the last may be short', async (t) => {
  const plain = [...data.batchesOf(7, 3)].map((b) => [...b]);
  t.same(plain, [[0, 1, 2], [3, 4, 5], [6]]);
  const shuffled = [...data.batchesOf(7, 3, { seed: 1 })].map((b) => [...b]);
  t.same(shuffled.flat().sort(), [0, 1, 2, 3, 4, 5, 6]);
  t.notSame(shuffled, plain);
  t.same(
    [...data.batchesOf(7, 3, { seed: 1 })].map((b) => [...b]),
    shuffled,
    'the seed fixes the order',
  );
  t.throws(() => [...data.batchesOf(0, 3)], { code: 'HDL0016' });
  t.throws(() => [...data.batchesOf(3, 0)], { code: 'HDL0016' });
  t.same(
    [...data.gatherRows({ data: Float32Array.of(0, 1, 2, 3, 4, 5), rowSize: 2 }, Int32Array.of(2, 0))],
    [4, 5, 0, 1],
  );
});

t.test('shapes: a function of the seed, balanced, extended by more', async (t) => {
  const some = data.shapes(40, 1);
  const more = data.shapes(60, 1);
  t.ok(Buffer.from(some.images).equals(more.images.subarray(0, some.images.length)));
  t.same(some.shape, [40, 1, 28, 28]);
  t.notOk(Buffer.from(data.shapes(40, 2).images).equals(some.images));
  t.same([...some.labels.subarray(0, 11)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
  t.equal(data.shapeClasses.length, 10);
  const { deviation } = data.statistics(some.images);
  t.ok(deviation > 0.15 && deviation < 0.4, `deviation ${deviation}`);
});

t.test('spiral: arms wind from the origin to radius 1', async (t) => {
  const { x, y } = data.spiral(50, 3, 1);
  t.equal(x.length, 300);
  t.same([y[0], y[50], y[149]], [0, 1, 2]);
  const radius = (i: number): number => Math.hypot(x[2 * i]!, x[2 * i + 1]!);
  t.equal(radius(0), 0);
  t.ok(Math.abs(radius(49) - 1) < 1e-6);
});
