// Where an engine's plans come from: from an earlier compilation of an equal graph in this process, from a cache that the
// user gave, or from the compiler.
//
// Compilation is a pure function, so none of these can be told from another but by its time. What is remembered is held
// weakly: it lives as long as a program does that uses it, and programs that compile equal graphs share one plan.

import {
  type Compilation,
  type CompileOptions,
  compileGraph,
  planOptions,
  type Timing,
} from '../compiler/compile.ts';
import { graphVariables } from '../compiler/graph/graph.ts';
import type { Graph } from '../compiler/graph/ir.ts';
import { sameType } from '../compiler/graph/types.ts';
import { compilationKey, compilationText } from '../compiler/key.ts';
import { loadPlans, savePlans } from '../runtime/file.ts';
import type { Plan, PlanTensor } from '../runtime/plan.ts';
import { formatTensor } from '../runtime/tensor.ts';
import type { Compiled } from './engine.ts';
import { sparingOptimizer } from './spare-optimizer.ts';
import { variableName } from './variable.ts';

/**
 * Keeps compiled plans from one process to the next: `folderCache` in Node, or anything that keeps bytes under a name.
 * Plans are checked when they are read; still, a plan for target `js` is a program, so a cache must be as trustworthy as
 * code is.
 */
export interface PlanCache {
  /** The bytes that were set under this key, of 64 hexadecimal digits; null or undefined if there are none. */
  get(key: string): Promise<Uint8Array | null | undefined> | Uint8Array | null | undefined;
  set(key: string, bytes: Uint8Array): Promise<unknown> | unknown;
}

type OnCode = NonNullable<CompileOptions['onCode']>;

/** Plans of this process that are still in use, by what can be compared at no cost, and what they were compiled as. */
const plans = new Map<string, readonly WeakRef<Plan>[]>();
const compilations = new WeakMap<Plan, Compiled>();

export class PlanSource {
  readonly #options: CompileOptions;
  readonly #cache: PlanCache | undefined;
  #hasWarned = false;

  /** Throws HDL0003 for options that are not valid. */
  constructor(options: CompileOptions, cache: PlanCache | undefined) {
    planOptions(options);
    this.#options = options;
    this.#cache = cache;
  }

  /** A plan for the graph, without asking the cache. `onCode`: as for `compileGraph`. Throws what that throws. */
  compile(graph: Graph, onCode?: OnCode): Compiled {
    return this.#recall(graph) ?? this.#make(graph, [], onCode);
  }

