// Layout: in which order the dimensions of each value lie in memory. Users see NCHW and OIHW; convolutions run best when
// channels are innermost, so images lie as NHWC and weights as HWIO, and the choice spreads along every op that maps
// dimensions one to one. Values that no convolution touches stay row-major.
//
// Inputs stay as the user feeds them. A variable's order depends on its shape alone, since all entry points share it.

import { usersOf } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { isLoop } from '../graph/loop.ts';
import { elementCount } from '../graph/types.ts';
import type { Index, LoopVar, Term } from '../kernel/affine.ts';
import { isLeaf, type Prober } from './probe.ts';

/** Order of dimensions, outermost first. */
export type Order = readonly number[];

export function rowMajor(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

/** [0, 2, 3, 1]: batch, space, channels. */
export function channelsLast(rank: number): number[] {
  return [0, ...rowMajor(rank).slice(2), 1];
}

/** Weights of convolutions [O, I, kernel…] lie as [kernel…, I, O]; everything of lower rank is row-major. */
export function variableOrder(rank: number): number[] {
  return rank < 3 ? rowMajor(rank) : [...rowMajor(rank).slice(2), 1, 0];
}

/** Ops over images: their result and first operand want channels innermost. */
const imageOps = new Set(['convolution', 'reduceWindow', 'windowArgmax', 'windowGather', 'windowScatter']);

/** `given`: how inputs lie that are not as the user feeds them. */
export function chooseLayouts(
  graph: Graph,
  prober: Prober,
  given: ReadonlyMap<Node, Order> = new Map(),
): ReadonlyMap<Node, Order> {
  const orders = new Map<Node, Order>();
  const users = usersOf(graph);
  const fixed = (n: Node): boolean => n.op.name === 'input' || n.op.name === 'variable' || isLoop(n);
  const spread = (start: Node): void => {
    const queue = [start];
    for (let head = 0; head < queue.length; head++) {
      const n = queue[head]!;
      const isOpen = (other: Node): boolean => !orders.has(other) && !fixed(other);
      const give = (other: Node, order: Order | null): void => {
        if (order === null) return;
        orders.set(other, order);
        queue.push(other);
      };
      if (!isLeaf(n)) {
        n.operands.forEach((o, i) => {
          if (!isOpen(o)) return;
          const map = dimensionMap(prober, n, i);
          if (map) give(o, toOperand(orders.get(n)!, map));
        });
      }
      for (const u of users.get(n) ?? []) {
        for (let i = 0; i < u.operands.length && isOpen(u); i++)
          if (u.operands[i] === n) give(u, followOperand(prober, u, i, orders.get(n)!));
      }
    }
  };
  for (const n of graph.nodes) {
    if (n.op.name === 'input' || isLoop(n)) orders.set(n, given.get(n) ?? rowMajor(n.type.shape.length));
  }
  const variables = graph.nodes.filter((n) => n.op.name === 'variable');
  for (const n of variables) orders.set(n, variableOrder(n.type.shape.length));
  for (const n of [...variables, ...given.keys()]) if (n.type.shape.length >= 3) spread(n);
  for (const n of graph.nodes) {
    if (!imageOps.has(n.op.name)) continue;
    for (const x of [n, n.operands[0]!]) {
      if (orders.has(x) || x.type.shape.length < 3) continue;
      orders.set(x, channelsLast(x.type.shape.length));
      spread(x);
    }
  }
  for (const n of graph.nodes)
    if (!orders.has(n)) orders.set(n, isLeaf(n) ? rowMajor(n.type.shape.length) : plainOrder(n.type.shape));
  return orders;
}

/** Lanes that run along the last dimension; with a shorter one there would be none. */
const lanes = 4;
/** What is copied to where rows are whole again is then little beside what is computed. */
const manyRows = 8;

/** Row-major; but few columns of many rows lie one after the other, so that lanes run along the rows: logits of three classes. */
function plainOrder(shape: readonly number[]): Order {
  const rank = shape.length;
  const columns = shape.at(-1) ?? 1;
  const rows = elementCount(shape) / Math.max(1, columns);
  const isNarrow = rank >= 2 && columns > 1 && columns < lanes && rows >= manyRows * lanes;
  return isNarrow ? [rank - 1, ...rowMajor(rank - 1)] : rowMajor(rank);
}

/** map[j] = dimension of the result that dimension j of the operand follows; null unless one to one. */
function dimensionMap(prober: Prober, node: Node, operand: number): number[] | null {
  const rank = node.type.shape.length;
  if (rank < 3 || node.operands[operand]!.type.shape.length !== rank) return null;
  const p = prober.probe(node);
  const read = p.reads.find((r) => r.operand === operand);
  if (!read) return null;
  const map = read.at.map((i) => onlyDimension(i, p.vars));
  // Dimensions of one element have no variable: they take the places that are left, in order.
  const left = rowMajor(rank).filter((d) => !map.includes(d));
  const open = map.filter((d) => d === -1).length;
  if (open > 0 && (left.length !== open || !left.every((d) => node.type.shape[d] === 1))) return null;
  const full = map.map((d) => (d === -1 ? left.shift()! : d));
  return new Set(full).size === rank ? full : null;
}

/** The dimension whose variable, alone of those of `vars`, an index has; −1 when none is alone. */
function onlyDimension({ terms }: Index, vars: readonly LoopVar[]): number {
  let only = -1;
  for (let k = 0; k < terms.length; k++) {
    const { atom } = terms[k]!;
    const d = atom.kind === 'var' ? vars.indexOf(atom) : -1;
    if (d < 0) continue;
    if (only >= 0) return -1;
    only = d;
  }
  return only;
}

function toOperand(order: Order, map: readonly number[]): Order {
  return order.map((d) => map.indexOf(d));
}

/**
 * The order in which the result walks through the operand with falling strides; null unless each dimension of the result
 * moves along exactly one of the operand. Reductions keep the order of what is left, reshapes that split a dimension
 * keep the parts together.
 */
function followOperand(prober: Prober, node: Node, operand: number, order: Order): Order | null {
  const rank = node.type.shape.length;
  if (rank < 2) return null;
  const p = prober.probe(node);
  const read = p.reads.find((r) => r.operand === operand);
  if (!read) return null;
  const strides = stridesOf(node.operands[operand]!.type.shape, order);
  /** How far a step along each dimension of the result goes in the operand. */
  const own = new Array<number | null>(rank).fill(null);
  for (let j = 0; j < read.at.length; j++) {
    const { terms }: Index = read.at[j]!;
    for (let k = 0; k < terms.length; k++) {
      const { atom, coeff }: Term = terms[k]!;
      const d = atom.kind === 'var' ? p.vars.indexOf(atom) : -1;
      if (d < 0) continue;
      if (own[d] !== null) return null;
      own[d] = Math.abs(coeff) * strides[j]!;
    }
  }
  for (let d = 0; d < rank; d++) if (node.type.shape[d] === 1) own[d] = 0;
  if (own.includes(null)) return null;
  return rowMajor(rank).sort((a, b) => own[b]! - own[a]! || a - b);
}

/** Elements apart of neighbours along each (logical) dimension. */
export function stridesOf(shape: readonly number[], order: Order): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let s = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    strides[order[i]!] = s;
    s *= shape[order[i]!]!;
  }
  return strides;
}
