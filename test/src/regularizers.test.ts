// Regularizers and constraints against their formulas, and that layers hand them to training.

import t from 'tap';
import {
  constraints,
  entry,
  grad,
  initializers,
  losses,
  Model,
  nn,
  optimizers,
  program,
  type Regularizer,
  regularizers,
  sum,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';

const w = [1, -2, 0.5, 3, 0, -1];
const near = (a: ArrayLike<number>, b: readonly number[]): boolean =>
  a.length === b.length && b.every((v, i) => Math.abs(v - a[i]!) < 1e-5 * Math.max(1, Math.abs(v)));

async function apply(
  f: (x: Tensor) => Tensor,
  data: readonly number[],
  shape: readonly number[],
): Promise<number[]> {
  const p = program(
    { run: entry({ x: tensor([...shape]) }, ({ x }) => ({ y: f(x) })) },
    { target: 'reference' },
  );
  const { y } = await p.run('run', { x: { data, shape } });
  return [...y.data];
}

t.test('penalties of weights', async (t) => {
  const l1 = w.reduce((s, v) => s + Math.abs(v), 0);
  const l2 = w.reduce((s, v) => s + v * v, 0);
  t.ok(near(await apply(regularizers.l1(0.1), w, [2, 3]), [0.1 * l1]));
  t.ok(near(await apply(regularizers.l2(0.1), w, [6]), [0.1 * l2]));
  t.ok(near(await apply(regularizers.l1l2(0.1, 0.2), w, [3, 2]), [0.1 * l1 + 0.2 * l2]));
  // Units are the columns of [in, out].
  const columns = [0, 1, 2].map((c) => [w[c]!, w[3 + c]!]);
  const gram = columns.flatMap((u, i) =>
    columns.map((v, j) => (u[0]! * v[0]! + u[1]! * v[1]! - (i === j ? 1 : 0)) ** 2),
  );
  const orthogonal = gram.reduce((a, b) => a + b, 0);
  t.ok(near(await apply(regularizers.orthogonal(0.5), w, [2, 3]), [0.5 * orthogonal]));
  const transposed = [w[0]!, w[3]!, w[1]!, w[4]!, w[2]!, w[5]!];
  t.ok(
    near(await apply(regularizers.orthogonal(0.5), transposed, [3, 2, 1, 1]), [0.5 * orthogonal]),
    'filters',
  );
  t.throws(() => regularizers.l1(-1), { code: 'HDL0003', message: /factor is a number of at least 0/ });
});

t.test('constraints', async (t) => {
  t.ok(near(await apply(constraints.nonNegative(), w, [6]), [1, 0, 0.5, 3, 0, 0]));
  const norm = (c: number): number => Math.hypot(w[c]!, w[3 + c]!);
  const scaled = w.map((v, i) => v * Math.min(1, 2 / (norm(i % 3) + 1e-7)));
  t.ok(near(await apply(constraints.maxNorm(2), w, [2, 3]), scaled));
  const rows = w.map((v, i) => v / (Math.hypot(...w.slice(i < 3 ? 0 : 3, i < 3 ? 3 : 6)) + 1e-7));
  t.ok(
    near(await apply(constraints.unitNorm(), w, [2, 3, 1]), rows),
    'filters lie under the first dimension',
  );
  t.throws(() => constraints.maxNorm(0), { code: 'HDL0003' });
});

t.test('constraints hold after each update, by any optimizer', async (t) => {
  const v = variable('v', [3], initializers.ones(), { constraint: constraints.nonNegative() });
  const p = program(
    {
      train: entry({}, (_, ctx) => {
        optimizers.adam({ learningRate: 2 }).update([v], grad(sum(v), [v]), ctx);
        return {};
      }),
    },
    { target: 'reference' },
  );
  await p.run('train', {});
  t.same([...p.get(v).data], [0, 0, 0]);
});

async function weightAfterOneStep(options: nn.DenseOptions, rate = 0.5): Promise<number[]> {
  const model = new Model({ input: [2] }).add(
    nn.dense(1, { bias: false, init: initializers.fromArray([1, -2]), ...options }),
  );
  model.compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.sgd({ learningRate: rate }),
    target: 'reference',
  });
  const history = await model.fit(
    {
      x: [
        [0, 0],
        [0, 0],
      ],
      y: [[0], [0]],
    },
    { verbose: false },
  );
  t.same(history['loss'], [0], 'the loss that is shown is without penalties');
  const values = [...model.program.get('dense1/w').data];
  await model.dispose();
  return values;
}

t.test('layers hand them to training', async (t) => {
  // The loss is 0 with gradient 0; only the penalty acts: ∂(λ w²) = 2λw.
  t.ok(near(await weightAfterOneStep({ regularizer: regularizers.l2(0.1) }), [0.9, -1.8]));
  t.ok(near(await weightAfterOneStep({ regularizer: regularizers.l1(0.1) }), [0.95, -1.95]));
  t.ok(near(await weightAfterOneStep({ constraint: constraints.nonNegative() }), [1, 0]));
  t.ok(near(await weightAfterOneStep({ regularizer: regularizers.l2(0.1), trainable: true }), [0.9, -1.8]));
});

t.test('penalties of outputs are divided by the batch', async (t) => {
  const square: Regularizer = regularizers.l2(1);
  const model = new Model({ input: [1] }).add(
    nn.dense(1, { bias: false, init: initializers.ones(), activityRegularizer: square }),
  );
  model.compile({
    loss: (p) => sum(p) as never,
    optimizer: optimizers.sgd({ learningRate: 1 }),
    y: [1],
    target: 'reference',
  });
  // d/dw of Σ wx + Σ (wx)² / n with x = 1, 2 and w = 1: 3 + (2 + 8) / 2.
  await model.fit({ x: [[1], [2]], y: [[0], [0]] }, { verbose: false });
  t.ok(near(model.program.get('dense1/w').data, [1 - 3 - 5]));
  await model.dispose();
});

t.test('a frozen block stays, and what follows learns', async (t) => {
  const block = nn.sequential([nn.dense(2, { name: 'a' }), nn.relu()], { name: 'stem', trainable: false });
  const model = new Model({ input: [2] }).add(block, nn.dense(1));
  model.compile({ loss: losses.meanSquaredError, optimizer: optimizers.sgd(), target: 'reference' });
  await model.fit({ x: [[1, 2]], y: [[3]] }, { verbose: false });
  const flags = model.program.variables().map(({ name, trainable }) => [name, trainable]);
  t.same(
    flags.filter(([, trainable]) => trainable).map(([name]) => name),
    ['dense1/w', 'dense1/b'],
  );
  await model.dispose();
});
