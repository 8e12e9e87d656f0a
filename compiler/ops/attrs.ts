// Checks of attributes that many ops share: axes, permutations, lists of integers. In: the attribute as it stands in the
// node, which may come from a hand-written text and be anything. Out: nothing, or an error that names the attribute, the
// value and what to try. Type rules call these first, so that all later code may trust attributes.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { AttrValue, Fail, Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { type DType, dtypes, type TensorType } from '../graph/types.ts';

/** The attribute is a list of `length` integers, none below `min`. */
export function checkIntegers(
  fail: Fail,
  name: string,
  value: AttrValue | undefined,
  length: number,
  min: number,
): void {
  const list: unknown = value;
  const bound = Number.isFinite(min) ? ` of at least ${min}` : '';
  if (!Array.isArray(list) || !list.every((n) => Number.isInteger(n) && n >= min)) {
    fail(
      `${name} must be a list of integers${bound}, not ${show(list)}`,
      `write one number for each dimension`,
      'HDL0003',
    );
  }
  if ((list as unknown[]).length !== length) {
    fail(
      `${name} has ${(list as unknown[]).length} numbers for ${length} dimensions`,
      `write one number for each dimension`,
      'HDL0003',
    );
  }
}

/** The attribute is one integer in [min, max]. */
export function checkInteger(
  fail: Fail,
  name: string,
  value: AttrValue | undefined,
  min: number,
  max: number,
): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `in [${min}, ${max}]`;
  fail(`${name} must be an integer ${range}, not ${show(value)}`, `choose ${name} ${range}`, 'HDL0003');
}

/** The attribute is a sorted list of different axes of a value of that rank. */
export function checkAxes(fail: Fail, name: string, value: AttrValue | undefined, rank: number): void {
  const list: unknown = value;
  const valid =
    Array.isArray(list) &&
    list.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && (i === 0 || a > list[i - 1]));
  if (valid) return;
  fail(
    `${name} must be different axes in ascending order, each in [0, ${rank}), not ${show(list)}`,
    rank === 0 ? 'a scalar has no axes' : `axes count from 0 to ${rank - 1}`,
    'HDL0003',
  );
}

/** The operand has one of the dtypes; `hint` says what to do about another one. */
export function checkDType(
  fail: Fail,
  type: TensorType,
  allowed: readonly DType[],
  operand = 'the operand',
): void {
  if (allowed.includes(type.dtype)) return;
  fail(
    `${operand} has dtype ${type.dtype}; accepted are ${allowed.join(', ')}`,
    `convert it: cast(x, '${allowed[0]}')`,
    'HDL0002',
  );
}

/** The dtypes that arithmetic accepts: all but `bool` and the storage type `u8`. */
export const numeric: readonly DType[] = (Object.keys(dtypes) as DType[]).filter(
  (d) => d !== 'bool' && d !== 'u8',
);

/**
 * One axis or several, as users write them (negative ones count from the end), in ascending order; all axes when
 * `axes` is undefined. Throws HDL0003 with the function's name.
 */
export function normalizeAxes(fn: string, x: Node, axes: number | readonly number[] | undefined): number[] {
  const rank = x.type.shape.length;
  if (axes === undefined) return x.type.shape.map((_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(fn, x, a, rank));
  const sorted = [...list].sort((a, b) => a - b);
  const twice = sorted.find((a, i) => a === sorted[i + 1]);
  if (twice !== undefined) {
    throw compilerError('HDL0003', {
      what: `${fn}(${describeNode(x)}, axes: ${show(axes)})`,
      rule: `axis ${twice} is named twice`,
      hint: 'name each axis once; -1 is the last axis',
      loc: callerLocation(),
    });
  }
  return sorted;
}

/** One axis in [-rank, rank), counted from the start. `rank` may be one more than that of `x`, for a new axis. */
export function normalizeAxis(fn: string, x: Node, axis: number, rank: number = x.type.shape.length): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw compilerError('HDL0003', {
    what: `${fn}(${describeNode(x)}, axis: ${axis})`,
    rule: `axis ${axis} does not exist${rank === 0 ? ': a scalar has no axes' : ''}`,
    hint:
      rank === 0 ? 'give the value an axis first: reshape(x, [1])' : `axes lie in [${-rank}, ${rank - 1}]`,
    loc: callerLocation(),
  });
}

/** Throws HDL0002 in the name of a function of several ops unless x is f32. */
export function requireFloats(fn: string, x: Node): void {
  requireDType(fn, x, floats);
}

/** Throws HDL0002 in the name of a function of several ops unless x has one of the dtypes. */
export function requireDType(fn: string, x: Node, allowed: readonly DType[]): void {
  if (allowed.includes(x.type.dtype)) return;
  throw compilerError('HDL0002', {
    what: `${fn}(${describeNode(x)})`,
    rule: `${fn} computes with ${allowed.join(', ')}, not ${x.type.dtype}`,
    hint: `convert it: cast(x, '${allowed[0]}')`,
    loc: callerLocation(),
  });
}

/** What functions of the reals compute with. */
export const floats: readonly DType[] = ['f32'];

function show(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)).replaceAll(',', ', ');
}
