// Files, where the host has any: read whole, and written so that whoever looks sees the old contents or the new ones, never a
// part, whatever ends the process meanwhile.
//
//   path.UUID.part   written and flushed to the disk, then renamed to path; the folder is flushed, so that the name stays

import { compilerError } from '../compiler/graph/errors.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { isNode, nodeModule } from '../runtime/node.ts';

/** Throws HDL0017 where there are no files, as in browsers. */
export function expectFiles(what: string, hint: string): void {
  if (isNode()) return;
  throw compilerError('HDL0017', { what, rule: 'this host has no files', hint, loc: callerLocation() });
}

/** The bytes of a file; null when there is none of that name. Throws what the system says otherwise. */
export async function readIfThere(path: string | URL): Promise<Uint8Array | null> {
  const fs = nodeModule('node:fs/promises')!;
  try {
    const { buffer, byteOffset, byteLength } = await fs.readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
}

/** Puts `bytes` in the place of the file, which appears whole or not at all, also when the machine fails meanwhile. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fs = nodeModule('node:fs/promises')!;
  // Of its own name: others may write the same file at the same time, in this process too.
  const unfinished = `${path}.${globalThis.crypto.randomUUID()}.part`;
  const file = await fs.open(unfinished, 'w');
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(unfinished, path);
  } catch (error) {
    await fs.rm(unfinished, { force: true });
    throw error;
  }
  await flushFolder(nodeModule('node:path')!.dirname(path));
}

/** Makes names in the folder last; systems that cannot open folders keep them by themselves. */
async function flushFolder(path: string): Promise<void> {
  const fs = nodeModule('node:fs/promises')!;
  const folder = await fs.open(path, 'r').catch(() => null);
  if (folder === null) return;
  try {
    await folder.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'EISDIR'].includes(String((error as { code?: unknown }).code))) throw error;
  } finally {
    await folder.close();
  }
}
