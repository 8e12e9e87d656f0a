// Node's own modules, where there are any. They are asked of the process and never imported: bundlers for browsers resolve
// every import that they see, also one that would never be reached there, and fail on `node:`.

import type * as Crypto from 'node:crypto';
import type * as FileSystem from 'node:fs';
import type * as Files from 'node:fs/promises';
import type * as Modules from 'node:module';
import type * as System from 'node:os';
import type * as Paths from 'node:path';
import type * as Engine from 'node:v8';

interface NodeModules {
  readonly 'node:crypto': typeof Crypto;
  readonly 'node:fs': typeof FileSystem;
  readonly 'node:fs/promises': typeof Files;
  readonly 'node:module': typeof Modules;
  readonly 'node:os': typeof System;
  readonly 'node:path': typeof Paths;
  readonly 'node:v8': typeof Engine;
}

/** Whether this is Node, or a host that is like it: with files, streams and signals. */
export function isNode(): boolean {
  return typeof process === 'object' && process.versions?.node !== undefined;
}

/**
 * One of Node's modules; undefined where there is none, as in browsers.
 *
 * @example nodeModule('node:os')?.cpus() // undefined in a browser
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  if (typeof process !== 'object') return undefined;
  return process.getBuiltinModule?.(name as string) as NodeModules[Name] | undefined;
}
