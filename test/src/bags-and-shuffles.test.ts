// Bags of embeddings and layers that move channels and pixels: values and gradients of PyTorch, and what they refuse.

import t from 'tap';
import {
  constant, depthToSpace, entry, grad, initializers, input, mul, nn, parametersOf, program, sum, type Tensor, tensor,
} from '../../src/index.ts'; // biome-ignore format: a list
import { errorOf } from '../support/error-of.ts';

const table = [0.5, -1, 2, 3, -1, 0.25, 4, -2, 1, 1];
const bags = [1, 2, 0, 3, 3, 4, 0, 0, 0];
const third = 1 / 3;

/** Values, and the gradient to the table of Σ value · (1, 2, 3, …). */
const fromPyTorch = [
  ['mean', undefined, [0.5, 0.75, 3, -1, 0.5, -1], [16 * third, 20 * third, third, 2 * third, third, 2 * third, 2, 8 * third, 1, 4 * third]],
  ['mean', 0, [0.5, 1.625, 3, -1, 0, 0], [0, 0, 0.5, 1, 0.5, 1, 2, 8 * third, 1, 4 * third]],
  ['sum', undefined, [1.5, 2.25, 9, -3, 1.5, -3], [16, 20, 1, 2, 1, 2, 6, 8, 3, 4]],
  ['sum', 0, [1, 3.25, 9, -3, 0, 0], [0, 0, 1, 2, 1, 2, 6, 8, 3, 4]],
  ['max', undefined, [2, 3, 4, 1, 0.5, -1], [5, 6, 1, 2, 0, 0, 3, 0, 0, 4]],
  ['max', 0, [2, 3, 4, 1, 0, 0], [0, 0, 1, 2, 0, 0, 3, 0, 0, 4]],
] as const; // biome-ignore format: a table

const near = (a: ArrayLike<number>, b: readonly number[]): boolean =>
  a.length === b.length && b.every((v, i) => Math.abs(a[i]! - v) < 1e-6);

for (const [mode, padding, value, gradient] of fromPyTorch) {
  t.test(`embeddingBag: ${mode}, padding ${padding}`, async (t) => {
    const layer = nn.embeddingBag(5, 2, {
      mode,
      init: initializers.fromArray(table),
      ...(padding === undefined ? {} : { padding }),
    });
    const p = program(
      {
        run: entry({ x: tensor([3, 3], 'i32') }, ({ x }, ctx): Record<string, Tensor> => {
          const y = layer.apply(x, ctx) as Tensor;
          const loss = sum(mul(y, constant([1, 2, 3, 4, 5, 6], [3, 2])) as never) as never;
          return { y, g: grad(loss, parametersOf(y))[0]! };
        }),
      },
      { target: 'reference' },
    );
    const { y, g } = (await p.run('run', { x: { data: bags, shape: [3, 3] } })) as Record<string, { data: ArrayLike<number> }>;
    t.ok(near(y!.data, value), `${Array.from(y!.data)}`);
    t.ok(near(g!.data, gradient), `${Array.from(g!.data)}`);
  }); // biome-ignore format: a long line
}

t.test('the padding of an embedding is 0 and does not learn', async (t) => {
  const layer = nn.embedding(5, 2, { padding: 1, init: initializers.fromArray(table) });
  const p = program(
    {
      run: entry({ x: tensor([3], 'i32') }, ({ x }, ctx): Record<string, Tensor> => {
        const y = layer.apply(x, ctx) as Tensor;
        return { y, g: grad(sum(y as never) as never, parametersOf(y))[0]! };
      }),
    },
    { target: 'reference' },
  );
  const { y, g } = (await p.run('run', { x: { data: [0, 1, 4], shape: [3] } })) as Record<string, { data: ArrayLike<number> }>;
  t.same([Array.from(y!.data), Array.from(g!.data)], [[0.5, -1, 0, 0, 1, 1], [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]]);
}); // biome-ignore format: a long line

t.test('shuffles are inverse to each other, and refuse what does not divide', async (t) => {
  const p = program(
    {
      run: entry({ x: tensor([1, 8, 2, 3]) }, ({ x }, ctx): Record<string, Tensor> => {
        t.match(errorOf(() => nn.pixelShuffle(2).apply(input('x', [1, 6, 2, 2]), ctx)), /HDL0001: .*6 channels do not divide into blocks of 4/);
        t.match(errorOf(() => nn.pixelShuffle(2).apply(input('x', [8, 2, 2]) as Tensor, ctx)), /HDL0015: .*with 4 dimensions/);
        t.match(errorOf(() => nn.channelShuffle(4).apply(input('x', [1, 6, 2, 2]), ctx)), /HDL0003: .*4 groups do not divide 6 channels/);
        t.match(errorOf(() => nn.embeddingBag(5, 2).apply(input('x', [], 'i32'), ctx)), /HDL0015: .*its input is \[…, tokens of a bag\]/);
        const wide = nn.pixelShuffle(2).apply(x, ctx);
        return {
          wide,
          same: depthToSpace(x, 2, 'CRD'),
          back: nn.pixelUnshuffle(2).apply(wide, ctx),
          dealt: nn.channelShuffle(2).apply(x, ctx),
        };
      }),
    },
    { target: 'reference' },
  );
  const data = Array.from({ length: 48 }, (_, i) => i);
  const { wide, same, back, dealt } = (await p.run('run', { x: { data, shape: [1, 8, 2, 3] } })) as Record<string, { data: ArrayLike<number> }>;
  t.same(Array.from(back!.data), data);
  t.same(Array.from(wide!.data), Array.from(same!.data));
  // The first row of the first channel: pixels of channels 0 and 1 in turn.
  t.same(Array.from(wide!.data).slice(0, 6), [0, 6, 1, 7, 2, 8]);
  t.same(Array.from({ length: 8 }, (_, c) => dealt!.data[6 * c]! / 6), [0, 4, 1, 5, 2, 6, 3, 7]);
  t.match(errorOf(() => nn.embeddingBag(5, 2, { padding: 5 })), /HDL0003: .*padding is a number in \[0, 5\)/);
  t.match(errorOf(() => nn.pixelUnshuffle(0)), /HDL0003: .*factor is an integer of at least 1/);
}); // biome-ignore format: long lines
