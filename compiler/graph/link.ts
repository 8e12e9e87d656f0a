// From records of the text form to a graph: names the ops, orders the records, makes the nodes and checks that their type
// rules agree with the text. Iterative over the records of a graph; it recurses only into regions.

import { HeddleError } from '../../runtime/errors.ts';
import { makeNode } from './build.ts';
import type { CompilerErrorCode } from './errors.ts';
import { makeGraph } from './graph.ts';
import type { Graph, Node, OpDef, Payload } from './ir.ts';
import { nearestName } from './nearest.ts';
import { orderRecords } from './order.ts';
import { cyclicComponent } from './queries.ts';
import type { ParseOptions, TextGraph, TextNode, TextRef } from './text.ts';
import type { TokenCursor } from './tokens.ts';
import { formatType, sameType } from './types.ts';

/** Makes the graph that the records describe; errors point into the text of `cursor`. */
export function linkGraph(text: TextGraph, cursor: TokenCursor, options: ParseOptions): Graph {
  const numbers = numberRecords(text, cursor);
  const find = (ref: TextRef): number => {
    const i = numbers.get(ref.id);
    if (i === undefined) throw cursor.error(ref.at, `${ref.id} is not defined`);
    return i;
  };
  const operands = text.nodes.map((n) => n.operands.map(find));
  const order = orderRecords(operands);
  if ('cycle' in order) throw cycleError(text, operands, order.cycle, cursor);

  const nodes = new Array<Node>(text.nodes.length);
  for (const i of order.order) {
    nodes[i] = linkNode(
      text.nodes[i]!,
      operands[i]!.map((o) => nodes[o]!),
      cursor,
      options,
    );
  }
  const get = (ref: TextRef): Node => nodes[find(ref)]!;
  checkInputs(text, nodes, get, cursor);
  const graph = makeGraph(text.name, {
    inputs: text.inputs.map(get),
    outputs: text.outputs.map((o) => ({ name: o.name, node: get(o.ref) })),
    updates: text.updates.map((u) => ({ variable: get(u.variable), value: get(u.value) })),
  });
  const written = operands.every((list, i) => list.every((o) => o < i));
  return written ? inTextOrder(graph, nodes) : graph;
}

/** Position of each id in the text. */
function numberRecords(text: TextGraph, cursor: TokenCursor): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  text.nodes.forEach((n, i) => {
    if (numbers.has(n.id.id)) throw cursor.error(n.id.at, `${n.id.id} is defined twice`);
    numbers.set(n.id.id, i);
  });
  return numbers;
}

function linkNode(
  text: TextNode,
  operands: readonly Node[],
  cursor: TokenCursor,
  options: ParseOptions,
): Node {
  const op = findOp(text, cursor, options.ops);
  const regions = text.regions.map((r) => linkGraph(r, cursor, options));
  const node = inText(text.op.at, cursor, () =>
    makeNode(op, operands, text.attrs, {
      name: text.name,
      scope: text.scope,
      loc: text.loc,
      payload: findPayload(text, cursor, options.payloads),
      regions,
    }),
  );
  if (!sameType(node.type, text.type)) {
    throw cursor.error(text.typeAt, `${text.id.id} is written as ${formatType(text.type)}`, {
      rule: `the type rule of ${op.name} gives ${formatType(node.type)}`,
    });
  }
  return node;
}

function findOp(text: TextNode, cursor: TokenCursor, ops: ReadonlyMap<string, OpDef>): OpDef {
  const op = ops.get(text.op.text);
  if (op !== undefined) return op;
  const near = nearestName(text.op.text, ops.keys());
  throw cursor.error(text.op.at, `there is no op '${text.op.text}'`, {
    code: 'HDL0013',
    hint:
      near === null
        ? "pass your own ops with `ops`, a map from name to the op's record"
        : `did you mean '${near}'?`,
  });
}

function findPayload(
  text: TextNode,
  cursor: TokenCursor,
  payloads: ReadonlyMap<string, Payload> | undefined,
): Payload | null {
  if (text.hash === null) return null;
  const payload = payloads?.get(text.hash.text);
  if (payload !== undefined) return payload;
  throw cursor.error(text.hash.at, `the elements of constant #${text.hash.text} are not at hand`, {
    rule: 'the text of a large constant has only its hash',
    hint: 'pass its elements with `payloads`',
  });
}

/** Runs `build`; errors of type rules are given the place in the text, and keep their number and the user's line. */
function inText<T>(at: number, cursor: TokenCursor, build: () => T): T {
  try {
    return build();
  } catch (cause) {
    if (!(cause instanceof HeddleError) || cause.parts.what.startsWith('line ')) throw cause;
    throw cursor.error(at, cause.parts.what, {
      code: cause.code as CompilerErrorCode,
      ...(cause.parts.rule === undefined ? {} : { rule: cause.parts.rule }),
      ...(cause.parts.hint === undefined ? {} : { hint: cause.parts.hint }),
      cause,
    });
  }
}

function checkInputs(
  text: TextGraph,
  nodes: readonly Node[],
  get: (ref: TextRef) => Node,
  cursor: TokenCursor,
): void {
  const declared = new Set<Node>();
  for (const ref of text.inputs) {
    const node = get(ref);
    if (node.op.name !== 'input')
      throw cursor.error(ref.at, `${ref.id} is declared as input, but is ${node.op.name}`);
    if (declared.has(node)) throw cursor.error(ref.at, `input ${ref.id} is declared twice`);
    declared.add(node);
  }
  nodes.forEach((n, i) => {
    if (n.op.name !== 'input' || declared.has(n)) return;
    const { id } = text.nodes[i]!;
    throw cursor.error(id.at, `input ${id.id} is not declared in '${text.name}'`, {
      code: 'HDL0008',
      hint: `graph ${text.name} (…, ${id.id})`,
    });
  });
}

/** The same graph, its nodes in the order of the text. */
function inTextOrder(graph: Graph, written: readonly Node[]): Graph {
  const nodes = written.filter((n) => graph.index.has(n));
  return { ...graph, nodes, index: new Map(nodes.map((n, i) => [n, i])) };
}

function cycleError(
  text: TextGraph,
  operands: readonly (readonly number[])[],
  cycle: readonly number[],
  cursor: TokenCursor,
): HeddleError {
  const name = (i: number): string => `${text.nodes[i]!.id.id} ${text.nodes[i]!.op.text}`;
  // orderRecords goes from reader to operand; people follow the data.
  const path = [...cycle].reverse();
  const component = cyclicComponent(operands, cycle[0]!);
  const onPath = new Set(cycle);
  const others = component.filter((i) => !onPath.has(i));
  return cursor.error(
    text.nodes[path[0]!]!.id.at,
    `the graph has a cycle: ${abridge([...path, path[0]!].map(name)).join(' → ')}`,
    {
      code: 'HDL0007',
      rule: 'a value cannot depend on itself',
      hint:
        others.length > 0
          ? `also on cycles with these: ${abridge(others.map(name)).join(', ')}`
          : 'break the cycle at one of these nodes',
    },
  );
}

/** At most twelve of the names. */
function abridge(names: readonly string[]): readonly string[] {
  if (names.length <= 12) return names;
  return [...names.slice(0, 6), `… ${names.length - 12} more …`, ...names.slice(-6)];
}
