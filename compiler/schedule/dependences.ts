// What must come before what: step j depends on an earlier step i when it reads or writes what i wrote, or writes what i
// read. In: steps in a valid order. Out: for each step the steps that it depends on directly, none twice.
//
// Constants and current banks are only read. The flags are exempt: each site has a word of its own, and all writers of
// word 0 write the same.

import { remembered } from '../remembered.ts';
import { type Buffer, hazardOf, type Lowered, type LoweredStep } from './lowered.ts';

export interface Dependences {
  /** `before[j]`: steps that must be done before j starts, ascending. */
  readonly before: readonly (readonly number[])[];
  /** `after[i]`: steps that wait for i, ascending. */
  readonly after: readonly (readonly number[])[];
}

/** Buffers that a step reads and writes; flags are left out, and each buffer stands in a list once. */
export function buffersOf(
  step: LoweredStep,
  buffers: readonly Buffer[],
): { readonly reads: readonly number[]; readonly writes: readonly number[] } {
  const reads = new Set<number>();
  const writes = new Set<number>();
  step.args.forEach((id, p) => {
    if (buffers[id]!.home.kind === 'flags') return;
    (step.kernel.params[p]!.access === 'write' ? writes : reads).add(hazardOf(buffers, id));
  });
  return { reads: [...reads], writes: [...writes] };
}

export const dependencesOf: (lowered: Pick<Lowered, 'buffers' | 'steps'>) => Dependences = remembered(
  ({ buffers, steps }) => {
    const writer = new Int32Array(buffers.length).fill(-1);
    const readers: number[][] = buffers.map(() => []);
    const before: number[][] = [];
    const after: number[][] = steps.map(() => []);
    steps.forEach((step, j) => {
      const { reads, writes } = buffersOf(step, buffers);
      const found = new Set<number>();
      for (const id of reads) {
        if (writer[id]! >= 0) found.add(writer[id]!);
        readers[id]!.push(j);
      }
      for (const id of writes) {
        if (writer[id]! >= 0) found.add(writer[id]!);
        for (const reader of readers[id]!) found.add(reader);
        readers[id] = [];
        writer[id] = j;
      }
      found.delete(j);
      const list = [...found].sort((a, b) => a - b);
      before.push(list);
      for (const i of list) after[i]!.push(j);
    });
    return { before, after };
  },
);
