// Checks at run time: identities that raise a flag. A run whose flags are raised throws before it commits, so variables
// stay as they were; the error names the label and the user's line.

import { runtimeError } from '../../runtime/errors.ts';
import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { checkDType, checkInteger } from './attrs.ts';
import { defineOp } from './define.ts';
import { drawElements } from './elementwise.ts';

/** The family of the ops that can fail at run time, and then tell where they were written. */
export const checksFamily = 'check';

/** Lowering numbers the sites; until then they are all this one. */
const unassigned = -1;

export const checkIndexOp: OpDef = defineOp<{ size: number; label: string }>({
  name: 'checkIndex',
  family: checksFamily,
  doc: {
    summary: 'The indices themselves; the run fails with HDL1004 when one is outside of [0, size).',
    formula: 'y[i] = x[i], where 0 ≤ x[i] < size',
    types: 'i32[S] → i32[S]',
    attrs: { size: 'number of valid indices', label: 'what the error calls the value' },
    example: "checkIndex(input('labels', [64], 'i32'), { size: 10, label: 'labels' })",
  },
  arity: 1,
  type: ([x], { size }, fail) => {
    checkDType(fail, x!, ['i32']);
    checkInteger(fail, 'size', size, 0, 2147483647);
    return x!;
  },
  reference: ([x], { size, label }) => {
    const wrong = x!.data.find((v) => !(v >= 0 && v < size));
    if (wrong !== undefined) {
      throw runtimeError('HDL1004', {
        what: `${label}: index ${wrong}`,
        rule: `indices lie in [0, ${size})`,
        hint: 'look at the data: labels count from 0',
      });
    }
    return x!.data.slice();
  },
  gradient: { none: 'indices have no derivative' },
  lower: ({ node, at, read }) => ({
    kind: 'checkIndex',
    type: 'i32',
    x: read(0, at),
    size: Number(node.attrs['size']),
    site: unassigned,
  }),
  sample: (random) => ({
    operands: [drawElements(random, 'i32', random.shape(0, 3, 4), (r) => r.int(0, 9))],
    attrs: { size: 10, label: 'sample' },
  }),
});

const checkFiniteOp: OpDef = defineOp<{ label: string }>({
  name: 'checkFinite',
  family: checksFamily,
  doc: {
    summary: 'The value itself; the run fails with HDL1005 when an element is NaN or infinite.',
    formula: 'y[i] = x[i], where |x[i]| < ∞',
    types: 'f32[S] → f32[S]',
    attrs: { label: 'what the error calls the value' },
    example: "checkFinite(input('x', [64]), { label: 'x' })",
  },
  arity: 1,
  type: ([x], _attrs, fail) => {
    checkDType(fail, x!, ['f32']);
    return x!;
  },
  reference: ([x], { label }) => {
    const wrong = x!.data.find((v) => !Number.isFinite(v));
    if (wrong !== undefined) {
      throw runtimeError('HDL1005', {
        what: `${label} has an element that is ${wrong}`,
        rule: 'all elements are finite',
        hint: 'lower the learning rate, or clip gradients',
      });
    }
    return x!.data.slice();
  },
  gradient: ({ cotangent }) => [cotangent],
  lower: ({ at, read }) => ({ kind: 'checkFinite', type: 'f32', x: read(0, at), site: unassigned }),
  sample: (random) => ({
    operands: [drawElements(random, 'f32', random.shape(0, 3, 4))],
    attrs: { label: 'sample' },
  }),
});

const checkOps: readonly OpDef[] = [checkIndexOp, checkFiniteOp];
export default checkOps;

/**
 * The indices themselves, checked at run time to lie in [0, size). i32.
 *
 *     checkIndex(labels, { size: 10, label: 'labels' });
 */
export function checkIndex<X extends Node>(
  x: X & Accepts<'checkIndex', X, 'i32'>,
  options: { readonly size: number; readonly label?: string },
): Node<ShapeOf<X>, DTypeOf<X>> {
  const attrs = { size: options.size, label: options.label ?? x.name ?? 'index' };
  return makeNode(checkIndexOp, [x], attrs) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/** The value itself, checked at run time to be finite. f32. `checkFinite(loss, { label: 'loss' })` */
export function checkFinite<X extends Node>(
  x: X & Accepts<'checkFinite', X, 'f32'>,
  options: { readonly label?: string } = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  const attrs = { label: options.label ?? x.name ?? 'value' };
  return makeNode(checkFiniteOp, [x], attrs) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
