// Whole training runs against losses that PyTorch computed from the same data and initial values: a multilayer
// perceptron, LeNet, a residual net with batch norm, a transformer block, with and without fused multiply-add. And the
// same bits for any number of workers, within each variant.

import t, { type Test } from 'tap';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { missing, readJson } from '../support/shared.ts';
import { batches, trainingProgram, type Workload } from '../support/workloads.ts';

const folder = 'bench/peers';
const skip = missing(`${folder}/REFERENCE.json`);
const workloads = skip ? {} : readJson<Record<string, Workload>>(`${folder}/workloads.json`);
const reference = skip ? {} : readJson<Record<string, number[]>>(`${folder}/REFERENCE.json`);
const long = process.env['HEDDLE_LONG'] === '1';

type Variant = 'wasm' | 'wasm, relaxed' | 'js';

/** The variants that this engine runs. */
const variants: readonly Variant[] =
  featureObstacle(relaxedSimd) === null ? ['wasm', 'wasm, relaxed'] : ['wasm'];

async function losses(name: string, variant: Variant, threads: number, steps: number): Promise<number[]> {
  const w = workloads[name]!;
  const target = variant === 'js' ? 'js' : 'wasm';
  const program = trainingProgram(w, { target, threads, relaxed: variant === 'wasm, relaxed' });
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
  for (const variant of variants) {
    t.test(`${name}, ${variant}: ten steps`, { skip, timeout: 600_000 }, async (t) => {
      compare(t, name, await losses(name, variant, 1, 10), tolerance);
      t.same(
        await losses(name, variant, 2, 3),
        await losses(name, variant, 1, 3),
        'two workers: the same bits',
      );
    });
  }
}

for (const variant of variants) {
  // Which worker does what is the same in both variants: all counts for one of them.
  const counts = variant === 'wasm' || long ? [2, 3, 4] : [2];
  t.test(
    `resnet8, ${variant}: ten steps, 1 to ${counts.at(-1)} workers`,
    {
      skip,
      timeout: 3_600_000,
    },
    async (t) => {
      const one = await losses('resnet8', variant, 1, 10);
      compare(t, 'resnet8', one, 2e-4);
      for (const threads of counts)
        t.same(await losses('resnet8', variant, threads, 10), one, `${threads} workers: the same bits`);
    },
  );
}

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
