// Common subexpressions: what is merged, what must not be, and which labels survive.

import t from 'tap';
import { named } from '../../compiler/graph/build.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, div, mul, sub } from '../../compiler/ops/arithmetic.ts';
import { minimum } from '../../compiler/ops/binary.ts';
import { broadcastTo, sum } from '../../compiler/ops/broadcast.ts';
import { constant } from '../../compiler/ops/constant.ts';
import { full, input } from '../../compiler/ops/leaf.ts';
import { mergeCommonSubexpressions } from '../../compiler/passes/cse.ts';
import { graphOf, show } from '../support/passes.ts';

const merge = (...nodes: Node[]): string => show(mergeCommonSubexpressions.run(graphOf(...nodes)));

t.test('equal nodes over equal nodes become one, in any order of commuting operands', async (t) => {
  const [x, y] = [input('x', [2]), input('y', [2])];
  const all = sub(mul(add(x, y), 2), mul(full([2], 2), add(y, x)));
  t.equal(
    merge(all),
    [
      '%0 = input {name = "x", dtype = "f32", shape = [2]} : f32[2]',
      '%1 = input {name = "y", dtype = "f32", shape = [2]} : f32[2]',
      '%2 = add(%0, %1) : f32[2]',
      '%3 = constant {dtype = "f32", shape = [2], value = 2} : f32[2]',
      '%4 = mul(%2, %3) : f32[2]',
      '%5 = sub(%4, %4) : f32[2]',
      'output y0 = %5',
    ].join('\n'),
  );
});

t.test('what differs in operands, attributes, type or constants stays apart', async (t) => {
  const [x, y] = [input('x', [2, 2]), input('y', [2, 2])];
  const large = (at: number): Node =>
    constant(Float32Array.from({ length: 20 }, (_, i) => (i === at ? 1 : 0)));
  const pairs: [string, Node, Node][] = [
    ['inputs', x, y],
    ['operands of a quotient', div(x, y), div(y, x)],
    ['operands of a difference', sub(x, y), sub(y, x)],
    ['operands of a minimum, for its zeros', minimum(x, y), minimum(y, x)],
    ['axes', sum(x, 0), sum(x, 1)],
    ['shapes', broadcastTo(x, [3, 2, 2]), broadcastTo(x, [4, 2, 2])],
    ['zeros of different sign', full([], 0), full([], -0)],
    ['dtypes', full([], 0), full([], 0, 'i32')],
    ['large constants', large(3), large(4)],
  ];
  for (const [what, a, b] of pairs) {
    const before = graphOf(a, b);
    t.equal(mergeCommonSubexpressions.run(before), before, what);
  }
  const merged = mergeCommonSubexpressions.run(graphOf(large(3), large(3)));
  t.equal(merged.nodes.length, 1, 'equal large constants are one');
});

t.test("the user's name survives, with its scope; inputs stay themselves", async (t) => {
  const x = input('x', []);
  const first = scope('grad', () => mul(x, x));
  const second = scope('norm', () => named(mul(x, x), 'square'));
  const after = mergeCommonSubexpressions.run(graphOf(add(first, 1), add(second, 2)));
  const square = after.nodes.find((n) => n.op.name === 'mul');
  t.equal(square?.name, 'square');
  t.equal(square?.scope, 'norm');
  t.equal(after.inputs[0], x);
});
