// One rematerialization: a buffer is computed again just before the next step that reads it. What the step reads must be
// there by then: it is still alive, or it is kept longer, or it is computed again too.

import type { Kernel } from '../kernel/ir.ts';
import type { Spans } from './live.ts';
import type { Buffer, BufferId, Lowered, LoweredStep } from './lowered.ts';

export interface Recomputation {
  readonly program: Lowered;
  /** Steps of the program that came in, once for each copy. */
  readonly copied: readonly number[];
}

export interface RecomputeRules {
  /** `deep`: what is gone is computed again where that is allowed; `shallow`: it is kept longer. */
  readonly depth: 'shallow' | 'deep';
  /** Whether calls of this kernel, which writes so many bytes, may be copied. */
  readonly mayCopy: (kernel: Kernel, writtenBytes: number) => boolean;
}

/** Copies in one recomputation. */
const mostCopies = 12;

/** The step that writes each buffer; −1: none does; −2: several do. */
export function findWriters(program: Lowered): Int32Array {
  const writers = new Int32Array(program.buffers.length).fill(-1);
  program.steps.forEach(({ kernel, args }, s) => {
    args.forEach((id, p) => {
      if (kernel.params[p]!.access === 'write') writers[id] = writers[id] === -1 ? s : -2;
    });
  });
  return writers;
}

/**
 * The program with `buffer`, which waits at step `at`, computed again for the readers after it; null when a rule forbids
 * it. Readers before `at` keep the first version. `spans` are those of the program's own order.
 */
export function recompute(
  program: Lowered,
  writers: Int32Array,
  spans: Spans,
  buffer: BufferId,
  at: number,
  rules: RecomputeRules,
): Recomputation | null {
  const next = program.steps.findIndex((step, s) => s > at && step.args.includes(buffer));
  if (next < 0 || isRead(program, buffer)) return null;
  const steps: number[] = [];
  const wanted = collect(program, writers, spans, buffer, next, rules, steps);
  return wanted ? { program: withCopies(program, steps, next), copied: steps } : null;
}

/** Whether a buffer is read out at the end. */
function isRead(program: Lowered, buffer: number): boolean {
  return program.outputs.some((o) => o.buffer === buffer);
}

/** Steps to copy, in the order in which they must run, into `steps`; false when that is not possible. */
function collect(
  program: Lowered,
  writers: Int32Array,
  spans: Spans,
  buffer: number,
  next: number,
  rules: RecomputeRules,
  steps: number[],
): boolean {
  const s = writers[buffer]!;
  if (s < 0) return false;
  if (steps.includes(s)) return true;
  if (steps.length >= mostCopies || !isCopyable(program, writers, s, rules)) return false;
  const { kernel, args } = program.steps[s]!;
  for (const [p, input] of args.entries()) {
    if (kernel.params[p]!.access === 'write') continue;
    const b = program.buffers[input]!;
    if (b.home.kind !== 'arena' || spans.last[input]! >= next) continue;
    const isSmall = 16 * b.bytes <= program.buffers[buffer]!.bytes;
    if (isSmall || rules.depth === 'shallow') continue;
    const before = steps.length;
    // What cannot be computed again is kept for longer.
    if (!collect(program, writers, spans, input, next, rules, steps)) steps.length = before;
  }
  steps.push(s);
  return true;
}

/** A step may be copied when it only writes temporaries, each alone, from values that do not change. */
function isCopyable(program: Lowered, writers: Int32Array, s: number, rules: RecomputeRules): boolean {
  const { kernel, args } = program.steps[s]!;
  if (kernel.flags !== null) return false;
  let written = 0;
  for (const [p, id] of args.entries()) {
    const { home, bytes } = program.buffers[id]!;
    if (kernel.params[p]!.access === 'write') {
      if (home.kind !== 'arena' || writers[id] !== s || isRead(program, id)) return false;
      written += bytes;
    } else if (writers[id] === -2) return false;
  }
  return rules.mayCopy(kernel, written);
}

/** Copies of steps just before step `next`; they write new buffers, which the steps from `next` on read. */
function withCopies(program: Lowered, copied: readonly number[], next: number): Lowered {
  const buffers: Buffer[] = [...program.buffers];
  const again = new Map<BufferId, BufferId>();
  const follow = (step: LoweredStep): LoweredStep =>
    step.args.some((id) => again.has(id))
      ? { ...step, args: step.args.map((id) => again.get(id) ?? id) }
      : step;
  const copies = copied.map((s): LoweredStep => {
    const step = program.steps[s]!;
    const made: (readonly [BufferId, BufferId])[] = [];
    const args = step.args.map((id, p) => {
      if (step.kernel.params[p]!.access !== 'write') return again.get(id) ?? id;
      const copy = buffers.length as BufferId;
      const b = buffers[id]!;
      buffers.push({
        ...b,
        id: copy,
        name: b.copyOf === undefined ? `${b.name} (again)` : b.name,
        copyOf: id,
      });
      made.push([id, copy]);
      return copy;
    });
    for (const [id, copy] of made) again.set(id, copy);
    return { ...step, label: step.isCopy ? step.label : `${step.label} (again)`, args, isCopy: true };
  });
  return {
    ...program,
    buffers,
    steps: [...program.steps.slice(0, next), ...copies, ...program.steps.slice(next).map(follow)],
  };
}
