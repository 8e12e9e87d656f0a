// Files of saved plans, changed at random: what damage does, and what somebody does who wants to do harm and knows the
// format. A mutation is a function of its seed.

import { bindCode } from '../../runtime/binding.ts';
import { seededRandom } from './random.ts';
import { reseal, resealHead } from './reseal.ts';

type Random = ReturnType<typeof seededRandom>;

export interface Mutant {
  /** What was done, for messages. */
  readonly what: string;
  readonly bytes: Uint8Array;
  /** The file's own checksums are right again: all that stands in its way is what its content says. */
  readonly isResealed: boolean;
  /** The code says, too, that it belongs to what was changed: it may be another plan, and well-formed. */
  readonly isRebound: boolean;
  /** Its code is not the manifest's: nobody can say what it does, or whether it ends. */
  readonly isCode: boolean;
  /** The file that it was made of. */
  readonly from: number;
}

type Change = Omit<Mutant, 'from' | 'isCode' | 'isRebound'> & {
  readonly isCode?: boolean;
  readonly isRebound?: boolean;
};

const tableAt = 56;
const entryBytes = 56;
/** Of the section that binds code. */
const sectionBytes = 41;

/** Mutation number `seed` of one of the files. */
export function mutate(files: readonly Uint8Array[], seed: number): Mutant {
  const random = seededRandom(seed);
  const from = random.int(0, files.length - 1);
  const kind = pick(random, kinds);
  return { isCode: false, isRebound: false, ...kind(files[from]!.slice(), random, files), from };
}

const kinds: readonly ((file: Uint8Array, random: Random, files: readonly Uint8Array[]) => Change)[] = [
  (file, random) => {
    const count = random.int(1, 8);
    for (let i = 0; i < count; i++) file[random.int(0, file.length - 1)]! ^= 1 << random.int(0, 7);
    return { what: `${count} bits flipped`, bytes: file, isResealed: false };
  },
  (file, random) => {
    const length = random.int(0, file.length - 1);
    return { what: `cut to ${length} bytes`, bytes: file.slice(0, length), isResealed: false };
  },
  (file, random, files) => {
    const other = pick(random, files);
    const length = pick(random, [8, 12, 16, 24, 56, 112, 200]);
    file.set(other.subarray(0, Math.min(length, file.length, other.length)));
    if (other.length === file.length) file[9]! ^= 1;
    return { what: `head of ${length} bytes from another file`, bytes: file, isResealed: false };
  },
  // The head or the table, changed and sealed.
  (file, random) => {
    const view = new DataView(file.buffer);
    const count = view.getUint32(12, true);
    const at = random.bool() ? random.int(2, 5) * 4 : tableAt + random.int(0, count * 14 - 1) * 4;
    view.setUint32(at, pick(random, numbers(view.getUint32(at, true))) >>> 0, true);
    const isHead = random.bool();
    return {
      what: `word ${at} of the head changed, ${isHead ? 'head' : 'all'} sealed`,
      bytes: isHead ? resealHead(file) : reseal(file),
      isResealed: true,
    };
  },
  // Sections of one plan, from another file.
  (file, random, files) => splice(file, pick(random, files), random),
  (file, random) => flipSection(file, 2, random),
  (file, random) => flipSection(file, 1, random),
  (file, random) => changeManifest(file, random, false),
  (file, random) => changeManifest(file, random, false),
  (file, random) => changeManifest(file, random, true),
  (file, random) => changeManifest(file, random, true),
  (file, random) => changeManifest(file, random, true),
];

/** Binds the code of each plan to its manifest and constants as they are now. */
function rebind(parts: readonly Part[]): Part[] {
  const of = (kind: number, number: number): Uint8Array =>
    parts.find((p) => p.kind === kind && p.number === number)?.bytes ?? new Uint8Array(0);
  return parts.map((part) =>
    part.kind === 2 && part.bytes.length > sectionBytes
      ? {
          ...part,
          bytes: bindCode(part.bytes.slice(0, -sectionBytes), of(1, part.number), of(3, part.number)),
        }
      : part,
  );
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.int(0, list.length - 1)]!;
}

interface Part {
  readonly kind: number;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Sections of a file that is whole. */
export function partsOf(file: Uint8Array): Part[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: view.getUint32(12, true) }, (_, i) => {
    const at = tableAt + i * entryBytes;
    const offset = Number(view.getBigUint64(at + 8, true));
    return {
      kind: view.getUint32(at, true),
      number: view.getUint32(at + 4, true),
      bytes: file.slice(offset, offset + Number(view.getBigUint64(at + 16, true))),
    };
  });
}

