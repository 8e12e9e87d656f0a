// Rare sides under one branch. Functions such as log compute their rare side (subnormals, NaN, …) behind a test of their own, and
// a test after every value keeps the processor from working on several at once: a chain of twenty dependent instructions, a
// branch, the next chain. Statements that follow each other are taken together instead:
//
//   as if nothing were rare, for all of them; is anything?  →  all of them once more, rare sides and all
//   then what they store
//
// The second time computes what each statement alone would, by the same instructions, so lanes without anything rare keep
// their bits. A rare side may change what another statement asks: then its own test has sent all of them there already.

import { type Expr, isCheck, walkExprs } from '../../kernel/expr.ts';
import type { Stmt } from '../../kernel/ir.ts';
import { isDynamic } from '../access.ts';

/** A statement that computes a vector. */
export type Computing = Extract<Stmt, { kind: 'let' | 'set' | 'store' }>;

/**
 * So many tests share a branch; more would need more registers than there are. A cross-entropy of 5000 probabilities, two logarithms
 * each, µs by tests in a branch: 8.6 for 1, 8.6 for 2, 8.0 for 4, 8.2 for 6, 8.1 for 8.
 */
const mostTests = 4;

/**
 * Statements of a block in order; in lists those that share one branch: vectors, all that is stored at the end. `expand` gives
 * the expression that is computed in place of a statement's value.
 */
export function rareGroups(
  block: readonly Stmt[],
  expand: (e: Expr) => Expr,
): (Stmt | readonly Computing[])[] {
  const out: (Stmt | readonly Computing[])[] = [];
  let group: Computing[] = [];
  /** Of the group, up to its last statement with a test. */
  let kept = 0;
  let tests = 0;
  const close = (): void => {
    if (tests > 1) out.push(group.slice(0, kept), ...group.slice(kept));
    else out.push(...group);
    [group, kept, tests] = [[], 0, 0];
  };
  for (const s of block) {
    if (s.kind === 'for' || s.kind === 'if') {
      close();
      out.push(s);
      continue;
    }
    const value = expand(s.value);
    const own = value === s.value ? 0 : testsIn(value);
    if (own === 0 && group.length === 0) {
      out.push(s);
      continue;
    }
    const isVector = s.lanes === 4 && mayRepeat(value);
    if (!isVector || tests + own > mostTests || !mayJoin(s, value, group)) close();
    if (!isVector || (own === 0 && group.length === 0)) {
      out.push(s);
      continue;
    }
    group.push(s);
    tests += own;
    if (own > 0) kept = group.length;
  }
  close();
  return out;
}

/** Whether a value may be computed twice, the first time from wrong numbers: nothing is told, and no address depends on them. */
function mayRepeat(value: Expr): boolean {
  return walkExprs([value]).every((e) => {
    if (isCheck(e) || e.kind === 'guard') return false;
    return (e.kind !== 'load' && e.kind !== 'index') || !e.index.terms.some((t) => isDynamic(t.atom));
  });
}

/** Stores come last, and what they write is not read before. */
function mayJoin(s: Computing, value: Expr, group: readonly Computing[]): boolean {
  const written = group.flatMap((g) => (g.kind === 'store' ? [g.param] : []));
  if (written.length === 0) return true;
  return (
    s.kind === 'store' && walkExprs([value]).every((e) => e.kind !== 'load' || !written.includes(e.param))
  );
}

function testsIn(value: Expr): number {
  return walkExprs([value]).filter((e) => e.kind === 'select' && e.rare).length;
}