  /** As `compile`, but asks the cache first and tells it what was compiled. A cache that fails is done without. */
  async obtain(graph: Graph, onCode?: OnCode): Promise<Compiled> {
    const cache = this.#cache;
    const recalled = this.#recall(graph);
    const key = cache === undefined || recalled !== null ? null : compilationKey(graph, this.#options);
    if (cache === undefined || key === null) return recalled ?? this.#make(graph, [], onCode);
    const timings: Timing[] = [];
    const kept = await timed(timings, 'read cache', () => this.#read(cache, key, graph));
    // Another call may have compiled an equal graph in the meantime.
    const again = this.#recall(graph);
    if (again !== null) return again;
    if (kept !== null) return this.#remember({ ...this.#unshown(graph, kept), timings });
    const compiled = this.#make(graph, timings, onCode);
    const written: Timing[] = [...compiled.timings];
    await timed(written, 'write cache', () =>
      this.#attempt(() => cache.set(key, savePlans([compiled.plan!])), undefined),
    );
    return { ...compiled, timings: written };
  }

  /** The plan as it is, and compiled for engines with the other features; the one that is faster comes first. */
  variants({ graph, plan }: Compiled): readonly Plan[] {
    const options = planOptions(this.#options);
    const other = { ...this.#options, relaxed: !options.relaxed };
    const { plan: second } = new PlanSource(other, undefined).compile(graph);
    if (String(second!.manifest.features) === String(plan!.manifest.features)) return [plan!];
    return options.relaxed ? [plan!, second!] : [second!, plan!];
  }

  #make(graph: Graph, before: readonly Timing[], onCode?: OnCode): Compiled {
    const options = { ...this.#options, ...(onCode && { onCode }) };
    const { plan, dump, inspect, timings } = sparingOptimizer(() => compileGraph(graph, options));
    return this.#remember({ graph, plan, timings: [...before, ...timings], dump, inspect });
  }

  /** Texts of stages are not kept with plans; compiling again gives the same ones, with the lines of this graph. */
  #unshown(graph: Graph, plan: Plan): Omit<Compiled, 'timings'> & { readonly plan: Plan } {
    const again = (): Compilation => compileGraph(graph, this.#options);
    return {
      graph,
      plan,
      dump: (stage, options) => again().dump(stage, options),
      inspect: () => again().inspect(),
    };
  }

  #recall(graph: Graph): Compiled | null {
    const start = performance.now();
    for (const reference of plans.get(this.#placeOf(graph)) ?? []) {
      const plan = reference.deref();
      const compiled = plan && compilations.get(plan);
      if (plan === undefined || compiled === undefined || !this.#isSame(compiled.graph, graph)) continue;
      return { ...this.#unshown(graph, plan), timings: [{ name: 'recall', ms: performance.now() - start }] };
    }
    return null;
  }

  #remember(compiled: Compiled & { readonly plan: Plan }): Compiled {
    for (const [place, list] of plans) {
      const alive = list.filter((reference) => reference.deref() !== undefined);
      if (alive.length > 0) plans.set(place, alive);
      else plans.delete(place);
    }
    const place = this.#placeOf(compiled.graph);
    plans.set(place, [...(plans.get(place) ?? []), new WeakRef(compiled.plan)]);
    compilations.set(compiled.plan, compiled);
    return compiled;
  }

  /** Whether they compile to the same plan: made of the very same ops, of the same types, with the same text. */
  #isSame(a: Graph, b: Graph): boolean {
    const alike = (x: Graph, y: Graph): boolean =>
      x.nodes.length === y.nodes.length &&
      x.nodes.every((n, i) => {
        const m = y.nodes[i]!;
        return (
          n.op === m.op &&
          sameType(n.type, m.type) &&
          n.regions.length === m.regions.length &&
          n.regions.every((r, j) => alike(r, m.regions[j]!))
        );
      });
    // Texts are long: they are made for graphs that look alike.
    return alike(a, b) && compilationText(a, this.#options) === compilationText(b, this.#options);
  }

  #placeOf(graph: Graph): string {
    return `${graph.name} ${graph.nodes.length} ${JSON.stringify(planOptions(this.#options))}`;
  }

  /** What the cache has under the key, if it is whole and is a plan for this graph. */
  async #read(cache: PlanCache, key: string, graph: Graph): Promise<Plan | null> {
    const bytes = await this.#attempt(() => cache.get(key), null);
    if (bytes === null || bytes === undefined) return null;
    try {
      const [plan] = loadPlans(bytes, { trust: 'js' }).plans;
      return plan !== undefined && serves(plan, graph, this.#options) ? plan : null;
    } catch {
      // Damaged, or of another version: compiled anew and written again.
      return null;
    }
  }

  async #attempt<T>(use: () => Promise<T> | T, instead: T): Promise<T> {
    try {
      return await use();
    } catch (error) {
      if (!this.#hasWarned) {
        const reason = error instanceof Error ? error.message : String(error);
        console.warn(`Heddle goes on without its cache of plans, which failed: ${reason}`);
      }
      this.#hasWarned = true;
      return instead;
    }
  }
}

async function timed<T>(timings: Timing[], name: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await run();
  timings.push({ name, ms: performance.now() - start });
  return result;
}

/** Whether a plan from outside takes, gives and keeps what the graph does: a cache may mix up its keys. */
function serves({ manifest: m }: Plan, graph: Graph, options: CompileOptions): boolean {
  const { target, workers } = planOptions(options);
  const row = (name: string, type: Pick<PlanTensor, 'dtype' | 'shape'>): string =>
    JSON.stringify([name, formatTensor(type)]);
  const rows = (tensors: readonly PlanTensor[]): string[] => tensors.map((t) => row(t.name, t));
  const variables = graphVariables(graph).map((n) => row(variableName(n), n.type));
  return (
    m.entry === graph.name &&
    m.target === target &&
    String(m.schedules.map((s) => s.workers)) === String(workers) &&
    String(rows(m.inputs)) === String(graph.inputs.map((n) => row(String(n.attrs['name']), n.type))) &&
    String(rows(m.outputs)) === String(graph.outputs.map((o) => row(o.name, o.node.type))) &&
    rows(m.variables).every((v) => variables.includes(v))
  );
}
