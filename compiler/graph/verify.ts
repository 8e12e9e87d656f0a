// The verifier: everything that later stages take for granted about a graph, checked. Passes run it after themselves in
// tests and in debug builds. It trusts nothing that it can compute again: it counts positions, re-runs type rules and
// looks at every edge. Linear in the size of the graph, and iterative except into regions.

import { HeddleError } from '../../runtime/errors.ts';
import { inferType } from './build.ts';
import { describeNode } from './describe.ts';
import { compilerError } from './errors.ts';
import type { Graph, Node } from './ir.ts';
import { leafName } from './leaf-name.ts';
import { elementCount, formatType, sameType, type TensorType } from './types.ts';

/**
 * Throws HDL0011, naming the node, unless: nodes are numbered by their positions, each once; operands come before their
 * users; every node is reachable; type rules agree with the types; payloads have the right length; inputs are declared and
 * have unique names; outputs have unique names; updates go to variables, once each, with the same type; regions verify.
 * Throws HDL0009 when two variables share a name within a graph, or have different types across its regions.
 *
 * `hasType`: nodes whose type rule need not be asked again; default: none.
 */
export function verifyGraph(graph: Graph, hasType: (node: Node) => boolean = () => false): void {
  verify(graph, new Map(), hasType);
}

/** `variables`: types of the variables of enclosing and earlier graphs, by name. */
function verify(graph: Graph, variables: Map<string, TensorType>, hasType: (node: Node) => boolean): void {
  const position = checkNumbers(graph);
  for (const node of graph.nodes) {
    checkOperands(graph, node, position);
    if (!hasType(node)) checkType(graph, node);
    for (const region of node.regions) verify(region, variables, hasType);
  }
  checkInputs(graph, position);
  checkVariables(graph, variables);
  checkOutputs(graph, position);
  checkUpdates(graph, position);
  checkReachable(graph, position);
}

function broken(graph: Graph, node: Node | null, what: string, rule: string, cause?: unknown): HeddleError {
  const i = node === null ? -1 : graph.nodes.indexOf(node);
  const which = node === null ? '' : `, node ${i < 0 ? '' : `%${i} `}${describeNode(node)}`;
  return compilerError(
    'HDL0011',
    { what: `graph '${graph.name}'${which}: ${what}`, rule, loc: node?.loc },
    cause === undefined ? undefined : { cause },
  );
}

function checkNumbers(graph: Graph): ReadonlyMap<Node, number> {
  const position = new Map<Node, number>();
  graph.nodes.forEach((node, i) => {
    if (position.has(node))
      throw broken(graph, node, `it is listed twice, also as %${i}`, 'a node is listed once');
    if (graph.index.get(node) !== i) {
      throw broken(
        graph,
        node,
        `its index is ${graph.index.get(node)}`,
        'the index is the position in `nodes`',
      );
    }
    position.set(node, i);
  });
  if (graph.index.size !== graph.nodes.length) {
    throw broken(
      graph,
      null,
      `${graph.index.size} indices for ${graph.nodes.length} nodes`,
      'one index per node',
    );
  }
  return position;
}

function checkOperands(graph: Graph, node: Node, position: ReadonlyMap<Node, number>): void {
  const own = position.get(node)!;
  node.operands.forEach((o, i) => {
    const at = position.get(o);
    if (at === undefined) {
      throw broken(graph, node, `operand ${i}, ${describeNode(o)}, is not in the graph`, 'a graph is closed');
    }
    if (at >= own) {
      throw broken(
        graph,
        node,
        `operand ${i} is %${at}, which comes later`,
        'operands come before their users',
      );
    }
  });
}

function checkType(graph: Graph, node: Node): void {
  let type: TensorType;
  try {
    type = inferType(node.op, node.operands, node.attrs, node.loc, node.regions);
  } catch (cause) {
    if (!(cause instanceof HeddleError)) throw cause;
    throw broken(
      graph,
      node,
      `its op refuses it: ${cause.parts.what}`,
      cause.parts.rule ?? cause.code,
      cause,
    );
  }
  if (!sameType(type, node.type)) {
    throw broken(
      graph,
      node,
      `the type rule gives ${formatType(type)}`,
      'a node has the type of its type rule',
    );
  }
  if (node.payload !== null && node.payload.values.length !== elementCount(node.type.shape)) {
    const { length } = node.payload.values;
    throw broken(graph, node, `its payload has ${length} elements`, 'a payload has the elements of the type');
  }
}

