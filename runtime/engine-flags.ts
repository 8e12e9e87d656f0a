// Flags of V8 in Node, set for one synchronous stretch and set back after it. Flags belong to the process: a thread that
// ends its own stretch in the middle of another one may cut that short, so whoever needs a flag must look at what it got.
//
// Invariant: after a stretch all flags are as before, unless the user set them: those are not to be touched (`isUntouched`).

import { nodeModule } from './node.ts';

/** A flag of V8, by its name without dashes, and what it is for the stretch: a boolean is the opposite after it. */
export type EngineFlag =
  | { readonly name: string; readonly to: boolean }
  /** `from`: what the engine has by itself, and is given back. It cannot be asked for, so it holds for known versions only. */
  | { readonly name: string; readonly to: number; readonly from: number };

export type EngineVersion = readonly [major: number, minor: number];

/** The version of V8 in Node; null in other hosts. */
export function nodeEngine(): EngineVersion | null {
  const versions = typeof process === 'object' ? process.versions : undefined;
  const isNode = versions?.node !== undefined && versions['bun'] === undefined;
  const found = /^(\d+)\.(\d+)\./.exec((isNode && versions.v8) || '');
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

export function isBefore([major, minor]: EngineVersion, [than, thanMinor]: EngineVersion): boolean {
  return major < than || (major === than && minor < thanMinor);
}

/** Whether the user has said nothing about flags with this word in them, on the command line or in the environment. */
export function isUntouched(word: string): boolean {
  return ![...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((text) => text.includes(word));
}

/** What `use` returns with the flags set; null where flags cannot be set. */
export function underFlags<T>(flags: readonly EngineFlag[], use: () => T): T | null {
  const v8 = nodeModule('node:v8');
  if (v8 === undefined) return null;
  const set = (name: string, to: boolean | number): void =>
    v8.setFlagsFromString(typeof to === 'number' ? `--${name}=${to}` : `--${to ? '' : 'no-'}${name}`);
  for (const { name, to } of flags) set(name, to);
  try {
    return use();
  } finally {
    for (const flag of flags) set(flag.name, 'from' in flag ? flag.from : !flag.to);
  }
}
