// Where data comes from: bytes that somebody has, or a file.

import { compilerError } from '../../compiler/graph/errors.ts';
import { expectFiles, readIfThere } from '../files.ts';

/** Bytes, or the path of a file (a string or a `file:` URL) where there are files. */
export type DataSource = Uint8Array | ArrayBuffer | string | URL;

/** The bytes of a source. `what` names the kind of file in errors. Throws HDL0016 (no such file), HDL0017 (no files here). */
export async function bytesOf(source: DataSource, what: string): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof source !== 'string' && !(source instanceof URL)) {
    const given = (source as unknown) instanceof Promise ? 'a promise' : describe(source);
    throw compilerError('HDL0016', {
      what: `${what} from ${given}`,
      rule: 'a source is a Uint8Array, an ArrayBuffer, or the path of a file',
      hint: given === 'a promise' ? 'await it first' : 'pass the bytes of the file, or its path',
    });
  }
  expectFiles(
    `${what} '${source}'`,
    'pass its bytes: new Uint8Array(await (await fetch(url)).arrayBuffer())',
  );
  const fail = (rule: string, hint: string, cause?: unknown): Error =>
    compilerError('HDL0016', { what: `${what} '${source}'`, rule, hint }, { cause });
  try {
    const bytes = await readIfThere(source);
    if (bytes !== null) return bytes;
  } catch (cause) {
    throw fail('the file can be read', `the system says: ${(cause as Error).message}`, cause);
  }
  throw fail('there is such a file', 'check the path; it is relative to the folder that the process runs in');
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  return `a ${value.constructor?.name ?? 'object'}`;
}
