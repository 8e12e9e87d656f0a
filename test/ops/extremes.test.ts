// Compositions at extreme arguments, compiled, against float64: huge and tiny logits, large means, long sums. What is asked
// is a relative error of a few roundings of f32, not absence of overflow alone.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { mul } from '../../compiler/ops/arithmetic.ts';
import { batchNorm } from '../../compiler/ops/batch-norm.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { logSoftmax, logSumExp, softmax, variance } from '../../compiler/ops/composite.ts';
import { constant } from '../../compiler/ops/constant.ts';
import { cumprod, cumsum } from '../../compiler/ops/cumulative.ts';
import { instanceNorm, layerNorm, rmsNorm } from '../../compiler/ops/normalize.ts';
import { l2, std } from '../../compiler/ops/norms.ts';
import { hypot } from '../../compiler/ops/pairs.ts';
import { reshape } from '../../compiler/ops/shape.ts';
import { slice } from '../../compiler/ops/slice.ts';
import { cosineSimilarity, norm, normalize } from '../../compiler/ops/vectors.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { losses } from '../../src/index.ts';
import { runCompiled } from '../support/agree.ts';
import { graphOf, host } from '../support/evaluate-ops.ts';
import { seededRandom } from '../support/random.ts';

const executor = await Executor.create({ threads: 1 });
t.teardown(() => executor.dispose());

type Row = readonly number[];
type Floats = Node<Shape, 'f32'>;

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

/** Gradients of a sum of `build` with respect to the rows. */
const gradientOf =
  (build: (x: Floats) => Node): ((x: Node) => Node) =>
  (x) =>
    grad(sum(build(x as Floats) as Floats) as Node, [x])[0];

t.test('gradients of softmax, logSumExp and cross-entropy at extreme logits', async (t) => {
  const finite = logits.filter((r) => top(r) - Math.min(...r) < 80);
  const softmaxOf = (r: Row): Row => r.map((v) => Math.exp(v - logSum(r)));
  t.ok((await errors(gradientOf((x) => logSumExp(x, 1)), finite, softmaxOf)) < 2e-6, 'of logSumExp: softmax');
  // d/dx of Σ (softmax · weight), weights 1, 2, 3, 4: p (w − Σ p w).
  const weighted = (x: Floats): Node => mul(softmax(x), constant([1, 2, 3, 4], [4])) as Node;
  const slopes = (r: Row): Row => {
    const p = softmaxOf(r);
    const mean = p.reduce((s, v, i) => s + v * (i + 1), 0);
    return p.map((v, i) => v * (i + 1 - mean));
  };
  t.ok((await errors(gradientOf(weighted), finite, slopes)) < 2e-5, 'of softmax');
  const xs = [1000, -1000, 100, -100, 20, -20, 1e-6, 0, 3.5, -7, 88.9, -88.9];
  for (const label of [0, 1]) {
    const target = constant(xs.map(() => label), [1, xs.length]) as Node;
    const loss = (x: Floats): Node => losses.binaryCrossEntropy(x, target, { reduction: 'none' });
    const want = (r: Row): Row => r.map((v) => (label === 1 ? -1 / (1 + Math.exp(v)) : 1 / (1 + Math.exp(-v))));
    t.ok((await errors(gradientOf(loss), [xs], want)) < 2e-6, `of cross-entropy, label ${label}`);
  }
  const labels = constant([0, 3, 1, 2, 0, 3], [6], 'i32') as Node;
  const rows = [[1000, 0, -1000, 0], [1e30, -1e30, 0, 5], [-88, 88, 0, 1], [0, 0, 0, 0], [3e4, -3e4, 3e4, 0], [1e-30, 0, 0, 0]];
  const classes = [0, 3, 1, 2, 0, 3];
  const worst = await errors(
    (x) => reshape(losses.softmaxCrossEntropy(x as Floats, labels, { reduction: 'none' }) as Node, [6, 1]) as Node,
    rows,
    (r) => [logSum(r) - r[classes[rows.map((row) => row.map(Math.fround).join()).indexOf(r.join())]!]!],
  );
  t.ok(worst < 2e-6, `softmaxCrossEntropy ${worst}`);
}); // biome-ignore format: tables

