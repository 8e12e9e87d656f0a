// V8 optimises less while a graph is compiled. Its version tag depends on all of its flags, so it tells when one is not set back.

import { cachedDataVersionTag } from 'node:v8';
import t from 'tap';
import { nodeEngine } from '../../runtime/engine-flags.ts';
import { sparingOptimizer } from '../../src/spare-optimizer.ts';

const isKnown = nodeEngine()?.join('.') === '11.3';

t.test('the engine is told for the stretch only', async (t) => {
  const before = cachedDataVersionTag();
  const { inside } = sparingOptimizer(() => ({ inside: cachedDataVersionTag() }));
  t.equal(inside !== before, isKnown, 'versions whose own budget is not known are left alone');
  t.equal(cachedDataVersionTag(), before, 'and gets its own budget back');
});

t.test('work that throws ends the stretch too, and runs once', async (t) => {
  const before = cachedDataVersionTag();
  let runs = 0;
  const fail = (): object => {
    runs++;
    throw new Error('in the stretch');
  };
  t.throws(() => sparingOptimizer(fail), { message: 'in the stretch' });
  t.equal(runs, 1);
  t.equal(cachedDataVersionTag(), before);
});

t.test('who sets such flags is left alone', async (t) => {
  const { execArgv } = process;
  t.teardown(() => Object.assign(process, { execArgv }));
  const before = cachedDataVersionTag();
  for (const flag of ['--interrupt-budget=67584', '--interrupt_budget=1000', '--maglev']) {
    Object.assign(process, { execArgv: [flag] });
    t.equal(sparingOptimizer(() => ({ inside: cachedDataVersionTag() })).inside, before, flag);
  }
});
