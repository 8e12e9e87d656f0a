// The short texts of a compilation: what fits a screen or two. Small graphs, plans and codes are shown whole; of large ones
// there is one line for each scope, kernel or step, with what it costs, and a last line that says how to see all.

import { timesOfSteps } from '../../runtime/loops.ts';
import type { Plan } from '../../runtime/plan.ts';
import { graphFlops } from '../graph/flops.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { printGraph } from '../graph/print.ts';
import { byteCount, formatType } from '../graph/types.ts';
import type { Kernel, Machine } from '../kernel/ir.ts';
import { printKernel } from '../kernel/print.ts';
import { costOf } from '../schedule/cost.ts';
import type { Lowered } from '../schedule/lowered.ts';
import { lowerBound, printPlan } from '../schedule/print.ts';
import { amount, counted, table } from './table.ts';

/** What is not longer than this is shown whole. */
const fewNodes = 48;
const fewSteps = 24;
const fewLines = 400;

const more = (what: string): string => `; ${what}: { full: true }, or --full`;

/** A graph by its scopes, in order of first appearance. */
export function outlineGraph(graph: Graph): string {
  if (graph.nodes.length <= fewNodes) return printGraph(graph);
  const scopes = new Map<string, Node[]>();
  for (const n of graph.nodes) {
    const list = scopes.get(n.scope);
    if (list) list.push(n);
    else scopes.set(n.scope, [n]);
  }
  const rows = [...scopes].map(([scope, nodes]) => {
    const flops = graphFlops({ ...graph, nodes });
    const bytes = nodes.reduce((sum, n) => sum + byteCount(n.type), 0);
    const lines = [...new Set(nodes.flatMap(({ loc }) => (loc ? [`${loc.file}:${loc.line}`] : [])))];
    const where = lines.length > 1 ? `${lines[0]}, ${lines.length - 1} more` : (lines[0] ?? '');
    const ops = nodes.filter((n) => n.operands.length > 0);
    const names = (ops.length > 0 ? ops : nodes).map((n) => n.op.name);
    return [scope || '(top)', `${nodes.length}`, amount(flops), amount(bytes), counted(names, 4), where];
  });
  const ends = [
    ...graph.inputs.map((n) => `  input ${n.name ?? ''}: ${formatType(n.type)}`),
    ...graph.outputs.map((o) => `  output ${o.name}: ${formatType(o.node.type)}`),
    ...(graph.updates.length > 0 ? [`  updates of ${graph.updates.length} variables`] : []),
  ];
  return lines([
    `graph ${graph.name}: ${graph.nodes.length} nodes in ${scopes.size} scopes`,
    ...ends,
    ...indent(table(['scope', 'nodes:', 'flops:', 'bytes:', 'ops', 'at'], rows)),
    more('every node'),
  ]);
}

/** Kernels in the order of the plan, with what they do and how often. */
export function outlineKernels(kernels: readonly Kernel[], lowered: Lowered, machine: Machine): string {
  const whole = kernels.map(printKernel).join('\n');
  if (isShort(whole)) return whole;
  const times = timesOfSteps(lowered);
  const rows = kernels.map((k, i) => {
    const calls = lowered.steps.reduce((n, s, i) => (s.kernel === k ? n + times[i]! : n), 0);
    const us = (calls * costOf(k, machine)) / 1000;
    const { flops, bytes } = k.cost;
    return [`${i}`, `${calls}`, amount(flops), amount(bytes), us.toFixed(1), `${k.name}: ${k.schedule}`];
  });
  return lines([
    `${kernels.length} kernels in ${lowered.steps.length} steps; flops and bytes of one call, predicted µs of all`,
    ...indent(table(['#:', 'calls:', 'flops:', 'bytes:', 'µs:', 'kernel'], rows)),
    more('the loops of each'),
    '; one of them: { kernel: N }, or --kernel N',
  ]);
}

/** A plan in the order of its steps, without memory and schedules. */
export function outlinePlan(plan: Plan, lowered: Lowered, machine: Machine): string {
  const { manifest: m } = plan;
  const whole = printPlan(plan, lowered, machine);
  if (m.steps.length <= fewSteps) return whole;
  const rows = m.steps.map((s, i) => {
    const step = lowered.steps[i]!;
    const us = (costOf(step.kernel, machine) / 1000).toFixed(1);
    return [`${i}`, `${s.kernel}`, `${s.units}`, us, s.label];
  });
  const head = whole.split('\n').filter((_, i) => i < 2);
  const end = whole.split('\n').filter((line) => /^ {2}predicted |^schedule for/.test(line));
  return lines([
    ...head,
    `  ${m.inputs.length} inputs, ${m.outputs.length} outputs, ${m.variables.length} variables, ${m.buffers.length} buffers; the arena is ${((100 * m.arenaBytes) / Math.max(1, lowerBound(m)) - 100).toFixed(1)} % above its lower bound`,
    ...(m.loops ?? []).map((l) => `  steps ${l.begin} to ${l.end - 1} run ${l.length} times: ${l.label}`),
    ...indent(table(['step:', 'kernel:', 'units:', 'µs:', 'what'], rows)),
    ...end,
    more('buffers, the work of each worker, memory; a text that reads back'),
  ]);
}

/** Code, if it is short; else how long the code of each kernel is. */
export function outlineCode(
  print: (kernels: readonly Kernel[]) => string,
  kernels: readonly Kernel[],
  language: string,
): string {
  const whole = print(kernels);
  if (isShort(whole)) return whole;
  const rows = kernels.map((k, i) => [`${i}`, `${print([k]).split('\n').length}`, k.name]);
  return lines([
    `; ${whole.split('\n').length} lines of ${language} for ${kernels.length} kernels`,
    ...table(['; #:', 'lines:', 'kernel'], rows).map((row) => row.replace(/^ {0,3}(?=[\d ])/, ';  ')),
    more('all of it'),
    '; of one kernel: { kernel: N }, or --kernel N',
  ]);
}

function isShort(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
    if (++count > fewLines) return false;
  return true;
}

function indent(list: readonly string[]): string[] {
  return list.map((line) => `  ${line}`);
}

function lines(list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}
