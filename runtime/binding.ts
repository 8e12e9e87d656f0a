// What ties the code of a saved plan to its manifest and constants: a custom section at the end of the module, with their
// SHA-256. Checksums of a file say that its parts are whole; this says that they belong together, so that code under
// another plan's manifest is found, and a manifest that was edited, too. Engines skip custom sections.
//
//     00 | 39: bytes that follow | 06 'heddle' | 32 bytes

import { sha256 } from './sha256.ts';

const head = [0x00, 39, 6, ...new TextEncoder().encode('heddle')];
const digestBytes = 32;
const bytes = head.length + digestBytes;

/** The code with the section. */
export function bindCode(code: Uint8Array, manifest: Uint8Array, constants: Uint8Array): Uint8Array {
  const bound = new Uint8Array(code.length + bytes);
  bound.set(code);
  bound.set(head, code.length);
  bound.set(digestOf(manifest, constants), code.length + head.length);
  return bound;
}

/** The code without the section; null when it has none, or one of another manifest or other constants. */
export function unbindCode(
  bound: Uint8Array,
  manifest: Uint8Array,
  constants: Uint8Array,
): Uint8Array | null {
  const end = bound.length - bytes;
  if (end < 0 || head.some((byte, i) => byte !== bound[end + i])) return null;
  const digest = digestOf(manifest, constants);
  return digest.every((byte, i) => byte === bound[end + head.length + i]) ? bound.slice(0, end) : null;
}

function digestOf(manifest: Uint8Array, constants: Uint8Array): Uint8Array {
  // Its own hash of each, so that no byte of one may count as the other's.
  return sha256(sha256(manifest), sha256(constants));
}
