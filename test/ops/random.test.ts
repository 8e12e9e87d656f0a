// Random bits are those of the published Threefry-2x32 and of JAX, so that any two targets, and anybody else, agree.

import t, { type Test } from 'tap';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import {
  bernoulli,
  categorical,
  constant,
  foldIn,
  input,
  iota,
  normal,
  permutation,
  randint,
  randomBits,
  randomKey,
  shuffle,
  splitKey,
  truncatedNormal,
  uniform,
} from '../../compiler/ops/index.ts';
import { numberWords, threefry2x32 } from '../../compiler/ops/threefry.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { Executor } from '../../runtime/executor.ts';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { type AgreeTarget, runCompiled } from '../support/agree.ts';
import { evaluate } from '../support/evaluate.ts';
import { graphOf, host } from '../support/evaluate-ops.ts';
import { missing, readJson } from '../support/shared.ts';
import { ulps } from '../support/ulps.ts';

type Words = readonly [string, string];

interface Golden {
  readonly threefry2x32_20: {
    readonly cases: readonly { readonly key: Words; readonly counter: Words; readonly output: Words }[];
  };
  readonly jax: { readonly cases: readonly JaxCase[] };
}

interface JaxCase {
  readonly seed: number;
  readonly key: Words;
  readonly bits: readonly string[];
  readonly uniform: readonly number[];
  readonly normal: readonly number[];
  readonly split4: readonly Words[];
  readonly fold_in_7: Words;
}

const words = ([a, b]: Words): [number, number] => [Number.parseInt(a, 16), Number.parseInt(b, 16)];
const keyOf = (key: Words) => constant(words(key), [2], 'u32');

t.test('the block function gives the published answers', async (t) => {
  // Random123, kat_vectors, threefry2x32 20
  const published: readonly [key: Words, counter: Words, output: Words][] = [
    [
      ['00000000', '00000000'],
      ['00000000', '00000000'],
      ['6b200159', '99ba4efe'],
    ],
    [
      ['ffffffff', 'ffffffff'],
      ['ffffffff', 'ffffffff'],
      ['1cb996fc', 'bb002be7'],
    ],
    [
      ['13198a2e', '03707344'],
      ['243f6a88', '85a308d3'],
      ['c4923a9c', '483df7a0'],
    ],
  ];
  for (const [key, counter, output] of published) {
    t.same(threefry2x32(numberWords, words(key), words(counter)), words(output));
  }
});

t.test('golden answers', { skip: missing('golden/random/prng.json') }, async (t) => {
  const golden = readJson<Golden>('golden/random/prng.json');
  for (const { key, counter, output } of golden.threefry2x32_20.cases) {
    t.same(threefry2x32(numberWords, words(key), words(counter)), words(output));
  }
  for (const c of golden.jax.cases) {
    t.test(`JAX, seed ${c.seed}`, async (t) => checkJax(t, c));
  }
});

function checkJax(t: Test, c: JaxCase): void {
  const n = c.bits.length;
  t.same(evaluate(randomKey(c.seed)), words(c.key), 'key of a seed');
  const key = keyOf(c.key);
  t.same(
    evaluate(randomBits(key, [4, n / 4])),
    c.bits.map((b) => Number.parseInt(b, 16)),
    'bits, row-major',
  );
  t.same(evaluate(uniform(key, [n])), c.uniform, 'uniform');
  const off = evaluate(normal(key, [n])).map((v, i) => Math.abs(v - c.normal[i]!) / (1 + Math.abs(v)));
  t.ok(Math.max(...off) < 1e-5, `normal: off by ${Math.max(...off)}`);
  t.same(evaluate(foldIn(key, 7)), words(c.fold_in_7), 'foldIn');
  t.same(
    splitKey(key, 4).map((k) => evaluate(k)),
    c.split4.map(words),
    'splitKey',
  );
}

t.test('numbers have the distribution that they promise', async (t) => {
  const n = 20_000;
  const key = randomKey(7);
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;

  const u = evaluate(uniform(key, [n], -2, 4));
  t.ok(u.every((v) => v >= -2 && v < 4));
  t.ok(Math.abs(mean(u) - 1) < 0.05, `mean ${mean(u)}`);

  const z = evaluate(normal(key, [n]));
  const variance = mean(z.map((v) => v * v));
  t.ok(Math.abs(mean(z)) < 0.03 && Math.abs(variance - 1) < 0.04, `mean ${mean(z)}, variance ${variance}`);

  const b = evaluate(bernoulli(key, 0.9, [n]));
  t.ok(Math.abs(mean(b) - 0.9) < 0.01, `share ${mean(b)}`);
  t.same(evaluate(bernoulli(key, 0, [n])).includes(1), false, 'probability 0 never');
  t.same(evaluate(bernoulli(key, 1, [n])).includes(0), false, 'probability 1 always');
});

