// Initializers against their definitions: fans, bounds, deviations.

import t from 'tap';
import { initializers, random } from '../../src/index.ts';
import { missing, readJson } from '../support/shared.ts';

const { fanOf } = initializers;

t.test('fans', async (t) => {
  t.same(fanOf([784, 10]), { in: 784, out: 10 }, 'dense [in, out]');
  t.same(fanOf([16, 3, 5, 5]), { in: 75, out: 400 }, 'convolution [out, in, h, w]');
  t.same(fanOf([7]), { in: 7, out: 7 });
  t.same(fanOf([]), { in: 1, out: 1 });
});

for (const [name, make, variance, bounded] of [
  ['glorotUniform', initializers.glorotUniform, 2 / (100 + 300), true],
  ['glorotNormal', initializers.glorotNormal, 2 / (100 + 300), false],
  ['heUniform', initializers.heUniform, 2 / 100, true],
  ['heNormal', initializers.heNormal, 2 / 100, false],
  ['lecunUniform', initializers.lecunUniform, 1 / 100, true],
  ['lecunNormal', initializers.lecunNormal, 1 / 100, false],
] as const) {
  t.test(name, async (t) => {
    const values = make()([100, 300], random(1, name));
    const deviation = Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
    t.ok(Math.abs(deviation / Math.sqrt(variance) - 1) < 0.02, `deviation ${deviation}`);
    const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const bound = Math.sqrt(3 * variance);
    if (bounded) t.ok(largest <= bound * (1 + 1e-6) && largest > 0.99 * bound, `largest ${largest}`);
    else t.ok(largest > bound, 'tails reach beyond the uniform bound');
  });
}

t.test('without chance', async (t) => {
  const draw = random(0);
  t.same([...initializers.zeros()([2], draw)], [0, 0]);
  t.same([...initializers.ones()([2], draw)], [1, 1]);
  t.same([...initializers.constant(0.5)([2], draw)], [0.5, 0.5]);
  t.same([...initializers.fromArray([1, 2])([2, 1], draw)], [1, 2]);
  t.throws(() => initializers.fromArray([1, 2])([3], draw), { code: 'HDL0009' });
});

t.test('varianceScaling: fans and distributions', async (t) => {
  for (const [fan, size] of [
    ['in', 100],
    ['out', 300],
    ['average', 200],
  ] as const) {
    for (const distribution of ['uniform', 'normal', 'truncatedNormal'] as const) {
      const draw = initializers.varianceScaling({ scale: 3, fan, distribution });
      const values = draw([100, 300], random(2, distribution));
      const deviation = Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
      t.ok(Math.abs(deviation / Math.sqrt(3 / size) - 1) < 0.02, `${fan} ${distribution}: ${deviation}`);
    }
  }
  t.throws(() => initializers.varianceScaling({ scale: 0 }), { code: 'HDL0003' });
});

t.test('truncatedNormal stays within two deviations', async (t) => {
  const values = initializers.truncatedNormal(1, 0.5)([20000], random(3, 'cut'));
  t.ok(values.every((v) => v >= 0 && v <= 2));
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
  t.ok(Math.abs(mean - 1) < 0.01 && Math.abs(deviation - 0.5 * 0.8796) < 0.01, `${mean} ± ${deviation}`);
});

t.test('identity and dirac', async (t) => {
  const draw = random(0);
  t.same([...initializers.identity(2)([2, 3], draw)], [2, 0, 0, 0, 2, 0]);
  t.throws(() => initializers.identity()([2], draw), { code: 'HDL0003', message: /two dimensions/ });
  const w = initializers.dirac()([3, 2, 3, 3], draw);
  const ones = [...w].flatMap((v, i) => (v === 0 ? [] : [i]));
  t.same(ones, [4, 1 * 18 + 9 + 4], 'the centers of (0, 0) and (1, 1)');
  const grouped = initializers.dirac(2)([4, 1, 3], draw);
  t.same(
    [...grouped].flatMap((v, i) => (v === 0 ? [] : [i])),
    [1, 7],
    'the first of each group',
  );
});

