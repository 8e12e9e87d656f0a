// What a layer is: a description without state. Applied in a context it finds or makes its variables under its path,
// so one layer may be applied many times, in several entries and for any batch size. The same object is the same
// variables; a layer that is made anew each time a build function runs is known by its place, kind and order.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation, locationBehind } from '../../compiler/graph/location.ts';
import { atLocation, scope } from '../../compiler/graph/scope.ts';
import type { Accepts, ShapeOf } from '../../compiler/graph/shape-types.ts';
import type { DType, Shape } from '../../compiler/graph/types.ts';
import { div } from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import type { Constraint, Regularizer } from '../variable.ts';
import type { CheckOf, OutputOf, ShapeRule } from './shape-rule.ts';

export interface Layer<R extends ShapeRule = ShapeRule> {
  /** What it is called in paths: `conv`, `bn`, `dense`. */
  readonly kind: string;
  /** The user's name for it, in place of its kind and a number. */
  readonly name: string | undefined;
  /** Its output for `x`, with nodes and variables under its path. */
  apply<X extends Tensor>(
    x: X & Accepts<'layer', X, R['dtype']> & CheckOf<R, ShapeOf<X>>,
    ctx: Context,
  ): Tensor<OutputOf<R, ShapeOf<X>>, 'f32'>;
}

/** Options that every layer takes. */
export interface LayerOptions {
  /** Name in its container's scope; else its kind and a number. */
  readonly name?: string | undefined;
  /** False keeps its variables, and those of layers in it, as they are; running statistics still move. Default true. */
  readonly trainable?: boolean | undefined;
  /** What training adds to the loss for its weights: trainable variables of two or more dimensions. Default nothing. */
  readonly regularizer?: Regularizer | undefined;
  /** What holds for its weights after each update. Default nothing. */
  readonly constraint?: Constraint | undefined;
  /** What training adds to the loss for its output, divided by the size of the batch. Default nothing. */
  readonly activityRegularizer?: Regularizer | undefined;
}

/**
 * A layer of one's own. `build` runs in the layer's scope: variables come from `ctx.variable`, other layers are applied
 * with `inner.apply(x, ctx)`. Its input is f32: anything else throws HDL0015 when it is applied. A type argument says to the
 * editor what the layer does to shapes: `nn.SameShape`, or an interface that extends `nn.ShapeRule`.
 *
 * @example
 * const scale = layer('scale', (x, ctx) => mul(x, ctx.variable('s', [], initializers.ones())));
 */
export function layer<R extends ShapeRule = ShapeRule>(
  kind: string,
  build: (x: Floats, ctx: Context) => Floats,
  options: LayerOptions = {},
): Layer<R> {
  return layerOf('f32', kind, build, options);
}

/** `layer` with an input of another dtype: token numbers, say. */
export function layerOf<D extends DType, R extends ShapeRule = ShapeRule>(
  dtype: D,
  kind: string,
  build: (x: Tensor<Shape, D>, ctx: Context) => Floats,
  options: LayerOptions = {},
): Layer<R> {
  const { activityRegularizer } = options;
  // A layer of ours stands for the line that made it; in a user's own, each op has its line.
  const madeAt = locationBehind(import.meta.url);
  const made: Layer = {
    kind,
    name: options.name,
    apply: (x: Tensor, ctx) => {
      if (typeof ctx?.enter !== 'function') {
        throw compilerError('HDL0015', {
          what: `${kind}.apply(${describeNode(x)}) without a context`,
          rule: 'a layer finds its variables in the context of the entry that applies it',
          hint: 'pass on the ctx that the build function gets: layer.apply(x, ctx)',
          loc: callerLocation(),
        });
      }
      if (x.type.dtype !== dtype) {
        refuse(kind, x, `its input is ${dtype}`, `convert it first: cast(x, '${dtype}')`);
      }
      return ctx.enter(
        made,
        kind,
        options.name,
        (inner) => {
          const run = (): Floats => build(x as Tensor<Shape, D>, inner);
          const y = madeAt === null ? run() : atLocation(madeAt, run);
          if (activityRegularizer !== undefined && ctx.training) {
            inner.penalize(scope('activity', () => div(activityRegularizer(y), y.type.shape[0] ?? 1)));
          }
          return y;
        },
        options,
      );
    },
  };
  return Object.freeze(made) as Layer<R>;
}

/** Throws HDL0015: what the layer was given, the rule, what to try. */
export function refuse(kind: string, x: Tensor, rule: string, hint: string): never {
  throw compilerError('HDL0015', {
    what: `${kind} applied to ${describeNode(x)}`,
    rule,
    hint,
    loc: callerLocation(),
  });
}

/** How inputs with so many spatial dimensions lie. */
export const layouts: Readonly<Record<1 | 2 | 3, string>> = {
  1: '[batch, channels, length]',
  2: '[batch, channels, height, width]',
  3: '[batch, channels, depth, height, width]',
};

/** The input has this many dimensions, or HDL0015 is thrown. */
export function expectRank(kind: string, x: Tensor, rank: number, layout: string): void {
  const { shape } = x.type;
  if (shape.length === rank) return;
  const hint =
    shape.length === rank - 1
      ? 'a dimension is missing: a batch of one has a first dimension of 1, a grey picture has one channel'
      : `reshape its input to ${layout}`;
  refuse(kind, x, `its input is ${layout}, with ${rank} dimensions`, hint);
}

/** The input is rows of features, alone or at each step of a sequence, or HDL0015 is thrown. */
export function expectRows(kind: string, x: Tensor): void {
  const { length } = x.type.shape;
  if (length === 2 || length === 3) return;
  refuse(
    kind,
    x,
    'its input is [batch, features] or [batch, steps, features]',
    length < 2 ? 'a batch of one has a first dimension of 1' : 'put flatten() before it',
  );
}
