// Elements: the expression of one element of a value, with everything that has no buffer of its own inlined. Lowering
// rules of ops are composed here; equal elements are equal objects, so work is shared inside of a kernel.

import type { LoweringRule, Node } from '../graph/ir.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { addIndex, constIndex, type Index, indexKey, scaleIndex } from '../kernel/affine.ts';
import type { VarSource } from '../kernel/definition.ts';
import { constant, type Expr, isCheck } from '../kernel/expr.ts';
import { rewriter } from '../kernel/substitute.ts';
import { stridesOf } from './layout.ts';
import { scalarType } from './scalar.ts';

export interface ElementSource {
  readonly vars: VarSource;
  /** The buffer parameter through which the kernel reads this value, or null when it is to be inlined. */
  readonly param: (node: Node) => number | null;
  /** Address, in elements of its buffer, of a position in a value that has one. */
  readonly address: (node: Node, at: readonly Index[]) => Index;
  /** Number of the first check site of an op with checks; null for all others. */
  readonly site: (node: Node) => number | null;
}

/** Address, in elements, of the position in a buffer of that shape and order. */
export function addressOf(shape: Shape, order: readonly number[], at: readonly Index[]): Index {
  const strides = stridesOf(shape, order);
  return addIndex(constIndex(0), ...at.map((i, d) => scaleIndex(i, strides[d]!)));
}

/** A function that gives elements within one kernel. */
export function elementBuilder(source: ElementSource): (node: Node, at: readonly Index[]) => Expr {
  const memo = new Map<Node, Map<string, Expr>>();
  const build = (node: Node, at: readonly Index[]): Expr => {
    // No position of it exists, so nothing will ask for this element; nothing has written the buffer either.
    if (elementCount(node.type.shape) === 0) return constant(scalarType(node.type.dtype), 0);
    const param = source.param(node);
    if (param !== null) {
      return {
        kind: 'load',
        type: scalarType(node.type.dtype),
        param,
        index: source.address(node, at),
        laneStride: 0,
      };
    }
    const lower = node.op.lower as LoweringRule;
    const expr = lower({
      node,
      at,
      read: (i, position) => element(node.operands[i]!, position),
      newVar: (name, extent) => source.vars.make(name, extent),
    });
    const site = source.site(node);
    return site === null ? expr : numberSites(expr, site);
  };
  // Most ops read all operands where they are read themselves: the text of a position is made once.
  const keys = new Map<readonly Index[], string>();
  const keyOf = (at: readonly Index[]): string => {
    let key = keys.get(at);
    if (key === undefined) {
      key = at.map(indexKey).join();
      keys.set(at, key);
    }
    return key;
  };
  const element = (node: Node, at: readonly Index[]): Expr => {
    let byPlace = memo.get(node);
    if (!byPlace) {
      byPlace = new Map();
      memo.set(node, byPlace);
    }
    const key = keyOf(at);
    let e = byPlace.get(key);
    if (!e) {
      e = build(node, at);
      byPlace.set(key, e);
    }
    return e;
  };
  return element;
}

/** Lowering rules do not know the sites of their checks: those without a number get the next ones, in the order of a walk. */
function numberSites(expr: Expr, first: number): Expr {
  let next = first;
  return rewriter((e) => (isCheck(e) && e.site < 0 ? { ...e, site: next++ } : e))(expr);
}
