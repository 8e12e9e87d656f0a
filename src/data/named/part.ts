// What has arrived of a file that is being downloaded. In a folder it survives the process: the next one asks for the rest.
//
//   FILE.part        the bytes so far
//   FILE.part.json   what the server called that version of the file, so that the rest is of the same

import { nodeModule } from '../../../runtime/node.ts';
import { joinBytes } from '../gunzip.ts';

export interface Part {
  readonly size: number;
  /** What the server said to tell versions apart; null when it said nothing. */
  readonly version: string | null;
  append(bytes: Uint8Array): Promise<void>;
  /** Drops what is there, and expects the file from its start. */
  restart(version: string | null): Promise<void>;
  read(): Promise<Uint8Array>;
  /** Writes what is in flight, and lets go of the file. */
  close(): Promise<void>;
  /** Nothing of it is kept. */
  remove(): Promise<void>;
  /** It is whole: from now on it is the file. */
  keep(): Promise<void>;
}

export function memoryPart(): Part {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let version: string | null = null;
  const drop = async (): Promise<void> => {
    chunks = [];
    size = 0;
  };
  return {
    get size() {
      return size;
    },
    get version() {
      return version;
    },
    append: async (bytes) => {
      chunks.push(bytes.slice());
      size += bytes.length;
    },
    restart: async (next) => {
      await drop();
      version = next;
    },
    read: async () => joinBytes(chunks),
    close: async () => {},
    remove: drop,
    keep: drop,
  };
}

/** The part of the file `path`, with what a process before has left. */
export async function filePart(path: string): Promise<Part> {
  const fs = nodeModule('node:fs/promises')!;
  await fs.mkdir(nodeModule('node:path')!.dirname(path), { recursive: true });
  const part = `${path}.part`;
  const note = `${part}.json`;
  let version = await readNote(note);
  let file = await fs.open(part, 'a+');
  let { size } = await file.stat();
  let isOpen = true;
  return {
    get size() {
      return size;
    },
    get version() {
      return version;
    },
    append: async (bytes) => {
      await file.appendFile(bytes);
      size += bytes.length;
    },
    restart: async (next) => {
      await file.truncate(0);
      size = 0;
      version = next;
      await fs.writeFile(note, JSON.stringify({ version }));
    },
    read: async () => {
      await file.sync();
      await file.close();
      const bytes = await fs.readFile(part);
      file = await fs.open(part, 'a+');
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
      if (size === 0) await fs.rm(part, { force: true });
    },
    remove: async () => {
      await file.truncate(0);
      size = 0;
      version = null;
      await fs.rm(note, { force: true });
    },
    keep: async () => {
      isOpen = false;
      await file.sync();
      await file.close();
      await fs.rename(part, path);
      await fs.rm(note, { force: true });
    },
  };
}

async function readNote(path: string): Promise<string | null> {
  const fs = nodeModule('node:fs/promises')!;
  try {
    const { version } = JSON.parse(await fs.readFile(path, 'utf8')) as { readonly version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}
