// Variables: values that a program owns and its entries read and update. A variable is a `variable` node that also
// remembers how its first value is made; everything else about it (name, shape, dtype, trainable) stands in the node.
// Its identity is the object: two variables of one name in one program are an error.

import { compilerError } from '../compiler/graph/errors.ts';
import type { Node, Tensor } from '../compiler/graph/ir.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { topologicalOrder } from '../compiler/graph/order.ts';
import { currentScope, scope } from '../compiler/graph/scope.ts';
import { type DType, elementCount, formatType, roundTo, type Shape } from '../compiler/graph/types.ts';
import { add, variableNode } from '../compiler/ops/index.ts';
import type { Initializer } from './initializers/initializer.ts';
import { random } from './random.ts';

/** A tensor whose value outlives a run. */
export interface Variable<S extends Shape = Shape, D extends DType = DType> extends Tensor<S, D> {
  readonly initializer: Initializer;
  /** What training adds to the loss for it: see `penaltyOf`. */
  readonly regularizer?: Regularizer | undefined;
  /** Applied to each new value by optimizers. */
  readonly constraint?: Constraint | undefined;
}

/** A scalar that grows with what is not wanted of a value. */
export type Regularizer = (value: Tensor) => Tensor;

/** The value nearest to it, by some measure, that is allowed; of its type. */
export type Constraint = (value: Tensor) => Tensor;

export interface VariableOptions<D extends DType = DType> {
  /** Whether training differentiates with respect to it; default true for f32. */
  readonly trainable?: boolean;
  /** Default f32. */
  readonly dtype?: D;
  /** A term of the loss; default none. */
  readonly regularizer?: Regularizer | undefined;
  /** Holds after each update by an optimizer; not for the first value. Default none. */
  readonly constraint?: Constraint | undefined;
}

/**
 * A variable, named by the scope in which it is made: `variable('w', …)` in scope `dense1` is `dense1/w`. A program
 * that reads it owns its value; programs do not share values.
 * Throws HDL0003 for an empty name or a bad shape, HDL0009 for a trainable variable that is not f32.
 *
 * @example const w = variable('w', [784, 10], initializers.heNormal());
 */
export function variable<const S extends Shape, D extends DType = 'f32'>(
  name: string,
  shape: S,
  initializer: Initializer,
  options: VariableOptions<D> = {},
): Variable<S, D> {
  const within = currentScope();
  const path = within === '' ? name : `${within}/${name}`;
  const dtype = options.dtype ?? ('f32' as D);
  const isTrainable = options.trainable ?? dtype === 'f32';
  if (isTrainable && dtype !== 'f32') {
    throw compilerError('HDL0009', {
      what: `variable('${path}') of ${formatType({ dtype, shape })} with trainable: true`,
      rule: 'only f32 variables can be trained',
      hint: 'leave out trainable, or make it f32',
      loc: callerLocation(),
    });
  }
  const { regularizer, constraint } = options;
  return Object.freeze({
    ...variableNode(path, shape, dtype, isTrainable),
    initializer,
    regularizer,
    constraint,
  });
}

/** The path of a variable: unique in a program. */
export function variableName(node: Node): string {
  return String(node.attrs['name']);
}

export function isVariable(node: Node): boolean {
  return node.op.name === 'variable';
}

export function isTrainable(node: Node): boolean {
  return node.attrs['trainable'] === true;
}

/**
 * The trainable variables that a value depends on, in the order in which the value reads them: what an optimizer updates.
 *
 * @example const parameters = parametersOf(loss);
 */
export function parametersOf(value: Node): Variable[] {
  return topologicalOrder([value]).filter((n) => isVariable(n) && isTrainable(n)) as Variable[];
}

/**
 * What the regularizers of variables add to a loss, or null when none has one.
 *
 * @example const total = add(loss, penaltyOf(parameters) ?? 0);
 */
export function penaltyOf(variables: readonly Variable[]): Tensor | null {
  const terms = variables.flatMap((v) => (v.regularizer === undefined ? [] : [v.regularizer(v)]));
  return terms.length === 0 ? null : scope('penalty', () => terms.reduce((a, b): Tensor => add(a, b)));
}

/**
 * The first value of a variable: a function of the seed, its name and its initializer. Nodes without an initializer
 * (from a parsed graph) start with zeros. Throws HDL0009 when the initializer makes the wrong number of values.
 */
export function initialValue(node: Node, seed: number): Float32Array | Int32Array | Uint32Array | Uint8Array {
  const { dtype, shape } = node.type;
  const name = variableName(node);
  const { initializer } = node as Partial<Variable>;
  const elements = elementCount(shape);
  const values = initializer?.(shape, random(seed, name)) ?? new Float32Array(elements);
  if (values.length !== elements) {
    throw compilerError('HDL0009', {
      what: `the initializer of variable '${name}' (${formatType(node.type)}) made ${values.length} values`,
      rule: `the variable has ${elements} elements`,
      hint: 'return as many values as the shape has elements, row-major',
      loc: node.loc,
    });
  }
  switch (dtype) {
    case 'f32':
      return values;
    case 'i32':
      return Int32Array.from(values);
    case 'u32':
      return Uint32Array.from(values, (v) => roundTo('u32', v));
    case 'bool':
    case 'u8':
      return Uint8Array.from(values, (v) => roundTo(dtype, v));
    default:
      return dtype satisfies never;
  }
}
