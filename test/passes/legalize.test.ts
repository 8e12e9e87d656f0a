// Explicit padding: what becomes of convolutions, and that values stay.

import t from 'tap';
import { elementCount } from '../../compiler/graph/types.ts';
import { mul } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { conv2d } from '../../compiler/ops/contract.ts';
import { type ConvolutionAttrs, convolution } from '../../compiler/ops/convolution.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { reduceWindow } from '../../compiler/ops/window.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { legalize } from '../../compiler/passes/legalize.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { graphOf, mismatches, show } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const plain: ConvolutionAttrs = {
  strides: [1, 1],
  padLo: [0, 0],
  padHi: [0, 0],
  dilation: [1, 1],
  inputDilation: [1, 1],
  groups: 1,
};
const [x, w] = [input('x', [2, 3, 5, 4]), input('w', [4, 3, 3, 2])];

t.test('a padded convolution is a pad and an unpadded convolution', async (t) => {
  const before = graphOf(
    convolution(x, w, { ...plain, padLo: [1, 0], padHi: [2, 1], inputDilation: [1, 2] }),
  );
  t.equal(
    show(legalize.run(before)),
    [
      '%0 = input {name = "x", dtype = "f32", shape = [2, 3, 5, 4]} : f32[2, 3, 5, 4]',
      '%1 = input {name = "w", dtype = "f32", shape = [4, 3, 3, 2]} : f32[4, 3, 3, 2]',
      '%2 = constant {dtype = "f32", shape = [], value = 0} : f32[]',
      '%3 = pad(%0, %2) {lo = [0, 0, 1, 0], hi = [0, 0, 2, 1], interior = [0, 0, 0, 1]} : f32[2, 3, 8, 8]',
      '%4 = convolution(%3, %1) {strides = [1, 1], padLo = [0, 0], padHi = [0, 0], dilation = [1, 1], inputDilation = [1, 1], groups = 1} : f32[2, 4, 6, 7]',
      'output y0 = %4',
    ].join('\n'),
  );
});

t.test('an unpadded one stays', async (t) => {
  const before = graphOf(convolution(x, w, { ...plain, strides: [2, 1], dilation: [2, 1] }));
  t.equal(legalize.run(before), before);
});

t.test('values stay, to the bit: padding, cropping, dilation, strides, groups', async (t) => {
  const random = seededRandom(9);
  const pairs = () => [random.int(-1, 2), random.int(-1, 2)];
  for (let i = 0; i < 20; i++) {
    const groups = random.pick([1, 3]);
    const v = input('w', [3, 3 / groups, 2, 2]);
    const attrs = {
      strides: [random.int(1, 2), random.int(1, 2)],
      padLo: pairs(),
      padHi: pairs(),
      dilation: [random.int(1, 2), 1],
      inputDilation: [random.int(1, 3), random.int(1, 2)],
      groups,
    };
    const before = graphOf(convolution(x, v, attrs));
    const draw = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.uniform(-1, 1));
    const inputs = { x: draw(elementCount(x.type.shape)), w: draw(elementCount(v.type.shape)) };
    t.same(mismatches(before, legalize.run(before), { inputs }, 0), [], JSON.stringify(attrs));
  }
});

t.test('windows are padded by what is neutral to them', async (t) => {
  const windows = {
    window: [1, 1, 3, 2],
    strides: [1, 1, 2, 2],
    padLo: [0, 0, 1, 1],
    padHi: [0, 0, 1, 0],
    dilation: [1, 1, 1, 1],
  };
  const data = Float64Array.from({ length: 120 }, (_, i) => ((i * 37) % 101) - 200);
  for (const monoid of ['sum', 'max', 'min'] as const) {
    const y = reduceWindow(x, monoid, windows);
    const before = graphOf(y, ...grad(sum(mul(y, y)), [x]));
    const after = legalize.run(before);
    t.same(mismatches(before, after, { inputs: { x: data } }, 0), [], monoid);
    const padding = after.nodes.flatMap((n) =>
      n.op.name === 'pad' && n.operands[0] === x ? [n.operands[1]!.attrs] : [],
    );
    const value = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }[monoid];
    t.ok(
      padding.length > 0 && padding.every((a) => a['value'] === value),
      `${monoid}: ${JSON.stringify(padding)}`,
    );
    for (const n of after.nodes.filter((v) => ['reduceWindow', 'windowArgmax'].includes(v.op.name))) {
      t.same([n.attrs['padLo'], n.attrs['padHi']].flat(), [0, 0, 0, 0, 0, 0, 0, 0]);
    }
  }
});

t.test("a convolution and its weights' gradient read one padded image", async (t) => {
  const y = conv2d(x, w, { padding: 1 });
  const graph = graphOf(y, ...grad(sum(mul(y, y)), [w]));
  const after = runPasses(graph, standardPasses(), { verify: true, now: () => 0 });
  const padded = after.nodes.filter((n) => n.op.name === 'pad');
  t.equal(padded.length, 1);
  t.equal(padded[0]!.operands[0], x);
});
