// numpy: the experiments' training steps against the same steps in float32 NumPy (bench/numpy/reference.py) on one thread. Both
// train from the same first weights on the same rows; their losses over the first hundred steps are compared. Then they take
// turns, each for about 15 ms of steps, many times: the shortest turn of each counts, since whatever else the machine does only
// adds time. Beside it stands the median of the ratios turn by turn.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { experiments } from '../../build/examples/experiments/index.js';
import { resident } from '../../build/src/index.js';
import { median } from '../../build/test/bench-support/statistics.js';
import { fixed, printTable } from '../table.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Experiments, and how many times as fast Heddle should be. */
const contests = [
  ...['sgd', 'momentum', 'rmsprop', 'adam', 'batchnorm', 'dropout', 'residual'].map((n) => [
    `spiral-${n}`,
    5,
  ]),
  ...['linreg-10', 'linreg-30', 'linreg-noise-10', 'product-1layer', 'product-2layer'].map((n) => [n, 5]),
  ...['circles', 'moons'].flatMap((n) => ['published', 'true-gradient', 'adam'].map((m) => [`${n}-${m}`, 3])),
  ['mnist-cnn-clean', 3],
  ['mnist-cnn-clean', 3, 2],
].map(([name, goal, threads = 1]) => ({ name, goal, threads }));

const turnSeconds = 0.015;
const turnsPerRound = 8;

export const numpy = {
  about:
    'the experiments: steps per second, beside NumPy on one thread (--data DIR: where mnist/ is; words: which ones)',
  run,
};

async function run({ rounds, words = [], data = here('../../../shared/data') }) {
  if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) {
    console.log('  python3 with numpy is not here: nothing to compare with (pip install numpy)');
    return [];
  }
  const rows = [];
  for (const contest of contests) {
    const { name, goal, threads } = contest;
    const experiment = experiments.find((e) => e.name === name);
    if (words.length > 0 && !words.some((w) => name.includes(w))) continue;
    if (experiment.needs !== undefined && !existsSync(`${data}/${experiment.needs}`)) {
      console.log(`  ${name}: left out, ${data}/${experiment.needs} is not here`);
      continue;
    }
    rows.push({ name, goal, threads, ...(await contend(contest, experiment, rounds, data)) });
    const last = rows.at(-1);
    console.log(`  ${name.padEnd(24)} ${fixed(last.ratio, 2)} ×`);
  }
  console.log('');
  printTable(
    ['steps/s', 'Heddle', 'NumPy', 'ratio', 'by round', 'goal', '', 'losses differ by'],
    rows.map((r) => [
      r.threads === 1 ? r.name : `${r.name}, ${r.threads} threads`,
      fixed(r.heddle, 0),
      fixed(r.numpy, 0),
      `${fixed(r.ratio, 2)} ×`,
      fixed(r.byRound, 2),
      `${r.goal} ×`,
      r.ratio >= r.goal ? 'ok' : 'below',
      r.difference.toExponential(1),
    ]),
  );
  return rows;
}

/** Turns of one experiment; steps per second of the fastest of each, and how far their losses are apart. */
async function contend({ name, threads }, experiment, rounds, data) {
  const theirs = startPython(name, data);
  const ours = await startHeddle(experiment, threads, data);
  try {
    const [a, b] = [await ours.train(100), await theirs.train(100)];
    const difference = Math.max(...b.losses.map((loss, i) => Math.abs(a.losses[i] - loss) / loss));
    const turns = {
      heddle: Math.ceil((100 / a.seconds) * turnSeconds),
      numpy: Math.ceil((100 / b.seconds) * turnSeconds),
    };
    const samples = [];
    for (let r = 0; r < rounds * turnsPerRound; r++) {
      const [p, q] = [await ours.train(turns.heddle), await theirs.train(turns.numpy)];
      samples.push({ heddle: turns.heddle / p.seconds, numpy: turns.numpy / q.seconds });
    }
    const best = (key) => Math.max(...samples.map((s) => s[key]));
    return {
      heddle: best('heddle'),
      numpy: best('numpy'),
      ratio: best('heddle') / best('numpy'),
      byRound: median(samples.map((s) => s.heddle / s.numpy)),
      difference,
    };
  } finally {
    theirs.end();
    await ours.end();
  }
}

async function startHeddle(experiment, threads, data) {
  const { program, feeds, rows, batch, steps } = await experiment.prepare(1, { threads, data });
  await program.compile('train', { batch });
  const set = resident(feeds);
  let done = 0;
  return {
    /** Trains on; after the last step's rows come those of the first. */
    train: async (count) => {
      const indices = () =>
        Int32Array.from({ length: count * batch }, (_, i) => rows[(done * batch + i) % (steps * batch)]);
      const feed = rows === null ? feeds : set.rows(indices());
      const start = performance.now();
      const { loss } = await program.run('train', { steps: count, feed, outputs: 'each' });
      const seconds = (performance.now() - start) / 1000;
      done += count;
      return { seconds, losses: loss.data };
    },
    end: () => program.dispose(),
  };
}

function startPython(name, data) {
  const child = spawn('python3', [here('../numpy/reference.py'), name, `${data}/mnist`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    train: async (steps) => {
      child.stdin.write(`${steps}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`reference.py ${name} ended`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}
