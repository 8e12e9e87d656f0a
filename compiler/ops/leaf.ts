// Leaves: nodes without operands. Inputs and variables live in buffers; constants of up to 16 elements stand in the
// graph itself, with their values in float64; larger ones carry a payload and live in a buffer too.

import { makeNode } from '../graph/build.ts';
import { compilerError } from '../graph/errors.ts';
import type { AttrValue, Fail, Node, OpDef } from '../graph/ir.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import {
  type DType,
  dtypes,
  elementCount,
  roundTo,
  rowMajorStrides,
  type Shape,
  type TensorType,
} from '../graph/types.ts';
import { addIndex, constIndex, type Index, scaleIndex } from '../kernel/affine.ts';
import { compare, convert, type Expr, constant as exprConstant, indexValue, select } from '../kernel/expr.ts';
import { scalarType } from '../lower/scalar.ts';
import { checkInteger } from './attrs.ts';
import { defineOp } from './define.ts';

/** Constants of more elements than this are payloads, outside of the text of the graph. */
export const maxInlineElements = 16;

const noOperands = { none: 'it has no operands' } as const;

/** The type that the attributes `dtype` and `shape` describe. */
function typeOfAttrs(attrs: Readonly<Record<string, AttrValue>>, fail: Fail): TensorType {
  const { dtype, shape } = attrs;
  if (typeof dtype !== 'string' || !(dtype in dtypes)) {
    fail(
      `dtype must be one of ${Object.keys(dtypes).join(', ')}`,
      `dtype 'f32' is what networks use`,
      'HDL0003',
    );
  }
  if (!Array.isArray(shape) || !shape.every((d) => Number.isInteger(d) && d >= 0)) {
    fail('shape must be a list of integers, none negative', 'a scalar has shape []', 'HDL0003');
  }
  const type: TensorType = { dtype: dtype as DType, shape: shape as Shape };
  if (elementCount(type.shape) > 2147483647) fail('a tensor has at most 2147483647 elements');
  return type;
}

const needName = (attrs: Readonly<Record<string, AttrValue>>, fail: Fail): void => {
  if (typeof attrs['name'] !== 'string' || attrs['name'] === '') {
    fail('a name is needed', 'pass a non-empty string', 'HDL0003');
  }
};

function hasNoValue(what: string): never {
  throw compilerError('HDL0099', { what: `internal: the reference of a ${what} was asked for its value` });
}

export const inputOp: OpDef = defineOp({
  name: 'input',
  family: 'leaf',
  doc: {
    summary: 'A value that the caller passes to the entry point.',
    formula: 'y = value passed as `name`',
    types: '() → dtype[shape]',
    attrs: { name: 'unique in the graph', dtype: 'element type', shape: 'list of dimensions' },
    example: "input('x', [64, 784])",
  },
  arity: 0,
  type: (_operands, attrs, fail) => {
    needName(attrs, fail);
    return typeOfAttrs(attrs, fail);
  },
  reference: () => hasNoValue('input'),
  gradient: noOperands,
  lower: 'leaf',
  sample: null,
});

export const variableOp: OpDef = defineOp({
  name: 'variable',
  family: 'leaf',
  doc: {
    summary: 'A value that the program owns and that a run may update: a parameter, a moment, a counter.',
    formula: 'y = committed value of `name`',
    types: '() → dtype[shape]',
    attrs: {
      name: 'path, unique in the program',
      dtype: 'element type',
      shape: 'list of dimensions',
      trainable: 'whether training differentiates with respect to it',
    },
    example: "variableNode('dense/w', [784, 10], 'f32', true)",
  },
  arity: 0,
  type: (_operands, attrs, fail) => {
    needName(attrs, fail);
    if (typeof attrs['trainable'] !== 'boolean')
      fail('trainable must be true or false', undefined, 'HDL0003');
    return typeOfAttrs(attrs, fail);
  },
  reference: () => hasNoValue('variable'),
  gradient: noOperands,
  lower: 'leaf',
  sample: null,
});

