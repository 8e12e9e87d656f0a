// Losses and metrics against their formulas.

import t from 'tap';
import { cast, entry, grad, losses, metrics, program, type Tensor, tensor } from '../../src/index.ts';

async function compute(
  build: (p: Tensor, y: Tensor) => Tensor,
  p: readonly (readonly number[])[],
  y: readonly number[],
  dtype: 'f32' | 'i32',
): Promise<{ value: number[]; gradient: number[] }> {
  const isClasses = dtype === 'i32';
  const target = isClasses ? tensor(['n'], 'i32') : tensor(['n', p[0]!.length]);
  const program1 = program(
    {
      run: entry({ p: tensor(['n', p[0]!.length]), y: target }, ({ p, y }) => {
        const value = build(p, y);
        const isScalar = value.type.shape.length === 0 && value.type.dtype === 'f32';
        return {
          value: cast(value, 'f32'),
          ...(isScalar ? { gradient: grad(value, [p])[0]! } : {}),
        } as Record<string, Tensor>;
      }),
    },
    { target: 'reference' },
  );
  const result = (await program1.run('run', {
    p,
    y: { data: y, shape: isClasses ? [p.length] : [p.length, p[0]!.length] },
  })) as Record<string, { data: ArrayLike<number> }>;
  return { value: Array.from(result['value']!.data), gradient: Array.from(result['gradient']?.data ?? []) };
}

const near = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => Math.abs(v - b[i]!) < 1e-5);

t.test('softmaxCrossEntropy', async (t) => {
  const logits = [
    [1, 2, 3],
    [0, -1, 5],
  ];
  const labels = [2, 0];
  const rows = logits.map((z, i) => Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - z[labels[i]!]!);
  const mean = await compute(losses.softmaxCrossEntropy, logits, labels, 'i32');
  t.ok(near(mean.value, [(rows[0]! + rows[1]!) / 2]), `mean ${mean.value}`);
  const wanted = logits.flatMap((z, i) => {
    const s = z.reduce((a, v) => a + Math.exp(v), 0);
    return z.map((v, c) => (Math.exp(v) / s - (c === labels[i] ? 1 : 0)) / 2);
  });
  t.ok(near(mean.gradient, wanted), 'gradient is (softmax − one-hot) / N');
  t.ok(
    near(
      (await compute((p, y) => losses.softmaxCrossEntropy(p, y, { reduction: 'sum' }), logits, labels, 'i32'))
        .value,
      [rows[0]! + rows[1]!],
    ),
  );
  t.ok(
    near(
      (
        await compute(
          (p, y) => losses.softmaxCrossEntropy(p, y, { reduction: 'none' }),
          logits,
          labels,
          'i32',
        )
      ).value,
      rows,
    ),
  );
  const large = await compute(losses.softmaxCrossEntropy, [[1000, 0]], [1], 'i32');
  t.same(large.value, [1000], 'stable for large logits');
});

t.test('meanSquaredError', async (t) => {
  const result = await compute(losses.meanSquaredError, [[1], [2], [4]], [0, 2, 1], 'f32');
  t.ok(near(result.value, [(1 + 0 + 9) / 3]));
  t.ok(near(result.gradient, [2 / 3, 0, 6 / 3]));
});

t.test('accuracy counts the first largest', async (t) => {
  const logits = [
    [1, 3, 2],
    [5, 5, 0],
    [0, 0, 0],
    [0, 1, 9],
  ];
  t.same((await compute(metrics.countCorrect, logits, [1, 1, 0, 2], 'i32')).value, [3]);
  t.equal(metrics.accuracy().result({ correct: Float64Array.of(3) }, 4), 0.75);
});
