// Programs: entries over shared variables. An entry is compiled when it is first run with given sizes, and kept; all
// specialisations read and update the same variables, which the program owns.
//
// Invariant: a call that fails, in checking, building, compiling or running, leaves variables and specialisations as
// they were.

import {
  checkStage,
  type DumpOptions,
  type DumpStage,
  type Inspection,
  type Timing,
} from '../compiler/compile.ts';
import { compilerError } from '../compiler/graph/errors.ts';
import type { Graph, Node } from '../compiler/graph/ir.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { HeddleError, runtimeError } from '../runtime/errors.ts';
import { savePlans } from '../runtime/file.ts';
import { FailedChecks } from '../runtime/program.ts';
import type { StepsRequest, StepsResult } from '../runtime/steps.ts';
import { type RunData, type RunInput, type RunTensor, toData } from '../runtime/tensor.ts';
import { fileWriter } from './callbacks/file.ts';
import type { AppliedLayer, Registry } from './context.ts';
import type { DataSource } from './data/source.ts';
import {
  checkGraphGradients,
  type Explained,
  type ExplainOptions,
  explainFailure,
  explainNode,
  findNotFinite,
  findValue,
  type GradCheck,
  type GradCheckOptions,
  type NumericsReport,
  type Subject,
  stepInputs,
  Watch,
  type WatchOptions,
  watchOutput,
} from './debug/index.ts';
import { describePlan } from './describe.ts';
import { compiledEngine, type Engine } from './engine.ts';
import { type AnyEntry, traceEntry } from './entry.ts';
import { type BoundFeeds, bindFeeds, type Feed } from './feeds.ts';
import { findEntry, unknownVariable } from './find-entry.ts';
import { type ExportOnnxOptions, exportGraph } from './onnx/export/export.ts';
import { type Profile, type ProfileOptions, profileEntry } from './profile/index.ts';
import type {
  DumpOf,
  Entries,
  EntryInfo,
  FeedsOf,
  InputViewsOf,
  ProgramOptions,
  ResultsOf,
  SaveOptions,
  StepsOf,
  VariableInfo,
  ViewOptions,
} from './program-types.ts';
import { referenceEngine } from './reference.ts';
import { ResidentCopies } from './resident-copies.ts';
import { checkDims, type Dims, dimNames } from './spec.ts';
import { type Specialisation, Specialisations, title } from './specialisations.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './state/checkpoint.ts';
import { expectFits } from './state/restore.ts';
import { readStored, type StoreTarget, store } from './state/store.ts';
import { bindStepFeed, type StepFeeds } from './steps.ts';
import { sampleFeeds } from './tune/sample-feeds.ts';
import { type Tuned, type TuneOptions, tuneGraph } from './tune/tune.ts';
import { initialValue, isTrainable, variableName } from './variable.ts';
import { viewPage } from './view/index.ts';

export type * from './program-types.ts';

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

/** What to keep of outputs, and of each step the statistics of watched values. */
function keepWatched(
  { watched, compiled }: Specialisation,
  keep: StepsRequest['keep'],
): StepsRequest['keep'] {
  if (watched === null) return keep;
  const names = compiled.graph.outputs.map((o) => o.name);
  const given = typeof keep === 'string' ? Object.fromEntries(names.map((n) => [n, keep])) : keep;
  return { ...given, [watchOutput]: 'each' };
}

export class Program<E extends Entries = Entries> {
  readonly #entries: E;
  readonly #engine: Engine;
  readonly #registry: Registry;
  readonly #specialisations: Specialisations;
  /** Values set before anything that uses the variable was loaded. */
  readonly #pending = new Map<string, RunData>();
  readonly #resident: ResidentCopies;
  readonly #checksNumerics: boolean;
  #disposed = false;

