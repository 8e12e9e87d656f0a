// MNIST: 70,000 digits written by hand (LeCun, Cortes, Burges).

import type { NamedDataOptions } from './files.ts';
import { type IdxSet, idxPictures, type LabelledParts } from './idx-pictures.ts';

const set: IdxSet = {
  name: 'mnist',
  base: 'https://ossci-datasets.s3.amazonaws.com/mnist/',
  classes: 10,
  train: {
    images: {
      name: 'train-images-idx3-ubyte.gz',
      also: ['train-images.idx3-ubyte'],
      sha256: ['ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'],
    },
    labels: {
      name: 'train-labels-idx1-ubyte.gz',
      also: ['train-labels.idx1-ubyte'],
      sha256: ['65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'],
    },
    count: 60_000,
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte.gz',
      also: ['t10k-images.idx3-ubyte'],
      sha256: ['0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'],
    },
    labels: {
      name: 't10k-labels-idx1-ubyte.gz',
      also: ['t10k-labels.idx1-ubyte'],
      sha256: ['ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'],
    },
    count: 10_000,
  },
};

/**
 * MNIST: 60,000 + 10,000 digits [1, 28, 28], bytes, with labels 0 … 9. From a folder, from the cache, or downloaded (11 MB) and verified.
 * Throws HDL1021 (a file cannot be had, or is not what it should be), HDL0016.
 *
 * @example
 * const { train, test } = await data.mnist();
 * await model.fit(Dataset.pictures(train).shuffle().augment([data.augment.crop({ padding: 2 })]).batch(64), { epochs: 3 });
 */
export function mnist(options: NamedDataOptions = {}): Promise<LabelledParts> {
  return idxPictures(set, options);
}
