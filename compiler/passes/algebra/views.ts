// Identities of views: reshape, transpose, broadcast, slice, reverse, pad, concat. They say where an element stands, so all
// hold for every dtype and to the bit. Normal forms, towards which the rules lead:
//
//   – a view of a constant of equal elements is such a constant
//   – a view that keeps the row-major order of the elements is a reshape, and a reshape never follows a reshape
//   – two transposes, broadcasts, slices or reverses in a row are one

import { makeNode } from '../../graph/build.ts';
import type { Node } from '../../graph/ir.ts';
import { elementCount, type Shape, sameShape } from '../../graph/types.ts';
import { broadcastInDim } from '../../ops/broadcast.ts';
import { full } from '../../ops/leaf.ts';
import { reshape, reverse, transpose } from '../../ops/shape.ts';
import { padBy } from '../../ops/slice.ts';
import { integers, splatOf } from '../rewrite.ts';
import type { Rule } from './rule.ts';

const is = (n: Node, op: string): boolean => n.op.name === op;
const isZero = (v: number): boolean => v === 0;

/** Dimensions of more than one element. */
function wide(shape: Shape): number[] {
  return shape.flatMap((d, i) => (d === 1 ? [] : [i]));
}

function isAscending(list: readonly number[]): boolean {
  return list.every((v, i) => i === 0 || v > list[i - 1]!);
}

/** Whether a view changes neither the number of elements nor their order. */
function keepsOrder(node: Node): boolean {
  const x = node.operands[0]!;
  if (elementCount(x.type.shape) !== elementCount(node.type.shape)) return false;
  if (is(node, 'broadcastInDim')) return true;
  return isAscending(integers(node, 'perm').filter((p) => x.type.shape[p] !== 1));
}

/** Whether a reshape has dimensions of size 1 in its result, and changes nothing but such dimensions. */
function addsUnits(node: Node): boolean {
  const [from, to] = [node.operands[0]!.type.shape, node.type.shape];
  const dims = (shape: Shape): number[] => wide(shape).map((i) => shape[i]!);
  return wide(to).length < to.length && sameShape(dims(from), dims(to));
}

/** What was reshaped, in its dimensions of more than one element. */
function withoutUnits(node: Node): Node {
  const shape = node.type.shape;
  return reshape(
    node.operands[0]!,
    wide(shape).map((i) => shape[i]!),
  );
}

