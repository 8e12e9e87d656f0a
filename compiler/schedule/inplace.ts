// In-place reuse: the output of a step takes the place of an input that nobody needs afterwards.
//
// The kernel must load an element only in the iteration that stores it, and before it does:
//
//   for i:  y[i] = f(x[i], …)          y may take the place of x
//   for i:  y[i] = x[i] + x[i + 1]     it may not
//
// That a kernel stores each element at most once, whichever unit does it, is part of the contract of Kernel IR; the
// checker (check.ts) proves it again for every pair. The order of dimensions does not matter: elements are addressed
// alike.

import { isStaticIndex } from '../kernel/affine.ts';
import { elementBytes } from '../kernel/cost.ts';
import { baseBytes, type Lowered } from './lowered.ts';
import type { Lifetime, Phases } from './phases.ts';
import { accessKey, type Trace, traceOf } from './trace.ts';

/** Buffer `output`, written by `step`, lies where buffer `input` lay, which `step` reads last. */
export interface InPlacePair {
  readonly step: number;
  readonly input: number;
  readonly output: number;
}

/** Pairs in step order; each buffer is in at most one pair as input and in at most one as output. */
export function findInPlacePairs(
  lowered: Lowered,
  lifetimes: readonly (Lifetime | null)[],
  phases: Phases,
): InPlacePair[] {
  const { buffers, steps } = lowered;
  const isOutput = new Set(lowered.outputs.map((o) => o.buffer as number));
  const usersInPhase = lastUsers(lowered, phases);
  const pairs: InPlacePair[] = [];
  const taken = new Set<number>();
  steps.forEach((step, s) => {
    if (step.kernel.isLoop) return;
    for (const [q, output] of step.args.entries()) {
      const param = step.kernel.params[q]!;
      if (param.access !== 'write' || buffers[output]!.home.kind !== 'arena') continue;
      if (lifetimes[output]?.from !== s) continue;
      const p = step.args.findIndex((input, at) => {
        const candidate = step.kernel.params[at]!;
        return (
          candidate.access === 'read' &&
          buffers[input]!.home.kind === 'arena' &&
          !isOutput.has(input) &&
          !taken.has(input) &&
          lifetimes[input]?.to === s &&
          buffers[input]!.bytes === buffers[output]!.bytes &&
          elementBytes(candidate.storage) === elementBytes(param.storage) &&
          baseBytes(step, at) === baseBytes(step, q) &&
          step.args.filter((other) => other === input).length === 1 &&
          usersInPhase(input, s).every((user) => user === s || isSameGroup(phases, user, s)) &&
          overwritesWhatItRead(traceOf(step.kernel), at, q)
        );
      });
      if (p < 0) continue;
      taken.add(step.args[p]!);
      pairs.push({ step: s, input: step.args[p]!, output });
    }
  });
  return pairs;
}

function isSameGroup(phases: Phases, a: number, b: number): boolean {
  return phases.group[a]! >= 0 && phases.group[a] === phases.group[b];
}

/** The steps that touch a buffer in the phase of a given step. */
function lastUsers(lowered: Lowered, phases: Phases): (buffer: number, step: number) => number[] {
  const users: number[][] = lowered.buffers.map(() => []);
  lowered.steps.forEach((step, s) => {
    for (const id of step.args) if (users[id]!.at(-1) !== s) users[id]!.push(s);
  });
  return (buffer, step) => {
    const found: number[] = [];
    const list = users[buffer]!;
    for (let k = list.length - 1; k >= 0 && phases.of[list[k]!] === phases.of[step]; k--)
      found.push(list[k]!);
    return found;
  };
}

/**
 * Whether, in every list of statements, each load of parameter `read` is followed by a store to parameter `write` with
 * the same index, lanes and stride, and by no such store before. Indices known at run time only do not count.
 */
export function overwritesWhatItRead(trace: readonly Trace[], read: number, write: number): boolean {
  const pending = new Set<string>();
  const stored = new Set<string>();
  let isFine = true;
  const load = (key: string): void => {
    if (stored.has(key)) isFine = false;
    pending.add(key);
  };
  /** Loads of a guard happen in the list where the guard stands; those of a loop in it, again and again. */
  const inline = (nodes: readonly Trace[]): void => {
    for (const t of nodes) {
      if (t.kind === 'loop') isFine &&= overwritesWhatItRead(t.body, read, write);
      else if (t.kind === 'branch') {
        inline(t.body);
        inline(t.otherwise);
      } else if (t.kind === 'load' && t.param === read) load(accessKey(t));
    }
  };
  for (const t of trace) {
    if (t.kind === 'load') {
      if (t.param === read) load(accessKey(t));
    } else if (t.kind === 'store') {
      if (t.param !== write) continue;
      const key = accessKey(t);
      if (stored.has(key) || !isStaticIndex(t.index)) return false;
      stored.add(key);
      pending.delete(key);
    } else if (t.kind === 'loop') {
      if (!overwritesWhatItRead(t.body, read, write)) return false;
    } else if (hasStore(t.body) || hasStore(t.otherwise)) {
      if (!overwritesWhatItRead(t.body, read, write)) return false;
      if (!overwritesWhatItRead(t.otherwise, read, write)) return false;
    } else inline([t]);
  }
  return isFine && pending.size === 0;
}

function hasStore(trace: readonly Trace[]): boolean {
  return trace.some((t) => {
    if (t.kind === 'store') return true;
    if (t.kind === 'load') return false;
    return hasStore(t.body) || (t.kind === 'branch' && hasStore(t.otherwise));
  });
}
