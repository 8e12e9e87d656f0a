// A cache of plans in a folder, for Node: one file per plan, named by its key. Processes may share it: a file appears whole
// or not at all, and two that write the same key write the same bytes. Nothing is ever removed from it; the folder may be
// deleted at any time. Plans of other versions of Heddle have other keys.

import { compilerError } from '../compiler/graph/errors.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import type { PlanCache } from './plan-source.ts';

/**
 * Keeps compiled plans in the folder `path`, which is made when it is first written to. Throws HDL0017 where there are no
 * files, as in browsers.
 *
 * @example
 * const p = program(entries, { cache: folderCache('.cache/heddle') }); // the next process does not compile
 */
export function folderCache(path: string): PlanCache {
  if (typeof process !== 'object' || process.versions?.node === undefined) {
    throw compilerError('HDL0017', {
      what: `folderCache('${path}')`,
      rule: 'this host has no files',
      hint: 'give cache: { get, set } over what it has, for example a Cache or IndexedDB',
      loc: callerLocation(),
    });
  }
  const place = async (key: string) => {
    const [fs, { join }] = await Promise.all([import('node:fs/promises'), import('node:path')]);
    return { fs, file: join(path, `${key}.plan`) };
  };
  return {
    get: async (key) => {
      const { fs, file } = await place(key);
      try {
        return await fs.readFile(file);
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ENOENT') return null;
        throw error;
      }
    },
    set: async (key, bytes) => {
      const { fs, file } = await place(key);
      await fs.mkdir(path, { recursive: true });
      const unfinished = `${file}.${globalThis.crypto.randomUUID()}`;
      await fs.writeFile(unfinished, bytes);
      await fs.rename(unfinished, file);
    },
  };
}
