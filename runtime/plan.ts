// The Plan: what the compiler hands to the runtime, and all that is in a saved file. Plain data: a manifest (JSON), the
// code of the kernels, and constants. Nothing in it is left to decide.
//
// A plan is one specialisation of one entry point: all shapes are known. Plans of one program share its variables.
//
// Memory as a plan sees it:
//   arena      scratch of one run, fixed offsets; inputs are copied in before it, outputs copied out after it
//   constants  written once at load
//   variables  owned by the program; each has two banks if any plan updates it: `current` is read, `next` is written,
//              and a commit makes `next` current for all variables that the plan updates, at once
//   flags      one 32-bit word per check site, zeroed before each run; word 0 is 1 when any other is set. Word i + 1
//              belongs to `sites[i]`: for `index` the offending index, for `finite` 1. Checked before the commit

export const planFormat = 1;

export type PlanDType = 'f32' | 'i32' | 'u32' | 'bool' | 'u8';

export interface PlanTensor {
  readonly name: string;
  readonly dtype: PlanDType;
  /** As the user sees it, row-major. */
  readonly shape: readonly number[];
}

/** Where in memory a tensor lies, and in which order of dimensions (outermost first; `[0, 2, 3, 1]` is channels last). */
export interface PlanPlacement extends PlanTensor {
  readonly location: Location;
  readonly order: readonly number[];
}

export type Location =
  | { readonly space: 'arena'; readonly offset: number }
  | { readonly space: 'constant'; readonly offset: number }
  | { readonly space: 'variable'; readonly variable: number; readonly bank: 'current' | 'next' }
  | { readonly space: 'flags' };

export interface PlanVariable extends PlanTensor {
  /** Order of dimensions in memory; the same in all plans of a program. */
  readonly order: readonly number[];
  readonly trainable: boolean;
  /** This plan writes the next bank. */
  readonly updated: boolean;
}

export interface PlanKernel {
  /** Exported function of the module. */
  readonly name: string;
  /** Bytes that the kernel may touch from the address of each parameter: the loader checks them against memory. */
  readonly params: readonly { readonly access: 'read' | 'write'; readonly bytes: number }[];
  /** Units that it has: what steps call it with, if it is said. */
  readonly units?: number;
  /** For profiles, not needed to run. */
  readonly work?: PlanWork;
}

/** What a call of a kernel with all of its units does, by the compiler's count. */
export interface PlanWork {
  /** Arithmetic operations. */
  readonly flops: number;
  /** Bytes of all parameters, each once. */
  readonly bytes: number;
  /** How its loops were chosen, in one line. */
  readonly schedule: string;
}

/** One call of one kernel: the unit that barriers order. */
export interface PlanStep {
  /** In the user's words: scope path and ops. */
  readonly label: string;
  readonly kernel: number;
  /** Where they lie; in a loop, in its first iteration. */
  readonly args: readonly Location[];
  readonly units: number;
  /** In a loop: how each argument moves from one iteration to the next; null for those that stay. */
  readonly moves?: readonly (PlanMove | null)[];
}

/** In iteration t an argument lies `stride · (t mod period)` bytes further on; without a period `stride · t`. */
export interface PlanMove {
  /** Bytes; may be negative. */
  readonly stride: number;
  readonly period?: number;
}

/** Steps [begin, end), at least one, run `length` times, one iteration after the other. Loops are in order and apart. */
export interface PlanLoop {
  /** In the user's words. */
  readonly label: string;
  readonly begin: number;
  readonly end: number;
  readonly length: number;
}

/** Order of work for one worker: unit ranges of steps, and barriers that all workers come to in the same order. */
export type ScheduleItem = PlainItem | RepeatItem;
export type PlainItem = RunItem | BarrierItem;

export interface BarrierItem {
  readonly do: 'barrier';
  /**
   * The workers who must have come here before this one goes on, which need not be so the other way round: a point-to-point
   * wait. Absent: all wait for all. All workers say it of the same barriers; in loops nobody does.
   */
  readonly after?: readonly number[];
}

/** A worker's part of one iteration of a loop, as often as the loop runs; its steps are all in the loop. */
export interface RepeatItem {
  readonly do: 'repeat';
  /** Position in `loops`. */
  readonly loop: number;
  readonly items: readonly PlainItem[];
}

export interface RunItem {
  readonly do: 'run';
  readonly step: number;
  readonly begin: number;
  readonly end: number;
  /**
   * Workers who have nothing left to do before the next barrier may take units of this range, this many at a time or more,
   * from the barrier before it on (offers.ts). Without it the range is this worker's alone.
   */
  readonly shared?: number;
}

export interface PlanSchedule {
  readonly workers: number;
  /** One list per worker; all come to the same number of barriers, and those within loops in the same iterations. */
  readonly lists: readonly (readonly ScheduleItem[])[];
}

/** A place in the user's program that can fail at run time. Its flag word is its position in `sites` plus one. */
export interface PlanSite {
  readonly kind: 'index' | 'finite';
  /** `embedding/gather (f32[64, 10])`. */
  readonly label: string;
  /** `file:line:column`, or null. */
  readonly loc: string | null;
  /** For `index`: valid indices are [0, size). */
  readonly size: number;
}

export interface PlanManifest {
  readonly format: typeof planFormat;
  readonly entry: string;
  readonly target: 'wasm' | 'js';
  /** Register tiles that were given to contractions instead of chosen, by the keys of these: not needed to run. */
  readonly tiles?: Readonly<Record<string, readonly [rows: number, columns: number]>>;
  /** Engine features that the code needs. */
  readonly features: readonly string[];
  readonly arenaBytes: number;
  readonly constantBytes: number;
  readonly inputs: readonly PlanPlacement[];
  readonly outputs: readonly PlanPlacement[];
  readonly variables: readonly PlanVariable[];
  readonly kernels: readonly PlanKernel[];
  readonly steps: readonly PlanStep[];
  /** Absent: none. */
  readonly loops?: readonly PlanLoop[];
  readonly schedules: readonly PlanSchedule[];
  readonly sites: readonly PlanSite[];
  /** Name, size and lifetime of every buffer in the arena: for dumps and checkers, not needed to run. */
  readonly buffers: readonly PlanBuffer[];
}

export interface PlanBuffer {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** First step that writes it and last step that reads it (−1: before the first step; `steps.length`: read out). */
  readonly from: number;
  readonly to: number;
}

export interface Plan {
  readonly manifest: PlanManifest;
  /**
   * `wasm`: a module that imports `env.memory` and exports one function `(begin: i32, end: i32, args: i32)` per kernel.
   * The import says at least 1 and at most 65536 pages, shared or not: the loader sets that bit as its memory is.
   * `js`: the source of a function body, `(memory) => { kernelName: (begin, end, args) => void, … }`, in UTF-8. It may
   * keep views of `memory.buffer`: it is evaluated again when memory has grown.
   * `args` is the byte address of a table of 32-bit byte addresses, one per parameter.
   */
  readonly code: Uint8Array;
  readonly constants: Uint8Array;
}
