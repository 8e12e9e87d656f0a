// What ops on integers and truth values share: no gradient, results wrapped to the dtype. The remainder of integers stands
// here as well, since `mod` (remainder.ts) makes one function of it and of the composition for f32.

import type { Attrs, OpDef, SampleSource } from '../graph/ir.ts';
import type { DType } from '../graph/types.ts';
import { type BinaryFunction, binary, type Expr } from '../kernel/expr.ts';
import { defineOp } from './define.ts';
import { drawElements, lowerElements, mapElements, sameTypeRule } from './elementwise.ts';

/** The record of an op on integers or truth values. */
export function integerOp(
  name: string,
  allowed: readonly DType[],
  doc: Omit<OpDef['doc'], 'types'> & { readonly example: string },
  value: (x: number, y: number, dtype: DType) => number,
  lower: (x: Expr, y: Expr) => Expr,
  draw: (random: SampleSource, dtype: DType, shape: number[]) => ReturnType<typeof drawElements> = (
    r,
    d,
    s,
  ) => drawElements(r, d, s),
): OpDef {
  return defineOp<Attrs>({
    name,
    family: 'binary',
    doc: { ...doc, types: `T[S], T[S] → T[S] for T = ${allowed.join(', ')}` },
    arity: 2,
    type: sameTypeRule(allowed),
    reference: (operands, _attrs, out) => mapElements(out, operands, (x, y) => value(x, y, out.dtype)),
    gradient: { none: 'its operands are integers or truth values' },
    lower: lowerElements((x, y) => lower(x!, y!)),
    sample: (random) => {
      const dtype = random.pick(allowed);
      const shape = random.shape(0, 3, 4);
      return { operands: [drawElements(random, dtype, shape), draw(random, dtype, shape)], attrs: {} };
    },
  });
}

/** Lowering to the machine's own function. */
export const lowerAs: (fn: BinaryFunction) => (x: Expr, y: Expr) => Expr = (fn) => (x, y) => binary(fn, x, y);

export const integers: readonly DType[] = ['i32', 'u32'];
export const bits: readonly DType[] = ['i32', 'u32', 'bool'];

export const modOp: OpDef = integerOp(
  'mod',
  integers,
  {
    summary: 'Remainder of `div`, with the sign of x; 0 where y is 0.',
    formula: 'z[i] = x[i] - y[i] * (x[i] / y[i]), divided towards zero',
    onnx: 'Mod',
    example: "mod(iota([8], 0, 'i32'), 3)",
  },
  (x, y) => (y === 0 ? 0 : x % y),
  lowerAs('mod'),
);
