// Constant folding: a node whose operands are all constants becomes a constant, computed by the op's own reference
// semantics in float64. Results stay small: up to 16 elements, or one number for all elements; what is larger is cheaper to
// compute than to store. Constants keep the precision of float64, as scalars that the user wrote do: 1 − 0.999 is 0.001.
// Where the dtype changes (a comparison, a conversion) operands count as the f32 numbers that a kernel would have seen.

import type { HostTensor, Node } from '../graph/ir.ts';
import { elementCount, roundTo, type TensorType } from '../graph/types.ts';
import { constant } from '../ops/constant.ts';
import { full, maxInlineElements } from '../ops/leaf.ts';
import type { GraphPass } from './manager.ts';
import { rewriteNodes, splatOf } from './rewrite.ts';

/** Families whose ops compute each element from the elements at its place: equal elements in, equal elements out. */
const elementwise: ReadonlySet<string> = new Set([
  'arithmetic',
  'unary',
  'binary',
  'power',
  'compare',
  'convert',
]);

/** Random bits must not be the same for ever, and a check must report when it runs. */
const never: ReadonlySet<string> = new Set(['random', 'check']);

/** Constants of more elements are not read to fold what is made of them. */
const maxOperandElements = 65536;

export const foldConstants: GraphPass = {
  name: 'fold',
  doc: 'Computes what depends on constants only.',
  run: (graph) => rewriteNodes(graph, fold, isOfConstants),
};

function isOfConstants({ operands }: Node): boolean {
  return operands.length > 0 && operands.every((o) => o.op.name === 'constant');
}

function fold(node: Node): Node {
  const { operands, type } = node;
  if (node.regions.length > 0 || never.has(node.op.family) || type.shape.includes(0)) return node;
  const splats = operands.map(splatOf);
  if (elementwise.has(node.op.family) && splats.every((v) => v !== null)) {
    const scalars = operands.map((o, i) =>
      seen(node, { type: scalar(o.type), data: Float64Array.of(splats[i]!) }),
    );
    const [value] = node.op.reference(scalars, node.attrs, scalar(type));
    return full(type.shape, normal(type, value!), type.dtype);
  }
  if (elementCount(type.shape) > maxInlineElements) return node;
  if (operands.some((o) => elementCount(o.type.shape) > maxOperandElements)) return node;
  const values = node.op.reference(
    operands.map((o) => seen(node, elementsOf(o))),
    node.attrs,
    type,
  );
  const normalized = Array.from(values, (v) => normal(type, v));
  return constant(normalized, type.shape, type.dtype);
}

function scalar(type: TensorType): TensorType {
  return { dtype: type.dtype, shape: [] };
}

function elementsOf(constantNode: Node): HostTensor {
  const { type, payload, op, attrs } = constantNode;
  return { type, data: payload ? Float64Array.from(payload.values) : op.reference([], attrs, type) };
}

/** An operand as the node sees it: rounded to f32 where the result has another dtype. */
function seen(node: Node, x: HostTensor): HostTensor {
  if (x.type.dtype !== 'f32' || node.type.dtype === 'f32') return x;
  return { type: x.type, data: x.data.map(Math.fround) };
}

/** A result as constants hold it: f32 in full precision, others in range and without −0. */
function normal(type: TensorType, value: number): number {
  return type.dtype === 'f32' ? value : roundTo(type.dtype, value);
}
