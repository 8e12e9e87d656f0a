// Fusion, second half: which stored values share a kernel. A kernel may write several values of one index space when
//
//   below   an elementwise value reads another one in place (momentum and the parameter it moves; an activation, and
//           the mask that its gradient needs, below the sum of products);
//   beside  reductions run over the same space and read the same memory (the sums of batch norm's gradient).
//
// A value that others are parts of (subbuffers.ts) is a group of its own: the kernels that write the rest of it.
//
// A group stands where its first member stood; a member may join only if everything else that it reads is made before
// that place, so groups never wait for each other in a circle.

import type { Graph, Node } from '../graph/ir.ts';
import { isLoop, loopsOf } from '../graph/loop.ts';
import { sameShape } from '../graph/types.ts';
import { sameIndex } from '../kernel/affine.ts';
import { mostOfKernel } from './contents.ts';
import { isLeaf, type Prober } from './probe.ts';
import type { IsStored } from './stored.ts';
import { piecesOf, SubBuffers } from './subbuffers.ts';

export interface Group {
  /** Values that the kernel computes, in graph order; all have the same shape. */
  readonly roots: readonly Node[];
  /** Those of them that another kernel reads: only they (and results of the graph) need to be stored. */
  readonly readElsewhere: ReadonlySet<Node>;
  /** Stored values that its kernels read, roots among them where one is made of another. */
  readonly loads: ReadonlySet<Node>;
  /** Of loads that other kernels make: why this is not the same kernel. */
  readonly apart: ReadonlyMap<Node, ApartReason>;
}

/** Why a stored value is not computed in the kernel that makes what it reads. */
export const apartReasons = {
  reduction: 'a reduction starts when all that it reads is there',
  traversal: 'it runs over other positions, or reads elsewhere than in place',
  waiting: 'it also reads what is made later',
  kernelFull: 'that kernel has as many results and operands as it may have',
  lanes: 'its positions would cost the reduction its lanes',
  loop: 'a loop makes it',
  joined: 'only borders, or the rest of a joined value, are written there',
} as const;

export type ApartReason = keyof typeof apartReasons;

interface Draft {
  readonly roots: Node[];
  /** Others may not join: its kernels write what is not written yet of a value with parts. */
  readonly isWhole: boolean;
  readonly position: number;
  readonly loads: Set<Node>;
  readonly reduction: Node | null;
  readonly apart: Map<Node, ApartReason>;
  /** Values that it computes, and their operations. */
  values: number;
  operations: number;
}

const mostRoots = 6;
const mostLoads = 20;
const mostValues = 2 * mostOfKernel.depth;
const mostOperations = 1.5 * mostOfKernel.operations;

export function groupKernels(
  graph: Graph,
  stored: IsStored,
  prober: Prober,
  parts: SubBuffers = new SubBuffers(),
): Group[] {
  const home = new Map<Node, Draft>();
  const drafts: Draft[] = [];
  const loops = new Map<Node, readonly Node[]>();
  const readersOf = new Map<Node, Draft[]>();
  for (const { results } of loopsOf(graph)) loops.set(results[0]!, results);
  for (const n of graph.nodes) {
    const roots = loops.get(n);
    if (roots) {
      // All results of a loop are there when the first is.
      const draft = loopDraft(roots, drafts.length);
      drafts.push(draft);
      for (const r of roots) home.set(r, draft);
      continue;
    }
    if (isLeaf(n) || !stored.has(n)) continue;
    const isWhole = parts.isWhole(n);
    const content = isWhole ? restOf(n, parts, stored, prober) : contentOf([[n, true]], stored, prober);
    const apart = new Map<Node, ApartReason>();
    const partner = isWhole ? null : findPartner(n, content, home, readersOf, prober, apart);
    if (partner) {
      for (const [l, reason] of apart) partner.apart.set(l, reason);
      partner.roots.push(n);
      partner.values += content.values;
      partner.operations += content.operations;
      home.set(n, partner);
      for (const l of content.loads.keys()) if (home.get(l) !== partner) partner.loads.add(l);
      continue;
    }
    const draft: Draft = {
      roots: [n],
      isWhole,
      position: drafts.length,
      loads: new Set<Node>(content.loads.keys()),
      reduction: content.reduction,
      apart,
      values: content.values,
      operations: content.operations,
    };
    drafts.push(draft);
    home.set(n, draft);
    if (content.reduction) {
      for (const l of content.loads.keys()) {
        const list = readersOf.get(l);
        if (list) list.push(draft);
        else readersOf.set(l, [draft]);
      }
    }
  }
  const elsewhere = new Set(drafts.flatMap((d) => [...d.loads].filter((l) => home.get(l) !== d)));
  return drafts.map((d) => ({
    roots: d.roots,
    readElsewhere: new Set(d.roots.filter((r) => d.isWhole || elsewhere.has(r) || parts.isPart(r))),
    loads: d.loads,
    apart: d.apart,
  }));
}

