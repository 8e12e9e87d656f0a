// Model: training as most people do it. A net, declared by adding layers or by a build function, with `fit`, `evaluate`
// and `predict` over a program of three entries. The program stays reachable, so a hand-written step over the same
// variables is always possible.

import type { DumpOptions, DumpStage } from '../../compiler/compile.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import type { History } from '../callbacks/callback.ts';
import type { Dataset } from '../data/dataset/index.ts';
import { saveNpz } from '../data/npz.ts';
import type { DataSource } from '../data/source.ts';
import type { NumericsReport, Watch, WatchOptions } from '../debug/index.ts';
import { type AnyEntry, type Specs, type Traced, traceEntry } from '../entry.ts';
import type { Metric } from '../metrics/metric.ts';
import { sequential } from '../nn/container.ts';
import type { Layer } from '../nn/layer.ts';
import { Program } from '../program.ts';
import type { Figures } from '../progress.ts';
import type { StoreTarget } from '../state/store.ts';
import {
  type Build,
  modelEntries,
  onlyOutput,
  predictEntry,
  type Training,
  targetName,
  weighted,
  weightName,
} from './entries.ts';
import { inputRows, type RowsByName, rowsOf } from './examples.ts';
import { runFit } from './fit.ts';
import { trainingOf } from './heads.ts';
import { loadVariables } from './load.ts';
import { overBatches, Pace } from './loop.ts';
import {
  type CompileModelOptions,
  type FitData,
  type FitOptions,
  isInputSpec,
  type ModelData,
  type ModelOptions,
  withBatch,
} from './options.ts';
import { measureRows, predictAll } from './predict.ts';
import { summarize } from './summary.ts';
import { Totals } from './totals.ts';
import { arraysOf, inputsOf, type TrainingData, trainingData } from './training-data.ts';
import { consoleWarning, warnOfData, warnOfHeads } from './warnings.ts';

/** Shapes that do not depend on data are looked at for so many examples; two, since batch norm needs more than one. */
const probeBatch = 2;

/**
 * A net with its training.
 *
 * @example
 * const model = new Model({ input: [2] }).add(nn.dense(100), nn.relu(), nn.dense(3));
 * model.compile({ loss: losses.softmaxCrossEntropy, optimizer: optimizers.adam(), metrics: [metrics.accuracy()] });
 * await model.fit(data.spiral(100), { epochs: 50, batchSize: 20 });
 * await model.dispose();
 */
export class Model {
  readonly #inputs: Specs;
  readonly #layers: Layer[] = [];
  readonly #build: ModelOptions['build'];
  #program: Program | null = null;
  #training: Training | undefined;
  #warn: (text: string) => void = consoleWarning;

  /** Throws HDL0015 when there is no input, or one is called `y`, which is the target, or `sampleWeight`. */
  constructor(options: ModelOptions) {
    const given = isInputSpec(options.input) ? { x: options.input } : options.input;
    const names = Object.keys(given ?? {});
    const reserved = names.find((n) => n === targetName || n === weightName);
    if (names.length === 0 || reserved !== undefined) {
      throw compilerError('HDL0015', {
        what: `new Model with ${reserved === undefined ? 'no input' : `an input '${reserved}'`}`,
        rule: `a model has at least one input; '${targetName}' is its target, '${weightName}' the weights of examples`,
        hint: 'say the shape of one example: new Model({ input: [1, 28, 28] })',
        loc: callerLocation(),
      });
    }
    this.#inputs = Object.fromEntries(names.map((n) => [n, withBatch(given[n]!)]));
    this.#build = options.build;
  }

