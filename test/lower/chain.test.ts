// Given steps of which one reads what the other makes, when they are chained, then units keep to themselves, and no bit changes.

import fc from 'fast-check';
import t from 'tap';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { costsOfChaining, isComputed } from '../../compiler/lower/cost.ts';
import { lowerGraph } from '../../compiler/lower/lower.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { examineKernel } from '../../compiler/schedule/check-kernel.ts';
import { jsTarget, wasmSimd } from '../../compiler/target/targets.ts';
import { graphOf, kernelLines, leavesOf } from '../support/lower-graph.ts';
import { randomGraph } from '../support/random-graph.ts';
import { runLowered } from '../support/run-lowered.ts';

const optimized = (graph: Graph): Graph => runPasses(graph, standardPasses(), { now: () => 0 });

const chained = (graph: Graph) => lowerGraph(optimized(graph), wasmSimd, {}, { chains: () => true });

/** The labels of steps that are several in one. */
const joined = (graph: Graph): string[] =>
  chained(graph)
    .steps.map((s) => s.label)
    .filter((label) => label.includes(';'));

/** Whether chains change a bit, or cannot be proved; null when all is well. */
function problemOf(graph: Graph, leaves = leavesOf(graph)): string | null {
  const after = optimized(graph);
  for (const target of [wasmSimd, jsTarget]) {
    const apart = lowerGraph(after, target, {}, { chains: () => false });
    const together = lowerGraph(after, target, {}, { chains: () => true });
    for (const { kernel } of together.steps) {
      verifyKernel(kernel);
      const { problem } = examineKernel(kernel);
      if (problem !== null) return `${target.name}: ${kernel.name}: ${problem}`;
    }
    const want = runLowered(apart, leaves);
    const got = runLowered(together, leaves);
    for (const [name, data] of Object.entries(want.outputs)) {
      const at = data.findIndex((x, i) => !Object.is(x, got.outputs[name]![i]));
      if (at >= 0) return `${target.name}: ${name}[${at}] is ${got.outputs[name]![at]}, not ${data[at]}`;
    }
  }
  return null;
}

function batchNorm(x: Node<readonly number[], 'f32'>): Node {
  const m = h.mean(x, [0, 2, 3], { keepDims: true });
  const d = h.sub(x, m);
  return h.mul(d, h.rsqrt(h.add(h.mean(h.square(d), [0, 2, 3], { keepDims: true }), 1e-5)));
}

t.test('what is wanted long after is not made early', async (t) => {
  const reasons = (between: number): string[] => {
    const a = h.exp(h.input('x', [64, 64]));
    const w = h.input('w', [64, 64]);
    let m = h.matmul(h.input('y', [64, 64]), w);
    for (let i = 1; i < between; i++) m = h.matmul(m, w);
    const b = h.softmax(a);
    const { fusion } = chained(graphOf({ a, c: h.matmul(m, b) }));
    return fusion().chains.flatMap(({ second, reason }) => (second.includes('softmax') ? [reason] : []));
  };
  t.same(reasons(3), ['joined', 'joined', 'joined', 'joined']);
  t.equal(reasons(30)[1], 'kept', 'exponentials, but not what is largest');
  t.equal(reasons(30)[0], 'joined');
});

t.test('the steps of a softmax are one kernel, and so are those of its gradient', async (t) => {
  const x = h.input('x', [64, 40]);
  const y = h.softmax(x, -1);
  t.same(kernelLines(chained(graphOf({ y }))), [
    'softmax: reduceMax; softmax: exp + sub; softmax: reduceSum; softmax: div (x) → softmax/reduceMax, softmax/exp, softmax/reduceSum, y',
  ]);
  t.equal(problemOf(graphOf({ y })), null);
  const dx = grad(h.sum(h.mul(y, h.input('dy', [64, 40]))), [x])[0]!;
  t.equal(chained(graphOf({ dx })).steps.length, 1);
  t.equal(problemOf(graphOf({ dx })), null);
});

t.test('a variance reads its parts while they are near, below the convolution that makes them', async (t) => {
  const x = h.input('x', [64, 8, 32, 32]);
  const w = h.input('w', [16, 8, 3, 3]);
  const y = batchNorm(h.conv2d(x, w, { padding: 1 }));
  const { steps } = lowerGraph(optimized(graphOf({ y })), wasmSimd);
  t.match(
    steps.map((s) => s.label).filter((label) => label.includes(';')),
    [/^top: convolution; mean: reduceSum \+ mul; mean: reduceSum \+ mul \+ sub$/],
  );
  const small = h.input('x', [16, 4, 8, 8]);
  t.equal(problemOf(graphOf({ y: batchNorm(h.conv2d(small, h.input('w', [4, 4, 3, 3]))) })), null);
});

t.test('what a unit reads of another unit keeps kernels apart', async (t) => {
  const x = h.input('x', [64, 64]);
  const y = h.exp(x);
  const graph = graphOf({ y, s: h.sum(y, [0]) });
  t.same(joined(graph), [], 'columns of rows');
  const { chains } = chained(graph).fusion();
  t.match(chains, [{ isJoined: false, reason: 'across', because: 'units read what other units write' }]);
});

t.test('what must run between them keeps kernels apart', async (t) => {
  const x = h.input('x', [64, 64]);
  const y = h.exp(x);
  const total = h.sum(y);
  const graph = graphOf({ y, s: h.sum(h.mul(y, total), [1]) });
  const { chains } = chained(graph).fusion();
  t.ok(chains.some((c) => !c.isJoined));
  t.equal(problemOf(graph), null);
});

t.test('by price: large and near are joined, small or far are not', async (t) => {
  const decide = (rows: number, columns: number) => {
    const y = h.exp(h.input('x', [rows, columns]));
    const graph = optimized(graphOf({ y, s: h.sum(y, [1]) }));
    return lowerGraph(graph, wasmSimd).fusion().chains[0]!;
  };
  t.match(decide(1024, 512), { isJoined: true, reason: 'joined' });
  t.match(decide(8, 8), { isJoined: false, reason: 'small', because: /too little/ });
  t.notOk(isComputed(costsOfChaining(64 << 20, 32)), 'units of 2 MiB do not stay near');
  t.ok(isComputed(costsOfChaining(64 << 20, 256)), 'units of 256 KiB do');
  const { costs } = decide(1024, 512);
  t.ok(costs!.computing < costs!.storing);
});

t.test('a kernel that reads what other units write is refused by the checker', async (t) => {
  const x = h.input('x', [64, 64]);
  const lowered = chained(graphOf({ y: h.exp(x), s: h.sum(h.exp(x), [1]) }));
  const { kernel } = lowered.steps[0]!;
  t.match(lowered.steps[0]!.label, /;/);
  t.equal(examineKernel(kernel).problem, null);
  const backwards = { ...kernel, body: kernel.body.toReversed() };
  t.match(examineKernel(backwards).problem, /only what they have written could not be proved/);
});

t.test('random graphs keep their bits', async (t) => {
  let count = 0;
  fc.assert(
    fc.property(randomGraph(), ({ graph, values }) => {
      count += joined(graph).length;
      const problem = problemOf(graph, values);
      if (problem !== null) throw new Error(problem);
    }),
    { seed: 11, numRuns: 25 },
  );
  t.ok(count > 25, `${count} kernels of several`);
});
