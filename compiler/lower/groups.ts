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
import { sameShape } from '../graph/types.ts';
import { sameIndex } from '../kernel/affine.ts';
import { isLeaf, type Prober } from './probe.ts';
import { piecesOf, SubBuffers } from './subbuffers.ts';

export interface Group {
  /** Values that the kernel computes, in graph order; all have the same shape. */
  readonly roots: readonly Node[];
  /** Those of them that another kernel reads: only they (and results of the graph) need to be stored. */
  readonly readElsewhere: ReadonlySet<Node>;
  /** Stored values that its kernels read, roots among them where one is made of another. */
  readonly loads: ReadonlySet<Node>;
}

interface Draft {
  readonly roots: Node[];
  /** Others may not join: its kernels write what is not written yet of a value with parts. */
  readonly isWhole: boolean;
  readonly position: number;
  readonly loads: Set<Node>;
  readonly reduction: Node | null;
}

const mostRoots = 6;
const mostLoads = 20;

export function groupKernels(
  graph: Graph,
  stored: ReadonlySet<Node>,
  prober: Prober,
  parts: SubBuffers = new SubBuffers(),
): Group[] {
  const home = new Map<Node, Draft>();
  const drafts: Draft[] = [];
  const readersOf = new Map<Node, Draft[]>();
  for (const n of graph.nodes) {
    if (isLeaf(n) || !stored.has(n)) continue;
    const isWhole = parts.isWhole(n);
    const content = isWhole ? restOf(n, parts, stored, prober) : contentOf([[n, true]], stored, prober);
    const partner = isWhole ? null : findPartner(n, content, home, readersOf, prober);
    if (partner) {
      partner.roots.push(n);
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
  }));
}

interface Content {
  /** Stored values that the root's expression reads; true while every read is in place. */
  readonly loads: Map<Node, boolean>;
  readonly reduction: Node | null;
  /** Arithmetic on elements at affine positions, nothing else: lanes may run along any loop. */
  readonly plain: boolean;
}

/** What is read to write all of a value but its parts. */
function restOf(whole: Node, parts: SubBuffers, stored: ReadonlySet<Node>, prober: Prober): Content {
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
  stored: ReadonlySet<Node>,
  prober: Prober,
): Content {
  const loads = new Map<Node, boolean>();
  let reduction: Node | null = null;
  let plain = true;
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
    for (const [i, o] of n.operands.entries()) {
      visit(o, inPlace && !p.reduction && p.operands[i]!.isIdentity);
    }
  }
  return { loads, reduction, plain };
}

function findPartner(
  n: Node,
  content: Content,
  home: ReadonlyMap<Node, Draft>,
  readersOf: ReadonlyMap<Node, readonly Draft[]>,
  prober: Prober,
): Draft | null {
  const fits = (d: Draft): boolean =>
    !d.isWhole &&
    d.roots.length < mostRoots &&
    sameShape(d.roots[0]!.type.shape, n.type.shape) &&
    new Set([...d.loads, ...content.loads.keys()]).size <= mostLoads &&
    [...content.loads].every(([l, inPlace]) => {
      const maker = home.get(l);
      if (maker === d) return inPlace;
      return maker === undefined || maker.position < d.position;
    });
  if (!content.reduction) {
    for (const l of content.loads.keys()) {
      const d = home.get(l);
      if (d && (content.plain || !d.reduction) && fits(d)) return d;
    }
    return null;
  }
  // Any partner must have been reading one of the same buffers.
  for (const l of content.loads.keys()) {
    for (const d of readersOf.get(l) ?? []) {
      if (
        d.reduction &&
        sameTraversal(d.reduction, content.reduction, prober) &&
        fits(d) &&
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