/** A sealed file of these sections. */
export function fileOf(head: Uint8Array, parts: readonly Part[]): Uint8Array {
  const align = (n: number): number => Math.ceil(n / 8) * 8;
  const start = align(tableAt + parts.length * entryBytes);
  const file = new Uint8Array(parts.reduce((end, { bytes }) => align(end + bytes.length), start));
  const view = new DataView(file.buffer);
  file.set(head.subarray(0, 16));
  view.setUint32(12, parts.length, true);
  view.setBigUint64(16, BigInt(file.length), true);
  let offset = start;
  parts.forEach(({ kind, number, bytes }, i) => {
    const at = tableAt + i * entryBytes;
    view.setUint32(at, kind, true);
    view.setUint32(at + 4, number, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(bytes.length), true);
    file.set(bytes, offset);
    offset = align(offset + bytes.length);
  });
  return reseal(file);
}

function splice(file: Uint8Array, other: Uint8Array, random: Random): Change {
  const kind = random.int(1, 5);
  const isRebound = random.bool();
  const theirs = partsOf(other).filter((part) => part.kind === kind);
  const parts = partsOf(file).map((part) =>
    part.kind === kind && theirs.length > 0 ? { ...part, bytes: pick(random, theirs).bytes } : part,
  );
  return {
    what: `section of kind ${kind} from another file`,
    bytes: fileOf(file, isRebound ? rebind(parts) : parts),
    isResealed: true,
    isRebound,
    isCode: kind === 1 || kind === 2,
  };
}

function flipSection(file: Uint8Array, kind: number, random: Random): Change {
  const parts = partsOf(file);
  const part = pick(
    random,
    parts.filter((p) => p.kind === kind),
  );
  const at = random.int(0, part.bytes.length - 1);
  part.bytes[at]! ^= 1 << random.int(0, 7);
  const isRebound = random.bool();
  return {
    what: `bit of byte ${at} of a section of kind ${kind}, sealed`,
    bytes: fileOf(file, isRebound ? rebind(parts) : parts),
    isResealed: true,
    isRebound,
    isCode: kind === 2,
  };
}

/** One value of a manifest, anywhere in it. */
function changeManifest(file: Uint8Array, random: Random, isRebound: boolean): Change {
  const parts = partsOf(file);
  const index = pick(
    random,
    parts.flatMap(({ kind }, i) => (kind === 1 ? [i] : [])),
  );
  const manifest = JSON.parse(new TextDecoder().decode(parts[index]!.bytes)) as Json;
  const changes = random.int(1, 2);
  const done: string[] = [];
  for (let i = 0; i < changes; i++) {
    const places = placesOf(manifest);
    const { holder, key, path } = pick(random, places);
    const value = holder[key as never] as Json;
    const changed = change(value, random, places);
    if (changed === undefined) delete holder[key as never];
    else (holder as Record<string, Json>)[key] = changed;
    done.push(`${path} = ${(JSON.stringify(changed) ?? 'absent').slice(0, 60)}`);
  }
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  parts[index] = { ...parts[index]!, bytes };
  return {
    what: `${isRebound ? 'bound' : 'sealed'} manifest with ${done.join(' and ')}`,
    bytes: fileOf(file, isRebound ? rebind(parts) : parts),
    isResealed: true,
    isRebound,
  };
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Place {
  readonly holder: Json[] | { [key: string]: Json };
  readonly key: string;
  readonly path: string;
}

function placesOf(root: Json): Place[] {
  const places: Place[] = [];
  const visit = (value: Json, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value, key, path: `${path}.${key}` });
      visit((value as Record<string, Json>)[key]!, `${path}.${key}`);
    }
  };
  visit(root, '');
  return places;
}

function change(value: Json, random: Random, places: readonly Place[]): Json | undefined {
  const other = (): Json => {
    const { holder, key } = pick(random, places);
    return structuredClone((holder as Record<string, Json>)[key]!);
  };
  if (random.int(0, 9) === 0) return other();
  if (random.int(0, 19) === 0) return undefined;
  switch (typeof value) {
    case 'number':
      return pick(random, numbers(value));
    case 'boolean':
      return pick(random, [!value, null, 1]);
    case 'string':
      return pick(random, [
        '',
        '__proto__',
        'constructor',
        'next',
        'current',
        'arena',
        'flags',
        'js',
        `${value}x`,
        other(),
      ]);
    default:
      if (!Array.isArray(value)) return pick<Json>(random, [null, [], {}, 0]);
      return pick<Json>(random, [
        value.slice(0, -1),
        value.slice(1),
        [...value, ...value.slice(-1)],
        [...value].reverse(),
        [],
        [other()],
      ]);
  }
}

/** What is close to a number, and what is far off. JSON has no NaN: null comes out. */
function numbers(value: number): number[] {
  return [
    value + 1, value - 1, value + 4, value - 4, value * 2, Math.floor(value / 2), -value, 0, 1, -1, 0.5, 64,
    2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e300, Number.NaN, value + 2 ** 32, value + 64,
  ]; // biome-ignore format: a list
}
