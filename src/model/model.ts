// Model: training as most people do it. A net, declared by adding layers or by a build function, with `fit`, `evaluate`
// and `predict` over a program of three entries. The program stays reachable, so a hand-written step over the same
// variables is always possible.

import type { DumpStage } from '../../compiler/compile.ts';
import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import { batchesOf } from '../data/batches.ts';
import { type AnyEntry, type Specs, type Traced, traceEntry } from '../entry.ts';
import type { Loss } from '../losses/loss.ts';
import type { Layer } from '../nn/layer.ts';
import { Program } from '../program.ts';
import { createProgress, type Figures, silent } from '../progress.ts';
import type { Spec } from '../spec.ts';
import { type Build, modelEntries, predictEntry, type Training, targetName } from './entries.ts';
import { inputRows, type RowsByName, rowsOf } from './examples.ts';
import { divergence, overBatches, Pace } from './loop.ts';
import {
  type CompileModelOptions,
  type FitOptions,
  type History,
  type InputSpec,
  isInputSpec,
  type ModelData,
  type ModelOptions,
  withBatch,
} from './options.ts';
import { summarize } from './summary.ts';
import { Totals } from './totals.ts';

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

  /** Throws HDL0015 when there is no input, or one is called `y`, which is the target. */
  constructor(options: ModelOptions) {
    const given = isInputSpec(options.input) ? { x: options.input } : options.input;
    const names = Object.keys(given ?? {});
    if (names.length === 0 || names.includes(targetName)) {
      throw compilerError('HDL0015', {
        what: `new Model with ${names.length === 0 ? 'no input' : `an input '${targetName}'`}`,
        rule: `a model has at least one input; '${targetName}' is its target`,
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
        what: `add of ${layers.map((l) => l.kind).join(', ')} to a model ${
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
    this.#layers.push(...layers);
    return this;
  }

  /**
   * Fixes loss, optimizer and metrics, checks the net's shapes, and makes the program; each entry is compiled on its first
   * use. May be called again: parameters keep their values. Throws HDL0015 and what building the net throws.
   */
  compile(options: CompileModelOptions = {}): this {
    const { loss, optimizer, metrics = [], y, ...rest } = options;
    const build = this.#buildFunction();
    const traced = this.#trace();
    const prediction = traced.graph.outputs[0]!.node;
    if (loss === undefined && (optimizer !== undefined || metrics.length > 0)) {
      throw compilerError('HDL0015', {
        what: `compile with ${optimizer === undefined ? 'metrics' : 'an optimizer'} and no loss`,
        rule: 'training and evaluation need a loss',
        hint: 'compile({ loss: losses.softmaxCrossEntropy, … })',
        loc: callerLocation(),
      });
    }
    this.#training =
      loss === undefined ? undefined : { loss, optimizer, metrics, target: targetSpec(loss, y, prediction) };
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
   * Trains. Throws HDL0015 (no optimizer), HDL0016 (data that is empty, of different lengths or the wrong dtype), HDL1005
   * (the loss is no longer finite), and what a run throws.
   */
  async fit(data: ModelData, options: FitOptions = {}): Promise<History> {
    const {
      epochs = 1,
      batchSize = 32,
      shuffle = true,
      seed = 0,
      signal,
      onEpochEnd,
      learningRate,
    } = options;
    const training = this.#need('fit', 'optimizer');
    const rows = rowsOf(this.#inputs, training.target, data, '');
    const validation =
      options.validation && rowsOf(this.#inputs, training.target, options.validation, 'validation ');
    const progress = options.verbose === false ? silent : (options.progress ?? createProgress());
    const history: Record<string, number[]> = {};
    let steps = 0;
    // What a rate or a progress does may depend on the batch before, and ask to stop.
    const isWatched = learningRate !== undefined ? (options.progress ?? signal) : options.progress && signal;
    const pace = new Pace(isWatched !== undefined);

    for (let epoch = 1; epoch <= epochs && !signal?.aborted; epoch++) {
      const totals = new Totals(training.metrics);
      const count = rows[targetName]!.count;
      progress.begin(`Epoch ${epoch}/${epochs}`, count);
      const order = batchesOf(count, batchSize, shuffle ? { seed: seed * 65537 + epoch } : null);
      await overBatches(this.program, {
        entry: 'train',
        rows,
        batches: order,
        pace,
        schedules: learningRate === undefined ? {} : { 'optimizer/learningRate': learningRate },
        watch: 'loss',
        before: steps,
        signal,
        visit: (results, examples) => {
          const loss = totals.add(results, examples);
          steps++;
          if (!Number.isFinite(loss)) throw divergence(loss, epoch, steps);
          progress.update(totals.examples, totals.figures());
          return !signal?.aborted || !pace.oneByOne;
        },
      });
      if (totals.examples < count) break;
      const figures: Record<string, number> = { ...totals.figures() };
      if (validation !== undefined) {
        for (const [name, value] of Object.entries(await this.#evaluate(validation, batchSize, training))) {
          figures[`val${name[0]!.toUpperCase()}${name.slice(1)}`] = value;
        }
      }
      progress.end(figures);
      for (const [name, value] of Object.entries(figures)) {
        history[name] ??= [];
        history[name].push(value);
      }
      if ((await onEpochEnd?.({ epoch, figures })) === 'stop') break;
    }
    return history;
  }

  /** Loss and metrics over data, in evaluation mode. Throws HDL0015 (no loss), HDL0016 (data), and what a run throws. */
  async evaluate(data: ModelData, options: { readonly batchSize?: number } = {}): Promise<Figures> {
    const training = this.#need('evaluate', 'loss');
    return this.#evaluate(rowsOf(this.#inputs, training.target, data, ''), options.batchSize ?? 32, training);
  }

  /**
   * The net's output for each example, in evaluation mode: shape [examples, …]. Throws HDL0016 (data), and what a run throws.
   */
  async predict(x: ModelData['x'], options: { readonly batchSize?: number } = {}): Promise<RunTensor> {
    void this.program;
    const rows = inputRows(this.#inputs, x, '');
    const { count } = Object.values(rows)[0]!;
    let all: RunTensor | null = null;
    let at = 0;
    await overBatches(this.program, {
      entry: 'predict',
      rows,
      batches: batchesOf(count, options.batchSize ?? 32),
      pace: new Pace(),
      visit: (results, examples) => {
        const { data, dtype, shape } = results['prediction']!;
        const rowSize = data.length / examples;
        all ??= {
          dtype,
          shape: [count, ...shape.slice(1)],
          data: new (data.constructor as Float32ArrayConstructor)(count * rowSize),
        };
        (all.data as Float32Array).set(data as Float32Array, at);
        at += data.length;
        return true;
      },
    });
    return all!;
  }

  /** A table of layers, output shapes and parameters. */
  summary(): string {
    return summarize(this.#trace(), probeBatch);
  }

  /**
   * Text of a stage; see `Program.dump`. Of `train` (or what the model was compiled for) and a batch size, or of all that
   * has been compiled.
   */
  dump(stage: DumpStage, of: { readonly entry?: string; readonly batchSize?: number } = {}): string {
    const { entry = of.batchSize === undefined ? undefined : this.#mainEntry(), batchSize } = of;
    return this.program.dump(stage, {
      ...(entry === undefined ? {} : { entry }),
      ...(batchSize === undefined ? {} : { dims: { batch: batchSize } }),
    });
  }

  /** A few lines about the plan of an entry for a batch size; see `Program.describe`. */
  describePlan(of: { readonly entry?: string; readonly batchSize?: number } = {}): string {
    return this.program.describe(of.entry ?? this.#mainEntry(), { batch: of.batchSize ?? 32 });
  }

  /** Plans compiled so far with the current values of variables, for `heddle/runtime`; see `Program.save`. */
  async save(): Promise<Uint8Array> {
    return this.program.save();
  }

  /** Ends the threads. */
  async dispose(): Promise<void> {
    await this.#program?.dispose();
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
    if (this.#training !== undefined && this.#training[part] !== undefined) return this.#training;
    throw compilerError('HDL0015', {
      what: `${what} of a model that was compiled without ${part === 'loss' ? 'a loss' : 'an optimizer'}`,
      rule: part === 'loss' ? 'evaluate needs a loss' : 'fit needs a loss and an optimizer',
      hint: 'model.compile({ loss: losses.softmaxCrossEntropy, optimizer: optimizers.adam() })',
      loc: callerLocation(),
    });
  }

  async #evaluate(rows: RowsByName, batchSize: number, training: Training): Promise<Figures> {
    const totals = new Totals(training.metrics);
    await overBatches(this.program, {
      entry: 'evaluate',
      rows,
      batches: batchesOf(rows[targetName]!.count, batchSize),
      pace: new Pace(),
      visit: (results, examples) => {
        totals.add(results, examples);
        return true;
      },
    });
    return totals.figures();
  }
}

function targetSpec(loss: Loss, given: InputSpec | undefined, prediction: Tensor): Spec {
  if (given !== undefined) return withBatch(given);
  if (loss.targets === 'classes') return { dtype: 'i32', shape: ['batch'] };
  const { shape, dtype } = prediction.type;
  if (shape[0] === probeBatch) return { dtype, shape: ['batch', ...shape.slice(1)] };
  throw compilerError('HDL0015', {
    what: `the net's output is ${describeNode(prediction)} for ${probeBatch} examples`,
    rule: 'its first dimension is that of the batch',
    hint: 'keep the batch dimension, or say what a target is: compile({ y: [10], … })',
    loc: callerLocation(),
  });
}
