// The standard passes in a row, on networks: what is left at the end, that variables and their updates come through, and
// that nothing depends on the depth of the graph.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { atLocation, scope } from '../../compiler/graph/scope.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { relu } from '../../compiler/ops/activations.ts';
import { add, mul, neg, sub } from '../../compiler/ops/arithmetic.ts';
import { logSoftmax, mean, variance } from '../../compiler/ops/composite.ts';
import { conv2d, dense } from '../../compiler/ops/contract.ts';
import { input, variableNode } from '../../compiler/ops/leaf.ts';
import { rsqrt } from '../../compiler/ops/math.ts';
import { maxPool2d } from '../../compiler/ops/pool.ts';
import { flatten, reshape } from '../../compiler/ops/shape.ts';
import { sin } from '../../compiler/ops/unary.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { type PassRecord, runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { mismatches } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const verified = { verify: true, now: () => 0 };

/** One training step of a small convolutional net with batch norm, pooling and a residual. */
function trainingStep(): Graph {
  const variables: Node[] = [];
  const weight = (name: string, shape: number[]): Node<readonly number[], 'f32'> => {
    const v = variableNode(name, shape, 'f32', true);
    variables.push(v);
    return v;
  };
  const images = input('images', [4, 2, 40, 32]);
  const target = input('target', [4, 3]);
  const norm = (x: Node<readonly number[], 'f32'>): Node<readonly number[], 'f32'> => {
    const along = { keepDims: true };
    return mul(sub(x, mean(x, [0, 2, 3], along)), rsqrt(add(variance(x, [0, 2, 3], along), 1e-5)));
  };
  let h = scope('stem', () => relu(norm(conv2d(images, weight('stem/w', [4, 2, 3, 3]), { padding: 1 }))));
  h = scope('block', () => add(h, norm(conv2d(h, weight('block/w', [4, 4, 3, 3]), { padding: 1 }))));
  h = maxPool2d(h, { kernel: 8 });
  const logits = scope('head', () => dense(flatten(h), weight('head/w', [80, 3]), weight('head/b', [3])));
  const loss = neg(mean(mul(logSoftmax(logits), target)));
  const gradients = grad(loss, variables);
  return makeGraph('train', {
    inputs: [images, target],
    outputs: [{ name: 'loss', node: loss }],
    updates: variables.map((variable, i) => ({ variable, value: sub(variable, mul(gradients[i]!, 0.1)) })),
  });
}

t.test('a training step: fewer nodes, the same values, padding explicit, long sums cut', async (t) => {
  const graph = trainingStep();
  const records: PassRecord[] = [];
  const after = runPasses(graph, standardPasses(), { ...verified, onPass: (r) => records.push(r) });
  t.same(
    records.map((r) => r.name),
    [
      'expand-regions',
      'loops',
      'simplify',
      'reuse-masks',
      'one-per-window',
      'split-dilation',
      'legalize',
      'share-pads',
      'split-variance',
      'split-reductions',
      'tidy',
    ],
  );
  // Cutting long sums and variances adds nodes of its own; simplifying never does.
  for (const { name, before, after } of records.filter((r) => ['simplify', 'tidy'].includes(r.name))) {
    const count = `${name}: ${before.nodes.length} → ${after.nodes.length} nodes`;
    t.ok(after.nodes.length < before.nodes.length, count);
  }
  for (const n of after.nodes) {
    t.not(n.op.name, 'stopGradient');
    if (n.op.name === 'convolution')
      t.same(
        [n.attrs['padLo'], n.attrs['inputDilation']],
        [
          [0, 0],
          [1, 1],
        ],
      );
    if (n.op.name === 'reduceSum') {
      const x = n.operands[0]!.type.shape;
      const reduced = elementCount(x) / elementCount(n.type.shape);
      t.ok(reduced <= 4096, `a sum of ${reduced} numbers`);
    }
  }
  const random = seededRandom(4);
  const draw = (n: Node): Float64Array =>
    Float64Array.from({ length: elementCount(n.type.shape) }, () => random.uniform(-0.5, 0.5));
  const named = (nodes: readonly Node[]): Record<string, Float64Array> =>
    Object.fromEntries(nodes.map((n) => [n.name!, draw(n)]));
  const bindings = { inputs: named(graph.inputs), variables: named(graph.updates.map((u) => u.variable)) };
  t.same(mismatches(graph, after, bindings, 1e-11), []);
  t.equal(runPasses(after, standardPasses(), verified), after, 'a second compilation changes nothing');
});

t.test('with checks, what the user wrote is wrapped before anything is rewritten', async (t) => {
  const records: PassRecord[] = [];
  runPasses(trainingStep(), standardPasses({ checkNumerics: true }), {
    ...verified,
    onPass: (r) => records.push(r),
  });
  t.same(
    records.slice(0, 3).map((r) => r.name),
    ['expand-regions', 'loops', 'check-numerics'],
  );
  const labels = records
    .at(-1)!
    .after.nodes.flatMap((n) => (n.op.name === 'checkFinite' ? [n.attrs['label']] : []));
  t.ok(labels.includes('convolution f32[4, 4, 40, 32] in stem'));
  t.ok(labels.includes('convolution f32[4, 4, 3, 3] in grad/block'));
});

t.test('a chain of 20,000 nodes and its gradient', async (t) => {
  const x = input('x', [2]);
  const chain = (): Node => {
    let y: Node<readonly number[], 'f32'> = x;
    for (let i = 0; i < 10000; i++) y = sin(mul(y, 1.5));
    return mean(y);
  };
  const loss = atLocation(null, chain);
  const graph = makeGraph('chain', { outputs: grad(loss, [x]).map((node) => ({ name: 'dx', node })) });
  const after = runPasses(graph, standardPasses(), { now: () => 0 });
  t.ok(after.nodes.length <= graph.nodes.length);
});

t.test('unused inputs stay declared', async (t) => {
  const [x, unused] = [input('x', [2]), input('unused', [3])];
  const graph = makeGraph('g', {
    inputs: [unused, x],
    outputs: [{ name: 'y', node: reshape(mul(x, 1), [2]) }],
  });
  const after = runPasses(graph, standardPasses(), verified);
  t.same(after.inputs, [unused, x]);
  t.equal(after.outputs[0]!.node, x);
});
