// A process that loads and runs mutated files of saved plans, and tells what became of each. Whoever starts it watches:
// a process that says nothing for long hangs, one that ends early has crashed.
//
//     node attack-plans.js FIRST END FILE …      mutants FIRST … END − 1 of the files

import { readFileSync } from 'node:fs';
import { HeddleError } from '../../runtime/errors.ts';
import { Executor, loadPlans, type Plan, type RunInput } from '../../runtime/index.ts';
import { makeData } from '../../runtime/tensor.ts';
import { arena, makePlan, variable } from '../runtime/plans.ts';
import { mutate } from './mutate-plans.ts';
import { seededRandom } from './random.ts';

/**
 * `refused`, with the reason; `same`: it gives what the file does that it was made of; `other`: it is another plan, which
 * gives something else, or which the engine `stopped` at the border of memory, with variables as before; `not run`: its
 * code is another's, which was loaded and not run. All else is a failure.
 */
export interface Report {
  readonly seed: number;
  readonly what: string;
  /** Its checksums were right. */
  readonly isResealed: boolean;
  readonly outcome: 'refused' | 'same' | 'other' | 'stopped' | 'not run' | 'failure';
  readonly detail: string;
}

const guardElements = 4096;
const guard = Int32Array.from({ length: guardElements }, (_, i) => i * 2654435761);

/** A plan whose variable lies in memory and must stay what it is. */
async function guardPlan(name: string): Promise<Plan> {
  return makePlan('wasm', {
    entry: name,
    arenaBytes: 16,
    variables: [{ name, dtype: 'i32', shape: [guardElements], order: [0], trainable: false, updated: true }],
    kernels: [{ name: 'none', params: [{ access: 'read', bytes: 4 }], wat: '', js: '' }],
    steps: [{ label: name, kernel: 0, units: 1, args: [variable(0, 'current')] }],
    outputs: [{ name: 'none', dtype: 'f32', shape: [], order: [], location: arena(0) }],
  });
}

/** Numbers that fit the input; the same for the same place and size. */
function feed(input: Plan['manifest']['inputs'][number], at: number): RunInput {
  const data = makeData(
    input.dtype,
    input.shape.reduce((n, d) => n * d, 1),
  );
  const random = seededRandom(at);
  for (let i = 0; i < data.length; i++) {
    data[i] = input.dtype === 'f32' ? random.uniform(-1, 1) : input.dtype === 'bool' ? i % 2 : i % 3;
  }
  return data;
}

interface Effect {
  readonly text: string;
  /** A guard was overwritten. */
  readonly isOutOfBounds: boolean;
}

/** What a file does: outputs and variables after each of its plans has run, between two guards. */
async function effectOf(bytes: Uint8Array): Promise<Effect> {
  const { plans, variables } = loadPlans(bytes);
  const executor = await Executor.create({ threads: 1, maximumBytes: 2 ** 28 });
  try {
    await executor.load(await guardPlan('guard/below'), () => guard);
    const loaded = [];
    for (const plan of plans) {
      loaded.push(await executor.load(plan, ({ name }) => variables.get(name)?.data));
    }
    await executor.load(await guardPlan('guard/above'), () => guard);
    const lines: string[] = [];
    for (const plan of loaded) {
      const { entry, inputs } = plan.manifest;
      const feeds = Object.fromEntries(inputs.map((input, i) => [input.name, feed(input, i)]));
      lines.push(`${entry}(${inputs.map((i) => i.name)})`);
      for (const [name, value] of Object.entries(await executor.run(plan, feeds))) {
        lines.push(
          `${name} ${value.dtype}[${value.shape}] ${Buffer.from(value.data.buffer as ArrayBuffer).toString('base64')}`,
        );
      }
    }
    for (const name of executor.variableNames().filter((n) => !n.startsWith('guard/'))) {
      const value = executor.get(name);
      lines.push(
        `${name} ${value.dtype}[${value.shape}] ${Buffer.from(value.data.buffer as ArrayBuffer).toString('base64')}`,
      );
    }
    const isWhole = ['guard/below', 'guard/above'].every((name) =>
      executor.get(name).data.every((v, i) => v === guard[i]),
    );
    return { text: lines.join('\n'), isOutOfBounds: !isWhole };
  } finally {
    await executor.dispose();
  }
}

async function attack(
  files: readonly Uint8Array[],
  expected: readonly string[],
  seed: number,
): Promise<Report> {
  const { what, bytes, isResealed, isRebound, isCode, from } = mutate(files, seed);
  const report = (outcome: Report['outcome'], detail = ''): Report => ({
    seed,
    what,
    isResealed,
    outcome,
    detail,
  });
  try {
    if (isCode) {
      const { plans } = loadPlans(bytes);
      const executor = await Executor.create({ threads: 1, maximumBytes: 2 ** 28 });
      try {
        for (const plan of plans) await executor.load(plan);
      } finally {
        await executor.dispose();
      }
      return report('not run');
    }
    const effect = await effectOf(bytes);
    if (effect.isOutOfBounds) return report('failure', 'it wrote where it has nothing');
    if (effect.text === expected[from]) return report('same');
    // Values of variables are data: other values make another file.
    const isOwn = isRebound || (isResealed && /section of kind [45]/.test(what));
    return isOwn ? report('other') : report('failure', 'a change went unseen');
  } catch (error) {
    if (!(error instanceof HeddleError)) return report('failure', String((error as Error)?.stack ?? error));
    if (error.code === 'HDL1003') return report(isRebound ? 'stopped' : 'failure', error.message);
    if (error.code === 'HDL1099') return report('failure', error.message);
    return report('refused', error.message.split('\n')[0]!);
  }
}

if (process.send !== undefined) {
  const [first, end, ...paths] = process.argv.slice(2);
  const files = paths.map((path) => new Uint8Array(readFileSync(path)));
  const expected: string[] = [];
  for (const file of files) expected.push((await effectOf(file)).text);
  for (let seed = Number(first); seed < Number(end); seed++) {
    process.send({ begins: seed });
    process.send(await attack(files, expected, seed));
  }
  process.disconnect();
}
