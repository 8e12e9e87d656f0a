// Given statements with rare sides, when they share one branch, then no value depends on what its neighbours are, and only such
// statements are taken together as may be computed twice.

import t from 'tap';
import { binary, constant, type Expr, unary } from '../../compiler/kernel/expr.ts';
import type { Kernel, Stmt } from '../../compiler/kernel/ir.ts';
import { mathExpander } from '../../compiler/kernel/math.ts';
import { rareGroups } from '../../compiler/target/wasm/rare-groups.ts';
import { affine, Ids, kernel, load, loop, param, read, runKernel, store } from '../support/run-kernel.ts';

const f32 = (x: number): Expr => constant('f32', x);
const vectors = 4;
const length = 4 * vectors * 2;

/** y = log x · 2 in four vectors at a time, and their sum in `total`. */
function logs(): Kernel {
  const ids = new Ids();
  const unit = ids.loop('unit', 1);
  const i = ids.loop('i', length);
  const sum = ids.register('sum');
  const at = (k: number) => affine(4 * k, [1, i]);
  const value = (k: number): Expr => binary('mul', unary('log', load('f32', 0, at(k), 1)), f32(2));
  const each = Array.from({ length: vectors }, (_, k) => k);
  const all: Expr = { kind: 'horizontal', type: 'f32', monoid: 'sum', x: read(sum) };
  return kernel(
    'logs',
    [
      param('x', 'f32', length, 'read'),
      param('y', 'f32', length, 'write'),
      param('total', 'f32', 1, 'write'),
    ],
    unit,
    [
      { kind: 'let', reg: sum, value: f32(0), lanes: 4 },
      loop(
        i,
        [
          ...each.map(
            (k): Stmt => ({ kind: 'set', reg: sum, value: binary('add', read(sum), value(k)), lanes: 4 }),
          ),
          ...each.map((k) => store(1, at(k), value(k), 4)),
        ],
        4 * vectors,
      ),
      { kind: 'let', reg: { ...sum, name: 'all', id: 99 }, value: all, lanes: 4 },
      store(2, affine(0), read({ ...sum, id: 99 })),
    ],
  );
}

const run = (x: Float32Array): { y: Float32Array; total: number } => {
  const [, y, total] = runKernel(logs(), [x, new Float32Array(length), new Float32Array(1)], 'wasm');
  return { y: y as Float32Array, total: total![0]! };
};

t.test('an unusual number changes its own result and no other', async (t) => {
  const x = Float32Array.from({ length }, (_, i) => 0.3 + ((7 * i) % 11));
  const usual = run(x);
  const unusual = [0, -0, -1, 1e-40, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  for (const u of unusual) {
    for (let p = 0; p < length; p++) {
      const { y, total } = run(x.with(p, u));
      const wanted = 2 * Math.log(Math.fround(u));
      const isClose = Object.is(y[p], wanted) || Math.abs(y[p]! - wanted) < 1e-6 * Math.abs(wanted);
      const others = y.every((v, i) => i === p || v === usual.y[i]);
      const sum = usual.total - usual.y[p]! + wanted;
      const isSum = Object.is(total, sum) || Math.abs(total - sum) < 1e-4;
      if (!isClose || !others || !isSum)
        t.fail(`${u} at ${p}: ${y[p]}, total ${total}, not ${wanted}, ${sum}`);
    }
  }
  t.equal(run(x.with(3, 0).with(20, Number.NaN)).y[3], Number.NEGATIVE_INFINITY, 'two of them');
});

t.test('what a group makes and then changes', async (t) => {
  const ids = new Ids();
  const unit = ids.loop('unit', 1);
  const made = ids.register('made');
  const log: Expr = unary('log', load('f32', 0, affine(0), 1));
  const k = kernel('made', [param('x', 'f32', 4, 'read'), param('y', 'f32', 4, 'write')], unit, [
    { kind: 'let', reg: made, value: log, lanes: 4 },
    { kind: 'set', reg: made, value: binary('add', read(made), log), lanes: 4 },
    store(1, affine(0), read(made), 4),
  ]);
  for (const first of [1, 0]) {
    const [, y] = runKernel(k, [Float32Array.of(first, 1, 2, 4), new Float32Array(4)], 'wasm');
    const wanted = Float32Array.of(2 * Math.log(first), 0, 2 * Math.LN2, 4 * Math.LN2);
    t.same(y, wanted, `beside ${first}`);
  }
});

/** How a block is taken apart: for each group its length, for a statement alone its kind. */
const shape = (block: readonly Stmt[]): (string | number)[] =>
  rareGroups(block, mathExpander()).map((part) => ('kind' in part ? part.kind : part.length));

t.test('groups begin and end with a test, and have at most four', async (t) => {
  const ids = new Ids();
  const plain = (): Stmt => ({ kind: 'let', reg: ids.register('a'), value: f32(1), lanes: 4 });
  const log = (): Stmt => ({
    kind: 'let',
    reg: ids.register('l'),
    value: unary('log', load('f32', 0, affine(0), 1)),
    lanes: 4,
  });
  t.same(shape([plain(), log(), plain(), log(), plain()]), ['let', 3, 'let']);
  t.same(shape([log()]), ['let'], 'one test is its own branch');
  t.same(shape([log(), log(), log(), log(), log(), log()]), [4, 2]);
  t.same(shape([log(), { ...log(), lanes: 1 } as Stmt, log()]), ['let', 'let', 'let'], 'vectors only');
});

t.test('what is stored is stored after the branch, and read after that', async (t) => {
  const ids = new Ids();
  const log = (of: number): Expr => unary('log', load('f32', of, affine(0), 1));
  const put = (into: number, of: number): Stmt => store(into, affine(0), log(of), 4);
  const keep = (of: number): Stmt => ({ kind: 'let', reg: ids.register('l'), value: log(of), lanes: 4 });
  t.same(shape([put(1, 0), put(2, 0)]), [2]);
  t.same(shape([put(1, 0), put(2, 1)]), ['store', 'store'], 'the second reads what the first stores');
  t.same(shape([keep(0), put(1, 0), keep(0), put(2, 0)]), [2, 2], 'stores come last');
});

t.test('what tells of a check, or stands under a guard, is computed once', async (t) => {
  const log = unary('log', load('f32', 0, affine(0), 1));
  const twice = (value: Expr): Stmt[] => [store(1, affine(0), value, 4), store(2, affine(0), value, 4)];
  t.same(shape(twice(log)), [2]);
  t.same(shape(twice({ kind: 'checkFinite', type: 'f32', x: log, site: 0 })), ['store', 'store']);
  const unit = new Ids().loop('unit', 2);
  const condition = { kind: 'inRange', index: affine(0, [1, unit]), lo: 0, hi: 1 } as const;
  const guarded: Expr = {
    kind: 'guard',
    type: 'f32',
    conditions: [condition],
    value: log,
    otherwise: f32(0),
  };
  t.same(shape(twice(guarded)), ['store', 'store']);
});
