// Making nodes. `makeNode` checks arity, runs the op's type rule and records name, scope and the user's line; every
// public function ends here. It is the only way in which nodes with operands come into being.

import { describeNode } from './describe.ts';
import { compilerError } from './errors.ts';
import type { Attrs, AttrValue, Fail, Graph, Node, OpDef, Payload, SourceLocation } from './ir.ts';
import { callerLocation } from './location.ts';
import { atLocation, currentLocation, currentScope } from './scope.ts';
import type { DType, Shape, TensorType } from './types.ts';

export interface NodeOptions {
  readonly name?: string | null;
  readonly regions?: readonly Graph[];
  readonly payload?: Payload | null;
  /** Defaults to the location in force (`atLocation`), else to the line of the user's call. */
  readonly loc?: SourceLocation | null;
  /** Defaults to the current scope. */
  readonly scope?: string;
}

/** Makes a node; throws HDL0001–0004 when operands or attributes are not acceptable to the op. */
export function makeNode(
  op: OpDef,
  operands: readonly Node[],
  attrs: Attrs = {},
  options: NodeOptions = {},
): Node {
  const loc = options.loc === undefined ? nodeLocation() : options.loc;
  const regions = options.regions ?? [];
  const type = inferType(op, operands, attrs, loc, regions);
  const node: Node = Object.freeze({
    op,
    operands: [...operands],
    attrs,
    type,
    regions,
    payload: options.payload ?? null,
    name: options.name ?? null,
    scope: options.scope ?? currentScope(),
    loc,
  });
  typed.add(node);
  return node;
}

/** Nodes as `makeNode` made them. */
const typed = new WeakSet<Node>();

/** Whether the node has its type from its op's rule, so that asking again would tell nothing. */
export function isTyped(node: Node): boolean {
  return typed.has(node);
}

/** What nodes get that are made here: the location in force (`atLocation`), else the line of the user's call. */
export function nodeLocation(): SourceLocation | null {
  const given = currentLocation();
  return given === undefined ? callerLocation() : given;
}

/** All that one public function makes stands for one line of the user's, which is looked up once. `build` is our own code. */
export function inOneCall<T>(build: () => T): T {
  return currentLocation() === undefined ? atLocation(callerLocation(), build) : build();
}

/** The op's type rule, with errors that name the operands. Also what the verifier runs again on every node. */
export function inferType(
  op: OpDef,
  operands: readonly Node[],
  attrs: Attrs,
  loc: SourceLocation | null,
  regions: readonly Graph[] = [],
): TensorType {
  const { min, max } = typeof op.arity === 'number' ? { min: op.arity, max: op.arity } : op.arity;
  const what = (): string => describeCall(op, operands, attrs);
  if (operands.length < min || operands.length > max) {
    const wanted =
      min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
    throw compilerError('HDL0004', {
      what: what(),
      rule: `${op.name} takes ${wanted} operands, not ${operands.length}`,
      loc,
    });
  }
  const fail: Fail = (rule, hint, code = 'HDL0001') => {
    throw compilerError(code, { what: what(), rule, hint, loc });
  };
  return op.type(
    operands.map((o) => o.type),
    attrs,
    fail,
    regions,
  );
}

/** `matmul('x' (input f32[64, 784]), 'w' (variable f32[785, 128]))` */
export function describeCall(op: OpDef, operands: readonly Node[], attrs: Attrs): string {
  const shown = Object.entries(attrs).map(([k, v]) => `${k}: ${formatAttr(v)}`);
  return `${op.name}(${[...operands.map(describeNode), ...shown].join(', ')})`;
}

export function formatAttr(v: AttrValue): string {
  if (typeof v === 'string') return JSON.stringify(v);
  if (v !== null && typeof v === 'object') return `[${v.map(formatAttr).join(', ')}]`;
  return Object.is(v, -0) ? '-0' : String(v);
}

/** The same node under another name. */
export function named<S extends Shape, D extends DType>(node: Node<S, D>, name: string): Node<S, D> {
  return Object.freeze({ ...node, name });
}
