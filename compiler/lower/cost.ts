// What fusion's choices cost, in nanoseconds of one core: to store a value, or to compute it where it is read. The one
// model by which materialize.ts and chain.ts decide; decisions.ts shows its figures.
//
//   storing       compute once, write, and each reader reads it
//   computing     each reader computes it, from what it is made of
//
// In: sizes and counts of operations (kernel/cost.ts), known before there is a kernel. The constants do not depend on who
// measured what: what is fused decides which bits come out where sums follow, and plans are the same on all machines.

import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { elementBytes } from '../kernel/cost.ts';

/** One core, elementwise code on 128-bit vectors; rounded, since only ratios matter. */
const machine = {
  bytesPerNs: 16,
  /** The same for what one unit of a kernel has just read or written. */
  nearBytesPerNs: 48,
  operationsPerNs: 8,
  /** Operations per element that run while the loop waits for its loads and stores. */
  hiddenOperations: 2,
  /** Of making four elements of less than four bytes out of a vector, or a vector out of them, per element. */
  narrowOperations: 2,
  /** One more kernel. */
  callNs: 60,
} as const;

/** A byte written costs as much as two read: its line is fetched first, and it takes room in the arena. */
const written = 2;
/** So does a byte of a further value that must be kept for those who compute again. */
const held = 2;

/** As many bytes of one unit stay near: half of a second cache. */
const nearBytes = 512 * 1024;

/** The two sides of a choice, in nanoseconds. */
export interface Costs {
  readonly storing: number;
  readonly computing: number;
}

/** Whether computing where it is read is no dearer. */
export function isComputed({ storing, computing }: Costs): boolean {
  return computing <= storing;
}

/** Bytes of a value in memory. */
export function bytesOf({ type }: Node): number {
  return elementCount(type.shape) * elementBytes(type.dtype);
}

/** Nanoseconds of reading so many bytes. */
export function readingNs(bytes: number): number {
  return bytes / machine.bytesPerNs;
}

/** Packing and unpacking masks and bytes, for so many accesses. */
function narrowingNs({ type }: Node, accesses: number): number {
  if (elementBytes(type.dtype) === 4) return 0;
  return (machine.narrowOperations * accesses * elementCount(type.shape)) / machine.operationsPerNs;
}

function arithmeticNs(operations: number, elements: number): number {
  return (Math.max(0, operations - machine.hiddenOperations) * elements) / machine.operationsPerNs;
}

/**
 * A value that several values read: `operations` per element down to what lies in memory anyway, `sources` of which are as
 * large as the value itself.
 */
export function costsOfSharing(
  value: Node,
  readers: number,
  operations: number,
  sources: readonly Node[],
): Costs {
  const bytes = bytesOf(value);
  const once =
    arithmeticNs(operations, elementCount(value.type.shape)) +
    readingNs(sources.reduce((n, s) => n + bytesOf(s), 0));
  const more = sources.slice(1).reduce((n, s) => n + bytesOf(s), 0);
  return {
    storing: once + readingNs(written * bytes + readers * bytes) + narrowingNs(value, 1 + readers),
    computing: readers * once + readingNs(held * more),
  };
}

/** A value each of whose elements is read `ratio` times by one reader, of `operations` per element. */
export function costsOfRepeating(value: Node, ratio: number, operations: number): Costs {
  const elements = elementCount(value.type.shape);
  return {
    storing: machine.callNs + arithmeticNs(operations, elements) + readingNs((written + 1) * bytesOf(value)),
    computing: arithmeticNs(operations, elements * ratio),
  };
}

/**
 * A second kernel that reads `bytes` which a first one reads or writes, unit by unit: apart (`storing`), or in one kernel
 * that comes back to them at once (`computing`).
 */
export function costsOfChaining(bytes: number, units: number): Costs {
  return {
    storing: machine.callNs + readingNs(bytes),
    computing: codeNs + (isNear(bytes, units) ? bytes / machine.nearBytesPerNs : readingNs(bytes)),
  };
}

/** Whether what one of so many units touches stays near. */
export function isNear(bytes: number, units: number): boolean {
  return bytes / units <= nearBytes;
}

/** A kernel of its own, in code that other steps do not share: what it costs to compile, spread over many runs. */
const codeNs = 1000;
