// Lowering rules of elementwise ops, leaves and random bits say the same as their reference semantics: every element of
// sampled applications, rounded to f32, is equal to the bit; where a rule rounds several times, within its roundings.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import type { HostTensor, Node, OpDef } from '../../compiler/graph/ir.ts';
import { roundTo } from '../../compiler/graph/types.ts';
import { constIndex, type Index } from '../../compiler/kernel/affine.ts';
import { constant as constantExpr, type Expr, walkExprs } from '../../compiler/kernel/expr.ts';
import { scalarType } from '../../compiler/lower/scalar.ts';
import arithmeticOps from '../../compiler/ops/arithmetic.ts';
import binaryOps from '../../compiler/ops/binary.ts';
import checkOps from '../../compiler/ops/check.ts';
import compareOps from '../../compiler/ops/compare.ts';
import { constant } from '../../compiler/ops/constant.ts';
import convertOps from '../../compiler/ops/convert.ts';
import { full, input, iota } from '../../compiler/ops/leaf.ts';
import { forEachPosition } from '../../compiler/ops/loops.ts';
import powerOps from '../../compiler/ops/power.ts';
import randomOps from '../../compiler/ops/random.ts';
import { registry } from '../../compiler/ops/registry.ts';
import unaryOps from '../../compiler/ops/unary.ts';
import { evaluateExpr } from '../support/evaluate-expr.ts';
import { seededRandom } from '../support/random.ts';

const ops = [
  ...arithmeticOps,
  ...unaryOps,
  ...powerOps,
  ...binaryOps,
  ...compareOps,
  ...convertOps,
  ...randomOps,
  ...checkOps,
];

/** Elements that the lowering rule and the reference give for a node over host tensors. */
function bothWays(
  node: Node,
  operands: readonly HostTensor[],
): { lowered: number[]; reference: number[]; roundings: number } {
  const rule = node.op.lower;
  if (typeof rule === 'string') throw new Error('leaves are not lowered');
  const read = (operand: number, at: readonly Index[]): Expr => {
    const { type, data } = operands[operand]!;
    const flat = at.reduce((sum, i, d) => sum * type.shape[d]! + i.constant, 0);
    return constantExpr(scalarType(type.dtype), data[flat]!);
  };
  const newVar = (): never => {
    throw new Error('elementwise rules have no loops');
  };
  const lowered: number[] = [];
  let roundings = 0;
  forEachPosition(node.type.shape, (at) => {
    const expr = rule({ node, at: at.map(constIndex), read, newVar });
    roundings = walkExprs([expr]).filter((e) => rounds(e)).length;
    lowered.push(evaluateExpr(expr));
  });
  const reference = Array.from(node.op.reference(operands, node.attrs, node.type), (v) =>
    roundTo(node.type.dtype, v),
  );
  return { lowered, reference, roundings };
}

/** Arithmetic on f32 that does not just choose or negate. */
function rounds(e: Expr): boolean {
  if (e.type !== 'f32') return false;
  if (e.kind === 'unary') return !['neg', 'abs', 'floor', 'ceil', 'trunc', 'round'].includes(e.fn);
  return e.kind === 'binary' && !['min', 'max'].includes(e.fn);
}

function makeFrom(op: OpDef, operands: readonly HostTensor[], attrs: Node['attrs']): Node {
  return makeNode(
    op,
    operands.map((o, i) => input(`x${i}`, o.type.shape, o.type.dtype)),
    attrs,
  );
}

for (const op of ops) {
  t.test(op.name, async (t) => {
    for (let seed = 1; seed <= 30; seed++) {
      const { operands, attrs } = op.sample!(seededRandom(seed));
      const { lowered, reference, roundings } = bothWays(makeFrom(op, operands, attrs), operands);
      if (roundings <= 1) {
        t.same(lowered, reference, `seed ${seed}`);
        continue;
      }
      const reach = Math.max(1, ...operands.flatMap((o) => [...o.data].map(Math.abs)));
      const off = lowered.map((v, i) => Math.abs(v - reference[i]!) / Math.max(reach, Math.abs(v)));
      t.ok(Math.max(0, ...off) <= roundings * 2 ** -23, `seed ${seed}: within ${roundings} roundings`);
    }
  });
}

t.test('special numbers', async (t) => {
  const specials = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, Infinity, -Infinity, NaN, 3e9, -3e9, 300, 1e-45];
  const n = specials.length;
  const x: HostTensor = {
    type: { dtype: 'f32', shape: [n * n] },
    data: Float64Array.from({ length: n * n }, (_, i) => Math.fround(specials[i % n]!)),
  };
  const y: HostTensor = {
    type: x.type,
    data: x.data.map((_, i) => Math.fround(specials[Math.floor(i / n)]!)),
  };
  for (const op of [...unaryOps, ...arithmeticOps, ...powerOps, ...binaryOps.slice(0, 2), ...compareOps]) {
    if (op.name === 'select') continue;
    const operands = op.arity === 1 ? [x] : [x, y];
    const { lowered, reference } = bothWays(makeFrom(op, operands, {}), operands);
    t.ok(
      lowered.every((v, i) => Object.is(v, reference[i])),
      `${op.name}: equal, signs of zero included`,
    );
  }
  for (const op of convertOps.slice(0, 1)) {
    for (const dtype of ['f32', 'i32', 'u32', 'bool', 'u8']) {
      const { lowered, reference } = bothWays(makeFrom(op, [x], { dtype }), [x]);
      t.same(lowered, reference, `f32 to ${dtype}`);
    }
  }
});

t.test('atan is within 2 units in the last place', async (t) => {
  const at = [0, 1e-30, 1e-3, 0.2, 0.41, 0.42, 0.9, 1, 2.4, 2.42, 10, 1e6, 1e30, Number.POSITIVE_INFINITY];
  const data = Float64Array.from([...at, ...at.map((v) => -v)], Math.fround);
  const x: HostTensor = { type: { dtype: 'f32', shape: [data.length] }, data };
  const { lowered, reference } = bothWays(makeFrom(registry.get('atan')!, [x], {}), [x]);
  for (const [i, v] of lowered.entries()) {
    const want = reference[i]!;
    t.ok(Math.abs(v - want) <= 2 ** -22 * Math.abs(want), `atan(${data[i]}) = ${v}, expected ${want}`);
  }
  t.ok(Object.is(lowered[at.length], -0), 'the sign of zero stays');
});

t.test('leaves', async (t) => {
  const nodes: readonly Node[] = [
    full([2, 3], 0.1),
    constant([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    constant([true, false, true]),
    constant(new Uint8Array([7, 255])),
    iota([3, 4], 0, 'f32'),
    iota([3, 4], 1),
    iota([5], 0, 'u32'),
  ];
  for (const node of nodes) {
    const { lowered, reference } = bothWays(node, []);
    t.same(lowered, reference, `${node.op.name} ${JSON.stringify(node.attrs)}`);
  }
});
