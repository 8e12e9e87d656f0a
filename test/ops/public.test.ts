// Every public function, by one table: values on both targets, gradients of first and second order, the JVP against the VJP,
// negative axes, dimensions of 0, and each dtype that it says it takes; others are refused.

import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, HostTensor, Node } from '../../compiler/graph/ir.ts';
import { type DType, elementCount, roundTo, type Shape } from '../../compiler/graph/types.ts';
import * as ops from '../../compiler/ops/index.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { vjp } from '../../compiler/passes/grad.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { Executor } from '../../runtime/executor.ts';
import { disagreements, runCompiled } from '../support/agree.ts';
import { graphOf, host } from '../support/evaluate-ops.ts';
import { checkGradients, dotProducts } from '../support/gradcheck.ts';
import { elsewhere, type PublicFunction, publicFunctions } from '../support/public-functions.ts';
import { seededRandom } from '../support/random.ts';

const executor = await Executor.create({ threads: 1 });
t.teardown(() => executor.dispose());

const dtypes: readonly DType[] = ['f32', 'i32', 'u32', 'bool'];

/** Distinct numbers of the range, so that no maximum is tied and no order is open; small integers. */
function operandsOf(f: PublicFunction, dtype: DType, shapes: readonly Shape[] = f.shapes): HostTensor[] {
  const random = seededRandom(17);
  const [lo, hi] = f.range;
  return shapes.map((shape, k) => {
    const own = f.fixed[k] ?? dtype;
    const n = elementCount(shape);
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = random.int(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const data = order.map((i) =>
      own === 'f32'
        ? Math.fround(lo + ((hi - lo) * (i + 0.2 + 0.6 * random.uniform(0, 1))) / n)
        : roundTo(own, random.int(0, own === 'bool' ? 1 : k in f.fixed ? 2 : 5)),
    );
    return host(shape, data, own);
  });
}

function outputsOf(graph: Graph, values: Record<string, HostTensor>): number[][] {
  const { outputs } = interpretGraph(graph, { inputs: values });
  return graph.outputs.map((o) => [...outputs[o.name]!.data]);
}

async function onTargets(graph: Graph, values: Record<string, HostTensor>): Promise<string[]> {
  const problems: string[] = [];
  for (const target of ['wasm', 'js'] as const) {
    const got = await runCompiled(graph, values, target, executor);
    problems.push(...disagreements(graph, values, got).map((p) => `${target}: ${p}`));
  }
  return problems;
}

t.test('rows are of functions that exist, and tests of files that do', async (t) => {
  const named = [...publicFunctions.map((f) => f.name), ...Object.keys(elsewhere)];
  t.same(
    named.filter((n) => !(n in ops)),
    [],
    'rows without a function',
  );
  for (const file of new Set(Object.values(elsewhere))) {
    t.ok(existsSync(new URL(`../../../${file}`, import.meta.url)), file);
  }
});

for (const f of publicFunctions) {
  t.test(f.name, async (t) => {
    for (const dtype of f.dtypes) {
      const { graph, values } = graphOf(f.apply, operandsOf(f, dtype));
      t.same(await onTargets(graph, values), [], `${dtype}: targets agree`);
      const own = graph.nodes.filter((n) => registry.get(n.op.name) !== n.op).map((n) => n.op.name);
      t.same(own, [], 'all of its ops are in the registry');
    }
    refusesOthers(t, f);
    if (f.smooth > 0) {
      const { inputs, outputs, values } = graphOf(f.apply, operandsOf(f, 'f32'));
      const check = { outputs, inputs, values, random: seededRandom(3), elements: 4 };
      t.same(checkGradients({ ...check, order: f.smooth === 2 ? 2 : 1 }), [], 'gradients');
      t.same(dotProducts(check), [], 'JVP against VJP');
    }
    if (f.along) sameAlongNegativeAxes(t, f);
    await withoutElements(t, f);
  });
}

function refusesOthers(t: Test, f: PublicFunction): void {
  for (const dtype of dtypes.filter((d) => f.isStrict && !f.dtypes.includes(d))) {
    try {
      graphOf(f.apply, operandsOf(f, dtype));
      t.fail(`${dtype} is accepted, but the table does not say so`);
    } catch (e) {
      t.equal(e instanceof HeddleError ? e.code : String(e), 'HDL0002', `${dtype} is refused`);
    }
  }
}

function sameAlongNegativeAxes(t: Test, f: PublicFunction): void {
  const operands = operandsOf(f, f.dtypes[0]!);
  const rank = Math.max(...f.shapes.map((s) => s.length));
  // Where the axis is that of the result, there may be one more than the operand has.
  const ranks = ['expandDims', 'unsqueeze', 'stack'].includes(f.name) ? rank + 1 : rank;
  for (let axis = 0; axis < ranks; axis++) {
    if (f.name === 'squeeze' && axis === 0) continue;
    const [plain, negative] = [axis, axis - ranks].map((a) => {
      const { graph, values } = graphOf((...x) => f.along!(a, ...x), operands);
      return [graph.outputs.map((o) => o.node.type), outputsOf(graph, values)];
    });
    t.same(negative, plain, `axis ${axis} is axis ${axis - ranks}`);
  }
  // Nothing is left to join one past the last axis.
  const first = f.name === 'flatten' ? ranks + 1 : ranks;
  const beyond = (): unknown => graphOf((...x) => f.along!(first, ...x), operands);
  t.throws(beyond, { code: 'HDL0003' }, `axis ${first} is refused`);
}

async function withoutElements(t: Test, f: PublicFunction): Promise<void> {
  if (f.empty === null) return;
  for (const dtype of f.dtypes) {
    const operands = operandsOf(f, dtype, f.empty);
    const { graph, values, inputs, outputs } = graphOf(
      (...x) => f.along?.(1, ...x) ?? f.apply(...x),
      operands,
    );
    for (const [i, list] of outputsOf(graph, values).entries()) {
      t.equal(list.length, elementCount(outputs[i]!.type.shape), `${dtype}: no elements`);
    }
    t.same(await onTargets(graph, values), [], `${dtype}: targets agree about no elements`);
    if (f.smooth === 0 || dtype !== 'f32') continue;
    const wrt = inputs.filter((x) => x.type.dtype === 'f32');
    const ys = outputs.filter((y) => y.type.dtype === 'f32');
    const cotangents = ys.map((y) => ops.ones(y.type.shape) as Node);
    const gradients = makeGraph('gradients', {
      inputs,
      outputs: vjp(ys, cotangents, wrt).map((node, i) => ({ name: `y${i}`, node })),
    });
    t.same(await onTargets(gradients, values), [], 'gradients of no elements');
  }
}
