// Long variances by parts. The sum of squares around the mean must wait for the mean, and then reads everything a second time.
// By parts it does not: each part is centred on its own mean, while it is still near, and the parts are merged.
//
//   Σ (x − m)²  =  Σ_p ( q_p − e_p² / n  +  n (c_p + e_p / n − m)² )      q_p = Σ_{i in p} (x_i − c_p)²
//                                                                          e_p = Σ_{i in p} (x_i − c_p)
//
// c_p is the mean of part p, of n elements, as it comes out; e_p, what its rounding left, would else be multiplied by how far
// the parts lie apart. So this is as accurate as two passes, however far the mean lies from zero. Both parts of the sum are
// kept from falling below zero, since roots are taken of it.
//
// Chan, Golub and LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979; Algorithms for
// Computing the Sample Variance (the corrected two-pass algorithm), 1983. The parts are those into which
// split-reductions.ts cuts the sum for the mean, which is read here again.
//
// In: a graph in which Σ (x − mean(x))² stands, over the same axes as the mean, longer than a reduction may be. Out: the
// same with that sum by parts. Other uses of the mean and of x − m stay.

import type { Node } from '../graph/ir.ts';
import { sameShape } from '../graph/types.ts';
import { add, mul, sub } from '../ops/arithmetic.ts';
import { maximum } from '../ops/binary.ts';
import { broadcastInDim, reduceSum, reduceSumOp } from '../ops/broadcast.ts';
import { reshape } from '../ops/shape.ts';
import { deviationOf } from './deviation.ts';
import type { GraphPass } from './manager.ts';
import { integers, rewriteNodes } from './rewrite.ts';
import { twoSteps } from './split-reductions.ts';

export const splitVariance: GraphPass = {
  name: 'split-variance',
  doc: 'Sums of squares around a mean by parts, each around its own mean: one traversal instead of two.',
  run: (graph) => rewriteNodes(graph, byParts),
};

function byParts(node: Node): Node {
  const variance = varianceOf(node);
  if (variance === null) return node;
  const { x, axes, mean } = variance;
  const steps = twoSteps(x, axes);
  // The parts must be short enough to need no cut of their own.
  if (steps === null || twoSteps(steps.viewed, steps.innerAxes) !== null) return node;
  const { viewed, innerAxes, outerAxes } = steps;
  const shape = viewed.type.shape;
  const partDims = shape.flatMap((_, d) => (innerAxes.includes(d) ? [] : [d]));
  const partShape = partDims.map((d) => shape[d]!);
  const count = innerAxes.reduce((n, a) => n * shape[a]!, 1);

  const means = mul(reduceSum(viewed, innerAxes), 1 / count);
  const centred = sub(viewed, broadcastInDim(means, shape, partDims));
  const squares = reduceSum(mul(centred, centred), innerAxes);
  const left = reduceSum(centred, innerAxes);
  const correction = mul(left, 1 / count);
  const within = maximum(sub(squares, mul(left, correction)) as Node, 0);
  const keptDims = partShape.flatMap((_, d) => (outerAxes.includes(d) ? [] : [d]));
  const apart = add(sub(means, broadcastInDim(mean, partShape, keptDims)), correction);
  return reduceSum(add(within, mul(mul(apart, apart), count)), outerAxes);
}

interface Variance {
  readonly x: Node;
  readonly axes: readonly number[];
  /** Over the other axes, in their order. */
  readonly mean: Node;
}

/** Σ c · c with c = x − m, where m is the mean of x over the same axes; null for anything else. */
function varianceOf(node: Node): Variance | null {
  if (node.op !== reduceSumOp || node.type.dtype !== 'f32') return null;
  const square = node.operands[0]!;
  const [c, d] = square.operands;
  if (square.op.name !== 'mul' || c === undefined || c !== d) return null;
  const deviation = deviationOf(c);
  const axes = integers(node, 'axes');
  if (deviation === null || !sameShape(deviation.axes, axes)) return null;
  return { x: deviation.x, axes, mean: reshape(deviation.mean, node.type.shape) as Node };
}
