// The values that get a buffer, each with the reason: what the stages of fusion hand on to each other.

import type { Node } from '../graph/ir.ts';
import type { Costs } from './cost.ts';

/** Why a value lies in memory. The texts are what people read in `dump('fusion')`. */
export const storingReasons = {
  given: 'fed, a variable, or a large constant',
  result: 'leaves the graph',
  loop: 'a loop writes it, row by row or step by step',
  looped: 'a loop reads it',
  reduction: 'a reduction that is not read once, in place, by one value: it would run again',
  lookedUp: 'padded or joined, and read at positions known at run time: each would be tested',
  epilogue: 'made of a sum, and then padded or joined: the kernel of the sum writes it where it goes',
  border: 'padded or joined: its borders would be tested again by every reader',
  divided: 'a contraction reads it at positions that need a division',
  contracted: 'a sum reads each element many times',
  repeated: 'each element is read many times: computing it each time is dearer',
  shared: 'several values read it: computing it for each is dearer',
  otherReduction: 'its reader holds another reduction, or reads it elsewhere than in place',
  waiting: 'a small result: what follows it waits for other sums',
  kernelFull: 'its reader would read too many values, or compute too much in one expression',
  sharedReduction: 'it is made of a reduction, which would run in several kernels',
  joined: 'lies in the value that it is joined into: it costs no copy',
} as const;

export type StoringReason = keyof typeof storingReasons;

/** Why a value has no buffer. */
export const computingReasons = {
  view: 'a view: its readers read what it shows',
  single: 'read by one value only',
  skipped: 'a border of zeros below a convolution: products with it are left out',
  cheap: 'computing it for each reader is no dearer than storing it',
} as const;

export type ComputingReason = keyof typeof computingReasons;

export interface Why<Reason extends string> {
  readonly reason: Reason;
  /** What was weighed; null for a rule. */
  readonly costs: Costs | null;
}

/** Whether a value has a buffer. */
export interface IsStored {
  has(node: Node): boolean;
}

export class StoredValues implements IsStored {
  readonly #stored: Map<Node, Why<StoringReason>>;
  readonly #computed: Map<Node, Why<ComputingReason>>;

  constructor(from: StoredValues | null = null) {
    this.#stored = new Map(from ? from.#stored : []);
    this.#computed = new Map(from ? from.#computed : []);
  }

  has(node: Node): boolean {
    return this.#stored.has(node);
  }

  /** Gives a value a buffer; the first reason stays. */
  add(node: Node, reason: StoringReason, costs: Costs | null = null): void {
    if (!this.#stored.has(node)) this.#stored.set(node, { reason, costs });
  }

  /** Takes the buffer of a value away. */
  delete(node: Node): void {
    this.#stored.delete(node);
  }

  /** Notes why a value got none. */
  compute(node: Node, reason: ComputingReason, costs: Costs | null = null): void {
    this.#computed.set(node, { reason, costs });
  }

  whyStored(node: Node): Why<StoringReason> | null {
    return this.#stored.get(node) ?? null;
  }

  whyComputed(node: Node): Why<ComputingReason> {
    return this.#computed.get(node) ?? { reason: 'single', costs: null };
  }
}
