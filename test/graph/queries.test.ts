// Questions about graphs, on small ones where the answer is visible and on long ones where recursion would overflow.

import t from 'tap';
import { toDot } from '../../compiler/graph/dot.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import {
  ancestors,
  connectedComponents,
  cyclicComponent,
  descendants,
  neighbourhood,
  toGraphlib,
} from '../../compiler/graph/queries.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { add, chain, everything, mul, tag } from '../support/tiny-ops.ts';

// a ─┬─ b = a·a ── d = b + c        lone
//    └─ c = tag a ─┘
const a = input('a', [1]);
const b = mul(a, a);
const c = tag(a);
const d = add(b, c);
const lone = input('lone', [1]);
const diamond = makeGraph('diamond', { inputs: [a, lone], outputs: [{ name: 'd', node: d }] });

t.test('graphlib gets a node per node and an edge per read', async (t) => {
  const g = toGraphlib(diamond);
  const id = (n: Node): string => `n${diamond.index.get(n)}`;
  t.equal(g.nodeCount(), 5);
  t.equal(g.edgeCount(), 5);
  t.same(
    (g.inEdges(id(b)) ?? []).map((e) => [e.v, e.name]),
    [
      [id(a), '0'],
      [id(a), '1'],
    ],
    'mul(a, a) has two edges',
  );
  t.same(g.node(id(d)), { op: 'tiny_add', type: 'f32[1]', name: null, scope: '' });
});

t.test('components, reachability and neighbourhoods', async (t) => {
  t.same(
    connectedComponents(diamond).map((part) => part.length),
    [4, 1],
  );
  t.equal(connectedComponents(diamond)[1]![0], lone);
  t.strictSame(ancestors(diamond, d), [a, b, c]);
  t.strictSame(descendants(diamond, a), [b, c, d]);
  t.strictSame(ancestors(diamond, a), []);
  t.strictSame(neighbourhood(diamond, b, 1), [a, b, d]);
  t.strictSame(neighbourhood(diamond, b, 0), [b]);
  t.throws(() => ancestors(diamond, add(a, a)), /not in graph 'diamond'/);
});

t.test('the nodes of a cycle', async (t) => {
  t.same(cyclicComponent([[1], [2], [0], [0], []], 1), [0, 1, 2], 'readers of a cycle are not on it');
  t.same(cyclicComponent([[0]], 0), [0], 'a node that reads itself');
  t.same(cyclicComponent([[1], []], 0), [], 'no cycle');
  t.same(cyclicComponent([[1, 2], [0], [0]], 1), [0, 1, 2], 'two cycles that share a node');
});

t.test('dot: scopes are clusters, outputs are framed, updates are dashed', async (t) => {
  const dot = toDot(everything());
  t.match(dot, /^digraph "everything" \{\n/);
  t.match(
    dot,
    'subgraph cluster_0 {\n    label="dense";\n    n3 [label="logits\\ntiny_mul\\nf32[2, 2]\\n→ the logits", peripheries=2];\n  }',
  );
  t.match(dot, '  n0 -> n3 [label="0"];\n  n2 -> n3 [label="1"];\n');
  t.match(dot, '  n6 -> n2 [style=dashed, constraint=false];\n');
  t.equal(dot.split('{').length, dot.split('}').length, 'brackets are closed');
});

t.test('dot: names are quoted and scopes nest', async (t) => {
  const x = input('a "b" \\', [1]);
  const y: Node = { ...tag(x), scope: 'block/inner' };
  const dot = toDot(makeGraph('g', { outputs: [{ name: 'y', node: y }] }));
  t.match(dot, 'label="a \\"b\\" \\\\\\ninput');
  t.match(dot, /cluster_0 \{\n {4}label="block";\n {4}subgraph cluster_1 \{\n {6}label="inner";\n {6}n1 /);
});

t.test('long chains and rings overflow nothing', async (t) => {
  const n = 20_000;
  const graph: Graph = chain(n);
  const [first, last] = [graph.nodes[0]!, graph.nodes[n - 1]!];
  t.equal(connectedComponents(graph).length, 1);
  t.equal(ancestors(graph, last).length, n - 1);
  t.equal(descendants(graph, first).length, n - 1);
  t.equal(neighbourhood(graph, last, 2).length, n, 'the input is read by all');
  t.equal(toDot(graph).split('\n').length, n + 2 * (n - 1) + 4);
  const ring = Array.from({ length: n }, (_, i) => [(i + 1) % n]);
  t.equal(cyclicComponent(ring, 5).length, n);
});

t.test('many small components take linear time', async (t) => {
  const inputs = Array.from({ length: 5000 }, (_, i) => input(`x${i}`, [1]));
  t.equal(connectedComponents(makeGraph('g', { inputs, outputs: [] })).length, 5000);
});
