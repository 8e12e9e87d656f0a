// The kernels that ceilings are measured with do what they say: their results equal loops in JavaScript.

import t from 'tap';
import { peakConstants, peakKernel, streamKernel } from '../../src/profile/micro-kernels.ts';

type Run = (...args: readonly number[]) => void;

async function load(code: Uint8Array<ArrayBuffer>): Promise<{ run: Run; f32: Float32Array }> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  return { run: instance.exports['run'] as Run, f32: new Float32Array(memory.buffer) };
}

t.test('the peak kernel runs every chain in every round', async (t) => {
  const { code, flopsPerRound, chains, unrolled } = peakKernel(false);
  t.equal(flopsPerRound, chains * unrolled * 4 * 2, 'two operations in four lanes');
  const { run, f32 } = await load(code);
  const rounds = 5;
  run(rounds, 64);
  let sum = 0;
  for (let chain = 0; chain < chains; chain++) {
    let v = chain + 1;
    const { factor, summand } = peakConstants;
    for (let i = 0; i < rounds * unrolled; i++)
      v = Math.fround(Math.fround(v * Math.fround(factor)) + Math.fround(summand));
    sum = chain === 0 ? v : Math.fround(sum + v);
  }
  t.same([...f32.subarray(16, 20)], [sum, sum, sum, sum]);
});

t.test('the fused one counts as many operations per instruction pair', async (t) => {
  const { flopsPerRound, chains, unrolled } = peakKernel(true);
  t.equal(flopsPerRound, chains * unrolled * 4 * 2);
});

t.test('streams: copy and triad over exactly their bytes', async (t) => {
  const n = 32;
  for (const stream of ['copy', 'triad'] as const) {
    const { run, f32 } = await load(streamKernel(stream));
    const [x, y, z] = [0, 100, 200];
    for (let i = 0; i <= n; i++) {
      f32[x + i] = i + 1;
      f32[y + i] = 10 * i;
    }
    const before = f32.slice();
    run(4 * x, 4 * y, 4 * z, 4 * n);
    const expected = before.slice();
    for (let i = 0; i < n; i++) {
      if (stream === 'copy') expected[y + i] = before[x + i]!;
      else expected[z + i] = before[x + i]! + 3 * before[y + i]!;
    }
    t.same(f32, expected, stream);
  }
});
