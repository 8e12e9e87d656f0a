// Gzip, as most data sets are distributed in.

import { compilerError } from '../../compiler/graph/errors.ts';

/** The bytes themselves, or what they hold when they are gzip. Throws HDL0016 for gzip that is damaged or cut short. */
export async function gunzip(bytes: Uint8Array, what: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await decompress(bytes);
  } catch (cause) {
    throw compilerError(
      'HDL0016',
      {
        what: `${what} of ${bytes.length} bytes does not unpack`,
        rule: 'it starts like gzip',
        hint: 'download it again',
      },
      { cause },
    );
  }
}

/** Fails for gzip that is cut short; piping it into a `Response` would wait forever instead (Node 20). */
async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  const written = writer.write(bytes.slice()).then(() => writer.close());
  // The reader tells the same failure.
  written.catch(() => {});
  const chunks: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  await written;
  return joinBytes(chunks);
}

/** One array after the other. */
export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
