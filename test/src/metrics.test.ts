// Metrics against their definitions, over batches of different sizes.

import t from 'tap';
import { entry, type Metric, metrics, program, random, type Tensor, tensor } from '../../src/index.ts';
import { MetricTotals } from '../../src/model/totals.ts';

/** The metric of rows of predictions and targets, taken in batches of 7. */
async function measure<T>(
  metric: Metric<T>,
  prediction: readonly (readonly number[])[],
  target: readonly number[] | readonly (readonly number[])[],
): Promise<T> {
  const isLabels = typeof target[0] === 'number';
  const p = program(
    {
      run: entry(
        {
          p: tensor(['n', prediction[0]!.length]),
          t: isLabels ? tensor(['n'], 'i32') : tensor(['n', (target[0] as number[]).length]),
        },
        ({ p, t }): Record<string, Tensor> => metric.measure(p, t as Tensor),
      ),
    },
    { target: 'reference' },
  );
  const totals = new MetricTotals(metric);
  for (let i = 0; i < prediction.length; i += 7) {
    const results = await p.run('run', {
      p: prediction.slice(i, i + 7),
      t: target.slice(i, i + 7) as number[],
    });
    for (const [name, { data }] of Object.entries(results)) totals.add(name, data);
  }
  return totals.result(prediction.length);
}

const draw = random(7, 'metrics');
// Rounded, so that there are ties.
const logits = Array.from({ length: 40 }, () =>
  Array.from({ length: 4 }, () => Math.round(2 * draw.normal()) / 2),
);
const labels = Array.from({ length: 40 }, () => draw.int(3));
const onehot = labels.map((y) => [0, 1, 2, 3].map((k) => Number(k === y)));
const first = (z: readonly number[]): number => z.indexOf(Math.max(...z));
const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-5 * Math.max(1, Math.abs(b));

t.test('accuracy, of labels and of one-hot rows', async (t) => {
  const want = logits.filter((z, i) => first(z) === labels[i]).length / 40;
  t.ok(near(await measure(metrics.accuracy(), logits, labels), want));
  t.ok(near(await measure(metrics.accuracy(), logits, onehot), want));
});

t.test('topKAccuracy: of equal logits the first is larger', async (t) => {
  for (const k of [1, 2, 3]) {
    const want =
      logits.filter((z, i) => {
        const order = [0, 1, 2, 3].sort((a, b) => z[b]! - z[a]! || a - b);
        return order.indexOf(labels[i]!) < k;
      }).length / 40;
    t.ok(near(await measure(metrics.topKAccuracy(k), logits, labels), want), `top ${k}: ${want}`);
  }
  t.equal(await measure(metrics.topKAccuracy(1), [[Number.NaN, 1]], [0]), 0);
  t.throws(() => metrics.topKAccuracy(0), { code: 'HDL0003' });
});

t.test('confusion matrix, precision, recall, F1', async (t) => {
  const matrix = await measure(metrics.confusionMatrix(), logits, labels);
  const want = [0, 1, 2, 3].map((y) =>
    [0, 1, 2, 3].map((k) => logits.filter((z, i) => labels[i] === y && first(z) === k).length),
  );
  t.same(matrix, want);
  const found = [0, 1, 2, 3].map((k) => want[k]![k]!);
  const taken = [0, 1, 2, 3].map((k) => want.reduce((s, row) => s + row[k]!, 0));
  const actual = want.map((row) => row.reduce((a, b) => a + b, 0));
  const share = (a: number, b: number): number => (b === 0 ? 0 : a / b);
  const precisions = found.map((f, k) => share(f, taken[k]!));
  const recalls = found.map((f, k) => share(f, actual[k]!));
  const f1s = found.map((f, k) => share(2 * f, taken[k]! + actual[k]!));
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
  t.equal(actual[3], 0, 'a class that does not occur is taken: it counts with 0');
  t.ok(near(await measure(metrics.precision(), logits, labels), mean(precisions)));
  t.ok(near(await measure(metrics.recall(), logits, onehot), mean(recalls)));
  t.ok(near(await measure(metrics.f1(), logits, labels), mean(f1s)));
  t.ok(
    near(
      await measure(metrics.f1({ average: 'micro' }), logits, labels),
      found.reduce((a, b) => a + b, 0) / 40,
    ),
  );
  const weighted = f1s.reduce((s, f, k) => s + f * actual[k]!, 0) / 40;
  t.ok(near(await measure(metrics.f1({ average: 'weighted' }), logits, labels), weighted));
  t.ok(near(await measure(metrics.precision({ classIndex: 2 }), logits, labels), precisions[2]!));
  await t.rejects(measure(metrics.precision({ classIndex: 9 }), logits, labels), { code: 'HDL0003' });
  t.throws(() => metrics.f1({ average: 'mean' as never }), { code: 'HDL0003' });
});