t.test('further distributions', async (t) => {
  const key = randomKey(11);
  const n = 4000;
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;

  const cut = evaluate(truncatedNormal(key, [n]));
  t.ok(cut.every((v) => v >= -2 && v <= 2));
  const variance = mean(cut.map((v) => v * v));
  // 1 − 4 φ(2) / (2 Φ(2) − 1)
  t.ok(Math.abs(mean(cut)) < 0.04 && Math.abs(variance - 0.7737) < 0.03, `variance ${variance}`);
  const tail = evaluate(truncatedNormal(key, [n], 1, 3));
  t.ok(tail.every((v) => v >= 1 && v <= 3) && Math.abs(mean(tail) - 1.5099) < 0.03, `mean ${mean(tail)}`);

  const dice = evaluate(randint(key, [n], -3, 4));
  for (let v = -3; v < 4; v++) {
    const share = dice.filter((d) => d === v).length / n;
    t.ok(Math.abs(share - 1 / 7) < 0.02, `${v}: ${share}`);
  }
  const wide = evaluate(randint(key, [n], -2147483648, 2147483648));
  t.ok(Math.min(...wide) < -2e9 && Math.max(...wide) > 2e9);
  t.same(evaluate(randint(key, [3], 5, 6)), [5, 5, 5]);

  const order = evaluate(permutation(key, 50));
  t.same(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  );
  t.notSame(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.same(evaluate(permutation(key, 0)), []);
  t.same(evaluate(shuffle(key, iota([50], 0))), order);

  const logits = constant([0, Math.log(2), Math.log(5)], [3]);
  const drawn = evaluate(categorical(key, logits, { count: n }));
  for (const [i, p] of [1 / 8, 2 / 8, 5 / 8].entries()) {
    const share = drawn.filter((d) => d === i).length / n;
    t.ok(Math.abs(share - p) < 0.03, `${i}: ${share}`);
  }
  t.throws(() => truncatedNormal(key, [2], 1, 1), { code: 'HDL0003', message: /lo < hi/ });
  t.throws(() => uniform(key, [2], 1, 0), { code: 'HDL0003', message: /lo ≤ hi/ });
  t.throws(() => randint(key, [2], 0.5, 4), { code: 'HDL0003', message: /lo < hi/ });
});

const hasRelaxed = featureObstacle(relaxedSimd) === null;
const targets: readonly AgreeTarget[] = hasRelaxed ? ['wasm', 'js', 'relaxed'] : ['wasm', 'js'];

t.test('bits and uniforms are the same on every target and for any number of workers', async (t) => {
  const build = (key: Node): Node[] => [
    randomBits(key, [300]),
    uniform(key, [300]),
    uniform(key, [300], -1, 3),
    uniform(key, [300], 0.3, 0.7),
    randint(key, [300], 0, 1000),
    permutation(key, 40),
    bernoulli(key, 0.3, [300]),
  ];
  const { graph, values } = graphOf(build, [host([2], [123, 456], 'u32')]);
  const expected = interpretGraph(graph, { inputs: values }, { mode: 'f32' }).outputs;
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    try {
      for (const target of targets) {
        const got = await runCompiled(graph, values, target, executor);
        for (const { name } of graph.outputs) {
          t.same(Array.from(got[name]!), [...expected[name]!.data], `${target}, ${threads}: ${name}`);
        }
      }
    } finally {
      await executor.dispose();
    }
  }
});

t.test(
  'normals of all targets agree to 6 units in the last place, of any number of workers to the bit',
  async (t) => {
    const n = 20_000;
    const build = (key: Node): Node[] => [
      normal(key, [n]),
      truncatedNormal(key, [n]),
      truncatedNormal(key, [n], 1, 3),
    ];
    const { graph, values } = graphOf(build, [host([2], [7, 99], 'u32')]);
    const [one, two] = [await Executor.create({ threads: 1 }), await Executor.create({ threads: 2 })];
    try {
      const all = [];
      for (const target of targets) {
        const got = await runCompiled(graph, values, target, one);
        t.same(await runCompiled(graph, values, target, two), got, `${target}: two workers`);
        all.push({ target, got });
      }
      for (const { name } of graph.outputs) {
        for (const a of all) {
          for (const b of all) {
            const off = Array.from(a.got[name]!).map((v, i) => ulps(v, b.got[name]![i]!));
            t.ok(
              Math.max(...off.slice(0, n / 2), ...off.slice(n / 2)) <= 6,
              `${name}: ${a.target}, ${b.target}`,
            );
          }
        }
      }
    } finally {
      await Promise.all([one.dispose(), two.dispose()]);
    }
  },
);

t.test('what is not a key is refused', async (t) => {
  const messageOf = (f: () => unknown): string => {
    try {
      f();
    } catch (e) {
      if (e instanceof HeddleError) return `${e.code}: ${e.parts.what}\n${e.parts.rule}`;
      throw e;
    }
    return 'no error';
  };
  t.equal(
    messageOf(() => randomBits(input('k', [2], 'i32'), [4])),
    "HDL0002: randomBits('k' (input i32[2]), shape: [4])\na key is u32[2], not i32[2]",
  );
  t.equal(
    messageOf(() => randomKey(-1)),
    'HDL0003: randomKey(-1)\na seed is a whole number from 0 to 2⁵³ - 1',
  );
});
