// Mathematical functions for targets that have arithmetic only: rewrites exp, log, sin, … into the basic operations of
// Kernel IR (math/). Accuracy is stated, and measured, where each function is defined.

import type { Index } from './affine.ts';
import {
  binary,
  childrenOf,
  compare,
  constant,
  type Expr,
  indicesOf,
  select,
  type UnaryFunction,
} from './expr.ts';
import { erf } from './math/error-function.ts';
import { exp, expm1, log, log1p } from './math/exponential.ts';
import { tanh } from './math/hyperbolic.ts';
import { pow } from './math/power.ts';
import { cos, sin } from './math/trigonometric.ts';
import { replacer } from './substitute.ts';

const unaryExpansions: Partial<Record<UnaryFunction, (x: Expr) => Expr>> = {
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  tanh,
  erf,
  sign: signOf,
};

/**
 * The function in basic arithmetic: of one node, whose operands stay as they are. Undefined when it is basic already.
 *
 * @example
 * expandFunction(unary('tanh', x)) // select(lt(abs(x), 0.625), …)
 */
export function expandFunction(e: Expr): Expr | undefined {
  if (isBasic(e)) return undefined;
  if (e.kind === 'unary') return unaryExpansions[e.fn]!(e.x);
  return e.kind === 'binary' ? pow(e.x, e.y) : undefined;
}

function isBasic(e: Expr): boolean {
  if (e.kind === 'unary') return unaryExpansions[e.fn] === undefined;
  return e.kind !== 'binary' || e.fn !== 'pow';
}

/**
 * A function that expands whole expressions. Shared objects stay shared, also between calls; an expression without such
 * functions is returned as it is.
 */
export function mathExpander(): (e: Expr) => Expr {
  const expanded = new Map<Expr, Expr>();
  const expand = replacer((e) => {
    const seen = expanded.get(e);
    if (seen) return seen;
    const basic = expandFunction(e);
    if (basic === undefined) return undefined;
    // The operands inside `basic` may hold functions themselves. The result holds none: it must not be met again.
    const whole = expand(basic);
    expanded.set(e, whole);
    return whole;
  });
  const memo = new Map<Expr, Expr>();
  /** Expressions that hold no function: statements share them. */
  const basic = new Set<Expr>();
  return (root) => {
    const seen = memo.get(root);
    if (seen) return seen;
    const result = isBasicWhole(root, basic) ? root : expand(root);
    memo.set(root, result);
    return result;
  };
}

/** Whether an expression is basic with all under it, run-time values of indices too; `known`: those that are, to be added to. */
function isBasicWhole(root: Expr, known: Set<Expr>): boolean {
  const visitIndex = (i: Index): boolean =>
    i.terms.every(({ atom }) => {
      if (atom.kind === 'var') return true;
      return atom.kind === 'value' ? visit(atom.expr) : visitIndex(atom.x);
    });
  const visit = (e: Expr): boolean => {
    if (e.kind === 'reg' || e.kind === 'const' || known.has(e)) return true;
    if (!isBasic(e) || !indicesOf(e).every(visitIndex) || !childrenOf(e).every(visit)) return false;
    known.add(e);
    return true;
  };
  return visit(root);
}

/** −1, 0 or 1; ±0 and NaN are themselves. */
function signOf(x: Expr): Expr {
  const one = constant(x.type, 1);
  const zero = constant(x.type, 0);
  const negative = select(compare('lt', x, zero), constant(x.type, -1), x);
  return select(
    compare('gt', x, zero),
    one,
    x.type === 'f32' ? negative : binary('max', x, constant(x.type, -1)),
  );
}
