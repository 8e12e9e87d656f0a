// Normalizations against their definitions, and transposed convolution as what it is named for: the adjoint of a convolution.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import {
  conv2d,
  convTranspose1d,
  convTranspose2d,
  groupNorm,
  input,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  mul,
  rmsNorm,
  sum,
} from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';
import { seededRandom } from '../support/random.ts';

const near = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => Math.abs(v - b[i]!) < 1e-9);
const draw = (n: number, seed = 3): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => Math.fround(random.uniform(-2, 2)));
};
const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;

/** (v − mean) / √(variance + 1e-5) of one list. */
function standardized(v: readonly number[]): number[] {
  const m = mean(v);
  const s = Math.sqrt(mean(v.map((x) => (x - m) ** 2)) + 1e-5);
  return v.map((x) => (x - m) / s);
}
const rows = (v: readonly number[], n: number): number[][] =>
  Array.from({ length: v.length / n }, (_, i) => v.slice(i * n, (i + 1) * n));

t.test('layerNorm and rmsNorm', async (t) => {
  const v = draw(24);
  const x = input('x', [2, 3, 4]);
  t.ok(near(evaluate(layerNorm(x), { x: v }), rows(v, 4).flatMap(standardized)));
  t.ok(near(evaluate(layerNorm(x, { axis: 1 }), { x: v }), rows(v, 12).flatMap(standardized)), 'two axes');
  const [scale, shift] = [draw(4, 5), draw(4, 6)];
  const y = layerNorm(x, { scale: input('scale', [4]), shift: input('shift', [4]) });
  const want = rows(v, 4).flatMap((r) => standardized(r).map((z, i) => z * scale[i]! + shift[i]!));
  t.ok(near(evaluate(y, { x: v, scale, shift }), want));
  const byPower = rows(v, 4).flatMap((r) => r.map((z) => z / Math.sqrt(mean(r.map((q) => q * q)) + 1e-5)));
  t.ok(near(evaluate(rmsNorm(x), { x: v }), byPower));
  t.match(
    errorOf(() => layerNorm(x, { scale: input('s', [3]) })),
    /HDL0001: layerNorm.*scale has shape \[3\], not \[4\]/,
  );
});

t.test('groupNorm and instanceNorm', async (t) => {
  const v = draw(48);
  const x = input('x', [2, 4, 2, 3]);
  t.ok(near(evaluate(groupNorm(x, 2), { x: v }), rows(v, 12).flatMap(standardized)));
  t.ok(near(evaluate(instanceNorm(x), { x: v }), rows(v, 6).flatMap(standardized)));
  const scale = draw(4, 5);
  const want = rows(v, 12).flatMap((r, g) =>
    standardized(r).map((z, i) => z * scale[(g % 2) * 2 + Math.floor(i / 6)]!),
  );
  t.ok(near(evaluate(groupNorm(x, 2, { scale: input('scale', [4]) }), { x: v, scale }), want));
  t.match(
    errorOf(() => groupNorm(x, 3)),
    /HDL0001: groupNorm.*4 channels do not split into 3 groups/,
  );
});

t.test('localResponseNorm', async (t) => {
  const v = [1, 2, 3, 4];
  const x = input('x', [1, 4]);
  const options = { size: 3, alpha: 0.3, beta: 0.5, bias: 2 };
  const want = v.map((z, c) => {
    const squares = v.filter((_, d) => Math.abs(d - c) <= 1).reduce((s, q) => s + q * q, 0);
    return z / Math.sqrt(2 + 0.1 * squares);
  });
  t.ok(near(evaluate(localResponseNorm(x, options), { x: v }), want));
});

t.test('a transposed convolution is the adjoint of the convolution', async (t) => {
  const attempts = [
    { strides: 1, padding: 0, dilation: 1, groups: 1 },
    { strides: 2, padding: 1, dilation: 1, groups: 1 },
    { strides: 3, padding: 0, dilation: 2, groups: 2 },
  ] as const;
  for (const options of attempts) {
    const x = input('x', [1, 4, 9, 9]) as Node;
    const w = input('w', [2, 4 / options.groups, 3, 3]) as Node;
    const y: Node = conv2d(x as never, w as never, options);
    const g = input('g', y.type.shape) as Node;
    const [dx] = grad(sum(mul(y, g) as never) as never, [x]);
    // What the strides did not reach comes back as output padding.
    const left = convTranspose2d(g, w, options).type.shape[2]!;
    const z = convTranspose2d(g, w, { ...options, outputPadding: 9 - left });
    t.same(z.type.shape, x.type.shape);
    const values = {
      w: draw(72 / options.groups),
      g: draw(
        y.type.shape.reduce((a, b) => a * b, 1),
        9,
      ),
    };
    t.ok(near(evaluate(z, values), evaluate(dx!, values)), JSON.stringify(options));
  }
  const x = input('x', [1, 1, 3]);
  const w = input('w', [1, 1, 2]);
  t.same(
    evaluate(convTranspose1d(x, w, { strides: 2 }), { x: [1, 2, 3], w: [1, 10] }),
    [1, 10, 2, 20, 3, 30],
  );
  t.same(convTranspose1d(x, w, { strides: 2, padding: 'same' }).type.shape, [1, 1, 6]);
  t.match(
    errorOf(() => convTranspose1d(x, input('v', [2, 1, 2]) as Node)),
    /HDL0001.*x has 1 channels, w takes 2/,
  );
});
