// Sharing between statements: what several stores or accumulators need is computed once and named.

import type { VarSource } from '../definition.ts';
import { childrenOf, type Expr, type Register } from '../expr.ts';
import type { Stmt } from '../ir.ts';
import { replacer } from '../substitute.ts';

export interface Shared {
  readonly lets: readonly Stmt[];
  readonly values: readonly Expr[];
}

/**
 * Introduces registers for sub-expressions that more than one value reads. What stands only inside a guard is left
 * there: evaluating it outside might read out of bounds.
 */
export function bindShared(values: readonly Expr[], lanes: 1 | 4, vars: VarSource): Shared {
  if (values.length < 2) return { lets: [], values };
  const readers = new Map<Expr, Set<number>>();
  values.forEach((root, r) => {
    const visit = (e: Expr): void => {
      const seen = readers.get(e);
      if (seen?.has(r)) return;
      if (seen) seen.add(r);
      else readers.set(e, new Set([r]));
      if (e.kind !== 'guard') for (const c of childrenOf(e)) visit(c);
    };
    visit(root);
  });
  const named = new Map<Expr, Expr>();
  const lets: Stmt[] = [];
  const swap = replacer((e) => named.get(e));
  const isShared = (e: Expr): boolean => readers.get(e)!.size > 1 && e.kind !== 'const' && e.kind !== 'reg';
  // From the roots down: the outermost shared expressions get the names.
  const seen = new Set<Expr>();
  const name = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (isShared(e)) {
      const reg: Register = { name: 'shared', type: e.type, id: vars.next() };
      lets.push({ kind: 'let', reg, value: e, lanes });
      named.set(e, { kind: 'reg', type: e.type, reg });
    } else if (e.kind !== 'guard') childrenOf(e).forEach(name);
  };
  values.forEach(name);
  return { lets, values: values.map(swap) };
}
