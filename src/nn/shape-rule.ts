// What a layer does to shapes, as the editor sees it. A rule is a function of types, written as an interface: `this['input']` is
// the shape that comes in, `output` the one that goes out, `check` is `unknown` or says what is wrong (`ShapeError`).
//
//   interface DenseRule<U extends number> extends ShapeRule {
//     readonly output: readonly [...Head<InputShape<this>>, U];
//   }
//
// A layer carries its rule as a type argument, so containers follow what their layers do, and a layer that says nothing has
// the plain rule: any shape. Nothing here exists at run time, where the layers check for themselves.

import type { DType, Shape } from '../../compiler/graph/types.ts';

export interface ShapeRule {
  /** The shape of the input, bound where a layer is applied. */
  readonly input: unknown;
  /** The shape of the output. */
  readonly output: Shape;
  /** `unknown` where the input fits. */
  readonly check: unknown;
  /** What the input may be made of. */
  readonly dtype: DType;
}

/** The shape that comes in; within a rule, `InputShape<this>`. */
export type InputShape<R extends ShapeRule> = R['input'] extends Shape ? R['input'] : Shape;

/** The shape that a rule makes of S. */
export type OutputOf<R extends ShapeRule, S extends Shape> = (R & { readonly input: S })['output'];

/** `unknown`, or what is wrong with S. */
export type CheckOf<R extends ShapeRule, S extends Shape> = (R & { readonly input: S })['check'];

/** A layer of f32 whose output has the shape of its input. */
export interface SameShape extends ShapeRule {
  readonly output: InputShape<this>;
  readonly dtype: 'f32';
}
