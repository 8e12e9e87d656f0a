// The text form of a graph, which people read in dumps and `parseGraph` reads back without loss:
//
//   graph train (%0) {
//     %0 = input {dtype = "f32", shape = [64, 784]}            : f32[64, 784]  @x at model.ts:3:9
//     %1 = variable {dtype = "f32", shape = [784, 10]}         : f32[784, 10]  @w in dense at model.ts:4:9
//     %2 = matmul(%0, %1)                                      : f32[64, 10]   @logits in dense at model.ts:5:9
//     output logits = %2
//   }
//
// One line per node: number, op, operands, `#hash` of a large constant's elements, attributes, type, then what labels
// it: @name, `in` scope, `at` file:line:column. Regions follow their node, indented. Numbers are the shortest that read
// back as the same double. Names with other characters than words have are written as JSON strings. `;` starts a comment.
// Columns are aligned for nodes of ordinary width; longer ones just run on.

import { formatAttr } from './build.ts';
import type { Graph, Node } from './ir.ts';
import { formatType } from './types.ts';

export interface PrintOptions {
  /** Whether to print where the user wrote a node; without it the text reads back without locations. Default true. */
  readonly locations?: boolean | ((node: Node) => boolean);
}

/** Widest cell that others are aligned to. */
const widest = 56;

/**
 * The graph as text. Any graph can be printed, also one that does not verify: an operand outside of the graph is `%?`.
 *
 *   console.log(printGraph(graph, { locations: false }));
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const lines: string[] = [];
  printInto(lines, graph, 'graph', '', options);
  return `${lines.join('\n')}\n`;
}

function printInto(
  lines: string[],
  graph: Graph,
  keyword: 'graph' | 'region',
  indent: string,
  options: PrintOptions,
): void {
  const number = new Map(graph.nodes.map((n, i) => [n, i]));
  const ref = (n: Node): string => `%${number.get(n) ?? '?'}`;
  const inner = `${indent}  `;
  const rows = graph.nodes.map((n) => [ref(n), printCall(n, ref), formatType(n.type)] as const);
  const [width0, width1, width2] = [0, 1, 2].map((column) => columnWidth(rows.map((r) => r[column]!)));

  lines.push(`${indent}${keyword} ${word(graph.name)} (${graph.inputs.map(ref).join(', ')}) {`);
  graph.nodes.forEach((n, i) => {
    const [id, call, type] = rows[i]!;
    const labels = printLabels(n, options);
    const line = `${inner}${id.padEnd(width0!)} = ${call.padEnd(width1!)} : `;
    lines.push(line + (labels === '' ? type : `${type.padEnd(width2!)}  ${labels}`));
    for (const region of n.regions) printInto(lines, region, 'region', `${inner}  `, options);
  });
  for (const o of graph.outputs) lines.push(`${inner}output ${word(o.name)} = ${ref(o.node)}`);
  for (const u of graph.updates) lines.push(`${inner}update ${ref(u.variable)} = ${ref(u.value)}`);
  lines.push(`${indent}}`);
}

function columnWidth(cells: readonly string[]): number {
  let width = 0;
  for (const c of cells) if (c.length > width && c.length <= widest) width = c.length;
  return width;
}

/** `reduce(%3) {axes = [0, 1]}` */
function printCall(node: Node, ref: (n: Node) => string): string {
  const operands = node.operands.length > 0 ? `(${node.operands.map(ref).join(', ')})` : '';
  const attrs = Object.entries(node.attrs).map(([key, value]) => `${word(key)} = ${formatAttr(value)}`);
  return [
    word(node.op.name) + operands,
    ...(node.payload ? [`#${hashWord(node.payload.hash)}`] : []),
    ...(attrs.length > 0 ? [`{${attrs.join(', ')}}`] : []),
  ].join(' ');
}

/** `@logits in block1/conv2 at model.ts:12:5` */
function printLabels(node: Node, options: PrintOptions): string {
  const labels: string[] = [];
  if (node.name !== null) labels.push(`@${word(node.name)}`);
  if (node.scope !== '') labels.push(`in ${word(node.scope)}`);
  const { locations = true } = options;
  if (node.loc !== null && (typeof locations === 'boolean' ? locations : locations(node))) {
    labels.push(`at ${word(node.loc.file)}:${node.loc.line}:${node.loc.column}`);
  }
  return labels.join(' ');
}

/** A name as it is written: bare when it is one word of the text form, else a JSON string. */
export function word(name: string): string {
  return /^[A-Za-z_/][\w./$-]*$/.test(name) ? name : JSON.stringify(name);
}

function hashWord(hash: string): string {
  return /^\w+$/.test(hash) ? hash : JSON.stringify(hash);
}
