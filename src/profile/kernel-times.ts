// Kernel time of each step in one run, of all workers together: what a step costs, however it was shared out.

import type { RunTimes } from '../../runtime/timing.ts';
import type { Walk } from '../../runtime/walk.ts';
import { timelineOf } from './timeline.ts';

/** Milliseconds by step of the plan, of which there are so many. */
export function kernelTimes(walk: Walk, run: RunTimes, steps: number): number[] {
  const ms = new Array<number>(steps).fill(0);
  for (const { spans } of timelineOf(walk, run).workers)
    for (const s of spans) if (s.kind === 'kernel') ms[s.index]! += s.to - s.from;
  return ms;
}
