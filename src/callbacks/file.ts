// Files that callbacks write, where the host has any.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

export interface FileWriter {
  /** Writes the file anew; it appears whole or not at all. */
  readonly replace: (bytes: Uint8Array) => Promise<void>;
  /** Adds text; the first call starts the file anew. */
  readonly append: (text: string) => Promise<void>;
}

/** Throws HDL0017 where there are no files, as in browsers. */
export function fileWriter(fn: string, path: string): FileWriter {
  if (typeof process !== 'object' || process.versions?.node === undefined) {
    throw compilerError('HDL0017', {
      what: `${fn} to '${path}'`,
      rule: 'this host has no files',
      hint: 'give a function in place of the path',
      loc: callerLocation(),
    });
  }
  let isBegun = false;
  return {
    replace: async (bytes) => {
      const fs = await import('node:fs/promises');
      await fs.writeFile(`${path}.part`, bytes);
      await fs.rename(`${path}.part`, path);
    },
    append: async (text) => {
      const fs = await import('node:fs/promises');
      await (isBegun ? fs.appendFile(path, text) : fs.writeFile(path, text));
      isBegun = true;
    },
  };
}