export const constantOp: OpDef = defineOp({
  name: 'constant',
  family: 'leaf',
  doc: {
    summary: 'A value known when the graph is built.',
    formula: 'y[i] = value, or value[i]',
    types: '() → dtype[shape]',
    attrs: {
      dtype: 'element type',
      shape: 'list of dimensions',
      value: `a number for all elements, or a row-major list of up to ${maxInlineElements}, or null with a payload`,
    },
    onnx: 'Constant',
    example: 'constant([[1, 2], [3, 4]])',
  },
  arity: 0,
  type: (_operands, attrs, fail) => {
    const type = typeOfAttrs(attrs, fail);
    const value = attrs['value'];
    const n = elementCount(type.shape);
    if (Array.isArray(value)) {
      if (value.length !== n || n > maxInlineElements || !value.every((v) => typeof v === 'number')) {
        fail(`value must list ${n} numbers, at most ${maxInlineElements}`, undefined, 'HDL0003');
      }
    } else if (value === null || value === undefined) {
      if (n <= maxInlineElements)
        fail(`value is needed: ${n} elements stand in the graph`, undefined, 'HDL0003');
    } else if (typeof value !== 'number') {
      fail('value must be a number or a list of numbers', undefined, 'HDL0003');
    }
    const wrong = valuesOf(value).find((v) => type.dtype !== 'f32' && !Object.is(roundTo(type.dtype, v), v));
    if (wrong !== undefined) fail(`${wrong} is not a value of ${type.dtype}`, undefined, 'HDL0003');
    return type;
  },
  reference: (_operands, attrs, out) => {
    const value = attrs['value'];
    if (value === null || value === undefined) hasNoValue('constant with a payload');
    if (typeof value === 'number') return new Float64Array(elementCount(out.shape)).fill(value);
    return Float64Array.from(value as readonly number[]);
  },
  gradient: noOperands,
  // Nodes with a payload live in buffers and do not come here.
  lower: ({ node, at }) => {
    const type = scalarType(node.type.dtype);
    const values = valuesOf(node.attrs['value']);
    const last = exprConstant(type, values[values.length - 1] ?? 0);
    if (values.length <= 1) return last;
    const flat = flatIndex(node.type.shape, at);
    if (flat.terms.length === 0) return exprConstant(type, values[flat.constant] ?? 0);
    const position = indexValue(flat);
    return values
      .slice(0, -1)
      .reduceRight<Expr>(
        (rest, v, i) => select(compare('eq', position, exprConstant('i32', i)), exprConstant(type, v), rest),
        last,
      );
  },
  sample: null,
});

const iotaOp: OpDef = defineOp({
  name: 'iota',
  family: 'leaf',
  doc: {
    summary: 'The position along one dimension.',
    formula: 'y[i] = i[dim]',
    types: '() → dtype[shape]; f32, i32, u32',
    attrs: { dtype: 'element type', shape: 'list of dimensions', dim: 'the dimension that counts' },
    onnx: 'Range',
    example: "iota([3, 4], 1, 'i32')",
  },
  arity: 0,
  type: (_operands, attrs, fail) => {
    const type = typeOfAttrs(attrs, fail);
    const dim = attrs['dim'];
    checkInteger(fail, 'dim', dim, 0, type.shape.length - 1);
    if (type.dtype === 'bool' || type.dtype === 'u8') {
      fail(`dtype ${type.dtype} does not count`, "use 'i32', 'u32' or 'f32'", 'HDL0002');
    }
    return type;
  },
  reference: (_operands, attrs, out) => {
    const dim = Number(attrs['dim']);
    const stride = rowMajorStrides(out.shape)[dim]!;
    return Float64Array.from(
      { length: elementCount(out.shape) },
      (_, i) => Math.floor(i / stride) % out.shape[dim]!,
    );
  },
  gradient: noOperands,
  lower: ({ node, at }) =>
    convert(node.type.dtype as 'f32' | 'i32' | 'u32', indexValue(at[Number(node.attrs['dim'])]!)),
  sample: null,
});

