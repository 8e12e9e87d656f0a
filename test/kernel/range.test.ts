// Ranges where code cannot be reached: both sides of conditions that leave a variable without values.

import t from 'tap';
import { constIndex, type LoopVar, offsetIndex, scaleIndex, varIndex } from '../../compiler/kernel/affine.ts';
import {
  emptyRanges,
  exactRange,
  rangeOf,
  withConditions,
  withLoop,
  withoutConditions,
} from '../../compiler/kernel/range.ts';

const d: LoopVar = { kind: 'var', name: 'd', extent: 2, id: 0 };
const even = scaleIndex(varIndex(d), 2);
const loop = withLoop(emptyRanges, d, 1, constIndex(2));

t.test('what neither of two guards takes is nothing, when they take all there is', async (t) => {
  // 2 d is 0 or 2: not in 0..1, and then not in 2..3.
  const second = withoutConditions(loop, [{ kind: 'inRange', index: even, lo: 0, hi: 1 }]);
  t.same(rangeOf(even, second), { min: 2, max: 2 });
  const none = withoutConditions(second, [{ kind: 'inRange', index: even, lo: 2, hi: 3 }]);
  const address = offsetIndex(scaleIndex(varIndex(d), 10), -15);
  const { min, max } = rangeOf(address, none);
  t.ok(min > max, 'never run');
});

t.test('a guard that holds nowhere, for rising and falling indices', async (t) => {
  for (const index of [even, offsetIndex(scaleIndex(varIndex(d), -2), 2)]) {
    const inside = withConditions(loop, [{ kind: 'inRange', index, lo: 1, hi: 2 }]);
    const { min, max } = rangeOf(varIndex(d), inside);
    t.ok(min > max);
    const exact = exactRange(varIndex(d), inside)!;
    t.ok(exact.min > exact.max);
  }
});
