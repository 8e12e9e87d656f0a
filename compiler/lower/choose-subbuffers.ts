// Which values are parts of others (subbuffers.ts). In: the values that have a buffer, and how they lie. Out: the parts and
// their wholes, the kernels that follow, and the values that have a buffer then: a joined value that only a whole reads gets
// one if it is a part there, since that costs nothing.
//
// Invariants: a value is a part of one whole at most, the first that wants it; its dimensions keep their order in memory;
// what is fed or leaves the graph is neither; no kernel reads a buffer that it writes.

import { usersOf } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { type Group, groupKernels } from './groups.ts';
import type { Order } from './layout.ts';
import { isLeaf, type Prober } from './probe.ts';
import { StoredValues } from './stored.ts';
import { type Along, piecesOf, SubBuffers } from './subbuffers.ts';

/** Elements that are copied in the time that calling one kernel more takes. */
const copiedPerCall = 512;

export interface Chosen {
  readonly parts: SubBuffers;
  readonly groups: readonly Group[];
  readonly stored: StoredValues;
}

export function chooseSubBuffers(
  graph: Graph,
  stored: StoredValues,
  orders: ReadonlyMap<Node, Order>,
  prober: Prober,
): Chosen {
  const choice = new Choice(graph, stored, orders, prober);
  choice.collect();
  choice.weigh();
  return choice.settle();
}

class Choice {
  readonly #graph: Graph;
  readonly #stored: StoredValues;
  readonly #orders: ReadonlyMap<Node, Order>;
  readonly #prober: Prober;
  readonly #parts = new SubBuffers();
  /** Values that have a buffer only since they are parts. */
  readonly #promoted = new Set<Node>();

  constructor(graph: Graph, stored: StoredValues, orders: ReadonlyMap<Node, Order>, prober: Prober) {
    this.#graph = graph;
    this.#stored = new StoredValues(stored);
    this.#orders = orders;
    this.#prober = prober;
  }

