// What a run of many steps returns: which outputs are kept of each step, where, and in which form they come out.

import { runtimeError } from './errors.ts';
import type { LinearMemory } from './memory.ts';
import type { PlanPlacement } from './plan.ts';
import type { Program } from './program.ts';
import { elementCount, formatTensor, makeData, type RunData, type RunTensor, tensorBytes } from './tensor.ts';
import { readInto } from './variables.ts';

/** Of an output: what is kept of it. */
export type Keep = 'each' | 'last' | 'none';

/** Small enough to be kept of each step unless somebody says otherwise. */
const keptBytes = 4096;

/** What is kept of an output of so many bytes. */
export function howToKeep(keep: Keep | Readonly<Record<string, Keep>>, name: string, bytes: number): Keep {
  if (typeof keep === 'string') return keep;
  return keep[name] ?? (bytes <= keptBytes ? 'each' : 'last');
}

/** An output of which every step is kept. */
export class Kept {
  readonly output: PlanPlacement;
  /** Of one step. */
  readonly bytes: number;
  /** In staging memory. */
  offset = 0;
  readonly #data: RunData;
  readonly #elements: number;

  constructor(output: PlanPlacement, steps: number) {
    this.output = output;
    this.bytes = tensorBytes(output);
    this.#elements = elementCount(output.shape);
    this.#data = makeData(output.dtype, steps * this.#elements);
  }

  /** Takes the values of `count` steps, which become those from step `first` on. */
  read(memory: LinearMemory, address: number, first: number, count: number): void {
    const all = [count, ...this.output.shape];
    const order = [0, ...this.output.order.map((d) => d + 1)];
    const begin = first * this.#elements;
    const part = this.#data.subarray(begin, begin + count * this.#elements);
    readInto(memory, { dtype: this.output.dtype, shape: all, order }, address, part);
  }

  result(done: number): RunTensor {
    const { dtype, shape } = this.output;
    const length = done * this.#elements;
    const data = length === this.#data.length ? this.#data : this.#data.slice(0, length);
    return { dtype, shape: [done, ...shape], data };
  }
}

/** Outputs that are named exist, and what is watched is one f32. */
export function checkOutputs(program: Program, names: readonly string[], watch: string | undefined): void {
  const { outputs, entry } = program.manifest;
  const known = outputs.map((output) => `'${output.name}' ${formatTensor(output)}`).join(', ') || 'none';
  for (const name of watch === undefined ? names : [...names, watch]) {
    if (outputs.some((output) => output.name === name)) continue;
    throw runtimeError('HDL1001', {
      what: `'${entry}' has no output '${name}'`,
      rule: 'what is kept or watched is an output of the entry point',
      hint: `its outputs are ${known}`,
    });
  }
  const watched = outputs.find((output) => output.name === watch);
  if (watched === undefined || (watched.dtype === 'f32' && elementCount(watched.shape) === 1)) return;
  throw runtimeError('HDL1001', {
    what: `output '${watched.name}' of '${entry}' is ${formatTensor(watched)} and cannot be watched`,
    rule: 'what is watched is one f32',
    hint: 'watch the loss',
  });
}
