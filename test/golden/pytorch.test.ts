// Losses and optimizers against values from PyTorch (float64), kept beside this file: each loss with its gradient, in every
// reduction, and ten steps of each rule on given gradients. NAdam is from the `foreach` variant: the other one multiplies by a
// momentum once too often in that version.

import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  cast,
  constant,
  cos,
  entry,
  grad,
  initializers,
  iota,
  losses,
  mul,
  type Optimizer,
  optimizers,
  program,
  reshape,
  sum,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';

function read<T>(name: string): T {
  const file = new URL(`../../../test/golden/pytorch/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function worstOf(got: ArrayLike<number>, want: readonly number[]): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  return want.reduce((w, v, i) => Math.max(w, Math.abs(got[i]! - v) / (2e-6 + 2e-5 * Math.abs(v))), 0);
}

interface LossCase {
  readonly name: string;
  readonly loss: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: readonly {
    readonly dtype: 'f32' | 'i32';
    readonly shape: readonly number[];
    readonly data: readonly number[];
  }[];
  readonly value: readonly number[];
  /** Options that are tensors. */
  readonly tensors?: Readonly<Record<string, LossCase['inputs'][number]>>;
  /** To the first input, of the sum of the value's elements times cos(their number). */
  readonly gradient: readonly number[];
}

const lossCases = ['losses', 'more-losses'].flatMap(
  (name) => read<{ readonly cases: readonly LossCase[] }>(name).cases,
);

for (const c of lossCases) {
  t.test(c.name, async (t) => {
    const inputs = Object.fromEntries(c.inputs.map((x, i) => [`x${i}`, tensor([...x.shape], x.dtype)]));
    const tensors = Object.entries(c.tensors ?? {}).map(
      ([name, v]) => [name, constant(v.data, v.shape, v.dtype)] as const,
    );
    const options = { ...c.options, ...Object.fromEntries(tensors) };
    const loss = losses[c.loss as keyof typeof losses] as (...args: readonly unknown[]) => Tensor;
    const p = program(
      {
        run: entry(inputs, (given): Record<string, Tensor> => {
          const args = c.inputs.map((_, i) => given[`x${i}`]! as Tensor);
          const value = loss(...args, options);
          const weights: Tensor =
            value.type.shape.length === 0
              ? constant(1)
              : reshape(cos(cast(iota([c.value.length], 0), 'f32')), value.type.shape);
          return { value, gradient: grad(sum(mul(value, weights)), [args[0]!])[0]! };
        }),
      },
      { target: 'reference' },
    );
    const { value, gradient } = (await p.run(
      'run',
      Object.fromEntries(c.inputs.map(({ data, shape }, i) => [`x${i}`, { data, shape }])),
    )) as Record<string, { readonly data: ArrayLike<number> }>;
    t.ok(worstOf(value!.data, c.value) <= 1, `value ${worstOf(value!.data, c.value)}`);
    t.ok(worstOf(gradient!.data, c.gradient) <= 1, `gradient ${worstOf(gradient!.data, c.gradient)}`);
  });
}

interface OptimizerCases {
  readonly start: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly name: string;
    readonly rule: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly values: readonly (readonly number[])[];
  }[];
  readonly clip: Readonly<Record<string, readonly number[]>>;
}

const traces = read<OptimizerCases>('optimizers');

for (const c of traces.cases) {
  t.test(`${c.name}, ten steps`, async (t) => {
    const rule = optimizers[c.rule as keyof typeof optimizers] as (options: unknown) => Optimizer;
    const w = variable('w', [6], initializers.fromArray(traces.start));
    const p = program(
      {
        train: entry({ g: tensor([6]) }, ({ g }, ctx) => {
          rule(c.options).update([w], [g], ctx);
          return {};
        }),
      },
      { threads: 1 },
    );
    for (const [i, g] of traces.gradients.entries()) {
      await p.run('train', { g });
      const worst = worstOf(p.get(w).data, c.values[i]!);
      t.ok(worst <= 1, `step ${i + 1}: ${worst}`);
    }
    await p.dispose();
  });
}

t.test('clipping', async (t) => {
  const { a, b, global_a, global_b, each_a, value_a } = traces.clip;
  const p = program(
    {
      run: entry({ a: tensor([4]), b: tensor([2, 2]) }, ({ a, b }) => {
        const [globalA, globalB] = optimizers.clipByGlobalNorm([a, b], 2);
        const [each] = optimizers.clipByNorm([a], 2);
        const [value] = optimizers.clipByValue([a], 2);
        return { globalA: globalA!, globalB: globalB!, each: each!, value: value! };
      }),
    },
    { target: 'reference' },
  );
  const got = await p.run('run', { a: a!, b: { data: b!, shape: [2, 2] } });
  t.ok(worstOf(got.globalA.data, global_a!) <= 1);
  t.ok(worstOf(got.globalB.data, global_b!) <= 1);
  t.ok(worstOf(got.each.data, each_a!) <= 1);
  t.ok(worstOf(got.value.data, value_a!) <= 1);
});
