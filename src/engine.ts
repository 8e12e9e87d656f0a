// What a program runs on. An engine compiles graphs and runs what it has compiled, over one set of variables. There are
// two: the compiler with its runtime (compiled-engine.ts, targets `wasm` and `js`), and the reference interpreter
// (reference.ts, target `reference`).

import type {
  ContractionInfo,
  DumpOptions,
  DumpStage,
  Inspection,
  Schedules,
  Timing,
} from '../compiler/compile.ts';
import type { Graph } from '../compiler/graph/ir.ts';
import type { Machine } from '../compiler/kernel/ir.ts';
import type { Measured, ProfileRuns } from '../runtime/measure.ts';
import type { Plan, PlanTensor } from '../runtime/plan.ts';
import type { ResidentRows } from '../runtime/step-feed.ts';
import type { StepsRequest, StepsResult } from '../runtime/steps.ts';
import type { RunData, RunInput, RunTensor } from '../runtime/tensor.ts';

/** One graph, compiled. */
export interface Compiled {
  /** As it was declared. */
  readonly graph: Graph;
  readonly timings: readonly Timing[];
  /** Null where there is none: in the interpreter. */
  readonly plan: Plan | null;
  dump(stage: DumpStage, options?: DumpOptions): string;
  /** All of the compilation, as data. Throws HDL0017 in the interpreter. */
  inspect(): Inspection;
}

/** Times, and the machine for which the plan was made. */
export type MeasuredOn = Measured & { readonly machine: Machine };

type Inputs = Readonly<Record<string, RunInput>>;

/** An entry that is ready to run: once, or many times without coming back in between. */
export interface Loaded {
  run(inputs: Inputs): Promise<Record<string, RunTensor>>;
  runSteps(request: StepsRequest): Promise<StepsResult>;
  /** Runs it to take times; null where there are no workers to take them: in the interpreter. */
  readonly measure: ((inputs: Inputs, options: ProfileRuns) => Promise<MeasuredOn>) | null;
  /** Views of its inputs, to be written in place. */
  inputs(): Promise<Record<string, RunData>>;
  /** Gives back its memory and code; absent where it has none. */
  readonly unload?: () => Promise<void>;
}

/** A graph compiled with tiles given to its contractions, and what tells its steps apart. */
export interface Explored {
  readonly compiled: Compiled;
  readonly contractions: readonly ContractionInfo[];
  /** By step of the plan: the key of the contraction that it belongs to. */
  readonly steps: readonly (string | null)[];
}

/** Rows of an input, kept by name. */
export type RowsToKeep = PlanTensor & { readonly values: RunInput };

export interface Engine {
  /** Threads that compute. */
  readonly threads: number;
  /** Starts what running needs, without waiting for it: it comes up while a graph is compiled. Failures are told by `load`. */
  begin(): Promise<void>;
  /** `next`: it will be loaded then, so that its code may be made ready while the rest of the plan is made. */
  compile(graph: Graph, next?: 'load'): Compiled;
  /** As `compile`, without checks of numbers, whatever the options say: to look at values that are not finite. */
  compileUnchecked(graph: Graph): Compiled;
  /** As `compile`, to be loaded, with the user's cache of plans where there is one. */
  obtain(graph: Graph): Promise<Compiled>;
  /**
   * Compiles anew with these tiles, beside those of the engine's options, and keeps nothing; null in the interpreter. Throws
   * what `compileGraph` throws.
   */
  readonly explore: ((graph: Graph, schedules: Schedules) => Explored) | null;
  /** The plan and its variants for engines with other features, best first. */
  variants(compiled: Compiled): readonly Plan[];
  /** Makes a compiled graph ready to run; `initial` gives the values of variables that are new. */
  load(compiled: Compiled, initial: (variable: PlanTensor) => RunInput): Promise<Loaded>;
  /** The committed value of a variable, or null before something that uses it is loaded. */
  get(name: string): RunTensor | null;
  /** Sets a variable between runs; false before something that uses it is loaded. */
  set(name: string, values: RunInput): boolean;
  /** Copies rows to where steps are fed from; `drop` gives the memory back. After the first load. */
  keep(tensors: readonly RowsToKeep[]): Promise<ResidentRows>;
  drop(rows: ResidentRows): Promise<void>;
  dispose(): Promise<void>;
}
