// Identities of conditions, choices and conversions. They move bits and never round, so all hold exactly.

import { makeNode } from '../../graph/build.ts';
import type { Node } from '../../graph/ir.ts';
import { eq, ge, gt, le, lt, ne } from '../../ops/compare.ts';
import { cast } from '../../ops/convert.ts';
import { splatOf } from '../rewrite.ts';
import type { Rule } from './rule.ts';

const is = (n: Node, op: string): boolean => n.op.name === op;

/** The comparison that is true where another one is false. With NaN all but `ne` are false, so only eq and ne swap for f32. */
const opposites: Readonly<Record<string, (x: Node, y: Node) => Node>> = {
  eq: ne,
  ne: eq,
  lt: ge,
  ge: lt,
  gt: le,
  le: gt,
};

export const logicRules: readonly Rule[] = [
  {
    name: 'not-not',
    formula: 'not not x = x',
    ops: ['not'],
    apply: ({ operands: [x] }) => (is(x!, 'not') ? x!.operands[0]! : null),
  },
  {
    name: 'not-compare',
    formula: 'not (x = y) is x ≠ y;  for integers also not (x < y) is x ≥ y',
    ops: ['not'],
    apply({ operands: [c] }) {
      const opposite = opposites[c!.op.name];
      if (opposite === undefined) return null;
      const [x, y] = c!.operands;
      const isExact = x!.type.dtype !== 'f32' || is(c!, 'eq') || is(c!, 'ne');
      return isExact ? opposite(x!, y!) : null;
    },
  },
  {
    name: 'and-or-same',
    formula: 'x and x = x;  x or x = x',
    ops: ['and', 'or'],
    apply: ({ operands: [x, y] }) => (x === y ? x! : null),
  },
  {
    name: 'and-or-constant',
    formula: 'x and true = x;  x or false = x;  x and false = false;  x or true = true',
    ops: ['and', 'or'],
    apply(node) {
      if (node.type.dtype !== 'bool') return null;
      const neutral = is(node, 'and') ? 1 : 0;
      for (const [x, c] of [node.operands, [...node.operands].reverse()]) {
        const value = splatOf(c!);
        if (value !== null) return value === neutral ? x! : c!;
      }
      return null;
    },
  },
  {
    name: 'select-known',
    formula: 'select(true, x, y) = x;  select(false, x, y) = y;  select(c, x, x) = x',
    ops: ['select'],
    apply({ operands: [c, x, y] }) {
      if (x === y) return x!;
      const value = splatOf(c!);
      return value === null ? null : value !== 0 ? x! : y!;
    },
  },
  {
    name: 'select-not',
    formula: 'select(not c, x, y) = select(c, y, x)',
    ops: ['select'],
    apply(node) {
      const [c, x, y] = node.operands;
      return is(c!, 'not') ? makeNode(node.op, [c!.operands[0]!, y!, x!], node.attrs) : null;
    },
  },
  {
    name: 'convert-same',
    formula: 'convert(x) = x when x has the dtype already',
    ops: ['convert'],
    apply: ({ type, operands: [x] }) => (x!.type.dtype === type.dtype ? x! : null),
  },
  {
    name: 'convert-bool-twice',
    formula: 'convert(convert(b)) = convert(b) for a bool b: 0 and 1 pass every dtype',
    ops: ['convert'],
    apply(node) {
      const first = node.operands[0]!;
      if (!is(first, 'convert') || first.operands[0]!.type.dtype !== 'bool') return null;
      return cast(first.operands[0]!, node.type.dtype);
    },
  },
  {
    name: 'stop-gradient',
    formula: 'stopGradient(x) = x, once gradients are made',
    ops: ['stopGradient'],
    apply: ({ operands: [x] }) => x!,
  },
];
