// Fusion, first half: which values get a buffer. Everything else is computed inside of the kernels that read it.
//
// A value lives in memory when
//   – it leaves the graph (outputs, updates), or is a leaf;
//   – it is a reduction whose result is not read exactly once per element by one elementwise consumer (its epilogue);
//   – a contraction would read it many times (contractions multiply elements that lie in memory);
//   – several consumers read it, and computing it for each costs more than storing it (cost.ts);
//   – a consumer repeats each element (broadcast), and computing it each time costs more;
//   – its kernel would get too large, or hold two reductions, or a reduction would run in two kernels (contents.ts).
//
// Each is a reason (stored.ts) that `dump('fusion')` shows, with what was weighed.

import { usersOf } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { isLoop } from '../graph/loop.ts';
import { elementCount } from '../graph/types.ts';
import { splitByContent, storeSharedReductions } from './contents.ts';
import { costsOfRepeating, costsOfSharing, isComputed } from './cost.ts';
import { isLeaf, type Probe, type Prober } from './probe.ts';
import { skipsBorder } from './skip-border.ts';
import { StoredValues } from './stored.ts';
import { piecesOf } from './subbuffers.ts';

/** What is computed from more operations than this is not computed twice. */
const mostRecomputed = 64;

export function chooseBuffers(graph: Graph, prober: Prober): StoredValues {
  const stored = new StoredValues();
  for (const n of graph.nodes) if (isLeaf(n)) stored.add(n, isLoop(n) ? 'loop' : 'given');
  for (const n of graph.nodes) if (isLoop(n)) for (const o of readByLoop(n)) stored.add(o, 'looped');
  for (const o of graph.outputs) stored.add(o.node, 'result');
  for (const u of graph.updates) stored.add(u.value, 'result');
  const users = usersOf(graph);
  new ByUse(graph, prober, users, stored).run();
  splitByContent(graph, prober, stored);
  storeSharedReductions(graph, prober, users, stored);
  return stored;
}

/** What must lie in memory for a loop: all but the constants that carries begin with. */
function readByLoop(n: Node): Node[] {
  const carries = n.attrs['carries'] as number;
  return n.operands.filter((o, i) => i >= carries || o.op.name !== 'constant');
}

/** How a value is read, over all its consumers. */
interface Use {
  /** How often each element, at most by one consumer. */
  ratio: number;
  inReduction: boolean;
  /** At positions that are known at run time only. */
  isLookedUp: boolean;
  isContracted: boolean;
  /** In place, by what may follow a reduction. */
  isEpilogue: boolean;
  /** How many ops compute with it; what reads it through a view counts for itself. */
  readers: number;
}

const nowhere: Use = {
  ratio: 0,
  inReduction: false,
  isLookedUp: false,
  isContracted: false,
  isEpilogue: true,
  readers: 0,
};

/** From consumers to producers: how is each value read? */
class ByUse {
  readonly #graph: Graph;
  readonly #prober: Prober;
  readonly #users: ReadonlyMap<Node, readonly Node[]>;
  readonly #stored: StoredValues;
  /** Of what is not stored: its consumers read through it. */
  readonly #uses = new Map<Node, Use>();
  readonly #weights = new Map<Node, number>();

  constructor(graph: Graph, prober: Prober, users: ReadonlyMap<Node, readonly Node[]>, stored: StoredValues) {
    this.#graph = graph;
    this.#prober = prober;
    this.#users = users;
    this.#stored = stored;
    for (const n of graph.nodes) this.#weigh(n);
  }

