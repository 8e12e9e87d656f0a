// Optimizers against a few steps computed by hand, and what they refuse.

import t from 'tap';
import {
  add,
  entry,
  grad,
  initializers,
  mean,
  mul,
  type Optimizer,
  optimizers,
  program,
  square,
  sum,
  tensor,
  variable,
} from '../../src/index.ts';

/** Values of p, from 1, after each of n steps on the loss (2p)² / 2 … so that the gradient is 4p. */
async function descend(optimizer: Optimizer, n: number): Promise<number[]> {
  const p = variable('p', [1], initializers.ones());
  const prog = program(
    {
      train: entry(
        {},
        (_inputs, ctx) => {
          const loss = sum(mul(square(p), 2));
          optimizer.update([p], grad(loss, [p]), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    { target: 'reference' },
  );
  const values: number[] = [];
  for (let i = 0; i < n; i++) {
    await prog.run('train', {});
    values.push(prog.get(p).data[0]!);
  }
  return values;
}

function check(name: string, optimizer: Optimizer, step: (p: number, t: number) => number): void {
  t.test(name, async (t) => {
    let p = 1;
    const want = [1, 2, 3, 4].map((time) => {
      p = step(p, time);
      return p;
    });
    const got = await descend(optimizer, 4);
    t.ok(
      got.every((g, i) => Math.abs(g - want[i]!) < 2e-6 * Math.max(1, Math.abs(want[i]!))),
      `${got} is near ${want}`,
    );
  });
}

let v = 0;
check('sgd', optimizers.sgd({ learningRate: 0.1 }), (p) => p - 0.1 * 4 * p);
check(
  'momentum with weight decay',
  optimizers.sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0.5 }),
  (p, time) => {
    v = time === 1 ? 4 * p + 0.5 * p : 0.9 * v + 4 * p + 0.5 * p;
    return p - 0.01 * v;
  },
);
let [m, s] = [0, 0];
check('adam', optimizers.adam({ learningRate: 0.1 }), (p, time) => {
  if (time === 1) [m, s] = [0, 0];
  m = 0.9 * m + 0.1 * 4 * p;
  s = 0.999 * s + 0.001 * (4 * p) ** 2;
  return p - (0.1 * (m / (1 - 0.9 ** time))) / (Math.sqrt(s / (1 - 0.999 ** time)) + 1e-8);
});
let [center, square2] = [0, 0];
check(
  'centered rmsprop',
  optimizers.rmsprop({ learningRate: 0.01, centered: true, alpha: 0.9 }),
  (p, time) => {
    if (time === 1) [center, square2] = [0, 0];
    center = 0.9 * center + 0.1 * 4 * p;
    square2 = 0.9 * square2 + 0.1 * (4 * p) ** 2;
    return p - (0.01 * 4 * p) / (Math.sqrt(square2 - center * center) + 1e-8);
  },
);
let total = 0.5;
check(
  'adagrad with decay of the rate',
  optimizers.adagrad({ learningRate: 0.1, rateDecay: 0.5, initialSum: 0.5 }),
  (p, time) => {
    if (time === 1) total = 0.5;
    total += (4 * p) ** 2;
    return p - ((0.1 / (1 + (time - 1) * 0.5)) * 4 * p) / (Math.sqrt(total) + 1e-10);
  },
);

t.test('state lies in variables under its scope; the rate can be set', async (t) => {
  const w = variable('w', [2], initializers.ones());
  const optimizer = optimizers.sgd({ learningRate: 0.5, momentum: 0.9 });
  const p = program(
    {
      train: entry({}, (_i, ctx) => {
        const loss = sum(w);
        optimizer.update([w], grad(loss, [w]), ctx);
        return { loss };
      }),
    },
    { target: 'reference' },
  );
  await p.run('train', {});
  t.same(
    p
      .variables()
      .map((x) => x.name)
      .sort(),
    ['optimizer/learningRate', 'optimizer/momentum/w', 'w'],
  );
  t.same([...p.get(w).data], [0.5, 0.5]);
  p.set('optimizer/learningRate', 0);
  await p.run('train', {});
  t.same([...p.get(w).data], [0.5, 0.5]);
  t.equal(p.get('optimizer/momentum/w').data[0]!.toFixed(4), '1.9000');
});

t.test('settings and gradients are checked', async (t) => {
  t.throws(() => optimizers.sgd({ learningRate: -1 }), { code: 'HDL0003' });
  const w = variable('w', [2], initializers.ones());
  const p = program(
    {
      train: entry({ x: tensor([3]) }, ({ x }, ctx) => {
        optimizers.sgd().update([w], [x], ctx);
        return {};
      }),
    },
    { target: 'reference' },
  );
  await t.rejects(p.run('train', { x: [1, 2, 3] }), { code: 'HDL0010' });
});

const x = (rows: number): number[][] =>
  Array.from({ length: rows }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);

/** Values of w after each step on (x · w)², with rows of x taken `batch` at a time. */
async function train(optimizer: Optimizer, rows: readonly number[][], batch: number): Promise<number[][]> {
  const w = variable('w', [2], initializers.fromArray([1, -1]));
  const p = program(
    {
      train: entry({ x: tensor([batch, 2]) }, ({ x }, ctx) => {
        const loss = mean(square(sum(mul(x, w), 1)));
        optimizer.update([w], grad(loss, [w]), ctx);
        return {};
      }),
    },
    { target: 'reference' },
  );
  const values: number[][] = [];
  for (let i = 0; i < rows.length; i += batch) {
    await p.run('train', { x: rows.slice(i, i + batch) });
    values.push([...p.get(w).data]);
  }
  return values;
}

t.test('lion: steps of one size', async (t) => {
  const got = await descend(optimizers.lion({ learningRate: 0.1, weightDecay: 0.5 }), 3);
  let p = 1;
  const want = [1, 2, 3].map(() => {
    p = p - 0.1 * (1 + 0.5 * p);
    return p;
  });
  t.ok(
    got.every((g, i) => Math.abs(g - want[i]!) < 1e-6),
    `${got}`,
  );
});

t.test('accumulate: four batches of two are one of eight', async (t) => {
  for (const make of [
    (): Optimizer => optimizers.adam({ learningRate: 0.1 }),
    (): Optimizer => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, clipNorm: 0.5 }),
  ]) {
    const small = await train(optimizers.accumulate(make(), 4), x(16), 2);
    const large = await train(make(), x(16), 8);
    t.same(small.slice(0, 3), Array(3).fill([1, -1]), 'nothing moves before the fourth');
    t.ok(small[3]!.every((v, i) => Math.abs(v - large[0]![i]!) < 1e-6));
    t.ok(
      small[7]!.every((v, i) => Math.abs(v - large[1]![i]!) < 1e-6),
      `${small[7]} is ${large[1]}`,
    );
  }
  t.throws(() => optimizers.accumulate(optimizers.sgd(), 0), { code: 'HDL0003' });
});

