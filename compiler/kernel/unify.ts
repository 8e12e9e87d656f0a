// Equal expressions become one object, so that they are computed once: gradients ask for the same values as the functions
// they belong to, in expressions of their own.

import { indexKey } from './affine.ts';
import { type Condition, childrenOf, type Expr, withChildren } from './expr.ts';

/**
 * A function that gives equal expressions one object, also over several calls. What it returns has the same value; a
 * reduction is equal to itself only.
 *
 * @example
 * const one = unifier();
 * one(add(x, y)) === one(add(x, y)) // true
 */
export function unifier(): (e: Expr) => Expr {
  const byKey = new Map<string, Expr>();
  const memo = new Map<Expr, Expr>();
  const numbers = new Map<Expr, number>();
  const number = (e: Expr): number => {
    const known = numbers.get(e);
    if (known !== undefined) return known;
    numbers.set(e, numbers.size);
    return numbers.size - 1;
  };
  const visit = (e: Expr): Expr => {
    const seen = memo.get(e);
    if (seen) return seen;
    const children = childrenOf(e);
    const whole = children.length === 0 ? e : withChildren(e, children.map(visit));
    const own = ownKey(whole);
    let out = whole;
    if (own !== null) {
      const key = children.length === 0 ? own : `${own}(${childrenOf(whole).map(number).join()})`;
      out = byKey.get(key) ?? whole;
      byKey.set(key, out);
    }
    memo.set(e, out);
    return out;
  };
  return visit;
}

/** All that an expression says besides its children; null where equality is not for a key to tell. */
function ownKey(e: Expr): string | null {
  switch (e.kind) {
    case 'const':
      return `const ${e.type} ${Object.is(e.value, -0) ? '-0' : e.value}`;
    case 'load':
      return `load ${e.type} ${e.param} ${indexKey(e.index)} ${e.laneStride}`;
    case 'index':
      return `index ${indexKey(e.index)} ${e.laneStride}`;
    case 'unary':
    case 'binary':
      return `${e.fn} ${e.type}`;
    case 'compare':
      return `${e.fn} ${e.operandType}`;
    case 'select':
      return `select ${e.type}`;
    case 'convert':
    case 'bitcast':
      return `${e.kind} ${e.from} ${e.type}`;
    case 'guard':
      return `guard ${e.type} ${e.conditions.map(conditionKey).join(' ')}`;
    case 'checkIndex':
      return `check ${e.size} ${e.site}`;
    case 'checkFinite':
      return `check ${e.site}`;
    case 'reg':
      return `reg ${e.reg.id}`;
    case 'horizontal':
      return `all ${e.monoid} ${e.type}`;
    case 'reduce':
    case 'argmax':
      return null;
    default:
      return e satisfies never;
  }
}

function conditionKey(c: Condition): string {
  return c.kind === 'inRange'
    ? `${indexKey(c.index)} in ${c.lo}..${c.hi}`
    : `${indexKey(c.index)} by ${c.by}`;
}
