// Sums in gradients: what does not change along the summed dimensions is taken out, and values stay.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { broadcastInDim, reduceSum } from '../../compiler/ops/broadcast.ts';
import * as h from '../../compiler/ops/index.ts';
import { mergeCommonSubexpressions } from '../../compiler/passes/cse.ts';
import { factorSum } from '../../compiler/passes/factor-sums.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { graphOf, mismatches, show } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const none = (): boolean => false;
const leaves = (n: Node): boolean => n.op.name === 'input';

const [u, v] = [h.input('u', [3]), h.input('v', [4])];
const x = h.input('x', [3, 4]);
const rows = broadcastInDim(u, [3, 4], [0]);
const columns = broadcastInDim(v, [3, 4], [1]);

t.test('factors without a summed dimension stand outside', async (t) => {
  const before = reduceSum(h.neg(h.mul(h.mul(x, columns), columns)), [0]);
  t.equal(
    show(graphOf(factorSum(before, leaves)!)),
    `%0 = input {name = "x", dtype = "f32", shape = [3, 4]} : f32[3, 4]
%1 = reduceSum(%0) {axes = [0]} : f32[4]
%2 = input {name = "v", dtype = "f32", shape = [4]} : f32[4]
%3 = mul(%1, %2) : f32[4]
%4 = mul(%3, %2) : f32[4]
%5 = neg(%4) : f32[4]
output y0 = %5`,
  );
});

t.test('factors that share no summed dimension are summed apart', async (t) => {
  t.equal(
    show(graphOf(factorSum(reduceSum(h.mul(rows, columns), [0, 1]), leaves)!)),
    `%0 = input {name = "u", dtype = "f32", shape = [3]} : f32[3]
%1 = reduceSum(%0) {axes = [0]} : f32[]
%2 = input {name = "v", dtype = "f32", shape = [4]} : f32[4]
%3 = reduceSum(%2) {axes = [0]} : f32[]
%4 = mul(%1, %3) : f32[]
output y0 = %4`,
  );
});

t.test('a dimension that no factor has counts its elements', async (t) => {
  t.match(show(graphOf(factorSum(reduceSum(rows, [0, 1]), leaves)!)), /value = 4\}/);
});

t.test('sums are taken apart only when every term gains', async (t) => {
  const y = h.input('y', [3, 4]);
  const same = reduceSum(h.add(x, h.mul(y, columns)), [0]);
  t.equal(factorSum(same, leaves), same);
  const both = factorSum(reduceSum(h.sub(h.mul(x, columns), h.mul(y, columns)), [0]), leaves)!;
  t.equal(both.op.name, 'add');
});

t.test('what somebody wrote is only looked into for products', async (t) => {
  const quotient = h.div(x, rows);
  const sum = reduceSum(h.mul(quotient, columns), [0]);
  const forward = (n: Node): boolean => leaves(n) || n === quotient;
  const names = (n: Node): string[] => graphOf(n).nodes.map((m) => m.op.name);
  t.ok(names(factorSum(sum, forward)!).includes('div'), 'the quotient is read as it is');
  t.equal(
    factorSum(sum, () => true),
    sum,
    'a sum of the forward graph stays',
  );
  const constant = h.full([3, 4], 2);
  const scaled = reduceSum(h.mul(x, constant), [0]);
  t.equal(
    factorSum(scaled, (n) => n === constant || leaves(n)),
    scaled,
    'a constant that may be differentiated',
  );
  t.not(factorSum(scaled, leaves), scaled, 'one that a rule made');
});

t.test('the sum of deviations from a mean is no gradient at all', async (t) => {
  const image = h.input('x', [4, 3, 5]);
  const repeated = (m: Node): Node => broadcastInDim(m, [4, 3, 5], [1]);
  const deviation = h.sub(image, repeated(h.mean(image, [0, 2])) as typeof image);
  const forward = (n: Node): boolean => n === deviation || leaves(n);
  const times = h.mul(deviation, repeated(h.input('s', [3])) as typeof image);
  t.equal(factorSum(reduceSum(times, [0, 2]), forward), null);
  t.not(factorSum(reduceSum(times, [0]), forward), null, 'not over other axes');
  t.not(factorSum(reduceSum(h.mul(times, image), [0, 2]), forward), null, 'not times what changes with it');
  const both = factorSum(
    reduceSum(h.add(times, h.mul(image, repeated(h.input('s', [3])) as typeof image)), [0, 2]),
    forward,
  )!;
  t.equal(show(graphOf(both)).match(/reduceSum/g)!.length, 1, 'one of two terms is left');
});

t.test("batch norm's gradient has two sums over the picture", async (t) => {
  const shape = [2, 3, 4, 4];
  const image = h.input('x', shape);
  const [scale, shift, dy] = [h.input('scale', [3]), h.input('shift', [3]), h.input('dy', shape)];
  const along = (p: Node): Node => h.reshape(p, [1, 3, 1, 1]) as Node;
  const centred = h.sub(image, along(h.mean(image, [0, 2, 3])) as typeof image);
  const variance = h.mean(h.square(centred), [0, 2, 3]);
  const unit = h.mul(centred, along(h.rsqrt(h.add(variance, 1e-5))) as typeof image);
  const y = h.add(h.mul(unit, along(scale) as typeof image), along(shift) as typeof image);
  const gradients = grad(h.sum(h.mul(y, dy)), [image, scale, shift]);
  const graph = mergeCommonSubexpressions.run(graphOf(...gradients));
  const sums = graph.nodes.filter(
    (n) => n.op.name === 'reduceSum' && n.scope.startsWith('grad') && n.operands[0]!.type.shape.length === 4,
  );
  t.equal(sums.length, 2);
});

t.test('values stay, for products of random factors', async (t) => {
  const random = seededRandom(5);
  const shape = [2, 3, 4];
  let values: Record<string, { type: Node['type']; data: Float64Array }> = {};
  const factor = (i: number): Node => {
    const dims = shape.flatMap((_, d) => (random.bool(0.5) ? [d] : []));
    const own = dims.map((d) => (random.bool(0.2) ? 1 : shape[d]!));
    const name = `f${i}`;
    const leaf = h.input(name, own);
    const data = Float64Array.from({ length: elementCount(own) }, () => random.uniform(0.5, 2));
    values[name] = { type: leaf.type, data };
    return broadcastInDim(leaf, shape, dims);
  };
  for (let trial = 0; trial < 60; trial++) {
    let at = 0;
    values = {};
    const product = (): Node => {
      let out = factor(at++);
      for (let k = random.int(0, 4); k > 0; k--) {
        const other = factor(at++);
        out = random.bool(0.3)
          ? h.div(out, other)
          : random.bool(0.2)
            ? h.mul(other, h.neg(out as typeof x))
            : h.mul(out, other);
      }
      return random.bool(0.2) ? h.add(out, out) : out;
    };
    const term = product();
    const whole = random.bool(0.4) ? h.sub(term, product()) : term;
    const axes = shape.flatMap((_, d) => (random.bool(0.6) ? [d] : []));
    const before = reduceSum(whole, axes);
    const after = factorSum(before, none)!;
    t.same(mismatches(graphOf(before), graphOf(after), { inputs: values }, 1e-12), [], `trial ${trial}`);
  }
});
