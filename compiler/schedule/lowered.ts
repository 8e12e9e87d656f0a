// What lowering hands to scheduling: kernels, the buffers that they read and write, and the calls in a valid order.
// No offsets, no workers yet. A buffer is a value that lies in memory; its id is its position in `buffers`.

import type { Location } from '../../runtime/plan.ts';
import type { Node, Payload } from '../graph/ir.ts';
import type { TensorType } from '../graph/types.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Kernel } from '../kernel/ir.ts';

export type BufferId = number & { readonly __brand: 'BufferId' };

export interface Buffer {
  readonly id: BufferId;
  /** The user's name of the value, or scope and op. */
  readonly name: string;
  /** Logical type, as in the graph. */
  readonly type: TensorType;
  /** Order of dimensions in memory, outermost first: the identity is row-major. */
  readonly order: readonly number[];
  readonly bytes: number;
  readonly home: Home;
  /** The graph value, for dumps. */
  readonly node: Node | null;
  /** The buffer that holds the same value, computed before (rematerialize.ts). */
  readonly copyOf?: BufferId;
}

export type Home =
  /** Scratch: the planner gives it an offset. `input`: filled before the first step; `output`: read after the last. */
  | { readonly kind: 'arena'; readonly role: 'temporary' | 'input' | 'output' }
  | { readonly kind: 'constant'; readonly payload: Payload }
  | { readonly kind: 'variable'; readonly variable: number; readonly bank: 'current' | 'next' }
  | { readonly kind: 'flags' }
  /**
   * A part of another buffer, that moves from one iteration of a loop to the next: in iteration t it begins
   * `offset + stride · (t mod period)` elements further on, without a period `offset + stride · t`. Within an iteration
   * views that are written meet no others.
   */
  | {
      readonly kind: 'view';
      readonly of: BufferId;
      readonly offset: number;
      readonly stride: number;
      readonly period?: number;
    };

export interface LoweredStep {
  /** Scope path and ops, in the user's words. */
  readonly label: string;
  /** The graph values that it computes, alone or together with the steps that follow it: for dumps. */
  readonly nodes?: readonly Node[];
  readonly kernel: Kernel;
  /** One buffer per kernel parameter. A buffer may be an argument twice only if both are reads. */
  readonly args: readonly BufferId[];
  /** Elements from the start of each argument to the address that the kernel is given; absent: 0. Of arena and constants. */
  readonly bases?: readonly number[];
  /** Key of the contraction that it is, or is a part of: packing, what is made of the sums (lower/contractions.ts). */
  readonly contraction?: string;
  /** While a program is scheduled: the loop that the step stands for (fold-loops.ts). */
  readonly loop?: number;
  /** Runs a second time what another step has done, into buffers of its own (rematerialize.ts). */
  readonly isCopy?: true;
}

/** Bytes from the start of an argument's buffer to the address that the kernel is given. */
export function baseBytes({ kernel, bases }: LoweredStep, param: number): number {
  return bases === undefined ? 0 : bases[param]! * elementBytes(kernel.params[param]!.storage);
}

/** The buffer whose accesses order steps: views that never move lie where the buffer lies that they show. */
export function hazardOf(buffers: readonly Buffer[], id: BufferId): BufferId {
  const { home } = buffers[id]!;
  return home.kind === 'view' && home.stride === 0 ? home.of : id;
}

/** The place so many bytes further on. Variables and flags are always passed whole. */
export function moveLocation(l: Location, bytes: number): Location {
  return l.space === 'arena' || l.space === 'constant' ? { ...l, offset: l.offset + bytes } : l;
}

/** Steps [begin, end) run `length` times. Buffers that only they touch are temporaries of one iteration. */
export interface LoweredLoop {
  /** In the user's words. */
  readonly label: string;
  readonly begin: number;
  readonly end: number;
  readonly length: number;
  /** What all iterations together read and write, and a kernel that stands for them (fold-loops.ts). */
  readonly args: readonly BufferId[];
  readonly kernel: Kernel;
}

export interface LoweredTensor {
  readonly name: string;
  readonly buffer: BufferId;
}

export interface Lowered {
  readonly entry: string;
  readonly buffers: readonly Buffer[];
  readonly steps: readonly LoweredStep[];
  /** In order, and apart; absent: none. */
  readonly loops?: readonly LoweredLoop[];
  readonly inputs: readonly LoweredTensor[];
  readonly outputs: readonly LoweredTensor[];
  /** Variables in order of first appearance; `Home.variable` counts here. */
  readonly variables: readonly {
    readonly name: string;
    readonly type: TensorType;
    readonly order: readonly number[];
    readonly trainable: boolean;
    readonly updated: boolean;
  }[];
  readonly sites: readonly {
    readonly kind: 'index' | 'finite';
    readonly label: string;
    readonly loc: string | null;
    readonly size: number;
  }[];
}
