// What a compilation shows of itself: one text per stage, from the declared graph to the code. Texts are made when they are
// asked for and hold no times: equal compilations show equal texts.

import { diffText } from './dump/diff-text.ts';
import { type Inspectable, inspect, kernelsOf } from './dump/inspect.ts';
import { outlineCode, outlineGraph, outlineKernels, outlinePlan } from './dump/outline.ts';
import { toDot } from './graph/dot.ts';
import { compilerError } from './graph/errors.ts';
import type { Graph, SourceLocation } from './graph/ir.ts';
import { nearestName } from './graph/nearest.ts';
import { printGraph } from './graph/print.ts';
import type { Kernel } from './kernel/ir.ts';
import { printKernel } from './kernel/print.ts';
import type { PassRecord } from './passes/manager.ts';
import { standardPasses } from './passes/pipeline.ts';
import type { Lowered } from './schedule/lowered.ts';
import { planText } from './schedule/plan-text.ts';
import { printMemory } from './schedule/print-memory.ts';

type NamedStage =
  | 'source'
  | 'passes'
  | 'graph'
  | 'fusion'
  | 'kernels'
  | 'plan'
  | 'memory'
  | 'code'
  | 'wat'
  | 'js'
  | 'dot'
  | 'json';
export type DumpStage = NamedStage | `pass:${string}`;

const namedStages: Readonly<Record<NamedStage, string>> = {
  source: 'the graph as it was declared',
  passes: 'the passes in order, with the number of nodes before and after each',
  graph: 'the graph after all passes',
  fusion: 'which values are stored, inlined or computed again, which share a kernel, and why',
  kernels: 'loop nests with their schedules',
  plan: 'order, buffers, barriers, work of each worker',
  memory: 'where the arena is fullest, what lies there, what is computed again',
  code: 'the code of the target: `wat` or `js`',
  wat: 'WebAssembly text (target wasm)',
  js: 'JavaScript source (target js)',
  dot: "the graph after all passes in Graphviz's language, scopes as clusters",
  json: 'everything, as JSON (docs/schema/inspection.json)',
};

/** Stages that `dump` accepts, with what they show. */
export const dumpStages: Readonly<Record<DumpStage, string>> = {
  ...namedStages,
  ...Object.fromEntries(
    standardPasses({ checkNumerics: true }).map((p) => [
      `pass:${p.name}`,
      `the graph before and after this pass: ${p.doc}`,
    ]),
  ),
};

/** Which part of a stage to show. */
export interface DumpOptions {
  /** All of it, in a text that reads back; by default long texts are cut to what fits a screen or two. */
  readonly full?: boolean | undefined;
  /** Of kernels and code: one kernel, by its number in the plan or its name. */
  readonly kernel?: number | string | undefined;
  /** Of a pass: the graph before it or after it; default both. */
  readonly side?: 'before' | 'after' | undefined;
  /** Of passes: those that changed something. Of one pass: what it changed. */
  readonly onlyChanged?: boolean | undefined;
  /** Of `dot`: scopes that lie deeper than this are one node each; default: all scopes are open. */
  readonly depth?: number | undefined;
}

/** What the texts are made of. */
export interface Dumpable extends Inspectable {
  readonly target: { readonly kind: string; readonly language: 'wat' | 'js' };
  /** The end of the plan's text: tiles that were given and fit nothing. */
  readonly planNotes: string;
  readonly printFusion: () => string;
}

/**
 * The text of a stage. Throws HDL0003 for an unknown stage or kernel, HDL0017 for a stage that this compilation does not
 * have.
 */
