// From a compilation to its inspection (inspection.ts): one function per list. Pure; makes the texts of all kernels, so it
// is made when it is asked for.

import { formatLocation } from '../../runtime/errors.ts';
import { timesOfSteps } from '../../runtime/loops.ts';
import type { Plan } from '../../runtime/plan.ts';
import { formatAttr } from '../graph/build.ts';
import { flopsOf } from '../graph/flops.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { printGraph } from '../graph/print.ts';
import { byteCount, formatType } from '../graph/types.ts';
import type { Kernel, Machine } from '../kernel/ir.ts';
import { printKernel } from '../kernel/print.ts';
import type { PassRecord } from '../passes/manager.ts';
import { costOf } from '../schedule/cost.ts';
import type { Buffer, Lowered } from '../schedule/lowered.ts';
import { compilerVersion } from '../version.ts';
import { diffGraphs } from './diff-graphs.ts';
import { diffRows } from './diff-text.ts';
import {
  type InspectedBuffer,
  type InspectedGraph,
  type InspectedKernel,
  type InspectedOp,
  type InspectedPass,
  type InspectedStep,
  type Inspection,
  inspectionFormat,
} from './inspection.ts';
import { scheduleOf } from './lanes.ts';
import { memoryOf } from './memory.ts';
import { nodeNames } from './names.ts';

export interface Inspectable {
  readonly plan: Plan;
  readonly source: Graph;
  readonly graph: Graph;
  readonly passes: readonly PassRecord[];
  /** In the order of the plan. */
  readonly lowered: Lowered;
  readonly machine: Machine;
  readonly language: 'wat' | 'js';
  /** Sentences about passes, by name. */
  readonly passDocs: ReadonlyMap<string, string>;
  readonly printCode: (kernels: readonly Kernel[]) => string;
}

/** The inspection of a compilation. */
export function inspect(of: Inspectable): Inspection {
  const { plan, source, graph, lowered, machine } = of;
  const { manifest } = plan;
  return {
    format: inspectionFormat,
    version: compilerVersion,
    entry: manifest.entry,
    target: manifest.target,
    language: of.language,
    machine,
    source: inspectGraph(source),
    graph: inspectGraph(graph),
    passes: of.passes.map((p) => inspectPass(p, of.passDocs.get(p.name) ?? '')),
    kernels: kernelsOf(lowered).map((k) => inspectKernel(k, of)),
    steps: inspectSteps(of),
    buffers: inspectBuffers(of),
    memory: memoryOf(manifest),
    schedules: manifest.schedules.map((s) => scheduleOf(s, lowered, machine)),
    ops: opsOf([source, graph]),
    manifest,
  };
}

/** The kernels of a plan, in its order: the numbers by which people call them. */
export function kernelsOf({ steps }: Lowered): Kernel[] {
  return [...new Set(steps.map((s) => s.kernel))];
}

export function inspectGraph(graph: Graph): InspectedGraph {
  const names = nodeNames(graph);
  const number = (n: Node): number => graph.index.get(n)!;
  return {
    name: graph.name,
    nodes: graph.nodes.map((n) => ({
      name: names.get(n)!,
      scope: n.scope,
      op: n.op.name,
      operands: n.operands.map(number),
      attrs: Object.fromEntries(Object.entries(n.attrs).map(([key, value]) => [key, formatAttr(value)])),
      payload: n.payload?.hash ?? null,
      regions: n.regions.map((r) => printGraph(r, { locations: false })),
      type: formatType(n.type),
      bytes: byteCount(n.type),
      flops: flopsOf(n),
      loc: n.loc && formatLocation(n.loc),
    })),
    inputs: graph.inputs.map(number),
    outputs: graph.outputs.map((o) => ({ name: o.name, node: number(o.node) })),
    updates: graph.updates.map((u) => ({ variable: number(u.variable), value: number(u.value) })),
  };
}

function inspectPass({ name, before, after }: PassRecord, doc: string): InspectedPass {
  const sizes = { nodesBefore: before.nodes.length, nodesAfter: after.nodes.length };
  if (before === after) return { name, doc, ...sizes, removed: 0, added: 0, changed: 0, rows: [] };
  const diff = diffGraphs(before, after);
  return {
    name,
    doc,
    ...sizes,
    removed: diff.removed.length,
    added: diff.added.length,
    changed: diff.changed.length,
    rows: diffRows(before, after, diff),
  };
}

function inspectKernel(k: Kernel, { lowered, machine, printCode }: Inspectable): InspectedKernel {
  return {
    name: k.name,
    schedule: k.schedule,
    tile: k.tile ?? null,
    units: k.unit.extent,
    flops: k.cost.flops,
    bytes: k.cost.bytes,
    predictedNs: costOf(k, machine),
    params: k.params.map(({ name, access, elements }) => ({ name, access, elements })),
    steps: lowered.steps.flatMap((s, i) => (s.kernel === k ? [i] : [])),
    calls: timesOfSteps(lowered).reduce((n, times, s) => (lowered.steps[s]!.kernel === k ? n + times : n), 0),
    text: printKernel(k),
    code: printCode([k]),
  };
}

function inspectSteps({ lowered, machine, graph }: Inspectable): InspectedStep[] {
  const number = new Map(kernelsOf(lowered).map((k, i) => [k, i]));
  return lowered.steps.map(({ label, kernel, args, nodes = [], isCopy = false }) => ({
    label,
    kernel: number.get(kernel)!,
    args,
    nodes: nodes.flatMap((n) => graph.index.get(n) ?? []),
    isCopy,
    predictedNs: costOf(kernel, machine),
  }));
}

function inspectBuffers({ lowered, plan, graph }: Inspectable): InspectedBuffer[] {
  // The manifest lists the buffers of the arena alone, in the order of `lowered`.
  let next = 0;
  const places = plan.manifest.buffers;
  return lowered.buffers.map((b): InspectedBuffer => {
    const place = b.home.kind === 'arena' && places[next]?.name === b.name ? places[next++]! : null;
    return {
      name: b.name,
      type: formatType(b.type),
      order: b.order,
      bytes: b.bytes,
      home: homeOf(b),
      offset: place?.offset ?? null,
      from: place?.from ?? null,
      to: place?.to ?? null,
      node: (b.node && graph.index.get(b.node)) ?? null,
      isCopy: b.copyOf !== undefined,
    };
  });
}

function homeOf({ home }: Buffer): InspectedBuffer['home'] {
  if (home.kind === 'view') return 'temporary';
  return home.kind === 'arena' ? home.role : home.kind;
}

function opsOf(graphs: readonly Graph[]): Record<string, InspectedOp> {
  const found = new Map<string, InspectedOp>();
  for (const { nodes } of graphs) {
    for (const { op } of nodes) {
      if (found.has(op.name)) continue;
      const { summary, formula, types } = op.doc;
      found.set(op.name, { family: op.family, summary, formula, types });
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
