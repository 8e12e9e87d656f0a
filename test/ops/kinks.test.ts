// Gradients where there are several: at ties, at the ends of intervals, at zero. What each is stands in docs/ops.md.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { evaluate } from '../support/evaluate.ts';
import { h } from '../support/public-functions.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

type Row = readonly [
  what: string,
  apply: (x: Node) => Node,
  at: readonly number[],
  gradient: readonly number[],
];

const rows: readonly Row[] = [
  ['abs at 0', (x) => h['abs']!(x), [0, -0, 2, -2], [0, 0, 1, -1]],
  ['sign, floor, round: none', (x) => h['add']!(h['square']!(x), h['add']!(h['sign']!(x), h['add']!(h['floor']!(x), h['round']!(x)))), [0, 0.5, 1], [0, 1, 2]],
  ['clip at its ends', (x) => h['clip']!(x, -1, 1), [-2, -1, 0, 1, 2], [0, 1, 1, 1, 0]],
  ['maximum of equals: halves', (x) => h['maximum']!(x, 1), [0, 1, 2, nan], [0, 0.5, 1, 0]],
  ['minimum of equals: halves', (x) => h['minimum']!(x, 1), [0, 1, 2, nan], [1, 0.5, 0, 0]],
  ['both operands of maximum', (x) => h['maximum']!(x, x), [3], [1]],
  ['max of ties: shared', (x) => h['max']!(x), [1, 3, 3, 2], [0, 0.5, 0.5, 0]],
  ['min of ties: shared', (x) => h['min']!(x), [1, 1, 1, 2], [1 / 3, 1 / 3, 1 / 3, 0]],
  ['a window of ties: the first', (x) => h['maxPool1d']!(h['reshape']!(x, [1, 1, -1]), { kernel: 2 }), [3, 3, 1, 5], [1, 0, 0, 1]],
  ['product with one zero', (x) => h['prod']!(x), [2, 0, 3], [0, 6, 0]],
  ['product with two zeros', (x) => h['prod']!(x), [0, 0, 3], [0, 0, 0]],
  ['square root at 0', (x) => h['sqrt']!(x), [0, 4], [inf, 0.25]],
  ['norms at 0', (x) => h['add']!(h['l1']!(x), h['add']!(h['l2']!(x), h['norm']!(x, 0, { p: 3 }))), [0, 0], [0, 0]],
  ['deviation of equals', (x) => h['std']!(x), [2, 2, 2], [0, 0, 0]],
  ['sorted equals keep their order', (x) => h['mul']!(h['sort']!(x), h['cast']!(h['iota']!([3], 0), 'f32')), [2, 2, 1], [1, 2, 0]],
  ['topK of equals: the first', (x) => (h['topK']!(x, 1) as unknown as { values: Node }).values, [2, 2, 1], [1, 0, 0]],
  ['where: the branch that is taken', (x) => h['where']!(h['gt']!(x, 0), x, h['mul']!(x, 5)), [0, 1], [5, 1]],
  ['relu, relu6', (x) => h['add']!(h['relu']!(x), h['relu6']!(x)), [-1, 0, 3, 6, 7], [0, 0, 2, 1, 1]],
]; // biome-ignore format: a table

for (const [what, apply, at, want] of rows) {
  t.test(what, async (t) => {
    const x = input('x', [at.length]) as Node;
    const loss = h['sum']!(apply(x)) as Node;
    const got = evaluate(grad(loss, [x])[0], { x: [...at] });
    t.ok(
      got.length === want.length && got.every((v, i) => v === want[i] || Math.abs(v - want[i]!) < 1e-12),
      `${got}, expected ${want}`,
    );
  });
}
