// Pictures to learn from, in one form wherever they come from: drawn by our own generator, or read from a folder of IDX
// files (MNIST and its kin) or CIFAR-10's binary batches, plain or gzip.
//
// Invariant: pictures are [channels, height, width], normalised by mean and deviation of the training pictures; labels
// are in [0, classes).

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { data, HeddleError } from '../../src/index.ts';
import { InputError } from './input-error.ts';

export interface Examples {
  /** [count, channels, height, width], row-major. */
  readonly x: Float32Array;
  readonly y: Int32Array;
}

export interface Dataset {
  readonly name: string;
  /** Of one picture: [channels, height, width]. */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly train: Examples;
  readonly test: Examples;
}

/** Ten kinds of figures, drawn: 28 × 28, grey. Test pictures are drawn from another seed. */
export function drawnFigures(options: {
  readonly train: number;
  readonly test: number;
  readonly seed: number;
}): Dataset {
  const train = data.shapes(options.train, 2 * options.seed);
  const test = data.shapes(options.test, 2 * options.seed + 1);
  return assemble('drawn figures', train, test);
}

/**
 * The data set in a folder, or in one of its subfolders. Throws InputError, one line that names the folder or file, when
 * there is none, a file is missing, damaged or cut short, or two files do not belong together.
 */
export async function readFolder(folder: string): Promise<Dataset> {
  const entries = await list(folder);
  const folders = [folder, ...entries.filter((e) => e.isDirectory).map((e) => join(folder, e.name))];
  for (const place of folders) {
    const files = (await list(place)).filter((e) => !e.isDirectory).map((e) => e.name);
    if (idxName.train.some((pattern) => files.some((f) => pattern.test(f)))) return readIdx(place, files);
    if (files.some((f) => cifarName.train.test(f))) return readCifar10(place, files);
  }
  throw new InputError(
    `${folder}: neither IDX files (train-images-idx3-ubyte …) nor CIFAR-10 batches (data_batch_1.bin …), here or one level below`,
  );
}

async function list(folder: string): Promise<{ readonly name: string; readonly isDirectory: boolean }[]> {
  try {
    const names = (await readdir(folder)).sort();
    return await Promise.all(
      names.map(async (name) => {
        // A link that leads nowhere is no folder.
        const entry = await stat(join(folder, name)).catch(() => null);
        return { name, isDirectory: entry?.isDirectory() ?? false };
      }),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError(`${folder}: there is no such folder`);
    if (code === 'ENOTDIR') throw new InputError(`${folder}: this is a file; pass the folder that it is in`);
    throw new InputError(`${folder}: cannot be read (${code ?? String(error)})`);
  }
}

// Distributed as `train-images-idx3-ubyte`, by some as `train-images.idx3-ubyte`.
const idxName = {
  train: [/^train-images[-.]idx3-ubyte(\.gz)?$/, /^train-labels[-.]idx1-ubyte(\.gz)?$/],
  test: [/^t10k-images[-.]idx3-ubyte(\.gz)?$/, /^t10k-labels[-.]idx1-ubyte(\.gz)?$/],
} as const;

async function readIdx(folder: string, files: readonly string[]): Promise<Dataset> {
  const read = async (part: 'train' | 'test'): Promise<data.LabelledPictures> => {
    const [imageName, labelName] = idxName[part].map((pattern) => {
      const found = files.find((f) => pattern.test(f));
      if (found !== undefined) return found;
      const wanted = pattern.source.replace('[-.]', '-').replace(/^\^|\(.*$/g, '');
      throw new InputError(`${folder}: there is no ${wanted} (or .gz)`);
    }) as [string, string];
    const images = await readWith(join(folder, imageName), data.loadIdx);
    const labels = await readWith(join(folder, labelName), data.loadIdx);
    if (images.shape.length !== 3 || !(images.data instanceof Uint8Array)) {
      throw new InputError(
        `${join(folder, imageName)}: holds [${images.shape.join(', ')}], not [count, height, width] of bytes`,
      );
    }
    const [count, height, width] = images.shape as [number, number, number];
    if (labels.shape.length !== 1 || labels.shape[0] !== count || count === 0) {
      throw new InputError(
        `${folder}: ${imageName} has ${count} pictures and ${labelName} has ${labels.shape[0]} labels`,
      );
    }
    return { shape: [count, 1, height, width], images: images.data, labels: Int32Array.from(labels.data) };
  };
  return assemble(basename(resolve(folder)), await read('train'), await read('test'));
}

const cifarName = {
  train: /^(data_batch_\d+|train_batch)\.bin(\.gz)?$/,
  test: /^test_batch\.bin(\.gz)?$/,
} as const;

async function readCifar10(folder: string, files: readonly string[]): Promise<Dataset> {
  const read = async (part: 'train' | 'test'): Promise<data.LabelledPictures> => {
    const chosen = files.filter((f) => cifarName[part].test(f));
    if (chosen.length === 0) throw new InputError(`${folder}: there is no test_batch.bin (or .gz)`);
    const batches: data.LabelledPictures[] = [];
    for (const name of chosen) batches.push(await readWith(join(folder, name), data.loadCifar10));
    const count = batches.reduce((n, b) => n + b.labels.length, 0);
    const images = new Uint8Array(count * 3 * 32 * 32);
    const labels = new Int32Array(count);
    let at = 0;
    for (const batch of batches) {
      images.set(batch.images, at * 3 * 32 * 32);
      labels.set(batch.labels, at);
      at += batch.labels.length;
    }
    return { shape: [count, 3, 32, 32], images, labels };
  };
  return assemble('CIFAR-10', await read('train'), await read('test'));
}

/** Reads a file; what the format finds wrong becomes one line with the file's name. */
async function readWith<T>(path: string, parse: (bytes: Uint8Array) => Promise<T>): Promise<T> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new InputError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
  try {
    return await parse(bytes);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    throw new InputError(`${path}: ${error.parts.what}; ${error.parts.hint ?? error.parts.rule}`);
  }
}

function assemble(name: string, train: data.LabelledPictures, test: data.LabelledPictures): Dataset {
  const [, channels, height, width] = train.shape;
  if (test.shape.slice(1).join() !== train.shape.slice(1).join()) {
    throw new InputError(
      `${name}: training pictures are ${train.shape.slice(1).join(' × ')}, test pictures ${test.shape.slice(1).join(' × ')}`,
    );
  }
  const classes = 1 + [...train.labels, ...test.labels].reduce((a, b) => Math.max(a, b), 1);
  const { mean, deviation } = data.statistics(train.images);
  // Blank pictures have no deviation.
  const like = { mean, deviation: deviation || 1 };
  const examples = ({ images, labels }: data.LabelledPictures): Examples => ({
    x: data.normalize(images, like),
    y: labels,
  });
  return { name, shape: [channels, height, width], classes, train: examples(train), test: examples(test) };
}
