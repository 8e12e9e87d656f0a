// A cache of plans in a folder, for Node: one file per plan, named by its key. Processes may share it: a file appears whole
// or not at all, and two that write the same key write the same bytes. Nothing is ever removed from it; the folder may be
// deleted at any time. Plans of other versions of Heddle have other keys.

import { nodeModule } from '../runtime/node.ts';
import { expectFiles, readIfThere, replaceFile } from './files.ts';
import type { PlanCache } from './plan-source.ts';

/**
 * Keeps compiled plans in the folder `path`, which is made when it is first written to. Throws HDL0017 where there are no
 * files, as in browsers.
 *
 * @example
 * const p = program(entries, { cache: folderCache('.cache/heddle') }); // the next process does not compile
 */
export function folderCache(path: string): PlanCache {
  expectFiles(
    `folderCache('${path}')`,
    'give cache: { get, set } over what it has, for example a Cache or IndexedDB',
  );
  const place = (key: string): string => nodeModule('node:path')!.join(path, `${key}.plan`);
  return {
    get: async (key) => readIfThere(place(key)),
    set: async (key, bytes) => {
      await nodeModule('node:fs/promises')!.mkdir(path, { recursive: true });
      await replaceFile(place(key), bytes);
    },
  };
}
