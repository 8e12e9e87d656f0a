// Comparisons, truth values and choice.

import * as h from '../../../compiler/ops/index.ts';
import { type OnnxOp, op } from '../operator.ts';
import { pair } from './arithmetic.ts';
import type { B, F, T } from './common.ts';

const aligned = { 1: 'the second operand is aligned by `broadcast` and `axis`', 7: 'broadcasts as NumPy' };

const compare = (name: string, f: (x: T, y: T) => T): OnnxOp =>
  op(name, { versions: aligned }, (c) => f(...pair(c)));

export const compareOps: readonly OnnxOp[] = [
  compare('Equal', (x, y) => h.eq(x, y) as T),
  compare('Less', (x, y) => h.lt(x, y) as T),
  compare('LessOrEqual', (x, y) => h.le(x, y) as T),
  compare('Greater', (x, y) => h.gt(x, y) as T),
  compare('GreaterOrEqual', (x, y) => h.ge(x, y) as T),
  compare('And', (x, y) => h.logicalAnd(x, y) as T),
  compare('Or', (x, y) => h.logicalOr(x, y) as T),
  compare('Xor', (x, y) => h.logicalXor(x, y) as T),
  op('Not', {}, (c) => h.logicalNot(c.x(0)) as T),
  op('Where', {}, (c) => ({ node: h.where(c.x(0) as B, c.x(1), c.x(2)) as T, elem: c.elem(1) })),
  op('IsNaN', {}, (c) => h.isNaN(c.x(0) as F) as T),
  op('IsInf', {}, (c) => {
    const x = c.x(0) as F;
    const found: T[] = [];
    if (c.flag('detect_positive', true)) found.push(h.eq(x, Number.POSITIVE_INFINITY) as T);
    if (c.flag('detect_negative', true)) found.push(h.eq(x, Number.NEGATIVE_INFINITY) as T);
    if (found.length === 0) return h.full([...x.type.shape], 0, 'bool') as T;
    return found.reduce((a, b) => h.logicalOr(a, b) as T);
  }),
];
