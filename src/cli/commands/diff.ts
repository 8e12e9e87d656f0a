// @node-only
// heddle diff: what changed between two compilations. Each is a module, or a file that `heddle dump --json` wrote.

import { compareInspections, formatComparison } from '../../../compiler/dump/compare.ts';
import { type Inspection, inspectionFormat } from '../../../compiler/dump/inspection.ts';
import { type ChoiceFlags, chooseEntry } from '../choose.ts';
import { readJson } from '../feeds.ts';
import { type LoadOptions, loadProgram } from '../load.ts';
import { note, writeOut } from '../output.ts';
import { UserError } from '../user-error.ts';

export interface DiffFlags extends ChoiceFlags {
  /** Of the second, where it differs from the first. */
  readonly entryB?: string;
  readonly dimsB?: Readonly<Record<string, number>>;
  readonly exportB?: string;
  readonly full?: boolean;
  readonly json?: boolean;
  readonly output?: string;
  /** End with code 1 when the plans differ. */
  readonly exitCode?: boolean;
}

export async function diff(a: string, b: string, flags: DiffFlags, how: LoadOptions): Promise<void> {
  const { entryB = flags.entry, dimsB = flags.dims, exportB = how.export } = flags;
  const before = await inspectionOf(a, flags, how);
  const after = await inspectionOf(b, { entry: entryB, dims: dimsB }, { ...how, export: exportB });
  const comparison = compareInspections(before, after);
  const most = flags.full ? Number.POSITIVE_INFINITY : 20;
  writeOut(
    flags.json ? JSON.stringify(comparison, null, 2) : formatComparison(comparison, most),
    flags.output,
  );
  if (flags.exitCode && !comparison.isEqual) process.exitCode = 1;
}

async function inspectionOf(path: string, flags: ChoiceFlags, how: LoadOptions): Promise<Inspection> {
  if (path.endsWith('.json')) {
    const value = readJson(path) as Partial<Inspection> | null;
    if (value?.format === inspectionFormat && value.manifest !== undefined && value.kernels !== undefined)
      return value as Inspection;
    throw new UserError(
      `${path} is no inspection of format ${inspectionFormat}\n  try:  heddle dump MODULE --json -o ${path}`,
    );
  }
  const program = await loadProgram(path, how);
  try {
    return program.inspect(chooseEntry(program, flags, note));
  } finally {
    await program.dispose();
  }
}
