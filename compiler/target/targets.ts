// What schedules know about each target. The tiles are those that the register allocator of V8 11.3 (Node 20) keeps in
// registers; their cycles per round were measured there, beside a loop of nothing but multiply-adds: of the peak, a tile
// of 3 × 12 reaches 0.95 with fused multiply-add and 4 × 8 reaches 0.90; without, a third register for the product makes
// 3 × 12 spill, and 4 × 8 reaches 0.93.

import type { RegisterTile, Target } from '../kernel/ir.ts';

/** WebAssembly with 128-bit vectors: multiply and add round separately, so results are the same on every machine. */
export const wasmSimd: Target = {
  name: 'wasm-simd',
  lanes: 4,
  tiles: tiles([
    [4, 2, 6.2],
    [2, 4, 6.2],
    [3, 2, 5],
    [2, 3, 5],
    [4, 1, 4.5],
    [1, 4, 4.5],
    [6, 1, 5],
    [1, 6, 5],
    [2, 2, 4.5],
    [2, 1, 4.5],
    [1, 2, 4.5],
    [1, 1, 4.5],
  ]),
  unitWork: 16384,
  features: ['simd128'],
};

/** The same with fused multiply-add: twice as fast in contractions, other last bits. */
export const wasmRelaxed: Target = {
  ...wasmSimd,
  name: 'wasm-relaxed',
  tiles: tiles([
    [4, 2, 4.45],
    [3, 3, 4.71],
    [2, 4, 4.45],
    [3, 2, 4.4],
    [2, 3, 4.4],
    [4, 1, 4.4],
    [1, 4, 4.4],
    [6, 1, 4.5],
    [1, 6, 4.5],
    [2, 2, 4.4],
    [2, 1, 4.4],
    [1, 2, 4.4],
    [1, 1, 4.4],
  ]),
  machine: { flopsPerNs: 55, bytesPerNs: 16, nearBytesPerNs: 48, callNs: 60, barrierNs: 500, wakeNs: 4000 },
  features: ['simd128', 'relaxed-simd'],
};

/** Plain JavaScript, one element at a time. A small tile of scalars already saves most loads. */
export const jsTarget: Target = {
  name: 'js',
  lanes: 1,
  tiles: tiles([
    [2, 2, 8],
    [1, 3, 7],
    [3, 1, 7],
    [1, 2, 5],
    [2, 1, 5],
    [1, 1, 4],
  ]),
  unitWork: 16384,
  features: [],
  machine: { flopsPerNs: 1.5, bytesPerNs: 3, nearBytesPerNs: 4, callNs: 60, barrierNs: 500, wakeNs: 4000 },
};

function tiles(list: readonly (readonly [rows: number, vectors: number, cycles: number])[]): RegisterTile[] {
  return list.map(([rows, vectors, cycles]) => ({ rows, vectors, cycles }));
}
