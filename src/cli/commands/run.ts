// @node-only
// heddle run: runs an entry, once or for some steps, and prints what it returns.

import type { RunTensor } from '../../../runtime/tensor.ts';
import { type ChoiceFlags, chooseEntry } from '../choose.ts';
import { feedsFor } from '../feeds.ts';
import { type LoadOptions, loadProgram } from '../load.ts';
import { note, writeOut } from '../output.ts';

export interface RunFlags extends ChoiceFlags {
  readonly inputs?: string;
  readonly steps: number;
  readonly json?: boolean;
  readonly output?: string;
}

export async function run(path: string, flags: RunFlags, how: LoadOptions): Promise<void> {
  const program = await loadProgram(path, how);
  try {
    const choice = chooseEntry(program, flags, note);
    const feeds = feedsFor(program, choice, flags.inputs);
    if (flags.inputs === undefined) note('made-up inputs, since --inputs does not say');
    const start = performance.now();
    let outputs: Record<string, RunTensor> = {};
    for (let step = 0; step < flags.steps; step++)
      outputs = (await program.run(choice.entry, feeds)) as Record<string, RunTensor>;
    const ms = performance.now() - start;
    if (flags.json) {
      const plain = Object.entries(outputs).map(([name, { dtype, shape, data }]) => [
        name,
        // JSON has no NaN: such numbers are texts.
        { dtype, shape, data: Array.from(data, (x) => (Number.isFinite(x) ? x : String(x))) },
      ]);
      writeOut(JSON.stringify(Object.fromEntries(plain)), flags.output);
      return;
    }
    const lines = Object.entries(outputs).map(([name, value]) => `${name}: ${describe(value)}`);
    writeOut(lines.join('\n'), flags.output);
    note(
      `${flags.steps} step${flags.steps === 1 ? '' : 's'} in ${ms.toFixed(1)} ms, the first with its compilation`,
    );
  } finally {
    await program.dispose();
  }
}

/** `f32[32, 10] 0.1, 0.25, … (min -1, max 2, mean 0.5)` */
function describe({ dtype, shape, data }: RunTensor): string {
  const shown = Array.from(data.slice(0, 8), (x) => Number(x.toPrecision(6))).join(', ');
  const type = `${dtype}[${shape.join(', ')}]`;
  if (data.length <= 8) return `${type} ${shown}`;
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const x of data) {
    min = Math.min(min, x);
    max = Math.max(max, x);
    sum += x;
  }
  const round = (x: number): number => Number(x.toPrecision(6));
  return `${type} ${shown}, … (min ${round(min)}, max ${round(max)}, mean ${round(sum / data.length)})`;
}
