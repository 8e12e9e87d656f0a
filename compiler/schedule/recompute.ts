// One rematerialization: a buffer is computed again just before the next step that reads it. What the step reads must be
// there by then: it is still alive, or it is kept longer, or it is computed again too.

import type { Kernel } from '../kernel/ir.ts';
import { remembered } from '../remembered.ts';
import type { Spans, Users } from './live.ts';
import type { Buffer, BufferId, Lowered, LoweredStep } from './lowered.ts';

/** Steps to run once more, in the order of the program, just before step `next`. */
export interface Copies {
  readonly copied: readonly number[];
  readonly next: number;
}

export interface RecomputeRules {
  /** `deep`: what is gone is computed again where that is allowed; `shallow`: it is kept longer. */
  readonly depth: 'shallow' | 'deep';
  /** Whether calls of this kernel, which writes so many bytes, may be copied. */
  readonly mayCopy: (kernel: Kernel, writtenBytes: number) => boolean;
}

/** Copies in one recomputation. */
const mostCopies = 24;

/** Who writes each buffer, and which buffers hold one value: all is written before anything is read. */
export interface Writers {
  /** Steps in order. */
  readonly of: readonly (readonly number[])[];
  readonly isSettled: readonly boolean[];
}

export function findWriters({ buffers, steps }: Lowered): Writers {
  const of: number[][] = buffers.map(() => []);
  const isSettled = buffers.map(() => true);
  const isUsed = new Uint8Array(buffers.length);
  for (let s = 0; s < steps.length; s++) {
    const { kernel, args } = steps[s]!;
    const { params } = kernel;
    for (let p = 0; p < args.length; p++) if (params[p]!.access !== 'write') isUsed[args[p]!] = 1;
    for (let p = 0; p < args.length; p++) {
      if (params[p]!.access !== 'write') continue;
      const id = args[p]!;
      of[id]!.push(s);
      if (isUsed[id]) isSettled[id] = false;
    }
  }
  return { of, isSettled };
}

/**
 * What must be copied to have `buffer`, which waits at step `at`, computed again for the readers after it; null when a rule
 * forbids it. Readers before `at` keep the first version. `spans` and `users` are those of the program's own order.
 */
export function findCopies(
  program: Lowered,
  { writers, spans, users }: { readonly writers: Writers; readonly spans: Spans; readonly users: Users },
  buffer: BufferId,
  at: number,
  rules: RecomputeRules,
): Copies | null {
  const next = users[buffer]!.find((s) => s > at);
  if (next === undefined || isRead(program, buffer)) return null;
  const found = new Set<number>();
  if (!collect(program, writers, spans, buffer, next, rules, found)) return null;
  // The steps within a loop read what the loop was made to read.
  const loops = loopsOf(program);
  const isReadBy = (loop: number): boolean =>
    loop >= next && [...found].some((s) => program.steps[s]!.args.some((id) => users[id]?.includes(loop)));
  if (loops.some(isReadBy)) return null;
  // Copies in the order of the program: what they read of each other is there.
  return { copied: [...found].sort((a, b) => a - b), next };
}

/** Steps that stand for loops. */
const loopsOf = remembered(({ steps }: Lowered): readonly number[] =>
  steps.flatMap((step, s) => (step.loop === undefined ? [] : [s])),
);

/** Whether a buffer is read out at the end. */
function isRead(program: Lowered, buffer: number): boolean {
  return program.outputs.some((o) => o.buffer === buffer);
}

/** Adds the steps that must be copied to have a buffer again; false when that is not possible. */
function collect(
  program: Lowered,
  writers: Writers,
  spans: Spans,
  buffer: number,
  next: number,
  rules: RecomputeRules,
  found: Set<number>,
): boolean {
  if (writers.of[buffer]!.length === 0 || !writers.isSettled[buffer]) return false;
  for (const s of writers.of[buffer]!) {
    if (found.has(s)) continue;
    if (found.size >= mostCopies || !isCopyable(program, writers, s, rules)) return false;
    found.add(s);
    const { kernel, args } = program.steps[s]!;
    for (const [p, id] of args.entries()) {
      // What a step writes beside is written anew as well: by all that write it.
      if (kernel.params[p]!.access === 'write') {
        if (!collect(program, writers, spans, id, next, rules, found)) return false;
        continue;
      }
      const b = program.buffers[id]!;
      if (b.home.kind !== 'arena' || spans.last[id]! >= next) continue;
      const isSmall = 16 * b.bytes <= program.buffers[buffer]!.bytes;
      if (isSmall || rules.depth === 'shallow') continue;
      // What cannot be computed again is kept for longer.
      const all = new Set(found);
      if (!collect(program, writers, spans, id, next, rules, all)) continue;
      for (const more of all) found.add(more);
    }
  }
  return true;
}

/** A step may be copied when it only writes temporaries, from values that do not change. */
function isCopyable(program: Lowered, writers: Writers, s: number, rules: RecomputeRules): boolean {
  const { kernel, args } = program.steps[s]!;
  if (kernel.flags !== null || kernel.isLoop) return false;
  let written = 0;
  for (const [p, id] of args.entries()) {
    if (!writers.isSettled[id]) return false;
    if (kernel.params[p]!.access !== 'write') continue;
    const { home, bytes } = program.buffers[id]!;
    if (home.kind !== 'arena' || isRead(program, id)) return false;
    written += bytes;
  }
  return rules.mayCopy(kernel, written);
}

/** Copies of steps just before step `next`; they write new buffers, which the steps from `next` on read. */
export function withCopies(program: Lowered, { copied, next }: Copies): Lowered {
  const buffers: Buffer[] = [...program.buffers];
  const again = new Map<BufferId, BufferId>();
  const follow = (step: LoweredStep): LoweredStep =>
    step.args.some((id) => again.has(id))
      ? { ...step, args: step.args.map((id) => again.get(id) ?? id) }
      : step;
  const copies = copied.map((s): LoweredStep => {
    const step = program.steps[s]!;
    const args = step.args.map((id, p) => {
      const known = again.get(id);
      if (known !== undefined || step.kernel.params[p]!.access !== 'write') return known ?? id;
      const copy = buffers.length as BufferId;
      const b = buffers[id]!;
      buffers.push({
        ...b,
        id: copy,
        name: b.copyOf === undefined ? `${b.name} (again)` : b.name,
        copyOf: id,
      });
      again.set(id, copy);
      return copy;
    });
    return { ...step, label: step.isCopy ? step.label : `${step.label} (again)`, args, isCopy: true };
  });
  return {
    ...program,
    buffers,
    steps: [...program.steps.slice(0, next), ...copies, ...program.steps.slice(next).map(follow)],
  };
}
