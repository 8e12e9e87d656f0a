// A saved file, ready to run: what an application ships instead of the compiler.
//
// Invariant: a file that is refused leaves nothing behind, neither threads nor memory.

import { runtimeError } from './errors.ts';
import { Executor, type ExecutorOptions, type LoadedPlan } from './executor.ts';
import { type LoadPlansOptions, loadPlans, type SavedPlans } from './file.ts';
import type { PlanTensor } from './plan.ts';
import { readSource } from './source.ts';
import { elementCount, formatTensor, type RunInput, type RunTensor } from './tensor.ts';

export interface LoadOptions extends LoadPlansOptions, ExecutorOptions {
  /**
   * Values of variables by name, row-major, in place of those of the file: all of them, where it was saved without
   * weights.
   */
  readonly weights?: Readonly<Record<string, RunInput>> | ReadonlyMap<string, RunTensor>;
}

/** An entry point for certain sizes, as the file has it. */
export interface SavedEntry {
  readonly entry: string;
  readonly inputs: readonly PlanTensor[];
  readonly outputs: readonly PlanTensor[];
}

/**
 * Loads what `program.save` has written: bytes, or a path in Node, or a URL. Everything is checked before any of it is
 * compiled. Throws HDL1006 with the reason for a file that is not whole, of another version, for features that this
 * engine lacks, or without values for its variables; HDL1001 for values that do not fit; HDL1007, HDL1003.
 *
 * @example
 * const net = await load('net.heddle');
 * const { y } = await net.run('predict', { x: new Float32Array(784) });   // y: { dtype, shape, data }
 * await net.dispose();
 */
export async function load(
  source: Uint8Array | string | URL,
  options: LoadOptions = {},
): Promise<SavedProgram> {
  const { weights, relaxed, trust, ...rest } = options;
  const bytes = await readSource(source);
  const saved = loadPlans(bytes, { ...(relaxed === undefined ? {} : { relaxed }), ...(trust && { trust }) });
  const values = initialValues(saved, weights);
  const executor = await Executor.create(rest);
  try {
    const plans: LoadedPlan[] = [];
    for (const plan of saved.plans) {
      plans.push(await executor.load(plan, ({ name }) => values.get(name)));
    }
    return new SavedProgram(executor, plans);
  } catch (error) {
    await executor.dispose();
    throw error;
  }
}

/** A value for every variable. */
function initialValues(saved: SavedPlans, weights: LoadOptions['weights']): Map<string, RunInput> {
  const given = new Map<string, RunInput>();
  const known = new Set(saved.plans.flatMap(({ manifest }) => manifest.variables.map((v) => v.name)));
  for (const [name, { data }] of saved.variables) given.set(name, data);
  const own = weights instanceof Map ? [...weights] : Object.entries(weights ?? {});
  for (const [name, value] of own as [string, RunInput | RunTensor][]) {
    if (!known.has(name)) {
      throw runtimeError('HDL1008', {
        what: `a value is given for '${name}', which is no variable of the file`,
        rule: 'weights are values of its variables, by name',
        hint: `it has ${[...known].slice(0, 12).join(', ') || 'none'}`,
      });
    }
    given.set(name, 'data' in value ? value.data : (value as RunInput));
  }
  const missing = [...known].filter((name) => !given.has(name));
  if (missing.length === 0) return given;
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  throw runtimeError('HDL1006', {
    what: `saved plans cannot be loaded: there is no value for ${missing.slice(0, 3).join(', ')}${more}`,
    rule: 'a file that was saved without weights gets the value of every variable when it is loaded',
    hint: "pass weights: { 'name': values, … } to load, or save it with its weights",
  });
}

/** Plans of a file in an executor of their own. Made by `load`. */
export class SavedProgram {
  /** What runs them: for runs of many steps, profiles and inputs that are written in place. */
  readonly executor: Executor;
  readonly plans: readonly LoadedPlan[];

  constructor(executor: Executor, plans: readonly LoadedPlan[]) {
    this.executor = executor;
    this.plans = plans;
  }

  /** What can be run. */
  get entries(): readonly SavedEntry[] {
    const plain = ({ name, dtype, shape }: PlanTensor): PlanTensor => ({ name, dtype, shape });
    return this.plans.map(({ manifest: { entry, inputs, outputs } }) => ({
      entry,
      inputs: inputs.map(plain),
      outputs: outputs.map(plain),
    }));
  }

  /**
   * Runs an entry, for the sizes that the inputs have, and commits what it updates. Throws HDL1008 (no such entry),
   * HDL1001 (inputs that fit none of its sizes), and as `Executor.run`.
   */
  async run(entry: string, inputs: Readonly<Record<string, RunInput>>): Promise<Record<string, RunTensor>> {
    return this.executor.run(this.find(entry, inputs), inputs);
  }

  /** The plan of an entry for inputs of these sizes. Throws HDL1008, HDL1001. */
  find(entry: string, inputs: Readonly<Record<string, RunInput>>): LoadedPlan {
    const named = this.plans.filter(({ manifest }) => manifest.entry === entry);
    if (named.length === 0) {
      const known = new Set(this.plans.map(({ manifest }) => manifest.entry));
      throw runtimeError('HDL1008', {
        what: `the file has no entry '${entry}'`,
        rule: 'a saved program has the entries that were compiled when it was saved',
        hint: `it has ${[...known].join(', ') || 'none'}`,
      });
    }
    const fits = ({ manifest }: LoadedPlan): boolean =>
      manifest.inputs.every(({ name, shape }) => inputs[name]?.length === elementCount(shape));
    // Of a single one, the executor says what does not fit.
    const found = named.length === 1 ? named[0] : named.find(fits);
    if (found !== undefined) return found;
    const sizes = named.map(({ manifest }) =>
      manifest.inputs.map((i) => `'${i.name}' ${formatTensor(i)}`).join(', '),
    );
    throw runtimeError('HDL1001', {
      what: `the inputs of '${entry}' fit none of the ${sizes.length} sizes that it was saved for`,
      rule: 'a plan has fixed shapes',
      hint: `feed one of: ${sizes.join('; ')}`,
    });
  }

  /** A copy of a variable's value. Throws HDL1008. */
  get(name: string): RunTensor {
    return this.executor.get(name);
  }

  /** Sets a variable, row-major, between runs. Throws HDL1008, HDL1001, HDL1009. */
  set(name: string, values: RunInput): void {
    this.executor.set(name, values);
  }

  /** Ends its threads. */
  dispose(): Promise<void> {
    return this.executor.dispose();
  }
}
