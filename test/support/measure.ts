// Measures how far the elementwise functions are from their exact values, on a target.

import * as h from '../../src/index.ts';
import type { MeasuredFunction } from './functions.ts';
import { sample, ulps } from './ulps.ts';

export type Variant = keyof MeasuredFunction['ulps'];

export const variants: Readonly<Record<Variant, Pick<h.ProgramOptions, 'target' | 'relaxed'>>> = {
  wasm: { target: 'wasm', relaxed: false },
  fused: { target: 'wasm', relaxed: true },
  js: { target: 'js' },
};

/** A function as a program over `count` elements at a time. */
export class Measurement {
  readonly #f: MeasuredFunction;
  readonly #count: number;
  readonly #program: h.Program;

  constructor(f: MeasuredFunction, variant: Variant, count: number) {
    this.#f = f;
    this.#count = count;
    const floats = h.tensor([count]);
    this.#program = h.program(
      { run: h.entry({ x: floats, y: floats }, ({ x, y }) => ({ z: f.apply(x!, y!) })) },
      { threads: 1, ...variants[variant] },
    ) as unknown as h.Program;
  }

  /** Values of the function for these operands, filled up to the count. */
  async values(x: readonly number[], y: readonly number[] = []): Promise<Float32Array> {
    const { z } = await this.#program.run('run', { x: this.#filled(x), y: this.#filled(y) });
    return z!.data.slice(0, x.length) as Float32Array;
  }

  /** The largest error over `parts` samples, and where. */
  async worst(parts: number): Promise<{ readonly ulps: number; readonly at: string }> {
    const { near, second, exact } = this.#f;
    let worst = { ulps: 0, at: '' };
    for (let part = 0; part < parts; part++) {
      const x = sample(near, this.#count, part, parts);
      // Every pair of a near and a far operand occurs: the second sample runs through in large steps.
      const turned = sample(second ?? [1, 2], this.#count, part, parts);
      const y = turned.map((_, i) => turned[(i * 7919 + part) % this.#count]!);
      const { z } = await this.#program.run('run', { x, y });
      x.forEach((v, i) => {
        const want = exact(v, y[i]!);
        const error = ulps(z!.data[i]!, want);
        if (!(error <= worst.ulps))
          worst = { ulps: error, at: `at ${second ? `${v}, ${y[i]}` : v}: ${z!.data[i]}, not ${want}` };
      });
    }
    return worst;
  }

  async dispose(): Promise<void> {
    await this.#program.dispose();
  }

  #filled(values: readonly number[]): Float32Array {
    return Float32Array.from({ length: this.#count }, (_, i) => values[i] ?? 1);
  }
}
