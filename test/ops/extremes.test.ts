// Compositions at extreme arguments, compiled, against float64: huge and tiny logits, large means, long sums. What is asked
// is a relative error of a few roundings of f32, not absence of overflow alone.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { logSoftmax, logSumExp, softmax, variance } from '../../compiler/ops/composite.ts';
import { constant } from '../../compiler/ops/constant.ts';
import { cumsum } from '../../compiler/ops/cumulative.ts';
import { layerNorm, rmsNorm } from '../../compiler/ops/normalize.ts';
import { l2, std } from '../../compiler/ops/norms.ts';
import { Executor } from '../../runtime/executor.ts';
import { losses } from '../../src/index.ts';
import { runCompiled } from '../support/agree.ts';
import { graphOf, host } from '../support/evaluate-ops.ts';
import { seededRandom } from '../support/random.ts';

const executor = await Executor.create({ threads: 1 });
t.teardown(() => executor.dispose());

type Row = readonly number[];

/** The rows computed on both targets, and the largest relative error against `want`. */
async function errors(
  build: (x: Node) => Node,
  rows: readonly Row[],
  want: (row: Row) => Row,
): Promise<number> {
  const exact = rows.map((r) => r.map(Math.fround));
  const x = host([rows.length, exact[0]!.length], exact.flat());
  const { graph, values } = graphOf((v) => build(v!), [x]);
  const expected = exact.flatMap((r) => [...want(r)]);
  let worst = 0;
  for (const target of ['wasm', 'js'] as const) {
    const got = (await runCompiled(graph, values, target, executor))['y0']!;
    if (got.length !== expected.length) return Number.NaN;
    expected.forEach((w, i) => {
      const off = Math.abs(got[i]! - w) / Math.max(Math.abs(w), 1e-30);
      worst = got[i] === w ? worst : Math.max(worst, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    });
  }
  return worst;
}

const logits: readonly Row[] = [
  [1000, 1001, 999.5, 998],
  [-1000, -1001, -999.5, -1002],
  [1e30, 1e30, -1e30, 0],
  [88, -88, 0, 44],
  [1e-30, 2e-30, -1e-30, 0],
  [50, 50, 50, 50],
];
const top = (r: Row): number => Math.max(...r);
const total = (r: Row): number => r.reduce((a, b) => a + b, 0);
const logSum = (r: Row): number => top(r) + Math.log(total(r.map((v) => Math.exp(v - top(r)))));

t.test('softmax, logSoftmax and logSumExp', async (t) => {
  // Of logits that differ by 100 and more, f32 has no digits of the smaller weights: they may be 0.
  const near = logits.filter((r) => top(r) - Math.min(...r) < 80);
  t.ok(
    (await errors(
      (x) => softmax(x as never),
      near,
      (r) => r.map((v) => Math.exp(v - logSum(r))),
    )) < 2e-6,
  );
  t.ok(
    (await errors(
      (x) => logSoftmax(x as never),
      near,
      (r) => r.map((v) => v - logSum(r)),
    )) < 1e-6,
  );
  t.ok(
    (await errors(
      (x) => logSumExp(x as never, 1),
      logits,
      (r) => [logSum(r)],
    )) < 1e-6,
  );
});

t.test('cross-entropy of one logit', async (t) => {
  const xs = [1000, -1000, 100, -100, 20, -20, 1e-6, 0, 3.5, -7];
  for (const label of [0, 1]) {
    const build = (x: Node): Node => {
      const targets = host(
        [1, xs.length],
        xs.map(() => label),
      );
      return losses.binaryCrossEntropy(x, constant([...targets.data], [1, xs.length]) as Node, {
        reduction: 'none',
      });
    };
    const want = (r: Row): Row =>
      r.map((v) => Math.max(v, 0) - v * label + Math.log1p(Math.exp(-Math.abs(v))));
    t.ok((await errors(build, [xs], want)) < 2e-6, `label ${label}`);
  }
});

t.test('variance, deviation and norms far from zero', async (t) => {
  const random = seededRandom(5);
  const rows = [1e4, -3e5, 1e-20, 0].map((mean) =>
    Array.from({ length: 1000 }, () => mean + Math.max(1e-20, Math.abs(mean) / 1e4) * random.uniform(-1, 1)),
  );
  const spread = (r: Row): number => {
    const mean = total(r) / r.length;
    return total(r.map((v) => (v - mean) ** 2)) / r.length;
  };
  // The variance is off by the square of what the mean is off by: some units of 1e4 · 2⁻²⁴, of a deviation of 0.6.
  const far = rows.slice(0, 2);
  const worstVariance = await errors(
    (x) => variance(x as never, 1),
    far,
    (r) => [spread(r)],
  );
  t.ok(worstVariance < 1e-3, `variance ${worstVariance}`);
  t.ok(
    (await errors(
      (x) => std(x as never, 1),
      far,
      (r) => [Math.sqrt(spread(r))],
    )) < 5e-4,
    'deviation',
  );
  const large: readonly Row[] = [rows[0]!.map((v) => v * 1e30), rows[2]!.map((v) => v * 1e-10)];
  const norm = (r: Row): Row => [
    top(r.map(Math.abs)) * Math.sqrt(total(r.map((v) => (v / top(r.map(Math.abs))) ** 2))),
  ];
  t.ok((await errors((x) => l2(x as never, 1), large, norm)) < 1e-5, 'norm of huge and tiny numbers');
  const normal = (r: Row): Row => {
    const mean = total(r) / r.length;
    return r.map((v) => (v - mean) / Math.sqrt(spread(r) + 1e-5));
  };
  const worst = await errors(
    (x) => layerNorm(x),
    [rows[0]!.slice(0, 64)],
    (r) => normal(r),
  );
  t.ok(worst < 2e-2, `layerNorm ${worst}: the distance to a mean of 1e4 has four digits`);
  const root = (r: Row): Row => r.map((v) => v / Math.sqrt(total(r.map((w) => w * w)) / r.length + 1e-5));
  t.ok((await errors((x) => rmsNorm(x), [rows[0]!.slice(0, 64)], root)) < 2e-6, 'rmsNorm');
});

t.test('long running sums', async (t) => {
  const random = seededRandom(6);
  const row = Array.from({ length: 20_000 }, () => random.uniform(0, 1) + 0.1);
  const want = (r: Row): Row => {
    let s = 0;
    return r.map((v) => {
      s += v;
      return s;
    });
  };
  // One after the other, 20,000 roundings would lose four digits; the tree loses one.
  t.ok((await errors((x) => cumsum(x as never), [row], want)) < 2e-6);
});
