// What a compilation saves is what it would have made: vectors moved along their lanes, bodies of kernels that are written
// when they are looked at, units that are refused before anything is scheduled.

import fc from 'fast-check';
import t from 'tap';
import {
  addIndex,
  constIndex,
  type Index,
  offsetIndex,
  scaleIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import { type KernelDefinition, VarSource } from '../../compiler/kernel/definition.ts';
import {
  binary,
  compare,
  constant,
  type Expr,
  indexValue,
  reduce,
  select,
  unary,
} from '../../compiler/kernel/expr.ts';
import type { Kernel, KernelParam } from '../../compiler/kernel/ir.ts';
import { lazyKernel } from '../../compiler/kernel/lazy-body.ts';
import { KernelPool } from '../../compiler/kernel/pool.ts';
import { lanesFurther, vectorizer } from '../../compiler/kernel/schedule/vector.ts';
import { coefficientOf } from '../../compiler/kernel/substitute.ts';
import { wasmSimd } from '../../compiler/target/targets.ts';
import { load } from '../support/run-kernel.ts';

const seed = 20;

t.test('a vector that is moved along its lanes is the vector that is placed there', async (t) => {
  const vars = new VarSource();
  const [n, v, at] = [vars.make('n', 8), vars.make('v', 64), vars.make('w', 8)];
  /** a n + b v + c: what lanes may run along. */
  const index = fc
    .tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 9 }))
    .map(
      ([a, b, c]): Index =>
        offsetIndex(addIndex(scaleIndex(varIndex(n), a), scaleIndex(varIndex(v), b)), 200 + c),
    );
  const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
    expr: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'expr' },
      index.map((i) => load('f32', 0, i)),
      index.map((i): Expr => ({ kind: 'convert', type: 'f32', from: 'i32', x: indexValue(i) })),
      fc.constant(constant('f32', 2)),
      tie('expr').map((x) => unary('exp', x)),
      fc.tuple(tie('expr'), tie('expr')).map(([x, y]) => binary('mul', x, y)),
      fc.tuple(tie('expr'), tie('expr')).map(([x, y]) => select(compare('lt', x, y), x, y)),
    ),
  }));
  const base = scaleIndex(varIndex(at), 8);
  const placedAt = (to: Index, i: Index, value: Expr) => ({
    index: addIndex(offsetIndex(i, 0), scaleIndex(to, coefficientOf(i, v))),
    value: vectorizer(v, to)(value),
    laneStride: coefficientOf(i, v),
  });
  fc.assert(
    fc.property(expr, index, fc.integer({ min: 0, max: 16 }), (value, i, by) => {
      const [moved] = lanesFurther([placedAt(base, i, value)], by);
      t.same(moved, placedAt(offsetIndex(base, by), i, value));
    }),
    { seed, numRuns: 200 },
  );
});

t.test('expressions take the place of others on the way', async (t) => {
  const [first, second] = [unary('neg', constant('f32', 1)), unary('abs', constant('f32', 1))];
  const store = { index: constIndex(0), value: binary('add', first, first), laneStride: 1 };
  for (const by of [4, 8]) {
    const [moved] = lanesFurther([store], by, new Map([[first, second]]));
    t.same(moved, { index: constIndex(by), value: binary('add', second, second), laneStride: 1 });
  }
});

t.test('a body is written once, and only when somebody looks at it', async (t) => {
  let written = 0;
  const vars = new VarSource();
  const rest: Omit<Kernel, 'body'> = {
    name: 'k',
    params: [],
    flags: null,
    unit: vars.make('unit', 3),
    schedule: '',
    cost: { flops: 0, bytes: 0 },
  };
  const kernel = lazyKernel(rest, () => {
    written++;
    return [];
  });
  t.equal(kernel.unit.extent, 3);
  t.equal(written, 0);
  t.equal(kernel.body, kernel.body);
  t.equal(written, 1);
  t.same({ ...kernel }.body, [], 'a copy has it, too');
});

/** Sums over `parts` parts, each of so many elements: every result reads a piece of each part. */
function sumOfParts(parts: number, elements: number): KernelDefinition {
  const vars = new VarSource();
  const [d, part] = [vars.make('d', elements), vars.make('part', parts)];
  const param = (name: string, access: 'read' | 'write', size: number): KernelParam => ({
    name,
    storage: 'f32',
    access,
    elements: size,
  });
  const at = addIndex(scaleIndex(varIndex(part), elements), varIndex(d));
  return {
    name: 'sum of parts',
    params: [param('y', 'write', elements), param('parts', 'read', parts * elements)],
    flags: null,
    space: [d],
    stores: [{ param: 0, index: varIndex(d), value: reduce('sum', [part], load('f32', 1, at)) }],
    vars,
  };
}

t.test('units that are refused before scheduling are those that scheduling would refuse', async (t) => {
  let [refused, given] = [0, 0];
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 700 }), (parts, elements) => {
      const pool = new KernelPool(wasmSimd);
      const kernel = pool.schedule(sumOfParts(parts, elements));
      for (const units of [1, 2, 3, 16, 32, 64]) {
        const may = pool.mayHaveUnits(kernel, units);
        const made = pool.withUnits(kernel, units);
        if (made === null) refused++;
        else given++;
        t.ok(may || made === null, `${parts} parts of ${elements}, ${units} units`);
        if (made !== null) t.equal(made.unit.extent, units);
      }
    }),
    { seed, numRuns: 60 },
  );
  t.ok(refused > 20 && given > 20, `${refused} refused, ${given} given`);
});

t.test('a point of a sum of parts reads from the first part to the last', async (t) => {
  const pool = new KernelPool(wasmSimd);
  const kernel = pool.schedule(sumOfParts(16, 100));
  t.equal(pool.widthOfPoint(kernel, 1), 15 * 100 + 1);
  t.equal(pool.widthOfPoint(kernel, 0), 0, 'it reads nothing of what it writes');
  const def = sumOfParts(16, 100);
  const [store] = def.stores;
  const guarded: Expr = {
    kind: 'guard',
    type: 'f32',
    conditions: [{ kind: 'inRange', index: varIndex(def.space[0]!), lo: 0, hi: 50 }],
    value: store!.value,
    otherwise: constant('f32', 0),
  };
  const other = pool.schedule({ ...def, stores: [{ ...store!, value: guarded }] });
  t.equal(pool.widthOfPoint(other, 1), 0, 'what a guard leaves out is not known');
});
