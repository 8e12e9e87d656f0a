// What the panels ask of an entry, found once: who reads a value, which steps compute it, where it lies, what belongs to the
// forward pass, to the backward pass and to the update, and which nodes are the gradient of which.

import type { InspectedGraph, Inspection } from '../../../compiler/dump/inspection.ts';
import type { ViewEntry } from '../data.ts';

export type Part = 'forward' | 'backward' | 'update';

export interface GraphModel {
  readonly graph: InspectedGraph;
  /** By node: who reads it. */
  readonly readers: readonly (readonly number[])[];
  readonly parts: readonly Part[];
  /** By node of the forward pass: what its gradient rule made. By node of the backward pass: what it is the gradient of. */
  readonly gradients: readonly (readonly number[])[];
  /** By node of the compiled graph. */
  readonly steps: readonly (readonly number[])[];
  readonly buffers: readonly (readonly number[])[];
}

export interface EntryModel {
  readonly entry: ViewEntry;
  readonly inspection: Inspection;
  readonly source: GraphModel;
  readonly compiled: GraphModel;
  readonly stepParts: readonly Part[];
}

export function modelOf(entry: ViewEntry): EntryModel {
  const { inspection } = entry;
  const compiled = graphModel(inspection.graph, inspection);
  return {
    entry,
    inspection,
    source: graphModel(inspection.source, null),
    compiled,
    // Of the value that takes most arithmetic, or is largest: an update that follows a product does not make it one.
    stepParts: inspection.steps.map(({ nodes }) => {
      const work = (n: number): number =>
        inspection.graph.nodes[n]!.flops + 1e-9 * inspection.graph.nodes[n]!.bytes;
      const main = nodes.reduce<number | null>((m, n) => (m === null || work(n) > work(m) ? n : m), null);
      return main === null ? 'forward' : compiled.parts[main]!;
    }),
  };
}

function graphModel(graph: InspectedGraph, inspection: Inspection | null): GraphModel {
  const lists = (): number[][] => graph.nodes.map(() => []);
  const [readers, steps, buffers] = [lists(), lists(), lists()];
  graph.nodes.forEach((n, i) => {
    for (const o of new Set(n.operands)) readers[o]!.push(i);
  });
  inspection?.steps.forEach((s, i) => {
    for (const n of s.nodes) steps[n]!.push(i);
  });
  inspection?.buffers.forEach((b, i) => {
    if (b.node !== null) buffers[b.node]!.push(i);
  });
  const parts = partsOf(graph, readers);
  return { graph, readers, parts, gradients: gradientsOf(graph, parts), steps, buffers };
}

/** Gradients stand in scope `grad`. What reads them from outside of it is the update; leaves go with their first reader. */
function partsOf({ nodes }: InspectedGraph, readers: readonly (readonly number[])[]): Part[] {
  const parts: Part[] = [];
  nodes.forEach((n, i) => {
    const from = n.operands.map((o) => parts[o]!);
    parts[i] = isGradient(n.scope)
      ? 'backward'
      : /^optimizer(\/|$)/.test(n.scope) || from.some((p) => p !== 'forward')
        ? 'update'
        : 'forward';
  });
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (nodes[i]!.operands.length > 0 || readers[i]!.length === 0) continue;
    const of = readers[i]!.map((r) => parts[r]!);
    parts[i] = of.includes('forward') ? 'forward' : of.includes('backward') ? 'backward' : 'update';
  }
  return parts;
}

function isGradient(scope: string): boolean {
  return scope === 'grad' || scope.startsWith('grad/');
}

/** The rule of a node at a line works in scope `grad/…` and keeps the line: so both ends of a link are found by these. */
function gradientsOf({ nodes, updates }: InspectedGraph, parts: readonly Part[]): number[][] {
  const keyOf = (scope: string, loc: string | null): string => `${scope}\n${loc}`;
  const forward = new Map<string, number[]>();
  nodes.forEach((n, i) => {
    if (parts[i] !== 'forward' || n.operands.length === 0) return;
    const key = keyOf(n.scope, n.loc);
    forward.set(key, [...(forward.get(key) ?? []), i]);
  });
  const links = nodes.map((): number[] => []);
  for (const u of updates) {
    for (const g of gradientsBehind(u.value, nodes, parts)) {
      if (nodes[g]!.type !== nodes[u.variable]!.type) continue;
      links[u.variable]!.push(g);
      links[g]!.push(u.variable);
    }
  }
  nodes.forEach((n, i) => {
    if (parts[i] !== 'backward' || n.operands.length === 0) return;
    const primal = forward.get(keyOf(n.scope.replace(/^grad\/?/, ''), n.loc)) ?? [];
    for (const p of primal) {
      links[p]!.push(i);
      links[i]!.push(p);
    }
  });
  return links;
}

/** The nodes of the backward pass from which an update is made. */
function gradientsBehind(value: number, nodes: InspectedGraph['nodes'], parts: readonly Part[]): number[] {
  const seen = new Set([value]);
  const found: number[] = [];
  for (const n of seen) {
    if (parts[n] === 'backward') found.push(n);
    else if (parts[n] === 'update') for (const o of nodes[n]!.operands) seen.add(o);
  }
  return found;
}
