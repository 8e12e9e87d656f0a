// The tests of a group of rare selects (rare-groups.ts), collected while its values are computed: does any hold, in any lane? Tests
// whether integers are greater than one constant, as those for unusual numbers are, are one test of the largest.

import type { Expr } from '../../kernel/expr.ts';
import type { ValueEmitter } from './emitter.ts';
import type { Code } from './encoder.ts';

export class RareTests {
  readonly #code: Code;
  readonly #local: () => number;
  /** Holds what conditions hold; null: no test yet. */
  #any: number | null = null;
  /** The largest of what is compared with a constant, by the constant. */
  readonly #largest = new Map<number, number>();

  /** `local` makes a vector local that lasts until `emit`. */
  constructor(code: Code, local: () => number) {
    this.#code = code;
    this.#local = local;
  }

  /** Computes a condition and keeps it. */
  add(to: ValueEmitter, cond: Expr): void {
    const code = this.#code;
    if (
      cond.kind === 'compare' &&
      cond.fn === 'gt' &&
      cond.operandType === 'i32' &&
      cond.y.kind === 'const'
    ) {
      to.emit(cond.x);
      const known = this.#largest.get(cond.y.value);
      if (known !== undefined) {
        code.get(known);
        code.op('i32x4.max_s');
      }
      const largest = known ?? this.#local();
      code.set(largest);
      this.#largest.set(cond.y.value, largest);
      return;
    }
    to.emit(cond);
    this.#keep();
  }

  /** Leaves on the stack what is not 0 when any test holds. */
  emit(to: ValueEmitter): void {
    const code = this.#code;
    for (const [limit, largest] of this.#largest) {
      code.get(largest);
      code.get(to.splat(limit >>> 0));
      code.op('i32x4.gt_s');
      this.#keep();
    }
    code.get(this.#any!);
    code.op('i32x4.bitmask');
  }

  /** The mask on the stack. */
  #keep(): void {
    const code = this.#code;
    if (this.#any === null) this.#any = this.#local();
    else {
      code.get(this.#any);
      code.op('v128.or');
    }
    code.set(this.#any);
  }
}
