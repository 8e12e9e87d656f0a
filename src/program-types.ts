// What a program takes and gives, as types: from the entries that it was made of follow the names and dtypes of its feeds,
// results and views.

import type { Schedules } from '../compiler/compile.ts';
import type { Node } from '../compiler/graph/ir.ts';
import type { DType, Shape } from '../compiler/graph/types.ts';
import type { Machine } from '../compiler/kernel/ir.ts';
import type { RunData, RunTensor } from '../runtime/tensor.ts';
import type { AnyEntry, Entry, Outputs, Specs } from './entry.ts';
import type { Feed } from './feeds.ts';
import type { PlanCache } from './plan-source.ts';
import type { Profile } from './profile/profile.ts';
import type { Dims } from './spec.ts';
import type { CompileEvent } from './specialisations.ts';
import type { StepsOptions } from './steps.ts';

export interface ProgramOptions {
  /** Threads that compute; default one per core. 1 means the calling thread. */
  readonly threads?: number | undefined;
  /** `wasm` (default), `js` (readable source, for debugging), `reference` (the interpreter: slow, to check others). */
  readonly target?: 'wasm' | 'js' | 'reference' | undefined;
  /** Initial values and random ops follow from it; default 0. */
  readonly seed?: number | undefined;
  /** A run that makes a NaN or an infinity fails, and says which op made the first. Default false. */
  readonly checkNumerics?: boolean | undefined;
  /**
   * Fused multiply-add: faster, other last bits. `auto` (default) uses it where the engine has it, unless the environment
   * says HEDDLE_RELAXED=0; `false` never does: results are then the same on every machine.
   */
  readonly relaxed?: boolean | 'auto' | undefined;
  /**
   * Compute convolutions of three taps by half of the products (Winograd) where that is faster: about twice the rounding error, and a NaN or an infinity reaches up to three outputs more. Default
   * true. `false` sums as the formula says.
   */
  readonly winograd?: boolean | undefined;
  /**
   * Bytes that each entry's scratch memory may have. Values are then computed again instead of kept, until the plan fits;
   * by default only where that costs next to no time. Throws HDL0018 from a compilation that cannot fit.
   */
  readonly memory?: { readonly budget: number } | undefined;
  /**
   * Register tiles of contractions, in place of those that the compiler would choose: what `tune` returned as `schedules`,
   * also on another machine. No result changes. Keys are of contractions in any entry, of any size; those of others are left
   * aside, and `dump('plan')` lists them. Throws HDL0003 for what are no keys or tiles, also from compilations.
   */
  readonly schedules?: Schedules | undefined;
  /** How fast this machine is, as `calibrate` measured it; default: usual values. Steers who does what, changes no result. */
  readonly machine?: Machine | undefined;
  /** Where compiled plans are kept for later processes: `folderCache(path)`. Default: nowhere. */
  readonly cache?: PlanCache | undefined;
  /** Told of each stage of a compilation. */
  readonly onProgress?: ((event: CompileEvent) => void) | undefined;
}

/** Which of a program's specialisations to show. */
export interface DumpOf<E extends Entries = Entries> {
  readonly entry?: (keyof E & string) | undefined;
  readonly dims?: Dims | undefined;
}

export interface SaveOptions {
  /** Each plan with and without fused multiply-add; default false. */
  readonly variants?: boolean;
  /** The values of variables too; default true. */
  readonly weights?: boolean;
}

export interface ViewOptions {
  /** Of the page; default: the entries. */
  readonly title?: string | undefined;
  /** What was measured, shown beside what was predicted. */
  readonly profile?: Profile | undefined;
}

export interface EntryInfo {
  readonly name: string;
  readonly training: boolean;
  /** Sizes are numbers or names: `['batch', 784]`. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly (number | string)[];
  }[];
  /** The named dimensions, in order of first appearance. */
  readonly dims: readonly string[];
}

export interface VariableInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly trainable: boolean;
  /** The symbolic variable itself. */
  readonly node: Node;
}

export type Entries = Readonly<Record<string, AnyEntry>>;

/** What `run` takes for an entry. */
export type FeedsOf<E> =
  E extends Entry<infer I extends Specs, Outputs>
    ? { readonly [K in keyof I]: Feed }
    : Readonly<Record<string, Feed>>;

/** What `inputs` returns for an entry. */
export type InputViewsOf<E> =
  E extends Entry<infer I extends Specs, Outputs>
    ? { readonly [K in keyof I]: ViewOf<I[K]['dtype']> }
    : Readonly<Record<string, RunData>>;

type ViewOf<D extends DType> = D extends 'f32'
  ? Float32Array
  : D extends 'i32'
    ? Int32Array
    : D extends 'u32'
      ? Uint32Array
      : Uint8Array;

/** What `run` takes for many steps of an entry. */
export type StepsOf<E> = StepsOptions<FeedsOf<E>, keyof ResultsOf<E> & string>;

/** What `run` returns for an entry: copies, row-major. */
export type ResultsOf<E> = E extends { readonly build: (...args: never) => infer O }
  ? { readonly [K in keyof O]: RunTensor }
  : never;