t.test('orthogonal: vectors of one length at right angles', async (t) => {
  for (const shape of [
    [40, 24],
    [24, 40],
    [8, 3, 3, 3],
  ]) {
    const values = initializers.orthogonal(1.5)(shape, random(1, shape.join()));
    const rows = shape[0]!;
    const columns = values.length / rows;
    const at = (r: number, c: number): number => values[r * columns + c]!;
    const n = Math.min(rows, columns);
    const length = Math.max(rows, columns);
    const dot = (i: number, j: number): number => {
      let s = 0;
      for (let k = 0; k < length; k++) s += rows < columns ? at(i, k) * at(j, k) : at(k, i) * at(k, j);
      return s;
    };
    let worst = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) worst = Math.max(worst, Math.abs(dot(i, j) - (i === j ? 2.25 : 0)));
    }
    t.ok(worst < 1e-5, `${shape}: ${worst}`);
  }
});

const golden = 'golden/random/initialisers.json';

interface Scheme {
  readonly mean: number;
  readonly std: number;
  readonly kurtosis?: number;
  readonly low?: number;
  readonly high?: number;
  readonly bound?: number;
}

interface Golden {
  readonly cases: readonly {
    readonly shape: readonly number[];
    readonly layout: string;
    readonly fan_in: number;
    readonly fan_out: number;
    readonly count: number;
    readonly schemes: Readonly<Record<string, Scheme>>;
    readonly tolerance: { readonly five_sigma_std_rel: number };
  }[];
  readonly orthogonal: readonly { readonly shape: readonly number[]; readonly gain: number }[];
}

const { varianceScaling } = initializers;
const cut = (scale: number, fan: 'in' | 'average'): initializers.Initializer =>
  varianceScaling({ scale, fan, distribution: 'truncatedNormal' });
const schemes: Readonly<Record<string, initializers.Initializer>> = {
  glorot_uniform: initializers.glorotUniform(),
  glorot_normal: initializers.glorotNormal(),
  glorot_truncated_normal: cut(1, 'average'),
  he_uniform: initializers.heUniform(),
  he_normal: initializers.heNormal(),
  he_truncated_normal: cut(2, 'in'),
  lecun_uniform: initializers.lecunUniform(),
  lecun_normal: initializers.lecunNormal(),
  lecun_truncated_normal: cut(1, 'in'),
};

t.test('golden bounds, means and deviations', { skip: missing(golden) }, async (t) => {
  for (const c of readJson<Golden>(golden).cases) {
    // Theirs are [out, in], ours [in, out].
    const shape = c.shape.length === 2 ? [...c.shape].reverse() : c.shape;
    t.same(fanOf(shape), { in: c.fan_in, out: c.fan_out }, `fans of ${c.layout}`);
    for (const [name, want] of Object.entries(c.schemes)) {
      const values = schemes[name]!(shape, random(9, name, c.layout));
      const mean = values.reduce((s, v) => s + v, 0) / values.length;
      const std = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
      const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      const told = `${name} of ${c.layout}: ${mean} ± ${std}, largest ${largest}`;
      t.equal(values.length, c.count);
      t.ok(Math.abs(mean) <= (5 * want.std) / Math.sqrt(c.count), told);
      t.ok(Math.abs(std / want.std - 1) <= c.tolerance.five_sigma_std_rel, told);
      const bound = want.high ?? want.bound;
      if (bound !== undefined) t.ok(largest <= bound * (1 + 1e-6), told);
    }
  }
});

t.test('golden orthogonal weights', { skip: missing(golden) }, async (t) => {
  for (const { shape, gain } of readJson<Golden>(golden).orthogonal) {
    const w = initializers.orthogonal(gain)(shape, random(4, `${shape}`));
    const [rows, columns] = [shape[0]!, w.length / shape[0]!];
    const [n, k] = rows <= columns ? [rows, columns] : [columns, rows];
    const at = (i: number, j: number): number =>
      rows <= columns ? w[i * columns + j]! : w[j * columns + i]!;
    let gap = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let x = 0; x < k; x++) dot += at(i, x) * at(j, x);
        gap = Math.max(gap, Math.abs(dot - (i === j ? gain ** 2 : 0)));
      }
    }
    t.ok(gap <= 1e-5, `${shape}: off by ${gap}`);
  }
});
