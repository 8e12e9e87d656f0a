// Statistics of timed rounds, against definitions.

import t from 'tap';
import { interleave, median, medianRatio, quantile } from './statistics.ts';

t.test('quantiles are interpolated between sorted samples', async (t) => {
  const samples = [40, 10, 30, 20];
  t.same(
    [0, 0.25, 0.5, 1].map((q) => quantile(samples, q)),
    [10, 17.5, 25, 40],
  );
  t.equal(quantile([7], 0.9), 7);
  t.equal(median([3, 1, 2]), 2);
  t.ok(Number.isNaN(median([])), 'of nothing there is none');
  t.same(samples, [40, 10, 30, 20], 'the samples stay in order');
});

t.test('ratios are taken round by round: what slows a round slows both', async (t) => {
  const machine = [1, 5, 1, 1, 9];
  const a = machine.map((slow) => 30 * slow);
  const b = machine.map((slow) => 20 * slow);
  t.equal(medianRatio(a, b), 1.5);
});

t.test('in each round every contender in turn', async (t) => {
  const order: string[] = [];
  const contender = (name: string, value: () => number | Promise<number>) => ({
    name,
    sample: () => {
      order.push(name);
      return value();
    },
  });
  const samples = await interleave(2, [contender('a', () => order.length), contender('b', async () => 7)]);
  t.same(order, ['a', 'b', 'a', 'b']);
  t.same(
    [...samples],
    [
      ['a', [1, 3]],
      ['b', [7, 7]],
    ],
  );
});