export const viewRules: readonly Rule[] = [
  {
    name: 'view-of-splat',
    formula: 'a view of a constant of equal elements is a constant of equal elements',
    ops: ['reshape', 'transpose', 'broadcastInDim', 'reverse', 'slice'],
    apply({ type, operands: [x] }) {
      const value = splatOf(x!);
      if (value === null || type.shape.includes(0)) return null;
      return full(type.shape, value, type.dtype);
    },
  },
  {
    name: 'pad-of-splat',
    formula: 'a constant padded by its own value is a larger constant',
    ops: ['pad'],
    apply({ type, operands: [x, by] }) {
      const value = splatOf(x!);
      if (value === null || !Object.is(value, splatOf(by!)) || type.shape.includes(0)) return null;
      return full(type.shape, value, type.dtype);
    },
  },
  {
    name: 'view-same',
    formula: 'a view that changes nothing is its operand',
    ops: ['reshape', 'transpose', 'broadcastInDim', 'reverse', 'slice', 'pad', 'concat'],
    apply(node) {
      const x = node.operands[0]!;
      if (!sameShape(x.type.shape, node.type.shape)) return null;
      switch (node.op.name) {
        case 'transpose':
          return integers(node, 'perm').every((p, i) => p === i) ? x : null;
        case 'reverse':
          return integers(node, 'axes').every((a) => x.type.shape[a] === 1) ? x : null;
        case 'slice':
          return integers(node, 'strides').every((s, i) => s === 1 || x.type.shape[i]! <= 1) ? x : null;
        case 'pad':
          return ['lo', 'hi', 'interior'].every((a) => integers(node, a).every(isZero)) ? x : null;
        case 'concat':
          return node.operands.length === 1 ? x : null;
        default:
          return x;
      }
    },
  },
  {
    name: 'reshape-reshape',
    formula: 'reshape(reshape(x)) = reshape(x)',
    ops: ['reshape'],
    apply({ type, operands: [x] }) {
      return is(x!, 'reshape') ? reshape(x!.operands[0]!, type.shape) : null;
    },
  },
  {
    name: 'transpose-transpose',
    formula: 'transpose(transpose(x, p), q) = transpose(x, p[q])',
    ops: ['transpose'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'transpose')) return null;
      const first = integers(x, 'perm');
      return transpose(
        x.operands[0]!,
        integers(node, 'perm').map((p) => first[p]!),
      );
    },
  },
  {
    name: 'broadcast-broadcast',
    formula: 'broadcast(broadcast(x)) = broadcast(x)',
    ops: ['broadcastInDim'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'broadcastInDim')) return null;
      const dims = integers(node, 'dims');
      return broadcastInDim(
        x.operands[0]!,
        node.type.shape,
        integers(x, 'dims').map((d) => dims[d]!),
      );
    },
  },
  {
    name: 'broadcast-of-units',
    formula: 'dimensions of size 1 that a reshape adds are not needed to broadcast',
    ops: ['broadcastInDim'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'reshape') || !addsUnits(x)) return null;
      const kept = wide(x.type.shape);
      const dims = integers(node, 'dims');
      return broadcastInDim(
        withoutUnits(x),
        node.type.shape,
        kept.map((i) => dims[i]!),
      );
    },
  },
  {
    name: 'transpose-of-units',
    formula: 'dimensions of size 1 that a reshape adds are moved by a reshape afterwards',
    ops: ['transpose'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'reshape') || !addsUnits(x)) return null;
      const kept = wide(x.type.shape);
      const perm = integers(node, 'perm').flatMap((p) => (kept.includes(p) ? [kept.indexOf(p)] : []));
      return reshape(transpose(withoutUnits(x), perm), node.type.shape);
    },
  },
  {
    name: 'transpose-of-broadcast',
    formula: 'transpose(broadcast(x)) = broadcast(x) when the dimensions of x stay in order',
    ops: ['transpose'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'broadcastInDim')) return null;
      const perm = integers(node, 'perm');
      const dims = integers(x, 'dims').map((d) => perm.indexOf(d));
      return isAscending(dims) ? broadcastInDim(x.operands[0]!, node.type.shape, dims) : null;
    },
  },
  {
    name: 'view-keeps-order',
    formula: 'a transpose or broadcast that keeps the order of all elements is a reshape',
    ops: ['transpose', 'broadcastInDim'],
    apply(node) {
      return keepsOrder(node) ? reshape(node.operands[0]!, node.type.shape) : null;
    },
  },
  {
    name: 'reverse-reverse',
    formula: 'reverse(reverse(x, a), b) = reverse(x, axes that only one of them names)',
    ops: ['reverse'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'reverse')) return null;
      const [a, b] = [integers(x, 'axes'), integers(node, 'axes')];
      const axes = [...a.filter((i) => !b.includes(i)), ...b.filter((i) => !a.includes(i))];
      return reverse(x.operands[0]!, axes);
    },
  },
  {
    name: 'slice-slice',
    formula: 'slice(slice(x)) = slice(x)',
    ops: ['slice'],
    apply(node) {
      const x = node.operands[0]!;
      if (!is(x, 'slice') || node.type.shape.includes(0)) return null;
      const [starts, strides] = [integers(x, 'starts'), integers(x, 'strides')];
      const [starts2, strides2] = [integers(node, 'starts'), integers(node, 'strides')];
      const first = starts.map((s, i) => s + starts2[i]! * strides[i]!);
      const stride = strides.map((s, i) => s * strides2[i]!);
      const limits = first.map((s, i) => s + (node.type.shape[i]! - 1) * stride[i]! + 1);
      return makeNode(node.op, [x.operands[0]!], { starts: first, limits, strides: stride });
    },
  },
  {
    name: 'pad-pad',
    formula: 'pad(pad(x, a), b) = pad(x, a + b) with the same number, unless a crops what b fills again',
    ops: ['pad'],
    apply(node) {
      const [x, fill] = node.operands as [Node, Node];
      if (!is(x, 'pad') || node.type.shape.includes(0) || x.type.shape.includes(0)) return null;
      const own = splatOf(fill);
      if (x.operands[1] !== fill && (own === null || !Object.is(own, splatOf(x.operands[1]!)))) return null;
      if (!integers(node, 'interior').every(isZero)) return null;
      const sides = ['lo', 'hi'].map((side) => {
        const [a, b] = [integers(x, side), integers(node, side)];
        return a.every((v, d) => v >= 0 || b[d]! <= 0) ? a.map((v, d) => v + b[d]!) : null;
      });
      const [lo, hi] = sides;
      if (!lo || !hi) return null;
      return padBy(x.operands[0]!, { lo, hi, interior: integers(x, 'interior') }, fill);
    },
  },
  {
    name: 'slice-of-concat',
    formula: 'slice(concat(x, y)) = slice(y) when it lies inside of y',
    ops: ['slice'],
    apply(node) {
      const joined = node.operands[0]!;
      if (!is(joined, 'concat')) return null;
      const axis = joined.attrs['axis'] as number;
      const [starts, limits] = [integers(node, 'starts'), integers(node, 'limits')];
      let from = 0;
      for (const part of joined.operands) {
        const to = from + part.type.shape[axis]!;
        if (starts[axis]! >= from && limits[axis]! <= to) {
          const shifted = (list: readonly number[]): number[] =>
            list.map((v, i) => (i === axis ? v - from : v));
          const attrs = { ...node.attrs, starts: shifted(starts), limits: shifted(limits) };
          return makeNode(node.op, [part], attrs);
        }
        from = to;
      }
      return null;
    },
  },
  {
    name: 'reduce-units',
    formula: 'a reduction over dimensions of size 1 is a reshape',
    ops: ['reduceSum', 'reduceMax', 'reduceMin', 'reduceProd', 'reduceAny', 'reduceAll'],
    apply(node) {
      const x = node.operands[0]!;
      return integers(node, 'axes').every((a) => x.type.shape[a] === 1) ? reshape(x, node.type.shape) : null;
    },
  },
];