  /** From consumers to producers, so that a joined value is known to be a part before its own pieces are looked at. */
  collect(): void {
    const { nodes, outputs, updates } = this.#graph;
    const leaving = new Set([...outputs.map((o) => o.node), ...updates.map((u) => u.value)]);
    const users = usersOf(this.#graph);
    const mayMove = (n: Node): boolean => !isLeaf(n) && !leaving.has(n) && elementCount(n.type.shape) > 0;
    for (const whole of nodes.toReversed()) {
      if (!this.#stored.has(whole) || !mayMove(whole)) continue;
      const pieces = piecesOf(whole);
      const seen = pieces.map(({ operand }) => this.#behindViews(operand));
      for (const [k, { operand, from }] of pieces.entries()) {
        const part = seen[k]!;
        // A value that occurs twice cannot lie in both places.
        if (!mayMove(part.value) || seen.some((s, j) => j !== k && s.value === part.value)) continue;
        const isJoined = piecesOf(part.value).length > 0 && new Set(users.get(part.value)).size === 1;
        const isPromoted = !this.#stored.has(part.value) && part.value === operand && isJoined;
        if (!this.#stored.has(part.value) && !isPromoted) continue;
        const along = from.map((begin, d): Along => ({ dim: part.dims[d]!, from: begin }));
        if (!this.#keepsOrder(part.value, whole, along)) continue;
        this.#parts.add(part.value, whole, k, along);
        if (!isPromoted) continue;
        this.#promoted.add(part.value);
        this.#stored.add(part.value, 'joined');
      }
    }
  }

  /** From producers to consumers: gives up what costs more calls than it saves copies. */
  weigh(): void {
    // A joined value that has no parts of its own is computed where it goes.
    for (const n of this.#promoted) if (!this.#parts.isWhole(n)) this.#drop(n);
    const position = new Map(this.#graph.nodes.map((n, i) => [n, i]));
    const wholes = [...this.#parts.wholes()].sort((a, b) => position.get(a)! - position.get(b)!);
    for (const whole of wholes) {
      const parts = this.#parts.partsOf(whole).filter((p) => p !== null);
      const calls = this.#parts.partsOf(whole).length - parts.length;
      const saved = parts.reduce((sum, p) => sum + elementCount(p.type.shape), 0);
      if (calls - 1 > saved / copiedPerCall) for (const part of parts) this.#drop(part);
    }
  }

  /** Groups kernels; where one would read a buffer that it writes, the smaller of both values lies on its own after all. */
  settle(): Chosen {
    for (;;) {
      const groups = groupKernels(this.#graph, this.#stored, this.#prober, this.#parts);
      const conflicts = groups.flatMap((g) => this.#conflictsOf(g));
      if (conflicts.length === 0) return { parts: this.#parts, groups, stored: this.#stored };
      for (const [a, b] of conflicts) {
        if (this.#parts.rootOf(a) !== this.#parts.rootOf(b)) continue;
        const size = (n: Node): number =>
          this.#parts.isPart(n) ? elementCount(n.type.shape) : Number.POSITIVE_INFINITY;
        this.#drop(size(a) < size(b) ? a : b);
      }
    }
  }

  #conflictsOf({ roots, loads }: Group): [written: Node, read: Node][] {
    // A kernel may have hundreds of both: the update of all variables.
    const own = new Set(roots);
    const places = new Set(roots.map((r) => this.#parts.rootOf(r)));
    const read = [...loads].filter((l) => !own.has(l) && places.has(this.#parts.rootOf(l)));
    return roots.flatMap((r) =>
      read.filter((l) => this.#parts.rootOf(l) === this.#parts.rootOf(r)).map((l): [Node, Node] => [r, l]),
    );
  }

  /** Lets a value lie on its own. A promoted one has no buffer then, and is none when it has no parts. */
  #drop(part: Node): void {
    const open = [part];
    for (let n = open.pop(); n; n = open.pop()) {
      const whole = this.#parts.wholeOf(n);
      this.#parts.remove(n);
      if (whole && this.#promoted.has(whole) && !this.#parts.isWhole(whole)) open.push(whole);
      if (!this.#promoted.delete(n)) continue;
      this.#stored.delete(n);
      for (const inner of this.#parts.partsOf(n)) if (inner) open.push(inner);
    }
  }

  /** The value that an operand shows, and for each dimension of the operand the one of the value that runs along it. */
  #behindViews(operand: Node): { readonly value: Node; readonly dims: readonly (number | null)[] } {
    let value = operand;
    let dims: readonly (number | null)[] = operand.type.shape.map((_, d) => d);
    while (!this.#stored.has(value) && !isLeaf(value) && value.operands.length === 1) {
      const p = this.#prober.probe(value);
      const isView = p.cost === 0 && p.reads.length === 1 && !p.reduction && !p.guarded;
      // A view of some of the elements: all of them would not fit into the place of those.
      const showsAll = elementCount(value.operands[0]!.type.shape) === elementCount(value.type.shape);
      if (!isView || !showsAll || !p.operands[0]!.isPermutation) break;
      const { at } = p.reads[0]!;
      const below = value.type.shape.map((_, d) => {
        const j = at.findIndex((i) => i.terms.some((t) => t.atom === p.vars[d]));
        return j < 0 ? null : j;
      });
      dims = dims.map((d) => (d === null ? null : below[d]!));
      value = value.operands[0]!;
    }
    return { value, dims };
  }

  /** Whether the part's own order of dimensions is that in which the whole walks through it. */
  #keepsOrder(part: Node, whole: Node, along: readonly Along[]): boolean {
    const { shape } = part.type;
    const isLong = (d: number | null): d is number => d !== null && shape[d]! > 1;
    const inside = this.#orders
      .get(whole)!
      .map((d) => along[d]!.dim)
      .filter(isLong);
    const own = this.#orders.get(part)!.filter(isLong);
    return own.length === inside.length && own.every((d, i) => d === inside[i]);
  }
}
