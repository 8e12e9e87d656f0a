// Before a contraction is scheduled: definitions that are better served by two or three kernels become two or three
// definitions with temporary buffers between them.
//
//   pack    an operand whose elements do not lie side by side along the columns is first copied so that they do
//           (pack.ts)
//   split   a sum that is long, or followed by what lanes cannot do, is stored before it is used (split.ts)
//
// Both depend on shapes and target only.

import type { Target } from '../ir.ts';
import type { Bound, NewTemporary } from './bound.ts';
import { packOperands } from './pack.ts';
import { productOf } from './product.ts';
import { splitSum } from './split.ts';

/** The definitions to schedule in place of one, in order; `temporary` makes the buffers between them. */
export function prepareContraction<Arg>(
  bound: Bound<Arg>,
  target: Target,
  temporary: NewTemporary<Arg>,
): Bound<Arg>[] {
  if (productOf(bound.def)?.reduction.type !== 'f32') return [bound];
  const { copies, main } = packOperands(bound, target, temporary);
  return [...copies, ...splitSum(main, target, temporary)];
}
