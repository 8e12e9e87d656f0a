// What a compilation shows of itself: one text per stage, from the declared graph to the code. Texts are made when they are
// asked for and hold no times: equal compilations show equal texts.

import { compilerError } from './graph/errors.ts';
import type { Graph } from './graph/ir.ts';
import { nearestName } from './graph/nearest.ts';
import { printGraph } from './graph/print.ts';
import type { PassRecord } from './passes/manager.ts';
import { standardPasses } from './passes/pipeline.ts';

type NamedStage = 'source' | 'passes' | 'graph' | 'kernels' | 'plan' | 'memory' | 'code' | 'wat' | 'js';
export type DumpStage = NamedStage | `pass:${string}`;

const namedStages: Readonly<Record<NamedStage, string>> = {
  source: 'the graph as it was declared',
  passes: 'the passes in order, with the number of nodes before and after each',
  graph: 'the graph after all passes',
  kernels: 'loop nests with their schedules',
  plan: 'order, buffers, barriers, work of each worker',
  memory: 'where the arena is fullest, what lies there, what is computed again',
  code: 'the code of the target: `wat` or `js`',
  wat: 'WebAssembly text (target wasm)',
  js: 'JavaScript source (target js)',
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

/** What the texts are made of. */
export interface Dumpable {
  readonly source: Graph;
  readonly graph: Graph;
  readonly passes: readonly PassRecord[];
  readonly target: { readonly kind: string; readonly language: string };
  readonly printKernels: () => string;
  readonly printPlan: () => string;
  readonly printMemory: () => string;
  readonly printCode: () => string;
}

/** The text of a stage. Throws HDL0003 for an unknown stage, HDL0017 for one that this compilation does not have. */
export function dumpStage(of: Dumpable, stage: DumpStage): string {
  if (!Object.hasOwn(dumpStages, stage)) {
    const nearest = nearestName(stage, Object.keys(dumpStages));
    throw compilerError('HDL0003', {
      what: `dump('${stage}')`,
      rule: `the stage is one of ${Object.keys(dumpStages).join(', ')}`,
      ...(nearest && { hint: `did you mean '${nearest}'?` }),
    });
  }
  if (isPassStage(stage)) return printPass(of.passes, stage);
  switch (stage) {
    case 'source':
      return printGraph(of.source);
    case 'passes':
      return of.passes.map(passLine).join('');
    case 'graph':
      return printGraph(of.graph);
    case 'kernels':
      return of.printKernels();
    case 'plan':
      return of.printPlan();
    case 'memory':
      return of.printMemory();
    case 'code':
      return of.printCode();
    case 'wat':
    case 'js':
      if (of.target.language === stage) return of.printCode();
      throw compilerError('HDL0017', {
        what: `dump('${stage}') of a program compiled for target '${of.target.kind}'`,
        rule: `target '${of.target.kind}' has code in ${of.target.language}`,
        hint: `use dump('code'), or compile with target '${stage === 'wat' ? 'wasm' : 'js'}'`,
      });
    default:
      return stage satisfies never;
  }
}

function isPassStage(stage: DumpStage): stage is `pass:${string}` {
  return stage.startsWith('pass:');
}

function passLine({ name, before, after }: PassRecord): string {
  const count = `${before.nodes.length} → ${after.nodes.length} nodes`;
  return `${name}: ${before === after ? `${before.nodes.length} nodes, nothing to do` : count}\n`;
}

function printPass(passes: readonly PassRecord[], stage: `pass:${string}`): string {
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
  if (before === after) return `# ${passLine(record)}${printGraph(before)}`;
  return `# before ${name}\n${printGraph(before)}# after ${passLine(record)}${printGraph(after)}`;
}
