// Kernel IR: loop nests over typed buffers. The only thing that targets see, and all that they need to know.
//
// A kernel is a function `kernel(begin, end, args)`: it runs its work units [begin, end). Each unit writes elements
// that no other unit writes, so units may run on any worker in any order. `args` points to one 32-bit address per
// parameter; kernels hold no absolute addresses, so that equal kernels share their code.

import type { Index, LoopVar } from './affine.ts';
import type { Condition, Expr, Register, StorageType } from './expr.ts';

export interface KernelParam {
  /** For dumps: the user's name of the value, or the op's. */
  readonly name: string;
  readonly storage: StorageType;
  readonly access: 'read' | 'write';
  /** Elements from the start of the buffer, halo and padding included; every access lies in [0, elements). */
  readonly elements: number;
}

/** Lanes that a statement computes: a vector, half of one where a row of ten elements ends, or one. */
export type Lanes = 1 | 2 | 4;

export type Stmt =
  /** Runs `body` for v = 0, step, 2 step, … < limit; the body sees `v` as that number. limit ≤ v.extent. */
  | {
      readonly kind: 'for';
      readonly v: LoopVar;
      readonly step: number;
      /** v.extent, or less when the last unit is shorter: then an index that does not depend on lanes. */
      readonly limit: Index;
      readonly body: readonly Stmt[];
    }
  /** Introduces a register and gives it a value in its first `lanes` lanes (the others are unspecified). */
  | { readonly kind: 'let'; readonly reg: Register; readonly value: Expr; readonly lanes: Lanes }
  /** Changes an accumulator that an earlier `let` introduced. */
  | { readonly kind: 'set'; readonly reg: Register; readonly value: Expr; readonly lanes: Lanes }
  /** Writes `lanes` elements, `laneStride` apart, from the first lanes of `value`. */
  | {
      readonly kind: 'store';
      readonly param: number;
      readonly index: Index;
      readonly value: Expr;
      readonly lanes: Lanes;
      readonly laneStride: number;
    }
  | {
      readonly kind: 'if';
      readonly conditions: readonly Condition[];
      readonly body: readonly Stmt[];
      readonly otherwise: readonly Stmt[];
    };

/*
 * Lanes. Every statement that evaluates an expression says how many lanes it computes. With `lanes: 4`, loads and
 * index values say by `laneStride` how lanes differ (0: one element, copied to all); with `lanes: 2` the first two are
 * computed, with `lanes: 1` only lane 0, and nothing else may be read from memory or written to it. Element-wise arithmetic
 * is the same in all, so a value does not depend on where in a vector it fell. Targets with one lane get `lanes: 1` everywhere.
 */
export interface Kernel {
  /** Unique within a module: scope path and op names of what it computes. */
  readonly name: string;
  readonly params: readonly KernelParam[];
  /** The parameter that points to the flags, for kernels with checks (an i32 buffer); null otherwise. */
  readonly flags: number | null;
  /** The unit number; extent = number of units. */
  readonly unit: LoopVar;
  /** Run for each unit. */
  readonly body: readonly Stmt[];
  /** One line: how it was scheduled. Part of the dump. */
  readonly schedule: string;
  /** Of a contraction: its register tile, in elements. */
  readonly tile?: readonly [rows: number, columns: number];
  /** Work of the whole kernel, for the cost model: arithmetic operations and bytes touched (each once). */
  readonly cost: { readonly flops: number; readonly bytes: number };
  /** Stands for a loop while a program is scheduled (schedule/fold-loops.ts): no code, and nothing to be found from its body. */
  readonly isLoop?: true;
}

/** A register tile: rows × vectors of accumulators, with the cycles of one round of it as they were measured. */
export interface RegisterTile {
  readonly rows: number;
  readonly vectors: number;
  readonly cycles: number;
}

/** What schedules need to know about a machine and an instruction set. */
export interface Target {
  readonly name: string;
  /** Elements of a vector: 1 or 4. */
  readonly lanes: 1 | 4;
  /** Register tiles of contractions that fit the registers. */
  readonly tiles: readonly RegisterTile[];
  /** Work units hold about this many scalar operations, so that they are worth handing out. */
  readonly unitWork: number;
  /** Required engine features, by name (`simd128`, `relaxed-simd`, `threads`). */
  readonly features: readonly string[];
  /** How fast it is; default: `defaultMachine` of schedule/cost.ts. */
  readonly machine?: Machine;
}

/** How fast one core is, for the cost model (schedule/cost.ts). Changes who does what, never what is computed. */
export interface Machine {
  /** Arithmetic operations per nanosecond, in contractions. */
  readonly flopsPerNs: number;
  /** Bytes of the arena that a kernel reads and writes per nanosecond. */
  readonly bytesPerNs: number;
  /** The same for as much as a core keeps near (`nearBytes` of schedule/cost.ts), where the core itself left it. */
  readonly nearBytesPerNs: number;
  /** Calling a kernel. */
  readonly callNs: number;
  /** Meeting at a barrier. */
  readonly barrierNs: number;
  /** What a run takes longer for each worker that takes part in it beside the first. */
  readonly wakeNs: number;
}
