// Given programs, when their steps are put depth first, then the order is valid, and a gradient of several steps is done before
// the next one is begun.

import fc from 'fast-check';
import t from 'tap';
import { type Dependences, dependencesOf } from '../../compiler/schedule/dependences.ts';
import { depthFirstOrder } from '../../compiler/schedule/depth-first.ts';
import { programArbitrary } from '../support/programs.ts';

const seed = 20261122;

/** Dependences of steps that each need those of `before`. */
function dependences(before: readonly (readonly number[])[]): Dependences {
  const after: number[][] = before.map(() => []);
  before.forEach((list, s) => {
    for (const b of list) after[b]!.push(s);
  });
  return { before, after };
}

t.test('each step once, after those that it needs', async (t) => {
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const known = dependencesOf(program);
      const order = depthFirstOrder(known);
      const place = new Map(order.map((s, k) => [s, k]));
      if (place.size !== program.steps.length)
        throw new Error(`${place.size} of ${program.steps.length} steps`);
      known.before.forEach((list, s) => {
        for (const b of list)
          if (place.get(b)! > place.get(s)!) throw new Error(`step ${s} before step ${b}`);
      });
    }),
    { seed, numRuns: 200 },
  );
  t.pass(`seed ${seed}`);
});

t.test('weights right after what their gradients are made of', async (t) => {
  //            forward 0 1 2, backward 3 4 5, and for the weights of each layer two sums and their product
  const before = [[], [0], [1], [2], [3], [4], [0], [5], [6, 7], [1], [4], [9, 10], [2], [3], [12, 13]];
  t.same(depthFirstOrder(dependences(before)), [0, 1, 2, 3, 13, 12, 14, 4, 10, 9, 11, 5, 7, 6, 8]);
});

t.test('a chain, and nothing', async (t) => {
  const long = Array.from({ length: 20_000 }, (_, s) => (s === 0 ? [] : [s - 1]));
  t.same(
    depthFirstOrder(dependences(long)),
    long.map((_, s) => s),
  );
  t.same(depthFirstOrder(dependences([])), []);
});