  /** Use `program(…)`. */
  constructor(entries: E, options: ProgramOptions = {}) {
    const { target = 'wasm', seed = 0, ...rest } = options;
    this.#entries = entries;
    this.#checksNumerics = options.checkNumerics ?? false;
    this.#engine = target === 'reference' ? referenceEngine() : compiledEngine({ target, ...rest });
    this.#resident = new ResidentCopies(this.#engine);
    this.#registry = { seed, variables: new Map(), paths: new WeakMap() };
    this.#specialisations = new Specialisations(this.#engine, this.#registry, {
      onProgress: options.onProgress,
      hasCache: options.cache !== undefined,
      initial: (node) => this.#pending.get(variableName(node)) ?? initialValue(node, seed),
    });
  }

  /**
   * Runs an entry and commits what it assigned. Feeds are typed arrays, nested arrays or `{ data, shape }`.
   * Throws HDL0014 (no such entry), HDL1001 (feeds do not fit), HDL1002 (disposed), HDL1003–1005 (the run failed), and
   * what building and compiling throw; variables are then as before.
   *
   * With `{ steps, feed }` it runs so many steps and returns to the caller once: small nets train many times faster. Each
   * step commits; an error names the step, and what the steps before it have done stays. Small outputs come from every step,
   * as [steps, …]. When `signal` is aborted, the promise is rejected with the signal's reason after the last complete step.
   *
   * @example
   * const { loss } = await p.run('train', { steps: 100, feed: resident({ x, y }, order) });   // loss: f32[100]
   */
  async run<N extends keyof E & string>(name: N, options: StepsOf<E[N]>): Promise<ResultsOf<E[N]>>;
  async run<N extends keyof E & string>(name: N, feeds: FeedsOf<E[N]>): Promise<ResultsOf<E[N]>>;
  async run<N extends keyof E & string>(
    name: N,
    feeds: FeedsOf<E[N]> | StepsOf<E[N]>,
  ): Promise<ResultsOf<E[N]>> {
    this.#checkOpen('run');
    if (Object.hasOwn(feeds, 'steps') && !Object.hasOwn(this.#find(name).inputs, 'steps')) {
      const options = feeds as StepsOf<E[N]>;
      const { outputs, end } = await this.runSteps(name, options);
      if (end === 'aborted') throw options.signal!.reason;
      return outputs as ResultsOf<E[N]>;
    }
    const { dims, values } = this.#bind(name, feeds);
    const { made, loaded } = await this.#specialisations.load(name, this.#find(name), dims);
    try {
      return this.#record(made, await loaded.run(values)) as ResultsOf<E[N]>;
    } catch (error) {
      throw await this.#explained(error, made, () => values);
    }
  }

  /**
   * Many steps, as by `run`, with how they ended: `complete`, `aborted` by the signal, `feedEnded` when an iterator gave
   * fewer, or `notFinite` when the watched output was not. Throws as `run`.
   */
  async runSteps<N extends keyof E & string>(name: N, options: StepsOf<E[N]>): Promise<StepsResult> {
    this.#checkOpen('run');
    const { steps, feed, outputs, onProgress, ...rest } = options;
    const { inputs } = this.#find(name);
    const given = feed as StepFeeds<Readonly<Record<string, Feed>>>;
    const { dims, bound } = await bindStepFeed(name, inputs, given, steps);
    const { made, loaded } = await this.#specialisations.load(name, this.#find(name), dims);
    const request: Omit<StepsRequest, 'feed'> = {
      steps,
      keep: keepWatched(made, outputs as StepsRequest['keep']),
      onProgress: onProgress && ((done) => onProgress({ done, steps })),
      ...rest,
    };
    const record = (result: StepsResult): StepsResult => ({
      ...result,
      outputs: this.#record(made, result.outputs),
    });
    const explain = async (error: unknown): Promise<unknown> =>
      this.#explained(error, made, (step) =>
        stepInputs(made.compiled.graph, bound, step - (options.before ?? 0)),
      );
    if (bound.kind !== 'resident') {
      try {
        return record(await loaded.runSteps({ ...request, feed: bound }));
      } catch (error) {
        throw await explain(error);
      }
    }
    const { data, isOwner } = bound.feed;
    try {
      const rows = await this.#resident.keep(inputs, data, bound.rows);
      const feed = { kind: 'rows', rows, indices: bound.indices } as const;
      return record(await loaded.runSteps({ ...request, feed }));
    } catch (error) {
      throw await explain(error);
    } finally {
      if (isOwner) await data.release();
    }
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
   * Finds the first op of an entry that makes a NaN or an infinity from these feeds and the variables as they are: with its
   * scope, the user's line, and the ranges of its operands. Of any size and for any target; nothing is committed. Where
   * the trouble is in an input or a variable, that is named. Throws as `run`, but for HDL1005.
   *
   * @example console.log(formatNumerics(await p.checkNumerics('train', { x, y })));
   */
  async checkNumerics<N extends keyof E & string>(name: N, feeds: FeedsOf<E[N]>): Promise<NumericsReport> {
    this.#checkOpen('check numerics');
    const { dims, values } = this.#bind(name, feeds);
    const { graph } = this.#specialisations.declared(name, this.#find(name), dims);
    return findNotFinite(this.#subject(graph, values));
  }

  /**
   * From now on each step of an entry also computes statistics of the variables, layers' outputs and named values whose
   * path matches, and of their gradients: `*` stands for anything, and a path for all below it. In the workers, as part of
   * the step; what they find is in the returned `Watch`, also for each of many steps. An entry has one watch; another one
   * takes its place. Throws HDL0014, HDL0003 (options); HDL0015 from the next run when nothing matches.
   *
   * @example
   * const watch = p.watch('train', 'block1/*');
   * await p.run('train', { x, y });
   * for (const { path, mean, norm, zeros } of watch.last) console.log(path, mean, norm, zeros);
   */
  watch(name: keyof E & string, patterns: string | readonly string[], options: WatchOptions = {}): Watch {
    this.#checkOpen('watch values');
    this.#find(name);
    const list = typeof patterns === 'string' ? [patterns] : patterns;
    const watch = new Watch(name, list, options, (stopped) => {
      if (this.#specialisations.watchOf(name) === stopped) this.#specialisations.watch(name, null);
    });
    this.#specialisations.watch(name, watch);
    return watch;
  }

  /**
   * How a value of an entry came to be: the ops above it, down to inputs and variables, with the lines that made them; given
   * feeds also their numbers. The value is meant by a node, the name of an output, the path of a variable or layer, or a
   * name that it was given; `next w` is the new value of variable w. Commits nothing. Throws HDL0015 (no such value), and
   * as `run`.
   *
   * @example console.log(formatExplanation(await p.explain('train', 'loss', { x, y }, { depth: 4 })));
   */
  async explain<N extends keyof E & string>(
    name: N,
    value: string | Node,
    feeds: FeedsOf<E[N]> | Dims = {},
    options: ExplainOptions = {},
  ): Promise<Explained> {
    this.#checkOpen('explain a value');
    const { inputs } = this.#find(name);
    const isFed = Object.keys(inputs).some((input) => Object.hasOwn(feeds, input));
    const dims = isFed ? null : this.#checkDims(name, feeds as Dims);
    const bound = dims ? { dims, values: null } : this.#bind(name, feeds);
    const { graph, layers } = this.#specialisations.declared(name, this.#find(name), bound.dims);
    const node = findValue(graph, layers, value);
    const isKnown = bound.values !== null || Object.keys(inputs).length === 0;
    const run = isKnown ? this.#subject(graph, bound.values ?? {}) : null;
    return explainNode(graph, node, run, options);
  }

  /**
   * Compares the gradients of an entry's f32 outputs, by all of its f32 inputs and variables, with central differences, in
   * float64 by the interpreter: a test for ops, and gradients, of your own. Slow: for small sizes. Throws HDL0005 (an op
   * without a gradient), HDL0015 (no f32 output), and as `run`.
   *
   * @example console.log(formatGradCheck(await p.gradCheck('apply', { x: [0.1, -0.3] })));
   */
  async gradCheck<N extends keyof E & string>(
    name: N,
    feeds: FeedsOf<E[N]>,
    options: GradCheckOptions = {},
  ): Promise<GradCheck> {
    this.#checkOpen('check gradients');
    const { dims, values } = this.#bind(name, feeds);
    const { graph } = this.#specialisations.declared(name, this.#find(name), dims);
    const variables = this.variables().map((v) => [v.name, this.get(v.name).data] as const);
    const inputs = Object.entries(values).map(
      ([key, data]) => [key, Float64Array.from(data as ArrayLike<number>)] as const,
    );
    return checkGraphGradients(graph, Object.fromEntries(inputs), Object.fromEntries(variables), options);
  }

  /**
   * Finds the fastest register tile of every contraction of an entry, here and now: compiles the entry with each tile that
   * is worth a try, and times its kernels, with these feeds or with made-up ones of these sizes. What it returns is plain
   * data, to be passed as `schedules`, kept in a file, shipped. Results keep their bits, and no variable changes. Takes
   * seconds. Throws HDL0017 for target `reference`, HDL1001 for rounds that are no count, and as `run`.
   *
   * @example
   * const tuned = await p.tune('train', { batch: 64 });
   * await writeFile('tuned.json', JSON.stringify(tuned));
   * const faster = program(entries, { schedules: tuned.schedules });
   */
  async tune<N extends keyof E & string>(
    name: N,
    feeds: FeedsOf<E[N]> | Dims,
    options: TuneOptions = {},
  ): Promise<Tuned> {
    this.#checkOpen('tune');
    const { inputs } = this.#find(name);
    const isFed = Object.keys(inputs).some((input) => Object.hasOwn(feeds, input));
    const dims = isFed ? null : this.#checkDims(name, feeds as Dims);
    const bound = dims ? { dims, values: sampleFeeds(inputs, dims) } : this.#bind(name, feeds);
    const graph = this.#specialisations.graph(name, this.#find(name), bound.dims);
    return tuneGraph(this.#engine, graph, this.#specialisations.initial, bound.values, options);
  }

  /**
   * Arrays that lie where an entry's workers read its inputs: fill them and pass them to `run`, and nothing is copied. Their
   * contents stay. Not to be written while a run is in flight; ask again after another entry was compiled, since memory
   * may have moved. Throws as `compile`.
   *
   * @example
   * const inputs = await p.inputs('train', { batch: 64 });
   * inputs.x.set(images); inputs.y.set(labels);
   * await p.run('train', inputs);
   */
  async inputs<N extends keyof E & string>(name: N, dims: Dims = {}): Promise<InputViewsOf<E[N]>> {
    this.#checkOpen('write inputs');
    const { loaded } = await this.#specialisations.load(name, this.#find(name), this.#checkDims(name, dims));
    return (await loaded.inputs()) as InputViewsOf<E[N]>;
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
   * Text of a stage: `source`, `passes`, `pass:NAME`, `graph`, `kernels`, `plan`, `memory`, `code` (`wat` or `js`), `dot`,
   * `json`. Of one specialisation, which is compiled if need be, or of all that have been compiled. Long texts are cut;
   * with `full` they are whole, and graphs and plans read back. Throws HDL0014, HDL0003 (unknown stage or kernel, nothing
   * to show), HDL0017 (a stage that this target does not have).
   *
   * @example console.log(p.dump('plan', { entry: 'train', dims: { batch: 64 }, full: true }));
   */
  dump(stage: DumpStage, of: DumpOf<E> & DumpOptions = {}): string {
    this.#checkOpen('dump');
    checkStage(stage, callerLocation());
    const { entry: _entry, dims: _dims, ...options } = of;
    const shown = this.#shown(`dump('${stage}')`, of);
    return shown
      .map((s) => (shown.length === 1 ? '' : `# ${title(s)}\n`) + s.compiled.dump(stage, options))
      .join('\n');
  }

  /**
   * All that a compilation shows of itself, as plain data: graphs, passes, kernels with their code, the plan, memory and
   * schedules. For tools; docs/schema/inspection.json says what is in it. Of one specialisation, as `dump`; of several that
   * have been compiled, the first. Throws as `dump`.
   *
   * @example const { steps, memory } = p.inspect({ entry: 'train', dims: { batch: 64 } });
   */
  inspect(of: DumpOf<E> = {}): Inspection {
    this.#checkOpen('inspect');
    return this.#shown('inspect', of)[0]!.compiled.inspect();
  }

  /**
   * A page that shows what the compiler made: the graph with its gradient, memory, schedule, roofline, kernels and passes, and
   * of a profile what was measured. One HTML file, which needs no network. Of one specialisation, as `dump`, or of all that
   * have been compiled. With a path, it is written there (in Node). Throws as `dump`; HDL1099 where the viewer was not built.
   *
   * @example
   * const profile = await p.profile('train', feeds);
   * await p.view('train.html', { entry: 'train', dims: { batch: 64 }, profile });
   */
  async view(path?: string, of: DumpOf<E> & ViewOptions = {}): Promise<string> {
    this.#checkOpen('view');
    const file = path === undefined ? null : fileWriter('view', path, 'call view() without a path');
    const shown = this.#shown('view', of).map((s) => ({
      title: title(s),
      inspection: s.compiled.inspect(),
      fusion: s.compiled.dump('fusion', { full: true }),
      // A profile belongs to the specialisation that was run.
      profile: of.profile && title({ ...of.profile }) === title(s) ? of.profile : null,
    }));
    const html = await viewPage(of.title ?? shown.map((s) => s.title).join(', '), shown);
    await file?.replace(new TextEncoder().encode(html));
    return html;
  }

  /** The specialisation that is asked for, compiled if need be; or all that have been compiled. */
  #shown(what: string, of: DumpOf<E>): Specialisation[] {
    if (of.entry !== undefined) {
      const names = dimNames(this.#find(of.entry).inputs);
      if (of.dims !== undefined || names.length === 0) {
        const dims = this.#checkDims(of.entry, of.dims ?? {});
        return [this.#specialisations.compile(of.entry, this.#find(of.entry), dims)];
      }
    }
    const shown = this.#specialisations.all().filter((s) => of.entry === undefined || s.entry === of.entry);
    if (shown.length > 0) return shown;
    const call = what.replace(/\)$/, '');
    throw compilerError('HDL0003', {
      what: `${what}${of.entry === undefined ? '' : ` of entry '${of.entry}'`}`,
      rule: 'nothing has been compiled yet',
      hint: `say for which sizes: ${call}${call === what ? '(' : ', '}{ entry: '${Object.keys(this.#entries)[0]}', dims: { … } })`,
      loc: callerLocation(),
    });
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

  /** The entries in the order of declaration, with what they are fed and the named dimensions of that. */
  get entries(): readonly EntryInfo[] {
    return Object.entries(this.#entries).map(([name, { inputs, training }]) => ({
      name,
      training,
      inputs: Object.entries(inputs).map(([input, { dtype, shape }]) => ({ name: input, dtype, shape })),
      dims: dimNames(inputs),
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
   * without the compiler; with a path (in Node) it is also written there, whole or not at all. With `variants`, each plan
   * with and without fused multiply-add: whoever loads the file gets what the engine there can run. Without `weights`,
   * whoever loads it gives the values. Throws HDL0017 for target `reference` and for a path where there are no files, HDL0003
   * when nothing has been compiled.
   *
   * @example
   * await p.compile('predict', { batch: 1 });
   * await p.save('net.heddle');                       // elsewhere: load('net.heddle') of heddle/runtime
   */
  async save(options?: SaveOptions): Promise<Uint8Array>;
  async save(path: string, options?: SaveOptions): Promise<Uint8Array>;
  async save(first: string | SaveOptions = {}, second: SaveOptions = {}): Promise<Uint8Array> {
    this.#checkOpen('save');
    const [file, options] =
      typeof first === 'string'
        ? [fileWriter('save', first, 'use the bytes that save() returns'), second]
        : [null, first];
    const made = this.#specialisations.all().filter((s) => s.watched === null);
    const compiled = made.map((s) => s.compiled);
    const plans = compiled.map((c) => c.plan);
    if (plans.length === 0 || plans.includes(null)) {
      throw compilerError(plans.length === 0 ? 'HDL0003' : 'HDL0017', {
        what: 'save of a program',
        rule: plans.length === 0 ? 'nothing has been compiled yet' : "target 'reference' has no plans",
        hint: "compile what the file should hold first: await p.compile('predict', { batch: 1 })",
        loc: callerLocation(),
      });
    }
    const bytes = savePlans(
      options.variants ? compiled.map((c) => this.#engine.variants(c)) : plans.filter((p) => p !== null),
      options.weights === false ? undefined : ({ name }) => this.get(name).data,
    );
    await file?.replace(bytes);
    return bytes;
  }

  /** What initial values and random ops follow from. */
  get seed(): number {
    return this.#registry.seed;
  }

  /**
   * Copies of all variables of the entries compiled so far: parameters, state of optimizers, counters of random ops. With `restore`,
   * in a program of the same entries, what follows has the same bits.
   *
   * @example await writeFile('state.npz', await data.saveNpz(Object.fromEntries(p.state())));
   */
  state(): ReadonlyMap<string, RunTensor> {
    return new Map(this.variables().map(({ name, node }) => [name, this.get(node)]));
  }

  /** Sets all variables of the entries compiled so far. Throws HDL1020 unless there is a value for each, and no other; none is set then. */
  restore(values: ReadonlyMap<string, RunTensor>): void {
    this.#checkOpen('restore variables');
    expectFits(this.variables(), values);
    for (const [name, { data }] of values) this.set(name, data);
  }

  /**
   * Writes `state()` to a safetensors file, which appears whole or not at all, or hands over its bytes; `metadata` goes with it, for
   * example the number of steps so far. Throws HDL0017 (a file, where there are none).
   *
   * @example await p.saveCheckpoint('state.safetensors', { step: '1000' });
   */
  async saveCheckpoint(to: StoreTarget, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    const checkpoint: Checkpoint = { variables: this.state(), seed: this.seed, training: null, metadata };
    await store('saveCheckpoint', to, writeCheckpoint(checkpoint));
  }

  /**
   * Restores what `saveCheckpoint` wrote, after the same entries were compiled, and returns its metadata. Throws HDL0016 (no such
   * file), HDL1020 (the file is not whole, or of another program; no variable is set then).
   *
   * @example
   * await p.compile('train', { batch: 64 });
   * const { step } = await p.loadCheckpoint('state.safetensors');
   */
  async loadCheckpoint(from: DataSource): Promise<Readonly<Record<string, string>>> {
    const { variables, metadata } = readCheckpoint(await readStored(from));
    this.restore(variables);
    return metadata;
  }

  /**
   * An entry for given sizes as an ONNX model (opset 20), with the current values of its variables: what other runtimes run
   * and Netron shows. An entry that assigns variables gives their new values as outputs `next/…`. Throws HDL0021 for ops
   * that ONNX has no counterpart of, with their line, and as `compile`.
   *
   * @example await writeFile('net.onnx', p.exportOnnx('predict', { batch: 1 }));
   */
  exportOnnx(name: keyof E & string, dims: Dims = {}, options: ExportOnnxOptions = {}): Uint8Array {
    this.#checkOpen('export an entry');
    const { graph } = this.#specialisations.declared(name, this.#find(name), this.#checkDims(name, dims));
    return exportGraph(graph, (variable) => this.get(variable), options);
  }

  /** Ends the threads. Later calls throw HDL1002. May be called again. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#engine.dispose();
  }

  /** What is looked at by debuggers. */
  #subject(graph: Graph, inputs: Readonly<Record<string, RunInput>>): Subject {
    return {
      engine: this.#engine,
      graph,
      inputs,
      initial: (variable) => this.#specialisations.initial(variable),
    };
  }

  /** An error of the option `checkNumerics`, with the ranges of operands; others as they are. `inputsOf` is told the step. */
  async #explained(
    error: unknown,
    { compiled }: Specialisation,
    inputsOf: (step: number) => Readonly<Record<string, RunInput>> | null,
  ): Promise<unknown> {
    if (!this.#checksNumerics || !(error instanceof HeddleError) || error.code !== 'HDL1005') return error;
    const step = error.cause instanceof FailedChecks ? (error.cause.at?.step ?? 0) : 0;
    const inputs = inputsOf(step);
    return inputs === null ? error : explainFailure(error, this.#subject(compiled.graph, inputs));
  }

  /** The outputs without the statistics of watched values, which go where they belong. */
  #record<T extends RunTensor>(
    { entry, watched }: Specialisation,
    outputs: Readonly<Record<string, T>>,
  ): Record<string, T> {
    const { [watchOutput]: statistics, ...rest } = outputs;
    if (watched !== null && statistics) this.#specialisations.watchOf(entry)?.record(watched, statistics);
    return rest;
  }

  #bind(name: string, feeds: object): BoundFeeds {
    return bindFeeds(name, this.#find(name).inputs, feeds as Readonly<Record<string, unknown>>);
  }

  #find(name: string): AnyEntry {
    return findEntry(this.#entries, name);
  }

  #checkDims(name: string, dims: Dims): Dims {
    return checkDims(name, this.#find(name).inputs, dims);
  }

  #variable(variable: Node | string): Node {
    if (typeof variable !== 'string') return variable;
    const found = this.#registry.variables.get(variable);
    if (found !== undefined) return found;
    throw unknownVariable(variable, [...this.#registry.variables.keys()]);
  }

  #checkOpen(what: string): void {
    if (!this.#disposed) return;
    throw runtimeError('HDL1002', {
      what: `the program was disposed, it cannot ${what}`,
      rule: 'dispose ends a program for good',
      hint: 'dispose it at the end, after an await of what it runs, or make another one',
    });
  }
}