t.test('norms, distances and directions of huge and tiny numbers', async (t) => {
  const random = seededRandom(8);
  const draws = [1e30, 1e-30, 1, 3e-39, 3e37].map((size) => Array.from({ length: 50 }, () => size * random.uniform(-1, 1)));
  const largest = (r: Row): number => Math.max(...r.map(Math.abs));
  for (const p of [1, 2, 3, 4.5]) {
    const want = (r: Row): Row => {
      const size = largest(r);
      return [size * total(r.map((v) => (Math.abs(v) / size) ** p)) ** (1 / p)];
    };
    const usable = p === 1 ? draws.slice(0, 3) : draws.filter((r) => largest(r) > 1e-37);
    const off = await errors((x) => norm(x as Floats, 1, { p }), usable, want);
    t.ok(off < 3e-6, `p = ${p}: ${off}`);
  }
  const length = (r: Row): number => largest(r) * Math.sqrt(total(r.map((v) => (v / largest(r)) ** 2)));
  const large = [draws[0]!, draws[2]!, draws[4]!];
  t.ok((await errors((x) => normalize(x as Floats), large, (r) => r.map((v) => v / length(r)))) < 1e-6, 'normalize');
  const first = 1 / Math.sqrt(50);
  const ones = constant(new Array(50).fill(1), [1, 50]) as Floats;
  const cosine = (r: Row): Row => [(first * total(r.map((v) => v / largest(r)))) / (length(r) / largest(r))];
  const off = await errors((x) => cosineSimilarity(x as Floats, ones), large, cosine);
  t.ok(off < 3e-5, `cosine ${off}`);
  const diagonalOf = await errors((x) => hypot(slice(x, [0, 0], [5, 1]) as Floats, slice(x, [0, 1], [5, 2]) as Floats), draws.map((r) => r.slice(0, 2)), (r) => [Math.hypot(...r)]);
  t.ok(diagonalOf < 1e-6, `hypot ${diagonalOf}`);
}); // biome-ignore format: tables

t.test('normalization of rows far from zero, and of constant rows', async (t) => {
  const random = seededRandom(9);
  const far = Array.from({ length: 8 }, () => 1e4 + random.uniform(-1, 1) * 10);
  const standard = (r: Row): Row => {
    const mean = total(r) / r.length;
    const variance = total(r.map((v) => (v - mean) ** 2)) / r.length;
    return r.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
  };
  const asChannel = (x: Node): Node => reshape(x, [1, 1, 8]) as Node;
  const back = (y: Node): Node => reshape(y, [1, 8]) as Node;
  for (const [name, f] of [
    ['batchNorm', (x: Node) => back(batchNorm(asChannel(x)))],
    ['instanceNorm', (x: Node) => back(instanceNorm(asChannel(x)))],
    ['layerNorm', (x: Node) => layerNorm(x)],
  ] as const) {
    // A distance of 10 to a mean of 1e4 has four digits.
    const off = await errors(f, [far], standard);
    t.ok(off < 5e-3, `${name} far: ${off}`);
    const flat = [7, 7, 7, 7, 7, 7, 7, 7];
    t.equal(await errors(f, [flat], (r) => r.map(() => 0)), 0, `${name} of a constant is 0`);
  }
});

t.test('running sums that cancel, and running products', async (t) => {
  const waves = Array.from({ length: 4096 }, (_, i) => (i % 2 === 0 ? 1e6 : -1e6) + (i % 7));
  const sums = (r: Row): Row => {
    let s = 0;
    return r.map((v) => {
      s += v;
      return s;
    });
  };
  // Whole numbers below 2²⁴ are exact, however they are added.
  t.equal(await errors((x) => cumsum(x as never), [waves], sums), 0);
  const factors = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? 1.7 : 1 / 1.69));
  const products = (r: Row): Row => {
    let s = 1;
    return r.map((v) => {
      s *= v;
      return s;
    });
  };
  t.ok((await errors((x) => cumprod(x as never), [factors], products)) < 2e-5);
});
