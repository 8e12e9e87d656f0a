// JavaScript text of indices, array elements and conditions on indices.

import { type Atom, type Index, indexRange, type Term } from '../../kernel/affine.ts';
import type { Condition, Expr, StorageType } from '../../kernel/expr.ts';
import { type Access, type Accesses, isDynamic, testedIndex } from '../access.ts';
import { type Addresses, divisionText } from './address.ts';

/** What the text of indices is made from. `value` gives the text of a number that is known at run time only. */
export interface PlaceScope {
  readonly addresses: Addresses;
  readonly accesses: Accesses;
  readonly viewOf: (param: number) => string;
  readonly value: (e: Expr) => string;
}

export const views: Readonly<Record<StorageType, string>> = {
  f32: 'F32',
  i32: 'I32',
  u32: 'U32',
  bool: 'U8',
  u8: 'U8',
};

/** `F32[x + i + 1]` */
export function elementText(param: number, index: Index, scope: PlaceScope): string {
  const access: Access = scope.accesses.of(param, index, 0);
  return `${scope.viewOf(param)}[${join(scope.addresses.sum(access.sum), access.dynamic, access.offset, scope)}]`;
}

/** An index, as terms joined by + and −. */
export function sumText(index: Index, scope: PlaceScope): string {
  const dynamic = index.terms.filter((t) => isDynamic(t.atom));
  return join(scope.addresses.sum(scope.accesses.plain(index)), dynamic, index.constant, scope);
}

/** An index as an expression that may stand anywhere. */
export function indexText(index: Index, scope: PlaceScope): string {
  const sum = sumText(index, scope);
  return /^[A-Za-z0-9_$]+$/.test(sum) ? sum : `(${sum})`;
}

export function conditionsText(conditions: readonly Condition[], scope: PlaceScope): string {
  const texts = conditions.map((c) => {
    const i = indexText(testedIndex(c), scope);
    if (c.kind === 'divisible') return `${i} === 0`;
    const r = indexRange(c.index);
    const parts = [r.min < c.lo ? `${i} >= ${c.lo}` : '', r.max >= c.hi ? `${i} < ${c.hi}` : ''];
    return parts.filter((p) => p !== '').join(' && ') || 'true';
  });
  return texts.join(' && ') || 'true';
}

function join(fixed: string, dynamic: readonly Term[], constant: number, scope: PlaceScope): string {
  let out = fixed;
  const push = (negative: boolean, part: string): void => {
    if (out === '') out = negative ? `-${part}` : part;
    else out += `${negative ? ' - ' : ' + '}${part}`;
  };
  for (const { coeff, atom } of dynamic) {
    const size = Math.abs(coeff);
    const value = dynamicText(atom, scope);
    push(coeff < 0, size === 1 ? value : `${size} * ${value}`);
  }
  if (constant !== 0 || out === '') push(constant < 0, String(Math.abs(constant)));
  return out;
}

function dynamicText(atom: Atom, scope: PlaceScope): string {
  if (atom.kind === 'value') return scope.value(atom.expr);
  if (atom.kind === 'var') throw new Error('internal: a loop variable is known before its statement runs');
  return `(${divisionText(atom, sumText(atom.x, scope))})`;
}
