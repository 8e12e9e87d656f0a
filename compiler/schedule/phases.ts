// Phases: the intervals between two barriers. What the parts of scheduling tell each other about them.

import type { ScheduleItem } from '../../runtime/plan.ts';
import type { PlacedUnits } from './from-afar.ts';

/** Steps in which a buffer is alive, both included; −1: before the first step, `steps.length`: after the last. */
export interface Lifetime {
  readonly from: number;
  readonly to: number;
}

export interface Phase {
  /** Steps [begin, end). */
  readonly begin: number;
  readonly end: number;
  /** All steps are of one group: they run one after another on one worker. */
  readonly isSequential: boolean;
}

export interface Phases {
  readonly phases: readonly Phase[];
  /** Phase of each step. */
  readonly of: Int32Array;
  /**
   * Group of each step: steps of one group run wholly on one worker, in order, and may depend on each other. −1: the
   * units of the step may run on any worker; it depends on nothing in its phase, and nothing there on it.
   */
  readonly group: Int32Array;
}

/** One phase of one group: the schedule of a single worker. */
export function singlePhase(steps: number): Phases {
  return {
    phases: steps === 0 ? [] : [{ begin: 0, end: steps, isSequential: true }],
    of: new Int32Array(steps),
    group: new Int32Array(steps),
  };
}

/** Work of each worker in one phase. */
export interface Share {
  readonly parts: readonly (readonly ScheduleItem[])[];
  /** Nanoseconds until the last worker is done. */
  readonly time: number;
}

/** Nanoseconds of a loop that one worker does, and of one that all share. */
export interface LoopTimes {
  readonly alone: number;
  readonly shared: number;
}

/** A step; of one that stands for a loop, how long that takes. */
export interface PartitionedStep extends PlacedUnits {
  readonly times?: LoopTimes;
}
