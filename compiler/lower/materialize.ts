// Fusion, first half: which values get a buffer. Everything else is computed inside of the kernels that read it.
//
// A value lives in memory when
//   – it leaves the graph (outputs, updates), or is a leaf;
//   – it is a reduction whose result is not read exactly once per element by one elementwise consumer (its epilogue);
//   – a contraction would read it many times (contractions multiply elements that lie in memory);
//   – several consumers read it and it costs more than reading what it is made of;
//   – a consumer repeats each element (broadcast) and the element is expensive;
//   – its kernel would get too large, or hold two reductions, or a reduction would run in two kernels (contents.ts).

import { usersOf } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { splitByContent, storeSharedReductions } from './contents.ts';
import { isLeaf, type Prober } from './probe.ts';

/** Operations per element up to which recomputing beats storing and reading back. */
const cheap = 2;
/** The same for a value that is made of one other value of its size (and of small ones): it is read as fast as a copy. */
const cheapOfOne = 6;

export function chooseBuffers(graph: Graph, prober: Prober): ReadonlySet<Node> {
  const stored = new Set<Node>(graph.nodes.filter(isLeaf));
  for (const o of graph.outputs) stored.add(o.node);
  for (const u of graph.updates) stored.add(u.value);
  const users = usersOf(graph);
  chooseByUse(graph, prober, users, stored);
  splitByContent(graph, prober, stored);
  storeSharedReductions(graph, prober, users, stored);
  return stored;
}

/** From consumers to producers: how is each value read? */
function chooseByUse(
  graph: Graph,
  prober: Prober,
  users: ReadonlyMap<Node, readonly Node[]>,
  stored: Set<Node>,
): void {
  const repeats = new Map<Node, number>();
  const reduced = new Map<Node, boolean>();
  /** Read at positions that are known at run time only. */
  const lookedUp = new Map<Node, boolean>();
  /** How many ops compute with a value; what reads it through a view counts for itself. */
  const readers = new Map<Node, number>();
  const multiple = (n: Node): boolean => new Set(users.get(n)).size > 1;
  /**
   * Whether every consumer may compute the value for itself: its operations down to values that are in memory anyway are
   * few, and at most one of those is as large as itself unless they are very few.
   */
  const recomputable = (n: Node): boolean => {
    let operations = 0;
    const large = new Set<Node>();
    const seen = new Set<Node>();
    const size = elementCount(n.type.shape);
    const visit = (x: Node): boolean => {
      if (seen.has(x)) return true;
      seen.add(x);
      const isSmall = 4 * elementCount(x.type.shape) <= size;
      const p = prober.probe(x);
      if (
        isLeaf(x) ||
        stored.has(x) ||
        (p.reduction && (multiple(x) || isSmall)) ||
        (isSmall && p.cost > cheap)
      ) {
        if (!isSmall) large.add(x);
        return true;
      }
      if (p.reduction || p.guarded) return false;
      operations += p.cost;
      return operations <= cheapOfOne && x.operands.every(visit);
    };
    return visit(n) && (operations <= cheap || large.size <= 1);
  };

  for (let at = graph.nodes.length - 1; at >= 0; at--) {
    const n = graph.nodes[at]!;
    if (isLeaf(n)) continue;
    let ratio = 0;
    let inReduction = false;
    let isLookedUp = false;
    let contracted = false;
    let epilogue = true;
    let read = 0;
    const consumers = new Set(users.get(n));
    for (const u of consumers) {
      const p = prober.probe(u);
      const inlined = !stored.has(u);
      isLookedUp ||= p.looksUp || (inlined && (lookedUp.get(u) ?? false));
      const isView = inlined && p.cost === 0 && !p.reduction && !p.guarded;
      read += isView ? (readers.get(u) ?? 1) : 1;
      for (const [i, o] of u.operands.entries()) {
        if (o !== n) continue;
        const r = p.operands[i]!.ratio * (inlined ? (repeats.get(u) ?? 1) : 1);
        const inside = p.reduction || (inlined && (reduced.get(u) ?? false));
        ratio = Math.max(ratio, r);
        inReduction ||= inside;
        contracted ||= inside && r > 2;
        if (p.reduction || p.guarded) epilogue = false;
        if (!p.operands[i]!.isPermutation) epilogue = false;
      }
    }
    readers.set(n, read);
    repeats.set(n, Math.max(1, ratio));
    reduced.set(n, inReduction);
    lookedUp.set(n, isLookedUp);
    if (stored.has(n)) {
      repeats.set(n, 1);
      reduced.set(n, false);
      continue;
    }
    const p = prober.probe(n);
    let store: boolean;
    if (p.reduction) store = !epilogue || inReduction || ratio > 1;
    // Which side of a guard holds at a position looked up could not be proved, and is asked again for every element.
    else if (p.guarded) store = isLookedUp || inReduction || consumers.size > 1 || (ratio > 2 && p.cost > 0);
    else if (p.cost === 0) store = contracted && p.divides;
    else if (contracted) store = true;
    else if (ratio > 2 && p.cost > cheap) store = true;
    else if (read > 1) store = !recomputable(n);
    else store = false;
    if (store) {
      stored.add(n);
      repeats.set(n, 1);
      reduced.set(n, false);
    }
  }
}
