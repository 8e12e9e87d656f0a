// What the checker proves about one kernel, from its loop nest alone: every access is in bounds, units store disjoint
// elements, which outputs are stored completely, and which input an output may overwrite in place.
//
// Small kernels are enumerated, element by element. Large ones are proved by their indices (footprint.ts, disjoint.ts),
// and enumerated after all when that does not succeed.

import {
  coefficientOfVar,
  constIndex,
  type Index,
  type LoopVar,
  type Range,
  varIndex,
} from '../kernel/affine.ts';
import type { Kernel } from '../kernel/ir.ts';
import { areDisjoint, digitsOf, hull, isInjective, radicesOf, volumeOf } from './disjoint.ts';
import { enumerate } from './enumerate.ts';
import { type Footprint, footprints, rangeUnder, touchedBy } from './footprint.ts';
import { overwritesWhatItRead } from './inplace.ts';
import { restrictTrace, type Trace, traceOf } from './trace.ts';

/** Kernels with at most so many accesses are enumerated first. */
const smallKernel = 1e5;
/** Enumeration gives up after so many. */
const largestEnumeration = 3e7;
/** Units that are looked at one by one. */
const mostUnits = 8192;

export interface KernelFacts {
  readonly kernel: Kernel;
  /** What is wrong, in words, or null. */
  readonly problem: string | null;
  /** Distinct elements stored, per parameter; NaN when they could not be counted. */
  readonly stored: readonly number[];
  /** Whether writing parameter `write` over parameter `read` leaves every value that is read as it was. */
  readonly mayOverwrite: (read: number, write: number) => boolean;
  /** The elements of a parameter that units [begin, end) touch. */
  readonly touched: (param: number, begin: number, end: number) => Range | null;
}

/** Proves what it can about the kernel; never throws. */
export function examineKernel(kernel: Kernel): KernelFacts {
  const trace = traceOf(kernel);
  const any = footprints(trace, kernel.unit, varIndex(kernel.unit));
  const isSmall = any.reduce((n, f) => n + volumeOf(f), 0) * kernel.unit.extent <= smallKernel;
  const stored = kernel.params.map(() => 0);
  const facts = (problem: string | null): KernelFacts => ({
    kernel,
    problem,
    stored,
    mayOverwrite: (read, write) =>
      isSmall
        ? overwriteByEnumeration(kernel, trace, read, write)
        : overwriteByIndex(kernel, trace, read, write),
    touched: (param, begin, end) => touchedBy(kernel, trace, begin, end)[param] ?? null,
  });
  const access = accessProblem(kernel, any);
  if (access) return facts(access);
  const bounds = boundsProblem(kernel, trace, any, isSmall);
  if (bounds) return facts(bounds);
  for (const [p, param] of kernel.params.entries()) {
    if (param.access !== 'write' || p === kernel.flags) continue;
    const proved = isSmall ? null : storesByIndex(kernel, trace, p);
    if (proved !== null && !Number.isNaN(proved.elements)) stored[p] = proved.elements;
    else {
      // Units may be known to be disjoint, but not how much they store.
      const counted = storesByEnumeration(kernel, trace, p);
      if (typeof counted === 'string' && proved === null) return facts(counted);
      stored[p] = typeof counted === 'string' ? Number.NaN : counted.elements;
    }
    const isReadBack = any.some((f) => f.kind === 'load' && f.param === p);
    if (isReadBack && !(isSmall ? readsBackByEnumeration : readsBackByIndex)(kernel, trace, p))
      return facts(`that units read of '${param.name}' only what they have written could not be proved`);
  }
  return facts(null);
}

function accessProblem(kernel: Kernel, any: readonly Footprint[]): string | null {
  for (const f of any) {
    const param = kernel.params[f.param];
    if (!param) return `a ${f.kind} of parameter ${f.param}, there are ${kernel.params.length}`;
    if (f.kind === 'store' && param.access === 'read')
      return `a store to '${param.name}', which is only read`;
  }
  return null;
}

// --- bounds ---

