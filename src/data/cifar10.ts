// CIFAR's binary batches: for each picture one byte of label (CIFAR-100: two, the coarse one first), then 3 × 32 × 32 bytes,
// channel by channel.

import { compilerError } from '../../compiler/graph/errors.ts';
import { gunzip } from './gunzip.ts';
import { bytesOf, type DataSource } from './source.ts';

const pixels = 3 * 32 * 32;

export interface LabelledPictures {
  /** Channels first: [count, channels, height, width]. */
  readonly shape: readonly [number, number, number, number];
  /** 0 … 255. */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** Pictures of CIFAR-100: `labels` are the 100 fine classes. */
export interface Cifar100Pictures extends LabelledPictures {
  /** The 20 superclasses. */
  readonly coarse: Int32Array;
}

/** Names of CIFAR-10's classes, by label. */
export const cifar10Classes: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/**
 * Reads one binary batch of CIFAR-10 from its bytes or path, plain or gzip. Throws HDL0016 when the file is missing, is not a
 * whole number of pictures, or a label is not in [0, 10).
 *
 * @example const { images, labels } = await data.loadCifar10('data_batch_1.bin');
 */
export async function loadCifar10(source: DataSource): Promise<LabelledPictures> {
  const { images, labels } = await readBatch(source, 'CIFAR-10', [{ name: 'label', classes: 10 }]);
  return { shape: [labels[0]!.length, 3, 32, 32], images, labels: labels[0]! };
}

/**
 * Reads a binary file of CIFAR-100 (`train.bin`, `test.bin`) from its bytes or path, plain or gzip. Throws HDL0016 as `loadCifar10`.
 *
 * @example const { images, labels, coarse } = await data.loadCifar100('train.bin');
 */
export async function loadCifar100(source: DataSource): Promise<Cifar100Pictures> {
  const { images, labels } = await readBatch(source, 'CIFAR-100', [
    { name: 'coarse label', classes: 20 },
    { name: 'fine label', classes: 100 },
  ]);
  const [coarse, fine] = labels as [Int32Array, Int32Array];
  return { shape: [fine.length, 3, 32, 32], images, labels: fine, coarse };
}

async function readBatch(
  source: DataSource,
  kind: string,
  heads: readonly { readonly name: string; readonly classes: number }[],
): Promise<{ readonly images: Uint8Array; readonly labels: readonly Int32Array[] }> {
  const what = `${kind} batch`;
  const bytes = await gunzip(await bytesOf(source, what), what);
  const record = heads.length + pixels;
  const count = bytes.length / record;
  if (count < 1 || !Number.isInteger(count)) {
    throw compilerError('HDL0016', {
      what: `${what} of ${bytes.length} bytes`,
      rule: `it is a whole number of records of ${record} bytes`,
      hint: 'use the binary version (data_batch_1.bin …), and download it again if it is cut short',
    });
  }
  const images = new Uint8Array(count * pixels);
  const labels = heads.map(() => new Int32Array(count));
  for (let i = 0; i < count; i++) {
    heads.forEach(({ name, classes }, h) => {
      const label = bytes[i * record + h]!;
      labels[h]![i] = label;
      if (label < classes) return;
      throw compilerError('HDL0016', {
        what: `${what} with ${name} ${label} at picture ${i}`,
        rule: `a ${name} is in [0, ${classes})`,
        hint: 'CIFAR-10 and CIFAR-100 have different formats: check which one it is',
      });
    });
    images.set(bytes.subarray(i * record + heads.length, (i + 1) * record), i * pixels);
  }
  return { images, labels };
}
