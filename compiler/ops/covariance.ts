// How variables vary together: a variable for each row, an observation in each column, as NumPy and PyTorch have them.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, IsTuple, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { div, mul, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { swapAxes } from './axes.ts';
import { sum } from './broadcast.ts';
import { mean } from './composite.ts';
import { matmul } from './contract.ts';
import { refuse } from './refuse.ts';
import { sqrt } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

/** […, D, D] of rows […, D, N]. */
export type Together<S extends Shape> =
  IsTuple<S> extends false
    ? Shape
    : S extends readonly [...infer Batch extends Shape, infer D extends number, number]
      ? readonly [...Batch, D, D]
      : Shape;

/**
 * Covariances of D variables with N observations each: f32[…, D, N] → f32[…, D, D], variances on the diagonal. `ddof` is subtracted from N
 * before dividing (default 1: of a sample). Throws HDL0001 for less than two dimensions, HDL0002, HDL0003.
 *
 * @formula y[i, j] = Σ (x[i] − mean x[i]) (x[j] − mean x[j]) / (N − ddof)
 * @example covariance(x) // f32[4, 150] → f32[4, 4]
 */
export function covariance<X extends Node>(
  x: X & Accepts<'covariance', X, 'f32'>,
  options: { readonly ddof?: number } = {},
): Node<Together<ShapeOf<X>>, 'f32'> {
  const { ddof = 1 } = options;
  const count = observations('covariance', x);
  if (!(count - ddof > 0)) {
    const what = `covariance(${describeNode(x)}, ddof: ${ddof})`;
    refuse(
      'HDL0003',
      what,
      `${count} observations less ddof ${ddof} leave nothing to divide by`,
      'observe more',
    );
  }
  const y = scope('covariance', () => div(products(centred(x as Node as Floats)), count - ddof));
  return y as Node as Node<Together<ShapeOf<X>>, 'f32'>;
}

/**
 * Pearson's correlations of D variables with N observations each: f32[…, D, N] → f32[…, D, D], ones on the diagonal; NaN for a variable
 * that does not vary. Throws HDL0001 for less than two dimensions, HDL0002.
 *
 * @formula y[i, j] = cov[i, j] / √(cov[i, i] cov[j, j])
 * @example correlation(x) // f32[4, 150] → f32[4, 4]
 */
export function correlation<X extends Node>(
  x: X & Accepts<'correlation', X, 'f32'>,
): Node<Together<ShapeOf<X>>, 'f32'> {
  observations('correlation', x);
  const y = scope('correlation', () => {
    const c = centred(x as Node as Floats);
    const size = sqrt(sum(mul(c, c) as Floats, -1, { keepDims: true }) as Floats) as Floats;
    return products(div(c, size) as Floats);
  });
  return y as Node as Node<Together<ShapeOf<X>>, 'f32'>;
}

function centred(x: Floats): Floats {
  return sub(x, mean(x, -1, { keepDims: true }) as Floats) as Floats;
}

/** x · xᵀ */
function products(x: Floats): Floats {
  return matmul(x, swapAxes(x, -1, -2) as Floats) as Floats;
}

function observations(fn: string, x: Node): number {
  requireFloats(fn, x);
  if (x.type.shape.length < 2) {
    const what = `${fn}(${describeNode(x)})`;
    refuse(
      'HDL0001',
      what,
      'there is a row for each variable: […, variables, observations]',
      'stack them: stack([x, y])',
    );
  }
  return x.type.shape.at(-1)!;
}
