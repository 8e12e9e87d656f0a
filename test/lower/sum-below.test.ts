// Given a contraction and sums along its columns of what it stores, when they are one kernel, then it computes what both computed,
// and the checker can prove it; sums that run elsewhere, or would take more than registers, stay apart.

import fc from 'fast-check';
import t from 'tap';
import type { Graph, HostTensor, Node } from '../../compiler/graph/ir.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { lowerGraph } from '../../compiler/lower/lower.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { examineKernel } from '../../compiler/schedule/check-kernel.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { jsTarget, wasmRelaxed, wasmSimd } from '../../compiler/target/targets.ts';
import { graphOf } from '../support/lower-graph.ts';
import { runLowered } from '../support/run-lowered.ts';

const optimized = (graph: Graph): Graph => runPasses(graph, standardPasses(), { now: () => 0 });

/** Steps that add up what they compute. */
const summed = ({ steps }: Lowered): string[] =>
  steps.filter(({ kernel }) => /, \d sums? along/.test(kernel.schedule)).map((s) => s.label);

/** Small whole numbers, of which sums are exact in any order. */
const wholes = (n: number, seed: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => ((i * 37 + seed * 11) % 7) - 3);

const tensor = (shape: readonly number[], values: (n: number) => Float64Array): HostTensor => ({
  type: { dtype: 'f32', shape },
  data: values(shape.reduce((n, d) => n * d, 1)),
});

/** Whether the graph computes on a target what it does without lanes, where nothing is summed below. */
function problemOf(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): string | null {
  const after = optimized(graph);
  const leaves = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], k) => [name, tensor(shape, (n) => wholes(n, k))]),
  );
  const want = runLowered(lowerGraph(after, jsTarget), leaves).outputs;
  for (const target of [wasmSimd, wasmRelaxed]) {
    const lowered = lowerGraph(after, target);
    for (const { kernel } of lowered.steps) {
      verifyKernel(kernel);
      const { problem } = examineKernel(kernel);
      if (problem !== null) return `${target.name}: ${kernel.name}: ${problem}`;
    }
    const got = runLowered(lowered, leaves).outputs;
    for (const [name, data] of Object.entries(want)) {
      const at = data.findIndex((x, i) => x !== got[name]![i]);
      if (at >= 0) return `${target.name}: ${name}[${at}] is ${got[name]![at]}, not ${data[at]}`;
    }
  }
  return null;
}

/** A layer on [features, rows], and the gradient of its bias below that of its result. */
function layers(from: number, to: number, rows: number): { graph: Graph; shapes: Record<string, number[]> } {
  const shapes = { x: [from, rows], w: [to, from], v: [1, to], b: [to, 1], y: [1, rows] };
  const leaf = (name: keyof typeof shapes): Node => h.input(name, shapes[name]);
  const [x, w, v, b, y] = [leaf('x'), leaf('w'), leaf('v'), leaf('b'), leaf('y')];
  const out = h.matmul(v, h.relu(h.add(h.matmul(w, x), b)));
  const [dw, db] = grad(h.sum(h.mul(out, y)), [w, b]);
  return { graph: graphOf({ dw: dw!, db: db! }), shapes };
}

t.test('the gradient of a bias is summed below the gradient that it is the sum of', async (t) => {
  const { graph, shapes } = layers(3, 5, 2000);
  const lowered = lowerGraph(optimized(graph), wasmSimd);
  t.match(summed(lowered), [/dotGeneral .*; .*reduceSum/]);
  t.match(lowered.fusion().chains, [{ isJoined: true, reason: 'summed' }]);
  t.equal(problemOf(graph, shapes), null);
});

t.test('several sums, and what is made of them', async (t) => {
  const x = h.input('x', [2, 3200]);
  const w = h.input('w', [6, 2]);
  const y = h.matmul(w, x);
  const rows = h.reshape(y, [6, 16, 200]);
  const graph = graphOf({
    y,
    s: h.mul(h.sum(rows, [2]), 2),
    q: h.sum(h.square(rows), [2]),
    m: h.max(rows, [2]),
  });
  const lowered = lowerGraph(optimized(graph), wasmSimd);
  t.match(summed(lowered), [/.+;.+/]);
  t.equal(problemOf(graph, { x: [2, 3200], w: [6, 2] }), null);
});

