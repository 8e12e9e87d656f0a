// The summary of a model: a table of its layers with output shapes and numbers of parameters.

import { graphVariables } from '../../compiler/graph/graph.ts';
import { byteCount, elementCount } from '../../compiler/graph/types.ts';
import { groupDigits } from '../digits.ts';
import type { Traced } from '../entry.ts';
import { isTrainable, variableName } from '../variable.ts';

/**
 * Lines of the table, from a trace of `predict` for `batch` examples. Containers that only group are left out; a variable
 * counts for the layer in whose scope it lies.
 */
export function summarize({ graph, layers }: Traced, batch: number): string {
  const variables = graphVariables(graph).map((node) => ({ node, name: variableName(node) }));
  const count = (nodes: readonly { readonly node: (typeof variables)[number]['node'] }[]): number =>
    nodes.reduce((n, { node }) => n + elementCount(node.type.shape), 0);
  const seen = new Set<string>();
  const rows = [['layer', 'output', 'parameters']];
  for (const { path, kind, output } of layers) {
    const own = variables.filter((v) => v.name.slice(0, v.name.lastIndexOf('/')) === path);
    if (kind === 'block' && own.length === 0) continue;
    const shape = output.type.shape.map((d, i) => (i === 0 && d === batch ? 'batch' : String(d)));
    const parameters = seen.has(path) ? 'shared' : count(own) === 0 ? '' : groupDigits(count(own));
    rows.push([path, `[${shape.join(', ')}]`, parameters]);
    seen.add(path);
  }
  const widths = [0, 1, 2].map((c) => Math.max(...rows.map((r) => r[c]!.length)));
  const line = (r: readonly string[]): string =>
    `${r[0]!.padEnd(widths[0]!)}  ${r[1]!.padEnd(widths[1]!)}  ${r[2]!.padStart(widths[2]!)}`;
  const rule = '─'.repeat(widths[0]! + widths[1]! + widths[2]! + 4);
  const bytes = variables.reduce((n, { node }) => n + byteCount(node.type), 0);
  const trainable = count(variables.filter(({ node }) => isTrainable(node)));
  return [
    line(rows[0]!),
    rule,
    ...rows.slice(1).map(line),
    rule,
    `${groupDigits(count(variables))} parameters (${groupDigits(trainable)} trainable), ${(bytes / 1024).toFixed(1)} KiB`,
  ].join('\n');
}
