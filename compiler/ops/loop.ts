// scan as users write it: the step is a function of symbolic values, called once, when the graph is built.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { ShapeOf } from '../graph/shape-types.ts';
import type { DType, Shape } from '../graph/types.ts';
import { stack } from './concat.ts';
import { allResults, asNodes, expectType, trace } from './regions.ts';
import { rowNode, type ScanAttrs, scanOp } from './scan.ts';

export interface ScanOptions<L extends number = number> {
  /** Number of steps; needed only when there are no sequences. */
  readonly length?: L;
  /** Begins with the last rows; outputs keep the order of the rows (default false). */
  readonly reverse?: boolean;
  /**
   * True builds every step now, one after the other, instead of one step for all; false keeps the loop a loop however short
   * it is. Default: one step for all, and the compiler unrolls what is short. Values are the same.
   */
  readonly unroll?: boolean;
}

/** One row of each sequence. */
export type RowsOf<X extends readonly Node[]> = { readonly [I in keyof X]: RowOf<X[I]> };
type RowOf<T> = T extends Node<infer S extends Shape, infer D extends DType> ? Node<TailOf<S>, D> : Node;
type TailOf<S extends Shape> = S extends readonly [number, ...infer Tail extends Shape]
  ? readonly [...Tail]
  : Shape;

export interface ScanResult<C extends readonly Node[], Y extends readonly Node[], L extends number = number> {
  /** The carried values after the last step. */
  readonly carry: C;
  /** For each output its rows, in the order of the sequences' rows: [length, …]. */
  readonly outputs: { readonly [I in keyof Y]: StackOf<Y[I], L> };
}
type StackOf<T, L extends number> =
  T extends Node<infer S extends Shape, infer D extends DType> ? Node<readonly [L, ...S], D> : Node;
/** The number of rows of the first sequence; L where there are none. */
type StepsOf<X extends readonly Node[], L extends number> = X extends readonly [
  infer First,
  ...(readonly Node[]),
]
  ? ShapeOf<First> extends readonly [infer N extends number, ...Shape]
    ? N
    : number
  : L;

/**
 * A loop: `step` gets the carried values and row t of each sequence and returns the next carried values, of the same types,
 * and a row of each output. What else it reads is the same in every step. Any dtypes; the number of steps is the first
 * dimension of the sequences, or `length`. Throws HDL0001 when types do not fit, HDL0003.
 *
 *     const { carry: [h], outputs: [hs] } = scan(
 *       ([h], [x]) => { const next = tanh(add(x, matmul(h, w))); return { carry: [next], outputs: [next] }; },
 *       [zeros([8, 64])],
 *       [xs],                                  // f32[20, 8, 64]: 20 steps
 *     );                                       // h: f32[8, 64], hs: f32[20, 8, 64]
 */
export function scan<
  const C extends readonly Node[],
  const X extends readonly Node[],
  const Y extends readonly Node[],
  const L extends number = number,
>(
  step: (carry: C, rows: RowsOf<X>) => { readonly carry: readonly Node[]; readonly outputs: Y },
  init: C,
  sequences: X,
  options: ScanOptions<L> = {},
): ScanResult<C, Y, StepsOf<X, L>> {
  const length = lengthOf(sequences, options);
  const reverse = options.reverse ?? false;
  const run = (carry: readonly Node[], rows: readonly Node[]): { carry: readonly Node[]; outputs: Y } => {
    const given = step(carry as readonly Node[] as C, rows as readonly Node[] as RowsOf<X>);
    const next = asNodes('scan', 'the step', given.carry);
    asNodes('scan', 'the step', given.outputs);
    if (next.length !== init.length) throw carryError(next.length, init.length);
    next.forEach((n, i) => {
      expectType(
        `carry ${i} that the step of scan returns`,
        n,
        init[i]!.type,
        'a carried value keeps its type: cast or reshape it, or begin with the type that it gets',
      );
    });
    return { carry: next, outputs: given.outputs };
  };
  const result: ScanResult<C, Y> =
    options.unroll && length > 0
      ? unrolled(run, init, sequences, length, reverse)
      : asNode(run, init, sequences, { length, reverse, ...(options.unroll === false && { unroll: false }) });
  return result as ScanResult<C, Y, never> as ScanResult<C, Y, StepsOf<X, L>>;
}

