// Running passes: order, records, and errors that name the pass.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph } from '../../compiler/graph/ir.ts';
import { add } from '../../compiler/ops/arithmetic.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { type GraphPass, type PassRecord, repeated, runPasses } from '../../compiler/passes/manager.ts';
import { rewriteNodes } from '../../compiler/passes/rewrite.ts';
import { graphOf } from '../support/passes.ts';
import { errorOf } from '../support/tiny-ops.ts';

const pass = (name: string, run: (graph: Graph) => Graph): GraphPass => ({ name, doc: '', run });
const x = input('x', [2]);

/** Removes one addition of x. */
const shorten = pass('shorten', (graph) => {
  let done = false;
  return rewriteNodes(graph, (n) => {
    if (done || n.op.name !== 'add') return n;
    done = true;
    return n.operands[0]!;
  });
});

t.test('passes run in order, and each is timed and shown', async (t) => {
  const records: PassRecord[] = [];
  let clock = 0;
  const graph = graphOf(add(add(x, x), x));
  const after = runPasses(graph, [pass('nothing', (g) => g), shorten], {
    verify: true,
    now: () => clock++,
    onPass: (r) => records.push(r),
  });
  t.same(
    records.map((r) => [r.name, r.ms, r.nodesBefore, r.nodesAfter]),
    [
      ['nothing', 1, 3, 3],
      ['shorten', 1, 3, 2],
    ],
  );
  t.equal(records[1]!.before, graph);
  t.equal(records[1]!.after, after);
});

t.test('a repeated pass runs until it rests, or for so many rounds', async (t) => {
  const graph = graphOf(add(add(add(x, x), x), x));
  t.equal(repeated('short', '', 9, [shorten]).run(graph).nodes.length, 1);
  t.equal(repeated('short', '', 2, [shorten]).run(graph).nodes.length, 2);
});

t.test('a pass that breaks the graph is named', async (t) => {
  const graph = graphOf(add(x, x));
  const broken = pass('broken', (g) => ({ ...g, nodes: [...g.nodes].reverse() }));
  t.match(
    errorOf(() => runPasses(graph, [broken], { verify: true, now: () => 0 })),
    "HDL0099: internal: pass 'broken' broke the graph",
  );
  const renames = pass('renames', (g) =>
    makeGraph(g.name, { outputs: [{ name: 'z', node: g.outputs[0]!.node }] }),
  );
  t.match(
    errorOf(() => runPasses(graph, [renames], { verify: true, now: () => 0 })),
    "output 'y0' became 'z'",
  );
  const replaces = pass('replaces', () => graphOf(add(input('x', [2]), input('y', [2]))));
  t.match(
    errorOf(() => runPasses(graph, [replaces], { verify: true, now: () => 0 })),
    'the number of inputs changed',
  );
  t.doesNotThrow(() => runPasses(graph, [renames], { now: () => 0 }));
});
