// Programs: entries over shared variables. An entry is compiled when it is first run with given sizes, and kept; all
// specialisations read and update the same variables, which the program owns.
//
// Invariant: a call that fails, in checking, building, compiling or running, leaves variables and specialisations as
// they were.

import { type DumpStage, dumpStages, type Timing } from '../compiler/compile.ts';
import { compilerError } from '../compiler/graph/errors.ts';
import type { Node } from '../compiler/graph/ir.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { nearestName } from '../compiler/graph/nearest.ts';
import type { DType, Shape } from '../compiler/graph/types.ts';
import { runtimeError } from '../runtime/errors.ts';
import { savePlans } from '../runtime/file.ts';
import { type RunData, type RunInput, type RunTensor, toData } from '../runtime/tensor.ts';
import type { AppliedLayer, Registry } from './context.ts';
import { describePlan } from './describe.ts';
import { compiledEngine, type Engine } from './engine.ts';
import { type AnyEntry, type Entry, type Outputs, type Specs, traceEntry } from './entry.ts';
import { type BoundFeeds, bindFeeds, type Feed } from './feeds.ts';
import type { PlanCache } from './plan-source.ts';
import { type Profile, type ProfileOptions, profileEntry } from './profile/index.ts';
import { referenceEngine } from './reference.ts';
import { checkDims, type Dims, dimNames } from './spec.ts';
import { type CompileEvent, Specialisations, title } from './specialisations.ts';
import { initialValue, isTrainable, variableName } from './variable.ts';

export interface ProgramOptions {
  /** Threads that compute; default one per core. 1 means the calling thread. */
  readonly threads?: number | undefined;
  /** `wasm` (default), `js` (readable source, for debugging), `reference` (the interpreter: slow, to check others). */
  readonly target?: 'wasm' | 'js' | 'reference' | undefined;
  /** Initial values and random ops follow from it; default 0. */
  readonly seed?: number | undefined;
  /** A run that makes a NaN or an infinity fails, and says which op made the first. Default false. */
  readonly checkNumerics?: boolean | undefined;
  /**
   * Fused multiply-add: faster, other last bits. `auto` (default) uses it where the engine has it, unless the environment
   * says HEDDLE_RELAXED=0; `false` never does: results are then the same on every machine.
   */
  readonly relaxed?: boolean | 'auto' | undefined;
  /**
   * Bytes that each entry's scratch memory may have. Values are then computed again instead of kept, until the plan fits;
   * by default only where that costs next to no time. Throws HDL0018 from a compilation that cannot fit.
   */
  readonly memory?: { readonly budget: number } | undefined;
  /** Where compiled plans are kept for later processes: `folderCache(path)`. Default: nowhere. */
  readonly cache?: PlanCache | undefined;
  /** Told of each stage of a compilation. */
  readonly onProgress?: ((event: CompileEvent) => void) | undefined;
}

export interface VariableInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly trainable: boolean;
  /** The symbolic variable itself. */
  readonly node: Node;
}

export type Entries = Readonly<Record<string, AnyEntry>>;

/** What `run` takes for an entry. */
export type FeedsOf<E> =
  E extends Entry<infer I extends Specs, Outputs>
    ? { readonly [K in keyof I]: Feed }
    : Readonly<Record<string, Feed>>;

/** What `run` returns for an entry: copies, row-major. */
export type ResultsOf<E> = E extends { readonly build: (...args: never) => infer O }
  ? { readonly [K in keyof O]: RunTensor }
  : never;

/**
 * A program over the given entries. Nothing is compiled before it is needed.
 *
 * @example
 * const w = variable('w', [2], initializers.zeros());
 * const p = program({
 *   train: entry({ x: tensor(['batch', 2]), y: tensor(['batch']) }, ({ x, y }, ctx) => {
 *     const loss = mean(square(sub(sum(mul(x, w), 1), y)));
 *     const [dw] = grad(loss, [w]);
 *     ctx.assign(w, sub(w, mul(0.1, dw)));
 *     return { loss };
 *   }, { training: true }),
 * });
 * const { loss } = await p.run('train', { x: [[1, 2], [3, 4]], y: [1, 2] });
 */
export function program<const E extends Entries>(entries: E, options: ProgramOptions = {}): Program<E> {
  return new Program(entries, options);
}

export class Program<E extends Entries = Entries> {
  readonly #entries: E;
  readonly #engine: Engine;
  readonly #registry: Registry;
  readonly #specialisations: Specialisations;
  /** Values set before anything that uses the variable was loaded. */
  readonly #pending = new Map<string, RunData>();
  #disposed = false;

