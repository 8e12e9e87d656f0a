// Which entry of a program, of which sizes: from flags, or from the program where that leaves no doubt.

import type { Program } from '../program.ts';
import { UserError } from './user-error.ts';

export interface Choice {
  readonly entry: string;
  readonly dims: Readonly<Record<string, number>>;
}

export interface ChoiceFlags {
  readonly entry?: string | undefined;
  readonly dims?: Readonly<Record<string, number>> | undefined;
}

/** What a batch has when nobody says. */
const usualBatch = 32;

/**
 * The entry that is named, the only one, or `train`; sizes as given, and 32 for `batch`. `note` is told of what was assumed.
 * Throws UserError for what is missing or unknown.
 */
export function chooseEntry(
  program: Pick<Program, 'entries'>,
  flags: ChoiceFlags,
  note: (line: string) => void = () => {},
): Choice {
  const { entries } = program;
  const names = entries.map((e) => e.name);
  const name = flags.entry ?? (names.length === 1 ? names[0] : names.find((n) => n === 'train'));
  const found = entries.find((e) => e.name === name);
  if (found === undefined) {
    throw new UserError(
      `${name === undefined ? 'say which entry: --entry NAME' : `there is no entry '${name}'`}\n  the program has ${names.join(', ') || 'none'}`,
    );
  }
  const given = flags.dims ?? {};
  const extra = Object.keys(given).find((d) => !found.dims.includes(d));
  if (extra !== undefined) {
    throw new UserError(
      `--dims ${extra}=${given[extra]}: entry '${found.name}' has no dimension '${extra}'\n  it has ${found.dims.join(', ') || 'none'}`,
    );
  }
  const dims: Record<string, number> = {};
  for (const d of found.dims) {
    const size = given[d] ?? (d === 'batch' ? usualBatch : undefined);
    if (size === undefined) {
      throw new UserError(
        `entry '${found.name}' needs a size for '${d}'\n  try:  --dims ${found.dims.map((n) => `${n}=${given[n] ?? 32}`).join(',')}`,
      );
    }
    if (given[d] === undefined) note(`${d}=${size}, since --dims does not say`);
    dims[d] = size;
  }
  return { entry: found.name, dims };
}

/** Reads `batch=64,time=16`, added to what came before. Throws UserError. */
export function readDims(
  text: string,
  before: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const dims: Record<string, number> = { ...before };
  for (const part of text.split(',')) {
    const [, name, size] = /^\s*([^=\s]+)\s*=\s*(\d{1,9})\s*$/.exec(part) ?? [];
    if (name === undefined || !(Number(size) >= 1))
      throw new UserError(`--dims takes NAME=SIZE, such as batch=64, not '${part}'`);
    dims[name] = Number(size);
  }
  return dims;
}
