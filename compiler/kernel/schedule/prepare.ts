// Before a contraction is scheduled: definitions that are better served by two or three kernels become two or three
// definitions with temporary buffers between them.
//
//   pack    an operand whose elements do not lie side by side along the columns is first copied so that they do
//           (pack.ts)
//   split   a sum that is long, or followed by what lanes cannot do, is stored before it is used (split.ts)
//   stage   sums of whole rows wait for what reads and writes several other values with them (stage.ts)
//
// Both depend on shapes and target only.

import type { GivenTile } from '../definition.ts';
import type { Target } from '../ir.ts';
import type { Bound, NewTemporary } from './bound.ts';
import type { Choice } from './choice.ts';
import { collapseSpace } from './collapse.ts';
import { splitGathered } from './gathered.ts';
import { choosePacking, packOperands } from './pack.ts';
import { productOf } from './product.ts';
import { chooseSum, isLong, splitSum } from './split.ts';
import { addStage } from './stage.ts';

/** What preparation goes by; both choices leave aside what follows the sum. */
export interface Preparation {
  readonly packing: Choice | null;
  readonly sum: Choice | null;
}

/** The definitions to schedule in place of one, in order; `temporary` makes the buffers between them. */
export function prepareContraction<Arg>(
  bound: Bound<Arg>,
  target: Target,
  temporary: NewTemporary<Arg>,
): Bound<Arg>[] {
  return prepareBy(bound, target, temporary).parts;
}

/** The same by choices that were made before, with loops and tile of the contraction if they are given; and those that it went by. */
export function prepareBy<Arg>(
  bound: Bound<Arg>,
  target: Target,
  temporary: NewTemporary<Arg>,
  given?: Preparation,
  loops?: GivenTile,
): { readonly parts: Bound<Arg>[]; readonly by: Preparation } {
  if (productOf(bound.def)?.reduction.type !== 'f32')
    return { parts: splitGathered(bound, target, temporary) ?? [bound], by: { packing: null, sum: null } };
  // Loops as they will be when they are scheduled: taps and channels that lie side by side are one. Of a long sum they stay:
  // it is stored in parts, and columns along a merged loop would be read across when the parts are added up.
  const whole: Bound<Arg> = isLong(bound.def) ? bound : { ...bound, def: collapseSpace(bound.def) };
  const packing = given ? given.packing : choosePacking(whole.def, target);
  const { copies, main } = packOperands(whole, packing, temporary);
  const sum = given ? given.sum : chooseSum(main.def, target);
  const [first, ...rest] = splitSum(main, sum, temporary);
  const tiled = loops === undefined ? first! : { ...first!, def: { ...first!.def, given: loops } };
  const contraction = rest.length > 0 ? tiled : addStage(tiled, target, temporary);
  return { parts: [...copies, contraction, ...rest], by: { packing, sum } };
}