type Run<Y extends readonly Node[]> = (
  carry: readonly Node[],
  rows: readonly Node[],
) => { readonly carry: readonly Node[]; readonly outputs: Y };

function asNode<C extends readonly Node[], Y extends readonly Node[]>(
  run: Run<Y>,
  init: C,
  sequences: readonly Node[],
  loop: Pick<ScanAttrs, 'length' | 'reverse' | 'unroll'>,
): ScanResult<C, Y> {
  const parameters = [
    ...init.map((c, i) => ({ name: `carry${i}`, type: c.type })),
    ...sequences.map((x, i) => ({
      name: `row${i}`,
      type: { dtype: x.type.dtype, shape: x.type.shape.slice(1) },
    })),
  ];
  const { region, captured } = trace('step', parameters, (inputs) => {
    const { carry, outputs } = run(inputs.slice(0, init.length), inputs.slice(init.length));
    return [...carry, ...outputs];
  });
  const attrs = { carries: init.length, sequences: sequences.length, ...loop };
  const results = scope('scan', () =>
    allResults(scanOp, [...init, ...sequences, ...captured], attrs, [region], region.outputs.length),
  );
  return {
    carry: results.slice(0, init.length) as readonly Node[] as C,
    outputs: results.slice(init.length) as readonly Node[] as ScanResult<C, Y>['outputs'],
  };
}

function unrolled<C extends readonly Node[], Y extends readonly Node[]>(
  run: Run<Y>,
  init: C,
  sequences: readonly Node[],
  length: number,
  reverse: boolean,
): ScanResult<C, Y> {
  let carry: readonly Node[] = init;
  const rows: Y[] = [];
  for (let i = 0; i < length; i++) {
    const t = reverse ? length - 1 - i : i;
    const result = run(
      carry,
      sequences.map((x) => rowNode(x, t)),
    );
    carry = result.carry;
    rows[t] = result.outputs;
  }
  const outputs = rows[0]!.map((_, k) => stack(rows.map((r) => r[k]!)));
  return {
    carry: carry as readonly Node[] as C,
    outputs: outputs as readonly Node[] as ScanResult<C, Y>['outputs'],
  };
}

function lengthOf(sequences: readonly Node[], options: ScanOptions): number {
  const fail = (rule: string, hint: string): never => {
    throw compilerError('HDL0003', {
      what: `scan over [${sequences.map(describeNode).join(', ')}]`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  const length = options.length ?? sequences[0]?.type.shape[0];
  if (length === undefined || !Number.isInteger(length) || length < 0) {
    fail(
      sequences.length === 0
        ? 'the number of steps is not known'
        : `the number of steps is ${String(length)}, not an integer of at least 0`,
      'pass { length: 10 }, or a sequence with a row for each step',
    );
  }
  const wrong = sequences.findIndex((x) => x.type.shape[0] !== length);
  if (wrong >= 0) {
    fail(
      `sequence ${wrong} has ${sequences[wrong]!.type.shape[0] ?? 'no'} rows, and there are ${String(length)} steps`,
      'the first dimension of every sequence counts the steps: transpose it to the front',
    );
  }
  return length!;
}

function carryError(given: number, wanted: number): Error {
  return compilerError('HDL0003', {
    what: `the step of scan returned ${given} carried values`,
    rule: `it carries ${wanted}, as it began with`,
    hint: 'return { carry: […], outputs: […] } with a value for each initial one',
    loc: callerLocation(),
  });
}
