// Plain loops over index spaces, for reference semantics: slow, obviously right, and the same for rank 0 and for spaces
// with no points.

import type { HostTensor } from '../graph/ir.ts';
import { elementCount, rowMajorStrides, type Shape } from '../graph/types.ts';

/** Visits every position of a shape in row-major order; `flat` counts them. `at` is reused: copy it to keep it. */
export function forEachPosition(shape: Shape, visit: (at: readonly number[], flat: number) => void): void {
  const n = elementCount(shape);
  const at = shape.map(() => 0);
  for (let flat = 0; flat < n; flat++) {
    visit(at, flat);
    for (let d = shape.length - 1; d >= 0; d--) {
      at[d]!++;
      if (at[d]! < shape[d]!) break;
      at[d] = 0;
    }
  }
}

/** Row-major position of an element, or -1 when it lies outside of the shape. */
export function flatPosition(shape: Shape, at: readonly number[]): number {
  let flat = 0;
  for (let d = 0; d < shape.length; d++) {
    const i = at[d]!;
    if (i < 0 || i >= shape[d]!) return -1;
    flat = flat * shape[d]! + i;
  }
  return flat;
}

/** A reader of elements by position; positions must lie inside. */
export function reader(x: HostTensor): (at: readonly number[]) => number {
  const strides = rowMajorStrides(x.type.shape);
  return (at) => {
    let flat = 0;
    for (let d = 0; d < strides.length; d++) flat += strides[d]! * at[d]!;
    return x.data[flat]!;
  };
}

/** Elements of a result, each computed from its position. */
export function generate(shape: Shape, element: (at: readonly number[]) => number): Float64Array {
  const data = new Float64Array(elementCount(shape));
  forEachPosition(shape, (at, flat) => {
    data[flat] = element(at);
  });
  return data;
}
