// NPZ files: several NumPy arrays in one zip. The zip library does not look at checksums, and a damaged file may still unpack to
// as many bytes; so they are compared here.

import type * as Fflate from 'fflate';
import { compilerError } from '../../compiler/graph/errors.ts';
import { type NpyArray, readNpy, saveNpy } from './npy.ts';
import { bytesOf, type DataSource } from './source.ts';

/**
 * Reads all arrays of an NPZ file, by name, from its bytes or path. Throws HDL0016 for a file that is missing, damaged or cut
 * short, and for an array that `loadNpy` refuses.
 *
 * @example const { x_train: x, y_train: y } = await data.loadNpz('mnist.npz');
 */
export async function loadNpz(source: DataSource): Promise<Readonly<Record<string, NpyArray>>> {
  const bytes = await bytesOf(source, 'NPZ file');
  const fail = (is: string, cause?: unknown): Error =>
    compilerError(
      'HDL0016',
      {
        what: `NPZ file of ${bytes.length} bytes ${is}`,
        rule: 'it is a zip of .npy files, whole and unchanged',
        hint: 'write it again with np.savez, or download it again',
      },
      { cause },
    );
  const { unzipSync } = await load();
  const checksums = checksumsOf(bytes);
  if (checksums === null) throw fail('has no directory at its end');
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes);
  } catch (cause) {
    throw fail(`does not unpack: ${(cause as Error).message}`, cause);
  }
  const entries = Object.entries(files).filter(([name]) => name.endsWith('.npy'));
  if (entries.length === 0) throw fail('holds no array');
  return Object.fromEntries(
    entries.map(([name, npy]) => {
      if (crc32(npy) !== checksums.get(name)) throw fail(`holds '${name}' with a wrong checksum`);
      return [name.slice(0, -4), readNpy(npy, `'${name}' in an NPZ file`)];
    }),
  );
}

/**
 * The bytes of an NPZ file with these arrays: what `np.load` reads. `compress` makes it smaller and takes longer. Throws HDL0016 as
 * `saveNpy`.
 *
 * @example await writeFile('weights.npz', await data.saveNpz({ w: { data: values, shape: [784, 10] } }));
 */
export async function saveNpz(
  arrays: Readonly<Record<string, NpyArray & { readonly dtype?: string }>>,
  options: { readonly compress?: boolean } = {},
): Promise<Uint8Array> {
  const { zipSync } = await load();
  const files = Object.entries(arrays).map(
    ([name, array]) => [`${name}.npy`, saveNpy(array, { boolean: array.dtype === 'bool' })] as const,
  );
  // The least time that the format knows: equal arrays make equal files.
  return zipSync(Object.fromEntries(files), { level: options.compress ? 6 : 0, mtime: '1980-01-02' });
}

async function load(): Promise<typeof Fflate> {
  return await import('fflate');
}

/** The checksum of each file in the zip's directory, by name; null when there is no whole directory. */
function checksumsOf(bytes: Uint8Array): ReadonlyMap<string, number> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The end record, 22 bytes and a comment, says where the directory is.
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 22 - 65536 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) return null;
  const found = new Map<string, number>();
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) return null;
    const length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length));
    found.set(name, view.getUint32(at + 16, true));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}

/** CRC-32 as in zip files (polynomial EDB88320, reflected). */
function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, i) => {
    let c = i;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
