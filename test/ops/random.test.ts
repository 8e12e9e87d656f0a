// Random bits are those of the published Threefry-2x32 and of JAX, so that any two targets, and anybody else, agree.

import t, { type Test } from 'tap';
import {
  bernoulli,
  constant,
  foldIn,
  input,
  normal,
  randomBits,
  randomKey,
  splitKey,
  uniform,
} from '../../compiler/ops/index.ts';
import { numberWords, threefry2x32 } from '../../compiler/ops/threefry.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { evaluate } from '../support/evaluate.ts';
import { missing, readJson } from '../support/shared.ts';

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
