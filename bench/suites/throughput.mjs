// spiral, resnet8: steps per second of the spiral net and images per second of ResNet-8, as a user sees them: one worker
// against two, and against TensorFlow.js. Every contender is built and warmed up first; then in each round every
// contender in turn is timed, so that a machine that slows down slows all of them.

import Benchmark from 'benchmark';
import { median } from '../../build/test/bench-support/statistics.js';
import { batches, trainingProgram } from '../../build/test/support/workloads.js';
import { resnet, spiral as spiralNet } from '../workloads.mjs';

/** What is measured: a net, and who runs it. `small` is a batch that the slowest contender finishes in seconds. */
const nets = {
  spiral: { workload: spiralNet, unit: 'steps/s', perStep: 1, peers: ['cpu', 'wasm'], js: true },
  resnet8: {
    workload: resnet(1),
    unit: 'images/s',
    perStep: 64,
    peers: ['wasm', 'cpu'],
    small: resnet(1, 1),
    js: false,
  },
};

async function heddle(workload, options) {
  const program = trainingProgram(workload, options);
  const data = batches(workload);
  let i = 0;
  return {
    step: async () => (await program.run('train', data[i++ % data.length])).loss.data[0],
    end: () => program.dispose(),
  };
}

async function contenders(suite, { peers, relaxed }) {
  const list = [
    { name: 'heddle wasm, 1 worker', make: () => heddle(suite.workload, { threads: 1, relaxed }) },
    { name: 'heddle wasm, 2 workers', make: () => heddle(suite.workload, { threads: 2, relaxed }) },
  ];
  if (suite.js)
    list.push({
      name: 'heddle js, 1 worker',
      make: () => heddle(suite.workload, { target: 'js', threads: 1 }),
    });
  if (peers) {
    const { makeStep } = await import('../tfjs.mjs');
    for (const backend of suite.peers) {
      const workload = backend === 'cpu' && suite.small ? suite.small : suite.workload;
      const note = workload === suite.workload ? '' : ` (batch ${workload.batch})`;
      list.push({
        name: `tfjs ${backend}${note}`,
        make: () => makeStep(workload, backend),
        perStep: suite.perStep === 1 ? 1 : workload.batch,
      });
    }
  }
  return list;
}

/** One timed block of about a third of a second, by the benchmark package; seconds per step of each of its samples. */
function block(step) {
  return new Promise((resolve, reject) => {
    const bench = new Benchmark({
      defer: true,
      maxTime: 0.35,
      minSamples: 1,
      initCount: 1,
      fn: (deferred) => {
        step().then(() => deferred.resolve(), reject);
      },
    });
    bench.on('complete', () => (bench.error ? reject(bench.error) : resolve(bench.stats.sample)));
    bench.run({ async: true });
  });
}

async function run(suite, context) {
  console.log(`  ${suite.unit}`);
  const running = [];
  for (const c of await contenders(suite, context)) {
    try {
      const made = await c.make();
      const first = [];
      for (let i = 0; i < 3; i++) first.push(await made.step());
      running.push({ ...c, run: made, first, samples: [] });
    } catch (e) {
      const reason = String(e.message ?? e)
        .split('\n')[0]
        .slice(0, 110);
      console.log(`  ${c.name.padEnd(26)} cannot: ${reason}`);
    }
  }
  for (let r = 0; r < context.rounds; r++)
    for (const c of running) c.samples.push(...(await block(c.run.step)));
  const rate = (c) => (c.perStep ?? suite.perStep) / median(c.samples);
  const base = rate(running[0]);
  for (const c of running) {
    console.log(
      `  ${c.name.padEnd(26)} ${rate(c).toFixed(1).padStart(10)} ${suite.unit}   × ${(rate(c) / base).toFixed(3)}   first loss ${c.first[0].toFixed(5)}`,
    );
    await c.run.end();
  }
  return running.map((c) => ({
    name: c.name,
    rate: rate(c),
    ratio: rate(c) / base,
    samples: c.samples,
    losses: c.first,
  }));
}

export const spiral = {
  about: 'the spiral net: steps per second, beside TensorFlow.js',
  run: (context) => run(nets.spiral, context),
};

export const resnet8 = {
  about: 'ResNet-8: images per second, beside TensorFlow.js',
  run: (context) => run(nets.resnet8, context),
};
