// Dropout whose mask follows from the words of an experiment's stream, so that other languages can drop the same elements. The
// words are computed in the graph: mulberry32 is a function of the word's number, and a variable counts them.

import {
  add,
  bitwiseOr,
  bitwiseXor,
  full,
  ge,
  initializers,
  iota,
  type Layer,
  mul,
  nn,
  reshape,
  shr,
  type Tensor,
  where,
} from '../../src/index.ts';
import { mulberryStep, type Stream } from './streams.ts';

/** In training, x / (1 − rate) where the next word / 2³² is at least `rate`, else 0; in evaluation x. One word an element. */
export function wordDropout(rate: number, stream: Stream): Layer {
  const u32 = (n: number): Tensor => full([], n, 'u32');
  return nn.layer('dropout', (x, ctx) => {
    if (!ctx.training) return x;
    const { shape } = x.type;
    const count = shape.reduce((n, d) => n * d, 1);
    const drawn = ctx.variable('drawn', [], initializers.zeros(), { dtype: 'u32' });
    ctx.assign(drawn, add(drawn, u32(count)));
    const number = add(reshape(iota([count], 0, 'u32'), shape), add(drawn, u32(1)));
    const a = add(mul(number, u32(mulberryStep)), u32(stream.state));
    const b = mul(bitwiseXor(a, shr(a, u32(15))), bitwiseOr(a, u32(1)));
    const c = bitwiseXor(add(b, mul(bitwiseXor(b, shr(b, u32(7))), bitwiseOr(b, u32(61)))), b);
    const word = bitwiseXor(c, shr(c, u32(14)));
    return where(ge(word, u32(Math.ceil(rate * 2 ** 32))), mul(x, 1 / (1 - rate)), 0) as typeof x;
  });
}
