// Convolutions over pictures with gaps: each class of positions becomes a plain convolution, and values stay.

import t from 'tap';
import { elementCount } from '../../compiler/graph/types.ts';
import { mul } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { conv2d } from '../../compiler/ops/contract.ts';
import { type ConvolutionAttrs, convolution } from '../../compiler/ops/convolution.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { splitDilation } from '../../compiler/passes/split-dilation.ts';
import { graphOf, mismatches } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const seed = 11;

function draw(random: ReturnType<typeof seededRandom>, shape: readonly number[]): Float64Array {
  return Float64Array.from({ length: elementCount(shape) }, () => random.uniform(-1, 1));
}

const withGaps = (graph: ReturnType<typeof graphOf>): number =>
  graph.nodes.filter(
    (n) => n.op.name === 'convolution' && (n.attrs['inputDilation'] as number[]).some((d) => d > 1),
  ).length;

t.test('the gradient to the input of a strided convolution multiplies no zeros', async (t) => {
  const [x, w] = [input('x', [2, 3, 8, 8]), input('w', [4, 3, 3, 3])];
  const y = conv2d(x, w, { strides: 2, padding: 1 });
  const before = graphOf(...grad(sum(mul(y, y)), [x]));
  const after = splitDilation.run(before);
  t.equal(withGaps(before), 1);
  t.equal(withGaps(after), 0);
  // Filters of 3 × 3 and a stride of 2: classes of 2 × 2, 2 × 1, 1 × 2 and 1 × 1 elements.
  const kernels = after.nodes
    .filter((n) => n.op.name === 'convolution')
    .map((n) => n.operands[1]!.type.shape.slice(2).join('×'));
  t.same(kernels.filter((k) => k !== '3×3').sort(), ['1×1', '1×2', '2×1', '2×2']);
});

t.test(`values stay for any stride, padding and filter, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  let split = 0;
  for (let i = 0; i < 60; i++) {
    const groups = random.pick([1, 2]);
    const shape = [1, 2 * groups, random.int(1, 5), random.int(1, 5)];
    const filter = [2 * groups, 2, random.int(1, 4), random.int(1, 4)];
    const attrs: ConvolutionAttrs = {
      strides: [1, random.int(1, 2)],
      padLo: [random.int(-1, 3), random.int(0, 3)],
      padHi: [random.int(-1, 3), random.int(0, 3)],
      dilation: [1, random.int(1, 2)],
      inputDilation: [random.int(1, 3), random.int(1, 3)],
      groups,
    };
    const reach = (d: number): number =>
      (shape[2 + d]! - 1) * attrs.inputDilation[d]! +
      1 +
      attrs.padLo[d]! +
      attrs.padHi[d]! -
      (filter[2 + d]! - 1) * attrs.dilation[d]!;
    if (reach(0) < 1 || reach(1) < 1) continue;
    const [x, w] = [input('x', shape), input('w', filter)];
    const before = graphOf(convolution(x, w, attrs));
    const after = splitDilation.run(before);
    if (after !== before) split++;
    t.same(after.outputs[0]!.node.type, before.outputs[0]!.node.type);
    const found = mismatches(
      before,
      after,
      { inputs: { x: draw(random, shape), w: draw(random, filter) } },
      1e-12,
    );
    t.same(found.slice(0, 2), [], JSON.stringify({ shape, filter, attrs }));
  }
  t.ok(split >= 20, `${split} convolutions were split`);
});

t.test('a convolution without gaps stays', async (t) => {
  const before = graphOf(conv2d(input('x', [1, 2, 5, 5]), input('w', [3, 2, 3, 3]), { strides: 2 }));
  t.equal(splitDilation.run(before), before);
});
