// Fashion-MNIST: 70,000 pictures of clothes in MNIST's form (Xiao, Rasul, Vollgraf, 2017).

import type { NamedDataOptions } from './files.ts';
import { type IdxSet, idxPictures, type LabelledParts } from './idx-pictures.ts';

const set: IdxSet = {
  name: 'fashion-mnist',
  base: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  classes: 10,
  train: {
    images: { name: 'train-images-idx3-ubyte.gz', sha256: [] },
    labels: { name: 'train-labels-idx1-ubyte.gz', sha256: [] },
    count: 60_000,
  },
  test: {
    images: { name: 't10k-images-idx3-ubyte.gz', sha256: [] },
    labels: { name: 't10k-labels-idx1-ubyte.gz', sha256: [] },
    count: 10_000,
  },
};

/** Names of Fashion-MNIST's classes, by label. */
export const fashionMnistClasses: readonly string[] = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
];

/**
 * Fashion-MNIST: 60,000 + 10,000 pictures [1, 28, 28], bytes, with labels 0 … 9. From a folder, from the cache, or downloaded (31 MB). No
 * hash of the files is known here: they are checked for their form and size. Throws HDL1021 (a file cannot be had), HDL0016.
 *
 * @example const { train, test } = await data.fashionMnist({ folder: 'fashion' });
 */
export function fashionMnist(options: NamedDataOptions = {}): Promise<LabelledParts> {
  return idxPictures(set, options);
}
