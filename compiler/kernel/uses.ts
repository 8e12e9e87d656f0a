// What a kernel or an expression uses: facts that more than one target asks for.

import type { Index } from './affine.ts';
import { childrenOf, type Expr, indicesOf, isCheck, walkExprs } from './expr.ts';
import type { Kernel, Stmt } from './ir.ts';

/**
 * How often each object is used below expressions and indices (in which run-time values may stand). A shared object is
 * entered once.
 */
export function countUses(roots: readonly Expr[], indices: readonly Index[] = []): Map<Expr, number> {
  const uses = new Map<Expr, number>();
  const visitIndex = (i: Index): void => {
    for (const { atom } of i.terms) {
      if (atom.kind === 'value') visit(atom.expr);
      else if (atom.kind !== 'var') visitIndex(atom.x);
    }
  };
  const visit = (e: Expr): void => {
    const n = uses.get(e) ?? 0;
    uses.set(e, n + 1);
    if (n > 0) return;
    for (const i of indicesOf(e)) visitIndex(i);
    for (const c of childrenOf(e)) visit(c);
  };
  for (const r of roots) visit(r);
  for (const i of indices) visitIndex(i);
  return uses;
}

/** Parameters that the kernel reads or writes, in order; the flags count when there is a check. */
export function usedParams(kernel: Kernel): number[] {
  const used = new Set<number>();
  const values: Expr[] = [];
  const visit = (stmts: readonly Stmt[]): void => {
    for (const s of stmts) {
      if (s.kind === 'for') visit(s.body);
      else if (s.kind === 'if') {
        visit(s.body);
        visit(s.otherwise);
      } else {
        if (s.kind === 'store') used.add(s.param);
        values.push(s.value);
      }
    }
  };
  visit(kernel.body);
  for (const e of walkExprs(values)) {
    if (e.kind === 'load') used.add(e.param);
    else if (kernel.flags !== null && isCheck(e)) used.add(kernel.flags);
  }
  return [...used].sort((a, b) => a - b);
}
