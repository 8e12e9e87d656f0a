// Carries with one place instead of two: the next value of a carry is written over the last one, when nothing reads that
// afterwards. In: steps, and the carries of their loops, each in two slots. Out: the same steps, and those carries in one.
//
//   h ← tanh(h · w + x)            two slots: the product reads all of h while h is written
//   total ← total + hᵀ · g         one: each element is read where it is written, and by nobody else
//
// Steps of a body may change their order later; that what reads the last value stays before what writes the next follows from
// both lying in one place (`hazardOf` of schedule/lowered.ts).

import { elementBytes } from '../kernel/cost.ts';
import { overwritesWhatItRead } from '../schedule/inplace.ts';
import { type Buffer, type BufferId, baseBytes, type LoweredStep } from '../schedule/lowered.ts';
import { traceOf } from '../schedule/trace.ts';

/** A carry in two slots of buffer `of`: the view that reads it, and the view that writes what comes next. */
export interface Slots {
  readonly read: BufferId;
  readonly write: BufferId;
  readonly of: BufferId;
}

/** Changes `buffers`; gives the steps. */
export function placeCarries(
  steps: readonly LoweredStep[],
  buffers: Buffer[],
  carries: readonly Slots[],
): LoweredStep[] {
  const single = new Map<BufferId, number>();
  for (const slots of carries) {
    if (!mayBeOne(steps, buffers, slots)) continue;
    const row = buffers[slots.read]!;
    const whole = buffers[slots.of]!;
    for (const id of [slots.read, slots.write]) {
      buffers[id] = { ...buffers[id]!, home: { kind: 'view', of: slots.of, offset: 0, stride: 0 } };
    }
    const type = { ...whole.type, shape: [1, ...row.type.shape] };
    buffers[slots.of] = { ...whole, type, bytes: row.bytes };
    single.set(slots.of, row.bytes / elementBytes(row.type.dtype));
  }
  // What comes before the loop, or after it, may look for the value in the second slot; other loops, for rows of it.
  for (const b of buffers) {
    const { home } = b;
    if (home.kind !== 'view' || !single.has(home.of)) continue;
    const elements = single.get(home.of)!;
    if (home.offset >= elements) buffers[b.id] = { ...b, home: { ...home, offset: home.offset - elements } };
  }
  return steps.map((step) => {
    if (!step.bases || !step.args.some((id) => single.has(id))) return step;
    const bases = step.bases.map((base, p) => {
      const elements = single.get(step.args[p]!) ?? Number.POSITIVE_INFINITY;
      return base >= elements ? base - elements : base;
    });
    return { ...step, bases };
  });
}

function mayBeOne(
  steps: readonly LoweredStep[],
  buffers: readonly Buffer[],
  { read, write, of }: Slots,
): boolean {
  const uses = (id: BufferId): { readonly s: number; readonly p: number }[] =>
    steps.flatMap(({ args }, s) => args.flatMap((a, p) => (a === id ? [{ s, p }] : [])));
  const isWrite = ({ s, p }: { readonly s: number; readonly p: number }): boolean =>
    steps[s]!.kernel.params[p]!.access === 'write';
  // Addresses with guards may seem to reach into the other slot.
  const { bytes } = buffers[read]!;
  const isWithin = ({ s, p }: { readonly s: number; readonly p: number }): boolean => {
    const { elements, storage } = steps[s]!.kernel.params[p]!;
    return (baseBytes(steps[s]!, p) % bytes) + elements * elementBytes(storage) <= bytes;
  };
  if (bytes === 0 || !uses(of).every(isWithin)) return false;
  const reads = uses(read);
  const writers = uses(write).filter(isWrite);
  const [writer] = writers;
  if (writers.length !== 1 || writer === undefined) return false;
  if (reads.some(isWrite) || reads.some(({ s }) => s > writer.s)) return false;
  const step = steps[writer.s]!;
  const own = reads.filter(({ s }) => s === writer.s);
  if (own.length === 0) return true;
  const { p } = own[0]!;
  const { params } = step.kernel;
  return (
    own.length === 1 &&
    params[p]!.elements === params[writer.p]!.elements &&
    elementBytes(params[p]!.storage) === elementBytes(params[writer.p]!.storage) &&
    baseBytes(step, p) === baseBytes(step, writer.p) &&
    overwritesWhatItRead(traceOf(step.kernel), p, writer.p)
  );
}
