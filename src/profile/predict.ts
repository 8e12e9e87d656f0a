// What a plan was thought to take, by the cost model that made it: beside what it takes, so that a wrong model shows.
// In: the plan, who does what, and the constants of the machine. Out: nanoseconds, as milliseconds.

import type { Machine } from '../../compiler/kernel/ir.ts';
import { workOf } from '../../compiler/schedule/cost.ts';
import { type After, scheduleLength } from '../../compiler/schedule/length.ts';
import type { PlanManifest } from '../../runtime/plan.ts';
import { awaitedThreads, barrierItem, itemSize, offerItem, type Walk, waitItem } from '../../runtime/walk.ts';

export interface Prediction {
  /** Of the worker that is thought to take longest, by step; null when the plan does not say what a kernel does. */
  readonly steps: readonly (number | null)[];
  /** From the first kernel to the last. */
  readonly walkMs: number;
}

export function predict(manifest: PlanManifest, walk: Walk, machine: Machine): Prediction {
  const count = manifest.steps.length;
  const known = manifest.steps.map(({ kernel }) => manifest.kernels[kernel]!.work !== undefined);
  const longest = new Array<number>(count).fill(0);
  const { participants, offers } = walk;
  const waits: After[][] = walk.lists.map(() => []);
  const phases: number[][] = walk.lists.map((list, worker) => {
    const own = new Float64Array(count);
    const times = [0];
    const call = (items: Int32Array, item: number, step: number): void => {
      const [kernel, begin, end] = items.subarray(item * itemSize);
      const { work } = manifest.kernels[kernel!]!;
      const part = (end! - begin!) / manifest.steps[step]!.units;
      const ns = machine.callNs + (work ? part * workOf({ cost: work }, machine) : 0);
      own[step]! += ns;
      times[times.length - 1]! += ns;
    };
    for (let item = 0; item * itemSize < list.length; item++) {
      const [kernel, offer, high] = list.subarray(item * itemSize);
      if (kernel === barrierItem || kernel === waitItem) {
        times.push(0);
        waits[worker]!.push(kernel === waitItem ? awaitedThreads(offer!, high!) : null);
      } else if (kernel !== offerItem) call(list, item, walk.steps[worker]![item]!);
      else {
        // Every worker is thought to take its own pieces.
        const at = 2 * (offer! * participants + worker);
        const first = offers.table[at]!;
        for (let p = first; p < first + offers.table[at + 1]!; p++) call(offers.pieces, p, offers.steps[p]!);
      }
    }
    for (let s = 0; s < count; s++) longest[s] = Math.max(longest[s]!, own[s]!);
    return times;
  });
  const walkNs = scheduleLength(phases, waits, machine.barrierNs);
  return { steps: longest.map((ns, s) => (known[s] ? ns / 1e6 : null)), walkMs: walkNs / 1e6 };
}

/** |predicted − measured| / measured; null where one of them is not known. */
export function relativeError(predictedMs: number | null, ms: number): number | null {
  return predictedMs === null || !(ms > 0) ? null : Math.abs(predictedMs - ms) / ms;
}
