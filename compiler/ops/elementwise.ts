// What all elementwise families share: the strict type rule of primitives (equal shapes, equal dtypes), the reference
// loop over elements, NumPy broadcasting of the public functions, and draws for samplers. Primitives never broadcast:
// the public functions insert `broadcast` nodes, so that the gradient of broadcasting is the rule of that one op.

import { formatAttr } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Fail, HostTensor, LoweringRule, Node, OpDef, SampleSource } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { Operand } from '../graph/shape-types.ts';
import {
  type DType,
  elementCount,
  formatShape,
  roundTo,
  type Shape,
  sameShape,
  type TensorType,
} from '../graph/types.ts';
import type { Expr } from '../kernel/expr.ts';
import { checkDType } from './attrs.ts';
import { broadcastTo } from './broadcast.ts';
import { full } from './leaf.ts';

/** Fails unless all types have the shape of the first. */
export function sameShapeCheck(types: readonly TensorType[], fail: Fail): void {
  const shape = types[0]!.shape;
  const other = types.find((t) => !sameShape(t.shape, shape));
  if (other === undefined) return;
  fail(
    `shapes ${formatShape(shape)} and ${formatShape(other.shape)} differ, and primitives do not broadcast`,
    'use the public function, which broadcasts',
  );
}

/** Fails with HDL0002 unless all types have the dtype of the first. */
export function sameDTypeCheck(types: readonly TensorType[], fail: Fail): void {
  const dtype = types[0]!.dtype;
  const other = types.find((t) => t.dtype !== dtype);
  if (other === undefined) return;
  fail(`dtypes ${dtype} and ${other.dtype} differ`, `cast one of them: cast(x, '${dtype}')`, 'HDL0002');
}

/** The type rule of most elementwise ops: operands of one type, of an accepted dtype; the result has that type. */
export function sameTypeRule(allowed: readonly DType[]): OpDef['type'] {
  return (types, _attrs, fail) => {
    for (const t of types) checkDType(fail, t, allowed);
    sameDTypeCheck(types, fail);
    sameShapeCheck(types, fail);
    return types[0]!;
  };
}

/** Reference loop: out[i] = f(x[i], y[i], z[i]), wrapped to the dtype of the result when that is not a float. */
export function mapElements(
  out: TensorType,
  operands: readonly HostTensor[],
  f: (x: number, y: number, z: number) => number,
): Float64Array {
  const [x, y = x, z = x] = operands.map((o) => o.data) as [Float64Array, Float64Array?, Float64Array?];
  const result = new Float64Array(elementCount(out.shape));
  for (let i = 0; i < result.length; i++) {
    const value = f(x[i]!, y![i]!, z![i]!);
    result[i] = out.dtype === 'f32' ? value : roundTo(out.dtype, value);
  }
  return result;
}

/** Lowering of an elementwise op: `make` gets the elements of all operands at the same position. */
export function lowerElements(make: (...elements: Expr[]) => Expr): LoweringRule {
  return ({ node, at, read }) => make(...node.operands.map((_, i) => read(i, at)));
}

/**
 * The operands of a public function made ready for its primitive: numbers become constants of the first tensor's dtype
 * (f32 when all are numbers), and everything is broadcast to the common shape. Throws HDL0001 in the name of `op`
 * when the shapes do not broadcast.
 */
export function broadcastOperands(op: string, operands: readonly Operand[]): Node[] {
  const tensors = operands.filter((o) => typeof o !== 'number');
  const dtype = tensors[0]?.type.dtype ?? 'f32';
  const shape = broadcastShapes(op, operands);
  return operands.map((o) => (typeof o === 'number' ? full(shape, o, dtype) : broadcastTo(o, shape)));
}

/** The shape that the operands broadcast to by NumPy's rule; numbers are scalars. Throws HDL0001 when there is none. */
export function broadcastShapes(op: string, operands: readonly Operand[]): Shape {
  let result: Shape = [];
  for (const o of operands) {
    if (typeof o === 'number') continue;
    const shape = o.type.shape;
    if (sameShape(result, shape)) continue;
    const rank = Math.max(result.length, shape.length);
    const dims = new Array<number>(rank);
    for (let right = 0; right < rank; right++) {
      const a = result[result.length - 1 - right] ?? 1;
      const b = shape[shape.length - 1 - right] ?? 1;
      if (a !== b && a !== 1 && b !== 1) {
        throw compilerError('HDL0001', {
          what: describeOperands(op, operands),
          rule: `dimensions ${a} and ${b} (from the right: ${right}) do not broadcast`,
          hint: 'dimensions are aligned at the right; a dimension of 1 stretches: reshape or transpose an operand',
          loc: callerLocation(),
        });
      }
      dims[rank - 1 - right] = a === 1 ? b : a;
    }
    result = dims;
  }
  return result;
}

/** A call of a public function, for errors: `add('x' (input f32[64, 10]), 3)`. */
export function describeOperands(op: string, operands: readonly Operand[]): string {
  return `${op}(${operands.map((o) => (typeof o === 'number' ? formatAttr(o) : describeNode(o))).join(', ')})`;
}

// Draws. Samplers take values at which the op is differentiable, well inside its domain, exact in the dtype.

export type Draw = (random: SampleSource) => number;

/** Real numbers in [lo, hi). */
export function between(lo: number, hi: number): Draw {
  return (random) => random.uniform(lo, hi);
}

/** Real numbers of either sign whose magnitude lies in [lo, hi). */
export function awayFromZero(lo: number, hi: number): Draw {
  return (random) => (random.bool() ? 1 : -1) * random.uniform(lo, hi);
}

/** Elements of a dtype where the op does not care: small enough that sums and products stay in range. */
export function anyElement(dtype: DType): Draw {
  return (random) => {
    switch (dtype) {
      case 'f32':
        return random.uniform(-3, 3);
      case 'i32':
        return random.bool(0.1) ? random.pick([-2147483648, 2147483647, 0]) : random.int(-20, 20);
      case 'u32':
        return random.bool(0.1) ? random.pick([4294967295, 2147483648, 0]) : random.int(0, 40);
      case 'bool':
        return random.int(0, 1);
      case 'u8':
        return random.int(0, 255);
      default:
        return dtype satisfies never;
    }
  };
}

/** A tensor of drawn elements. */
export function drawElements(
  random: SampleSource,
  dtype: DType,
  shape: Shape,
  draw: Draw = anyElement(dtype),
): HostTensor {
  const data = Float64Array.from({ length: elementCount(shape) }, () => roundTo(dtype, draw(random)));
  return { type: { dtype, shape }, data };
}
