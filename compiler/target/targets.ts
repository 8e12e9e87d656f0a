// What schedules know about each target. The figures were measured on Node 20 (V8 11.3): a tile of 4 rows × 2 vectors
// is the largest that its register allocator keeps in registers (rows + vectors + rows · vectors ≤ 15).

import type { Target } from '../kernel/ir.ts';

/** WebAssembly with 128-bit vectors: multiply and add round separately, so results are the same on every machine. */
export const wasmSimd: Target = {
  name: 'wasm-simd',
  lanes: 4,
  tile: { rows: 4, vectors: 2 },
  unitWork: 16384,
  features: ['simd128'],
};

/** The same with fused multiply-add: twice as fast in contractions, other last bits. */
export const wasmRelaxed: Target = {
  ...wasmSimd,
  name: 'wasm-relaxed',
  features: ['simd128', 'relaxed-simd'],
};

/** Plain JavaScript, one element at a time. A small tile of scalars already saves most loads. */
export const jsTarget: Target = {
  name: 'js',
  lanes: 1,
  tile: { rows: 2, vectors: 2 },
  unitWork: 16384,
  features: [],
};
