// The viewer's layout: whatever is open, every node is seen once, boxes lie inside of what holds them, none overlaps its
// siblings, and edges join the boxes that they say.

import t, { type Test } from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { input } from '../../compiler/ops/index.ts';
import { program as resnet } from '../../examples/resnet.ts';
import { arrange } from '../../src/view/client/arrange.ts';
import { lanesOf } from '../../src/view/client/lanes.ts';
import {
  type Box,
  type Layout,
  layoutGraph,
  type Tree,
  treesOf,
  usualOpen,
} from '../../src/view/client/layout.ts';
import { type EntryModel, modelOf } from '../../src/view/client/model.ts';
import { graphOf } from '../support/lower-graph.ts';
import { seededRandom } from '../support/random.ts';

const p = resnet({ threads: 2 });
t.teardown(() => p.dispose());
const model: EntryModel = modelOf({
  title: '',
  inspection: p.inspect({ entry: 'train', dims: { batch: 8 } }),
  profile: null,
  fusion: null,
});

function scopesOf(trees: readonly Tree[]): string[] {
  return trees.flatMap((tree) => [...tree.scopes.values()].flatMap((s) => [s.key, ...scopesOf([s])]));
}

const isInside = (a: Box, b: Box): boolean =>
  a.x >= b.x - 1e-6 &&
  a.y >= b.y - 1e-6 &&
  a.x + a.width <= b.x + b.width + 1e-6 &&
  a.y + a.height <= b.y + b.height + 1e-6;

const doOverlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width - 1e-6 &&
  b.x < a.x + a.width - 1e-6 &&
  a.y < b.y + b.height - 1e-6 &&
  b.y < a.y + a.height - 1e-6;

function check(t: Test, { boxes, edges, boxOf, width, height }: Layout, nodes: number): void {
  const leaves = boxes.filter((b) => b.kind === 'node' || b.kind === 'scope');
  const seen = leaves.flatMap((b) => b.nodes);
  t.equal(new Set(seen).size, seen.length, 'no node twice');
  t.equal(seen.length, nodes, 'every node');
  t.equal(boxOf.size, nodes);
  // Two boxes meet only where one holds the other.
  let wrong = 0;
  boxes.forEach((a, i) => {
    for (const b of boxes.slice(i + 1)) if (doOverlap(a, b) && !isInside(b, a)) wrong++;
  });
  t.equal(wrong, 0, 'boxes lie in each other or apart');
  t.ok(
    boxes.every(
      (b) => b.x >= 0 && b.y >= 0 && b.x + b.width <= width + 1e-6 && b.y + b.height <= height + 1e-6,
    ),
  );
  t.ok(edges.every((e) => boxes.includes(e.from) && boxes.includes(e.to) && e.points.length >= 2));
}

t.test('any set of open scopes', async (t) => {
  const random = seededRandom(7);
  for (const [graph, constants] of [
    [model.compiled, false],
    [model.source, true],
  ] as const) {
    const trees = treesOf(graph, constants);
    const nodes = trees.reduce((sum, tree) => sum + tree.all.length, 0);
    const all = scopesOf(trees);
    const some = all.filter(() => random.bool(0.6));
    const regions = graph === model.compiled;
    for (const open of [new Set<string>(), usualOpen(trees), new Set(some)])
      check(t, layoutGraph(graph, trees, { open, regions, constants }), nodes);
    if (regions) check(t, layoutGraph(graph, trees, { open: new Set(all), regions, constants }), nodes);
  }
});

t.test('what kernels compute together stands together', async (t) => {
  const trees = treesOf(model.compiled, false);
  const { boxes } = layoutGraph(model.compiled, trees, {
    open: new Set(scopesOf(trees)),
    regions: true,
    constants: false,
  });
  const regions = boxes.filter((b) => b.kind === 'region');
  t.ok(regions.length > 20);
  for (const { step, nodes } of regions) {
    t.ok(nodes.length > 1);
    t.ok(nodes.every((n) => String(model.compiled.steps[n]) === String([step])));
  }
});

t.test('parts that nothing joins stand in rows; ranks follow the edges', async (t) => {
  const size = { width: 60, height: 30 };
  const alone = arrange(new Array(9).fill(size), [], 'TB');
  t.ok(alone.width < 5 * 76 && alone.height > 2 * 46, 'about a square');
  const chain = arrange([size, size], [[0, 1]], 'TB');
  t.ok(chain.places[0]!.y < chain.places[1]!.y);
  const back = arrange([size, size], [[0, 1]], 'BT');
  t.ok(back.places[0]!.y > back.places[1]!.y);
});

t.test('parts, gradients and lanes of a training step', async (t) => {
  const { graph, parts, gradients } = model.compiled;
  const find = (name: string): number => graph.nodes.findIndex((n) => n.name === name);
  t.equal(parts[find('stem/conv1/convolution')], 'forward');
  const w = find('stem/conv1/w');
  t.equal(parts[w], 'forward', 'a leaf goes with who reads it first');
  const [gradient] = gradients[w]!;
  t.equal(parts[gradient!], 'backward');
  t.equal(graph.nodes[gradient!]!.type, graph.nodes[w]!.type, 'of a parameter: what the update reads');
  t.ok(gradients[find('stem/conv1/convolution')]!.every((n) => graph.nodes[n]!.scope === 'grad/stem/conv1'));
  t.same(new Set(model.stepParts), new Set(['forward', 'backward', 'update']));
  const lanes = lanesOf(model.entry, 1);
  t.equal(lanes.length, 2);
  t.ok(lanes.every((lane) => lane.spans.every((s) => s.to >= s.from)));
});

t.test('a graph without gradients has one part', async (t) => {
  const { inspect } = compileGraph(graphOf({ y: input('x', [2]) }));
  const { compiled } = modelOf({ title: '', inspection: inspect(), profile: null, fusion: null });
  t.same([...new Set(compiled.parts)], ['forward']);
});
