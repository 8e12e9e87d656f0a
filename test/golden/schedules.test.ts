// Learning rates of forty steps against PyTorch's schedulers, and the judge's warm-up.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Schedule, schedules } from '../../src/index.ts';

interface Case {
  readonly schedule: keyof typeof schedules;
  readonly options: Readonly<Record<string, unknown>>;
  readonly rates: readonly number[];
}

const file = new URL('../../../test/golden/pytorch/schedules.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] };

for (const { schedule, options, rates } of cases) {
  t.test(`${schedule} ${JSON.stringify(options)}`, async (t) => {
    const rate = (schedules[schedule] as (options: unknown) => Schedule)(options);
    const worst = rates.reduce((w, r, step) => Math.max(w, Math.abs(rate(step) - r)), 0);
    t.ok(worst < 1e-10, `${worst}`);
  });
}

t.test('a cosine with warm-up', async (t) => {
  const rate = schedules.cosineDecay({ rate: 2, steps: 10, warmup: 3 });
  for (let n = 1; n <= 10; n++) {
    const want = n <= 3 ? (2 * n) / 3 : 1 + Math.cos((Math.PI * (n - 3)) / 7);
    t.ok(Math.abs(rate(n - 1) - want) < 1e-12, `step ${n}`);
  }
  t.equal(rate(50), 0, 'after the end');
});

t.test('the others, and what is refused', async (t) => {
  t.equal(schedules.constant(0.1)(99), 0.1);
  t.equal(schedules.polynomialDecay({ rate: 1, steps: 4, power: 2 })(2), 0.25);
  t.ok(Math.abs(schedules.exponentialDecay({ rate: 1, factor: 0.25, every: 10 })(5) - 0.5) < 1e-12);
  t.throws(() => schedules.cosineDecay({ rate: 0.1, steps: 10, warmup: 10 }), {
    code: 'HDL0003',
    message:
      /cosineDecay with steps: 10\n {2}rule: .*above warmup(.|\n)*try: {2}steps are those of all epochs/,
  });
  t.throws(() => schedules.constant(-1), { code: 'HDL0003' });
  t.throws(() => schedules.stepDecay({ rate: 1, every: 0 }), { code: 'HDL0003' });
  t.throws(() => schedules.exponentialDecay({ rate: 1, factor: 0 }), { code: 'HDL0003' });
  t.throws(() => schedules.oneCycle({ rate: 1, steps: 1 }), { code: 'HDL0003' });
  t.throws(() => schedules.polynomialDecay({ rate: 1, steps: 1, power: Number.NaN }), { code: 'HDL0003' });
});