/** Row-major position of an element. */
export function flatIndex(shape: Shape, at: readonly Index[]): Index {
  const strides = rowMajorStrides(shape);
  return addIndex(constIndex(0), ...at.map((i, d) => scaleIndex(i, strides[d]!)));
}

function valuesOf(value: AttrValue | undefined): readonly number[] {
  if (typeof value === 'number') return [value];
  return Array.isArray(value) ? (value as readonly number[]) : [];
}

/** The number that all elements of a node are known to be: it is a constant of one value. Null otherwise. */
export function splatValue(node: Node): number | null {
  const value = node.op === constantOp ? node.attrs['value'] : null;
  return typeof value === 'number' ? value : null;
}

/**
 * A value that the caller passes when the entry point runs. Shape and dtype (default f32) are fixed.
 * Throws HDL0003 for an empty name or a bad shape.
 *
 *     const x = input('x', [64, 784]); // f32[64, 784]
 */
export function input<const S extends Shape, D extends DType = 'f32'>(
  name: string,
  shape: S,
  dtype?: D,
): Node<S, D> {
  return makeNode(inputOp, [], { name, dtype: dtype ?? 'f32', shape: [...shape] }, { name }) as Node<S, D>;
}

/**
 * The node of a variable; what makes it one with initial values stands above the compiler.
 *
 * @example variableNode('dense/w', [784, 10], 'f32', true)
 */
export function variableNode<const S extends Shape, D extends DType>(
  name: string,
  shape: S,
  dtype: D,
  trainable: boolean,
): Node<S, D> {
  const attrs = { name, dtype, shape: [...shape], trainable };
  return makeNode(variableOp, [], attrs, { name }) as Node<S, D>;
}

/**
 * All elements equal to `value`, which keeps its float64 precision until it is used.
 *
 *     full([2, 3], 0.5); // f32[2, 3]
 */
export function full<const S extends Shape, D extends DType = 'f32'>(
  shape: S,
  value: number,
  dtype?: D,
): Node<S, D> {
  return makeNode(constantOp, [], { dtype: dtype ?? 'f32', shape: [...shape], value }) as Node<S, D>;
}

/** Zeros: `zeros([2, 3])`. */
export function zeros<const S extends Shape, D extends DType = 'f32'>(shape: S, dtype?: D): Node<S, D> {
  return full(shape, 0, dtype);
}

/** Ones: `ones([2, 3])`. */
export function ones<const S extends Shape, D extends DType = 'f32'>(shape: S, dtype?: D): Node<S, D> {
  return full(shape, 1, dtype);
}

/**
 * Zeros of the type of `x`.
 *
 * @example zerosLike(x)
 */
export function zerosLike<X extends Node>(x: X): Node<ShapeOf<X>, DTypeOf<X>> {
  return full(x.type.shape, 0, x.type.dtype) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Ones of the type of `x`.
 *
 * @example onesLike(x)
 */
export function onesLike<X extends Node>(x: X): Node<ShapeOf<X>, DTypeOf<X>> {
  return full(x.type.shape, 1, x.type.dtype) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * The position along dimension `dim`, as i32 by default.
 *
 *     iota([2, 3], 1); // i32: [[0, 1, 2], [0, 1, 2]]
 */
export function iota<const S extends Shape, D extends DType = 'i32'>(
  shape: S,
  dim: number,
  dtype?: D,
): Node<S, D> {
  return makeNode(iotaOp, [], { dtype: dtype ?? 'i32', shape: [...shape], dim }) as Node<S, D>;
}

const leafOps: readonly OpDef[] = [inputOp, variableOp, constantOp, iotaOp];
export default leafOps;
