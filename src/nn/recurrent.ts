// Recurrent layers over f32[N, T, features]: one or more layers, one or both directions. The work is done by the ops of the same
// name, which have the steps in front; between layers nothing is transposed.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { Multiply } from '../../compiler/graph/number-types.ts';
import type { IsTuple, ShapeError } from '../../compiler/graph/shape-types.ts';
import type { RecurrentOptions, RecurrentWeights } from '../../compiler/ops/index.ts';
import { concat, gru as gruOp, lstm as lstmOp, rnn as rnnOp, transpose } from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import { zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount } from './check.ts';
import { expectRank, type Layer, type LayerOptions, layer } from './layer.ts';
import type { InputShape, ShapeRule } from './shape-rule.ts';

export interface RecurrentLayerOptions<B extends boolean = boolean, Q extends boolean = boolean>
  extends LayerOptions {
  /** How many, one above the other; default 1. */
  readonly layers?: number;
  /** Also runs from the end to the start, and puts both results side by side; default false. */
  readonly bidirectional?: B;
  /** Gives the state after every step instead of the last ones only; default true. */
  readonly sequences?: Q;
  /** Default true. */
  readonly bias?: boolean;
  readonly init?: Initializer;
  readonly recurrentInit?: Initializer;
  /**
   * How many steps of each sequence count, i32[N]: afterwards the state stays, and outputs are 0. With it, or an initial state, the
   * layer is made where these tensors are. Default all.
   */
  readonly lengths?: Tensor;
  /** The state to begin with, f32[N, units], for one layer in one direction. Default zeros. */
  readonly initial?: Tensor;
}

/** [N, T, features] → [N, T, U], or [N, U] where Q is false; twice U where B is true. */
export interface RecurrentRule<U extends number, B extends boolean, Q extends boolean> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [infer N extends number, infer T extends number, number]
    ? States<N, T, B extends true ? Multiply<2, U> : U, Q>
    : States<number, number, B extends true ? Multiply<2, U> : U, Q>;
  readonly check: IsTuple<InputShape<this>> extends false
    ? unknown
    : InputShape<this>['length'] extends 3
      ? unknown
      : ShapeError<`recurrent: the input has ${InputShape<this>['length']} dimensions, not [batch, steps, features]`>;
  readonly dtype: 'f32';
}
type States<N extends number, T extends number, U extends number, Q> = Q extends true
  ? readonly [N, T, U]
  : readonly [N, U];

type Run = (
  x: Floats,
  weights: RecurrentWeights,
  options: RecurrentOptions,
  ctx: Context,
) => { outputs: Floats; state: Floats };

/**
 * h[t] = tanh(x[t] · kernel + h[t−1] · recurrent + bias). f32[N, T, features] → f32[N, T, units], or f32[N, units] without
 * `sequences`; twice the units in both directions. Variables `kernel`, `recurrent` and `bias` for each layer and direction.
 * Throws HDL0003 (options), HDL0015 (input).
 *
 * @example nn.rnn(64, { layers: 2 })
 */
export function rnn<const U extends number, const B extends boolean = false, const Q extends boolean = true>(
  units: U,
  options: RecurrentLayerOptions<B, Q> = {},
): Layer<RecurrentRule<U, B, Q>> {
  return recurrent('rnn', units, 1, options, rnnOp);
}

/**
 * Long short-term memory; gates in the order i, f, g, o. Shapes, variables and errors as `rnn`.
 *
 * @example nn.lstm(128, { bidirectional: true })
 */
export function lstm<const U extends number, const B extends boolean = false, const Q extends boolean = true>(
  units: U,
  options: RecurrentLayerOptions<B, Q> = {},
): Layer<RecurrentRule<U, B, Q>> {
  return recurrent('lstm', units, 4, options, lstmOp);
}

/**
 * Gated recurrent unit, with the reset gate after the product with the state; gates in the order r, z, n. One more variable,
 * `recurrentBias`. Shapes and errors as `rnn`.
 *
 * @example nn.gru(128, { sequences: false })
 */
export function gru<const U extends number, const B extends boolean = false, const Q extends boolean = true>(
  units: U,
  options: RecurrentLayerOptions<B, Q> = {},
): Layer<RecurrentRule<U, B, Q>> {
  return recurrent('gru', units, 3, options, (x, weights, how, ctx) => {
    if (options.bias === false) return gruOp(x, weights, how);
    const recurrentBias = ctx.variable('recurrentBias', [3 * units], zeros());
    return gruOp(x, weights, { ...how, recurrentBias });
  });
}

function recurrent<R extends ShapeRule>(
  kind: string,
  units: number,
  gates: number,
  options: RecurrentLayerOptions,
  run: Run,
): Layer<R> {
  const { layers = 1, bidirectional = false, sequences = true, bias = true } = options;
  const { init = glorotUniform(), recurrentInit = glorotUniform() } = options;
  checkCount(kind, 'units', units);
  checkCount(kind, 'layers', layers);
  const { lengths, initial } = options;
  if (initial !== undefined && (layers > 1 || bidirectional)) {
    throw compilerError('HDL0003', {
      what: `${kind} with an initial state for ${layers} layers${bidirectional ? ' in both directions' : ''}`,
      rule: 'an initial state is that of one layer in one direction',
      hint: `give each layer its own: apply nn.${kind} once for each`,
      loc: callerLocation(),
    });
  }
  const given = { ...(lengths && { lengths }), ...(initial && { initial }) };
  const once = (x: Floats, reverse: boolean, ctx: Context): { outputs: Floats; state: Floats } => {
    const kernel = ctx.variable('kernel', [x.type.shape[2]!, gates * units], init);
    const recurrent = ctx.variable('recurrent', [units, gates * units], recurrentInit);
    const weights = bias
      ? { kernel, recurrent, bias: ctx.variable('bias', [gates * units], zeros()) }
      : { kernel, recurrent };
    return run(x, weights, { ...given, reverse }, ctx);
  };
  return layer(
    kind,
    (x, ctx) => {
      expectRank(kind, x, 3, '[batch, steps, features]');
      let steps: Floats = transpose(x, [1, 0, 2]);
      let last: Floats = steps;
      for (let l = 0; l < layers; l++) {
        const at = layers === 1 ? ctx : ctx.scope(`layer${l + 1}`);
        const ahead = once(steps, false, bidirectional ? at.scope('forward') : at);
        const back = bidirectional ? [once(steps, true, at.scope('backward'))] : [];
        const both = [ahead, ...back];
        steps = concat(
          both.map((r) => r.outputs),
          2,
        ) as Floats;
        last = concat(
          both.map((r) => r.state),
          1,
        ) as Floats;
      }
      return sequences ? (transpose(steps, [1, 0, 2]) as Floats) : last;
    },
    options,
  );
}
