// The meaning of a lowering rule, loops included, without a compiler: the rule of one node is asked for one element at a time,
// and its expression is evaluated in float64 by walking it. Every read is checked to lie inside of its operand.

import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { elementCount, formatShape } from '../../compiler/graph/types.ts';
import { type Index, type LoopVar, varIndex } from '../../compiler/kernel/affine.ts';
import { combiner, type Expr, neutral } from '../../compiler/kernel/expr.ts';
import { flatIndex } from '../../compiler/ops/leaf.ts';
import { forEachPosition } from '../../compiler/ops/loops.ts';

type Places = ReadonlyMap<number, number>;
type Load = (e: Expr & { kind: 'load' }, places: Places) => number;

/** Elements of the node's value by its lowering rule, row-major. */
export function lowerNode(node: Node, operands: readonly HostTensor[]): number[] {
  const rule = node.op.lower;
  if (typeof rule === 'string') throw new Error(`${node.op.name} is a leaf`);
  let id = 0;
  const newVar = (name: string, extent: number): LoopVar => ({ kind: 'var', name, extent, id: id++ });
  const dims = node.type.shape.map((n, d) => newVar(`d${d}`, n));
  const positions: (readonly Index[])[] = [];
  // A read stands in the expression as a load whose index counts `positions`; the position itself is evaluated later.
  const read = (operand: number, at: readonly Index[]): Expr => {
    const { shape, dtype } = operands[operand]!.type;
    if (at.length !== shape.length) throw new Error(`operand ${operand} is read at ${at.length} indices`);
    positions.push(at);
    const index = flatIndex(shape, at);
    return {
      kind: 'load',
      type: dtype === 'u8' ? 'u32' : dtype,
      param: operand,
      index,
      laneStride: positions.length - 1,
    };
  };
  const expr = rule({ node, at: dims.map(varIndex), read, newVar });
  const load: Load = (e, places) => {
    const { type, data } = operands[e.param]!;
    const at = positions[e.laneStride]!.map((i) => placeOf(i, places, load));
    if (at.some((i, d) => i < 0 || i >= type.shape[d]!)) {
      throw new Error(
        `${node.op.name} reads operand ${e.param} ${formatShape(type.shape)} at ${formatShape(at)}`,
      );
    }
    return data[at.reduce((flat, i, d) => flat * type.shape[d]! + i, 0)]!;
  };
  const elements: number[] = [];
  forEachPosition(node.type.shape, (at) => {
    elements.push(evaluate(expr, new Map(dims.map((v, d) => [v.id, at[d]!])), load));
  });
  return elements;
}

function placeOf(index: Index, places: Places, load: Load): number {
  return index.terms.reduce((sum, { coeff, atom }) => {
    if (atom.kind === 'var') return sum + coeff * places.get(atom.id)!;
    if (atom.kind === 'value') {
      const i = evaluate(atom.expr, places, load);
      if (!(i >= 0 && i < atom.extent))
        throw new Error(`run-time index ${i} is outside of [0, ${atom.extent})`);
      return sum + coeff * i;
    }
    const x = placeOf(atom.x, places, load);
    const quotient = Math.floor(x / atom.by);
    return sum + coeff * (atom.kind === 'div' ? quotient : x - quotient * atom.by);
  }, index.constant);
}

function evaluate(e: Expr, places: Places, load: Load): number {
  const of = (x: Expr): number => evaluate(x, places, load);
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'load':
      return load(e, places);
    case 'index':
      return placeOf(e.index, places, load);
    case 'binary':
      return combine(e.fn, e.type, of(e.x), of(e.y));
    case 'compare':
      if (e.fn !== 'eq') break;
      return Number(of(e.x) === of(e.y));
    case 'select':
      return of(e.cond) !== 0 ? of(e.x) : of(e.y);
    case 'guard': {
      const holds = e.conditions.every((c) => {
        const i = placeOf(c.index, places, load);
        return c.kind === 'inRange' ? c.lo <= i && i < c.hi : i % c.by === 0;
      });
      return of(holds ? e.value : e.otherwise);
    }
    case 'reduce': {
      let total = neutral(e.monoid, e.type);
      eachPlace(e.vars, places, (inner) => {
        total = combine(combiner(e.monoid), e.type, total, evaluate(e.body, inner, load));
      });
      return total;
    }
    case 'argmax': {
      const bodies: number[] = [];
      eachPlace(e.vars, places, (inner) => bodies.push(evaluate(e.body, inner, load)));
      const nan = bodies.findIndex(Number.isNaN);
      return nan >= 0 ? nan : bodies.indexOf(Math.max(...bodies));
    }
    default:
  }
  throw new Error(`expressions of kind ${e.kind} are not for this`);
}

function eachPlace(vars: readonly LoopVar[], places: Places, visit: (places: Places) => void): void {
  const extents = vars.map((v) => v.extent);
  if (elementCount(extents) === 0) return;
  forEachPosition(extents, (at) =>
    visit(new Map([...places, ...vars.map((v, i) => [v.id, at[i]!] as const)])),
  );
}

function combine(fn: string, type: string, x: number, y: number): number {
  const wrap = (v: number): number => (type === 'i32' ? v | 0 : type === 'u32' ? v >>> 0 : v);
  switch (fn) {
    case 'add':
      return wrap(x + y);
    case 'mul':
      return type === 'f32' ? x * y : wrap(Math.imul(x, y));
    case 'max':
      return Math.max(x, y);
    case 'min':
      return Math.min(x, y);
    case 'or':
      return x | y;
    case 'and':
      return x & y;
    default:
      throw new Error(`function ${fn} is not for this`);
  }
}
