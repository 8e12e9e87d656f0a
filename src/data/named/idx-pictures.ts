// Data sets of four IDX files: pictures and labels, for training and for testing.

import { compilerError } from '../../../compiler/graph/errors.ts';
import type { LabelledPictures } from '../cifar10.ts';
import { loadIdx } from '../idx.ts';
import { type NamedDataOptions, type NamedFile, type NamedSet, obtain } from './files.ts';

export interface LabelledParts {
  readonly train: LabelledPictures;
  readonly test: LabelledPictures;
  /** Whether the hash of each file was known, and is right. */
  readonly isVerified: boolean;
}

export interface IdxSet extends NamedSet {
  readonly train: IdxPart;
  readonly test: IdxPart;
  readonly classes: number;
}

interface IdxPart {
  readonly images: NamedFile;
  readonly labels: NamedFile;
  /** Pictures that it has, so that a shorter file is not taken for it. */
  readonly count: number;
}

export async function idxPictures(set: IdxSet, options: NamedDataOptions): Promise<LabelledParts> {
  let isVerified = true;
  const part = async ({ images, labels, count }: IdxPart): Promise<LabelledPictures> => {
    const files = [];
    for (const file of [images, labels]) files.push(await obtain(set, file, options));
    isVerified &&= files.every((f) => f.isVerified);
    const [x, y] = [await loadIdx(files[0]!.bytes), await loadIdx(files[1]!.bytes)];
    const shape = [count, 28, 28];
    const isRight =
      x.data instanceof Uint8Array &&
      x.shape.join() === shape.join() &&
      y.data instanceof Uint8Array &&
      y.shape.join() === String(count) &&
      y.data.every((label) => label < set.classes);
    if (!isRight) {
      throw compilerError('HDL0016', {
        what: `${images.name} has [${x.shape.join(', ')}] and ${labels.name} has [${y.shape.join(', ')}]`,
        rule: `${set.name} has [${shape.join(', ')}] bytes, and as many labels in [0, ${set.classes})`,
        hint: 'for other pictures in IDX files use data.loadIdx',
      });
    }
    return { shape: [count, 1, 28, 28], images: x.data as Uint8Array, labels: Int32Array.from(y.data) };
  };
  return { train: await part(set.train), test: await part(set.test), isVerified };
}