function boundsProblem(
  kernel: Kernel,
  trace: readonly Trace[],
  any: readonly Footprint[],
  isSmall: boolean,
): string | null {
  const isInside = (f: Footprint): boolean => {
    const r = rangeUnder(f.index, f.bounds);
    return r === null || (r.min >= 0 && r.max < kernel.params[f.param]!.elements);
  };
  const outside = any.filter((f) => !isInside(f));
  if (outside.length === 0) return null;
  const first = outside[0]!;
  const { name, elements } = kernel.params[first.param]!;
  const r = rangeUnder(first.index, first.bounds)!;
  const claim = `a ${first.kind} of '${name}' reaches elements [${r.min}, ${r.max}], it has [0, ${elements - 1}]`;
  if (!isSmall && kernel.unit.extent <= mostUnits) {
    const perUnit = Array.from({ length: kernel.unit.extent }, (_, u) => u);
    if (perUnit.every((u) => footprints(trace, kernel.unit, constIndex(u)).every(isInside))) return null;
  }
  let wrong: string | null = null;
  const suspects = restrictTrace(trace, (a) => outside.some((f) => f.kind === a.kind && f.param === a.param));
  const isDone = enumerate(suspects, kernel.unit, largestEnumeration, (access, element, unit) => {
    const param = kernel.params[access.param]!;
    if (wrong === null && !(element >= 0 && element < param.elements)) {
      wrong = Number.isNaN(element)
        ? `${claim}; that it does not could not be proved`
        : `a ${access.kind} of '${param.name}' reaches element ${element} in unit ${unit}, it has [0, ${param.elements - 1}]`;
    }
  });
  return isDone ? wrong : (wrong ?? `${claim}; that it does not could not be proved`);
}

// --- stores ---

interface Stores {
  readonly elements: number;
}

function storesByEnumeration(kernel: Kernel, trace: readonly Trace[], p: number): Stores | string {
  const { name, elements } = kernel.params[p]!;
  const owner = new Int32Array(elements).fill(-1);
  let count = 0;
  let problem: string | null = null;
  const stores = restrictTrace(trace, (a) => a.kind === 'store' && a.param === p);
  const isDone = enumerate(stores, kernel.unit, largestEnumeration, (_, element, unit) => {
    if (problem !== null) return;
    if (Number.isNaN(element)) {
      count = Number.NaN;
      if (kernel.unit.extent > 1)
        problem = `that units store disjoint elements of '${name}' could not be proved: an index is known at run time only`;
      return;
    }
    const before = owner[element]!;
    if (before === -1) count++;
    else if (before !== unit)
      problem = `units ${before} and ${unit} both store element ${element} of '${name}'`;
    owner[element] = unit;
  });
  if (problem === null && !isDone)
    return `that units store disjoint elements of '${name}' could not be proved`;
  return problem ?? { elements: count };
}

/** Null when the proof does not succeed. */
function storesByIndex(kernel: Kernel, trace: readonly Trace[], p: number): Stores | null {
  const units = storesOfUnits(kernel, trace, p);
  if (units === null) return null;
  const radices = radicesOf(units.flat());
  const sets: Range[][] = [];
  for (const stores of units) {
    const digits = stores.map((s) => digitsOf(s, radices)).filter((d) => d !== null);
    if (digits.length > 0) sets.push(digits.reduce((a, b) => hull(a, b)));
  }
  if (!areDisjoint(sets)) return null;
  return {
    elements: isStoredOnce(units, radices) ? units.flat().reduce((n, s) => n + volumeOf(s), 0) : Number.NaN,
  };
}

function storesOfUnits(kernel: Kernel, trace: readonly Trace[], p: number): Footprint[][] | null {
  if (kernel.unit.extent > mostUnits) return null;
  return Array.from({ length: kernel.unit.extent }, (_, u) =>
    footprints(trace, kernel.unit, constIndex(u)).filter((f) => f.kind === 'store' && f.param === p),
  );
}

/** No element is stored twice, neither by one store nor by two; stores that may not happen do not count as proved. */
function isStoredOnce(units: readonly (readonly Footprint[])[], radices: readonly number[]): boolean {
  return units.every((stores) => {
    if (!stores.every((s) => s.isExact && isInjective(s))) return false;
    return areDisjoint(stores.map((s) => digitsOf(s, radices)).filter((d) => d !== null));
  });
}

// --- read back ---
// A kernel that stands for several, unit by unit, reads what an earlier one of them has written (kernel/chain.ts); a stage is
// written and read stripe after stripe (kernel/schedule/stage.ts).

function readsBackByEnumeration(kernel: Kernel, trace: readonly Trace[], p: number): boolean {
  const own = restrictTrace(trace, (a) => a.param === p);
  const owner = new Int32Array(kernel.params[p]!.elements).fill(-1);
  enumerate(own, kernel.unit, largestEnumeration, (access, element, unit) => {
    if (access.kind === 'store') owner[element] = unit;
  });
  const isStored = new Uint8Array(owner.length);
  let isFine = true;
  enumerate(own, kernel.unit, largestEnumeration, (access, element, unit) => {
    if (access.kind === 'store') isStored[element] = 1;
    else if (owner[element] !== -1 && (owner[element] !== unit || isStored[element] === 0)) isFine = false;
  });
  return isFine;
}

