// Keeps the units of a layer from learning the same.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { cast, eq, iota, matmul, mul, square, sub, sum, transpose } from '../../compiler/ops/index.ts';
import { unitRows } from '../units.ts';
import type { Regularizer } from '../variable.ts';
import { checkFactor } from './check.ts';

/**
 * How far the units' weights are from being of length 1 and at right angles to each other. Rows of U are the units of a dense
 * weight [in, out] or of a convolution's [out, in, ...kernel]. → f32[]. Throws HDL0003; HDL0001 for a value of one dimension.
 *
 * @formula λ · Σ (U · Uᵀ − 1)²
 * @source Bansal et al., 2018
 * @example nn.dense(100, { regularizer: regularizers.orthogonal(1e-3) })
 */
export function orthogonal(factor = 0.01): Regularizer {
  checkFactor('orthogonal', factor);
  return (value) => {
    if (value.type.shape.length < 2) {
      throw compilerError('HDL0001', {
        what: `orthogonal regularizer of ${describeNode(value)}`,
        rule: 'it is for weights of two or more dimensions',
        hint: 'a bias has no units to set apart',
        loc: callerLocation(),
      });
    }
    return scope('orthogonal', () => {
      const rows = unitRows(value);
      const units = rows.type.shape[0]!;
      const identity: Tensor = cast(eq(iota([units, units], 0), iota([units, units], 1)), 'f32');
      const gram: Tensor = matmul(
        rows as Tensor<readonly [number, number], 'f32'>,
        transpose(rows) as Tensor<readonly [number, number], 'f32'>,
      );
      return mul(sum(square(sub(gram, identity))), factor);
    });
  };
}