const scores = logits.map((z) => [z[0]!]);
const answers = labels.map((y) => [Number(y === 0)]);

t.test('binary: accuracy, precision and recall of one output', async (t) => {
  const yes = scores.map(([s]) => s! > 0);
  const right = yes.filter((v, i) => Number(v) === answers[i]![0]).length / 40;
  t.ok(near(await measure(metrics.binaryAccuracy({ threshold: 0 }), scores, answers), right));
  const found = yes.filter((v, i) => v && answers[i]![0] === 1).length;
  const precision = found / yes.filter(Boolean).length;
  t.ok(near(await measure(metrics.precision({ threshold: 0 }), scores, answers), precision));
  const recall = found / answers.filter(([a]) => a === 1).length;
  t.ok(near(await measure(metrics.recall({ threshold: 0 }), scores, answers), recall));
});

t.test('rocAuc: how often a positive wins, ties half', async (t) => {
  let [wins, pairs] = [0, 0];
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 40; j++) {
      if (answers[i]![0] !== 1 || answers[j]![0] !== 0) continue;
      pairs++;
      wins += scores[i]![0]! > scores[j]![0]! ? 1 : scores[i]![0] === scores[j]![0] ? 0.5 : 0;
    }
  }
  t.ok(near(await measure(metrics.rocAuc(), scores, answers), wins / pairs), `${wins / pairs}`);
  const two = scores.map(([s]) => [0, s!]);
  t.ok(near(await measure(metrics.rocAuc(), two, answers.flat()), wins / pairs), 'two classes');
  t.same(await measure(metrics.rocAuc(), [[1], [2]], [[1], [1]]), Number.NaN, 'of one kind');
});

t.test('prAuc: precision at each score, by the recall that it adds', async (t) => {
  const cuts = [...new Set(scores.flat())].sort((a, b) => b - a);
  const positives = answers.filter(([a]) => a === 1).length;
  let [area, before] = [0, 0];
  for (const cut of cuts) {
    const taken = scores.flatMap(([s], i) => (s! >= cut ? [answers[i]![0]!] : []));
    const found = taken.reduce((a, b) => a + b, 0);
    area += ((found - before) / positives) * (found / taken.length);
    before = found;
  }
  t.ok(near(await measure(metrics.prAuc(), scores, answers), area), `${area}`);
});

t.test('errors of values', async (t) => {
  const x = logits.map((z) => z.slice(0, 2));
  // Far from 0, where E[y²] − E[y]² has no correct digit in f32.
  const y = logits.map((z) => [3000 + z[2]!, z[3]!]);
  const near0 = x.map((row, i) => [3000 + row[0]!, y[i]![1]! + 0.1 * row[1]!]);
  const d = near0.flatMap((row, i) => row.map((v, k) => Math.fround(v) - Math.fround(y[i]![k]!)));
  const mae = d.reduce((s, v) => s + Math.abs(v), 0) / d.length;
  const rmse = Math.sqrt(d.reduce((s, v) => s + v * v, 0) / d.length);
  t.ok(Math.abs((await measure(metrics.meanAbsoluteError(), near0, y)) - mae) < 1e-4);
  t.ok(Math.abs((await measure(metrics.rootMeanSquaredError(), near0, y)) - rmse) < 1e-4);
  const r2 = [0, 1].map((k) => {
    const mean = y.reduce((s, row) => s + row[k]!, 0) / 40;
    const about = y.reduce((s, row) => s + (row[k]! - mean) ** 2, 0);
    return 1 - y.reduce((s, row, i) => s + (row[k]! - near0[i]![k]!) ** 2, 0) / about;
  });
  const got = await measure(metrics.rSquared(), near0, y);
  t.ok(Math.abs(got - (r2[0]! + r2[1]!) / 2) < 1e-3, `${got} for ${r2}`);
});

t.test('perplexity', async (t) => {
  const losses = logits.map((z, i) => Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - z[labels[i]!]!);
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
  t.ok(near(await measure(metrics.perplexity(), logits, labels), Math.exp(mean(losses))));
  const kept = losses.filter((_, i) => labels[i] !== 1);
  t.ok(near(await measure(metrics.perplexity({ ignoreIndex: 1 }), logits, labels), Math.exp(mean(kept))));
});

t.test('what does not fit is refused', async (t) => {
  const column = [[1], [0]];
  await t.rejects(measure(metrics.accuracy(), column, column), {
    code: 'HDL0001',
    message: /binaryAccuracy/,
  });
  await t.rejects(measure(metrics.meanAbsoluteError(), logits, [[1]]), { code: /HDL0001|HDL1001/ });
  await t.rejects(measure(metrics.rocAuc(), logits, labels), {
    code: 'HDL0001',
    message: /one score for each answer/,
  });
});
