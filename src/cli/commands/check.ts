// @node-only
// heddle check: compiles every entry with all that can be verified. Each pass is checked, texts of graphs and plans are read
// back, kernels are examined, and the plan is proved safe for every interleaving of workers; then a saved program is
// loaded again. Nothing is run.

import { HeddleError } from '../../../runtime/errors.ts';
import { loadPlans } from '../../../runtime/file.ts';
import { type ChoiceFlags, chooseEntry } from '../choose.ts';
import { isHeddleError, type LoadOptions, loadProgram } from '../load.ts';
import { note, writeOut } from '../output.ts';
import { UserError } from '../user-error.ts';

export interface CheckFlags extends ChoiceFlags {
  readonly json?: boolean;
}

interface Result {
  readonly entry: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly ms: number;
  /** Null when all is well. */
  readonly error: string | null;
}

export async function check(path: string, flags: CheckFlags, how: LoadOptions): Promise<void> {
  const program = await loadProgram(path, how);
  try {
    const names = flags.entry === undefined ? program.entries.map((e) => e.name) : [flags.entry];
    const results: Result[] = [];
    for (const entry of names) {
      const dims = knownDims(program.entries.find((e) => e.name === entry)?.dims ?? [], flags.dims ?? {});
      const choice = chooseEntry(program, { entry, dims: flags.entry ? (flags.dims ?? {}) : dims }, note);
      const start = performance.now();
      const done = (steps: number, error: string | null): void => {
        results.push({ ...choice, steps, ms: performance.now() - start, error });
      };
      try {
        done(program.inspect(choice).steps.length, null);
      } catch (error) {
        if (!(error instanceof HeddleError || isHeddleError(error))) throw error;
        done(0, error.message);
      }
    }
    const isFine = results.every((r) => r.error === null);
    if (isFine) loadPlans(await program.save());
    if (flags.json) writeOut(JSON.stringify({ ok: isFine, entries: results }, null, 2));
    else writeOut(results.map(line).join('\n'));
    if (!isFine) throw new UserError(`${path} does not pass`);
  } finally {
    await program.dispose();
  }
}

/** Sizes of other entries are no mistake when all are checked. */
function knownDims(names: readonly string[], dims: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(dims).filter(([name]) => names.includes(name)));
}

function line({ entry, dims, steps, ms, error }: Result): string {
  const sizes = Object.entries(dims).map(([name, size]) => `${name}=${size}`);
  const title = sizes.length === 0 ? entry : `${entry}(${sizes.join(', ')})`;
  return error === null
    ? `${title}: fine; ${steps} steps proved safe in ${(ms / 1000).toFixed(1)} s`
    : `${title}: ${error}`;
}
