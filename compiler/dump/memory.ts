// How full a plan's arena is: at each step, and where it is fullest. In: the manifest alone.

import type { PlanManifest } from '../../runtime/plan.ts';
import { elementCount } from '../graph/types.ts';
import { elementBytes } from '../kernel/cost.ts';
import { lowerBound } from '../schedule/print.ts';
import type { InspectedMemory } from './inspection.ts';

export function memoryOf(m: PlanManifest): InspectedMemory {
  const live = liveBytes(m);
  let peak = 0;
  live.forEach((bytes, i) => {
    if (bytes > live[peak]!) peak = i;
  });
  return {
    arenaBytes: m.arenaBytes,
    constantBytes: m.constantBytes,
    variableBytes: m.variables.reduce(
      (sum, v) => sum + elementCount(v.shape) * elementBytes(v.dtype) * (v.updated ? 2 : 1),
      0,
    ),
    lowerBound: lowerBound(m),
    live,
    peakStep: peak - 1,
  };
}

/** Bytes alive before the first step, at each one, and after the last; a place that is handed over counts once. */
function liveBytes({ steps, buffers }: PlanManifest): number[] {
  const places = Array.from({ length: steps.length + 2 }, () => new Map<number, number>());
  for (const { from, to, offset, bytes } of buffers) {
    for (let s = from; s <= to; s++) {
      const at = places[s + 1]!;
      at.set(offset, Math.max(at.get(offset) ?? 0, bytes));
    }
  }
  return places.map((at) => [...at.values()].reduce((sum, bytes) => sum + bytes, 0));
}
