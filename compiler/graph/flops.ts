// Arithmetic that a graph asks for, before anything is optimized: a product and a sum count as two operations, an elementwise
// op as one for each element of its result, a reduction as one for each element that it reads. Moving data counts nothing.

import type { Graph, Node } from './ir.ts';
import { elementCount } from './types.ts';

/** Families of ops that compute each element of their result from as many elements of their operands. */
const elementwise: ReadonlySet<string> = new Set(['arithmetic', 'unary', 'binary', 'power', 'compare']);

/** Operations of one node. */
export function flopsOf({ op, operands, attrs, type, regions }: Node): number {
  const results = elementCount(type.shape);
  if (op.name === 'dotGeneral') {
    const contract = attrs['lhsContract'] as readonly number[];
    return 2 * results * contract.reduce((n, d) => n * operands[0]!.type.shape[d]!, 1);
  }
  // Filters are [outputs, channels, ...taps].
  if (op.name === 'convolution') return 2 * results * elementCount(operands[1]!.type.shape.slice(1));
  if (op.name === 'reduceWindow') {
    return results * (attrs['window'] as readonly number[]).reduce((n, d) => n * d, 1);
  }
  if (op.family === 'reduce') return elementCount(operands[0]!.type.shape);
  if (elementwise.has(op.family)) return results;
  const times = typeof attrs['length'] === 'number' ? attrs['length'] : 1;
  // Several results of one computation are nodes of their own; the first stands for it.
  if (regions.length > 0 && (attrs['result'] ?? 0) === 0) {
    return times * regions.reduce((n, region) => n + graphFlops(region), 0);
  }
  return 0;
}

export function graphFlops({ nodes }: Graph): number {
  return nodes.reduce((n, node) => n + flopsOf(node), 0);
}
