// What a loss is, and what losses share: how values of examples become one number, and the rule that predictions and
// targets have one shape.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { formatShape, sameShape } from '../../compiler/graph/types.ts';
import { mean, mul, reshape, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';

/**
 * A function of a prediction and its target; f32. Any such function is a loss; one that knows options takes them third.
 */
export interface Loss extends LossTraits {
  (prediction: Tensor, target: Tensor, options?: LossOptions): Floats;
}

/** What a loss says of itself. */
export interface LossTraits {
  /** What targets are: `classes` are i32 numbers of classes, `values` (default) are f32. */
  readonly targets?: 'classes' | 'values';
  /** The layer that makes probabilities of the logits that the loss takes: not to be applied before it. */
  readonly logits?: 'softmax' | 'sigmoid';
}

/** `mean` (default) and `sum` give a scalar, `none` a value for each example. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  readonly reduction?: Reduction | undefined;
  /**
   * A factor for each value of the loss, or for each example (f32[N]). A mean divides by the number of values, not by
   * the sum of the factors.
   */
  readonly sampleWeight?: Tensor | undefined;
}

/** What `fn` returns, from its values. Throws HDL0001, HDL0002 (weights), HDL0003 (reduction). */
export function reduceLoss(
  fn: string,
  given: Floats,
  { reduction = 'mean', ...options }: LossOptions,
): Floats {
  const values = weighSamples(fn, given, options.sampleWeight);
  switch (reduction) {
    case 'mean':
      return mean(values);
    case 'sum':
      return sum(values);
    case 'none':
      return values;
    default:
      throw compilerError('HDL0003', {
        what: `${fn} with reduction '${String(reduction satisfies never)}'`,
        rule: "reduction is 'mean', 'sum' or 'none'",
        loc: callerLocation(),
      });
  }
}

/** Values times their weights, which have their shape, or only its first dimensions. Throws HDL0001, HDL0002. */
export function weighSamples(fn: string, values: Floats, weights: Tensor | undefined): Floats {
  if (weights === undefined) return values;
  const { shape, dtype } = weights.type;
  const whole = values.type.shape;
  const fail = (code: 'HDL0001' | 'HDL0002', rule: string, hint: string): never => {
    throw compilerError(code, {
      what: `${fn} of values ${formatShape(whole)} with sampleWeight ${describeNode(weights)}`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  if (dtype !== 'f32') fail('HDL0002', `weights are f32, not ${dtype}`, "convert them: cast(weights, 'f32')");
  if (shape.length === 0 || shape.length > whole.length || shape.some((d, i) => d !== whole[i])) {
    const first = formatShape(whole.slice(0, 1));
    fail(
      'HDL0001',
      `weights have shape ${first}, one for each example, or ${formatShape(whole)}`,
      'check their shape',
    );
  }
  const spread =
    shape.length === whole.length
      ? weights
      : reshape(weights, [...shape, ...whole.slice(shape.length).map(() => 1)]);
  return mul(values, spread as Floats) as Floats;
}

/** Both are f32 and of one shape; broadcasting here is the classic mistake. Throws HDL0001, HDL0002. */
export function expectSameShape(fn: string, prediction: Tensor, target: Tensor): void {
  const what = `${fn}(${describeNode(prediction)}, ${describeNode(target)})`;
  const [p, t] = [prediction.type.shape, target.type.shape];
  if (!sameShape(p, t)) {
    const column = (a: readonly number[], b: readonly number[]): boolean =>
      a.length === b.length + 1 && a.at(-1) === 1 && b.every((d, i) => d === a[i]);
    const hint = column(p, t)
      ? `make the target a column: reshape(target, ${formatShape(p)})`
      : column(t, p)
        ? `drop the target's last dimension: reshape(target, ${formatShape(p)})`
        : 'check the last layer, and the shape of the targets';
    throw compilerError('HDL0001', {
      what,
      rule: `prediction and target have one shape, not ${formatShape(p)} and ${formatShape(t)}`,
      hint,
      loc: callerLocation(),
    });
  }
  for (const [name, x] of [
    ['prediction', prediction],
    ['target', target],
  ] as const) {
    if (x.type.dtype === 'f32') continue;
    throw compilerError('HDL0002', {
      what,
      rule: `the ${name} is f32, not ${x.type.dtype}`,
      hint: `convert it: cast(${name}, 'f32')`,
      loc: callerLocation(),
    });
  }
}

/**
 * A loss with options fixed, for `compile` and other places that call it with a prediction and a target alone.
 *
 * @example model.compile({ loss: losses.withOptions(losses.softmaxCrossEntropy, { labelSmoothing: 0.1 }), optimizer })
 */
export function withOptions<O extends LossOptions>(
  loss: ((prediction: Tensor, target: Tensor, options?: O) => Floats) & LossTraits,
  fixed: O,
): Loss {
  const { targets, logits } = loss;
  const bound = (prediction: Tensor, target: Tensor, options?: LossOptions): Floats =>
    loss(prediction, target, { ...fixed, ...options });
  return Object.assign(bound, {
    ...(targets === undefined ? {} : { targets }),
    // Probabilities are meant then.
    ...(logits === undefined || ('fromLogits' in fixed && fixed.fromLogits === false) ? {} : { logits }),
  });
}

/** Classes lie on axis 1, or HDL0001 is thrown. */
export function expectClasses(fn: string, x: Tensor): void {
  if (x.type.shape.length >= 2) return;
  throw compilerError('HDL0001', {
    what: `${fn}(${describeNode(x)}, …)`,
    rule: 'classes lie on axis 1: [examples, classes, …]',
    hint: 'reshape it, or add a dense layer',
    loc: callerLocation(),
  });
}