  /** Use `program(…)`. */
  constructor(entries: E, options: ProgramOptions = {}) {
    const { target = 'wasm', seed = 0, ...rest } = options;
    this.#entries = entries;
    this.#engine = target === 'reference' ? referenceEngine() : compiledEngine({ target, ...rest });
    this.#registry = { seed, variables: new Map(), paths: new WeakMap() };
    this.#specialisations = new Specialisations(this.#engine, this.#registry, {
      onProgress: options.onProgress,
      hasCache: options.cache !== undefined,
      initial: (node) => this.#pending.get(variableName(node)) ?? initialValue(node, seed),
    });
  }

  /**
   * Runs an entry once and commits what it assigned. Feeds are typed arrays, nested arrays or `{ data, shape }`.
   * Throws HDL0014 (no such entry), HDL1001 (feeds do not fit), HDL1002 (disposed), HDL1003–1005 (the run failed), and
   * what building and compiling throw; variables are then as before.
   */
  async run<N extends keyof E & string>(name: N, feeds: FeedsOf<E[N]>): Promise<ResultsOf<E[N]>> {
    this.#checkOpen('run');
    const { dims, values } = this.#bind(name, feeds);
    const { loaded } = await this.#specialisations.load(name, this.#find(name), dims);
    return (await loaded.run(values)) as ResultsOf<E[N]>;
  }

  /**
   * Where the time of an entry goes: runs it with the same feeds again and again, and times each kernel call and each wait
   * in the workers. Commits nothing: variables stay as they are. Throws HDL0017 for target `reference`, and as `run`.
   *
   * @example console.log(formatProfile(await p.profile('train', { x, y }, { runs: 50 })));
   */
  async profile<N extends keyof E & string>(
    name: N,
    feeds: FeedsOf<E[N]>,
    options: ProfileOptions = {},
  ): Promise<Profile> {
    this.#checkOpen('profile');
    const { dims, values } = this.#bind(name, feeds);
    const { made, loaded } = await this.#specialisations.load(name, this.#find(name), dims);
    return profileEntry(name, dims, made.compiled, loaded, values, options);
  }

  /**
   * Compiles and loads an entry ahead of its first run. Throws HDL0014, HDL0003 (sizes missing), and as `run`.
   *
   * @example await p.compile('train', { batch: 64 });
   */
  async compile(name: keyof E & string, dims: Dims = {}): Promise<void> {
    this.#checkOpen('compile');
    await this.#specialisations.load(name, this.#find(name), this.#checkDims(name, dims));
  }

  /** A copy of a variable's committed value; before its first run, its initial value. Throws HDL1008, HDL1002. */
  get(variable: Node | string): RunTensor {
    this.#checkOpen('read a variable');
    const node = this.#variable(variable);
    const name = variableName(node);
    const committed = this.#engine.get(name);
    if (committed !== null) return committed;
    const data = this.#pending.get(name) ?? initialValue(node, this.#registry.seed);
    return { dtype: node.type.dtype, shape: node.type.shape, data: data.slice() };
  }

  /**
   * Sets a variable, row-major, between runs. Throws HDL1008 (no such variable), HDL1001 (values do not fit), HDL1009
   * (a run is in flight), HDL1002.
   */
  set(variable: Node | string, values: RunInput | number): void {
    this.#checkOpen('set a variable');
    const node = this.#variable(variable);
    const name = variableName(node);
    const list = typeof values === 'number' ? [values] : values;
    if (this.#engine.set(name, list)) return;
    const tensor = { name, dtype: node.type.dtype, shape: node.type.shape };
    this.#pending.set(name, toData(`value for variable '${name}'`, tensor, list).slice());
  }

  /** The variables of all entries that have been compiled so far, in the order in which they were met. */
  variables(): VariableInfo[] {
    return [...this.#registry.variables].map(([name, node]) => ({
      name,
      dtype: node.type.dtype,
      shape: node.type.shape,
      trainable: isTrainable(node),
      node,
    }));
  }

  /**
   * Text of a stage: `source`, `graph`, `kernels`, `plan`, `code` (`wat` or `js`). Of one specialisation, which is
   * compiled if need be, or of all that have been compiled. Throws HDL0014, HDL0003 (unknown stage, nothing to show).
   *
   * @example console.log(p.dump('plan', { entry: 'train', dims: { batch: 64 } }));
   */
  dump(stage: DumpStage, of: { readonly entry?: keyof E & string; readonly dims?: Dims } = {}): string {
    this.#checkOpen('dump');
    if (!Object.hasOwn(dumpStages, stage)) {
      throw compilerError('HDL0003', {
        what: `dump('${stage}')`,
        rule: `the stage is one of ${Object.keys(dumpStages).join(', ')}`,
        hint: nearestHint(stage, Object.keys(dumpStages)),
        loc: callerLocation(),
      });
    }
    if (of.entry !== undefined) {
      const names = dimNames(this.#find(of.entry).inputs);
      if (of.dims !== undefined || names.length === 0) {
        return this.#specialisations
          .compile(of.entry, this.#find(of.entry), this.#checkDims(of.entry, of.dims ?? {}))
          .compiled.dump(stage);
      }
    }
    const shown = this.#specialisations.all().filter((s) => of.entry === undefined || s.entry === of.entry);
    if (shown.length === 0) {
      throw compilerError('HDL0003', {
        what: `dump('${stage}')${of.entry === undefined ? '' : ` of entry '${of.entry}'`}`,
        rule: 'nothing has been compiled yet',
        hint: `say for which sizes: dump('${stage}', { entry: '${Object.keys(this.#entries)[0]}', dims: { … } })`,
        loc: callerLocation(),
      });
    }
    return shown
      .map((s) => (shown.length === 1 ? '' : `# ${title(s)}\n`) + s.compiled.dump(stage))
      .join('\n');
  }

  /**
   * A few lines about an entry's plan: kernels, barriers, memory, time of each stage. Compiles it if need be. Throws as `dump`.
   *
   * @example console.log(p.describe('train', { batch: 64 }));
   */
  describe(name: keyof E & string, dims: Dims = {}): string {
    this.#checkOpen('describe an entry');
    const made = this.#specialisations.compile(name, this.#find(name), this.#checkDims(name, dims));
    const { plan } = made.compiled;
    if (plan === null) return `${title(made)}: interpreted`;
    return describePlan(title(made), plan, this.#engine.threads, made.timings);
  }

  /** Milliseconds of each stage, for each specialisation compiled so far. */
  get timings(): readonly {
    readonly entry: string;
    readonly dims: Dims;
    readonly stages: readonly Timing[];
  }[] {
    return this.#specialisations.all().map(({ entry, dims, timings }) => ({
      entry,
      dims,
      stages: timings,
    }));
  }

  /** The layers that an entry applies, with their outputs, for given sizes; compiles nothing. Throws as `compile`. */
  layers(name: keyof E & string, dims: Dims = {}): readonly AppliedLayer[] {
    this.#checkOpen('list layers');
    const bound = this.#checkDims(name, dims);
    return traceEntry(name, this.#find(name), bound, this.#registry).layers;
  }

  /**
   * All plans compiled so far, with the current values of their variables, as one file that `heddle/runtime` loads
   * without the compiler. With `variants`, each plan with and without fused multiply-add: whoever loads the file gets
   * what the engine there can run. Throws HDL0017 for target `reference`, HDL0003 when nothing has been compiled.
   */
  async save(options: { readonly variants?: boolean } = {}): Promise<Uint8Array> {
    this.#checkOpen('save');
    const compiled = this.#specialisations.all().map((s) => s.compiled);
    const plans = compiled.map((c) => c.plan);
    if (plans.length === 0 || plans.includes(null)) {
      throw compilerError(plans.length === 0 ? 'HDL0003' : 'HDL0017', {
        what: 'save of a program',
        rule: plans.length === 0 ? 'nothing has been compiled yet' : "target 'reference' has no plans",
        hint: "compile what the file should hold first: await p.compile('predict', { batch: 1 })",
        loc: callerLocation(),
      });
    }
    return savePlans(
      options.variants ? compiled.map((c) => this.#engine.variants(c)) : plans.filter((p) => p !== null),
      ({ name }) => this.get(name).data,
    );
  }

  /** Ends the threads. Later calls throw HDL1002. May be called again. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#engine.dispose();
  }

  #bind(name: string, feeds: object): BoundFeeds {
    return bindFeeds(name, this.#find(name).inputs, feeds as Readonly<Record<string, unknown>>);
  }

  #find(name: string): AnyEntry {
    const found = Object.hasOwn(this.#entries, name) ? this.#entries[name] : undefined;
    if (found !== undefined) return found;
    const known = Object.keys(this.#entries);
    const near = nearestName(name, known);
    throw compilerError('HDL0014', {
      what: `the program has no entry '${name}'`,
      rule: `its entries are ${known.map((n) => `'${n}'`).join(', ') || 'none'}`,
      hint: near === null ? 'use one of these' : `did you mean '${near}'?`,
      loc: callerLocation(),
    });
  }

  #checkDims(name: string, dims: Dims): Dims {
    return checkDims(name, this.#find(name).inputs, dims);
  }

  #variable(variable: Node | string): Node {
    if (typeof variable !== 'string') return variable;
    const found = this.#registry.variables.get(variable);
    if (found !== undefined) return found;
    const known = [...this.#registry.variables.keys()];
    throw runtimeError('HDL1008', {
      what: `the program has no variable '${variable}'`,
      rule: 'variables are those of the entries compiled so far, named by scope path',
      hint: known.length === 0 ? 'compile or run an entry first' : nearestHint(variable, known),
    });
  }

  #checkOpen(what: string): void {
    if (!this.#disposed) return;
    throw runtimeError('HDL1002', {
      what: `the program was disposed, it cannot ${what}`,
      rule: 'dispose ends a program for good',
      hint: 'dispose it at the end, or make another one',
    });
  }
}

function nearestHint(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === null ? `there are ${known.slice(0, 12).join(', ')}` : `did you mean '${near}'?`;
}
