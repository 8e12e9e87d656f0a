// The interpreter: bindings, modes, regions and errors.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { makePayload } from '../../compiler/graph/payload.ts';
import { constantOp, full, input, variableNode } from '../../compiler/ops/leaf.ts';
import { add, chain, errorOf, everything, mul } from '../support/tiny-ops.ts';

const out = (name: string, node: Node): { name: string; node: Node }[] => [{ name, node }];

t.test('outputs and updates of a graph with a region', async (t) => {
  const { outputs, updates } = interpretGraph(everything(), {
    inputs: { x: [1, 2, 3, 4], unused: 5 },
    variables: { w: new Float32Array([2, 2, 2, 2]), other: [1] },
  });
  t.same([...outputs['the logits']!.data], [2, 4, 6, 8]);
  t.same([...outputs['loss']!.data], [4, 16, 36, 64]);
  t.same([...updates['w']!.data], [1, 1, 1, 1]);
  t.same(outputs['loss']!.type, { dtype: 'f32', shape: [2, 2] });
});

t.test('f64 shows the mathematics, f32 what storage makes of it', async (t) => {
  const x = input('x', []);
  const graph = makeGraph('g', { outputs: out('y', add(x, full([], 1e-9))) });
  const inputs = { x: 1 };
  t.equal(interpretGraph(graph, { inputs }).outputs['y']!.data[0], 1 + 1e-9);
  t.equal(interpretGraph(graph, { inputs }, { mode: 'f32' }).outputs['y']!.data[0], 1);
});

t.test('in f32 mode every node is rounded, not only results', async (t) => {
  const x = input('x', []);
  const graph = makeGraph('g', { outputs: out('y', mul(full([], 0.1), x)) });
  const { values } = interpretGraph(graph, { inputs: { x: 0.1 } }, { mode: 'f32', keep: true });
  const f = Math.fround(0.1);
  t.same(
    graph.nodes.map((n) => values!.get(n)!.data[0]),
    [f, f, Math.fround(f * f)],
  );
});

t.test('integers wrap in both modes', async (t) => {
  const x = input('x', [], 'i32');
  const graph = makeGraph('g', { outputs: out('y', add(x, x)) });
  for (const mode of ['f64', 'f32'] as const) {
    const { outputs } = interpretGraph(graph, { inputs: { x: 2147483647 } }, { mode });
    t.equal(outputs['y']!.data[0], -2, mode);
  }
});

t.test('large constants come from their payload', async (t) => {
  const payload = makePayload(Float32Array.from({ length: 20 }, (_, i) => i));
  const c = makeNode(constantOp, [], { dtype: 'f32', shape: [20] }, { payload });
  const { outputs } = interpretGraph(makeGraph('g', { outputs: out('y', add(c, c)) }), {});
  t.equal(outputs['y']!.data[19], 38);
});

t.test('keep returns every value, and nothing else is kept otherwise', async (t) => {
  const graph = everything();
  const bindings = { inputs: { x: [1, 2, 3, 4], unused: 5 }, variables: { w: [1, 1, 1, 1] } };
  t.equal(interpretGraph(graph, bindings, { keep: true }).values!.size, graph.nodes.length);
  t.equal(interpretGraph(graph, bindings).values, undefined);
});

t.test('values are not shared with the caller', async (t) => {
  const x = input('x', [2]);
  const graph = makeGraph('g', { outputs: out('y', x) });
  const given = new Float64Array([1, 2]);
  interpretGraph(graph, { inputs: { x: given } }).outputs['y']!.data[0] = 9;
  t.same([...given], [1, 2]);
});

t.test('bindings that do not fit are refused', async (t) => {
  const x = input('x', [2]);
  const graph = makeGraph('g', {
    inputs: [x],
    outputs: out('y', mul(x, variableNode('w', [2], 'f32', true))),
  });
  const variables = { w: [1, 2] };
  const typed = { type: { dtype: 'i32', shape: [2] }, data: new Float64Array(2) } as const;
  const cases = [
    [
      { variables },
      /^HDL0016: graph 'g' reads input 'x' as f32\[2\], and no value is given\n[\s\S]*given: none/,
    ],
    [{ inputs: { x: [1] }, variables }, /^HDL0016: .*input 'x' as f32\[2\], but its value has 1 elements/],
    [{ inputs: { x: typed }, variables }, /^HDL0016: .*input 'x' as f32\[2\], but its value is i32\[2\]/],
    [{ inputs: { x: [1, 2] } }, /^HDL0016: .*variable 'w' as f32\[2\], and no value is given/],
    [
      { inputs: { x: [1, 2], X: 1 }, variables },
      /^HDL0016: graph 'g' has no input 'X'[\s\S]*did you mean 'x'\?/,
    ],
  ] as const;
  for (const [bindings, pattern] of cases) {
    t.match(
      errorOf(() => interpretGraph(graph, bindings)),
      pattern,
      String(pattern),
    );
  }
});

t.test('a long chain is a loop', async (t) => {
  const { outputs } = interpretGraph(chain(20_000), { inputs: { x: [1] } });
  t.equal(outputs['y']!.data[0], 20_000);
});
