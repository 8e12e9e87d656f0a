// Given expressions with shared parts, guards and run-time values, when variables or whole parts are replaced, then what
// is shared stays shared, decided guards are gone, and what does not change is the same object.

import t from 'tap';
import {
  addIndex,
  atomIndex,
  constIndex,
  divIndex,
  indexKey,
  type LoopVar,
  offsetIndex,
  scaleIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import {
  binary,
  constant,
  type Expr,
  indexValue,
  reduce,
  unary,
  walkExprs,
} from '../../compiler/kernel/expr.ts';
import {
  coefficientOf,
  decide,
  dependsOn,
  guard,
  replacer,
  rewriter,
  substituter,
  substituteStores,
  unflatten,
} from '../../compiler/kernel/substitute.ts';
import { load } from '../support/run-kernel.ts';

const v = (name: string, extent: number, id: number): LoopVar => ({ kind: 'var', name, extent, id });
const i = v('i', 8, 0);
const j = v('j', 4, 1);
const at =
  (x: LoopVar) =>
  (y: LoopVar): ReturnType<typeof varIndex> | undefined =>
    y.id === x.id ? constIndex(3) : undefined;
const padded = (index = varIndex(i)): Expr => ({
  kind: 'guard',
  type: 'f32',
  conditions: [{ kind: 'inRange', index, lo: 2, hi: 6 }],
  value: load('f32', 0, offsetIndex(index, -2)),
  otherwise: constant('f32', 0),
});

t.test('sharing survives, within an expression and between calls', async (t) => {
  const x = load('f32', 0, varIndex(i));
  const sub = substituter(at(i));
  const twice = sub(binary('mul', x, x)) as Extract<Expr, { kind: 'binary' }>;
  t.equal(twice.x, twice.y);
  t.equal(sub(x), twice.x);
  const stores = substituteStores(
    [
      { param: 1, index: varIndex(i), value: unary('exp', x) },
      { param: 2, index: varIndex(i), value: unary('neg', x) },
    ],
    at(i),
  );
  t.equal(walkExprs(stores.map((s) => s.value)).filter((e) => e.kind === 'load').length, 1);
});

t.test('what does not change is the same object, guards and divisions too', async (t) => {
  const e = binary('add', padded(), load('f32', 1, divIndex(varIndex(i), 3)));
  t.equal(substituter(at(j))(e), e);
  t.equal(replacer(() => undefined)(e), e);
  t.equal(rewriter((x) => x)(e), e);
});

t.test('guards that are decided are gone', async (t) => {
  t.equal(substituter(at(i))(padded()).kind, 'load');
  t.same(substituter((x) => (x === i ? constIndex(7) : undefined))(padded()), constant('f32', 0));
  t.equal(substituter((x) => (x === i ? varIndex(j) : undefined))(padded()).kind, 'guard', 'open for j < 4');
  t.equal(substituter((x) => (x === i ? offsetIndex(varIndex(j), 2) : undefined))(padded()).kind, 'load');
  const never = guard(
    [{ kind: 'inRange', index: varIndex(i), lo: 8, hi: 9 }],
    () => t.fail('not made') as never,
    () => constant('f32', 1),
  );
  t.same(never, constant('f32', 1));
});

t.test('conditions', async (t) => {
  const inRange = (index = varIndex(i), lo = 0, hi = 8): boolean | null =>
    decide({ kind: 'inRange', index, lo, hi });
  t.equal(inRange(), true);
  t.equal(inRange(varIndex(i), 1), null);
  t.equal(inRange(varIndex(i), 8, 20), false);
  t.equal(inRange(varIndex(i), -5, 0), false);
  t.equal(decide({ kind: 'divisible', index: scaleIndex(varIndex(i), 6), by: 3 }), true);
  t.equal(decide({ kind: 'divisible', index: offsetIndex(scaleIndex(varIndex(i), 6), 1), by: 3 }), false);
  t.equal(decide({ kind: 'divisible', index: varIndex(i), by: 3 }), null);
});

t.test('an index that becomes a number is a constant', async (t) => {
  t.same(substituter(at(i))(indexValue(varIndex(i))), constant('i32', 3));
});

t.test(
  'replacing stops at what it replaces; rewriting goes from the inside out, into run-time values',
  async (t) => {
    const sum = reduce('sum', [j], load('f32', 0, varIndex(j)));
    const swapped = replacer((e) => (e === sum ? constant('f32', 9) : undefined))(unary('exp', sum));
    t.same(swapped, unary('exp', constant('f32', 9)));
    const looked = load(
      'f32',
      1,
      atomIndex({ kind: 'value', expr: load('i32', 2, varIndex(i)), extent: 5, id: 7 }),
    );
    const shifted = rewriter((e) => (e.kind === 'load' ? { ...e, param: e.param + 10 } : e))(looked);
    t.same(
      walkExprs([shifted]).map((e) => e.kind === 'load' && e.param),
      [12, 11],
    );
  },
);

t.test('dependence looks into indices, guards and values, and not into what a reduction binds', async (t) => {
  const looked = load(
    'f32',
    1,
    atomIndex({ kind: 'value', expr: load('i32', 2, varIndex(i)), extent: 5, id: 7 }),
  );
  t.ok(dependsOn(looked, i));
  t.notOk(dependsOn(looked, j));
  t.ok(Number.isNaN(coefficientOf((looked as Extract<Expr, { kind: 'load' }>).index, i)));
  t.ok(dependsOn(padded(), i));
  t.notOk(dependsOn(reduce('sum', [j], load('f32', 0, varIndex(j))), j));
  t.ok(dependsOn(reduce('sum', [j], load('f32', 0, addIndex(varIndex(i), varIndex(j)))), i));
});

t.test('sixty squares of squares take no time', async (t) => {
  let e = load('f32', 0, varIndex(i));
  for (let k = 0; k < 60; k++) e = binary('mul', e, e);
  t.notOk(dependsOn(e, j));
  t.equal(walkExprs([substituter(at(i))(e)]).length, 61);
});

t.test('unflatten', async (t) => {
  const u = v('u', 24, 9);
  t.same(unflatten(varIndex(u), [2, 1, 3, 4]).map(indexKey), [
    '1*(1*v9+0)/12+0',
    '+0',
    '1*(1*(1*v9+0)/4+0)%3+0',
    '1*(1*v9+0)%4+0',
  ]);
  t.same(unflatten(varIndex(u), []), []);
});

t.test('a condition between two steps of an index holds nowhere', async (t) => {
  const even = scaleIndex(varIndex(i), 2);
  t.equal(decide({ kind: 'inRange', index: even, lo: 1, hi: 2 }), false, '2 i is never 1');
  t.equal(decide({ kind: 'inRange', index: even, lo: 1, hi: 3 }), null, 'but may be 2');
  t.equal(
    decide({ kind: 'inRange', index: offsetIndex(even, 1), lo: 4, hi: 5 }),
    false,
    'nor is 2 i + 1 ever 4',
  );
  t.equal(decide({ kind: 'inRange', index: offsetIndex(even, 1), lo: 3, hi: 4 }), null);
  const down = offsetIndex(scaleIndex(varIndex(i), -3), 1);
  t.equal(decide({ kind: 'inRange', index: down, lo: -4, hi: -2 }), false, '1 − 3 i is neither −4 nor −3');
  t.equal(decide({ kind: 'inRange', index: down, lo: -5, hi: -2 }), null);
});

t.test('a change is made once, also to what a decided guard leaves', async (t) => {
  const from = (param: number, at: number): Expr => ({
    kind: 'load',
    type: 'f32',
    param,
    index: offsetIndex(varIndex(i), at),
    laneStride: 0,
  });
  const never = (value: Expr, otherwise: Expr): Expr => ({
    kind: 'guard',
    type: 'f32',
    conditions: [{ kind: 'inRange', index: constIndex(2), lo: 0, hi: 1 }],
    value,
    otherwise,
  });
  const next = rewriter((e) => (e.kind === 'load' ? { ...e, param: e.param + 1 } : e));
  const made = next(never(from(0, 0), never(from(1, 1), from(2, 2))));
  t.equal(made.kind === 'load' && made.param, 3);
});
