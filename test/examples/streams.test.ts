// The experiments' random numbers, and what is drawn with them, against numbers that another implementation printed.

import t, { type Test } from 'tap';
import { Stream, streams } from '../../examples/support/streams.ts';
import { data } from '../../src/index.ts';

function near(t: Test, found: readonly number[], wanted: readonly number[], tolerance: number): void {
  t.equal(found.length, wanted.length);
  wanted.forEach((w, i) => {
    t.ok(Math.abs(found[i]! - w) <= tolerance * Math.max(1, Math.abs(w)), `${found[i]} is ${w}`);
  });
}

t.test('words of mulberry32', async (t) => {
  const words = new Stream(1);
  t.same(
    [1, 2, 3, 4, 5].map(() => words.word()),
    [2693262067, 11749833, 2265367787, 4213581821, 4159151403],
  );
});

t.test('streams of seed 1', async (t) => {
  const { data, init, order } = streams(1);
  near(
    t,
    [1, 2, 3, 4].map(() => data.normal()),
    [-1.453324207, 0.6750922718, 0.4255678916, -0.8098591156],
    1e-9,
  );
  near(
    t,
    [1, 2, 3, 4].map(() => init.uniform()),
    [0.8604490024, 0.577725709, 0.3958579113, 0.7978420933],
    1e-9,
  );
  t.same([...order.permutation(10)], [5, 2, 4, 3, 1, 6, 0, 8, 7, 9]);
});

t.test('points of seed 1', async (t) => {
  const sums = (x: Float32Array): number[] => [
    x.reduce((a, v) => a + v, 0),
    x.reduce((a, v) => a + v * v, 0),
  ];
  const spiral = data.spiral(100, 3, streams(1).data).x;
  near(
    t,
    [...spiral.slice(-2), ...sums(spiral)],
    [0.9043936197, 0.4266991687, 0.5941319329, 100.5050505],
    1e-6,
  );
  const circles = data.circles(5000, { seed: streams(1).data }).x;
  near(
    t,
    [...circles.slice(0, 2), ...circles.slice(-2)],
    [0.9418670317, 0.02700369087, 0.8018893937, -0.01621335923],
    1e-6,
  );
  near(t, sums(circles), [-3.847404735, 4118.868963], 1e-6);
  const moons = data.moons(5000, { seed: streams(1).data }).x;
  near(t, [...moons.slice(-2), ...sums(moons)], [2.00189192, 0.485797258, 3746.152595, 6544.331073], 1e-6);
});
