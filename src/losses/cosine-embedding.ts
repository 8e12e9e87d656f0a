// Cosines of pairs of embeddings: near 1 for pairs that belong together, below a margin for others.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { formatShape, type Shape, sameShape } from '../../compiler/graph/types.ts';
import { cosineSimilarity, gt, relu, sub, where } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { refused } from './check.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface CosineEmbeddingOptions extends LossOptions {
  /** Cosines below it are fine for pairs that do not belong together: in [−1, 1], default 0. */
  readonly margin?: number | undefined;
}

/**
 * Embeddings a and b, f32[N, D], and targets t, f32[N]: 1 where they belong together, −1 where they do not → f32[], or f32[N] with
 * `reduction: 'none'`. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula 1 − cos(a, b) where t > 0, else max(0, cos(a, b) − margin)
 * @source Hadsell et al., 2006
 * @example const loss = losses.cosineEmbedding(net(a), net(b), together);
 */
export function cosineEmbedding(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: CosineEmbeddingOptions = {},
): Floats {
  const { margin = 0 } = options;
  if (!(margin >= -1 && margin <= 1)) {
    throw refused('cosineEmbedding', 'margin', margin, 'a cosine, in [−1, 1]', 'it is 0 by default');
  }
  expectSameShape('cosineEmbedding', a, b);
  const pairs = a.type.shape.slice(0, -1);
  const fail = (code: 'HDL0001' | 'HDL0002', rule: string, hint: string): never => {
    throw compilerError(code, {
      what: `cosineEmbedding(${[a, b, target].map(describeNode).join(', ')})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  if (a.type.shape.length === 0)
    fail('HDL0001', 'vectors lie along the last axis', 'give it [pairs, features]');
  if (!sameShape(target.type.shape, pairs)) {
    const given = formatShape(target.type.shape);
    fail(
      'HDL0001',
      `targets are ${formatShape(pairs)}, one for each pair, not ${given}`,
      'check their shape',
    );
  }
  if (target.type.dtype !== 'f32') {
    fail('HDL0002', `targets are f32, not ${target.type.dtype}`, "convert them: cast(target, 'f32')");
  }
  return scope('cosineEmbedding', () => {
    const cosine = cosineSimilarity(a as Floats, b as Floats, -1) as Floats;
    const apart = relu(sub(cosine, margin) as Floats) as Floats;
    const isPair = gt(target as Floats, 0) as Tensor<Shape, 'bool'>;
    return reduceLoss('cosineEmbedding', where(isPair, sub(1, cosine) as Floats, apart) as Floats, options);
  });
}
