// The entries of a model's program, `train`, `evaluate` and `predict`, made of one build function, a loss, an optimizer
// and metrics.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add } from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import type { Context } from '../context.ts';
import { type AnyEntry, entry, type Specs } from '../entry.ts';
import type { Loss } from '../losses/loss.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Spec } from '../spec.ts';
import { parametersOf, penaltyOf, type Variable } from '../variable.ts';

export type Build = (inputs: Readonly<Record<string, Tensor>>, ctx: Context) => Tensor;

/** Name of the target among the inputs of `train` and `evaluate`. */
export const targetName = 'y';

export interface Training {
  readonly loss: Loss;
  readonly optimizer: Optimizer | undefined;
  readonly metrics: readonly Metric[];
  readonly target: Spec;
}

export function predictEntry(inputs: Specs, build: Build): AnyEntry {
  return entry(inputs, (given, ctx) => ({ prediction: build(given, ctx) }));
}

/** The entries that the settings allow: `evaluate` needs a loss, `train` an optimizer too. */
export function modelEntries(
  inputs: Specs,
  build: Build,
  training: Training | undefined,
): Readonly<Record<string, AnyEntry>> {
  const predict = predictEntry(inputs, build);
  if (training === undefined) return { predict };
  const withTarget: Specs = { ...inputs, [targetName]: training.target };
  const evaluate = entry(withTarget, (given, ctx) =>
    measure(build(given, ctx), given[targetName]!, training),
  );
  const { optimizer } = training;
  if (optimizer === undefined) return { evaluate, predict };
  const train = entry(
    withTarget,
    (given, ctx) => {
      const results = measure(build(given, ctx), given[targetName]!, training);
      const parameters = parametersOf(results['loss']!);
      if (parameters.length === 0) {
        throw compilerError('HDL0015', {
          what: 'a model without trainable variables was told to train',
          rule: 'the loss depends on at least one trainable variable',
          hint: 'add a layer with weights, such as nn.dense(10)',
        });
      }
      optimizer.update(parameters, grad(penalized(results['loss']!, parameters, ctx), parameters), ctx);
      return results;
    },
    { training: true },
  );
  return { train, evaluate, predict };
}

/** What training minimizes: the loss, and the terms of regularizers, which no figure shows. */
function penalized(loss: Tensor, parameters: readonly Variable[], ctx: Context): Tensor {
  const weights = penaltyOf(parameters);
  const terms = weights === null ? ctx.penalties : [weights, ...ctx.penalties];
  return terms.reduce((sum, term): Tensor => add(sum, term), loss);
}

/** The loss, and what each metric sums: by `metric/sum`. */
function measure(prediction: Tensor, target: Tensor, { loss, metrics }: Training): Record<string, Tensor> {
  const results: Record<string, Tensor> = { loss: scope('loss', () => loss(prediction, target)) };
  for (const metric of metrics) {
    for (const [key, value] of Object.entries(metric.measure(prediction, target))) {
      results[`${metric.name}/${key}`] = value;
    }
  }
  return results;
}
