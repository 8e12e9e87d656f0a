// The summary of a model: a table of its layers with output shapes, numbers of parameters and arithmetic.

import { flopsOf, graphFlops } from '../../compiler/graph/flops.ts';
import { graphVariables } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { byteCount, elementCount } from '../../compiler/graph/types.ts';
import { groupDigits } from '../digits.ts';
import type { Traced } from '../entry.ts';
import { isTrainable, variableName } from '../variable.ts';

/**
 * Lines of the table, from a trace of `predict` for `batch` examples. Containers that only group are left out; a variable and
 * a node count for the innermost layer in whose scope they lie. FLOPs are those of one example.
 */
export function summarize({ graph, layers }: Traced, batch: number): string {
  const variables = graphVariables(graph).map((node) => ({ node, name: variableName(node) }));
  const count = (nodes: readonly { readonly node: Node }[]): number =>
    nodes.reduce((n, { node }) => n + elementCount(node.type.shape), 0);
  const flops = flopsByLayer(graph.nodes, new Set(layers.map((l) => l.path)));
  const perExample = (n: number): string => (n === 0 ? '' : groupDigits(Math.round(n / batch)));
  const seen = new Set<string>();
  const rows = [['layer', 'output', 'parameters', 'FLOPs']];
  for (const { path, kind, output } of layers) {
    const own = variables.filter((v) => v.name.slice(0, v.name.lastIndexOf('/')) === path);
    if (kind === 'block' && own.length === 0) continue;
    const shape = output.type.shape.map((d, i) => (i === 0 && d === batch ? 'batch' : String(d)));
    const isShared = seen.has(path);
    const parameters = isShared ? 'shared' : count(own) === 0 ? '' : groupDigits(count(own));
    rows.push([path, `[${shape.join(', ')}]`, parameters, isShared ? '' : perExample(flops.get(path) ?? 0)]);
    seen.add(path);
  }
  const widths = [0, 1, 2, 3].map((c) => Math.max(...rows.map((r) => r[c]!.length)));
  const line = (r: readonly string[]): string =>
    r.map((text, c) => (c < 2 ? text.padEnd(widths[c]!) : text.padStart(widths[c]!))).join('  ');
  const rule = '─'.repeat(widths.reduce((a, b) => a + b, 0) + 6);
  const bytes = variables.reduce((n, { node }) => n + byteCount(node.type), 0);
  const trainable = count(variables.filter(({ node }) => isTrainable(node)));
  return [
    line(rows[0]!),
    rule,
    ...rows.slice(1).map(line),
    rule,
    `${groupDigits(count(variables))} parameters (${groupDigits(trainable)} trainable), ${(bytes / 1024).toFixed(1)} KiB; ${perExample(graphFlops(graph)) || '0'} FLOPs for one example`,
  ].join('\n');
}

/** Operations by the path of the innermost layer; those outside of all layers are left out. */
function flopsByLayer(nodes: readonly Node[], paths: ReadonlySet<string>): ReadonlyMap<string, number> {
  const flops = new Map<string, number>();
  for (const node of nodes) {
    let path = node.scope;
    while (path !== '' && !paths.has(path)) path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (path !== '') flops.set(path, (flops.get(path) ?? 0) + flopsOf(node));
  }
  return flops;
}
