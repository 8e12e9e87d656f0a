// Where values lie: the buffer in which each is read, where in it the value begins, and the address of each of its positions.

import type { Node } from '../graph/ir.ts';
import { type Index, offsetIndex } from '../kernel/affine.ts';
import type { Buffer, BufferId } from '../schedule/lowered.ts';
import type { Buffers } from './buffers.ts';
import { addressOf } from './element.ts';
import { valueName } from './label.ts';
import { type Order, rowMajor } from './layout.ts';
import type { SubBuffers } from './subbuffers.ts';

/** What a kernel must write: a value into a buffer. */
export interface Sink {
  readonly node: Node;
  readonly buffer: BufferId;
  /** As a part of the value that the buffer holds; default: where the value itself lies. */
  readonly into?: { readonly whole: Node; readonly from: readonly number[] };
  /** As a row-major row that begins so many elements behind the start of the buffer. */
  readonly start?: number;
}

export class Places {
  readonly buffers: Buffers;
  readonly orders: ReadonlyMap<Node, Order>;
  /** Values that lie inside of another value's buffer. */
  readonly parts: SubBuffers;
  /** The buffers of values with parts, from the first part on. */
  readonly #wholes = new Map<Node, BufferId>();
  /** The buffer in which a value is read. */
  readonly #homes = new Map<Node, BufferId>();
  /** Results of loops: where they begin in their buffer. */
  readonly #starts = new Map<Node, number>();
  /** In the body of a loop, values of the program around it. */
  readonly #captured = new Map<Node, { readonly around: Places; readonly node: Node }>();

  constructor(buffers: Buffers, orders: ReadonlyMap<Node, Order>, parts: SubBuffers) {
    this.buffers = buffers;
    this.orders = orders;
    this.parts = parts;
  }

  /** Whether something has been written that a kernel may read. */
  has(node: Node): boolean {
    return this.#homes.has(node);
  }

  homeOf(node: Node): BufferId {
    return this.#homes.get(node)!;
  }

  setHome(node: Node, buffer: BufferId): void {
    this.#homes.set(node, buffer);
  }

  /** A row-major value that begins somewhere in a buffer. */
  setHomeFrom(node: Node, buffer: BufferId, start: number): void {
    this.#homes.set(node, buffer);
    this.#starts.set(node, start);
  }

  /** A value of the program around a loop, as its body reads it. */
  capture(input: Node, around: Places, node: Node): void {
    this.#homes.set(input, around.homeOf(node));
    this.#captured.set(input, { around, node });
  }

  /** The buffer of a temporary: its own, or that of the value that it is a part of. */
  placeOf(node: Node): BufferId {
    const root = this.parts.rootOf(node);
    const known = this.#wholes.get(root);
    if (known !== undefined) return known;
    const home = { kind: 'arena', role: 'temporary' } as const;
    const buffer = this.buffers.add(valueName(root), root, this.orders.get(root)!, home);
    if (this.parts.isWhole(root)) this.#wholes.set(root, buffer);
    return buffer;
  }

  /** Address of a position in a value, from the start of its buffer, which may hold a larger value around it. */
  address(node: Node, buffer: BufferId, at: readonly Index[]): Index {
    const captured = this.#captured.get(node);
    if (captured) return captured.around.address(captured.node, buffer, at);
    const start = this.#starts.get(node);
    if (start !== undefined) return this.#rowAddress(node, start, at);
    const held = this.buffers.of(buffer);
    if (!this.#liesIn(node, held)) return addressOf(node.type.shape, held.order, at);
    return addressOf(held.type.shape, held.order, this.parts.inRoot(node, at));
  }

  /** Where a value goes: to its own buffer, or to one that holds it alone, or where the sink says. */
  sinkAddress({ node, buffer, into, start }: Sink, at: readonly Index[]): Index {
    if (into)
      return this.address(
        into.whole,
        buffer,
        at.map((i, d) => offsetIndex(i, into.from[d]!)),
      );
    if (start !== undefined) return this.#rowAddress(node, start, at);
    if (this.#homes.get(node) === buffer) return this.address(node, buffer, at);
    const held = this.buffers.of(buffer);
    if (this.#liesIn(node, held)) return this.address(node, buffer, at);
    return addressOf(held.type.shape, held.order, at);
  }

  /** Of a row-major value that begins somewhere in a buffer. */
  #rowAddress({ type: { shape } }: Node, start: number, at: readonly Index[]): Index {
    return offsetIndex(addressOf(shape, rowMajor(shape.length), at), start);
  }

  /** Whether the buffer of a sink has other elements than its value. */
  isPart({ node, buffer, into, start }: Sink): boolean {
    return into !== undefined || start !== undefined || this.#liesIn(node, this.buffers.of(buffer));
  }

  /** Whether a buffer holds the value as a part of another one. */
  #liesIn(node: Node, held: Buffer): boolean {
    const root = this.parts.rootOf(node);
    return root !== node && held.node === root;
  }
}
