// CIFAR-10: 60,000 small photographs in ten classes (Krizhevsky, 2009).

import { compilerError } from '../../../compiler/graph/errors.ts';
import { isNode } from '../../../runtime/node.ts';
import { readIfThere } from '../../files.ts';
import { type LabelledPictures, loadCifar10 } from '../cifar10.ts';
import { joinBytes } from '../gunzip.ts';
import { type NamedDataOptions, type NamedFile, type NamedSet, obtain } from './files.ts';
import type { LabelledParts } from './idx-pictures.ts';
import { untar } from './tar.ts';

const set: NamedSet = { name: 'cifar10', base: 'https://www.cs.toronto.edu/~kriz/' };
const archive: NamedFile = { name: 'cifar-10-binary.tar.gz', also: ['cifar-10-binary.tar'], sha256: [] };
const trainBatches = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

/**
 * CIFAR-10: 50,000 + 10,000 pictures [3, 32, 32], bytes, with labels 0 … 9 (`data.cifar10Classes`). From a folder with the archive or the
 * binary batches (data_batch_1.bin … or train_batch.bin, and test_batch.bin; plain or .gz, also fewer pictures), from the cache, or
 * downloaded (170 MB). No hash of the archive is known here: it is checked for its form and size. Throws HDL1021 (a file cannot be
 * had), HDL0016.
 *
 * @example const { train, test } = await data.cifar10({ folder: 'cifar10' });
 */
export async function cifar10(options: NamedDataOptions = {}): Promise<LabelledParts> {
  const { folder } = options;
  const batches = folder === undefined || !isNode() ? null : await fromBatches(folder);
  if (batches !== null) return { ...batches, isVerified: false };
  const { bytes, isVerified } = await obtain(set, archive, options);
  const files = untar(bytes, archive.name);
  const named = (name: string): Uint8Array => {
    const found = [...files].find(([path]) => path.endsWith(`/${name}`) || path === name);
    if (found !== undefined) return found[1];
    throw compilerError('HDL0016', {
      what: `${archive.name} without ${name}`,
      rule: 'it has five training batches and a test batch',
      hint: 'use the binary version',
    });
  };
  const train = await loadCifar10(joinBytes(trainBatches.map(named)));
  const test = await loadCifar10(named('test_batch.bin'));
  if (train.labels.length !== 50_000 || test.labels.length !== 10_000) {
    throw compilerError('HDL0016', {
      what: `${archive.name} with ${train.labels.length} + ${test.labels.length} pictures`,
      rule: 'CIFAR-10 has 50,000 + 10,000',
      hint: 'for fewer pictures give the batches in a folder',
    });
  }
  return { train, test, isVerified };
}

/** Batches in a folder; null when there are none. */
async function fromBatches(
  folder: string,
): Promise<{ readonly train: LabelledPictures; readonly test: LabelledPictures } | null> {
  const read = async (names: readonly string[]): Promise<LabelledPictures | null> => {
    const parts: LabelledPictures[] = [];
    for (const name of names) {
      for (const place of [folder, `${folder}/cifar-10-batches-bin`]) {
        const bytes = (await readIfThere(`${place}/${name}`)) ?? (await readIfThere(`${place}/${name}.gz`));
        if (bytes === null) continue;
        parts.push(await loadCifar10(bytes));
        break;
      }
    }
    if (parts.length === 0) return null;
    const labels = Int32Array.from(parts.flatMap((p) => [...p.labels]));
    return { shape: [labels.length, 3, 32, 32], images: joinBytes(parts.map((p) => p.images)), labels };
  };
  const train = await read([...trainBatches, 'train_batch.bin']);
  const test = await read(['test_batch.bin']);
  if (train === null && test === null) return null;
  if (train !== null && test !== null) return { train, test };
  throw compilerError('HDL0016', {
    what: `'${folder}' with ${train === null ? 'a test batch' : 'training batches'} alone`,
    rule: 'CIFAR-10 has training batches and a test batch',
    hint: 'single batches are read by data.loadCifar10',
  });
}
