// What the parts of expression emission share: loads, arithmetic and checks write code through this.

import type { Index } from '../../kernel/affine.ts';
import type { Expr } from '../../kernel/expr.ts';
import type { Kernel, Lanes } from '../../kernel/ir.ts';
import type { Code } from './encoder.ts';
import type { ValueType } from './opcodes.ts';

export type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

export interface ValueEmitter {
  readonly kernel: Kernel;
  readonly code: Code;
  /** Fused multiply-add may be used. */
  readonly relaxed: boolean;
  /** Collects the tests of rare selects, which then leave out their rare sides; null: each tests for itself. */
  readonly tests: { readonly add: (to: ValueEmitter, cond: Expr) => void } | null;
  /** Lanes that the statement computes. */
  readonly lanes: Lanes;
  /** Leaves the value on the stack. */
  emit(e: Expr): void;
  /** Leaves the value on the stack, in code that may not run: what it computes is not used after it. */
  side(e: Expr): void;
  /** The local that holds a value. */
  toLocal(e: Expr): number;
  /** The local with the same 32 bits in all lanes. */
  splat(bits: number): number;
  /** A local until the end of the statement. */
  temporary(type: ValueType, name: string): number;
  /** The local with the address of an access, and the immediate to add. */
  pointer(
    param: number,
    index: Index,
    laneStride: number,
  ): { readonly local: number; readonly offset: number };
  /** The local with the address of the flags. */
  flags(): number;
  /** How often the statement reads an expression. */
  uses(e: Expr): number;
  /** HDL0017: the target has no code for something. */
  unknown(what: string): Error;
}