t.test('average: an exponential mean of parameters, to swap in', async (t) => {
  const w = variable('w', [1], initializers.ones());
  const optimizer = optimizers.average(optimizers.sgd({ learningRate: 0.5 }), { decay: 0.75 });
  const p = program(
    {
      train: entry({}, (_, ctx) => {
        optimizer.update([w], grad(sum(w), [w]), ctx);
        return {};
      }),
    },
    { target: 'reference' },
  );
  t.throws(() => optimizers.swapAverages(p), { code: 'HDL0003', message: /without averages/ });
  for (let i = 0; i < 3; i++) await p.run('train', {});
  // p is 0.5, 0, −0.5: the average 0.5, then 0.75 · 0.5, then 0.75 · 0.375 − 0.25 · 0.5.
  optimizers.swapAverages(p);
  t.same([...p.get(w).data], [0.15625]);
  optimizers.swapAverages(p);
  t.same([...p.get(w).data], [-0.5]);
});

t.test('groups: each parameter by the first that it matches', async (t) => {
  const [a, b, c] = ['a', 'b', 'c'].map((n) => variable(n, [1], initializers.ones()));
  const all = [a!, b!, c!];
  const optimizer = optimizers.groups(
    [
      { name: 'frozen', match: /^a/, optimizer: null },
      { name: 'fast', match: (name) => name === 'b', optimizer: optimizers.sgd({ learningRate: 0.2 }) },
      { name: 'rest', optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }) },
    ],
    { clipValue: 0.5 },
  );
  const p = program(
    {
      train: entry({}, (_, ctx) => {
        const loss = all.map((v) => sum(v)).reduce((s, v) => add(s, v));
        optimizer.update(all, grad(loss, all), ctx);
        return {};
      }),
    },
    { target: 'reference' },
  );
  await p.run('train', {});
  const values = all.map((v) => p.get(v).data[0]!.toFixed(4));
  t.same(values, ['1.0000', '0.9000', '0.9500']);
  t.same(optimizer.rates, [
    { variable: 'optimizer/fast/learningRate', initial: 0.2 },
    { variable: 'optimizer/rest/learningRate', initial: 0.1 },
  ]);
  t.ok(optimizer.rates.every(({ variable }) => p.get(variable).data.length === 1));
  t.throws(() => optimizers.groups([]), { code: 'HDL0003' });
});

t.test('a velocity that dies ends at 0, not in subnormals', async (t) => {
  const w = variable('w', [1], initializers.ones());
  const p = program(
    {
      train: entry({ g: tensor([1]) }, ({ g }, ctx) => {
        optimizers.sgd({ momentum: 0.1 }).update([w], [g], ctx);
        return {};
      }),
    },
    { threads: 1 },
  );
  const velocity = (): number => p.get('optimizer/momentum/w').data[0]!;
  await p.run('train', { g: [1] });
  const seen: number[] = [];
  for (let i = 0; i < 40; i++) {
    await p.run('train', { g: [0] });
    seen.push(velocity());
  }
  t.ok(
    seen.every((v) => v === 0 || v >= 2 ** -126),
    'never subnormal',
  );
  t.ok(seen[34]! > 0 && seen[36] === 0, `${seen[34]}, ${seen[36]}`);
  await p.run('train', { g: [Number.NaN] }).catch(() => {});
  t.ok(Number.isNaN(velocity()), 'NaN stays');
  await p.dispose();
});
