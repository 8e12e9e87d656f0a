// The files of a named data set: from a folder of the user's, from the cache, or downloaded to it. A file counts as there when it unpacks,
// and has the hash that is known of what it unpacks to; else it is said that none is known.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { runtimeError } from '../../../runtime/errors.ts';
import { isNode } from '../../../runtime/node.ts';
import { expectFiles, readIfThere } from '../../files.ts';
import { createProgress } from '../../progress.ts';
import { defaultSink } from '../../sink.ts';
import { gunzip } from '../gunzip.ts';
import { cacheFolder } from './cache-folder.ts';
import { type DownloadOptions, download } from './download.ts';
import { lock } from './lock.ts';
import { filePart, memoryPart } from './part.ts';

/** A file of a data set, as it lies at the base address. */
export interface NamedFile {
  readonly name: string;
  /** Names that it may have in a folder, plain or with `.gz`, besides its own. */
  readonly also?: readonly string[];
  /** SHA-256 of what it unpacks to, in hex: of each form that it is distributed in; empty when none is known. */
  readonly sha256: readonly string[];
}

export interface NamedSet {
  /** Name of its folder in the cache. */
  readonly name: string;
  /** Address of the folder that the files are in; ends with a slash. */
  readonly base: string;
}

/** What happens to a file. */
export interface DataEvent {
  readonly file: string;
  /** `unverified`: it is whole as far as its own checksums say, and no hash of it is known. */
  readonly kind: 'download' | 'verified' | 'unverified';
  /** Of the file as it is downloaded, so far and in all. */
  readonly bytes: number;
  readonly total: number | null;
}

export interface NamedDataOptions extends DownloadOptions {
  /** A folder that has the files, packed or not: nothing is downloaded. */
  readonly folder?: string | undefined;
  /** Where the files are, in place of the usual address; ends with a slash. In a page it may be relative to it. */
  readonly base?: string | URL | undefined;
  /**
   * The folder in which downloads are kept; `null` keeps nothing. Default: HEDDLE_CACHE, or `heddle` in the user's cache folder; in browsers
   * nothing is kept.
   */
  readonly cache?: string | null | undefined;
  /** Told of downloads and checks; default: a line of progress, unless `verbose` is false. */
  readonly onProgress?: ((event: DataEvent) => void) | undefined;
  readonly verbose?: boolean | undefined;
}

export interface ObtainedFile {
  /** Unpacked. */
  readonly bytes: Uint8Array;
  /** Whether a hash was known, and it is the file's. */
  readonly isVerified: boolean;
}

