// WebAssembly from Kernel IR: one module for all kernels of a plan.
// Each kernel is an exported function (begin: i32, end: i32, args: i32) that runs its units [begin, end); `args` points
// to one 32-bit address per parameter. Memory is imported as `env.memory`.

import type { Kernel } from '../../kernel/ir.ts';
import { encodeModule, printModule } from './encoder.ts';
import { buildFunction } from './kernel.ts';

export interface WasmOptions {
  /** The memory is shared between workers. */
  readonly shared: boolean;
  /** Use fused multiply-add (relaxed SIMD). */
  readonly relaxed: boolean;
}

/**
 * The bytes of a module with one exported function per kernel. The same kernels and options give the same bytes.
 * Throws HDL0017 for an expression that the target cannot express.
 *
 * @example
 * const module = new WebAssembly.Module(emitWasm([kernel], { shared: false, relaxed: false }));
 */
export function emitWasm(kernels: readonly Kernel[], options: WasmOptions): Uint8Array<ArrayBuffer> {
  return encodeModule(
    kernels.map((k) => buildFunction(k, options.relaxed, false)),
    options,
  );
}

/** The same module in the text format. */
export function printWat(kernels: readonly Kernel[], options: WasmOptions): string {
  return printModule(
    kernels.map((k) => buildFunction(k, options.relaxed, true)),
    options,
  );
}
