// @node-only
// Where a command's text goes: to a file, or to standard output. Notes go to standard error, so that output stays clean.

import { writeFileSync } from 'node:fs';
import { UserError } from './user-error.ts';

export function writeOut(text: string, file?: string): void {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  if (file === undefined) {
    process.stdout.write(whole);
    return;
  }
  writeFile(file, whole);
}

/** Throws UserError where the file cannot be written. */
export function writeFile(file: string, data: string | Uint8Array): void {
  try {
    writeFileSync(file, data);
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

export function note(line: string): void {
  process.stderr.write(`heddle: ${line}\n`);
}
