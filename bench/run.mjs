// npm run bench [-- NAME…] [--rounds N] [--json FILE] [--no-peers]
//
// Steps per second of the spiral net and images per second of ResNet-8: one worker against two, and against
// TensorFlow.js. Every contender is built and warmed up first; then in each round every contender in turn is timed, so
// that a machine that slows down slows all of them. Printed are medians of the rounds, and ratios to the first row.

import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';
import { batches, trainingProgram } from '../build/test/support/workloads.js';
import { resnet, spiral } from './workloads.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

/** What is measured: a net, and who runs it. `small` is a batch that the slowest contender finishes in seconds. */
const suites = {
  spiral: { workload: spiral, unit: 'steps/s', perStep: 1, peers: ['cpu', 'wasm'], js: true },
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

async function contenders(suite) {
  const list = [
    { name: 'heddle wasm, 1 worker', make: () => heddle(suite.workload, { target: 'wasm', threads: 1 }) },
    { name: 'heddle wasm, 2 workers', make: () => heddle(suite.workload, { target: 'wasm', threads: 2 }) },
  ];
  if (suite.js)
    list.push({
      name: 'heddle js, 1 worker',
      make: () => heddle(suite.workload, { target: 'js', threads: 1 }),
    });
  if (!values['no-peers']) {
    const { makeStep } = await import('./tfjs.mjs');
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

const median = (list) => {
  const s = [...list].sort((a, b) => a - b);
  const m = s.length >> 1;
  return s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2;
};

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  node: process.version,
  load: loadavg()[0],
};
console.log(
  `${machine.cpu}, ${machine.cores} cores available, Node ${machine.node}, load ${machine.load.toFixed(2)} at start`,
);
const report = { machine, suites: {} };
const chosen = positionals.length ? positionals : Object.keys(suites);
for (const name of chosen) {
  const suite = suites[name];
  if (!suite) {
    console.error(`no benchmark '${name}'; there are ${Object.keys(suites).join(', ')}`);
    process.exit(2);
  }
  console.log(`\n${name}: ${suite.unit}`);
  const running = [];
  for (const c of await contenders(suite)) {
    try {
      const run = await c.make();
      const first = [];
      for (let i = 0; i < 3; i++) first.push(await run.step());
      running.push({ ...c, run, first, samples: [] });
    } catch (e) {
      console.log(
        `  ${c.name.padEnd(26)} cannot: ${String(e.message ?? e)
          .split('\n')[0]
          .slice(0, 110)}`,
      );
    }
  }
  for (let r = 0; r < rounds; r++) for (const c of running) c.samples.push(...(await block(c.run.step)));
  const rate = (c) => (c.perStep ?? suite.perStep) / median(c.samples);
  const base = rate(running[0]);
  report.suites[name] = running.map((c) => ({
    name: c.name,
    rate: rate(c),
    ratio: rate(c) / base,
    samples: c.samples,
    losses: c.first,
  }));
  for (const c of running) {
    console.log(
      `  ${c.name.padEnd(26)} ${rate(c).toFixed(1).padStart(10)} ${suite.unit}   × ${(rate(c) / base).toFixed(3)}   first loss ${c.first[0].toFixed(5)}`,
    );
    await c.run.end();
  }
}
if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 1));
