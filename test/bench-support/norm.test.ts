// Batch norm + ReLU + residual moves no more than what must move, forward and backward: by the kernels of its plan.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { graphOf } from '../support/lower-graph.ts';
import { type Direction, normProgram } from './norm.ts';

type Pictures = Node<readonly number[], 'f32'>;

/** relu(bn(x) + r), as a layer makes it. */
function graph(shape: readonly number[], direction: Direction): Graph {
  const [x, r, dy] = ['x', 'r', 'dy'].map((name) => h.input(name, shape)) as [Pictures, Pictures, Pictures];
  const along = (v: Node): Pictures => h.reshape(v, [1, shape[1]!, 1, 1]) as Pictures;
  const mean = h.mean(x, [0, 2, 3]);
  const variance = h.mean(h.square(h.sub(x, along(mean))), [0, 2, 3]);
  const [scale, shift] = [h.input('scale', [shape[1]!]), h.input('shift', [shape[1]!])];
  const factor = h.mul(h.rsqrt(h.add(variance, 1e-5)), scale);
  const y = h.relu(h.add(h.add(h.mul(h.sub(x, along(mean)), along(factor)), along(shift)), r));
  if (direction === 'forward') return graphOf({ y });
  const [dx, dr, dscale, dshift] = grad(h.sum(h.mul(y, dy)), [x, r, scale, shift]);
  return graphOf({ y, dx: dx!, dr: dr!, dscale: dscale!, dshift: dshift! });
}

for (const [shape, most] of [
  [[64, 16, 32, 32], 1.02],
  [[64, 32, 16, 16], 1.02],
  [[64, 64, 8, 8], 1.1],
] as const) {
  for (const direction of ['forward', 'forward and backward'] as const) {
    t.test(`${shape.join(' × ')}, ${direction}`, async (t) => {
      const { lowered } = compileGraph(graph(shape, direction));
      const moved = lowered.steps.reduce((n, s) => n + s.kernel.cost.bytes, 0);
      const made = normProgram(shape as unknown as [number, number, number, number], direction, {
        threads: 1,
      });
      await made.program.dispose();
      const ratio = moved / made.mustMoveBytes;
      t.ok(ratio >= 0.99 && ratio <= most, `${ratio.toFixed(3)} times what must move`);
    });
  }
}
