// Files that a person asks for, where the host has any: of callbacks, and of `save`.

import { expectFiles, replaceFile } from '../files.ts';

export interface FileWriter {
  /** Writes the file anew; it appears whole or not at all. */
  readonly replace: (bytes: Uint8Array) => Promise<void>;
  /** Adds text; the first call starts the file anew. */
  readonly append: (text: string) => Promise<void>;
}

/** Throws HDL0017 where there are no files, as in browsers. */
export function fileWriter(
  fn: string,
  path: string,
  instead = 'give a function in place of the path',
): FileWriter {
  expectFiles(`${fn} to '${path}'`, instead);
  let isBegun = false;
  return {
    replace: (bytes) => replaceFile(path, bytes),
    append: async (text) => {
      const fs = await import('node:fs/promises');
      await (isBegun ? fs.appendFile(path, text) : fs.writeFile(path, text));
      isBegun = true;
    },
  };
}
