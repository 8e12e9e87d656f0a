// Optimizers against a few steps computed by hand, and what they refuse.

import t from 'tap';
import {
  entry,
  grad,
  initializers,
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
let [mean, square2] = [0, 0];
check(
  'centered rmsprop',
  optimizers.rmsprop({ learningRate: 0.01, centered: true, alpha: 0.9 }),
  (p, time) => {
    if (time === 1) [mean, square2] = [0, 0];
    mean = 0.9 * mean + 0.1 * 4 * p;
    square2 = 0.9 * square2 + 0.1 * (4 * p) ** 2;
    return p - (0.01 * 4 * p) / (Math.sqrt(square2 - mean * mean) + 1e-8);
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