  /** Appends layers. Throws HDL0015 after `compile`, and for a model with a build function or several inputs. */
  add(...layers: readonly Layer[]): this {
    const names = Object.keys(this.#inputs);
    if (this.#build !== undefined || names.length > 1 || this.#program !== null) {
      throw compilerError('HDL0015', {
        what: `add of ${layers.map((l) => l?.kind ?? typeof l).join(', ')} to a model ${
          this.#program !== null
            ? 'that is compiled'
            : this.#build === undefined
              ? 'with several inputs'
              : 'with a build function'
        }`,
        rule: 'layers are added to a model with one input and without build, before compile',
        hint:
          this.#program === null
            ? 'apply them in build: layer.apply(x, ctx)'
            : 'add all layers first, then compile',
        loc: callerLocation(),
      });
    }
    sequential(layers);
    this.#layers.push(...layers);
    return this;
  }

  /**
   * Fixes loss, optimizer and metrics, checks the net's shapes, and makes the program; each entry is compiled on its first
   * use. May be called again: parameters keep their values. Throws HDL0015 and what building the net throws.
   */
  compile(options: CompileModelOptions = {}): this {
    const { loss, lossWeights, optimizer, metrics, y, onWarning = consoleWarning, ...rest } = options;
    const build = this.#buildFunction();
    const traced = this.#trace();
    this.#training = trainingOf(options, outputsIn(traced), probeBatch);
    this.#warn = onWarning;
    if (this.#training !== undefined) warnOfHeads(this.#training, outputsIn(traced), traced, onWarning);
    const entries = modelEntries(this.#inputs, build, this.#training);
    const next = new Program<Readonly<Record<string, AnyEntry>>>(entries, rest);
    const before = this.#program;
    if (before !== null) {
      for (const { name, node } of before.variables()) {
        if (!name.startsWith('optimizer/')) next.set(node, before.get(name).data);
      }
      void before.dispose();
    }
    this.#program = next;
    return this;
  }

  /** The program behind the model. Throws HDL0015 before `compile`. */
  get program(): Program {
    if (this.#program !== null) return this.#program;
    throw compilerError('HDL0015', {
      what: 'the model is not compiled',
      rule: 'compile comes before fit, evaluate and predict',
      hint: 'model.compile({ loss, optimizer })',
      loc: callerLocation(),
    });
  }

  /**
   * Trains, on arrays, a Dataset, or examples one after the other (see `FitData`). With `sampleWeight` the loss of each example counts
   * as much as its weight says; a mean divides by the number of examples. Throws HDL0015 (no optimizer), HDL0016 (data that is
   * empty, of different lengths or the wrong dtype), HDL1005 (the loss is no longer finite), and what a run throws.
   */
  async fit(data: FitData, options: FitOptions = {}): Promise<History> {
    const training = this.#need('fit', 'optimizer');
    const { validation, batchSize, shuffle = true, seed = 0 } = options;
    const examples = trainingData(this.#inputs, training.heads, data, '', {
      batchSize,
      shuffle: shuffle ? { seed } : null,
      asksForShuffle: options.shuffle === true,
    });
    const held =
      validation &&
      trainingData(this.#inputs, training.heads, validation, 'validation ', { batchSize, shuffle: null });
    const warn = (rows: RowsByName): void =>
      warnOfData(rows, this.#inputs, training, examples.rows && options.batchSize, this.#warn);
    if (examples.rows !== null) warn(examples.rows);
    return runFit(
      {
        program: this.program,
        optimizer: training.optimizer!,
        metrics: training.metrics.map((m) => m.metric),
        data: examples,
        warn: examples.rows === null ? warn : null,
        validate: held === undefined ? null : () => this.#evaluate(held, training),
        save: () => this.save(),
        declare: () => this.#declare(),
      },
      options,
    );
  }

  /**
   * Statistics of variables, layers' outputs and gradients in each step of the training that follows; see `Program.watch`.
   *
   * @example
   * const watch = model.watch('block1');
   * await model.fit(data, { onEpochEnd: () => console.log(watch.last) });
   */
  watch(patterns: string | readonly string[], options: WatchOptions = {}): Watch {
    return this.program.watch(this.#mainEntry(), patterns, options);
  }

  /**
   * The first op that makes a NaN or an infinity in a step with these examples as one batch; see `Program.checkNumerics`.
   *
   * @example console.log(formatNumerics(await model.checkNumerics({ x: batch, y: labels })));
   */
  async checkNumerics(data: ModelData): Promise<NumericsReport> {
    const { heads } = this.#need('checkNumerics', 'loss');
    const rows = rowsOf(this.#inputs, heads, data, '');
    const feeds = Object.entries(rows).map(([name, { data: values, shape, count }]) => [
      name,
      { data: values, shape: [count, ...shape] },
    ]);
    return this.program.checkNumerics(this.#mainEntry(), Object.fromEntries(feeds));
  }

  /** Loss and metrics over data, in evaluation mode. Throws HDL0015 (no loss), HDL0016 (data), and what a run throws. */
  async evaluate(data: FitData, options: { readonly batchSize?: number } = {}): Promise<Figures> {
    const training = this.#need('evaluate', 'loss');
    const { batchSize } = options;
    return this.#evaluate(
      trainingData(this.#inputs, training.heads, data, '', { batchSize, shuffle: null }),
      training,
    );
  }

  /**
   * The net's output for each example, in evaluation mode: shape [examples, …]. `x` are arrays, or a Dataset of examples in its order of
   * epoch 0. Throws HDL0016 (data), and what a run throws.
   */
  async predict(
    x: ModelData['x'] | Dataset<unknown>,
    options: { readonly batchSize?: number } = {},
  ): Promise<RunTensor> {
    const outputs = await this.predictAll(x, options);
    const only = outputs[onlyOutput];
    if (only !== undefined) return only;
    throw compilerError('HDL0015', {
      what: `predict of a net with outputs ${Object.keys(outputs).join(', ')}`,
      rule: 'predict returns the one output of a net',
      hint: 'use predictAll, which returns all by name',
      loc: callerLocation(),
    });
  }

  /** All outputs of the net by name, as `predict`; the one of a net with a single output is `prediction`. */
  async predictAll(
    x: ModelData['x'] | Dataset<unknown>,
    options: { readonly batchSize?: number } = {},
  ): Promise<Readonly<Record<string, RunTensor>>> {
    const rows = inputRows(this.#inputs, await inputsOf(x), '');
    return predictAll(this.program, rows, options.batchSize ?? 32);
  }

  /**
   * A metric over data, in evaluation mode: one that was not compiled with, or whose result is more than a number. Of a net with
   * several outputs, that of `output`. Throws as `evaluate`.
   *
   * @example const matrix = await model.measure(metrics.confusionMatrix(), test);
   */
  async measure<T>(
    metric: Metric<T>,
    data: FitData,
    options: { readonly batchSize?: number; readonly output?: string } = {},
  ): Promise<T> {
    const training = this.#need('measure', 'loss');
    const rows = rowsOf(this.#inputs, training.heads, await arraysOf(data), '');
    const head = training.heads.find((h) => options.output === undefined || h.output === options.output);
    const inputs = Object.fromEntries(Object.keys(this.#inputs).map((name) => [name, rows[name]!]));
    const outputs = await predictAll(this.program, inputs, options.batchSize ?? 32);
    return measureRows(metric, outputs[head!.output]!, head!.target, rows[head!.input]!);
  }

  /**
   * A table of layers with output shapes, parameters and the arithmetic of one example. With a batch size, which needs a
   * compiled model, also the plan for it: how many bytes its buffers and variables take.
   */
  summary(of: { readonly batchSize?: number } = {}): string {
    const table = summarize(this.#trace(), probeBatch);
    return of.batchSize === undefined ? table : `${table}\n${this.describePlan({ batchSize: of.batchSize })}`;
  }

  /**
   * Text of a stage; see `Program.dump`. Of `train` (or what the model was compiled for) and a batch size, or of all that
   * has been compiled.
   */
  dump(
    stage: DumpStage,
    of: { readonly entry?: string; readonly batchSize?: number } & DumpOptions = {},
  ): string {
    const { batchSize, entry = batchSize === undefined ? undefined : this.#mainEntry(), ...options } = of;
    return this.program.dump(stage, {
      ...options,
      ...(entry === undefined ? {} : { entry }),
      ...(batchSize === undefined ? {} : { dims: { batch: batchSize } }),
    });
  }

  /** A few lines about the plan of an entry for a batch size; see `Program.describe`. */
  describePlan(of: { readonly entry?: string; readonly batchSize?: number } = {}): string {
    return this.program.describe(of.entry ?? this.#mainEntry(), { batch: of.batchSize ?? 32 });
  }

  /**
   * The model as it is: plans compiled so far (at least `predict` for one example) with the values of all variables; with a path
   * (in Node) also written there, whole or not at all. `load` reads the values back; `heddle/runtime` runs the plans
   * without the compiler.
   */
  async save(path?: string): Promise<Uint8Array> {
    if (this.program.timings.length === 0) await this.program.compile('predict', { batch: 1 });
    return path === undefined ? this.program.save() : this.program.save(path);
  }

  /**
   * The net as an ONNX model for batches of this size, in evaluation mode; see `Program.exportOnnx`.
   *
   * @example await writeFile('net.onnx', model.exportOnnx({ batchSize: 1 }));
   */
  exportOnnx(of: { readonly batchSize?: number } = {}): Uint8Array {
    return this.program.exportOnnx('predict', { batch: of.batchSize ?? 1 });
  }

  /**
   * Sets the variables to the values that `save` wrote, for a model of the same layers: those of the net, and those of the optimizer
   * if both have them. Throws HDL1006 (the file is damaged), HDL0015 (it is of another model; nothing is set then).
   *
   * @example model.load(await readFile('best.heddle'));
   */
  load(bytes: Uint8Array): this {
    loadVariables(this.program, bytes, this.#mainEntry(), probeBatch);
    return this;
  }

  /**
   * Writes all variables, those of the optimizer and the counters of random ops too, to a safetensors file, which appears whole or not
   * at all, or hands over its bytes. To go on in the middle of a training use `callbacks.checkpoint`. Throws HDL0017 (a file, where
   * there are none).
   *
   * @example await model.saveCheckpoint('model.safetensors');
   */
  async saveCheckpoint(to: StoreTarget, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#declare();
    await this.program.saveCheckpoint(to, metadata);
  }

  /**
   * Restores all variables from a checkpoint of a model of the same layers and optimizer, and returns its metadata. Throws HDL0016 (no
   * such file), HDL1020 (the file is damaged, or of another model; no variable is set then).
   *
   * @example await model.loadCheckpoint('model.safetensors');
   */
  async loadCheckpoint(from: DataSource): Promise<Readonly<Record<string, string>>> {
    this.#declare();
    return this.program.loadCheckpoint(from);
  }

  /**
   * The bytes of an NPZ file with all variables by name, for NumPy: `np.load('model.npz')['dense1/w']`.
   *
   * @example await writeFile('model.npz', await model.exportNpz());
   */
  async exportNpz(): Promise<Uint8Array> {
    this.#declare();
    return saveNpz(Object.fromEntries(this.program.state()));
  }

  /** Ends the threads. */
  async dispose(): Promise<void> {
    await this.#program?.dispose();
  }

  /** Makes the variables of the main entry known. Building an entry does. */
  #declare(): void {
    this.program.layers(this.#mainEntry(), { batch: probeBatch });
  }

  /** What the model is for: `train` when it was compiled to train, else `evaluate`, else `predict`. */
  #mainEntry(): string {
    if (this.#training === undefined) return 'predict';
    return this.#training.optimizer === undefined ? 'evaluate' : 'train';
  }

  #buildFunction(): Build {
    if (this.#build !== undefined) return this.#build;
    const [first] = Object.keys(this.#inputs);
    if (this.#layers.length === 0) {
      throw compilerError('HDL0015', {
        what: 'a model without layers',
        rule: 'a model has layers, or a build function',
        hint: 'model.add(nn.dense(10)), or new Model({ input, build: ({ x }, ctx) => … })',
        loc: callerLocation(),
      });
    }
    return (inputs, ctx) => this.#layers.reduce((x, layer) => layer.apply(x, ctx), inputs[first!]!);
  }

  #trace(): Traced {
    const registry = { seed: 0, variables: new Map(), paths: new WeakMap() };
    return traceEntry(
      'predict',
      predictEntry(this.#inputs, this.#buildFunction()),
      { batch: probeBatch },
      registry,
    );
  }

  #need(what: string, part: 'loss' | 'optimizer'): Training {
    void this.program;
    if (this.#training !== undefined && (part === 'loss' || this.#training.optimizer !== undefined))
      return this.#training;
    throw compilerError('HDL0015', {
      what: `${what} of a model that was compiled without ${part === 'loss' ? 'a loss' : 'an optimizer'}`,
      rule: part === 'loss' ? 'evaluate needs a loss' : 'fit needs a loss and an optimizer',
      hint: 'model.compile({ loss: losses.softmaxCrossEntropy, optimizer: optimizers.adam() })',
      loc: callerLocation(),
    });
  }

  async #evaluate(data: TrainingData, { metrics }: Training): Promise<Figures> {
    const totals = new Totals(metrics.map((m) => m.metric));
    await overBatches(this.program, {
      entry: (rows) => (weightName in rows ? weighted('evaluate') : 'evaluate'),
      batches: data.epoch(1, 0),
      pace: new Pace(),
      visit: (results, examples) => {
        totals.add(results, examples);
        return true;
      },
    });
    return totals.figures();
  }
}

function outputsIn({ graph }: Traced): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(graph.outputs.map(({ name, node }) => [name, node]));
}
