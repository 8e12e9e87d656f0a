// Where the values of a loop lie. Its body reads and writes rows of buffers that lie around it, one further in each iteration;
// nothing is copied between iterations.
//
//   sequence      row t of what is fed                          x  ▒▒▒█▒▒▒▒
//   output        row t of a buffer of its own                  y  ▒▒▒█
//   carry         two slots in turns, or one                    c  █▒        reads t mod 2, writes the other (carry-in-place.ts)
//   carry that is also an output, before or after the step      c  ▒▒▒▒█     one row more than there are iterations: reads
//                                                                            row t, writes row t + 1, which is the output
//
// In reverse, rows are counted from the other end.

import type { Loop } from '../graph/loop.ts';
import { elementCount, type TensorType } from '../graph/types.ts';
import type { Buffer, BufferId, Home, LoweredStep } from '../schedule/lowered.ts';

type View = Omit<Extract<Home, { kind: 'view' }>, 'kind' | 'of'>;

/** The row of an array that iteration t reads or writes; the array begins `start` elements behind the start of the buffer. */
export function rowView(
  { length, reverse }: Pick<Loop, 'length' | 'reverse'>,
  { shape }: TensorType,
  start = 0,
): View {
  const n = elementCount(shape);
  return reverse ? { offset: start + (length - 1) * n, stride: -n } : { offset: start, stride: n };
}

export interface CarryPlace {
  readonly rows: number;
  /** Elements from the start of the buffer to the value before the first iteration, and to that after the last. */
  readonly first: number;
  readonly last: number;
  readonly read: View;
  readonly write: View;
  /** Elements to the array of the values before each step, and to that of the values after it; null: not all are kept. */
  readonly before: number | null;
  readonly after: number | null;
}

/** Where a carried value lies; `isKept`: its values are wanted as an output. */
export function carryPlace(
  { length, reverse }: Pick<Loop, 'length' | 'reverse'>,
  { shape }: TensorType,
  isKept: boolean,
): CarryPlace {
  const n = elementCount(shape);
  if (!isKept) {
    return {
      rows: 2,
      first: 0,
      last: (length % 2) * n,
      read: { offset: 0, stride: n, period: 2 },
      write: { offset: n, stride: -n, period: 2 },
      before: null,
      after: null,
    };
  }
  const [before, after] = reverse ? [n, 0] : [0, n];
  return {
    rows: length + 1,
    first: reverse ? length * n : 0,
    last: reverse ? 0 : length * n,
    read: rowView({ length, reverse }, { dtype: 'f32', shape }, before),
    write: rowView({ length, reverse }, { dtype: 'f32', shape }, after),
    before,
    after,
  };
}

/**
 * The steps of a body that do the same in every iteration, and the others: those that read what lies around the loop, and
 * nothing that the body writes, such as weights that a contraction wants packed. The first ones may run once, before.
 */
export function splitInvariant(
  steps: readonly LoweredStep[],
  buffers: readonly Buffer[],
): { readonly before: readonly LoweredStep[]; readonly within: readonly LoweredStep[] } {
  const writes = ({ kernel, args }: LoweredStep): BufferId[] =>
    args.filter((_, p) => kernel.params[p]!.access === 'write');
  const writers = new Map<BufferId, number>();
  for (const step of steps) for (const id of writes(step)) writers.set(id, (writers.get(id) ?? 0) + 1);
  const before = new Set<LoweredStep>();
  const isMade = new Set<BufferId>();
  for (const step of steps) {
    const own = writes(step);
    const stays = step.args.every((id) => {
      const { home } = buffers[id]!;
      if (own.includes(id))
        return home.kind === 'arena' && home.role === 'temporary' && writers.get(id) === 1;
      return home.kind !== 'view' && (!writers.has(id) || isMade.has(id));
    });
    if (step.kernel.flags !== null || !stays) continue;
    before.add(step);
    for (const id of own) isMade.add(id);
  }
  return { before: [...before], within: steps.filter((s) => !before.has(s)) };
}