export function dumpStage(of: Dumpable, stage: DumpStage, options: DumpOptions = {}): string {
  checkStage(stage);
  const { full = false, onlyChanged = false } = options;
  if (isPassStage(stage)) return printPass(of.passes, stage, options);
  const { plan, lowered, machine } = of;
  const graphText = (graph: Graph): string => (full ? printGraph(graph) : outlineGraph(graph));
  switch (stage) {
    case 'source':
      return graphText(of.source);
    case 'passes':
      return of.passes.flatMap((p) => (onlyChanged && p.before === p.after ? [] : passLine(p))).join('');
    case 'graph':
      return graphText(of.graph);
    case 'fusion':
      return of.printFusion();
    case 'kernels':
      if (options.kernel !== undefined) return printKernel(kernelOf(lowered, options.kernel));
      return full
        ? kernelsOf(lowered).map(printKernel).join('\n')
        : outlineKernels(kernelsOf(lowered), lowered, machine);
    case 'plan':
      return (full ? planText(plan, lowered) : outlinePlan(plan, lowered, machine)) + of.planNotes;
    case 'memory':
      return printMemory(plan, lowered);
    case 'code':
      return codeText(of, options);
    case 'wat':
    case 'js':
      if (of.target.language === stage) return codeText(of, options);
      throw compilerError('HDL0017', {
        what: `dump('${stage}') of a program compiled for target '${of.target.kind}'`,
        rule: `target '${of.target.kind}' has code in ${of.target.language}`,
        hint: `use dump('code'), or compile with target '${stage === 'wat' ? 'wasm' : 'js'}'`,
      });
    case 'dot':
      return toDot(of.graph, options.depth === undefined ? {} : { depth: options.depth });
    case 'json':
      return `${JSON.stringify(inspect(of), null, full ? 2 : 0)}\n`;
    default:
      return stage satisfies never;
  }
}

/** Whether compilations have a stage of this name. */
export function isStage(stage: string): stage is DumpStage {
  return Object.hasOwn(dumpStages, stage);
}

/** Throws HDL0003 for a stage that is none. */
export function checkStage(stage: string, loc?: SourceLocation | null): asserts stage is DumpStage {
  if (isStage(stage)) return;
  const nearest = nearestName(stage, Object.keys(dumpStages));
  throw compilerError('HDL0003', {
    what: `dump('${stage}')`,
    rule: `the stage is one of ${Object.keys(dumpStages).join(', ')}`,
    ...(nearest && { hint: `did you mean '${nearest}'?` }),
    loc,
  });
}

function kernelOf(lowered: Lowered, wanted: number | string): Kernel {
  const kernels = kernelsOf(lowered);
  const found = kernels.find((k, i) => i === wanted || k.name === wanted);
  if (found !== undefined) return found;
  const nearest = nearestName(
    String(wanted),
    kernels.map((k) => k.name),
  );
  throw compilerError('HDL0003', {
    what: `kernel ${JSON.stringify(wanted)}`,
    rule: `this plan has the kernels 0 to ${kernels.length - 1}`,
    hint: nearest ? `did you mean '${nearest}'?` : "dump('kernels') lists them with their names",
  });
}

function codeText(of: Dumpable, { full, kernel }: DumpOptions): string {
  const { lowered, language, printCode } = of;
  if (kernel !== undefined) return printCode([kernelOf(lowered, kernel)]);
  return full ? printCode(kernelsOf(lowered)) : outlineCode(printCode, kernelsOf(lowered), language);
}

function isPassStage(stage: DumpStage): stage is `pass:${string}` {
  return stage.startsWith('pass:');
}

function passLine({ name, before, after }: PassRecord): string {
  const count = `${before.nodes.length} → ${after.nodes.length} nodes`;
  return `${name}: ${before === after ? `${before.nodes.length} nodes, nothing to do` : count}\n`;
}

function printPass(
  passes: readonly PassRecord[],
  stage: `pass:${string}`,
  { full = false, side, onlyChanged = false }: DumpOptions,
): string {
  const name = stage.slice('pass:'.length);
  const record = passes.find((p) => p.name === name);
  if (!record) {
    throw compilerError('HDL0017', {
      what: `dump('${stage}')`,
      rule: `this compilation ran ${passes.map((p) => p.name).join(', ')}`,
      hint: `'${name}' runs when an option asks for it`,
    });
  }
  const { before, after } = record;
  const text = (graph: Graph): string => (full ? printGraph(graph) : outlineGraph(graph));
  if (side !== undefined) return text(record[side]);
  if (onlyChanged) return `# ${passLine(record)}${before === after ? '' : diffText(before, after)}`;
  if (before === after) return `# ${passLine(record)}${text(before)}`;
  return `# before ${name}\n${text(before)}# after ${passLine(record)}${text(after)}`;
}
