// Random values. They come from the random stream of the program, which differs from run to run and is the same on every
// target; a seed in the model asks for the numbers of another implementation and is refused.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type Elem, elementInfo } from '../elements.ts';
import { type OnnxOp, op } from '../operator.ts';
import type { Value } from '../value.ts';
import { asFloat, type F, shapeOf, type T } from './common.ts';
import { castTo } from './create.ts';

const limits = 'a seed is refused: no other implementation has these numbers';

function keyOf(c: Call): T {
  if (c.given('seed'))
    c.refuse('it asks for the random numbers of a seed', 'remove the seed: the program has one of its own');
  const { ctx } = c.site;
  return ctx
    ? (ctx.randomKey() as T)
    : c.refuse('it draws at random', 'build the model in an entry of a program');
}

const draw = (
  name: string,
  shape: (c: Call) => readonly number[],
  isNormal: boolean,
  isLike: boolean,
): OnnxOp =>
  op(name, { limits }, (c) => {
    const elem = c.elemOf('dtype', isLike ? c.elem(0) : 'float');
    const key = keyOf(c);
    const size = [...shape(c)];
    const node = isNormal
      ? h.add(h.mul(h.normal(key, size) as T, c.float('scale', 1)) as T, c.float('mean', 0))
      : h.add(
          h.mul(h.uniform(key, size) as T, c.float('high', 1) - c.float('low', 0)) as T,
          c.float('low', 0),
        );
    return castTo({ node: node as T, elem: 'float' }, elem);
  });

const attributeShape = (c: Call): readonly number[] => c.ints('shape') ?? [];
const operandShape = (c: Call): readonly number[] => c.shape(0);

export const randomOps: readonly OnnxOp[] = [
  draw('RandomNormal', attributeShape, true, false),
  draw('RandomUniform', attributeShape, false, false),
  draw('RandomNormalLike', operandShape, true, true),
  draw('RandomUniformLike', operandShape, false, true),
  op('Bernoulli', { limits }, (c): Value => {
    const x = asFloat(c.x(0));
    const elem: Elem = c.elemOf('dtype', c.elem(0));
    const isOne = h.bernoulli(keyOf(c), x, [...shapeOf(x)]);
    return { node: h.cast(isOne as T, elementInfo(elem).dtype) as T, elem };
  }),
  op('Multinomial', { limits }, (c): Value => {
    // The largest of log probabilities with Gumbel noise is a draw from them.
    const x = c.x(0) as F;
    const [batch, classes] = shapeOf(x) as [number, number];
    const count = c.int('sample_size', 1);
    const u = h.uniform(keyOf(c), [batch, count, classes]) as T;
    const noise = h.neg(h.log(h.neg(h.log(h.sub(1, u) as F) as F) as F) as F) as T;
    const scores = h.add(h.unsqueeze(x, 1) as T, noise) as T;
    return castTo({ node: h.argmax(scores as F, -1) as T, elem: 'int64' }, c.elemOf('dtype', 'int32'));
  }),
];
