// @node-only
// heddle profile: where the time goes, as a table, as JSON or as a trace.

import { formatProfile } from '../../profile/index.ts';
import { type ChoiceFlags, chooseEntry } from '../choose.ts';
import { feedsFor } from '../feeds.ts';
import { type LoadOptions, loadProgram } from '../load.ts';
import { note, writeFile, writeOut } from '../output.ts';

export interface ProfileFlags extends ChoiceFlags {
  readonly inputs?: string;
  readonly runs: number;
  readonly top: number;
  readonly kernels?: boolean;
  readonly schedules?: boolean;
  readonly trace?: string;
  readonly json?: boolean;
  readonly output?: string;
}

export async function profile(path: string, flags: ProfileFlags, how: LoadOptions): Promise<void> {
  const program = await loadProgram(path, how);
  try {
    const choice = chooseEntry(program, flags, note);
    const feeds = feedsFor(program, choice, flags.inputs);
    const result = await program.profile(choice.entry, feeds, { runs: flags.runs });
    if (flags.trace !== undefined) {
      writeFile(flags.trace, JSON.stringify(result.trace()));
      note(`${flags.trace}: a trace for chrome://tracing and ui.perfetto.dev`);
    }
    const { top, kernels = false, schedules = false } = flags;
    writeOut(
      flags.json ? JSON.stringify(result, null, 2) : formatProfile(result, { top, kernels, schedules }),
      flags.output,
    );
  } finally {
    await program.dispose();
  }
}
