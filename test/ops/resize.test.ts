// Resizing against values computed by hand; gradients by differences; targets against the interpreter.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { type ResizeOptions, resize } from '../../compiler/ops/resize.ts';
import { Executor } from '../../runtime/executor.ts';
import { compiledDisagreements, draw, evaluateOp, graphOf, host } from '../support/evaluate-ops.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

const row = host([1, 1, 4], [1, 2, 4, 8]);
const resized = (size: number, options: ResizeOptions): number[] =>
  evaluateOp((x) => resize(x, [size], options), row);

t.test('nearest', async (t) => {
  t.same(resized(8, {}), [1, 1, 2, 2, 4, 4, 8, 8]);
  t.same(resized(2, {}), [1, 4], 'of two at one distance the first');
  t.same(resized(2, { rounding: 'roundPreferCeil' }), [2, 8]);
  t.same(resized(6, { coordinates: 'asymmetric', rounding: 'floor' }), [1, 1, 2, 4, 4, 8]);
  t.same(resized(3, { coordinates: 'alignCorners' }), [1, 2, 8]);
});

t.test('linear', async (t) => {
  t.same(resized(8, { mode: 'linear' }), [1, 1.25, 1.75, 2.5, 3.5, 5, 7, 8]);
  t.same(resized(7, { mode: 'linear', coordinates: 'alignCorners' }), [1, 1.5, 2, 3, 4, 6, 8]);
  t.same(resized(1, { mode: 'linear', coordinates: 'pytorchHalfPixel' }), [1]);
  const square = host([1, 1, 2, 2], [1, 2, 3, 4]);
  t.same(
    evaluateOp((x) => resize(x, [3, 3], { mode: 'linear', coordinates: 'alignCorners' }), square),
    [1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4],
  );
});

t.test('cubic keeps what is linear away from edges, and hits pixels', async (t) => {
  const line = host([1, 1, 8], [0, 1, 2, 3, 4, 5, 6, 7]);
  const y = evaluateOp((x) => resize(x, [15], { mode: 'cubic', coordinates: 'alignCorners' }), line);
  for (let o = 0; o < 15; o += 2) t.equal(y[o], o / 2);
  const half = evaluateOp(
    (x) => resize(x, [15], { mode: 'cubic', coordinates: 'alignCorners', cubic: -0.5 }),
    line,
  );
  for (let o = 4; o < 11; o++) t.ok(Math.abs(half[o]! - o / 2) < 1e-12, `place ${o}`);
});

const all: readonly ResizeOptions[] = [
  { mode: 'nearest' },
  { mode: 'linear' },
  { mode: 'cubic' },
  { mode: 'linear', coordinates: 'asymmetric', scale: [1.3, 0.7] },
];

t.test('gradients', async (t) => {
  for (const options of all) {
    for (const size of [
      [6, 8],
      [4, 3],
      [2, 9],
    ]) {
      const { inputs, outputs, values } = graphOf((x) => resize(x, size, options), [draw([1, 2, 3, 4])]);
      const check = { outputs, inputs, values, random: seededRandom(2), elements: 6 } as const;
      t.same(checkGradients(check), [], `${JSON.stringify(options)} to ${size}`);
    }
  }
});

t.test('targets agree with the interpreter', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  try {
    const build = (x: Node): Node[] => all.map((options) => resize(x, [7, 13], options));
    t.same(await compiledDisagreements(executor, build, draw([2, 3, 5, 9])), []);
  } finally {
    await executor.dispose();
  }
});

t.test('errors say what to write', async (t) => {
  const x = graphOf((v) => v, [draw([1, 2, 5, 7], 1, 'i32')]).inputs[0]!;
  t.throws(() => resize(x, [3]), { code: 'HDL0003', message: /2 integers of at least 1/ });
  t.throws(() => resize(x, [3, 3], { mode: 'linear' }), { code: 'HDL0002', message: /computes with f32/ });
  t.throws(() => resize(x, [3, 3], { scale: [1] }), { code: 'HDL0003', message: /2 positive numbers/ });
});
