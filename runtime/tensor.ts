// Values as they cross the border of the runtime: dtypes, row-major data, and what is accepted for which dtype. What
// comes in from the user is checked here and becomes data of the right type, or an error that says what was expected.
// Nothing here knows where a tensor lies in memory.

import { runtimeError } from './errors.ts';
import type { PlanDType, PlanPlacement, PlanTensor, PlanVariable } from './plan.ts';

/** Row-major values of one dtype: `bool` and `u8` are bytes. */
export type RunData = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor that the runtime hands out: a copy, row-major. */
export interface RunTensor {
  readonly dtype: PlanDType;
  readonly shape: readonly number[];
  readonly data: RunData;
}

/** What may be handed in for a tensor, row-major: its own typed array, or numbers that its dtype can hold. */
export type RunInput =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | readonly number[]
  | readonly boolean[];

/** Values that variables start with; undefined for zeros. */
export type InitialValues = (variable: PlanVariable) => RunInput | undefined;

/** Bytes of one element in memory. */
export const elementBytes: Readonly<Record<PlanDType, 1 | 4>> = { f32: 4, i32: 4, u32: 4, bool: 1, u8: 1 };

/** Product of the extents; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Bytes of a tensor in memory. */
export function tensorBytes(tensor: PlanTensor): number {
  return elementCount(tensor.shape) * elementBytes[tensor.dtype];
}

/** Places for tensors one after another, each at a multiple of 16 bytes. */
export function slotsOf(tensors: readonly PlanTensor[]): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  let bytes = 0;
  const offsets = tensors.map((tensor) => {
    const offset = bytes;
    bytes += Math.ceil(tensorBytes(tensor) / 16) * 16;
    return offset;
  });
  return { offsets, bytes };
}

/** Whether dimensions lie in memory as in the data, but for those of one element. */
export function isRowMajor({ order, shape }: Pick<PlanPlacement, 'order' | 'shape'>): boolean {
  const long = order.filter((d) => shape[d] !== 1);
  return long.every((d, i) => i === 0 || long[i - 1]! < d);
}

/** `f32[64, 10]` */
export function formatTensor(tensor: Pick<PlanTensor, 'dtype' | 'shape'>): string {
  return `${tensor.dtype}[${tensor.shape.join(', ')}]`;
}

/** Zeros. */
export function makeData(dtype: PlanDType, elements: number): RunData {
  switch (dtype) {
    case 'f32':
      return new Float32Array(elements);
    case 'i32':
      return new Int32Array(elements);
    case 'u32':
      return new Uint32Array(elements);
    case 'bool':
    case 'u8':
      return new Uint8Array(elements);
    default:
      throw runtimeError('HDL1099', { what: `internal: dtype ${dtype satisfies never}` });
  }
}

/**
 * Checks values for a tensor and gives them as data of its dtype: the same array when it fits as it is, else a copy.
 * `subject` names them in errors: `input 'x' of 'train'`. Throws HDL1001.
 *
 *     toData("input 'x'", { name: 'x', dtype: 'f32', shape: [2] }, [1, 2])  // Float32Array [1, 2]
 */
export function toData(subject: string, tensor: PlanTensor, given: unknown): RunData {
  const elements = elementCount(tensor.shape);
  const expected = `${formatTensor(tensor)}, ${arrayNames[tensor.dtype]} of ${elements} elements`;
  const refuse = (what: string, hint: string) =>
    runtimeError('HDL1001', {
      what: `${subject} is ${what}, expected ${expected}`,
      rule: 'values are given row-major, as many as the shape has, of a type that its dtype can hold',
      hint,
    });

  if (!isNumericArray(given)) {
    throw refuse(describeValue(given), hintForValue(given));
  }
  if (given.length !== elements) {
    throw refuse(
      `${describeValue(given)} of ${given.length} elements`,
      'check the batch size and the order of dimensions; a plan has fixed shapes',
    );
  }
  if (fitsAsItIs(tensor.dtype, given)) return given;
  if (tensor.dtype === 'f32' && given instanceof Float64Array) return Float32Array.from(given);

  const accepts = acceptedValue[tensor.dtype];
  const data = makeData(tensor.dtype, elements);
  if (tensor.dtype === 'f32' && !Array.isArray(given)) {
    throw refuse(describeValue(given), 'convert it on purpose: Float32Array.from(values)');
  }
  for (let i = 0; i < elements; i++) {
    const value: unknown = given[i];
    if (!accepts(value)) {
      throw refuse(
        `${describeValue(given)} with ${String(value)} at position ${i}`,
        `pass ${arrayNames[tensor.dtype]}${valueRules[tensor.dtype]}`,
      );
    }
    data[i] = Number(value);
  }
  return data;
}

const arrayNames: Readonly<Record<PlanDType, string>> = {
  f32: 'a Float32Array',
  i32: 'an Int32Array',
  u32: 'a Uint32Array',
  bool: 'a Uint8Array',
  u8: 'a Uint8Array',
};

const valueRules: Readonly<Record<PlanDType, string>> = {
  f32: ' or numbers',
  i32: ' or integers in [-2147483648, 2147483647]',
  u32: ' or integers in [0, 4294967295]',
  bool: ' of 0 and 1, or booleans',
  u8: ' or integers in [0, 255]',
};

const integerIn =
  (lo: number, hi: number) =>
  (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= lo && (value as number) <= hi;

const acceptedValue: Readonly<Record<PlanDType, (value: unknown) => boolean>> = {
  f32: (value) => typeof value === 'number',
  i32: integerIn(-2147483648, 2147483647),
  u32: integerIn(0, 4294967295),
  bool: (value) => typeof value === 'boolean' || value === 0 || value === 1,
  u8: (value) => typeof value === 'boolean' || integerIn(0, 255)(value),
};

/** A bool is only 0 or 1 in memory, so its bytes are looked at one by one. */
function fitsAsItIs(dtype: PlanDType, given: ArrayLike<unknown>): given is RunData {
  switch (dtype) {
    case 'f32':
      return given instanceof Float32Array;
    case 'i32':
      return given instanceof Int32Array;
    case 'u32':
      return given instanceof Uint32Array;
    case 'u8':
      return given instanceof Uint8Array;
    case 'bool':
      return given instanceof Uint8Array && given.every((value) => value <= 1);
    default:
      throw runtimeError('HDL1099', { what: `internal: dtype ${dtype satisfies never}` });
  }
}

function isNumericArray(given: unknown): given is ArrayLike<unknown> {
  if (Array.isArray(given)) return true;
  if (!ArrayBuffer.isView(given) || given instanceof DataView) return false;
  return !(given instanceof BigInt64Array) && !(given instanceof BigUint64Array);
}

function describeValue(given: unknown): string {
  if (given === undefined || given === null) return String(given);
  if (Array.isArray(given)) return Array.isArray(given[0]) ? 'a nested array' : 'an array';
  if (typeof given === 'object') {
    const name = given.constructor?.name ?? 'object';
    return /^[AEIO]/.test(name) ? `an ${name}` : `a ${name}`;
  }
  return `a ${typeof given}`;
}

function hintForValue(given: unknown): string {
  if (typeof given === 'number' || typeof given === 'boolean') return 'pass an array with this one value';
  if (given instanceof BigInt64Array || given instanceof BigUint64Array) {
    return 'narrow it on purpose: Int32Array.from(values, Number)';
  }
  if (typeof given === 'object' && given !== null && 'data' in given) return 'pass its data';
  return 'pass the values as one flat typed array';
}
