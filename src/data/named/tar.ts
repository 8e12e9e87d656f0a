// Tar archives, as far as data sets need them: files by name.
//
//   blocks of 512 bytes: a header with name (100), size (octal, at 124), checksum (octal, at 148), kind (at 156), prefix (at 345);
//   then the file, filled up to whole blocks; at the end two blocks of zeros

import { compilerError } from '../../../compiler/graph/errors.ts';

/** The files in an archive, by path. Throws HDL0016 for what is none, damaged, or cut short. */
export function untar(bytes: Uint8Array, what: string): ReadonlyMap<string, Uint8Array> {
  const fail = (is: string): Error =>
    compilerError('HDL0016', {
      what: `${what} ${is}`,
      rule: 'it is a whole tar archive',
      hint: 'download it again',
    });
  const files = new Map<string, Uint8Array>();
  for (let at = 0; ; ) {
    const header = bytes.subarray(at, at + 512);
    if (header.length < 512) throw fail(`ends after ${bytes.length} bytes, without an end`);
    if (header.every((b) => b === 0)) return files;
    const text = (from: number, length: number): string =>
      new TextDecoder('latin1').decode(header.subarray(from, from + length)).replace(/\0.*$/s, '');
    const octal = (from: number, length: number): number =>
      Number.parseInt(text(from, length).trim() || '0', 8);
    // The sum of all bytes, the checksum itself counted as blanks.
    const sum = header.reduce((n, b, i) => n + (i >= 148 && i < 156 ? 32 : b), 0);
    if (octal(148, 8) !== sum) throw fail(`has a wrong checksum at byte ${at}`);
    const size = octal(124, 12);
    const end = at + 512 + size;
    if (!(end <= bytes.length)) throw fail(`ends within '${text(0, 100)}'`);
    const [name, prefix, kind] = [text(0, 100), text(345, 155), text(156, 1)];
    if (kind === '' || kind === '0')
      files.set(prefix === '' ? name : `${prefix}/${name}`, bytes.subarray(at + 512, end));
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
