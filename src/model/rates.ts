// The learning rates of a training.

import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Program } from '../program.ts';

/** The learning rates of all groups of an optimizer: what a schedule says, or their variables, times a factor. */
export class Rates {
  readonly #rates: Optimizer['rates'];
  readonly #program: Program;
  readonly #schedule: ((step: number) => number) | undefined;
  #factor = 1;

  constructor({ rates }: Optimizer, program: Program, schedule: ((step: number) => number) | undefined) {
    this.#rates = rates;
    this.#program = program;
    this.#schedule = schedule;
  }

  at(step: number): number {
    const [first] = this.#rates;
    if (this.#schedule !== undefined) return this.#schedule(step) * this.#factor;
    return first === undefined ? 0 : this.#program.get(first.variable).data[0]!;
  }

  /** What the rates of a schedule are multiplied by. */
  get factor(): number {
    return this.#factor;
  }

  /** Goes on with the factor of a training before; the variables are restored by whoever restores all. */
  resume(factor: number): void {
    this.#factor = factor;
  }

  scale(factor: number): void {
    this.#factor *= factor;
    if (this.#schedule !== undefined) return;
    for (const { variable } of this.#rates) {
      this.#program.set(variable, this.#program.get(variable).data[0]! * factor);
    }
  }

  /** Values by step for each variable; groups keep their ratios to the first. */
  schedules(): Record<string, (step: number) => number> {
    const schedule = this.#schedule;
    if (schedule === undefined) return {};
    const base = this.#rates[0]?.initial ?? 1;
    const ratios = this.#rates.map(
      ({ variable, initial }) => [variable, base === 0 ? 1 : initial / base] as const,
    );
    const at = (step: number): number => schedule(step) * this.#factor;
    return Object.fromEntries(
      ratios.map(([variable, ratio]) => [variable, (step: number) => at(step) * ratio]),
    );
  }
}
