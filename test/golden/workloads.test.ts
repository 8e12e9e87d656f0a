// Whole training runs against losses that PyTorch computed from the same data and initial values: a multilayer
// perceptron, LeNet, a residual net with batch norm, a transformer block. And the same bits for any number of workers.

import t, { type Test } from 'tap';
import { missing, readJson } from '../support/shared.ts';
import { batches, trainingProgram, type Workload } from '../support/workloads.ts';

const folder = 'bench/peers';
const skip = missing(`${folder}/REFERENCE.json`);
const workloads = skip ? {} : readJson<Record<string, Workload>>(`${folder}/workloads.json`);
const reference = skip ? {} : readJson<Record<string, number[]>>(`${folder}/REFERENCE.json`);
const long = process.env['HEDDLE_LONG'] === '1';

async function losses(
  name: string,
  target: 'wasm' | 'js',
  threads: number,
  steps: number,
): Promise<number[]> {
  const w = workloads[name]!;
  const program = trainingProgram(w, { target, threads });
  const data = batches(w);
  const out: number[] = [];
  try {
    for (let i = 0; i < steps; i++) {
      const { x, y } = data[i % data.length]!;
      const result = await program.run('train', { x, y });
      out.push(result['loss']!.data[0]!);
    }
  } finally {
    await program.dispose();
  }
  return out;
}

function compare(t: Test, name: string, got: readonly number[], tolerance: number): void {
  const want = reference[name]!;
  const worst = Math.max(...got.map((g, i) => Math.abs(g - want[i]!) / Math.max(1, Math.abs(want[i]!))));
  t.ok(
    worst <= tolerance,
    `${name}: ${got.length} losses agree to ${worst.toExponential(1)} (limit ${tolerance})`,
    { got, want: want.slice(0, got.length) },
  );
}

for (const [name, tolerance] of [
  ['mlp-tiny', 2e-5],
  ['mlp-mnist', 5e-5],
  ['lenet', 5e-5],
  ['transformer', 1e-4],
] as const) {
  t.test(`${name}: ten steps`, { skip, timeout: 600_000 }, async (t) => {
    compare(t, name, await losses(name, 'wasm', 1, 10), tolerance);
    t.same(await losses(name, 'wasm', 2, 3), await losses(name, 'wasm', 1, 3), 'two workers: the same bits');
  });
}

t.test('resnet8, wasm: ten steps, 1 to 4 workers', { skip, timeout: 3_600_000 }, async (t) => {
  const one = await losses('resnet8', 'wasm', 1, 10);
  compare(t, 'resnet8', one, 2e-4);
  for (const threads of [2, 3, 4])
    t.same(await losses('resnet8', 'wasm', threads, 10), one, `${threads} workers: the same bits`);
});

t.test('resnet8, js: 1 to 4 workers', { skip, timeout: 3_600_000 }, async (t) => {
  // The readable target takes seconds a step: all ten steps for every worker count belong to the long run.
  const one = await losses('resnet8', 'js', 1, long ? 10 : 4);
  compare(t, 'resnet8', one, 2e-4);
  for (const threads of [2, 3, 4]) {
    const steps = long ? 10 : 2;
    t.same(
      await losses('resnet8', 'js', threads, steps),
      one.slice(0, steps),
      `${threads} workers: the same bits`,
    );
  }
});
