// Graphviz export: a box per node, scopes as nested clusters, edges from operand to reader.

import type { Graph, Node } from './ir.ts';
import { formatType } from './types.ts';

interface Cluster {
  readonly nodes: string[];
  readonly children: Map<string, Cluster>;
}

export interface DotOptions {
  /** Scopes that lie deeper than this are one node each: 0 folds all of them. Default: all are open. */
  readonly depth?: number;
}

/**
 * The graph in Graphviz's DOT language. Leaves are filled, outputs are drawn twice framed, updates are dashed edges to
 * their variable. Nodes of a scope stand in a cluster; scopes that contain scopes are clusters in clusters. A folded scope
 * is a rounded box with the number of its nodes; edges between folded scopes are drawn once.
 *
 *   writeFileSync('graph.dot', toDot(graph)); // dot -Tsvg graph.dot
 */
export function toDot(graph: Graph, { depth = Number.POSITIVE_INFINITY }: DotOptions = {}): string {
  const root: Cluster = { nodes: [], children: new Map() };
  const folds = new Map<string, { readonly id: string; readonly parts: string[]; count: number }>();
  const ids = new Map<Node, string>();
  graph.nodes.forEach((n, i) => {
    const parts = n.scope === '' ? [] : n.scope.split('/');
    if (parts.length <= depth) {
      ids.set(n, `n${i}`);
      clusterOf(root, n.scope).nodes.push(`n${i} [${nodeStyle(graph, n)}];`);
      return;
    }
    const path = parts.slice(0, depth + 1).join('/');
    const fold = folds.get(path) ?? { id: `s${folds.size}`, parts: parts.slice(0, depth + 1), count: 0 };
    fold.count++;
    folds.set(path, fold);
    ids.set(n, fold.id);
  });
  for (const { id, parts, count } of folds.values()) {
    const label = quote(`${parts.at(-1)}\n${count} nodes`);
    clusterOf(root, parts.slice(0, -1).join('/')).nodes.push(`${id} [label=${label}, style=rounded];`);
  }

  const lines = [`digraph ${quote(graph.name)} {`, '  node [shape=box, fontname="monospace"];'];
  writeClusters(lines, root);
  const drawn = new Set<string>();
  for (const n of graph.nodes) {
    n.operands.forEach((o, position) => {
      const [from, to] = [ids.get(o)!, ids.get(n)!];
      const isFolded = from.startsWith('s') || to.startsWith('s');
      if (isFolded && (from === to || drawn.has(`${from} ${to}`))) return;
      drawn.add(`${from} ${to}`);
      const label = n.operands.length > 1 && !isFolded ? ` [label="${position}"]` : '';
      lines.push(`  ${from} -> ${to}${label};`);
    });
  }
  for (const u of graph.updates) {
    lines.push(`  ${ids.get(u.value)} -> ${ids.get(u.variable)} [style=dashed, constraint=false];`);
  }
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

function clusterOf(root: Cluster, scope: string): Cluster {
  let at = root;
  for (const part of scope === '' ? [] : scope.split('/')) {
    let child = at.children.get(part);
    if (child === undefined) {
      child = { nodes: [], children: new Map() };
      at.children.set(part, child);
    }
    at = child;
  }
  return at;
}

/** Writes nodes and clusters with an explicit stack; a `string` on it is the line that closes a cluster. */
function writeClusters(lines: string[], root: Cluster): void {
  const stack: (string | { readonly cluster: Cluster; readonly name: string; readonly indent: string })[] = [
    { cluster: root, name: '', indent: '  ' },
  ];
  let count = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (typeof top === 'string') {
      lines.push(top);
      continue;
    }
    const { cluster, name, indent } = top;
    const inner = cluster === root ? indent : `${indent}  `;
    if (cluster !== root) {
      lines.push(`${indent}subgraph cluster_${count++} {`, `${inner}label=${quote(name)};`);
      stack.push(`${indent}}`);
    }
    for (const n of cluster.nodes) lines.push(inner + n);
    for (const [part, child] of [...cluster.children].reverse()) {
      stack.push({ cluster: child, name: part, indent: inner });
    }
  }
}

function nodeStyle(graph: Graph, node: Node): string {
  const names = graph.outputs.filter((o) => o.node === node).map((o) => o.name);
  const title = [...(node.name === null ? [] : [node.name]), node.op.name, formatType(node.type)];
  const label = [...title, ...names.map((n) => `→ ${n}`)].join('\n');
  const style = node.operands.length === 0 ? ', style=filled, fillcolor="gray92"' : '';
  return `label=${quote(label)}${style}${names.length > 0 ? ', peripheries=2' : ''}`;
}

/** A DOT string: only quotes and backslashes need care; `\n` makes a new line. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\r', '').replaceAll('\n', '\\n')}"`;
}