t.test('long sums of products are tiles, short ones stripes, and both may be summed', async (t) => {
  for (const k of [1, 2, 4, 16, 40]) {
    const shapes = { x: [k, 1600], w: [7, k], b: [7, 1] };
    const [x, w, b] = [h.input('x', shapes.x), h.input('w', shapes.w), h.input('b', shapes.b)];
    const y = h.maximum(h.add(h.matmul(w, x), b), 0);
    const graph = graphOf({ y, s: h.sum(h.reshape(y, [7, 8, 200]), [2]) });
    t.equal(summed(lowerGraph(optimized(graph), wasmSimd)).length, 1, `${k} products`);
    t.equal(problemOf(graph, shapes), null, `${k} products`);
  }
});

t.test('an operand that is packed for tiles of one size is read in those', async (t) => {
  for (const columns of [100, 192]) {
    const shapes = { x: [20, 3], w: [columns, 3] };
    const y = h.matmul(h.input('x', shapes.x), h.transpose(h.input('w', shapes.w)));
    const { steps } = lowerGraph(optimized(graphOf({ y: h.relu(y) })), wasmSimd);
    t.ok(
      steps.some((s) => s.label.endsWith('(pack)')),
      `${columns} columns`,
    );
    t.equal(problemOf(graphOf({ y: h.relu(y) }), shapes), null, `${columns} columns`);
  }
});

t.test('sums that do not run along the columns stay apart', async (t) => {
  const shapes = { x: [3, 400], w: [8, 3] };
  const y = h.matmul(h.input('w', shapes.w), h.input('x', shapes.x));
  const cases: Record<string, Node> = {
    'the other way': h.sum(y, [0]),
    'turned around': h.sum(h.mul(y, h.flip(y, [1])), [1]),
    'rows that are no whole vectors': h.sum(h.reshape(y, [8, 200, 2]), [2]),
    'a long chain': h.sum(h.log(h.exp(h.add(h.square(y), 1))), [1]),
  };
  for (const [name, s] of Object.entries(cases)) {
    t.same(summed(lowerGraph(optimized(graphOf({ y, s })), wasmSimd)), [], name);
    if (name !== 'a long chain') t.equal(problemOf(graphOf({ y, s }), shapes), null, name);
  }
});

t.test('what is made of a finished sum is not added up beside it', async (t) => {
  const shapes = { x: [3, 400], w: [8, 3] };
  const y = h.matmul(h.input('w', shapes.w), h.input('x', shapes.x));
  const most = h.max(y, [1], { keepDims: true });
  const cases: Record<string, Node> = {
    'squares below the largest': h.sum(h.square(h.sub(y, most)), [1]),
    'how many are the largest': h.sum(h.cast(h.eq(y, most), 'f32'), [1]),
    'a sum of products with a sum': h.sum(h.mul(y, h.sum(y, [1], { keepDims: true })), [1]),
  };
  for (const [name, s] of Object.entries(cases)) {
    const graph = graphOf({ y, s });
    t.ok(summed(lowerGraph(optimized(graph), wasmSimd)).length <= 1, name);
    t.equal(problemOf(graph, shapes), null, name);
  }
});

t.test('a given tile changes no bit of them', async (t) => {
  const y = h.matmul(h.input('w', [9, 12]), h.input('x', [12, 800]));
  const after = optimized(graphOf({ y, s: h.sum(h.reshape(y, [9, 4, 200]), [2]) }));
  const sines = (n: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i)));
  const leaves = { w: tensor([9, 12], sines), x: tensor([12, 800], sines) };
  const chosen = lowerGraph(after, wasmSimd);
  t.equal(summed(chosen).length, 1);
  const { key, candidates } = chosen.contractions[0]!;
  const want = runLowered(chosen, leaves).outputs;
  for (const { tile } of candidates()) {
    const given = lowerGraph(after, wasmSimd, { [key]: { tile } });
    t.equal(summed(given).length, 1, `tile ${tile.join(' × ')}`);
    t.same(runLowered(given, leaves).outputs, want, `tile ${tile.join(' × ')}`);
  }
  t.ok(candidates().length > 2);
});

t.test('random layers', async (t) => {
  let count = 0;
  const size = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 20 }), (from, to, rows) => {
      const { graph, shapes } = layers(from, to, 100 * rows);
      count += summed(lowerGraph(optimized(graph), wasmSimd)).length;
      const problem = problemOf(graph, shapes);
      if (problem !== null) throw new Error(problem);
    }),
    { seed: 3, numRuns: 15 },
  );
  t.ok(count > 7, `${count} kernels with sums`);
});
