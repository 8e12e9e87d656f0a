// Layers that take further tensors, against values from PyTorch (float64), kept beside this file: attention to a memory and with
// masks, the block of a decoder, recurrent nets over sequences of different lengths; and what they refuse.

import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  cast, constant, cos, entry, type Floats, grad, input, iota, mul, nn, program, reshape, sequenceMask, sum, type Tensor, tensor,
} from '../../src/index.ts'; // biome-ignore format: a list
import { errorOf } from '../support/error-of.ts';

type Weights = Readonly<Record<string, readonly number[]>>;

interface AttentionCase {
  readonly name: string;
  readonly kind: 'attention' | 'transformer';
  readonly options: { readonly lengths?: number[]; readonly mask?: number[]; readonly causal?: boolean };
  readonly weights: Weights;
  readonly value: readonly number[];
  /** To the input and to the memory, of the sum of elements times cos(their number). */
  readonly gradients: readonly (readonly number[])[];
}

function read<T>(name: string): T {
  const file = new URL(`../../../test/golden/pytorch/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

const worst = (got: ArrayLike<number>, want: readonly number[]): number =>
  got.length === want.length
    ? want.reduce((w, v, i) => Math.max(w, Math.abs(got[i]! - v) / (2e-6 + 2e-5 * Math.abs(v))), 0)
    : Number.POSITIVE_INFINITY;

const attention = read<{ x: number[]; memory: number[]; cases: AttentionCase[] }>('attention');
const packed = read<{
  x: number[];
  lengths: number[];
  cases: {
    kind: 'rnn' | 'lstm' | 'gru';
    bidirectional: boolean;
    initial: number[] | null;
    weights: Weights;
    value: number[];
  }[];
}>('packed');

/** The values of an entry's outputs, with weights by the ends of their names. */
async function outputsOf(
  inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>,
  weights: Weights,
  build: (
    given: Readonly<Record<string, Tensor>>,
    ctx: Parameters<nn.Layer['apply']>[1],
  ) => Record<string, Tensor>,
): Promise<{ outputs: Record<string, ArrayLike<number>>; left: string[] }> {
  const specs = Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, tensor([...v.shape])]));
  const p = program({ run: entry(specs, build as never) }, { target: 'reference' });
  // Variables exist from the first run on.
  await p.run('run', inputs as never);
  const left = new Set(Object.keys(weights));
  for (const { name } of p.variables()) {
    const own = [...left].find((k) => name === k || name.endsWith(`/${k}`));
    if (own === undefined) throw new Error(`no weights for ${name}`);
    p.set(name, weights[own] as number[]);
    left.delete(own);
  }
  const found = (await p.run('run', inputs as never)) as Record<string, { readonly data: ArrayLike<number> }>;
  return { outputs: Object.fromEntries(Object.entries(found).map(([k, v]) => [k, v.data])), left: [...left] };
}

for (const c of attention.cases) {
  t.test(`${c.kind}: ${c.name}`, async (t) => {
    const inputs = {
      x: { shape: [2, 3, 4], data: attention.x },
      memory: { shape: [2, 4, 4], data: attention.memory },
    };
    const { outputs, left } = await outputsOf(inputs, c.weights, ({ x, memory }, ctx) => {
      const { lengths, mask, causal } = c.options;
      const isSeen = mask && cast(constant(mask, [1, 3, 4], 'i32') as Tensor, 'bool');
      const isThere = lengths && sequenceMask(constant(lengths, [2], 'i32'), 4);
      const seen = (isSeen ?? isThere) as Tensor | undefined;
      const layer =
        c.kind === 'attention'
          ? nn.multiHeadAttention(2, { memory: memory!, ...(seen && { mask: seen }) })
          : nn.transformerBlock(2, { hidden: 8, causal: causal!, memory: memory!, memoryMask: seen! });
      const y = layer.apply(x!, ctx) as Floats;
      const spread = reshape(cos(cast(iota([24], 0), 'f32') as Floats) as Tensor, [2, 3, 4]) as Floats;
      const [dx, dm] = grad(sum(mul(y, spread) as Floats) as never, [x!, memory!]);
      return { y, dx: dx!, dm: dm! };
    });
    t.same(left, [], 'every weight has its variable');
    t.ok(worst(outputs['y']!, c.value) <= 1, `value ${worst(outputs['y']!, c.value)}`);
    for (const [i, name] of ['dx', 'dm'].entries()) {
      const off = worst(outputs[name]!, c.gradients[i]!);
      t.ok(off <= 1, `${name} ${off}`);
    }
  });
}

for (const c of packed.cases) {
  const told = `${c.kind}${c.bidirectional ? ' in both directions' : ''} over packed sequences`;
  t.test(told, async (t) => {
    const inputs = { x: { shape: [2, 3, 2], data: packed.x } };
    const { outputs, left } = await outputsOf(inputs, c.weights, ({ x }, ctx) => {
      const lengths = constant(packed.lengths, [2], 'i32') as Tensor;
      const initial = c.initial === null ? {} : { initial: constant(c.initial, [2, 2]) as Tensor };
      const layer = nn[c.kind](2, { bidirectional: c.bidirectional, lengths, ...initial });
      return { y: layer.apply(x as Tensor, ctx) };
    });
    t.same(left, []);
    t.ok(worst(outputs['y']!, c.value) <= 1, `value ${worst(outputs['y']!, c.value)}`);
  });
}

t.test('what does not fit is refused by name', async (t) => {
  const refusals: readonly (readonly [nn.Layer, RegExp])[] = [
    [nn.multiHeadAttention(2, { mask: input('m', [2, 5], 'bool') }) as nn.Layer, /HDL0015: multiHeadAttention applied to .*its mask is bool\[2, 3\], bool\[2, 3, 3\] or bool\[2, 2, 3, 3\], not 'm' \(input bool\[2, 5\]\) \(from lengths: sequenceMask/],
    [nn.multiHeadAttention(2, { mask: input('m', [2, 3]) }) as nn.Layer, /HDL0015: .*its mask is bool/],
    [nn.multiHeadAttention(2, { memory: input('m', [3, 5, 4]) }) as nn.Layer, /HDL0015: .*its memory is f32\[2, steps, features\], not 'm' \(input f32\[3, 5, 4\]\)/],
  ]; // biome-ignore format: a table
  const p = program({
    run: entry({ x: tensor([2, 3, 4]) }, ({ x }, ctx) => {
      for (const [layer, text] of refusals) t.match(errorOf(() => layer.apply(x, ctx)), text);
      return { x };
    }),
  });
  await p.run('run', { x: { data: attention.x, shape: [2, 3, 4] } });
  await p.dispose();
  t.equal(
    errorOf(() => nn.gru(3, { layers: 2, initial: input('h', [2, 3]) })),
    'HDL0003: gru with an initial state for 2 layers: an initial state is that of one layer in one direction (give each layer its own: apply nn.gru once for each)',
  );
  t.match(errorOf(() => nn.embedding(5, 2, { padding: 5 })), /HDL0003: .*padding is a number in \[0, 5\)/);
}); // biome-ignore format: long lines
