// @node-only
// heddle dump: the text of a stage.

import { checkStage, type DumpOptions, type DumpStage } from '../../../compiler/compile.ts';
import { type ChoiceFlags, chooseEntry } from '../choose.ts';
import { type LoadOptions, loadProgram } from '../load.ts';
import { note, writeOut } from '../output.ts';
import { UserError } from '../user-error.ts';

export interface DumpFlags extends ChoiceFlags {
  readonly full?: boolean;
  readonly kernel?: string;
  readonly passes?: boolean;
  readonly before?: string;
  readonly after?: string;
  readonly onlyChanged?: boolean;
  readonly depth?: number;
  readonly json?: boolean;
  readonly dot?: boolean;
  readonly output?: string;
}

export async function dump(
  path: string,
  stage: string | undefined,
  flags: DumpFlags,
  how: LoadOptions,
): Promise<void> {
  const wanted = stageOf(stage, flags);
  const program = await loadProgram(path, how);
  try {
    const choice = chooseEntry(program, flags, note);
    const kernel =
      flags.kernel !== undefined && /^\d+$/.test(flags.kernel) ? Number(flags.kernel) : flags.kernel;
    const { full, onlyChanged, depth } = flags;
    const side: DumpOptions['side'] =
      flags.before === undefined ? (flags.after === undefined ? undefined : 'after') : 'before';
    writeOut(program.dump(wanted, { ...choice, full, kernel, onlyChanged, depth, side }), flags.output);
  } finally {
    await program.dispose();
  }
}

/** One stage: by its name or by a flag that stands for one. */
function stageOf(stage: string | undefined, flags: DumpFlags): DumpStage {
  const asked = [
    ...(stage === undefined ? [] : [stage]),
    ...(flags.passes ? ['passes'] : []),
    ...(flags.before === undefined ? [] : [`pass:${flags.before}`]),
    ...(flags.after === undefined ? [] : [`pass:${flags.after}`]),
    ...(flags.json ? ['json'] : []),
    ...(flags.dot ? ['dot'] : []),
  ];
  const usual = flags.kernel === undefined ? 'plan' : 'kernels';
  if (asked.length > 1) throw new UserError(`one stage at a time, not ${asked.join(' and ')}`);
  const [wanted = usual] = asked;
  checkStage(wanted);
  return wanted;
}
