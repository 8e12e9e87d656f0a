// The part of the checker that looks at the order: the steps are those of the program that came in, each once, and copies of
// some of them (rematerialize.ts); accesses to a buffer keep their order around its writes; a copy computes what the step
// that it copies computed.

import type { Fail } from './check-memory.ts';
import type { BufferId, Lowered, LoweredStep } from './lowered.ts';

export function checkOrder(lowered: Lowered, original: Lowered, fail: Fail): void {
  const first = (id: BufferId): BufferId => {
    const { copyOf } = lowered.buffers[id]!;
    return copyOf === undefined ? id : first(copyOf);
  };
  const meaning = ({ kernel, args }: LoweredStep): readonly [LoweredStep['kernel'], string] => [
    kernel,
    args.map(first).join(),
  ];
  const position = positionsOf(lowered, original, meaning, fail);
  checkCopies(lowered, original, meaning, fail);
  const lastWrite = original.buffers.map(() => -1);
  const lastAccess = original.buffers.map(() => -1);
  original.steps.forEach((step, s) => {
    const at = position[s]!;
    step.args.forEach((id, p) => {
      const b = original.buffers[id]!;
      if (b.home.kind === 'flags') return;
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
    (step) => found.get(step.kernel)?.get(step.args.join())?.shift() ?? -1,
  );
  if (count !== original.steps.length || positions.includes(-1))
    fail(
      'its steps are not a permutation of those of the program',
      'ordering neither adds nor drops steps, but for copies',
    );
  return positions;
}

/**
 * A copy calls a kernel of the program on the same values: it reads what nothing writes twice, and writes copies of what
 * the step that it copies writes. So do all readers of copies, as their arguments mean those of the original.
 */
function checkCopies(lowered: Lowered, original: Lowered, meaning: Meaning, fail: Fail): void {
  const known = new Map<LoweredStep['kernel'], Set<string>>();
  for (const step of original.steps) {
    const set = known.get(step.kernel) ?? new Set<string>();
    known.set(step.kernel, set.add(step.args.join()));
  }
  const writes = lowered.buffers.map(() => 0);
  for (const step of lowered.steps) {
    step.args.forEach((id, p) => {
      if (step.kernel.params[p]!.access === 'write') writes[id]!++;
    });
  }
  const rule = 'a copy of a step computes the same from the same values';
  lowered.steps.forEach((step, s) => {
    const name = `step ${s} '${step.label}'`;
    const [kernel, args] = meaning(step);
    if (!known.get(kernel)?.has(args)) fail(`${name} is no step of the program`, rule);
    step.args.forEach((id, p) => {
      const b = lowered.buffers[id]!;
      const isWrite = kernel.params[p]!.access === 'write';
      if (step.isCopy && b.home.kind !== 'flags' && writes[id]! > 1)
        fail(
          `${name} is a copy, and buffer '${b.name}' that it touches is written ${writes[id]} times`,
          rule,
        );
      if (isWrite && (b.copyOf !== undefined) !== (step.isCopy === true))
        fail(`${name} writes buffer '${b.name}', ${step.isCopy ? 'which is not' : 'which is'} a copy`, rule);
    });
    if (step.isCopy && kernel.flags !== null) fail(`${name} is a copy and has checks`, rule);
  });
  for (const b of lowered.buffers) {
    if (b.copyOf === undefined) continue;
    if (writes[b.id] !== 1 || writes[b.copyOf] !== 1)
      fail(`buffer '${b.name}' or its copy is written more than once`, rule);
  }
}
