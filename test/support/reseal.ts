// Makes the checksums of a saved file right again after somebody has changed it: what an attacker does, too.

import { sha256 } from '../../runtime/sha256.ts';

const tableAt = 56;
const entryBytes = 56;

/** The same file, changed in place. Sections that are not inside of the file are left alone. */
export function reseal(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const count = Math.min(view.getUint32(12, true), Math.floor((file.length - tableAt) / entryBytes));
  for (let i = 0; i < count; i++) {
    const at = tableAt + i * entryBytes;
    const offset = Number(view.getBigUint64(at + 8, true));
    const end = offset + Number(view.getBigUint64(at + 16, true));
    if (end <= file.length) file.set(sha256(file.subarray(offset, end)), at + 24);
  }
  return resealHead(file, count);
}

/** Only the checksum of the head. */
export function resealHead(
  file: Uint8Array,
  count: number = new DataView(file.buffer, file.byteOffset).getUint32(12, true),
): Uint8Array {
  const table = file.subarray(tableAt, Math.min(file.length, tableAt + count * entryBytes));
  file.set(sha256(file.subarray(0, 24), table), 24);
  return file;
}
