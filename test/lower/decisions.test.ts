// Given graphs, when they are lowered, then what fusion says that it did is what the kernels do: as data, and as text.

import fc from 'fast-check';
import t from 'tap';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { bytesOf, costsOfRepeating, costsOfSharing, isComputed } from '../../compiler/lower/cost.ts';
import type { FusionDecisions } from '../../compiler/lower/decisions.ts';
import { lowerGraph } from '../../compiler/lower/lower.ts';
import { printFusion } from '../../compiler/lower/print-fusion.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { wasmSimd } from '../../compiler/target/targets.ts';
import { graphOf } from '../support/lower-graph.ts';
import { randomGraph } from '../support/random-graph.ts';

function decide(source: Graph): { readonly graph: Graph; readonly fusion: FusionDecisions; buffers: Node[] } {
  const graph = runPasses(source, standardPasses(), { now: () => 0 });
  const lowered = lowerGraph(graph, wasmSimd);
  return { graph, fusion: lowered.fusion(), buffers: lowered.buffers.flatMap((b) => b.node ?? []) };
}

/** What must hold of any decisions; the first thing that does not. */
function problemOf({ graph, fusion, buffers }: ReturnType<typeof decide>): string | null {
  const { values, edges, kernels } = fusion;
  if (values.length !== graph.nodes.length) return 'a value is missing';
  const wanted = graph.nodes.reduce((n, x) => n + new Set(x.operands).size, 0);
  if (edges.length !== wanted) return `${edges.length} edges of ${wanted}`;
  for (const v of values) {
    const name = `%${v.value} ${v.op}`;
    const node = graph.nodes[v.value]!;
    const isEmpty = v.bytes === 0;
    const inMemory = ['given', 'stored', 'part'].includes(v.fate);
    if (v.fate === 'stored' && !isEmpty && v.kernels.length !== 1)
      return `${name} stored by ${v.kernels.length}`;
    if (v.fate === 'inlined' && v.kernels.length > 1) return `${name} inlined into ${v.kernels.length}`;
    if (v.fate === 'given' && v.kernels.length > 0) return `${name} is given, and computed`;
    if ((v.fate === 'part') !== (v.within !== null)) return `${name} is a part of nothing`;
    if (!inMemory && buffers.includes(node) && v.op !== 'variable')
      return `${name} is ${v.fate}, and has a buffer`;
    for (const k of v.kernels) if (!kernels[k]!.computes.includes(v.value)) return `${name} is not in ${k}`;
  }
  for (const e of edges) {
    const [from, to] = [values[e.from]!, values[e.to]!];
    const shared = to.kernels.filter((k) => from.kernels.includes(k));
    if (e.isFused && e.reason !== 'inside' && shared.length === 0 && to.kernels.length > 0)
      return `${e.from} → ${e.to} is fused (${e.reason}), and shares no kernel`;
    if (!e.isFused && shared.length > 0)
      return `${e.from} → ${e.to} is not fused (${e.reason}), and shares one`;
  }
  for (const [k, kernel] of kernels.entries())
    for (const s of kernel.stores)
      if (!kernel.computes.includes(s)) return `kernel ${k} stores what it has not`;
  return null;
}

t.test('as text', async (t) => {
  const x = h.input('x', [64, 32]);
  const w = h.input('w', [32, 32]);
  const y = h.relu(h.matmul(h.exp(x), w));
  const { fusion } = decide(graphOf({ y, z: h.sum(y, [1]), s: h.sum(h.neg(y), [0]) }));
  const text = printFusion(fusion).replace(/ at \S+/g, '');
  t.match(text, /^fusion of test: \d+ values in 4 kernels\n/);
  t.match(text, /stores {5}%\d+ exp f32\[64, 32\]: a sum reads each element many times\n/);
  t.match(text, /stores {5}%\d+ relu\/select f32\[64, 32\]: leaves the graph\n/);
  t.match(
    text,
    /apart from kernel 0 \(top: exp\), which makes %\d+ exp: a reduction starts when all that it reads is there\n/,
  );
});

