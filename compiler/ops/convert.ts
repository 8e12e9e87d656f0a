// Changes of type: `convert` keeps the value as far as it goes, `bitcast` keeps the bits. `stopGradient` keeps both
// and ends differentiation.

import { makeNode } from '../graph/build.ts';
import type { Attrs, Fail, Node, OpDef } from '../graph/ir.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { type DType, dtypes, roundTo } from '../graph/types.ts';
import { binary, bitcast as bitcastExpr, constant, convert as convertExpr } from '../kernel/expr.ts';
import { scalarType } from '../lower/scalar.ts';
import { checkDType } from './attrs.ts';
import { defineOp } from './define.ts';
import { drawElements, mapElements } from './elementwise.ts';
import { zerosLike } from './leaf.ts';

const allDTypes = Object.keys(dtypes) as DType[];
const words: readonly DType[] = ['f32', 'i32', 'u32'];

function dtypeAttr(attrs: Attrs, allowed: readonly DType[], fail: Fail): DType {
  const dtype = allowed.find((d) => d === attrs['dtype']);
  return dtype ?? fail(`dtype must be one of ${allowed.join(', ')}`, undefined, 'HDL0003');
}

/** What a value of one dtype becomes in another. */
function convertValue(from: DType, to: DType, x: number): number {
  if (to === 'bool') return x !== 0 ? 1 : 0;
  if (from !== 'f32' || to === 'f32') return roundTo(to, x);
  if (Number.isNaN(x)) return 0;
  return Math.min(Math.max(Math.trunc(x), dtypes[to].min), dtypes[to].max) + 0;
}

const convertOp: OpDef = defineOp({
  name: 'convert',
  family: 'convert',
  doc: {
    summary:
      'The value in another dtype. From f32 to integers it is truncated and saturated, and NaN becomes 0; between integers the low bits are kept; to bool it is whether it differs from 0 (NaN does); bool becomes 0 or 1.',
    formula: 'y[i] = x[i] as dtype',
    types: 'T[S] → dtype[S], any dtypes',
    attrs: { dtype: 'of the result' },
    kinks: 'no gradient passes through an integer or a truth value',
    onnx: 'Cast',
    example: "cast(input('pixels', [28, 28], 'u8'), 'f32')",
  },
  arity: 1,
  type: ([x], attrs, fail) => ({ dtype: dtypeAttr(attrs, allDTypes, fail), shape: x!.shape }),
  reference: ([x], _attrs, out) => {
    const from = x!.type.dtype;
    // f32 is rounded by the interpreter's own rule, as after every op.
    if (out.dtype === 'f32') return x!.data.slice();
    return x!.data.map((v) => convertValue(from, out.dtype, v));
  },
  gradient: ({ operands: [x], cotangent, needs }) => [needs[0] && x!.type.dtype === 'f32' ? cotangent : null],
  lower: ({ node, at, read }) => {
    const to = node.type.dtype;
    const from = node.operands[0]!.type.dtype;
    const y = convertExpr(scalarType(to), read(0, at));
    if (to !== 'u8' || from === 'bool' || from === 'u8') return y;
    // u8 sits in a u32 register: floats saturate at 255, integers keep their low bits.
    return from === 'f32' ? binary('min', y, constant('u32', 255)) : binary('and', y, constant('u32', 255));
  },
  sample: (random) => {
    const dtype = random.pick(allDTypes.filter((d) => d !== 'f32'));
    const to = random.pick(allDTypes.filter((d) => d !== dtype));
    return { operands: [drawElements(random, dtype, random.shape(0, 3, 4))], attrs: { dtype: to } };
  },
});

const bitcastOp: OpDef = defineOp({
  name: 'bitcast',
  family: 'convert',
  doc: {
    summary: 'The same 32 bits read as another dtype.',
    formula: 'y[i] = bits of x[i] as dtype',
    types: 'T[S] → dtype[S] for f32, i32, u32',
    attrs: { dtype: 'of the result' },
    onnx: 'BitCast',
    example: "bitcast(input('x', [4]), 'u32')",
  },
  arity: 1,
  type: ([x], attrs, fail) => {
    checkDType(fail, x!, words);
    return { dtype: dtypeAttr(attrs, words, fail), shape: x!.shape };
  },
  reference: ([x], _attrs, out) => {
    const cell = new DataView(new ArrayBuffer(4));
    return mapElements(out, [x!], (v) => {
      if (x!.type.dtype === 'f32') cell.setFloat32(0, v);
      else cell.setUint32(0, v);
      return out.dtype === 'f32' ? cell.getFloat32(0) : cell.getUint32(0);
    });
  },
  gradient: { none: 'bits have no derivative' },
  lower: ({ node, at, read }) => bitcastExpr(scalarType(node.type.dtype), read(0, at)),
  sample: (random) => {
    // Numbers whose bits are no NaN in either reading: NaNs have many bit patterns.
    const from = random.pick(words);
    const shape = random.shape(0, 3, 4);
    const x =
      from === 'f32'
        ? drawElements(random, from, shape)
        : drawElements(random, from, shape, (r) => 0x3f800000 + r.int(0, 0x800000));
    return { operands: [x], attrs: { dtype: random.pick(words.filter((d) => d !== from)) } };
  },
});

const stopGradientOp: OpDef = defineOp({
  name: 'stopGradient',
  family: 'convert',
  doc: {
    summary: 'The value itself, as a constant to differentiation.',
    formula: 'y[i] = x[i], dy/dx = 0',
    types: 'T[S] → T[S], any dtype',
    example: "stopGradient(input('target', [64, 10]))",
  },
  arity: 1,
  type: ([x]) => x!,
  reference: ([x]) => x!.data.slice(),
  gradient: ({ operands: [x], needs }) => [needs[0] && x!.type.dtype === 'f32' ? zerosLike(x!) : null],
  lower: ({ at, read }) => read(0, at),
  // Integers only: of floats, finite differences would find the gradient that this op exists to hide.
  sample: (random) => ({
    operands: [drawElements(random, random.pick(['i32', 'u32', 'bool', 'u8']), random.shape(0, 3, 4))],
    attrs: {},
  }),
});

const convertOps: readonly OpDef[] = [convertOp, bitcastOp, stopGradientOp];
export default convertOps;

/**
 * The value in another dtype; the tensor itself when it has that dtype. From f32 to integers values are truncated and
 * saturated and NaN becomes 0; i32 and u32 keep the bits of each other; everything but 0 is true.
 *
 *     div(cast(input('pixels', [28, 28], 'u8'), 'f32'), 255);
 */
export function cast<X extends Node, D extends DType>(x: X, dtype: D): Node<ShapeOf<X>, D> {
  return (x.type.dtype === (dtype as DType) ? x : makeNode(convertOp, [x], { dtype })) as Node as Node<
    ShapeOf<X>,
    D
  >;
}

/** The same 32 bits read as another dtype (f32, i32, u32): `bitcast(x, 'u32')`. */
export function bitcast<X extends Node, D extends 'f32' | 'i32' | 'u32'>(
  x: X,
  dtype: D,
): Node<ShapeOf<X>, D> {
  return makeNode(bitcastOp, [x], { dtype }) as Node as Node<ShapeOf<X>, D>;
}

/** The value itself, through which no gradient passes: `stopGradient(target)`. */
export function stopGradient<X extends Node>(x: X): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(stopGradientOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
