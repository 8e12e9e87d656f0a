// The verifier, by graphs that are broken in one place each.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { makePayload } from '../../compiler/graph/payload.ts';
import { verifyGraph } from '../../compiler/graph/verify.ts';
import { constantOp, input, variableNode } from '../../compiler/ops/leaf.ts';
import { add, chain, errorOf, everything, mul, tinyCall } from '../support/tiny-ops.ts';

const x = input('x', [2]);
const y = mul(x, x);
const z = add(y, x);
const good = makeGraph('g', { inputs: [x], outputs: [{ name: 'z', node: z }] });
const indexed = (nodes: readonly Node[]): Pick<Graph, 'nodes' | 'index'> => ({
  nodes,
  index: new Map(nodes.map((n, i) => [n, i])),
});

t.test('good graphs verify', async (t) => {
  verifyGraph(good);
  verifyGraph(everything());
  verifyGraph(chain(20_000));
  t.pass('no error');
});

t.test('every broken rule is found and the node is named', async (t) => {
  const other = input('x', [2]);
  const w = variableNode('w', [2], 'f32', true);
  const scalar = input('s', []);
  const updated = (updates: Graph['updates']): Graph => makeGraph('g', { inputs: [x], outputs: [], updates });
  const payload = makePayload(new Float32Array(99));
  const short = makeNode(constantOp, [], { dtype: 'f32', shape: [100] }, { payload });
  const wrongType = { ...z, type: { dtype: 'f32', shape: [3] } } as Node;
  const refused = { ...z, operands: [y, scalar] };

  const cases: readonly (readonly [string, Graph, RegExp])[] = [
    ['index', { ...good, index: new Map([[x, 0], [y, 2], [z, 1]]) }, /^HDL0011: graph 'g', node %1 tiny_mul f32\[2\]: its index is 2/],
    ['extra index', { ...good, index: new Map([...good.index, [w, 3]]) }, /4 indices for 3 nodes/],
    ['twice', { ...good, ...indexed([x, y, y, z]) }, /it is listed twice|its index is/],
    ['order', { ...good, ...indexed([x, z, y]) }, /node %1 tiny_add f32\[2\]: operand 0 is %2, which comes later/],
    ['closed', { ...good, ...indexed([x, z]) }, /operand 0, tiny_mul f32\[2\], is not in the graph/],
    ['type', { ...good, ...indexed([x, y, wrongType]), outputs: [] }, /tiny_add f32\[3\]: the type rule gives f32\[2\]/],
    ['refused', { ...good, ...indexed([x, y, scalar, refused]), outputs: [] }, /its op refuses it: tiny_add[\s\S]*same type/],
    ['payload', makeGraph('g', { outputs: [{ name: 'c', node: short }] }), /its payload has 99 elements/],
    ['undeclared', { ...good, inputs: [] }, /'x' \(input f32\[2\]\): it is not among the inputs/],
    ['no input', { ...good, inputs: [x, y] }, /tiny_mul f32\[2\]: it is declared as input/],
    ['declared twice', { ...good, inputs: [x, x] }, /it is declared twice/],
    ['declared, absent', { ...good, inputs: [x, scalar] }, /'s' \(input f32\[\]\): it is declared, but not in/],
    ['input names', makeGraph('g', { inputs: [x, other], outputs: [] }), /another input is called 'x'/],
    ['output absent', { ...good, outputs: [{ name: 'w', node: w }] }, /output 'w' is not in/],
    ['output names', { ...good, outputs: [...good.outputs, { name: 'z', node: y }] }, /two outputs are called 'z'/],
    ['update of no variable', updated([{ variable: y, value: y }]), /tiny_mul f32\[2\]: it is updated[\s\S]*only variables/],
    ['updated twice', updated([{ variable: w, value: y }, { variable: w, value: z }]), /'w' \(variable f32\[2\]\): it is updated twice/],
    ['update type', makeGraph('g', { inputs: [scalar], outputs: [], updates: [{ variable: w, value: scalar }] }), /its new value is 's' \(input f32\[\]\)/],
    ['unreachable', { ...good, outputs: [{ name: 'y', node: y }] }, /tiny_add f32\[2\]: nothing reads it/],
  ]; // biome-ignore format: a table
  for (const [name, graph, pattern] of cases) {
    const error = errorOf(() => verifyGraph(graph));
    t.match(error, /^HDL0011: graph 'g'/, `${name}: number`);
    t.match(error, pattern, name);
  }
});

t.test('variables are told apart by name', async (t) => {
  const a = variableNode('w', [2], 'f32', true);
  const b = variableNode('w', [2], 'f32', true);
  const sum = makeGraph('g', { outputs: [{ name: 's', node: add(a, b) }] });
  t.match(
    errorOf(() => verifyGraph(sum)),
    /^HDL0009: graph 'g' has two variables 'w': f32\[2\] and f32\[2\]/,
  );
});

t.test('regions are verified, and their variables agree', async (t) => {
  const withRegion = (region: Graph): Graph => {
    const w = variableNode('w', [2], 'f32', true);
    const called = makeNode(tinyCall, [w], { shape: [2] }, { regions: [region] });
    return makeGraph('outer', { outputs: [{ name: 'y', node: called }] });
  };
  const same = makeGraph('inner', { outputs: [{ name: 'w', node: variableNode('w', [2], 'f32', true) }] });
  const other = makeGraph('inner', { outputs: [{ name: 'w', node: variableNode('w', [3], 'f32', true) }] });
  verifyGraph(withRegion(same));
  t.match(
    errorOf(() => verifyGraph(withRegion(other))),
    /^HDL0009: graph 'outer' has two variables 'w'/,
  );
  t.match(
    errorOf(() => verifyGraph(withRegion({ ...good, inputs: [] }))),
    /^HDL0011: graph 'g', node %0 'x'/,
  );
});
