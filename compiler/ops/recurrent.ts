// Recurrent nets over sequences [T, N, features]: RNN, LSTM, GRU in one direction and one layer. What a step reads of its
// input is one matrix product over all steps, before the loop; the loop (scan) multiplies the state alone. Layers stack
// them, run them in both directions and lay batches first (src/nn/recurrent.ts).

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { LastState, States } from '../graph/shape-types-sequence.ts';
import { formatShape, type Shape, sameShape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { expandDims } from './broadcast.ts';
import { lt, where } from './compare.ts';
import { split } from './concat.ts';
import { matmul } from './contract.ts';
import { iota, zeros } from './leaf.ts';
import { scan } from './loop.ts';
import { sigmoid } from './sigmoid.ts';
import { tanh } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

export interface RecurrentWeights<R extends Node = Node> {
  /** [features, gates · units]: from the input to the gates, side by side. */
  readonly kernel: Node;
  /** [units, gates · units]: from the state to the gates. */
  readonly recurrent: R;
  /** [gates · units], added with the input. */
  readonly bias?: Node;
}

export interface RecurrentOptions {
  /** The state to begin with, [N, units] (default zeros). */
  readonly initial?: Node;
  /** Begins with the last step (default false); outputs keep the order of the input. */
  readonly reverse?: boolean;
  /** i32[N]: how many steps of each sequence count; afterwards the state stays and outputs are 0. */
  readonly lengths?: Node;
}

export interface Recurrence<S extends Shape = Shape, L extends Shape = Shape> {
  /** The state after each step: [T, N, units]. */
  readonly outputs: Node<S, 'f32'>;
  /** The state after the last step: [N, units]. */
  readonly state: Node<L, 'f32'>;
}

/** What a sequence x and recurrent weights R make. */
type RecurrenceOf<X extends Node, R extends Node> = Recurrence<
  States<ShapeOf<X>, ShapeOf<R>>,
  LastState<ShapeOf<X>, ShapeOf<R>>
>;

export interface RnnOptions extends RecurrentOptions {
  /** Default tanh. */
  readonly activation?: (x: Floats) => Node;
}

/**
 * h[t] = tanh(x[t] · kernel + h[t−1] · recurrent + bias). x is f32[T, N, features]. Elman, 1990. Throws HDL0001, HDL0002.
 *
 *     const { outputs, state } = rnn(x, { kernel, recurrent, bias }); // f32[20, 8, 16] → f32[20, 8, 64], f32[8, 64]
 */
export function rnn<X extends Node, R extends Node>(
  x: X & Accepts<'rnn', X, 'f32'>,
  weights: RecurrentWeights<R>,
  options: RnnOptions = {},
): RecurrenceOf<X, R> {
  const activation = options.activation ?? ((v: Floats): Node => tanh(v));
  const { outputs, states } = recurrence('rnn', x, weights, 1, [options.initial], options, (z, [h]) => [
    activation(add(z, matmul(h!, weights.recurrent as Node as Floats)) as Floats) as Floats,
  ]);
  return { outputs, state: states[0]! } as Recurrence as RecurrenceOf<X, R>;
}

export interface LstmOptions extends RecurrentOptions {
  /** The cells to begin with, [N, units] (default zeros). */
  readonly initialCell?: Node;
}

export interface LstmResult<S extends Shape = Shape, L extends Shape = Shape> extends Recurrence<S, L> {
  /** The cells after the last step: [N, units]. */
  readonly cell: Node<L, 'f32'>;
}

/**
 * c[t] = f ⊙ c[t−1] + i ⊙ g, h[t] = o ⊙ tanh(c[t]), where (i, f, g, o), in this order in the weights, are sigmoid, sigmoid,
 * tanh and sigmoid of x[t] · kernel + h[t−1] · recurrent + bias. x is f32[T, N, features]. Hochreiter and Schmidhuber, 1997;
 * Gers et al., 2000. Throws HDL0001, HDL0002.
 *
 *     const { outputs, state, cell } = lstm(x, { kernel, recurrent, bias });
 */
export function lstm<X extends Node, R extends Node>(
  x: X & Accepts<'lstm', X, 'f32'>,
  weights: RecurrentWeights<R>,
  options: LstmOptions = {},
): LstmResult<States<ShapeOf<X>, ShapeOf<R>>, LastState<ShapeOf<X>, ShapeOf<R>>> {
  const initial = [options.initial, options.initialCell];
  const { outputs, states } = recurrence('lstm', x, weights, 4, initial, options, (z, [h, c]) => {
    const gates = add(z, matmul(h!, weights.recurrent as Node as Floats)) as Floats;
    const [i, f, g, o] = split(gates, 4, 1) as [Floats, Floats, Floats, Floats];
    const cell = add(mul(sigmoid(f), c!), mul(sigmoid(i), tanh(g))) as Floats;
    return [mul(sigmoid(o), tanh(cell)) as Floats, cell];
  });
  return { outputs, state: states[0]!, cell: states[1]! } as never;
}

export interface GruOptions extends RecurrentOptions {
  /** [3 · units], added with the state: r ⊙ (h · recurrent + this) needs it apart from the other bias. */
  readonly recurrentBias?: Node;
  /** Whether the reset gate multiplies the product with the state (default true) or the state before it. */
  readonly resetAfter?: boolean;
}

/**
 * h[t] = (1 − z) ⊙ n + z ⊙ h[t−1], with gates (r, z, n), in this order in the weights: r and z are sigmoids, and
 * n = tanh(x · kernel + bias + r ⊙ (h · recurrent + recurrentBias)); with `resetAfter: false` the last product is
 * (r ⊙ h) · recurrent. x is f32[T, N, features]. Cho et al., 2014. Throws HDL0001, HDL0002.
 *
 *     const { outputs, state } = gru(x, { kernel, recurrent, bias }, { recurrentBias });
 */
export function gru<X extends Node, R extends Node>(
  x: X & Accepts<'gru', X, 'f32'>,
  weights: RecurrentWeights<R>,
  options: GruOptions = {},
): RecurrenceOf<X, R> {
  const { recurrentBias, resetAfter = true } = options;
  const [toRates, toNew] = splitGates(weights.recurrent as Node as Floats, 1);
  const [rateBias, newBias] =
    recurrentBias === undefined ? [null, null] : splitGates(recurrentBias as Floats, 0);
  const plus = (v: Node, bias: Floats | null): Floats => (bias === null ? v : add(v, bias)) as Floats;
  const { outputs, states } = recurrence('gru', x, weights, 3, [options.initial], options, (gates, [h]) => {
    const [xRates, xNew] = splitGates(gates, 1);
    const rates = sigmoid(add(xRates, plus(matmul(h!, toRates), rateBias)) as Floats);
    const [r, z] = split(rates as Floats, 2, 1) as [Floats, Floats];
    const state = resetAfter
      ? mul(r, plus(matmul(h!, toNew), newBias))
      : plus(matmul(mul(r, h!) as Floats, toNew), newBias);
    const n = tanh(add(xNew, state) as Floats) as Floats;
    return [add(mul(sub(1, z), n), mul(z, h!)) as Floats];
  });
  return { outputs, state: states[0]! } as Recurrence as RecurrenceOf<X, R>;
}

/** The gates r and z together, and n. */
function splitGates(x: Floats, axis: number): [Floats, Floats] {
  const units = x.type.shape[axis]! / 3;
  return split(x, [2 * units, units], axis) as [Floats, Floats];
}

/** The loop that all share: `step` gets the gates' part of the input and the states, and returns the next states. */
function recurrence(
  fn: string,
  x: Node,
  weights: RecurrentWeights,
  gates: number,
  initial: readonly (Node | undefined)[],
  options: RecurrentOptions,
  step: (z: Floats, states: readonly Floats[]) => readonly Floats[],
): { readonly outputs: Floats; readonly states: readonly Floats[] } {
  const units = checkWeights(fn, x, weights, gates);
  const [length, batch] = x.type.shape as [number, number];
  return scope(fn, () => {
    const product = matmul(x as Floats, weights.kernel as Floats) as Floats;
    const z = (weights.bias === undefined ? product : add(product, weights.bias)) as Floats;
    const begin = initial.map((s): Floats => {
      if (s !== undefined) expectShape(fn, 'the initial state', s, [batch, units]);
      return (s ?? zeros([batch, units])) as Floats;
    });
    const { lengths } = options;
    if (lengths !== undefined) expectShape(fn, 'lengths', lengths, [batch]);
    // Whether each sequence still runs in each step.
    const runs =
      lengths === undefined
        ? []
        : [expandDims(lt(expandDims(iota([length], 0), 1), lengths as Node<Shape, 'i32'>) as Node, 2)];
    const { carry, outputs } = scan(
      (states, [row, isRunning]) => {
        const next = step(row as Floats, states as readonly Node[] as readonly Floats[]);
        if (isRunning === undefined) return { carry: next, outputs: [next[0]!] };
        const held = next.map(
          (s, i) => where(isRunning as Node<Shape, 'bool'>, s, states[i] as Floats) as Floats,
        );
        return { carry: held, outputs: [where(isRunning as Node<Shape, 'bool'>, next[0]!, 0) as Floats] };
      },
      begin,
      [z as Node, ...(runs as readonly Node[])] as readonly Node[],
      { reverse: options.reverse ?? false },
    );
    return { outputs: outputs[0] as Node as Floats, states: carry };
  });
}

/** The number of units. Throws unless x and all weights fit together. */
function checkWeights(
  fn: string,
  x: Node,
  { kernel, recurrent, bias }: RecurrentWeights,
  gates: number,
): number {
  for (const v of [x, kernel, recurrent, ...(bias === undefined ? [] : [bias])]) requireFloats(fn, v);
  if (x.type.shape.length !== 3) {
    throw refuse(
      fn,
      x,
      `x is [T, N, features], not ${formatShape(x.type.shape)}`,
      'the first dimension counts the steps: transpose or reshape x',
    );
  }
  const units = recurrent.type.shape[0] ?? 0;
  expectShape(fn, 'recurrent', recurrent, [units, gates * units]);
  expectShape(fn, 'kernel', kernel, [x.type.shape[2]!, gates * units]);
  if (bias !== undefined) expectShape(fn, 'bias', bias, [gates * units]);
  return units;
}

function expectShape(fn: string, what: string, node: Node, shape: Shape): void {
  if (sameShape(node.type.shape, shape)) return;
  throw refuse(
    fn,
    node,
    `${what} has shape ${formatShape(node.type.shape)}, not ${formatShape(shape)}`,
    'gates lie side by side in the last dimension',
  );
}

function refuse(fn: string, x: Node, rule: string, hint: string): Error {
  return compilerError('HDL0001', { what: `${fn}(${describeNode(x)})`, rule, hint, loc: callerLocation() });
}