  run(): void {
    for (const n of this.#graph.nodes.toReversed()) {
      if (isLeaf(n)) continue;
      const use = this.#useOf(n);
      if (!this.#stored.has(n)) this.#choose(n, this.#prober.probe(n), use);
      const isStored = this.#stored.has(n);
      this.#uses.set(n, {
        ...use,
        ratio: isStored ? 1 : Math.max(1, use.ratio),
        inReduction: use.inReduction && !isStored,
      });
    }
  }

  #useOf(n: Node): Use {
    const use = { ...nowhere };
    for (const u of new Set(this.#users.get(n))) {
      const p = this.#prober.probe(u);
      const through = this.#stored.has(u) ? undefined : this.#uses.get(u);
      use.isLookedUp ||= p.looksUp || (through?.isLookedUp ?? false);
      use.readers += through !== undefined && isView(p) ? through.readers : 1;
      for (const [i, o] of u.operands.entries()) {
        if (o !== n) continue;
        const ratio = p.operands[i]!.ratio * (through?.ratio ?? 1);
        const inside = p.reduction || (through?.inReduction ?? false);
        use.ratio = Math.max(use.ratio, ratio);
        use.inReduction ||= inside;
        use.isContracted ||= inside && ratio > 2;
        if (p.reduction || p.guarded || !p.operands[i]!.isPermutation) use.isEpilogue = false;
      }
    }
    return use;
  }

  #choose(n: Node, p: Probe, use: Use): void {
    const stored = this.#stored;
    const isShared = new Set(this.#users.get(n)).size > 1;
    if (this.#isWrittenInside(n, p)) stored.add(n, 'epilogue');
    else if (p.reduction) {
      if (!use.isEpilogue || use.inReduction || use.ratio > 1) stored.add(n, 'reduction');
    } else if (p.guarded) {
      // Which side of a guard holds at a position looked up could not be proved, and is asked again for every element.
      if (use.isLookedUp) stored.add(n, 'lookedUp');
      else if (!isShared && this.#isSkipped(n)) stored.compute(n, 'skipped');
      else if (use.inReduction || isShared || (use.ratio > 2 && p.cost > 0)) stored.add(n, 'border');
    } else if (p.cost === 0) {
      if (use.isContracted && p.divides) stored.add(n, 'divided');
      else stored.compute(n, 'view');
    } else if (use.isContracted) stored.add(n, 'contracted');
    else {
      const repeated = use.ratio > 2 ? costsOfRepeating(n, use.ratio, this.#weights.get(n)!) : null;
      if (repeated !== null && !isComputed(repeated)) stored.add(n, 'repeated', repeated);
      else if (use.readers > 1) this.#share(n, use.readers);
      else if (repeated !== null) stored.compute(n, 'cheap', repeated);
    }
  }

  #isSkipped(n: Node): boolean {
    const [reader] = this.#users.get(n)!;
    return reader !== undefined && skipsBorder(n, reader, this.#prober);
  }

  /**
   * What is made of a sum in place, and only padded or joined then: the kernel of the sum can write it where it goes. Apart,
   * the sum would be stored, and read again to be padded.
   */
  #isWrittenInside(n: Node, p: Probe): boolean {
    const [reader, ...others] = new Set(this.#users.get(n));
    if (p.reduction || p.guarded || p.cost === 0 || reader === undefined || others.length > 0) return false;
    if (!piecesOf(reader).some((piece) => piece.operand === n)) return false;
    const size = elementCount(n.type.shape);
    /** What is computed in place between the sum and n. */
    const made = new Map<Node, boolean>();
    const isMadeOfSum = (x: Node): boolean => {
      const known = made.get(x);
      if (known !== undefined) return known;
      const below = this.#prober.probe(x);
      if (isLeaf(x) || elementCount(x.type.shape) !== size || below.guarded || made.size > mostRecomputed)
        return false;
      made.set(x, below.reduction);
      if (below.reduction) return true;
      const parts = x.operands.filter((o, i) => below.operands[i]!.isPermutation && isMadeOfSum(o));
      made.set(x, parts.length > 0);
      return parts.length > 0;
    };
    if (!isMadeOfSum(n)) return false;
    const isWithin = (x: Node): boolean => made.get(x) === true;
    return [...made.keys()].every((x) => x === n || !isWithin(x) || this.#users.get(x)!.every(isWithin));
  }

  /** Whether every consumer computes the value for itself: never a reduction, nor a border. */
  #share(n: Node, readers: number): void {
    const sources = new Set<Node>();
    const seen = new Set<Node>();
    let operations = 0;
    const visit = (x: Node): boolean => {
      if (seen.has(x)) return true;
      seen.add(x);
      const p = this.#prober.probe(x);
      const share = elementCount(n.type.shape) / Math.max(1, elementCount(x.type.shape));
      const isSmall = share >= 4;
      const isMade =
        isLeaf(x) ||
        this.#stored.has(x) ||
        (p.reduction && (isSmall || new Set(this.#users.get(x)).size > 1)) ||
        (isSmall && p.cost > 0 && !isComputed(costsOfRepeating(x, share, this.#weights.get(x)!)));
      if (isMade) {
        if (!isSmall) sources.add(x);
        return true;
      }
      if (p.reduction || p.guarded) return false;
      operations += p.cost;
      return operations <= mostRecomputed && x.operands.every(visit);
    };
    if (!visit(n)) this.#stored.add(n, 'shared');
    else {
      const costs = costsOfSharing(n, readers, operations, [...sources]);
      if (isComputed(costs)) this.#stored.compute(n, 'cheap', costs);
      else this.#stored.add(n, 'shared', costs);
    }
  }

  /** Operations per element of a value and of what of its size it is made of, down to reductions. */
  #weigh(n: Node): void {
    const p = this.#prober.probe(n);
    if (isLeaf(n) || p.reduction) return;
    const size = elementCount(n.type.shape);
    const below = [...new Set(n.operands)].reduce(
      (sum, o) => sum + (elementCount(o.type.shape) === size ? (this.#weights.get(o) ?? 0) : 0),
      0,
    );
    this.#weights.set(n, p.cost + below);
  }
}

function isView(p: Probe): boolean {
  return p.cost === 0 && !p.reduction && !p.guarded;
}
