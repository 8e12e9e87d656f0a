// Bases: definitions that differ in where they start become equal, and compute the same from there.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { type LoopVar, offsetIndex, scaleIndex, varIndex } from '../../compiler/kernel/affine.ts';
import { moveBases } from '../../compiler/kernel/bases.ts';
import { type KernelDefinition, VarSource } from '../../compiler/kernel/definition.ts';
import { definitionKey } from '../../compiler/kernel/definition-key.ts';
import type { Expr } from '../../compiler/kernel/expr.ts';
import { concat, input, mul, slice, tanh } from '../../compiler/ops/index.ts';
import { Executor } from '../../runtime/executor.ts';
import { disagreements, runCompiled } from '../support/agree.ts';
import { graphOf } from '../support/lower-graph.ts';

/** y[i] = x[by · i + at] for i < 8, with x of 100 elements. */
function reading(by: number, at: number, low?: number): KernelDefinition {
  const vars = new VarSource();
  const v: LoopVar = vars.make('i', 8);
  const load: Expr = {
    kind: 'load',
    type: 'f32',
    param: 0,
    index: offsetIndex(scaleIndex(varIndex(v), by), at),
    laneStride: 0,
  };
  const guarded: Expr = {
    kind: 'guard',
    type: 'f32',
    conditions: [{ kind: 'inRange', index: load.index, lo: low ?? 0, hi: 100 }],
    value: load,
    otherwise: { kind: 'const', type: 'f32', value: 0 },
  };
  return {
    name: 'part',
    params: [
      { name: 'x', storage: 'f32', access: 'read', elements: 100 },
      { name: 'y', storage: 'f32', access: 'write', elements: 8 },
    ],
    flags: null,
    space: [v],
    stores: [{ param: 1, index: varIndex(v), value: low === undefined ? load : guarded }],
    vars,
  };
}

t.test('a constant start becomes a base, and the parameter what is touched from there', (t) => {
  const { def, bases } = moveBases(reading(2, 30), () => true);
  t.same(bases, [30, 0]);
  t.same(
    def.params.map((p) => p.elements),
    [15, 8],
  );
  t.equal(definitionKey(def), definitionKey(moveBases(reading(2, 0), () => true).def));
  t.not(definitionKey(def), definitionKey(moveBases(reading(3, 0), () => true).def));
  t.end();
});

t.test('walking backwards, the base is the first element that is touched', (t) => {
  const { def, bases } = moveBases(reading(-2, 60), () => true);
  t.same(bases, [46, 0]);
  t.equal(def.params[0]!.elements, 15);
  t.end();
});

t.test('a guarded address that may lie outside of the buffer stays as it is', (t) => {
  const { def, bases } = moveBases(reading(2, -3, 0), () => true);
  t.same(bases, [0, 0]);
  t.equal(def.params[0]!.elements, 12, 'behind the last one nothing is touched');
  t.end();
});

t.test('parameters that may not move keep their size', (t) => {
  const def = reading(2, 30);
  t.equal(moveBases(def, (p) => p === 1).def, def);
  t.end();
});

t.test('parts of one value that are used alike share a kernel, also where they are written', async (t) => {
  const x = input('x', [6, 40]);
  const rows = Array.from({ length: 6 }, (_, i) => slice(x, [i, 0], [i + 1, 40]));
  let carry: Node = rows[0]!;
  const outs = rows.slice(1).map((row) => {
    carry = tanh(mul(carry, row));
    return carry;
  });
  const graph = graphOf({ y: concat(outs, 0), last: carry });
  for (const target of ['wasm', 'js'] as const) {
    const executor = await Executor.create({ threads: 2 });
    t.teardown(() => executor.dispose());
    const { plan } = compileGraph(graph, { target, workers: [1, 2], verify: true });
    t.ok(plan.manifest.kernels.length <= 3, `${target}: ${plan.manifest.kernels.length} kernels`);
    const data = Float64Array.from({ length: 240 }, (_, i) => Math.fround(Math.sin(i) * 2));
    const values = { x: { type: { dtype: 'f32' as const, shape: [6, 40] }, data } };
    t.same(disagreements(graph, values, await runCompiled(graph, values, target, executor)), []);
  }
});
