// Constants from the values that a person writes: numbers, booleans, nested arrays, typed arrays. Out comes one `constant`
// node in its one form: a single number when all elements are equal, a list up to 16 elements, else a payload.

import { makeNode } from '../graph/build.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, Payload } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { makePayload } from '../graph/payload.ts';
import { type DType, dtypes, elementCount, formatShape, roundTo, type Shape } from '../graph/types.ts';
import { constantOp, maxInlineElements } from './leaf.ts';

/** What `constant` takes: a scalar, arrays nested up to four deep, or a flat typed array. */
export type ConstantValues = Scalar | TypedValues | Rows<Scalar | Rows<Scalar | Rows<Scalar | Rows<Scalar>>>>;

type Scalar = number | boolean;
type Rows<E> = readonly E[];
type TypedValues = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** The shape that values are written in: `[[1, 2], [3, 4]]` is [2, 2]. Lengths that are not known are `number`. */
export type ShapeOfValues<V> = V extends Scalar
  ? readonly []
  : V extends TypedValues
    ? readonly [number]
    : V extends Rows<Scalar>
      ? readonly [V['length']]
      : V extends Rows<Rows<Scalar>>
        ? readonly [V['length'], V[0]['length']]
        : V extends Rows<Rows<Rows<Scalar>>>
          ? readonly [V['length'], V[0]['length'], V[0][0]['length']]
          : Shape;

/** The dtype that values have when none is asked for. */
export type DTypeOfValues<V> = V extends boolean | Rows<boolean> | Rows<Rows<boolean>>
  ? 'bool'
  : V extends Int32Array
    ? 'i32'
    : V extends Uint32Array
      ? 'u32'
      : V extends Uint8Array
        ? 'u8'
        : V extends
              | number
              | Float32Array
              | Float64Array
              | Rows<number>
              | Rows<Rows<number>>
              | Rows<Rows<Rows<number>>>
          ? 'f32'
          : DType;

/**
 * A constant. The shape is that of the arrays unless it is given: then a single value fills it, and other values are read
 * row-major. The dtype is that of the values (f32 for numbers, bool for booleans) unless it is given.
 * Throws HDL0003 when arrays are ragged, the count does not fit the shape, or a value is not one of the dtype.
 *
 *     constant([[1, 2], [3, 4]]);                     // f32[2, 2]
 *     constant(new Int32Array([3, 1, 2, 0]), [2, 2]); // i32[2, 2]
 */
export function constant<
  const V extends ConstantValues,
  const S extends Shape = ShapeOfValues<V>,
  D extends DType = DTypeOfValues<V>,
>(values: V, shape?: S, dtype?: D): Node<S, D> {
  const flat: readonly number[] | TypedValues = isTyped(values) ? values : flatten(values);
  const written = isTyped(values) ? [values.length] : shapeOf(values);
  const type = { dtype: dtype ?? dtypeOf(values), shape: [...(shape ?? written)] };
  const count = elementCount(type.shape);
  if (flat.length !== count && flat.length !== 1) {
    const what = `constant(values of shape ${formatShape(written)}, shape: ${formatShape(type.shape)})`;
    throw invalid(
      what,
      `${flat.length} values do not fill ${count} elements`,
      'give one value for each element',
    );
  }
  const first = flat[0] ?? 0;
  if (Array.prototype.every.call(flat, (v) => Object.is(v, first))) {
    return makeNode(constantOp, [], { ...type, value: first }) as Node as Node<S, D>;
  }
  if (count <= maxInlineElements) {
    return makeNode(constantOp, [], { ...type, value: Array.from(flat) }) as Node as Node<S, D>;
  }
  const payload = makePayload(packed(flat, type.dtype));
  return makeNode(constantOp, [], { ...type, value: null }, { payload }) as Node as Node<S, D>;
}

function isTyped(v: ConstantValues): v is TypedValues {
  return ArrayBuffer.isView(v);
}

function flatten(values: Exclude<ConstantValues, TypedValues>): readonly number[] {
  const flat: number[] = [];
  const visit = (v: ConstantValues): void => {
    if (typeof v === 'object') for (const e of v) visit(e);
    else flat.push(Number(v));
  };
  visit(values);
  return flat;
}

/** The shape of nested arrays; throws when rows differ in length or depth. */
function shapeOf(values: ConstantValues): number[] {
  if (typeof values === 'number' || typeof values === 'boolean') return [];
  if (isTyped(values)) return [values.length];
  const rows = values.map((v) => shapeOf(v));
  const first = rows[0] ?? [];
  const other = rows.find((r) => r.length !== first.length || r.some((d, i) => d !== first[i]));
  if (other !== undefined) {
    throw invalid(
      'constant(nested arrays)',
      `rows have shapes ${formatShape(first)} and ${formatShape(other)}`,
      'all rows of a tensor have the same shape',
    );
  }
  return [values.length, ...first];
}

function dtypeOf(values: ConstantValues): DType {
  if (typeof values === 'boolean') return 'bool';
  if (values instanceof Int32Array) return 'i32';
  if (values instanceof Uint32Array) return 'u32';
  if (values instanceof Uint8Array) return 'u8';
  if (Array.isArray(values) && values.length > 0) return dtypeOf(values[0] as ConstantValues);
  return 'f32';
}

/** The elements as memory holds them; throws when a value is not one of an integer dtype. */
function packed(flat: readonly number[] | TypedValues, dtype: DType): Payload['values'] {
  if (dtype === 'f32') return Float32Array.from(flat);
  const at = flat.findIndex((v) => !Object.is(roundTo(dtype, v), v));
  if (at >= 0) {
    const { min, max } = dtypes[dtype];
    throw invalid(
      `constant(${flat.length} values, dtype: ${dtype})`,
      `value ${at} is ${flat[at]}, which is not a value of ${dtype}`,
      `${dtype} holds integers from ${min} to ${max}`,
    );
  }
  if (dtype === 'i32') return Int32Array.from(flat);
  return dtype === 'u32' ? Uint32Array.from(flat) : Uint8Array.from(flat);
}

function invalid(what: string, rule: string, hint: string): Error {
  return compilerError('HDL0003', { what, rule, hint, loc: callerLocation() });
}
