// The part of the checker that looks at the order: the steps are those of the program that came in, each once, and copies of
// some of them (rematerialize.ts); accesses to a buffer keep their order around its writes; a copy computes what the step
// that it copies computed.

import type { Fail } from './check-memory.ts';
import { type BufferId, hazardOf, type Lowered, type LoweredStep } from './lowered.ts';

export function checkOrder(lowered: Lowered, original: Lowered, fail: Fail): void {
  const first = (id: BufferId): BufferId => {
    const { copyOf } = lowered.buffers[id]!;
    return copyOf === undefined ? id : first(copyOf);
  };
  const meaning = (step: LoweredStep): readonly [LoweredStep['kernel'], string] => [
    step.kernel,
    placesText(step, step.args.map(first)),
  ];
  const position = positionsOf(lowered, original, meaning, fail);
  checkCopies(lowered, original, meaning, fail);
  const lastWrite = original.buffers.map(() => -1);
  const lastAccess = original.buffers.map(() => -1);
  original.steps.forEach((step, s) => {
    const at = position[s]!;
    step.args.forEach((arg, p) => {
      const id = hazardOf(original.buffers, arg);
      const b = original.buffers[arg]!;
      if (b.home.kind === 'flags') return;
      // Who reads a copy follows that, which may run before what it copies: `checkCopies`.
      if (lowered.buffers[lowered.steps[at]!.args[p]!]!.copyOf !== undefined) return;
      const isWrite = step.kernel.params[p]!.access === 'write';
      const mustFollow = isWrite ? lastAccess[id]! : lastWrite[id]!;
      if (at < mustFollow) {
        fail(
          `step ${at} '${step.label}' and step ${mustFollow} '${lowered.steps[mustFollow]!.label}' have changed places, both touch buffer '${b.name}'`,
          'accesses to a buffer keep their order around its writes',
        );
      }
      lastAccess[id] = Math.max(lastAccess[id]!, at);
      if (isWrite) lastWrite[id] = Math.max(lastWrite[id]!, at);
    });
  });
}

/** What a step touches: buffers, and where it starts in them. */
function placesText({ bases }: LoweredStep, args: readonly BufferId[]): string {
  return `${args.join()};${bases?.join() ?? ''}`;
}

type Meaning = (step: LoweredStep) => readonly [LoweredStep['kernel'], string];

/** Where each step of the original is; steps that are not copies are those, each once. */
function positionsOf(lowered: Lowered, original: Lowered, meaning: Meaning, fail: Fail): number[] {
  const found = new Map<LoweredStep['kernel'], Map<string, number[]>>();
  let count = 0;
  lowered.steps.forEach((step, at) => {
    if (step.isCopy) return;
    count++;
    const [kernel, args] = meaning(step);
    const byArgs = found.get(kernel) ?? new Map<string, number[]>();
    found.set(kernel, byArgs);
    byArgs.set(args, [...(byArgs.get(args) ?? []), at]);
  });
  const positions = original.steps.map(
    (step) => found.get(step.kernel)?.get(placesText(step, step.args))?.shift() ?? -1,
  );
  if (count !== original.steps.length || positions.includes(-1))
    fail(
      'its steps are not a permutation of those of the program',
      'ordering neither adds nor drops steps, but for copies',
    );
  return positions;
}

/**
 * A copy calls a kernel of the program on the same values. A value is the same when all of its buffer is written before any
 * of it is read, by the same steps in the same order as in the buffer that it copies.
 */
function checkCopies(lowered: Lowered, original: Lowered, meaning: Meaning, fail: Fail): void {
  const rule = 'a copy of a step computes the same from the same values';
  const numbers = new Map<LoweredStep['kernel'], Map<string, number>>();
  original.steps.forEach((step, s) => {
    const known = numbers.get(step.kernel) ?? new Map<string, number>();
    numbers.set(step.kernel, known.set(placesText(step, step.args), s));
  });
  /** Per buffer, its writers as steps of the original, and whether something is written after it was read. */
  const writers: number[][] = lowered.buffers.map(() => []);
  const isRead = lowered.buffers.map(() => false);
  const isRewritten = lowered.buffers.map(() => false);
  lowered.steps.forEach((step, s) => {
    const [kernel, args] = meaning(step);
    const number = numbers.get(kernel)?.get(args);
    if (number === undefined) fail(`step ${s} '${step.label}' is no step of the program`, rule);
    const written = step.args.filter((_, p) => kernel.params[p]!.access === 'write');
    for (const id of step.args) if (!written.includes(id)) isRead[id] = true;
    for (const id of written) {
      writers[id]!.push(number!);
      isRewritten[id] ||= isRead[id]!;
    }
  });
  lowered.steps.forEach((step, s) => {
    const name = `step ${s} '${step.label}'`;
    if (step.isCopy && step.kernel.flags !== null) fail(`${name} is a copy and has checks`, rule);
    step.args.forEach((id, p) => {
      const b = lowered.buffers[id]!;
      const isWrite = step.kernel.params[p]!.access === 'write';
      if (step.isCopy && isRewritten[id])
        fail(`${name} is a copy, and buffer '${b.name}' is written after it was read`, rule);
      if (isWrite && (b.copyOf !== undefined) !== (step.isCopy === true))
        fail(`${name} writes buffer '${b.name}', ${step.isCopy ? 'which is not' : 'which is'} a copy`, rule);
    });
  });
  for (const b of lowered.buffers) {
    if (b.copyOf === undefined) continue;
    if (isRewritten[b.copyOf] || isRewritten[b.id] || writers[b.id]!.join() !== writers[b.copyOf]!.join())
      fail(`buffer '${b.name}' is not written by the steps that write what it copies`, rule);
  }
}
