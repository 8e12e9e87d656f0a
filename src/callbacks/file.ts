// Files that callbacks write, where the host has any.

import { expectFiles, replaceFile } from '../files.ts';

export interface FileWriter {
  /** Writes the file anew; it appears whole or not at all. */
  readonly replace: (bytes: Uint8Array) => Promise<void>;
  /** Adds text; the first call starts the file anew. */
  readonly append: (text: string) => Promise<void>;
}

/** Throws HDL0017 where there are no files, as in browsers. */
export function fileWriter(fn: string, path: string): FileWriter {
  expectFiles(`${fn} to '${path}'`, 'give a function in place of the path');
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