/** Gets one file. Throws HDL1021 when it is not in the folder, cannot be downloaded, or is not what it should be. */
export async function obtain(
  set: NamedSet,
  file: NamedFile,
  options: NamedDataOptions,
): Promise<ObtainedFile> {
  const tell = options.onProgress ?? (options.verbose === false ? () => {} : shown());
  const accept = async (bytes: Uint8Array): Promise<ObtainedFile> => {
    const unpacked = await gunzip(bytes, file.name);
    const isVerified = file.sha256.length > 0;
    if (isVerified) {
      const found = await sha256(unpacked);
      if (!file.sha256.includes(found)) throw new Error(`its SHA-256 is ${found}, not ${file.sha256[0]}`);
    }
    const kind = isVerified ? 'verified' : 'unverified';
    tell({ file: file.name, kind, bytes: bytes.length, total: bytes.length });
    return { bytes: unpacked, isVerified };
  };
  if (options.folder !== undefined) return fromFolder(options.folder, set, file, accept);

  const folder = options.cache === undefined ? cacheFolder() : isNode() ? options.cache : null;
  const path = folder === null ? null : `${folder}/${set.name}/${file.name}`;
  const fromCache = async (): Promise<ObtainedFile | null> => {
    const kept = path === null ? null : await readIfThere(path);
    // What was damaged on the disk is downloaded anew.
    return kept === null ? null : accept(kept).catch(() => null);
  };
  const found = await fromCache();
  if (found !== null) return found;
  const unlock = path === null ? async () => {} : await lock(`${path}.lock`, options.signal);
  try {
    // Another process may have been faster.
    return (await fromCache()) ?? (await fromServer(urlOf(file, options.base ?? set.base), path));
  } finally {
    await unlock();
  }

  async function fromServer(url: string, path: string | null): Promise<ObtainedFile> {
    const part = path === null ? memoryPart() : await filePart(path);
    try {
      // Twice: what a process before has left may be of another file.
      for (let isContinued = part.size > 0; ; isContinued = false) {
        await download(url, part, options, (bytes, total) =>
          tell({ file: file.name, kind: 'download', bytes, total }),
        );
        const bytes = await part.read();
        try {
          const accepted = await accept(bytes);
          await part.keep();
          return accepted;
        } catch (cause) {
          await part.remove();
          if (isContinued) continue;
          throw runtimeError(
            'HDL1021',
            {
              what: `download of ${url}: the file is not what it should be: ${firstLine(cause)}`,
              rule:
                file.sha256.length === 0 ? 'it unpacks' : 'it unpacks to bytes with the hash that is known',
              hint: 'use another base address, { base }, or a folder with the files, { folder }; nothing was kept',
            },
            { cause },
          );
        }
      }
    } finally {
      await part.close().catch(() => {});
    }
  }
}

function urlOf({ name }: NamedFile, base: string | URL): string {
  const folder = String(base).replace(/\/?$/, '/');
  // In a page an address may be relative to that of the page.
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  if (URL.canParse(folder, page)) return new URL(name, new URL(folder, page)).href;
  throw compilerError('HDL0003', {
    what: `base: '${base}'`,
    rule: 'base is the address of a folder',
    hint: "base: 'https://example.org/mnist/'; for files on this machine give { folder }",
  });
}

async function fromFolder(
  folder: string,
  set: NamedSet,
  file: NamedFile,
  accept: (bytes: Uint8Array) => Promise<ObtainedFile>,
): Promise<ObtainedFile> {
  expectFiles(`folder: '${folder}'`, 'give { base }, the address of a folder that a server has');
  const plain = file.name.replace(/\.gz$/, '');
  const names = [plain, ...(file.also ?? [])].flatMap((name) => [`${name}.gz`, name]);
  for (const place of [folder, `${folder}/${set.name}`]) {
    for (const name of names) {
      const bytes = await readIfThere(`${place}/${name}`);
      if (bytes === null) continue;
      try {
        return await accept(bytes);
      } catch (cause) {
        throw runtimeError(
          'HDL1021',
          {
            what: `${place}/${name} is not what it should be: ${firstLine(cause)}`,
            rule: `it is the ${set.name} file of that name, whole and unchanged`,
            hint: `copy it again, or leave out folder to download it; other files are read by their readers, such as data.loadIdx`,
          },
          { cause },
        );
      }
    }
  }
  throw runtimeError('HDL1021', {
    what: `there is no ${names.join(' or ')} in '${folder}'`,
    rule: `the folder has the files of ${set.name}`,
    hint: 'check the path, or leave out folder to download them',
  });
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0]!;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** A line of progress for each file, and what was checked. */
function shown(): (event: DataEvent) => void {
  const progress = createProgress({ unit: 'KiB' });
  let isBegun = false;
  return ({ file, kind, bytes, total }) => {
    if (kind === 'download') {
      if (!isBegun) progress.begin(`download ${file}`, Math.ceil((total ?? 0) / 1024));
      isBegun = true;
      progress.update(Math.floor(bytes / 1024), {});
      return;
    }
    if (isBegun) progress.end({});
    if (isBegun && kind === 'unverified') {
      defaultSink().write(`${file}: not verified, no hash of it is known\n`);
    }
  };
}
