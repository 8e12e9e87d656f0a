// The container of saved plans: sections of bytes behind one head. Numbers are little-endian.
//
//     0    8  magic: 89 'HDLP' 0d 0a 1a, so that a transfer as text, or a cut, shows in the first bytes
//     8    4  version
//     12   4  number of sections
//     16   8  bytes of the file
//     24  32  SHA-256 of the other bytes of the head and of the table
//     56      table, 56 bytes per section: kind (4), number of its plan or variable (4), offset (8), bytes (8), SHA-256 of
//             the section (32)
//             sections, in the order of the table, each at a multiple of 8; the bytes between them are 0
//
// Each byte of a file is under a checksum or known, so no change goes unseen. The checksums find damage and are no
// signature: whoever wants to know who made a file has to sign it.

import { type HeddleError, runtimeError } from './errors.ts';
import { sha256 } from './sha256.ts';

const kinds = { manifest: 1, code: 2, constants: 3, names: 4, values: 5, variants: 6 } as const;
export type SectionKind = keyof typeof kinds;

export interface Section {
  readonly kind: SectionKind;
  readonly number: number;
  readonly bytes: Uint8Array;
}

export const fileVersion = 2;
const magic = [0x89, 0x48, 0x44, 0x4c, 0x50, 0x0d, 0x0a, 0x1a];
const checksumAt = 24;
const tableAt = 56;
const entryBytes = 56;
/** Of a section's checksum in its entry. */
const digestAt = 24;
/** No file has more: 4 plans' worth of sections for each of a thousand entries, and as many variables. */
const mostSections = 1 << 20;

const align = (offset: number): number => Math.ceil(offset / 8) * 8;

export function writeSections(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  let end = align(tableAt + sections.length * entryBytes);
  const offsets = sections.map(({ bytes }) => {
    const offset = end;
    end = align(offset + bytes.length);
    return offset;
  });
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set(magic);
  view.setUint32(8, fileVersion, true);
  view.setUint32(12, sections.length, true);
  view.setBigUint64(16, BigInt(end), true);
  sections.forEach(({ kind, number, bytes }, i) => {
    const at = tableAt + i * entryBytes;
    view.setUint32(at, kinds[kind], true);
    view.setUint32(at + 4, number, true);
    view.setBigUint64(at + 8, BigInt(offsets[i]!), true);
    view.setBigUint64(at + 16, BigInt(bytes.length), true);
    file.set(sha256(bytes), at + digestAt);
    file.set(bytes, offsets[i]!);
  });
  file.set(headChecksum(file, sections.length), checksumAt);
  return file;
}

/**
 * The sections of a file whose checksums fit. They are copies: they do not keep the file alive, and nobody can change them
 * behind our back. Throws HDL1006 with the reason.
 */
export function readSections(file: Uint8Array): Section[] {
  if (!(file instanceof Uint8Array)) throw refuse('it is not given as a Uint8Array');
  if (magic.some((byte, i) => file[i] !== byte)) throw refuse('it does not start as a file of saved plans');
  if (file.length < tableAt) throw refuse(`it is cut short: ${file.length} bytes do not even hold its head`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = view.getUint32(8, true);
  if (found !== fileVersion)
    throw refuse(`it has version ${found}, this runtime reads version ${fileVersion}`);
  const total = Number(view.getBigUint64(16, true));
  if (file.length < total) throw refuse(`it is cut short: ${file.length} of ${total} bytes`);
  if (file.length > total) throw refuse(`it has ${file.length - total} bytes too many`);
  const count = view.getUint32(12, true);
  if (count > mostSections || tableAt + count * entryBytes > file.length) {
    throw refuse('its table is longer than the file');
  }
  const isSame = (digest: Uint8Array, at: number): boolean =>
    digest.every((byte, i) => byte === file[at + i]);
  if (!isSame(headChecksum(file, count), checksumAt)) throw damaged('its checksum does not fit its head');
  const names = Object.keys(kinds) as SectionKind[];
  // The checksum only says that these bytes were written so, not that we wrote them.
  let end = align(tableAt + count * entryBytes);
  let filled = tableAt + count * entryBytes;
  const checkGap = (): void => {
    if (file.subarray(filled, end).some((byte) => byte !== 0)) throw damaged('it has bytes between sections');
  };
  const sections = Array.from({ length: count }, (_, i) => {
    const at = tableAt + i * entryBytes;
    const kind = names.find((name) => kinds[name] === view.getUint32(at, true));
    const offset = Number(view.getBigUint64(at + 8, true));
    const length = Number(view.getBigUint64(at + 16, true));
    if (kind === undefined) throw refuse(`section ${i} is of an unknown kind`);
    if (offset + length > file.length) throw refuse(`section ${i} is not inside the file`);
    if (offset !== end) throw refuse(`section ${i} does not begin where the one before it ends`);
    checkGap();
    filled = offset + length;
    end = align(filled);
    const bytes = file.slice(offset, filled);
    if (!isSame(sha256(bytes), at + digestAt)) {
      throw damaged(`the checksum of section ${i} ('${kind}') does not fit its contents`);
    }
    return { kind, number: view.getUint32(at + 4, true), bytes };
  });
  if (end !== file.length) throw refuse('it does not end where its last section does');
  checkGap();
  return sections;
}

function headChecksum(file: Uint8Array, sections: number): Uint8Array {
  return sha256(file.subarray(0, checksumAt), file.subarray(tableAt, tableAt + sections * entryBytes));
}

function damaged(reason: string): HeddleError {
  return refuse(`${reason}: it was changed or damaged`);
}

/** HDL1006 for a file. */
export function refuse(reason: string): HeddleError {
  return runtimeError('HDL1006', {
    what: `saved plans cannot be loaded: ${reason}`,
    rule: 'a file is loaded whole and unchanged, as savePlans wrote it',
    hint: 'copy the file again in binary mode, or save the plans again with this version',
  });
}
