// Generators of points: shapes, labels, determinism, and what their formulas say without noise.

import t from 'tap';
import { data, random } from '../../src/index.ts';

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6;

t.test('circles: two radii, evenly spaced', async (t) => {
  const { x, y } = data.circles(9, { noise: 0, factor: 0.5 });
  t.same([...y], [0, 0, 0, 0, 1, 1, 1, 1, 1]);
  for (let i = 0; i < 9; i++) t.ok(near(Math.hypot(x[2 * i]!, x[2 * i + 1]!), i < 4 ? 1 : 0.5));
  t.ok(near(x[2 * 1]!, 0) && near(x[2 * 1 + 1]!, 1), 'a quarter of the way round of four points');
});

t.test('moons: from end to end', async (t) => {
  const { x, y } = data.moons(6, { noise: 0 });
  t.same([...y], [0, 0, 0, 1, 1, 1]);
  const expected = [1, 0, 0, 1, -1, 0, 0, 0.5, 1, -0.5, 2, 0.5];
  expected.forEach((v, i) => {
    t.ok(near(x[i]!, v), `coordinate ${i}: ${x[i]}`);
  });
});

t.test('blobs: as equal in number as can be, around centers in the box', async (t) => {
  const { x, y } = data.blobs(10, { classes: 4, features: 3, deviation: 0, box: 2, seed: 5 });
  t.same([...y], [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]);
  t.same([...x.slice(0, 3)], [...x.slice(3, 6)], 'without deviation a class is one point');
  t.notSame([...x.slice(0, 3)], [...x.slice(9, 12)]);
  t.ok(x.every((v) => Math.abs(v) <= 2));
});

t.test('linear: y is x · w + b, and noise', async (t) => {
  const { x, y, weights, bias } = data.linear(50, { seed: 3, features: 4 });
  t.equal(weights.length, 4);
  for (let i = 0; i < 50; i++) {
    const sum = weights.reduce((s, w, f) => s + w * x[4 * i + f]!, bias);
    t.equal(y[i], Math.fround(sum));
  }
  const noisy = data.linear(50, { seed: 3, features: 4, noise: 0.1 });
  t.same(noisy.x, x, 'noise comes last');
  const off = noisy.y.map((v, i) => v - y[i]!);
  t.ok(off.every((v) => v !== 0 && Math.abs(v) < 0.6));
});

t.test('product', async (t) => {
  const { x, y } = data.product(20, { seed: 1 });
  y.forEach((v, i) => {
    t.equal(v, Math.fround(x[2 * i]! * x[2 * i + 1]!));
  });
});

t.test('the same seed, the same points; a stream in place of a seed', async (t) => {
  for (const draw of [data.circles, data.moons, data.blobs, data.linear, data.product]) {
    t.same(draw(30, { seed: 7 }), draw(30, { seed: 7 }), draw.name);
    t.notSame(draw(30, { seed: 7 }), draw(30, { seed: 8 }), draw.name);
    t.same(draw(30, { seed: random(7, draw.name) }), draw(30, { seed: 7 }), `${draw.name} from a stream`);
  }
  t.same(data.spiral(10, 3, random(1, 'spiral')), data.spiral(10, 3, 1));
});
