// @node-only
// heddle view: one HTML file that shows what the compiler made of a program.

import { basename } from 'node:path';
import { formatBytes } from '../../describe.ts';
import { type ChoiceFlags, chooseEntry } from '../choose.ts';
import { feedsFor } from '../feeds.ts';
import { type LoadOptions, loadProgram } from '../load.ts';
import { note, writeFile } from '../output.ts';

export interface ViewFlags extends ChoiceFlags {
  readonly output: string;
  readonly all?: boolean;
  readonly profile?: boolean;
  readonly runs: number;
  readonly inputs?: string;
  readonly title?: string;
}

export async function view(path: string, flags: ViewFlags, how: LoadOptions): Promise<void> {
  const program = await loadProgram(path, how);
  try {
    const choice = chooseEntry(program, flags, note);
    const { entry, dims } = choice;
    const title = flags.title ?? basename(path);
    const profile = flags.profile
      ? await program.profile(entry, feedsFor(program, choice, flags.inputs), { runs: flags.runs })
      : undefined;
    if (flags.all) {
      // The one that was chosen first; of others the sizes that they share with it.
      await program.compile(entry, dims);
      for (const other of program.entries) {
        if (other.name === entry) continue;
        const shared = Object.fromEntries(Object.entries(dims).filter(([name]) => other.dims.includes(name)));
        const chosen = chooseEntry(program, { entry: other.name, dims: shared }, note);
        await program.compile(chosen.entry, chosen.dims);
      }
    }
    const html = await program.view(undefined, { ...(flags.all ? {} : choice), title, profile });
    writeFile(flags.output, html);
    note(`${flags.output}: ${formatBytes(html.length)}`);
  } finally {
    await program.dispose();
  }
}
