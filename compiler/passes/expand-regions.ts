// Regions become plain nodes: short loops are unrolled, checkpoints and functions with gradients of their own are copied in
// place. In: any graph. Out: one whose only regions are the bodies of loops that stay loops; those have none inside. Each
// computation is expanded once, for all its results; regions in regions are expanded in the next round.

import type { Graph, Node } from '../graph/ir.ts';
import { isLoop } from '../graph/loop.ts';
import { isSameComputation } from '../graph/region.ts';
import { elementCount } from '../graph/types.ts';
import { mergeLoops } from './loops/merge.ts';
import { mapBodies } from './loops/regions.ts';
import type { GraphPass } from './manager.ts';
import { rewriteNodes } from './rewrite.ts';

/**
 * Loops of so many steps are unrolled: steps fuse then. By the length alone, so that a loop and those of its gradients are
 * treated alike: only loops keep what others would compute again.
 */
const fewSteps = 4;

export const expandRegions: GraphPass = {
  name: 'expand-regions',
  doc: 'Unrolls short loops and copies other regions in place.',
  run: (graph) => mapBodies(mergeLoops(expand(graph, staysLoop)), unrolled),
};

/** The graph without any regions: all loops unrolled. */
export function unrolled(graph: Graph): Graph {
  return expand(graph, () => false);
}

function expand(graph: Graph, stays: (node: Node) => boolean): Graph {
  let current = graph;
  while (current.nodes.some((n) => n.op.region !== undefined && !stays(n)))
    current = expandOnce(current, stays);
  return current;
}

/** Whether a loop runs as a loop. Its attribute `unroll` may say that it must, if it can. */
function staysLoop(node: Node): boolean {
  if (!isLoop(node)) return false;
  const [body] = node.regions as readonly [Graph];
  const length = Number(node.attrs['length']);
  const isEmpty = [...body.inputs, ...body.outputs.map((o) => o.node)].some(
    (n) => elementCount(n.type.shape) === 0,
  );
  if (length === 0 || isEmpty) return false;
  // Of loops in each other the longer one stays.
  const isWithin = body.nodes.some((n) => isLoop(n) && Number(n.attrs['length']) > length && staysLoop(n));
  if (isWithin) return false;
  return node.attrs['unroll'] === false || length > fewSteps;
}

function expandOnce(graph: Graph, stays: (node: Node) => boolean): Graph {
  const done = new Map<Graph, { readonly node: Node; readonly results: readonly Node[] }[]>();
  return rewriteNodes(graph, (node) => {
    const rules = node.op.region;
    if (rules === undefined || stays(node)) return node;
    const known = done.get(node.regions[0]!) ?? [];
    done.set(node.regions[0]!, known);
    let found = known.find((k) => isSameComputation(k.node, node));
    if (found === undefined) {
      found = { node, results: rules.expand(node) };
      known.push(found);
    }
    return found.results[Number(node.attrs['result'] ?? 0)]!;
  });
}
