// From the settings of `compile` to what each output of a net is trained and measured by.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { Loss } from '../losses/loss.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Spec } from '../spec.ts';
import { type Head, type HeadMetric, onlyOutput, type Training, targetName } from './entries.ts';
import { type CompileModelOptions, type InputSpec, isInputSpec, withBatch } from './options.ts';

/**
 * The training of a net with these outputs, traced for `batch` examples; undefined without a loss. Throws HDL0015 for settings
 * that do not go together.
 */
export function trainingOf(
  options: Pick<CompileModelOptions, 'loss' | 'lossWeights' | 'optimizer' | 'metrics' | 'y'>,
  outputs: Readonly<Record<string, Tensor>>,
  batch: number,
): Training | undefined {
  const { loss, optimizer, metrics } = options;
  expectMade('optimizer', optimizer, 'update', 'optimizers.adam()');
  if (typeof loss === 'string')
    throw invalid(`compile with loss: '${loss}'`, 'a loss is a function', 'losses.meanSquaredError');
  for (const metric of Object.values(metrics ?? {}).flat())
    expectMade('metric', metric, 'measure', 'metrics.accuracy()');
  if (loss === undefined) {
    if (optimizer === undefined && metrics === undefined) return undefined;
    throw invalid(
      `compile with ${optimizer === undefined ? 'metrics' : 'an optimizer'} and no loss`,
      'training and evaluation need a loss',
      'compile({ loss: losses.softmaxCrossEntropy, … })',
    );
  }
  const names = Object.keys(outputs);
  const isSingle = names.length === 1 && names[0] === onlyOutput;
  const byOutput = <T>(
    setting: string,
    value: T | Readonly<Record<string, T>>,
    isOne: boolean,
  ): Record<string, T> => {
    if (isOne) {
      if (isSingle) return { [onlyOutput]: value as T };
      throw invalid(
        `compile with one ${setting} for outputs ${list(names)}`,
        `a net that returns a record has a ${setting} for each output that is trained`,
        `compile({ ${setting}: { ${names.map((n) => `${n}: …`).join(', ')} } })`,
      );
    }
    const given = value as Readonly<Record<string, T>>;
    const unknown = Object.keys(given).find((n) => !names.includes(n));
    if (unknown === undefined) return { ...given };
    throw invalid(
      `compile with a ${setting} for '${unknown}'`,
      `the outputs are ${list(names)}`,
      isSingle ? `give ${setting} itself` : 'use one of these names',
    );
  };
  const losses = byOutput<Loss>('loss', loss, typeof loss === 'function');
  const specs = options.y === undefined ? {} : byOutput<InputSpec>('y', options.y, isInputSpec(options.y));
  const weights = byOutput<number>('lossWeights', options.lossWeights ?? {}, false);
  const heads = Object.entries(losses).map(([output, own]): Head => {
    const target = targetSpec(own, specs[output], outputs[output]!, batch);
    const input = isSingle ? targetName : `${targetName}/${output}`;
    return { output, input, target, loss: own, weight: weights[output] ?? 1 };
  });
  if (heads.length === 0) throw invalid('compile with no loss', 'training needs at least one', 'give a loss');
  const measured = byOutput<readonly Metric[]>('metrics', metrics ?? {}, Array.isArray(metrics));
  const named = Object.entries(measured).flatMap(([output, own]) =>
    own.map((metric): HeadMetric => {
      const head = heads.find((h) => h.output === output);
      if (head !== undefined)
        return { head, metric: isSingle ? metric : { ...metric, name: join(output, metric.name) } };
      throw invalid(
        `metrics of output '${output}' without a loss`,
        'only outputs with a target are measured',
        'give it a loss',
      );
    }),
  );
  const twice = named.find(({ metric }, i) => named.findIndex((m) => m.metric.name === metric.name) !== i);
  if (twice !== undefined || named.some(({ metric }) => metric.name === 'loss')) {
    throw invalid(
      `compile with two figures named '${twice?.metric.name ?? 'loss'}'`,
      'each metric has a name of its own',
      "give one another name: metrics.topKAccuracy(3, { name: 'top3' })",
    );
  }
  return { heads, optimizer, metrics: named };
}

/** A setting is an object with that method: not a name, and not the function that makes one. Throws HDL0015. */
function expectMade(setting: string, value: unknown, method: string, example: string): void {
  if (value === undefined || (typeof value === 'object' && value !== null && method in value)) return;
  const what = typeof value === 'function' ? `a function, ${value.name}` : JSON.stringify(value);
  const hint = typeof value === 'function' ? `call it: ${example}` : `use ${example}`;
  throw invalid(`compile with ${what} as ${setting}`, `it is what a call such as ${example} returns`, hint);
}

function targetSpec(loss: Loss, given: InputSpec | undefined, prediction: Tensor, batch: number): Spec {
  if (given !== undefined) return withBatch(given);
  const { shape, dtype } = prediction.type;
  if (loss.targets === 'classes') {
    return { dtype: 'i32', shape: ['batch', ...shape.slice(2)] };
  }
  if (shape[0] === batch) return { dtype, shape: ['batch', ...shape.slice(1)] };
  throw invalid(
    `the net's output is ${describeNode(prediction)} for ${batch} examples`,
    'its first dimension is that of the batch',
    'keep the batch dimension, or say what a target is: compile({ y: [10], … })',
  );
}

/** `left` and `accuracy` are `leftAccuracy`. */
function join(output: string, name: string): string {
  return `${output}${name[0]!.toUpperCase()}${name.slice(1)}`;
}

function list(names: readonly string[]): string {
  return names.map((n) => `'${n}'`).join(', ');
}

function invalid(what: string, rule: string, hint: string): Error {
  return compilerError('HDL0015', { what, rule, hint, loc: callerLocation() });
}
