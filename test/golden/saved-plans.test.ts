// Saved plans give the same bits as the programs that they were saved from, and go on training as these do: all reference
// workloads, on one worker and on two, in both variants.

import t from 'tap';
import { resnet8 } from '../../examples/resnet.ts';
import { load } from '../../runtime/index.ts';
import * as h from '../../src/index.ts';
import { missing, readJson } from '../support/shared.ts';
import {
  batches,
  chainProgram,
  draw,
  inferenceProgram,
  trainingProgram,
  type Workload,
} from '../support/workloads.ts';

const folder = 'bench/peers';
const skip = missing(`${folder}/workloads.json`);
const workloads = skip ? {} : readJson<Record<string, Workload>>(`${folder}/workloads.json`);
const long = process.env['HEDDLE_LONG'] === '1';
/** Large nets take long to compile with all that tests verify. */
const slow: ReadonlySet<string> = new Set(['resnet8', 'resnet20', 'resnet8-infer-b64']);

for (const [name, w] of Object.entries(workloads)) {
  if (slow.has(name) && !long) continue;
  t.test(name, { timeout: 600_000 }, async (t) => {
    const options = { threads: 2 };
    const [entry, p, cycle] =
      w.kind === 'chain'
        ? (['run', chainProgram(w, options), [{ x: draw(1000, w.n!, (u) => 4 * u - 2) }]] as const)
        : w.infer
          ? (['predict', inferenceProgram(w, options), batches(w).map(({ x }) => ({ x }))] as const)
          : (['train', trainingProgram(w, options), batches(w).map(({ x, y }) => ({ x, y }))] as const);
    await p.compile(entry);
    await p.run(entry, cycle[0]!);
    const bytes = await p.save({ variants: true });
    const expected: unknown[] = [];
    for (let i = 0; i < 3; i++) expected.push(await p.run(entry, cycle[(i + 1) % cycle.length]!));
    const names = p.variables().map((v) => v.name);
    const variables = names.map((v) => p.get(v));
    await p.dispose();
    for (const threads of [1, 2]) {
      const saved = await load(bytes, { threads });
      const got: unknown[] = [];
      for (let i = 0; i < 3; i++) got.push(await saved.run(entry, cycle[(i + 1) % cycle.length]!));
      t.same(got, expected, `${threads} threads: outputs of three steps`);
      t.same(
        names.map((v) => saved.get(v)),
        variables,
        `${threads} threads: ${names.length} variables`,
      );
      await saved.dispose();
    }
  });
}

t.test('the residual net of the examples, as a model', async (t) => {
  const model = resnet8([3, 16, 16], 4, 4);
  model.compile({
    loss: h.losses.softmaxCrossEntropy,
    optimizer: h.optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
  });
  const pixels = 3 * 16 * 16;
  const x = { data: draw(1, 16 * pixels, (u) => 2 * u - 1), shape: [16, 3, 16, 16] };
  const y = Int32Array.from({ length: 16 }, (_, i) => i % 4);
  await model.fit({ x, y }, { batchSize: 8, verbose: false });
  const want = await model.predict(x, { batchSize: 8 });
  const saved = await load(await model.save(), { threads: 2 });
  const got = await saved.run('predict', { x: x.data.slice(0, 8 * pixels) });
  t.same(Object.values(got)[0]!.data, want.data.slice(0, want.data.length / 2));
  await Promise.all([saved.dispose(), model.dispose()]);
});

t.test('the workloads are there', { skip }, async (t) => t.ok(Object.keys(workloads).length > 5));
