// Files that a person asks for, where the host has any: of callbacks, and of `save`.

import { nodeModule } from '../../runtime/node.ts';
import { expectFiles, replaceFile } from '../files.ts';

export interface FileWriter {
  /** Writes the file anew; it appears whole or not at all. */
  readonly replace: (bytes: Uint8Array) => Promise<void>;
  /** Adds text; the first call starts the file anew. */
  readonly append: (text: string) => Promise<void>;
  /** Bytes appended so far. */
  readonly length: () => number;
  /** Goes on behind so many bytes of what was appended before, in this process or another. */
  readonly continueAt: (length: number) => Promise<void>;
}

/** Throws HDL0017 where there are no files, as in browsers. */
export function fileWriter(
  fn: string,
  path: string,
  instead = 'give a function in place of the path',
): FileWriter {
  expectFiles(`${fn} to '${path}'`, instead);
  let length = 0;
  return {
    replace: (bytes) => replaceFile(path, bytes),
    append: async (text) => {
      const fs = nodeModule('node:fs/promises')!;
      await (length > 0 ? fs.appendFile(path, text) : fs.writeFile(path, text));
      length += new TextEncoder().encode(text).length;
    },
    length: () => length,
    continueAt: async (bytes) => {
      const fs = nodeModule('node:fs/promises')!;
      // A log that is gone begins anew.
      const isThere = await fs.stat(path).then(
        ({ size }) => size >= bytes,
        () => false,
      );
      if (isThere) await fs.truncate(path, bytes);
      length = isThere ? bytes : 0;
    },
  };
}
