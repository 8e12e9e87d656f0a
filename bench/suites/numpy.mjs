// numpy: the experiments' training steps against the same steps in float32 NumPy (bench/numpy/reference.py), both with as many
// threads; with one where nothing else is said. Both train from the same first weights on the same rows; their losses over the
// first hundred steps are compared. Then they take turns, each for about 6 ms of steps and at least eight, many times: the shortest
// turn of each counts, since whatever else the machine does only adds time. A training that has had all its steps starts anew:
// beyond its end, the probabilities of `circles` become 1, and its loss NaN. Beside it stands the ratio of processor time over all
// turns, which waiting for a core does not change. It says nothing of two threads.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { experiments } from '../../build/examples/experiments/index.js';
import { resident } from '../../build/src/index.js';
import { fixed, printTable } from '../table.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const cores = availableParallelism();

/** Large enough for a second thread. */
const large = [
  ...['circles', 'moons'].flatMap((n) => ['published', 'true-gradient', 'adam'].map((m) => `${n}-${m}`)),
  'mnist-cnn-clean',
];

/** Experiments, and how many times as fast Heddle should be. */
const contests = [
  ...['sgd', 'momentum', 'rmsprop', 'adam', 'batchnorm', 'dropout', 'residual'].map((n) => [
    `spiral-${n}`,
    5,
  ]),
  ...['linreg-10', 'linreg-30', 'linreg-noise-10', 'product-1layer', 'product-2layer'].map((n) => [n, 5]),
  ...large.map((n) => [n, 3]),
  // As both are by default: a thread for each core.
  ...(cores > 1 ? large.map((n) => [n, 3, cores]) : []),
].map(([name, goal, threads = 1]) => ({ name, goal, threads }));

/** What NumPy's libraries of matrix products go by. */
const threadVariables = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'];

/** Short enough to fall between the turns of other processes now and then. */
const turnSeconds = 0.006;
/** A training is many steps: the first one of a turn finds the caches as the other left them. */
const fewestSteps = 8;
const turnsPerRound = 16;
/** Turns before those that count: the engine compiles a plan's code twice, the second time better. */
const warmUp = 24;

export const numpy = {
  about: 'the experiments: steps per second, beside NumPy (--data DIR: where mnist/ is; words: which ones)',
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
    ['steps/s', 'Heddle', 'NumPy', 'ratio', 'CPU time', 'goal', '', 'losses differ by'],
    rows.map((r) => [
      r.threads === 1 ? r.name : `${r.name}, ${r.threads} threads`,
      fixed(r.heddle, 0),
      fixed(r.numpy, 0),
      `${fixed(r.ratio, 2)} ×`,
      Number.isNaN(r.byCpu) ? '' : `${fixed(r.byCpu, 2)} ×`,
      `${r.goal} ×`,
      r.ratio >= r.goal ? 'ok' : 'below',
      r.difference.toExponential(1),
    ]),
  );
  return rows;
}

/** Turns of one experiment; steps per second of the fastest of each, and how far their losses are apart. */
async function contend({ name, threads }, experiment, rounds, data) {
  const theirs = startPython(name, threads, data);
  const ours = await startHeddle(experiment, threads, data);
  try {
    const [a, b] = [await ours.train(100), await theirs.train(100)];
    const difference = Math.max(...b.losses.map((loss, i) => Math.abs(a.losses[i] - loss) / loss));
    const samples = [];
    const busy = { heddle: 0, numpy: 0 };
    const turns = { heddle: a.seconds / 100, numpy: b.seconds / 100 };
    for (let r = -warmUp; r < rounds * turnsPerRound; r++) {
      // As many steps as fit into a turn by what the last one took.
      const [m, n] = [turns.heddle, turns.numpy].map((each) =>
        Math.max(fewestSteps, Math.round(turnSeconds / each)),
      );
      ours.before(m);
      theirs.before(n, ours.steps);
      const [p, q] = [await ours.train(m), await theirs.train(n)];
      [turns.heddle, turns.numpy] = [p.seconds / m, q.seconds / n];
      if (r < 0) continue;
      samples.push({ heddle: m / p.seconds, numpy: n / q.seconds });
      busy.heddle += p.cpu / m;
      busy.numpy += q.cpu / n;
    }
    const best = (key) => Math.max(...samples.map((s) => s[key]));
    return {
      heddle: best('heddle'),
      numpy: best('numpy'),
      ratio: best('heddle') / best('numpy'),
      byCpu: threads === 1 ? busy.numpy / busy.heddle : Number.NaN,
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
  let first = null;
  return {
    steps,
    /** Starts anew from the first weights when the training would become longer than it is meant to be. */
    before: (count) => {
      if (done === 0 || done + count <= steps) return;
      program.restore(first);
      done = 0;
    },
    /** Trains on; after the last step's rows come those of the first. */
    train: async (count) => {
      first ??= program.state();
      const indices = () =>
        Int32Array.from({ length: count * batch }, (_, i) => rows[(done * batch + i) % (steps * batch)]);
      const feed = rows === null ? feeds : set.rows(indices());
      const [start, before] = [performance.now(), process.cpuUsage()];
      const { loss } = await program.run('train', { steps: count, feed, outputs: 'each' });
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(before);
      done += count;
      return { seconds, cpu: (user + system) / 1e6, losses: loss.data };
    },
    end: () => program.dispose(),
  };
}

function startPython(name, threads, data) {
  const child = spawn('python3', [here('../numpy/reference.py'), name, `${data}/mnist`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...Object.fromEntries(threadVariables.map((name) => [name, `${threads}`])) },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let trained = 0;
  return {
    before: (count, most) => {
      if (trained === 0 || trained + count <= most) return;
      child.stdin.write('again\n');
      trained = 0;
    },
    train: async (steps) => {
      trained += steps;
      child.stdin.write(`${steps}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`reference.py ${name} ended`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}
