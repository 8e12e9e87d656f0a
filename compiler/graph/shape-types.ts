// Shapes in the editor. When shapes are literal tuples, these types compute the shape of a result, and turn a mismatch
// into a sentence that TypeScript prints at the wrong argument. Nothing here exists at run time, where type rules of
// the ops say the same for shapes that only `number` describes.
//
// The pattern. A function takes its operands as whole types and intersects the last one with a check:
//
//   declare function add<A extends Operand, B extends Operand>(a: A, b: B & Broadcasts<'add', A, B>): Node<…>;
//
// A check is `unknown` when all is well or nothing is known, so that the intersection is the operand itself. Otherwise
// it is `ShapeError<"…">`, a type that no value has, and the compiler's message quotes the sentence:
//
//   Argument of type 'Node<readonly [12], "f32">' is not assignable to parameter of type
//   'Node<readonly [12], "f32"> & ShapeError<"add: dimensions 10 and 12 (from the right: 0) do not broadcast">'.

import type { Node } from './ir.ts';
import type { DType, Shape } from './types.ts';

declare const message: unique symbol;

/** A type without values: what a check resolves to when it fails. The message says the op and the rule. */
export interface ShapeError<Message extends string> {
  readonly [message]: Message;
}

/** What elementwise functions take: a tensor, or a number that stands for a scalar of the other operand's dtype. */
export type Operand = Node | number;

/** The shape of an operand; a number is a scalar. */
export type ShapeOf<T> = T extends Node<infer S> ? S : readonly [];

/** The dtype of an operand; a number has none of its own. */
export type DTypeOf<T> = T extends Node<Shape, infer D> ? D : never;

/** True when the rank is known: the shape is a tuple, though its dimensions may still be `number`. */
export type IsTuple<S extends Shape> = number extends S['length'] ? false : true;

/** True when the dimension is a literal. */
export type IsLiteral<N extends number> = number extends N ? false : true;

/** Two dimensions that are both literal, and different. */
export type Differ<A extends number, B extends number> = number extends A
  ? false
  : number extends B
    ? false
    : [A] extends [B]
      ? false
      : true;

/** The last dimension. */
export type LastOf<S extends Shape> = S extends readonly [...Shape, infer D extends number] ? D : number;

/** `[64, 10]`, for messages. */
export type FormatShape<S extends Shape> = `[${JoinDims<S>}]`;

type JoinDims<S extends Shape> = number extends S['length']
  ? '…'
  : S extends readonly [infer D extends number]
    ? `${D}`
    : S extends readonly [infer D extends number, ...infer Rest extends Shape]
      ? `${D}, ${JoinDims<Rest>}`
      : '';

/**
 * The dimension that two dimensions broadcast to, or never. A `number` may turn out to be 1, so beside a literal other
 * than 1 only that literal can come out.
 */
export type BroadcastDim<A extends number, B extends number> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : number extends A
      ? B
      : number extends B
        ? A
        : 1 extends A | B
          ? number
          : [A & B] extends [never]
            ? never
            : A & B;

/**
 * The shape that two shapes broadcast to by NumPy's rule (aligned at the right, 1s stretch); `Shape` when a rank is
 * unknown; never when they do not fit, which `Broadcasts` reports.
 */
export type Broadcast<A extends Shape, B extends Shape> =
  IsTuple<A> extends false ? Shape : IsTuple<B> extends false ? Shape : BroadcastFrom<A, B, readonly []>;

type BroadcastFrom<A extends Shape, B extends Shape, Done extends Shape> = A extends readonly [
  ...infer AHead extends Shape,
  infer ALast extends number,
]
  ? B extends readonly [...infer BHead extends Shape, infer BLast extends number]
    ? [BroadcastDim<ALast, BLast>] extends [never]
      ? never
      : BroadcastFrom<AHead, BHead, readonly [BroadcastDim<ALast, BLast>, ...Done]>
    : readonly [...A, ...Done]
  : readonly [...B, ...Done];

/** The sentence about the first pair, from the right, that does not broadcast; never when all do. */
type BroadcastConflict<Op extends string, A extends Shape, B extends Shape, Done extends 0[] = []> =
  IsTuple<A> extends false
    ? never
    : IsTuple<B> extends false
      ? never
      : A extends readonly [...infer AHead extends Shape, infer ALast extends number]
        ? B extends readonly [...infer BHead extends Shape, infer BLast extends number]
          ? [BroadcastDim<ALast, BLast>] extends [never]
            ? `${Op}: dimensions ${ALast} and ${BLast} (from the right: ${Done['length']}) do not broadcast`
            : BroadcastConflict<Op, AHead, BHead, [...Done, 0]>
          : never
        : never;

/** Check for two operands that broadcast and share a dtype. */
export type Broadcasts<Op extends string, A, B> = [BroadcastConflict<Op, ShapeOf<A>, ShapeOf<B>>] extends [
  never,
]
  ? SameDType<Op, A, B>
  : ShapeError<BroadcastConflict<Op, ShapeOf<A>, ShapeOf<B>>>;

/** Check for shapes alone, such as the condition of `where`. */
export type BroadcastsShape<Op extends string, A, B> = [
  BroadcastConflict<Op, ShapeOf<A>, ShapeOf<B>>,
] extends [never]
  ? unknown
  : ShapeError<BroadcastConflict<Op, ShapeOf<A>, ShapeOf<B>>>;

/** Check for two operands of one dtype; a number fits any, and so does a dtype that is not known. */
export type SameDType<Op extends string, A, B> = [DTypeOf<A> & DTypeOf<B>] extends [never]
  ? [DTypeOf<A>] extends [never]
    ? unknown
    : [DTypeOf<B>] extends [never]
      ? unknown
      : ShapeError<`${Op}: dtypes ${DTypeOf<A>} and ${DTypeOf<B>} differ; cast one of them`>
  : unknown;

/** Check that an operand's dtype is one of those that the op computes with; passes when the dtype is not known. */
export type Accepts<Op extends string, T, Allowed extends DType> = [DTypeOf<T> & Allowed] extends [never]
  ? [DTypeOf<T>] extends [never]
    ? unknown
    : ShapeError<`${Op}: dtype ${DTypeOf<T>} is not accepted; cast to ${Allowed}`>
  : unknown;

/** The dtype that two operands share: what is known of it. Two numbers make f32. */
export type CommonDType<A, B> = [DTypeOf<A>] extends [never]
  ? [DTypeOf<B>] extends [never]
    ? 'f32'
    : DTypeOf<B>
  : [DTypeOf<B>] extends [never]
    ? DTypeOf<A>
    : DTypeOf<A> & DTypeOf<B>;
