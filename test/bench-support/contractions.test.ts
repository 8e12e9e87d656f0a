// The benchmarked contractions compute what they are named after, and drawn shapes keep to what is said of them.

import t from 'tap';
import {
  type ConvShape,
  contraction,
  contractionMs,
  describeShape,
  drawShapes,
  flopsOf,
  resultSize,
} from './contractions.ts';
import { normProgram } from './norm.ts';

const conv: ConvShape = {
  kind: 'conv',
  part: 'forward',
  batch: 2,
  size: 6,
  from: 3,
  to: 5,
  kernel: 3,
  stride: 2,
};

t.test('operations are those of the definition', async (t) => {
  t.equal(flopsOf({ kind: 'matmul', m: 2, n: 3, k: 5 }), 60);
  t.equal(resultSize(conv), 3);
  t.equal(flopsOf(conv), 2 * 2 * 3 * 3 * 5 * 3 * 3 * 3);
  t.equal(describeShape(conv), '2 of 6 × 6 × 3 → 5, 3 × 3 / 2, forward');
});

t.test('alone and in a net, each part runs, and its own steps are found', async (t) => {
  for (const part of ['forward', 'input gradient', 'weight gradient'] as const) {
    for (const where of ['alone', 'in a net'] as const) {
      const shape = { ...conv, part };
      const { program, feeds } = contraction(shape, where, { threads: 1 });
      const profile = await program.profile('run', feeds, { runs: 1, warmUp: 0 });
      const flops = profile.steps.reduce((n, s) => n + s.flops!, 0);
      // Borders are in the count of the definition, and gaps of strides are in neither.
      t.ok(
        flops > 0.8 * flopsOf(shape),
        `${part} ${where}: ${flops} operations, ${flopsOf(shape)} by definition`,
      );
      const own = profile.steps.filter((s) => /convolution|dotGeneral/.test(s.label));
      t.ok(
        own.length > 0 && (where === 'alone' || own.length < profile.steps.length),
        'steps of its own, and others',
      );
      t.ok(
        contractionMs(profile, where) <= profile.steps.reduce((n, s) => n + s.ms, 0) + profile.totals.walkMs,
      );
      await program.dispose();
    }
  }
});

t.test('shapes are a function of the seed; work is within bounds', async (t) => {
  const shapes = drawShapes(7, 40);
  t.same(drawShapes(7, 40), shapes);
  t.notSame(drawShapes(8, 40), shapes);
  t.ok(shapes.every((s) => flopsOf(s) >= 4e6 && flopsOf(s) <= 120e6));
  t.same([...new Set(shapes.map((s) => s.kind))].sort(), ['conv', 'matmul']);
});

t.test('batch norm, residual and ReLU: gradients are asked for only backward', async (t) => {
  for (const [direction, pictures] of [
    ['forward', 3],
    ['forward and backward', 6],
  ] as const) {
    const { program, feeds, leastBytes } = normProgram([2, 3, 4, 4], direction, { threads: 1 });
    t.equal(leastBytes, 4 * 96 * pictures);
    const outputs = await program.run('run', feeds);
    t.equal(Object.keys(feeds).length + Object.keys(outputs).length, pictures);
    await program.dispose();
  }
});
