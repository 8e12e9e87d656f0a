// Fusion, first half: which values get a buffer. Everything else is computed inside of the kernels that read it.
//
// A value lives in memory when
//   – it leaves the graph (outputs, updates), or is a leaf;
//   – it is a reduction whose result is not read exactly once per element by one elementwise consumer (its epilogue);
//   – a contraction would read it many times (contractions multiply elements that lie in memory);
//   – several consumers read it and it costs more than reading what it is made of;
//   – a consumer repeats each element (broadcast) and the element is expensive;
//   – its kernel would get too large.

import { usersOf } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { isLeaf, isPermutation, needsDivision, type Prober } from './probe.ts';

/** Operations per element up to which recomputing beats storing and reading back. */
const cheap = 2;
/** The same for a value that is made of one other value of its size (and of small ones): it is read as fast as a copy. */
const cheapOfOne = 6;
/** Loads per kernel; more would leave no registers for addresses. */
const mostLoads = 16;
/** Operations in one fused expression. */
const mostOperations = 400;

export function chooseBuffers(graph: Graph, prober: Prober): ReadonlySet<Node> {
  const stored = new Set<Node>(graph.nodes.filter(isLeaf));
  for (const o of graph.outputs) stored.add(o.node);
  for (const u of graph.updates) stored.add(u.value);
  const users = usersOf(graph);
  chooseByUse(graph, prober, users, stored);
  splitByContent(graph, prober, stored);
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
    let contracted = false;
    let epilogue = true;
    const consumers = new Set(users.get(n));
    for (const u of consumers) {
      const p = prober.probe(u);
      const inlined = !stored.has(u);
      for (const [i, o] of u.operands.entries()) {
        if (o !== n) continue;
        const r = p.ratio(i) * (inlined ? (repeats.get(u) ?? 1) : 1);
        const inside = p.reduction || (inlined && (reduced.get(u) ?? false));
        ratio = Math.max(ratio, r);
        inReduction ||= inside;
        contracted ||= inside && r > 2;
        if (p.reduction || p.guarded) epilogue = false;
        if (!p.reads.filter((x) => x.operand === i).every((x) => isPermutation(p, x))) epilogue = false;
      }
    }
    repeats.set(n, Math.max(1, ratio));
    reduced.set(n, inReduction);
    if (stored.has(n)) {
      repeats.set(n, 1);
      reduced.set(n, false);
      continue;
    }
    const p = prober.probe(n);
    let store: boolean;
    if (p.reduction) store = consumers.size !== 1 || !epilogue || inReduction || ratio > 1;
    else if (p.guarded) store = inReduction || consumers.size > 1 || (ratio > 2 && p.cost > 0);
    else if (p.cost === 0) store = contracted && p.reads.some(needsDivision);
    else if (contracted) store = true;
    else if (ratio > 2 && p.cost > cheap) store = true;
    else if (consumers.size > 1) store = !recomputable(n);
    else store = false;
    if (store) {
      stored.add(n);
      repeats.set(n, 1);
      reduced.set(n, false);
    }
  }
}

/** From producers to consumers: a kernel holds one reduction, and stays of reasonable size. */
function splitByContent(graph: Graph, prober: Prober, stored: Set<Node>): void {
  interface Content {
    readonly reductions: ReadonlySet<Node>;
    readonly loads: ReadonlySet<Node>;
    readonly operations: number;
  }
  const contents = new Map<Node, Content>();
  for (const n of graph.nodes) {
    if (isLeaf(n)) continue;
    const p = prober.probe(n);
    const gather = (): Content => {
      const reductions = new Set<Node>(p.reduction ? [n] : []);
      const loads = new Set<Node>();
      let operations = p.cost;
      for (const o of new Set(n.operands)) {
        if (stored.has(o)) {
          loads.add(o);
          continue;
        }
        const c = contents.get(o)!;
        for (const r of c.reductions) reductions.add(r);
        for (const l of c.loads) loads.add(l);
        operations += c.operations;
      }
      return { reductions, loads, operations };
    };
    const store = (o: Node): void => {
      stored.add(o);
    };
    const open = (): Node[] => [...new Set(n.operands)].filter((o) => !stored.has(o));
    // A reduction's operands hold no reduction; an elementwise op keeps that of one operand, read in place.
    for (const o of open()) {
      if (contents.get(o)!.reductions.size === 0) continue;
      const inPlace = n.operands.every(
        (x, i) => x !== o || p.reads.filter((r) => r.operand === i).every((r) => isPermutation(p, r)),
      );
      if (p.reduction || p.guarded || !inPlace) store(o);
    }
    const carriers = open().filter((o) => contents.get(o)!.reductions.size > 0);
    const kept = carriers.at(-1);
    for (const o of carriers) {
      const same = [...contents.get(o)!.reductions].every((r) => contents.get(kept!)!.reductions.has(r));
      if (!same) store(o);
    }
    let c = gather();
    while (c.loads.size > mostLoads || c.operations > mostOperations) {
      const largest = open().reduce<Node | null>((best, o) => {
        const size = (x: Node): number => contents.get(x)!.loads.size + contents.get(x)!.operations / 32;
        return size(o) > (best ? size(best) : 1) ? o : best;
      }, null);
      if (!largest) break;
      store(largest);
      c = gather();
    }
    contents.set(n, c);
  }
}
