// Sharing between statements: every expression is computed in one place.

import t from 'tap';
import { constIndex } from '../../compiler/kernel/affine.ts';
import { VarSource } from '../../compiler/kernel/definition.ts';
import { binary, constant, type Expr, unary, walkExprs } from '../../compiler/kernel/expr.ts';
import { bindShared } from '../../compiler/kernel/schedule/share.ts';
import { unifier } from '../../compiler/kernel/unify.ts';
import { load } from '../support/run-kernel.ts';

const x = load('f32', 0, constIndex(0));

/** How often a function is computed by the lets and values together. */
function count(fn: string, values: readonly Expr[]): number {
  const shared = bindShared(values, 4, new VarSource());
  const roots = [...shared.lets.map((l) => (l.kind === 'let' ? l.value : l)), ...shared.values] as Expr[];
  // Each root is a statement of its own: what two of them contain is computed twice.
  return roots.flatMap((r) => walkExprs([r])).filter((e) => 'fn' in e && e.fn === fn).length;
}

t.test('what shared values have in common is computed once', async (t) => {
  const e = unary('exp', x);
  const gate = binary('div', e, binary('add', e, constant('f32', 1)));
  const y = unary('tanh', binary('mul', gate, x));
  const values = [gate, y, binary('mul', binary('mul', y, gate), e)];
  t.equal(count('exp', values), 1, 'exp stands in two shared values and in one that is not');
  t.equal(count('tanh', values), 1);
  t.equal(count('div', values), 1);
});

t.test('a value inside of one shared value needs no name', async (t) => {
  const inside = unary('exp', x);
  const shared = binary('mul', inside, inside);
  const { lets } = bindShared([shared, unary('neg', shared)], 4, new VarSource());
  t.equal(lets.length, 1);
});

t.test('what only guards compute stays inside of them', async (t) => {
  const e = unary('exp', x);
  const guarded = (value: Expr): Expr => ({
    kind: 'guard',
    type: 'f32',
    conditions: [],
    value,
    otherwise: constant('f32', 0),
  });
  const { lets } = bindShared([guarded(e), guarded(unary('neg', e))], 1, new VarSource());
  t.equal(lets.length, 0);
});

t.test('equal expressions are one, unless they are reductions', async (t) => {
  const one = unifier();
  const value = (): Expr => unary('exp', binary('add', load('f32', 0, constIndex(0)), constant('f32', 1)));
  t.equal(one(value()), one(value()));
  t.not(one(constant('f32', 0)), one(constant('f32', -0)), 'zeros differ');
  t.not(one(load('f32', 0, constIndex(0))), one(load('f32', 0, constIndex(1))));
  t.equal(count('exp', [value(), unary('neg', value())]), 1);
  const sum = (): Expr => ({ kind: 'reduce', type: 'f32', monoid: 'sum', vars: [], body: x });
  t.not(one(sum()), one(sum()));
});
