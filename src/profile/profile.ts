// What a profile says, as plain data. Made by summary.ts from the times that workers noted; printed by format.ts, drawn
// by trace.ts.

import type { Dims } from '../spec.ts';
import type { Ceiling } from './roofline.ts';
import type { Trace } from './trace.ts';

export interface ProfileOptions {
  /** Runs that are measured; default 20. */
  readonly runs?: number | undefined;
  /** Runs before them, until the engine has optimised the code; default 5. */
  readonly warmUp?: number | undefined;
  /**
   * Measures what a core of this machine can do at best, for a tenth of a second, or takes what was measured before, and
   * sets the steps' rates beside it. Default false.
   */
  readonly ceilings?: boolean | Ceiling | undefined;
}

/** One step of a plan: a kernel call, shared out among the workers. Times are means over the runs in the middle. */
export interface ProfileStep {
  /** Position in the plan. */
  readonly step: number;
  /** Scope path and ops, in the user's words. */
  readonly label: string;
  readonly kernel: string;
  /** How its loops were chosen; null when the plan does not say. */
  readonly schedule: string | null;
  /** Steps of one phase run without a barrier between them. */
  readonly phase: number;
  readonly units: number;
  /** Arithmetic operations and bytes of parameters, by the compiler's count; null when the plan does not say. */
  readonly flops: number | null;
  readonly bytes: number | null;
  /** Of each worker. */
  readonly msPerWorker: readonly number[];
  /** Of the worker that took longest. */
  readonly ms: number;
  /** The same in the fastest run. */
  readonly bestMs: number;
  /** What the cost model expects of that worker; null when the plan does not say. */
  readonly predictedMs: number | null;
  /** flops / ms, bytes / ms. */
  readonly gflops: number | null;
  readonly gbps: number | null;
  /**
   * The least time that its work can take at the ceilings of the cores that took part, over its time: 1 is the roofline, and
   * more than 1 means that data came from a nearer cache. Null without ceilings.
   */
  readonly ofCeiling: number | null;
  readonly boundBy: 'arithmetic' | 'bandwidth' | null;
  /** Share of the kernel time of all workers. */
  readonly share: number;
  /** Of all workers together, at the barrier that ends the phase: told of the longest step of the phase. */
  readonly waitMs: number;
}

/** All calls of one kernel, by all workers. Times are of the workers that took longest, as in the steps. */
export interface ProfileKernel {
  readonly kernel: string;
  readonly schedule: string | null;
  readonly steps: number;
  readonly ms: number;
  readonly predictedMs: number | null;
}

/**
 * Means over the runs in the middle, so that parts add up: wall = walk + wake + copy, and on n workers n · walk = kernels +
 * imbalance + synchronisation; kernels are the sum of the steps' `msPerWorker`.
 */
export interface ProfileTotals {
  /** From the call to the outputs, as its caller sees it: walk, wake and copy. */
  readonly wallMs: number;
  /** From the first kernel of the first worker to the last of the last. */
  readonly walkMs: number;
  /** Waking workers, and hearing that they have finished. */
  readonly wakeMs: number;
  /** Copying inputs in and outputs out. */
  readonly copyMs: number;
  /** In kernels, all workers together. */
  readonly kernelMs: number;
  /** Waiting for slower workers, at barriers and at the end, all workers together. */
  readonly imbalanceMs: number;
  /** Barriers that cost time although all have arrived, and starts that differ, all workers together. */
  readonly synchronisationMs: number;
  /** (imbalance + synchronisation) / (workers · walk). */
  readonly lostShare: number;
}

/** What `program.profile` returns: plain data, and a trace. */
export interface Profile {
  readonly entry: string;
  readonly dims: Dims;
  readonly target: string;
  /** Workers that have work in this plan. */
  readonly workers: number;
  readonly runs: number;
  /** Of these, those that figures are means of: the third in the middle, by wall time. */
  readonly averaged: number;
  /** What one core can do; null when it was not measured. */
  readonly ceilings: Ceiling | null;
  readonly barriers: number;
  /** Arena, constants, and variables in both banks. */
  readonly memoryBytes: number;
  readonly steps: readonly ProfileStep[];
  /** In the order of the plan. */
  readonly kernels: readonly ProfileKernel[];
  /** How well the cost model knows this machine (`calibrate`): see the steps' `predictedMs`. */
  readonly prediction: {
    /** Of the walk. */
    readonly walkMs: number;
    /** Median over steps of |predicted − measured| / measured; null when nothing can be said. */
    readonly medianError: number | null;
    /** The same with each step counted by its time: half of the time is spent in steps that are known as well or better. */
    readonly medianErrorByTime: number | null;
  };
  readonly totals: ProfileTotals;
  /**
   * The run of median wall time as trace events, for chrome://tracing and ui.perfetto.dev.
   *
   * @example await writeFile('trace.json', JSON.stringify(profile.trace()));
   */
  readonly trace: () => Trace;
}
