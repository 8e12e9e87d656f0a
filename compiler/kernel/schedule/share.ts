// Sharing between statements: what several stores or accumulators need is computed once and named.

import type { VarSource } from '../definition.ts';
import { childrenOf, type Expr, type Register } from '../expr.ts';
import type { Lanes, Stmt } from '../ir.ts';
import { replacer } from '../substitute.ts';
import { unifier } from '../unify.ts';

export interface Shared {
  readonly lets: readonly Stmt[];
  readonly values: readonly Expr[];
}

/** The statement that computes an expression: the store of a value, by its position, or the `let` of a shared one. */
type Owner = number | Expr | 'several';

/**
 * Introduces registers for sub-expressions that more than one statement would compute, where the registers themselves
 * count as statements: each expression is computed in one place, also when it stands there as two equal objects. What a
 * single statement reads twice is left to targets, and what stands only inside a guard stays there: evaluating it outside
 * might read out of bounds.
 */
export function bindShared(roots: readonly Expr[], lanes: Lanes, vars: VarSource): Shared {
  return bindUnified(unified(roots), lanes, vars);
}

/** Equal expressions as one object, as `bindShared` wants them. */
export function unified(roots: readonly Expr[]): readonly Expr[] {
  const [only] = roots;
  // Most statements store one register.
  if (roots.length === 1 && (only!.kind === 'reg' || only!.kind === 'load' || only!.kind === 'const'))
    return roots;
  return roots.map(unifier());
}

/** `bindShared` where equal expressions are one object already. */
export function bindUnified(values: readonly Expr[], lanes: Lanes, vars: VarSource): Shared {
  if (values.length < 2) return { lets: [], values };
  const order = outsideGuards(values);
  const owners = new Map<Expr, Owner>();
  const claim = (e: Expr, by: Owner): void => {
    const known = owners.get(e);
    if (known === undefined) owners.set(e, by);
    else if (known !== by) owners.set(e, 'several');
  };
  values.forEach(claim);
  const shared = new Set<Expr>();
  // Parents come first, so that all who read an expression have claimed it when its turn comes.
  for (const e of order.toReversed()) {
    let owner = owners.get(e)!;
    if (owner === 'several' && e.kind !== 'const' && e.kind !== 'reg') {
      shared.add(e);
      owner = e;
    }
    if (e.kind !== 'guard') for (const c of childrenOf(e)) claim(c, owner);
  }
  const named = new Map<Expr, Expr>();
  const lets: Stmt[] = [];
  for (const e of order) {
    if (!shared.has(e)) continue;
    const reg: Register = { name: 'shared', type: e.type, id: vars.next() };
    lets.push({ kind: 'let', reg, value: replacer((x) => named.get(x))(e), lanes });
    named.set(e, { kind: 'reg', type: e.type, reg });
  }
  return { lets, values: values.map(replacer((e) => named.get(e))) };
}

/** What is always evaluated, each object once, children before parents. */
function outsideGuards(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const order: Expr[] = [];
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind !== 'guard') childrenOf(e).forEach(visit);
    order.push(e);
  };
  roots.forEach(visit);
  return order;
}
