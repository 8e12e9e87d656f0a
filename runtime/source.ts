// Bytes from where a person says: they are given, or lie in a file (Node) or behind a URL.

import { runtimeError } from './errors.ts';
import { isNode, nodeModule } from './node.ts';

/** Throws HDL1006 when there is nothing to read. */
export async function readSource(source: Uint8Array | string | URL): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw cannotRead(String(source), 'it is neither bytes nor a path nor a URL', undefined);
  }
  try {
    const text = String(source);
    if (isNode() && !/^https?:/.test(text)) {
      const fs = nodeModule('node:fs/promises')!;
      return await fs.readFile(text.startsWith('file:') ? new URL(text) : text);
    }
    const response = await fetch(text);
    if (!response.ok) throw new Error(`the server answers ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw cannotRead(String(source), cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function cannotRead(source: string, reason: string, cause: unknown): Error {
  return runtimeError(
    'HDL1006',
    {
      what: `'${source}' cannot be read: ${reason}`,
      rule: 'plans are loaded from bytes, from a file (in Node) or from a URL',
    },
    { cause },
  );
}