t.test('what several read is stored or computed again, and both prices are told', async (t) => {
  const x = h.input('x', [32, 32]);
  const readers = (v: Node<readonly [32, 32], 'f32'>): FusionDecisions =>
    decide(graphOf({ a: h.sum(v, [1]), b: h.sum(h.square(v), [0]), c: h.transpose(v, [1, 0]) })).fusion;
  const of = (f: FusionDecisions, op: string) => f.values.find((v) => v.op === op)!;
  const cheap = of(readers(h.neg(x)), 'neg');
  t.match(cheap, { fate: 'recomputed', reason: 'cheap' });
  t.ok(cheap.costs!.computing <= cheap.costs!.storing);
  t.ok(cheap.kernels.length > 1);
  const dear = of(readers(h.exp(x)), 'exp');
  t.match(dear, { fate: 'stored', reason: 'shared', because: /several values read it/ });
  t.ok(dear.costs!.computing > dear.costs!.storing);
});

t.test('the inside of a padded value says in what it lies', async (t) => {
  const w = h.input('w', [16, 16, 3, 3]);
  const x = h.input('x', [2, 16, 8, 8]);
  const y = h.conv2d(h.conv2d(x, w, { padding: 1 }), w, { padding: 1 });
  const { fusion } = decide(graphOf({ y }));
  const part = fusion.values.find((v) => v.fate === 'part')!;
  t.match(part, { op: 'convolution' });
  t.equal(fusion.values[part.within!]!.op, 'pad');
  t.match(
    fusion.edges.find((e) => e.from === part.value),
    { isFused: true, reason: 'inside', because: 'it is written into its reader' },
  );
});

t.test('a training step: everything is told, and it is plain data', async (t) => {
  const x = h.input('x', [8, 3, 8, 8]);
  const w = h.variableNode('w', [8, 3, 3, 3], 'f32', true);
  const c = h.conv2d(x, w, { padding: 1 });
  const m = h.mean(c, [0, 2, 3], { keepDims: true });
  const d = h.sub(c, m);
  const y = h.relu(h.mul(d, h.rsqrt(h.add(h.mean(h.square(d), [0, 2, 3], { keepDims: true }), 1e-5))));
  const loss = h.mean(h.square(y));
  const step = grad(loss, [w])[0]!;
  const made = decide(graphOf({ loss }, [{ variable: w, value: h.sub(w, h.mul(step, 0.1)) }]));
  t.equal(problemOf(made), null);
  t.same(JSON.parse(JSON.stringify(made.fusion)), made.fusion);
});

t.test('random graphs: decisions agree with kernels', async (t) => {
  fc.assert(
    fc.property(randomGraph(), ({ graph }) => {
      const problem = problemOf(decide(graph));
      if (problem !== null) throw new Error(problem);
    }),
    { seed: 7, numRuns: 60 },
  );
  t.pass();
});

t.test('the cost model', async (t) => {
  const v = h.input('v', [1000]);
  const mask = h.le(v, 0);
  t.equal(bytesOf(v), 4000);
  t.equal(bytesOf(mask), 1000);
  t.ok(isComputed(costsOfSharing(v, 2, 2, [v])), 'two operations on one value');
  t.notOk(isComputed(costsOfSharing(v, 2, 18, [v])), 'an exponential');
  t.ok(isComputed(costsOfSharing(v, 2, 2, [v, v])), 'two operations on two values');
  t.notOk(isComputed(costsOfSharing(v, 2, 2, [v, v, v])), 'on three: they would all have to be kept');
  const price = (readers: number): number =>
    costsOfSharing(v, readers, 6, [v]).computing - costsOfSharing(v, readers, 6, [v]).storing;
  t.ok(price(2) < price(3) && price(3) < price(9), 'the more readers, the better storing is');
  t.ok(isComputed(costsOfRepeating(v, 1000, 2)), 'what a loop does while it waits is free');
  t.notOk(isComputed(costsOfRepeating(v, 1000, 9)), 'a root and a division are not');
  t.ok(isComputed(costsOfRepeating(h.input('s', []), 4, 9)), 'a kernel more is not worth four of them');
});
