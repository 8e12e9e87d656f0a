// The one linear memory of an executor: a growable WebAssembly.Memory, cut into regions. Kernels of both targets and
// all workers see it. Regions are aligned to 64 bytes (a cache line, so that workers never share one across regions)
// and come back to a free list that merges neighbours: any sequence of loads and unloads that ends with the same
// regions in use ends with the same memory free.
//
// Growing makes every existing view stale: `bytes`, `words` and `floats` are read anew from here for each use.

import { runtimeError } from './errors.ts';

/** A piece of memory in use. `bytes` is a multiple of 64. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
}

const pageBytes = 65536;
const alignment = 64;

/** 4 GiB, what 32-bit addresses reach; engines that refuse to reserve so much get less. */
const maximumPages = [65536, 32768, 16384, 8192, 4096, 1024];

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Counts growths: bindings of generated JavaScript are made anew when it changes. */
  generation = 0;

  readonly #maximumBytes: number;
  /** Sorted by address; neighbours never touch. */
  #free: Region[];
  #used = 0;
  #bytes: Uint8Array;
  #words: Int32Array;
  #floats: Float32Array;

  /** Memory of one page. `maximumBytes` sets a limit below what the engine gives. Throws HDL1007. */
  constructor(options: { readonly shared: boolean; readonly maximumBytes?: number }) {
    this.shared = options.shared;
    const [memory, pages] = openMemory(options.shared, options.maximumBytes);
    this.memory = memory;
    this.#maximumBytes = pages * pageBytes;
    // Address 0 stays unused, so that a zero address is always a mistake.
    this.#free = [{ address: alignment, bytes: pageBytes - alignment }];
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
  }

  /** All of memory as bytes. Stale after the next `allocate`. */
  get bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  /** All of memory as 32-bit words: address / 4. Stale after the next `allocate`. */
  get words(): Int32Array {
    this.#refresh();
    return this.#words;
  }

  /** All of memory as f32: address / 4. Stale after the next `allocate`. */
  get floats(): Float32Array {
    this.#refresh();
    return this.#floats;
  }

  /** Bytes of regions in use. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Bytes that memory has grown to. */
  get sizeBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** A region of at least `bytes`, with unspecified contents. `purpose` names it in the error. Throws HDL1007. */
  allocate(bytes: number, purpose: string): Region {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    let index = this.#free.findIndex((hole) => hole.bytes >= size);
    if (index < 0) {
      this.#grow(size, purpose);
      index = this.#free.length - 1;
    }
    const hole = this.#free[index]!;
    const rest = { address: hole.address + size, bytes: hole.bytes - size };
    this.#free.splice(index, 1, ...(rest.bytes > 0 ? [rest] : []));
    this.#used += size;
    return { address: hole.address, bytes: size };
  }

  /** Gives a region back. */
  free(region: Region): void {
    const next = this.#free.findIndex((hole) => hole.address > region.address);
    const index = next < 0 ? this.#free.length : next;
    const before = this.#free[index - 1];
    const after = this.#free[index];
    const end = region.address + region.bytes;
    if ((before && before.address + before.bytes > region.address) || (after && after.address < end)) {
      throw runtimeError('HDL1099', { what: `internal: region at ${region.address} is freed twice` });
    }
    const joinsBefore = before !== undefined && before.address + before.bytes === region.address;
    const joinsAfter = after !== undefined && after.address === end;
    const address = joinsBefore ? before.address : region.address;
    const bytes = (joinsAfter ? after.address + after.bytes : end) - address;
    this.#free.splice(joinsBefore ? index - 1 : index, Number(joinsBefore) + Number(joinsAfter), {
      address,
      bytes,
    });
    this.#used -= region.bytes;
  }

  /** Grows until the last hole, which then ends where memory ends, holds `size` bytes. */
  #grow(size: number, purpose: string): void {
    const end = this.sizeBytes;
    const last = this.#free.at(-1);
    const tail = last && last.address + last.bytes === end ? last : undefined;
    const pages = Math.ceil((size - (tail?.bytes ?? 0)) / pageBytes);
    const refuse = (reason: string, cause?: unknown) =>
      runtimeError(
        'HDL1007',
        {
          what:
            `${formatBytes(size)} for ${purpose} do not fit: ${formatBytes(this.#used)} are in use, ` +
            `memory has ${formatBytes(end)} and may grow to ${formatBytes(this.#maximumBytes)}`,
          rule: reason,
          hint: 'use a smaller batch, or unload plans that are not needed',
        },
        cause === undefined ? undefined : { cause },
      );
    if (!(end + pages * pageBytes <= this.#maximumBytes)) {
      throw refuse('memory, in regions without gaps, stays below its maximum');
    }
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw refuse('the engine refused to grow the memory', cause);
    }
    this.generation++;
    if (tail) this.#free.pop();
    const address = tail?.address ?? end;
    this.#free.push({ address, bytes: this.sizeBytes - address });
  }

  #refresh(): void {
    const { buffer } = this.memory;
    if (buffer === this.#bytes.buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#floats = new Float32Array(buffer);
  }
}

function openMemory(shared: boolean, maximumBytes: number | undefined): [WebAssembly.Memory, number] {
  const limit =
    maximumBytes === undefined ? maximumPages[0]! : Math.max(1, Math.floor(maximumBytes / pageBytes));
  const tries = [limit, ...maximumPages.filter((pages) => pages < limit)];
  let cause: unknown;
  for (const maximum of tries) {
    try {
      return [new WebAssembly.Memory({ initial: 1, maximum, shared }), maximum];
    } catch (error) {
      cause = error;
    }
  }
  throw runtimeError(
    'HDL1007',
    {
      what: `the engine gives no ${shared ? 'shared ' : ''}memory, not even one that may grow to ${formatBytes(tries.at(-1)! * pageBytes)}`,
      hint: 'dispose executors that are not needed; in a browser, close other tabs of the page',
    },
    { cause },
  );
}

/** `3.2 MiB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
