// The runner of experiments: what its arguments say, its lines of JSON, and its table.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { experiments } from '../../examples/experiments/index.ts';
import { parseSettings } from '../../examples/run.ts';
import { training } from '../../examples/support/experiment.ts';
import { formatTable, parseResults, type Result, rowsOf } from '../../examples/support/results.ts';
import { losses, Model, nn, optimizers } from '../../src/index.ts';
import { runExample } from '../support/examples.ts';

t.test('arguments', async (t) => {
  t.equal(parseSettings([])!.chosen.length, experiments.length);
  t.same(
    parseSettings(['linreg', '--seeds', '1,2'])!.chosen.map((e) => e.name),
    ['linreg-10', 'linreg-30', 'linreg-noise-10'],
  );
  t.same(parseSettings(['linreg', '--seeds', '1,2'])!.seeds, [1, 2]);
  t.notOk(parseSettings(['--quick'])!.chosen.some((e) => e.isSlow));
  t.equal(parseSettings(['--help']), null);
  t.throws(() => parseSettings(['--seeds', 'one']), {
    message: "--seeds takes whole numbers, 1,2,3, not 'one'",
  });
  t.throws(() => parseSettings(['spirals']), { message: /^no experiment 'spirals'; there are spiral-sgd, / });
  t.throws(() => parseSettings(['--lr', '1']), { message: /unknown option '--lr'/ });
});

t.test('as a program: lines of JSON in the form of the definitions, and figures', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'figures-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const { code, stdout } = await runExample('run', [
    'linreg-30',
    'linreg-10',
    '--json',
    '--seeds',
    '1,2',
    '--figures',
    folder,
  ]);
  t.equal(code, 0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  t.same(
    lines.map((l) => `${l.experiment} ${l.seed} ${l.metric} ${l.steps}`),
    [
      'linreg-10 1 weight_error 100',
      'linreg-10 2 weight_error 100',
      'linreg-30 1 weight_error 300',
      'linreg-30 2 weight_error 300',
    ],
  );
  for (const { seconds, steps, steps_per_second, compile_seconds } of lines) {
    t.ok(seconds > 0 && compile_seconds > 0);
    t.ok(Math.abs(steps_per_second * seconds - steps) < 1e-6 * steps);
  }
  t.same(
    (await readdir(folder)).sort(),
    ['linreg-10', 'linreg-30'].flatMap((n) => [`${n}-dark.png`, `${n}-dark.svg`, `${n}.png`, `${n}.svg`]),
  );
  t.same([...(await readFile(join(folder, 'linreg-10.png'))).subarray(1, 4)], [80, 78, 71]);

  const file = join(folder, 'results.jsonl');
  await writeFile(file, stdout);
  const again = await runExample('run', ['--from', file]);
  t.equal(again.code, 0);
  t.match(again.stdout, /\| linreg-30 .* 1, 2 .* pass \|/);
});

t.test('without a folder for figures none is drawn', async (t) => {
  t.match(parseSettings([])!.figures, /out\/figures$/);
  t.equal(parseSettings(['--json'])!.figures, undefined);
  const { code, stdout } = await runExample('run', [
    'reverse',
    'own-parts',
    '--seeds',
    '1',
    '--figures',
    'none',
  ]);
  t.equal(code, 0);
  t.match(stdout, /\| reverse-mode .* pass \|\n\| own-parts .* pass \|/);
});

t.test('without the folder of data it says what is left out', async (t) => {
  const { code, stdout } = await runExample('run', ['mnist', '--seeds', '1', '--figures', 'none']);
  t.equal(code, 0);
  t.match(stdout, 'mnist-cnn-clean: left out, it reads mnist/ from the folder that --data names');
});

t.test('a loss that is not finite ends a run', async (t) => {
  const { run } = training(async () => {
    const { program } = new Model({ input: [1] }).add(nn.dense(1)).compile({
      loss: losses.meanSquaredError,
      optimizer: optimizers.sgd({ learningRate: 1e30 }),
      threads: 1,
    });
    const never = async () => t.fail('a net that is no net is not measured');
    const feeds = { x: [[1], [2]], y: [[1], [2]] };
    return {
      program,
      feeds,
      rows: null,
      batch: 2,
      steps: 50,
      measure: never as never,
      figure: never as never,
    };
  });
  await t.rejects(run(1), { message: /^the loss is not finite at step [1-9]$/ });
});

const result = (seed: number, value: number, others = {}): Result => ({
  experiment: 'linreg-30',
  seed,
  metric: 'weight_error',
  value,
  steps: 300,
  seconds: 1,
  steps_per_second: 300,
  compile_seconds: 0,
  others,
});

t.test('medians, and what is out of range', async (t) => {
  const rows = rowsOf(
    experiments,
    [3e-7, 1, 4e-7].map((v, i) => result(i + 1, v)),
  );
  t.equal(rows.length, 1);
  t.equal(rows[0]!.median, 4e-7);
  t.same(rows[0]!.wrong, [], 'one seed may be bad');
  const bad = rowsOf(
    experiments,
    [3e-5, 1, 4e-5].map((v, i) => result(i + 1, v)),
  );
  t.same(bad[0]!.wrong, ['median 4.00e-5']);
  t.match(formatTable(bad), 'FAIL: median 4.00e-5');
  t.match(
    rowsOf(experiments, [result(1, Number.NaN)])[0]!.wrong,
    ['median NaN'],
    'NaN is out of every range',
  );
  const [one] = rowsOf(experiments, [result(1, 3e-5)]);
  t.same(one!.wrong, [], 'one seed says nothing of the median');
  t.match(formatTable([one!]), 'open: too few seeds (1)');
});

t.test('results of a file: the later of two; what is no result is refused', async (t) => {
  const line = (value: number): string => JSON.stringify(result(1, value));
  t.same(
    parseResults(`${line(1)}\n\n${line(2)}\n`, 'f').map((r) => r.value),
    [2],
  );
  t.throws(() => parseResults('{', 'f.jsonl'), { message: 'f.jsonl: line 1 is no JSON' });
  t.throws(() => parseResults('{}', 'f.jsonl'), { message: 'f.jsonl: line 1 is no result of an experiment' });
});
