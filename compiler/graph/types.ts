// Types of values: what a tensor is before anybody decides where it lives.
// Everything here is plain data; `Shape` may be a literal tuple, so that the editor can follow it.

/** Element types. `u8` is a storage type: convert it before computing with it. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool' | 'u8';

/** Dimensions, outermost first. A scalar has shape `[]`. */
export type Shape = readonly number[];

export interface TensorType<S extends Shape = Shape, D extends DType = DType> {
  readonly dtype: D;
  readonly shape: S;
}

export interface DTypeInfo {
  /** Bytes of one element in memory. */
  readonly bytes: 1 | 4;
  readonly kind: 'float' | 'signed' | 'unsigned' | 'bool';
  /** Smallest and largest value that is exact in this type (floats: the finite range). */
  readonly min: number;
  readonly max: number;
}

/** The facts about each dtype, in one place. */
export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  f32: { bytes: 4, kind: 'float', min: -3.4028234663852886e38, max: 3.4028234663852886e38 },
  i32: { bytes: 4, kind: 'signed', min: -2147483648, max: 2147483647 },
  u32: { bytes: 4, kind: 'unsigned', min: 0, max: 4294967295 },
  bool: { bytes: 1, kind: 'bool', min: 0, max: 1 },
  u8: { bytes: 1, kind: 'unsigned', min: 0, max: 255 },
};

export function elementCount(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

export function byteCount(type: TensorType): number {
  return elementCount(type.shape) * dtypes[type.dtype].bytes;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** Row-major strides in elements. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let s = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i]!;
  }
  return strides;
}

/** `f32[64, 10]` */
export function formatType(type: TensorType): string {
  return `${type.dtype}${formatShape(type.shape)}`;
}

/** `[64, 10]` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The value as an element of the dtype holds it: rounded, wrapped or truncated. Used by the interpreter and by constants. */
export function roundTo(dtype: DType, value: number): number {
  switch (dtype) {
    case 'f32':
      return Math.fround(value);
    case 'i32':
      return value | 0;
    case 'u32':
      return value >>> 0;
    case 'u8':
      return value & 255;
    case 'bool':
      return value !== 0 ? 1 : 0;
    default:
      return dtype satisfies never;
  }
}
