// compileGraph: from a graph to a plan. Reads as the list of stages; each is timed and can be printed.
//
//   verify → passes (simplify, legalize, …) → lower (layouts, fusion, kernels) → schedule (order, memory, workers) → emit

import type { Plan } from '../runtime/plan.ts';
import { compilerError } from './graph/errors.ts';
import type { Graph } from './graph/ir.ts';
import { printGraph } from './graph/print.ts';
import { verifyGraph } from './graph/verify.ts';
import { printKernel } from './kernel/print.ts';
import { verifyKernel } from './kernel/verify.ts';
import { lowerGraph } from './lower/lower.ts';
import { runPasses } from './passes/manager.ts';
import { standardPasses } from './passes/pipeline.ts';
import { checkPlan } from './schedule/check.ts';
import type { Lowered } from './schedule/lowered.ts';
import { printPlan, schedulePlan } from './schedule/plan.ts';
import { type Backend, backends } from './target/backends.ts';

export type TargetKind = 'wasm' | 'js';

export interface CompileOptions {
  /** `wasm` (default) or `js` (readable source, for debugging and for places without WebAssembly). */
  readonly target?: TargetKind;
  /** The plan holds one schedule for each of these worker counts; default [1]. */
  readonly workers?: readonly number[];
  /** Record the first op that produces NaN or an infinity. Slower. */
  readonly checkNumerics?: boolean;
  /** Use fused multiply-add (`relaxed-simd`): faster, other last bits. The engine must have it. */
  readonly relaxed?: boolean;
  /** Verify after each pass and prove the plan safe: for tests. */
  readonly verify?: boolean;
  /** Called after each pass with its time and the graph before and after. */
  readonly onPass?: (record: PassRecord) => void;
}

export interface PassRecord {
  readonly name: string;
  readonly ms: number;
  readonly before: Graph;
  readonly after: Graph;
}

export interface Timing {
  readonly name: string;
  readonly ms: number;
}

export type DumpStage = 'source' | 'graph' | 'kernels' | 'plan' | 'code' | 'wat' | 'js';

/** Stages that `dump` accepts, with what they show. */
export const dumpStages: Readonly<Record<DumpStage, string>> = {
  source: 'the graph as it was declared',
  graph: 'the graph after all passes',
  kernels: 'loop nests with their schedules',
  plan: 'order, buffers, barriers, work of each worker',
  code: 'the code of the target: `wat` or `js`',
  wat: 'WebAssembly text (target wasm)',
  js: 'JavaScript source (target js)',
};

export interface Compilation {
  readonly plan: Plan;
  readonly source: Graph;
  readonly graph: Graph;
  readonly lowered: Lowered;
  readonly timings: readonly Timing[];
  /** Text of a stage; see `dumpStages`. */
  dump(stage: DumpStage): string;
}

/**
 * Compiles a graph: one specialisation of one entry point, all shapes known. Pure: the same graph and options give the
 * same plan, byte for byte. Throws HDL0011 for a graph that does not verify, HDL0017 for what the target cannot express.
 *
 * @example
 * const { plan, dump } = compileGraph(graph, { workers: [1, 2] });
 * console.log(dump('plan'));
 */
export function compileGraph(source: Graph, options: CompileOptions = {}): Compilation {
  const backend: Backend = backends[options.target ?? 'wasm'];
  const workers = [...new Set(options.workers ?? [1])].sort((a, b) => a - b);
  const timings: Timing[] = [];
  const timed = <T>(name: string, run: () => T): T => {
    const start = performance.now();
    const result = run();
    timings.push({ name, ms: performance.now() - start });
    return result;
  };

  timed('verify', () => verifyGraph(source));
  const graph = runPasses(source, standardPasses({ checkNumerics: options.checkNumerics ?? false }), {
    verify: options.verify ?? false,
    now: () => performance.now(),
    onPass: (record) => {
      timings.push({ name: record.name, ms: record.ms });
      options.onPass?.(record);
    },
  });
  const target = backend.describe({ relaxed: options.relaxed ?? false });
  const lowered = timed('lower', () => lowerGraph(graph, target));
  const kernels = [...new Set(lowered.steps.map((s) => s.kernel))];
  if (options.verify) timed('verify kernels', () => kernels.forEach(verifyKernel));
  const emission = { shared: workers.some((w) => w > 1), relaxed: options.relaxed ?? false };
  const code = timed('emit', () => backend.emit(kernels, emission));
  const { plan, lowered: ordered } = timed('schedule', () =>
    schedulePlan(lowered, { target, targetKind: backend.kind, workers, code }),
  );
  if (options.verify) timed('check plan', () => checkPlan(plan, ordered));

  const dump = (stage: DumpStage): string => {
    switch (stage) {
      case 'source':
        return printGraph(source);
      case 'graph':
        return printGraph(graph);
      case 'kernels':
        return kernels.map(printKernel).join('\n');
      case 'plan':
        return printPlan(plan, ordered);
      case 'code':
        return backend.print(kernels, emission);
      case 'wat':
      case 'js':
        if (backend.language === stage) return backend.print(kernels, emission);
        throw compilerError('HDL0017', {
          what: `dump('${stage}') of a program compiled for target '${backend.kind}'`,
          rule: `target '${backend.kind}' has code in ${backend.language}`,
          hint: `use dump('code'), or compile with target '${stage === 'wat' ? 'wasm' : 'js'}'`,
        });
      default:
        throw compilerError('HDL0003', {
          what: `dump('${String(stage satisfies never)}')`,
          rule: `the stage is one of ${Object.keys(dumpStages).join(', ')}`,
        });
    }
  };
  return { plan, source, graph, lowered: ordered, timings, dump };
}
