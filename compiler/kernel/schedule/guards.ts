// Guards of a contraction's operands. The input gradient of an unpadded convolution reads a picture with a border of zeros;
// where it lies is known from the position of the result and the tap, so whole taps are left out and no product with a zero
// of the border is computed:
//
//   for ky   if 0 ≤ y − ky < 8   for kx   if 0 ≤ x − kx < 8   for c   acc += g[n, y − ky, x − kx, c] · w[ky, kx, c]
//
// Invariant: conditions stand around loops, never among the lanes, rows or columns of a tile: those share their answer.

import { type Index, type LoopVar, substituteIndex } from '../affine.ts';
import type { Condition } from '../expr.ts';
import type { Stmt } from '../ir.ts';
import { exactShare } from '../range.ts';
import { coefficientOf, decide } from '../substitute.ts';

/** Whether an answer may differ from one round of the loop to the next. */
export function isAsked(conditions: readonly Condition[], v: LoopVar): boolean {
  return conditions.some((c) => coefficientOf(c.index, v) !== 0);
}

/** The part of all points of the loops at which all conditions hold; 1 where there are too many to try. */
export function shareOf(conditions: readonly Condition[], loops: readonly LoopVar[]): number {
  // Conditions that share no loop (those of rows and those of columns) are independent.
  let open = [...conditions];
  let share = 1;
  while (open.length > 0) {
    const group = [open.shift()!];
    const vars = new Set<LoopVar>();
    for (const c of group) {
      for (const v of loops) if (isAsked([c], v)) vars.add(v);
      const near = open.filter((o) => [...vars].some((v) => isAsked([o], v)));
      group.push(...near);
      open = open.filter((o) => !near.includes(o));
    }
    share *= exactShare(group, [...vars]);
  }
  return share;
}

/** Statements under conditions, once what stands for each loop is known. */
export function underConditions(
  conditions: readonly Condition[],
  place: (v: LoopVar) => Index | undefined,
  body: readonly Stmt[],
): Stmt[] {
  const open: Condition[] = [];
  for (const c of conditions) {
    const placed = { ...c, index: substituteIndex(c.index, place) };
    const known = decide(placed);
    if (known === false) return [];
    if (known === null) open.push(placed);
  }
  return open.length === 0 ? [...body] : [{ kind: 'if', conditions: open, body, otherwise: [] }];
}