function checkInputs(graph: Graph, position: ReadonlyMap<Node, number>): void {
  const declared = new Set<Node>();
  const names = new Set<string>();
  for (const node of graph.inputs) {
    if (node.op.name !== 'input')
      throw broken(graph, node, 'it is declared as input', 'inputs are `input` nodes');
    if (!position.has(node))
      throw broken(graph, node, 'it is declared, but not in `nodes`', 'inputs are nodes');
    if (declared.has(node)) throw broken(graph, node, 'it is declared twice', 'an input is declared once');
    const name = leafName(node);
    if (name === null) throw broken(graph, node, 'it has no name', 'inputs are bound by name');
    if (names.has(name))
      throw broken(graph, node, `another input is called '${name}'`, 'input names are unique');
    declared.add(node);
    names.add(name);
  }
  for (const node of graph.nodes) {
    if (node.op.name === 'input' && !declared.has(node)) {
      throw broken(graph, node, 'it is not among the inputs of the graph', 'inputs are declared');
    }
  }
}

function checkVariables(graph: Graph, variables: Map<string, TensorType>): void {
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.op.name !== 'variable') continue;
    const name = leafName(node);
    if (name === null) throw broken(graph, node, 'it has no name', 'variables are bound by name');
    const other = nodes.get(name)?.type ?? variables.get(name);
    if (nodes.has(name) || (other !== undefined && !sameType(other, node.type))) {
      throw compilerError('HDL0009', {
        what: `graph '${graph.name}' has two variables '${name}': ${formatType(other!)} and ${formatType(node.type)}`,
        rule: nodes.has(name)
          ? 'within a graph, a variable is one node'
          : 'a variable has the same type in a graph and in its regions',
        hint: 'give each variable a name of its own, or use the same variable twice',
        loc: node.loc,
      });
    }
    nodes.set(name, node);
  }
  for (const [name, node] of nodes) variables.set(name, node.type);
}

function checkOutputs(graph: Graph, position: ReadonlyMap<Node, number>): void {
  const names = new Set<string>();
  for (const { name, node } of graph.outputs) {
    if (!position.has(node))
      throw broken(graph, node, `output '${name}' is not in \`nodes\``, 'outputs are nodes');
    if (names.has(name))
      throw broken(graph, node, `two outputs are called '${name}'`, 'output names are unique');
    names.add(name);
  }
}

function checkUpdates(graph: Graph, position: ReadonlyMap<Node, number>): void {
  const updated = new Set<Node>();
  for (const { variable, value } of graph.updates) {
    if (variable.op.name !== 'variable')
      throw broken(graph, variable, 'it is updated', 'only variables are updated');
    for (const node of [variable, value]) {
      if (!position.has(node))
        throw broken(graph, node, 'an update names it, but it is not in `nodes`', 'a graph is closed');
    }
    if (updated.has(variable))
      throw broken(graph, variable, 'it is updated twice', 'one update per variable');
    if (!sameType(variable.type, value.type)) {
      throw broken(graph, variable, `its new value is ${describeNode(value)}`, 'an update keeps the type');
    }
    updated.add(variable);
  }
}

function checkReachable(graph: Graph, position: ReadonlyMap<Node, number>): void {
  const reached = new Uint8Array(graph.nodes.length);
  const mark = (n: Node): void => {
    reached[position.get(n)!] = 1;
  };
  graph.inputs.forEach(mark);
  for (const o of graph.outputs) mark(o.node);
  for (const u of graph.updates) [u.variable, u.value].forEach(mark);
  // Operands come first, so one sweep from the end reaches everything.
  for (let i = reached.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (reached[i] === 0)
      throw broken(graph, node, 'nothing reads it', 'every node leads to an output or update');
    node.operands.forEach(mark);
  }
}
