// Host-side random numbers: the published words, independence of streams, moments.

import t from 'tap';
import { numberWords, threefry2x32 } from '../../compiler/ops/threefry.ts';
import { random } from '../../src/random.ts';

t.test('words are those of Threefry-2x32-20', async (t) => {
  const draw = random(0);
  t.equal(draw.uint32(), 0x6b200159, 'Random123: key 0, counter 0, first word');
  t.equal(draw.uint32(), 0x99ba4efe, 'second word');
  for (const seed of [1, 12345, 2 ** 40 + 7]) {
    const fast = random(seed);
    for (let block = 0; block < 3; block++) {
      const want = threefry2x32(numberWords, [Math.floor(seed / 2 ** 32), seed >>> 0], [block, 0]);
      t.same(
        [fast.uint32(), fast.uint32()],
        want.map((w) => w >>> 0),
        `seed ${seed}, block ${block}: as in graphs`,
      );
    }
  }
});

t.test('a stream is a function of its seed and path', async (t) => {
  const words = (r: ReturnType<typeof random>): number[] => Array.from({ length: 5 }, () => r.uint32());
  t.same(words(random(7, 'a', 'b')), words(random(7).fork('a').fork('b')));
  const streams = [
    random(7, 'a'),
    random(7, 'b'),
    random(8, 'a'),
    random(7, 'ab'),
    random(7, 'a', 'b'),
    random(7),
  ];
  t.equal(new Set(streams.map((s) => words(s).join())).size, streams.length, 'all differ');
  const parent = random(7, 'a');
  parent.uint32();
  t.same(words(parent.fork('x')), words(random(7, 'a', 'x')), 'forking does not depend on what was drawn');
});

t.test('distributions', async (t) => {
  const draw = random(1, 'moments');
  const n = 20_000;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const uniform = Array.from({ length: n }, () => draw.uniform(-2, 4));
  t.ok(uniform.every((v) => v >= -2 && v < 4));
  t.ok(Math.abs(mean(uniform) - 1) < 0.05, `mean ${mean(uniform)}`);
  const normal = Array.from({ length: n }, () => draw.normal(3, 2));
  t.ok(Math.abs(mean(normal) - 3) < 0.05);
  t.ok(Math.abs(Math.sqrt(mean(normal.map((v) => (v - 3) ** 2))) - 2) < 0.05);
});

t.test('a permutation holds every number once', async (t) => {
  const order = random(3).permutation(100);
  t.same(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  t.notSame(
    [...order],
    [...order].sort((a, b) => a - b),
  );
});
