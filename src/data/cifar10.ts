// CIFAR-10's binary batches: for each picture one byte of label, then 3 × 32 × 32 bytes, channel by channel.

import { compilerError } from '../../compiler/graph/errors.ts';
import { gunzip } from './idx.ts';

const pixels = 3 * 32 * 32;

export interface LabelledPictures {
  /** Channels first: [count, channels, height, width]. */
  readonly shape: readonly [number, number, number, number];
  /** 0 … 255. */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
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
 * Reads one binary batch, plain or gzip. Throws HDL0016 when the file is not a whole number of pictures, or a label is not in
 * [0, 10).
 *
 * @example const { images, labels } = await data.loadCifar10(await readFile('data_batch_1.bin'));
 */
export async function loadCifar10(file: Uint8Array): Promise<LabelledPictures> {
  const bytes = await gunzip(file, 'CIFAR-10 batch');
  const record = 1 + pixels;
  const count = bytes.length / record;
  if (count < 1 || !Number.isInteger(count)) {
    throw compilerError('HDL0016', {
      what: `CIFAR-10 batch of ${bytes.length} bytes`,
      rule: `it is a whole number of records of ${record} bytes`,
      hint: 'use the binary version (data_batch_1.bin …), and download it again if it is cut short',
    });
  }
  const images = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const label = bytes[i * record]!;
    if (label > 9) {
      throw compilerError('HDL0016', {
        what: `CIFAR-10 batch with label ${label} at picture ${i}`,
        rule: 'labels are in [0, 10)',
        hint: 'CIFAR-100 has another format',
      });
    }
    labels[i] = label;
    images.set(bytes.subarray(i * record + 1, (i + 1) * record), i * pixels);
  }
  return { shape: [count, 3, 32, 32], images, labels };
}
