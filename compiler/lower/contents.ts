// What each kernel would hold, were a value its root: everything under it that has no buffer. In: the values that have a
// buffer so far. Out: some more of them, so that
//
//   – a kernel holds one reduction, read in place by what follows it;
//   – a reduction runs in one kernel only;
//   – a kernel stays of reasonable size.

import type { Graph, Node } from '../graph/ir.ts';
import { bytesOf } from './cost.ts';
import { isLeaf, type Prober } from './probe.ts';
import type { StoredValues } from './stored.ts';

/** What one kernel holds at most: lowering and targets walk its expressions to the bottom, and engines optimise its code. */
export const mostOfKernel = {
  /** More would leave no registers for addresses. */
  loads: 16,
  /** In one fused expression. */
  operations: 400,
  /** Values below each other, views among them. */
  depth: 256,
  /** Views below each other whose positions need divisions: each makes the terms of an address more. */
  divisions: 6,
} as const;

interface Content {
  /** The reduction whose result the value is made of, if any. */
  readonly reduction: Node | null;
  /** Stored values that are read. */
  readonly loads: ReadonlySet<Node>;
  /** Values that are computed, each once, with the arithmetic of all of them. */
  readonly computed: ReadonlySet<Node>;
  readonly operations: number;
  /** Values below each other, and of those the views that divide. */
  readonly depth: number;
  readonly divisions: number;
}

/** From producers to consumers: one reduction per kernel, and not too much of anything. Adds to `stored`. */
export function splitByContent(graph: Graph, prober: Prober, stored: StoredValues): void {
  const contents = new Map<Node, Content>();
  /** How many reductions must run one after the other before a value is there. */
  const depths = new Map<Node, number>();
  for (const n of graph.nodes) {
    if (isLeaf(n)) continue;
    const p = prober.probe(n);
    const depth = n.operands.reduce((most, o) => Math.max(most, depths.get(o) ?? 0), 0);
    depths.set(n, p.reduction ? depth + 1 : depth);
    const operands = [...new Set(n.operands)];
    const open = (): Node[] => operands.filter((o) => !stored.has(o));
    // A reduction's operands hold no reduction; an elementwise op keeps that of its operands, read in place.
    for (const o of open()) {
      if (contents.get(o)!.reduction === null) continue;
      const inPlace = n.operands.every((x, i) => x !== o || p.operands[i]!.isPermutation);
      if (p.reduction || p.guarded || !inPlace) stored.add(o, 'otherReduction');
      else if (delays(contents.get(o)!.reduction!, n, o, depths)) stored.add(o, 'waiting');
    }
    const carriers = open().filter((o) => contents.get(o)!.reduction !== null);
    const kept = carriers.length > 0 ? contents.get(carriers.at(-1)!)!.reduction : null;
    for (const o of carriers) if (contents.get(o)!.reduction !== kept) stored.add(o, 'otherReduction');
    const gather = (): Content => {
      const loads = new Set<Node>();
      const computed = new Set<Node>([n]);
      for (const o of operands) {
        if (stored.has(o)) {
          loads.add(o);
          continue;
        }
        for (const c of contents.get(o)!.computed) computed.add(c);
        for (const l of contents.get(o)!.loads) loads.add(l);
      }
      let operations = 0;
      for (const c of computed) operations += prober.probe(c).cost;
      const below = open().map((o) => contents.get(o)!);
      const depth = 1 + below.reduce((most, c) => Math.max(most, c.depth), 0);
      const divisions = (p.divides ? 1 : 0) + below.reduce((most, c) => Math.max(most, c.divisions), 0);
      return { reduction: p.reduction ? n : kept, loads, computed, operations, depth, divisions };
    };
    let content = gather();
    while (isTooMuch(content)) {
      const largest = largestOf(open(), contents);
      if (!largest) break;
      stored.add(largest, 'kernelFull');
      content = gather();
    }
    contents.set(n, content);
  }
}

/** A result this much smaller than what it is made of costs next to nothing to store. */
const muchSmaller = 16;

/**
 * Whether a reduction would wait for what `n`, below it, computes of its result `of` and others: alone it can run earlier, beside
 * reductions that read the same.
 */
function delays(reduction: Node, n: Node, of: Node, depths: ReadonlyMap<Node, number>): boolean {
  const isSmall = muchSmaller * bytesOf(of) <= bytesOf(reduction.operands[0]!);
  const own = depths.get(reduction)!;
  return isSmall && n.operands.some((o) => o !== of && (depths.get(o) ?? 0) >= own);
}

function isTooMuch({ loads, operations, depth, divisions }: Content): boolean {
  const most = mostOfKernel;
  return (
    loads.size > most.loads ||
    operations > most.operations ||
    depth > most.depth ||
    divisions > most.divisions
  );
}

/** The value that gives most relief when it is stored: by loads, and the rest as shares of one; null when none would. */
function largestOf(values: readonly Node[], contents: ReadonlyMap<Node, Content>): Node | null {
  let largest: Node | null = null;
  let most = 1;
  for (const v of values) {
    const { loads, operations, depth, divisions } = contents.get(v)!;
    const size = loads.size + operations / 32 + depth / 16 + 2 * divisions;
    if (size > most) {
      largest = v;
      most = size;
    }
  }
  return largest;
}

/**
 * From consumers to producers: a value that holds a reduction and is wanted in two kernels gets a buffer, since both would
 * run the reduction (x · W + b, read by the activation and again by its gradient). Adds to `stored`.
 */
export function storeSharedReductions(
  graph: Graph,
  prober: Prober,
  users: ReadonlyMap<Node, readonly Node[]>,
  stored: StoredValues,
): void {
  const carriers = graph.nodes.filter((n) => !isLeaf(n));
  const carries = new Set<Node>();
  for (const n of carriers)
    if (prober.probe(n).reduction || n.operands.some((o) => carries.has(o) && !stored.has(o))) carries.add(n);
  /** The stored values whose kernels compute a value. */
  const kernels = new Map<Node, ReadonlySet<Node>>();
  for (const n of carriers.reverse()) {
    if (!carries.has(n)) continue;
    const within = new Set<Node>();
    if (!stored.has(n)) for (const u of users.get(n)!) for (const k of kernels.get(u)!) within.add(k);
    if (within.size !== 1) stored.add(n, 'sharedReduction');
    kernels.set(n, within.size === 1 ? within : new Set([n]));
  }
}
