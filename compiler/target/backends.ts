// The table of targets: adding one means adding a folder beside this file and a row here.

import type { Kernel, Target } from '../kernel/ir.ts';
import { emitJs } from './js/emit.ts';
import { jsTarget, wasmRelaxed, wasmSimd } from './targets.ts';
import { emitWasm, printWat } from './wasm/emit.ts';

export interface Emission {
  /** The memory is shared between workers. */
  readonly shared: boolean;
  /** Fused multiply-add may be used. */
  readonly relaxed: boolean;
}

export interface Backend {
  readonly kind: 'wasm' | 'js';
  /** Language of the printed code. */
  readonly language: 'wat' | 'js';
  /** What schedules need to know. */
  readonly describe: (options: { readonly relaxed: boolean }) => Target;
  /** The plan's code. */
  readonly emit: (kernels: readonly Kernel[], options: Emission) => Uint8Array;
  /** The same code for people. */
  readonly print: (kernels: readonly Kernel[], options: Emission) => string;
}

export const backends: Readonly<Record<'wasm' | 'js', Backend>> = {
  wasm: {
    kind: 'wasm',
    language: 'wat',
    describe: ({ relaxed }) => (relaxed ? wasmRelaxed : wasmSimd),
    emit: emitWasm,
    print: printWat,
  },
  js: {
    kind: 'js',
    language: 'js',
    describe: () => jsTarget,
    emit: (kernels) => new TextEncoder().encode(emitJs(kernels)),
    print: (kernels) => emitJs(kernels),
  },
};