/** A loop: its own kernels, which others may not join. */
function loopDraft(roots: readonly Node[], position: number): Draft {
  return {
    roots: [...roots],
    isWhole: true,
    position,
    loads: new Set(roots[0]!.operands),
    reduction: null,
    apart: new Map(),
    values: 0,
    operations: 0,
  };
}

interface Content {
  /** Stored values that the root's expression reads; true while every read is in place. */
  readonly loads: Map<Node, boolean>;
  readonly reduction: Node | null;
  /** Arithmetic on elements at affine positions, nothing else: lanes may run along any loop. */
  readonly plain: boolean;
  readonly values: number;
  readonly operations: number;
}

/** What is read to write all of a value but its parts. */
function restOf(whole: Node, parts: SubBuffers, stored: IsStored, prober: Prober): Content {
  const own = parts.partsOf(whole);
  const pieces = piecesOf(whole).map((p) => p.operand);
  const fills = whole.operands.filter((o) => !pieces.includes(o));
  const rest = [...pieces.filter((_, k) => own[k] === null), ...fills];
  return contentOf(
    rest.map((o) => [o, false]),
    stored,
    prober,
  );
}

function contentOf(
  start: readonly (readonly [node: Node, isRoot: boolean])[],
  stored: IsStored,
  prober: Prober,
): Content {
  const loads = new Map<Node, boolean>();
  let reduction: Node | null = null;
  let plain = true;
  let operations = 0;
  const seen = new Map<Node, boolean>();
  const stack: [Node, boolean][] = [];
  const visit = (n: Node, inPlace: boolean): void => {
    if (isLeaf(n) || stored.has(n)) loads.set(n, (loads.get(n) ?? true) && inPlace);
    else stack.push([n, inPlace]);
  };
  for (const [n, isRoot] of start) {
    if (isRoot) stack.push([n, true]);
    else visit(n, false);
  }
  while (stack.length > 0) {
    const [n, inPlace] = stack.pop()!;
    const before = seen.get(n);
    if (before !== undefined && (before === inPlace || !before)) continue;
    seen.set(n, inPlace);
    const p = prober.probe(n);
    if (p.reduction) reduction = n;
    plain &&= !p.guarded && !p.divides;
    if (before === undefined) operations += p.cost;
    for (const [i, o] of n.operands.entries()) {
      visit(o, inPlace && !p.reduction && p.operands[i]!.isIdentity);
    }
  }
  return { loads, reduction, plain, values: seen.size, operations };
}

/** The kernel that a value joins, or null; notes in `apart` why it joins none of those that make what it reads. */
function findPartner(
  n: Node,
  content: Content,
  home: ReadonlyMap<Node, Draft>,
  readersOf: ReadonlyMap<Node, readonly Draft[]>,
  prober: Prober,
  apart: Map<Node, ApartReason>,
): Draft | null {
  const hindrance = (d: Draft): ApartReason | null => {
    if (d.isWhole) return isLoop(d.roots[0]!) ? 'loop' : 'joined';
    if (!sameShape(d.roots[0]!.type.shape, n.type.shape)) return 'traversal';
    if (d.roots.length >= mostRoots) return 'kernelFull';
    if (new Set([...d.loads, ...content.loads.keys()]).size > mostLoads) return 'kernelFull';
    // Below each other they are one expression.
    if (d.values + content.values > mostValues) return 'kernelFull';
    if (d.operations + content.operations > mostOperations) return 'kernelFull';
    for (const [l, inPlace] of content.loads) {
      const maker = home.get(l);
      if (maker === d ? !inPlace : maker !== undefined && maker.position >= d.position)
        return maker === d ? 'traversal' : 'waiting';
    }
    return null;
  };
  if (!content.reduction) {
    for (const l of content.loads.keys()) {
      const d = home.get(l);
      if (!d) continue;
      const why = content.plain || !d.reduction ? hindrance(d) : 'lanes';
      if (why === null) return d;
      apart.set(l, why);
    }
    return null;
  }
  for (const l of content.loads.keys()) if (home.has(l)) apart.set(l, 'reduction');
  // Any partner must have been reading one of the same buffers.
  for (const l of content.loads.keys()) {
    for (const d of readersOf.get(l) ?? []) {
      if (
        d.reduction &&
        sameTraversal(d.reduction, content.reduction, prober) &&
        hindrance(d) === null &&
        ![...content.loads.keys()].some((x) => home.get(x) === d)
      )
        return d;
    }
  }
  return null;
}

/** Both reductions visit the same positions of equally shaped operands in the same order. */
function sameTraversal(a: Node, b: Node, prober: Prober): boolean {
  const pa = prober.probe(a);
  const pb = prober.probe(b);
  if (pa.reads.length !== 1 || pb.reads.length !== 1) return false;
  if (!sameShape(pa.reduced, pb.reduced) || !sameShape(a.type.shape, b.type.shape)) return false;
  if (!sameShape(a.operands[0]!.type.shape, b.operands[0]!.type.shape)) return false;
  return pa.reads[0]!.at.every((i, d) => sameIndex(i, pb.reads[0]!.at[d]!));
}
