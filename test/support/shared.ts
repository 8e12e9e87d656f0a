// Reference data that stands beside the repository when it is at hand. A clone without it still passes: the suites that
// need it say so and are skipped.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder `../shared` beside the repository, as a path. */
export const sharedFolder: string = fileURLToPath(new URL('../../../../shared', import.meta.url));

/** Why a suite that reads `path` (below the folder) is skipped, or false when it can run. For tap's `skip` option. */
export function missing(path: string): string | false {
  return existsSync(`${sharedFolder}/${path}`) ? false : `reference data ../shared/${path} is not here`;
}

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(`${sharedFolder}/${path}`, 'utf8')) as T;
}
