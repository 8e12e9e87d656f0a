// Initializers against their definitions: fans, bounds, deviations.

import t from 'tap';
import { initializers, random } from '../../src/index.ts';

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
