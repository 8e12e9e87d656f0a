// Given a sum whose positions are known at run time and asked for by several tiles, when it is prepared, then the positions are
// stored once, before it, and the sum is what it was; where they are asked for once, nothing is stored.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { lowerGraph } from '../../compiler/lower/lower.ts';
import * as h from '../../compiler/ops/index.ts';
import { windowConvolution } from '../../compiler/ops/window-convolution.ts';
import { examineKernel } from '../../compiler/schedule/check-kernel.ts';
import { jsTarget, wasmSimd } from '../../compiler/target/targets.ts';
import { graphOf } from '../support/lower-graph.ts';
import { runLowered } from '../support/run-lowered.ts';

interface Case {
  readonly name: string;
  /** Pictures as [channels, batch, …]: channels of the first factor become the results' first dimension. */
  readonly x: readonly number[];
  readonly d: readonly number[];
  readonly window: readonly number[];
  readonly isStored: boolean;
}

const cases: readonly Case[] = [
  { name: 'one tile asks', x: [1, 16, 8, 8], d: [3, 16, 3, 3], window: [2, 2], isStored: false },
  { name: 'rows in two tiles', x: [1, 16, 12, 12], d: [3, 16, 4, 4], window: [2, 2], isStored: true },
  {
    name: 'windows that are no power of two',
    x: [2, 16, 14, 14],
    d: [2, 16, 3, 3],
    window: [3, 3],
    isStored: true,
  },
  { name: 'windows of two kinds', x: [9, 20, 11, 13], d: [2, 20, 3, 3], window: [2, 3], isStored: true },
  { name: 'a short sum is not cut', x: [1, 2, 12, 12], d: [3, 2, 4, 4], window: [2, 2], isStored: false },
];

t.test('positions are stored where several tiles ask for them, and sums stay', async (t) => {
  for (const { name, x, d, window, isStored } of cases) {
    const size = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);
    const sum: Node = windowConvolution(h.input('x', x), h.input('d', d), h.input('i', d, 'i32'), window);
    const graph = graphOf({ sum });
    // Whole numbers: their sums are exact in any order.
    const wholes = (n: number, k: number, most: number): Float64Array =>
      Float64Array.from({ length: n }, (_, i) => (i * k) % most);
    const leaves = {
      x: { type: { dtype: 'f32', shape: x }, data: wholes(size(x), 37, 11) },
      d: { type: { dtype: 'f32', shape: d }, data: wholes(size(d), 23, 7) },
      i: { type: { dtype: 'i32', shape: d }, data: wholes(size(d), 29, size(window)) },
    } as const;
    const lowered = lowerGraph(graph, wasmSimd);
    const stored = lowered.steps.filter((s) => s.label.includes('(positions)'));
    t.equal(stored.length, isStored ? 1 : 0, `${name}: stored`);
    for (const { kernel } of lowered.steps) {
      verifyKernel(kernel);
      t.equal(examineKernel(kernel).problem, null, `${name}: ${kernel.name}`);
    }
    const want = runLowered(lowerGraph(graph, jsTarget), leaves).outputs;
    t.same(runLowered(lowered, leaves).outputs, want, `${name}: sums`);
  }
});
