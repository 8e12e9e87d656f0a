// Given nets that people train, when they are planned, then the arena is hardly larger than what must be alive at once, and
// a training step of the reference residual net has the memory that it is meant to have.

import fc from 'fast-check';
import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { lowerBound } from '../../compiler/schedule/print.ts';
import { resnet8 } from '../../examples/resnet.ts';
import { loadPlans } from '../../runtime/file.ts';
import type { PlanManifest } from '../../runtime/plan.ts';
import type { Program } from '../../src/index.ts';
import { losses, optimizers } from '../../src/index.ts';
import { randomGraph } from '../support/random-graph.ts';
import { missing, readJson } from '../support/shared.ts';
import { chainProgram, inferenceProgram, trainingProgram, type Workload } from '../support/workloads.ts';

const file = 'bench/peers/workloads.json';
const skip = missing(file);
const workloads = skip ? {} : readJson<Record<string, Workload>>(file);

async function manifestsOf(program: Program): Promise<PlanManifest[]> {
  const { plans } = loadPlans(await program.save());
  await program.dispose();
  return plans.map((p) => p.manifest);
}

async function plan(name: string, budget?: number): Promise<PlanManifest> {
  const w = workloads[name]!;
  const options = { threads: 2, memory: budget === undefined ? undefined : { budget } };
  const make = w.kind === 'chain' ? chainProgram : w.infer ? inferenceProgram : trainingProgram;
  const program = make(w, options);
  program.describe(w.kind === 'chain' ? 'run' : w.infer ? 'predict' : 'train', {});
  return (await manifestsOf(program))[0]!;
}

/** Buffers take whole words. */
function ratioOf(m: PlanManifest): number {
  const buffers = m.buffers.map((b) => ({ ...b, bytes: 4 * Math.ceil(b.bytes / 4) }));
  return m.arenaBytes === 0 ? 1 : m.arenaBytes / lowerBound({ ...m, buffers });
}

t.test('arena over lower bound: the reference nets', { skip, timeout: 600_000 }, async (t) => {
  const ratios: number[] = [];
  for (const name of Object.keys(workloads)) {
    const m = await plan(name);
    ratios.push(ratioOf(m));
    t.comment(`${name}: ${m.arenaBytes} bytes, ${ratios.at(-1)!.toFixed(4)}`);
    t.ok(ratios.at(-1)! <= 1.1, name);
  }
  t.ok(ratios.sort((a, b) => a - b)[ratios.length >> 1]! <= 1.02, 'median');
});

t.test('arena over lower bound: the example', { timeout: 600_000 }, async (t) => {
  const model = resnet8([1, 28, 28], 10).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    threads: 2,
  });
  model.program.describe('train', { batch: 32 });
  for (const m of await manifestsOf(model.program)) t.ok(ratioOf(m) <= 1.02, m.entry);
  await model.dispose();
});

t.test('arena over lower bound: 200 random graphs', { timeout: 600_000 }, async (t) => {
  const ratios: number[] = [];
  fc.assert(
    fc.property(randomGraph({ maxSteps: 20 }), ({ graph }) => {
      ratios.push(
        ratioOf(compileGraph(graph, { target: 'js', workers: [1, 2], verify: true }).plan.manifest),
      );
    }),
    { seed: 5, numRuns: 200 },
  );
  ratios.sort((a, b) => a - b);
  t.comment(`median ${ratios[100]!.toFixed(4)}, worst ${ratios.at(-1)!.toFixed(4)}`);
  t.ok(ratios[100]! <= 1.02 && ratios.at(-1)! <= 1.1);
});

t.test('a training step of ResNet-8', { skip, timeout: 600_000 }, async (t) => {
  const images = 4 * workloads['resnet8']!.batch * 3 * 32 * 32;
  t.ok((await plan('resnet8')).arenaBytes <= 36e6 + images, 'at most 36 MB beside the batch');
  t.ok((await plan('resnet8', 24e6)).arenaBytes <= 24e6, '24 MB when asked for');
  t.ok((await plan('mlp-tiny')).arenaBytes <= 162 * 1024, 'small nets stay small');
});
