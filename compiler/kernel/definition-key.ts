// The key of a definition: a text that is equal for definitions that compute the same thing in the same way. Loop variables
// and registers are numbered by first appearance, and names do not count.

import type { Index, LoopVar } from './affine.ts';
import type { KernelDefinition } from './definition.ts';
import type { Condition, Expr, Register } from './expr.ts';

/** A text that is equal for definitions that compute the same: variables are numbered by first appearance. */
export function definitionKey(def: KernelDefinition): string {
  const ids = new Map<string, number>();
  const number = (kind: string, id: number): string => {
    const k = `${kind}${id}`;
    let n = ids.get(k);
    if (n === undefined) {
      n = ids.size;
      ids.set(k, n);
    }
    return `${kind}${n}`;
  };
  const loopVar = (v: LoopVar): string => `${number('v', v.id)}:${v.extent}`;
  const register = (r: Register): string => `${number('r', r.id)}${r.type}`;
  const index = (i: Index): string =>
    `${i.constant}${i.terms
      .map(({ coeff, atom }) => {
        if (atom.kind === 'var') return `+${coeff}${loopVar(atom)}`;
        if (atom.kind === 'value') return `+${coeff}[${expr(atom.expr)}<${atom.extent}]`;
        return `+${coeff}${atom.kind}(${index(atom.x)},${atom.by})`;
      })
      // Terms are sorted by number of variable; renumbered they may come in another order.
      .sort()
      .join('')}`;
  const condition = (c: Condition): string =>
    c.kind === 'inRange' ? `${index(c.index)}in${c.lo},${c.hi}` : `${index(c.index)}by${c.by}`;
  const known = new Map<Expr, number>();
  const expr = (e: Expr): string => {
    const seen = known.get(e);
    if (seen !== undefined) return `#${seen}`;
    const text = exprText(e);
    known.set(e, known.size);
    return text;
  };
  const exprText = (e: Expr): string => {
    switch (e.kind) {
      case 'const':
        return `${e.type}${Object.is(e.value, -0) ? '-0' : e.value}`;
      case 'load':
        return `load${e.type}${e.param}[${index(e.index)};${e.laneStride}]`;
      case 'index':
        return `index[${index(e.index)};${e.laneStride}]`;
      case 'unary':
        return `${e.fn}${e.type}(${expr(e.x)})`;
      case 'binary':
        return `${e.fn}${e.type}(${expr(e.x)},${expr(e.y)})`;
      case 'compare':
        return `${e.fn}${e.operandType}(${expr(e.x)},${expr(e.y)})`;
      case 'select':
        return `select${e.type}(${expr(e.cond)},${expr(e.x)},${expr(e.y)})`;
      case 'convert':
      case 'bitcast':
        return `${e.kind}${e.from}${e.type}(${expr(e.x)})`;
      case 'guard':
        return `guard(${e.conditions.map(condition).join()}?${expr(e.value)}:${expr(e.otherwise)})`;
      case 'reduce':
        return `${e.monoid}${e.type}(${e.vars.map(loopVar).join()};${expr(e.body)})`;
      case 'argmax':
        return `argmax(${e.vars.map(loopVar).join()};${expr(e.body)})`;
      case 'checkIndex':
        return `checkIndex(${expr(e.x)},${e.size},${e.site})`;
      case 'checkFinite':
        return `checkFinite(${expr(e.x)},${e.site})`;
      case 'reg':
        return register(e.reg);
      case 'horizontal':
        return `horizontal${e.monoid}${e.type}(${expr(e.x)})`;
      default:
        return e satisfies never;
    }
  };
  const space = def.space.map(loopVar).join();
  const params = def.params.map((p) => `${p.storage}${p.access}${p.elements}`).join();
  const stores = def.stores.map((st) => `${st.param}[${index(st.index)}]=${expr(st.value)}`).join(';');
  const given = def.given === undefined ? '' : `|${JSON.stringify(def.given)}`;
  const units = def.units === undefined ? '' : `|${def.units} units`;
  const stage = def.stage === undefined ? '' : `|stage ${def.stage}`;
  return `${params}|${def.flags}|${space}|${stores}${given}${units}${stage}`;
}
