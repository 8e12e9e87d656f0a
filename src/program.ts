// Programs: entries over shared variables. An entry is compiled when it is first run with given sizes, and kept; all
// specialisations read and update the same variables, which the program owns.
//
// Here is what runs entries. What else a program offers stands in program/, one class for each purpose, each on top of the
// one before it, since a class has one base.
//
// Invariant: a call that fails, in checking, building, compiling or running, leaves variables and specialisations as
// they were.

import { HeddleError } from '../runtime/errors.ts';
import { FailedChecks } from '../runtime/program.ts';
import type { StepsRequest, StepsResult } from '../runtime/steps.ts';
import type { RunInput, RunTensor } from '../runtime/tensor.ts';
import { explainFailure, stepInputs, watchOutput } from './debug/index.ts';
import type { Feed } from './feeds.ts';
import { type Profile, type ProfileOptions, profileEntry } from './profile/index.ts';
import { ProgramValues } from './program/values.ts';
import type { Entries, FeedsOf, InputViewsOf, ProgramOptions, ResultsOf, StepsOf } from './program-types.ts';
import { ResidentCopies } from './resident-copies.ts';
import type { Dims } from './spec.ts';
import type { Specialisation } from './specialisations.ts';
import { bindStepFeed, type StepFeeds } from './steps.ts';
import { sampleFeeds } from './tune/sample-feeds.ts';
import { type Tuned, type TuneOptions, tuneGraph } from './tune/tune.ts';

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

export class Program<E extends Entries = Entries> extends ProgramValues<E> {
  readonly #resident: ResidentCopies;
  readonly #checksNumerics: boolean;

  /** Use `program(…)`. */
  constructor(entries: E, options: ProgramOptions = {}) {
    super(entries, options);
    this.#resident = new ResidentCopies(this.core.engine);
    this.#checksNumerics = options.checkNumerics ?? false;
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
    this.core.checkOpen('run');
    if (Object.hasOwn(feeds, 'steps') && !Object.hasOwn(this.core.find(name).inputs, 'steps')) {
      const options = feeds as StepsOf<E[N]>;
      const { outputs, end } = await this.runSteps(name, options);
      if (end === 'aborted') throw options.signal!.reason;
      return outputs as ResultsOf<E[N]>;
    }
    const { dims, values } = this.core.bind(name, feeds);
    const { made, loaded } = await this.core.load(name, dims);
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
    this.core.checkOpen('run');
    const { steps, feed, outputs, onProgress, ...rest } = options;
    const { inputs } = this.core.find(name);
    const given = feed as StepFeeds<Readonly<Record<string, Feed>>>;
    const { dims, bound } = await bindStepFeed(name, inputs, given, steps);
    const { made, loaded } = await this.core.load(name, dims);
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
    this.core.checkOpen('profile');
    const { dims, values } = this.core.bind(name, feeds);
    const { made, loaded } = await this.core.load(name, dims);
    return profileEntry(name, dims, made.compiled, loaded, values, options);
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
    this.core.checkOpen('tune');
    const { dims, values } = this.core.bindOrSize(name, feeds);
    const graph = this.core.specialisations.graph(name, this.core.find(name), dims);
    const { initial } = this.core.specialisations;
    const fed = values ?? sampleFeeds(this.core.find(name).inputs, dims);
    return tuneGraph(this.core.engine, graph, initial, fed, options);
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
    this.core.checkOpen('write inputs');
    const { loaded } = await this.core.load(name, this.core.checkDims(name, dims));
    return (await loaded.inputs()) as InputViewsOf<E[N]>;
  }

  /**
   * Compiles and loads an entry ahead of its first run. Throws HDL0014, HDL0003 (sizes missing), and as `run`.
   *
   * @example await p.compile('train', { batch: 64 });
   */
  async compile(name: keyof E & string, dims: Dims = {}): Promise<void> {
    this.core.checkOpen('compile');
    await this.core.load(name, this.core.checkDims(name, dims));
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
    return inputs === null ? error : explainFailure(error, this.core.subject(compiled.graph, inputs));
  }

  /** The outputs without the statistics of watched values, which go where they belong. */
  #record<T extends RunTensor>(
    { entry, watched }: Specialisation,
    outputs: Readonly<Record<string, T>>,
  ): Record<string, T> {
    const { [watchOutput]: statistics, ...rest } = outputs;
    if (watched !== null && statistics) this.core.specialisations.watchOf(entry)?.record(watched, statistics);
    return rest;
  }
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
