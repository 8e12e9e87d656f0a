// From types of values to types in registers: u8 exists only in memory.

import type { DType } from '../graph/types.ts';
import type { ScalarType } from '../kernel/expr.ts';

export function scalarType(dtype: DType): ScalarType {
  return dtype === 'u8' ? 'u32' : dtype;
}
