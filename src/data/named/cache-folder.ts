// The folder in which downloads of all programs of a user are kept.

import { isNode } from '../../../runtime/node.ts';

/** HEDDLE_CACHE, or where the system has caches; null where there are no files. */
export function cacheFolder(): string | null {
  if (!isNode()) return null;
  const { env, platform } = process;
  if (env['HEDDLE_CACHE']) return env['HEDDLE_CACHE'];
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '.';
  if (env['XDG_CACHE_HOME']) return `${env['XDG_CACHE_HOME']}/heddle`;
  if (platform === 'darwin') return `${home}/Library/Caches/heddle`;
  if (platform === 'win32') return `${env['LOCALAPPDATA'] ?? home}/heddle/cache`;
  return `${home}/.cache/heddle`;
}
