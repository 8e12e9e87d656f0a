// The entries of a model's program, `train`, `evaluate` and `predict`, made of one build function, losses, an optimizer
// and metrics. A build function that returns one tensor has one output, `prediction`, and one target, `y`; one that returns a
// record has as many, with targets `y/NAME`.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { topologicalOrder } from '../../compiler/graph/order.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { sameType } from '../../compiler/graph/types.ts';
import { add, mul } from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import type { Context } from '../context.ts';
import { type AnyEntry, entry, type Specs } from '../entry.ts';
import type { Loss } from '../losses/loss.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Spec } from '../spec.ts';
import { parametersOf, penaltyOf, type Variable } from '../variable.ts';

export type Build = (
  inputs: Readonly<Record<string, Tensor>>,
  ctx: Context,
) => Tensor | Readonly<Record<string, Tensor>>;

/** Name of the target among the inputs of `train` and `evaluate`; with several outputs, before each one's name. */
export const targetName = 'y';

/** Name of the weights of examples among the inputs of the entries that have them. */
export const weightName = 'sampleWeight';

/** The only output of a build function that returns a tensor. */
export const onlyOutput = 'prediction';

/** What one output is trained and measured by. */
export interface Head {
  /** Name of the output. */
  readonly output: string;
  /** Name of its target among the inputs. */
  readonly input: string;
  readonly target: Spec;
  readonly loss: Loss;
  /** Factor of its loss in the sum. */
  readonly weight: number;
}

/** A metric, the head that it looks at and its name among the figures. */
export interface HeadMetric {
  readonly head: Head;
  readonly metric: Metric;
}

export interface Training {
  readonly heads: readonly Head[];
  readonly optimizer: Optimizer | undefined;
  /** With the names that figures have. */
  readonly metrics: readonly HeadMetric[];
}

/** The outputs of a build function by name. */
export function outputsOf(result: ReturnType<Build>): Readonly<Record<string, Tensor>> {
  return 'op' in result && 'operands' in result ? { [onlyOutput]: result as Tensor } : result;
}

export function predictEntry(inputs: Specs, build: Build): AnyEntry {
  return entry(inputs, (given, ctx) => outputsOf(build(given, ctx)));
}

/** An entry for examples that have weights. */
export function weighted(entry: 'train' | 'evaluate'): string {
  return `${entry}Weighted`;
}

/** The entries that the settings allow: `evaluate` needs a loss, `train` an optimizer too. Both also for examples with weights. */
export function modelEntries(
  inputs: Specs,
  build: Build,
  training: Training | undefined,
): Readonly<Record<string, AnyEntry>> {
  const predict = predictEntry(inputs, build);
  if (training === undefined) return { predict };
  const targets = Object.fromEntries(training.heads.map((h) => [h.input, h.target]));
  const withTargets: Specs = { ...inputs, ...targets };
  const withWeights: Specs = { ...withTargets, [weightName]: { dtype: 'f32', shape: ['batch'] } };
  const evaluate = (specs: Specs): AnyEntry =>
    entry(specs, (given, ctx) => measure(build(given, ctx), given, training));
  const evaluates = { evaluate: evaluate(withTargets), [weighted('evaluate')]: evaluate(withWeights) };
  const { optimizer } = training;
  if (optimizer === undefined) return { ...evaluates, predict };
  const train = (specs: Specs): AnyEntry =>
    entry(
      specs,
      (given, ctx) => {
        const results = measure(build(given, ctx), given, training);
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
  return { train: train(withTargets), [weighted('train')]: train(withWeights), ...evaluates, predict };
}

/** What training minimizes: the loss, and the terms of regularizers, which no figure shows. */
function penalized(loss: Tensor, parameters: readonly Variable[], ctx: Context): Tensor {
  const weights = penaltyOf(parameters);
  const terms = weights === null ? ctx.penalties : [weights, ...ctx.penalties];
  return terms.reduce((sum, term): Tensor => add(sum, term), loss);
}

/** The loss, and what each metric sums or keeps: by `metric/value`. */
function measure(
  result: ReturnType<Build>,
  given: Readonly<Record<string, Tensor>>,
  { heads, metrics }: Training,
): Record<string, Tensor> {
  const outputs = outputsOf(result);
  const losses = new Map<Head, Tensor>();
  for (const head of heads) {
    const { output, input, loss } = head;
    const name = output === onlyOutput ? 'loss' : `loss/${output}`;
    const value = scope(name, () => lossOf(loss, outputs[output]!, given[input]!, given[weightName]));
    if (!sameType(value.type, { dtype: 'f32', shape: [] })) {
      throw compilerError('HDL0015', {
        what: `the loss of '${output}' is ${describeNode(value)}`,
        rule: 'what training minimizes is one number, f32[]',
        hint: "take the mean, or leave out reduction: 'none'",
        loc: callerLocation(),
      });
    }
    losses.set(head, value);
  }
  const weighted = heads.map(
    (h): Tensor => (h.weight === 1 ? losses.get(h)! : mul(losses.get(h)!, h.weight)),
  );
  const results: Record<string, Tensor> = { loss: weighted.reduce((a, b): Tensor => add(a, b)) };
  for (const { head, metric } of metrics) {
    const values = metric.measure(outputs[head.output]!, given[head.input]!);
    for (const [key, value] of Object.entries(values)) results[`${metric.name}/${key}`] = value;
  }
  return results;
}

/** A loss of weighted examples must look at the weights: one of a user's own may not know of them. */
function lossOf(loss: Loss, prediction: Tensor, target: Tensor, weights: Tensor | undefined): Tensor {
  if (weights === undefined) return loss(prediction, target);
  const value = loss(prediction, target, { sampleWeight: weights });
  if (topologicalOrder([value]).includes(weights)) return value;
  throw compilerError('HDL0015', {
    what: `sampleWeight with the loss ${loss.name || 'of its own'}, which does not use it`,
    rule: 'a loss of weighted examples takes { sampleWeight } as its third argument',
    hint: 'pass it on: (p, t, options) => losses.meanSquaredError(p, t, options), or multiply the values by it',
  });
}