/**
 * Units store in ranges that do not meet, and each reads what it has stored before its first load: all that it stores, or
 * else every element of a range.
 */
function readsBackByIndex(kernel: Kernel, trace: readonly Trace[], p: number): boolean {
  if (kernel.unit.extent > mostUnits) return false;
  const stores = restrictTrace(trace, (a) => a.kind === 'store' && a.param === p);
  const loads = restrictTrace(trace, (a) => a.kind === 'load' && a.param === p);
  const first = storesBeforeLoads(restrictTrace(trace, (a) => a.param === p));
  const isAll = countStores(first) === countStores(stores);
  const units = Array.from({ length: kernel.unit.extent }, (_, u) => ({
    wrote: touchedBy(kernel, stores, u, u + 1)[p] ?? null,
    before: touchedBy(kernel, first, u, u + 1)[p] ?? null,
    reads: touchedBy(kernel, loads, u, u + 1)[p] ?? null,
    places: isAll ? [] : footprints(first, kernel.unit, constIndex(u)),
  }));
  const isFine = units.every(({ before, reads, places }) => {
    if (reads === null) return true;
    if (before === null || reads.min < before.min || reads.max > before.max) return false;
    const count = places.reduce((n, f) => n + volumeOf(f), 0);
    return isAll || (count === before.max - before.min + 1 && isStoredOnce([places], radicesOf(places)));
  });
  return isFine && areDisjoint(units.flatMap((r) => (r.wrote ? [[r.wrote]] : [])));
}

/** The stores that happen before the first load; of a loop that loads too those of its first round, if all rounds are alike. */
function storesBeforeLoads(trace: readonly Trace[]): Trace[] {
  const out: Trace[] = [];
  for (const t of trace) {
    if (restrictTrace([t], (a) => a.kind === 'load').length === 0) out.push(t);
    else {
      if (t.kind === 'branch') {
        const [body, otherwise] = [storesBeforeLoads(t.body), storesBeforeLoads(t.otherwise)];
        out.push({ ...t, body, otherwise });
      } else if (t.kind === 'loop' && !movesWith(t.body, t.v)) out.push(...storesBeforeLoads(t.body));
      break;
    }
  }
  return out;
}

function countStores(trace: readonly Trace[]): number {
  return trace.reduce((n, t) => {
    if (t.kind === 'loop') return n + countStores(t.body);
    return n + (t.kind === 'branch' ? countStores([...t.body, ...t.otherwise]) : 1);
  }, 0);
}

/** Whether an access, or whether it happens, depends on a loop variable. */
function movesWith(trace: readonly Trace[], v: LoopVar): boolean {
  const depends = (index: Index): boolean => coefficientOfVar(index, v, () => true) !== 0;
  return trace.some((t) => {
    if (t.kind === 'loop') return depends(t.limit) || movesWith(t.body, v);
    if (t.kind !== 'branch') return depends(t.index);
    return t.conditions.some((c) => depends(c.index)) || movesWith([...t.body, ...t.otherwise], v);
  });
}

// --- in place ---

function overwriteByEnumeration(
  kernel: Kernel,
  trace: readonly Trace[],
  read: number,
  write: number,
): boolean {
  const elements = Math.max(kernel.params[read]!.elements, kernel.params[write]!.elements);
  const owner = new Int32Array(elements).fill(-1);
  let isSafe = true;
  const both = restrictTrace(trace, (a) => a.param === read || a.param === write);
  const isDone = enumerate(both, kernel.unit, largestEnumeration, (access, element, unit) => {
    if (Number.isNaN(element)) isSafe = false;
    else if (access.kind === 'store') owner[element] = unit;
  });
  if (!isDone || !isSafe) return false;
  // A load must come before the stores of its element, and in the unit that does them.
  const isStored = new Uint8Array(elements);
  enumerate(both, kernel.unit, largestEnumeration, (access, element, unit) => {
    if (access.kind === 'store' && access.param === write) isStored[element] = 1;
    else if (access.param === read) {
      if (isStored[element] === 1 || (owner[element] !== -1 && owner[element] !== unit)) isSafe = false;
    }
  });
  return isSafe;
}

function overwriteByIndex(kernel: Kernel, trace: readonly Trace[], read: number, write: number): boolean {
  if (!overwritesWhatItRead(trace, read, write)) return false;
  const units = storesOfUnits(kernel, trace, write);
  if (units !== null) {
    const radices = radicesOf(units.flat());
    if (isStoredOnce(units, radices) && storesByIndex(kernel, trace, write) !== null) return true;
  }
  return overwriteByEnumeration(kernel, trace, read, write);
}
