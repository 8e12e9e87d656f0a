// One padded copy of each value. A strided convolution's gradients read one picture through several windows, some of them
// padded on one side only, some cropped; each would be a copy. The largest of them holds the others:
//
//   pad(x, lo: [1, 1], hi: [1, 1])                 p
//   pad(x, lo: [1, 1], hi: [0, 0])            →    slice(p)
//   pad(x, lo: [0, 0], hi: [-1, -1])               slice(p)
//
// A slice is a view and costs nothing, and the one that is left shares its buffer with the value itself (lower/halo.ts).
// Exact: elements only get other places to stand in.

import { rewriteGraph, withOperands } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { absoluteScope, atLocation } from '../graph/scope.ts';
import { padBy, slice } from '../ops/slice.ts';
import type { GraphPass } from './manager.ts';
import { integers, splatOf } from './rewrite.ts';

export const sharePads: GraphPass = {
  name: 'share-pads',
  doc: 'Pads each value once, by the largest amount; what needs less of it reads a slice.',
  run: share,
};

/** Pads of one value with one number. */
interface Family {
  readonly lo: number[];
  readonly hi: number[];
  readonly members: Set<Node>;
}

function share(graph: Graph): Graph {
  const families = new Map<Node, Family>();
  const known = new Map<Node, Map<unknown, Family>>();
  for (const n of graph.nodes) {
    if (n.op.name !== 'pad' || n.type.shape.includes(0) || integers(n, 'interior').some((d) => d !== 0))
      continue;
    const [x, fill] = n.operands as [Node, Node];
    const byFill = known.get(x) ?? new Map<unknown, Family>();
    known.set(x, byFill);
    const value = splatOf(fill);
    // Of a number its text, since 0 is not −0 here.
    const key = value === null ? fill : Object.is(value, -0) ? '-0' : String(value);
    const family = byFill.get(key) ?? {
      lo: x.type.shape.map(() => 0),
      hi: x.type.shape.map(() => 0),
      members: new Set(),
    };
    byFill.set(key, family);
    family.members.add(n);
    families.set(n, family);
    integers(n, 'lo').forEach((v, d) => {
      family.lo[d] = Math.max(family.lo[d]!, v);
    });
    integers(n, 'hi').forEach((v, d) => {
      family.hi[d] = Math.max(family.hi[d]!, v);
    });
  }
  const isPlain = (n: Node): boolean => {
    const family = families.get(n);
    return family === undefined || (isWhole(n, family) && family.members.size === 1);
  };
  if (graph.nodes.every(isPlain)) return graph;
  const padded = new Map<Family, Node>();
  return rewriteGraph(graph, (node, operands) => {
    const family = families.get(node);
    if (family === undefined || isPlain(node)) return withOperands(node, operands);
    return absoluteScope(node.scope, () =>
      atLocation(node.loc, () => {
        const whole = padded.get(family) ?? padBy(operands[0]!, family, operands[1]!);
        padded.set(family, whole);
        const starts = integers(node, 'lo').map((v, d) => family.lo[d]! - v);
        return slice(
          whole,
          starts,
          starts.map((s, d) => s + node.type.shape[d]!),
        );
      }),
    );
  });
}

function isWhole(n: Node, { lo, hi }: Family): boolean {
  return integers(n, 'lo').every((v, d) => v === lo[d]) && integers(n, 'hi').every((v, d) => v === hi[d]);
}
