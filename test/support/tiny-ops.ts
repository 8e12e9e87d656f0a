// A handful of ops of a user's own, made with the same `defineOp` as ours: tests of the graph level need no registry.

import { makeNode } from '../../compiler/graph/build.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Attrs, Fail, Graph, Node, OpDef } from '../../compiler/graph/ir.ts';
import { inlineRegion } from '../../compiler/graph/region.ts';
import { sameShape, sameType, type TensorType } from '../../compiler/graph/types.ts';
import { defineOp } from '../../compiler/ops/define.ts';
import { constantOp, input, inputOp, variableOp } from '../../compiler/ops/leaf.ts';

function elementwise(name: string, formula: string, f: (x: number, y: number) => number): OpDef {
  return defineOp({
    name,
    family: 'tiny',
    doc: { summary: 'For tests.', formula, types: '(T, T) → T', example: `${name}(x, y)` },
    arity: 2,
    type: ([x, y], _attrs, fail) => {
      if (!sameType(x!, y!)) fail('both operands have the same type', 'reshape or convert one of them');
      return x!;
    },
    reference: ([x, y]) => x!.data.map((v, i) => f(v, y!.data[i]!)),
    gradient: { none: 'tests do not need it' },
    lower: 'leaf',
    sample: null,
  });
}

export const tinyAdd: OpDef = elementwise('tiny_add', 'z[i] = x[i] + y[i]', (x, y) => x + y);
export const tinyMul: OpDef = elementwise('tiny_mul', 'z[i] = x[i] · y[i]', (x, y) => x * y);

/** Keeps its operand; takes any attributes. */
export const tinyTag: OpDef = defineOp({
  name: 'tiny_tag',
  family: 'tiny',
  doc: { summary: 'For tests.', formula: 'y = x', types: 'T → T', example: 'tag(x, { any: 1 })' },
  arity: 1,
  type: ([x]) => x!,
  reference: ([x]) => x!.data,
  gradient: { none: 'tests do not need it' },
  lower: 'leaf',
  sample: null,
});

/** Runs its region on its operands; attributes hold the type of the result. */
export const tinyCall: OpDef = defineOp({
  name: 'tiny_call',
  family: 'tiny',
  doc: { summary: 'For tests.', formula: 'y = region(x…)', types: '(T…) → U', example: 'call(region, x)' },
  arity: { min: 0, max: 9 },
  type: (operands: readonly TensorType[], attrs: Attrs, fail: Fail): TensorType => {
    const shape = attrs['shape'];
    if (!Array.isArray(shape) || !sameShape(shape as number[], operands[0]?.shape ?? [])) {
      fail('shape is that of the first operand', undefined, 'HDL0003');
    }
    return { dtype: 'f32', shape: shape as number[] };
  },
  reference: () => {
    throw new Error('a region is run by its results');
  },
  region: {
    results: (operands, _attrs, calls) => [calls[0]!(operands)[0]!.data],
    expand: (node) => inlineRegion(node.regions[0]!, node.operands),
  },
  gradient: { none: 'tests do not need it' },
  lower: 'leaf',
  sample: null,
});

export const tinyOps: ReadonlyMap<string, OpDef> = new Map(
  [inputOp, variableOp, constantOp, tinyAdd, tinyMul, tinyTag, tinyCall].map((op) => [op.name, op]),
);

export function add(x: Node, y: Node): Node {
  return makeNode(tinyAdd, [x, y]);
}

export function mul(x: Node, y: Node): Node {
  return makeNode(tinyMul, [x, y]);
}

export function tag(x: Node, attrs: Attrs = {}): Node {
  return makeNode(tinyTag, [x], attrs);
}

/** x → x + x → … : `length` nodes with their input. */
export function chain(length: number): Graph {
  const x = input('x', [1]);
  let y: Node = x;
  for (let i = 1; i < length; i++) y = makeNode(tinyAdd, [y, x], {}, { loc: null });
  return makeGraph('chain', { inputs: [x], outputs: [{ name: 'y', node: y }] });
}

/** A graph with everything: inputs, a variable with an update, a constant, a shared value, scopes, a region. */
export function everything(): Graph {
  const x = input('x', [2, 2]);
  const unused = input('unused', [], 'i32');
  const at = (line: number): { file: string; line: number; column: number } => ({
    file: 'model.ts',
    line,
    column: 3,
  });
  const w = makeNode(
    variableOp,
    [],
    { name: 'w', dtype: 'f32', shape: [2, 2], trainable: true },
    { name: 'w', loc: at(1) },
  );
  const half = makeNode(
    constantOp,
    [],
    { dtype: 'f32', shape: [2, 2], value: 0.5 },
    { scope: 'sgd', loc: at(2) },
  );
  const y = makeNode(tinyMul, [x, w], {}, { name: 'logits', scope: 'dense', loc: at(3) });
  const p = input('p', [2, 2]);
  const region = makeGraph('square', { inputs: [p], outputs: [{ name: 'pp', node: mul(p, p) }] });
  const z = makeNode(tinyCall, [y], { shape: [2, 2] }, { regions: [region], loc: at(4) });
  const next = makeNode(tinyMul, [w, half], {}, { scope: 'sgd', loc: at(5) });
  return makeGraph('everything', {
    inputs: [x, unused],
    outputs: [
      { name: 'loss', node: z },
      { name: 'the logits', node: y },
    ],
    updates: [{ variable: w, value: next }],
  });
}

/** The error that `f` throws, as text, with its number. */
export function errorOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
  return 'no error';
}
