// Where checkpoints are written to and read from.

import { bytesOf, type DataSource } from '../data/source.ts';
import { expectFiles, replaceFile } from '../files.ts';

/** A file, or what takes the bytes. */
export type StoreTarget = string | ((bytes: Uint8Array) => unknown);

/** Writes a file whole or not at all. Throws HDL0017 for a file where there are none. */
export async function store(fn: string, to: StoreTarget, bytes: Uint8Array): Promise<void> {
  if (typeof to === 'function') {
    await to(bytes);
    return;
  }
  expectFiles(`${fn} to '${to}'`, 'give a function that takes the bytes, in place of the path');
  await replaceFile(to, bytes);
}

/** Throws HDL0016 (no such file), HDL0017 (a file, where there are none). */
export async function readStored(from: DataSource): Promise<Uint8Array> {
  return bytesOf(from, 'checkpoint');
}
