// Accumulators: how a reduction expression becomes registers that start at a neutral element, change once per round and
// are read at the end. Shared by the schedules of reductions and contractions.

import type { Index } from '../affine.ts';
import type { ReduceExpr, VarSource } from '../definition.ts';
import {
  binary,
  combiner,
  compare,
  constant,
  type Expr,
  indexValue,
  type Monoid,
  neutral,
  type Register,
  select,
  unary,
} from '../expr.ts';
import type { Lanes, Stmt } from '../ir.ts';
import { unifier } from '../unify.ts';

export interface Accumulator {
  readonly start: readonly Stmt[];
  /** In place of `start` and the first round, where that is known and gives the same bits; else null. */
  readonly first: ((body: Expr, position: Index) => readonly Stmt[]) | null;
  /** One round: combines the body's value (already placed and vectorized) into the registers. */
  readonly step: (body: Expr, position: Index) => readonly Stmt[];
  readonly result: Expr;
  /** Of an argmax: the element it chose. */
  readonly largest: Expr | null;
}

/** Of reductions that run together: the largest of what an argmax looks at is known to the argmax. */
export function makeAccumulators(
  reductions: readonly ReduceExpr[],
  lanes: Lanes,
  vars: VarSource,
): Accumulator[] {
  const one = unifier();
  const bodies = reductions.map((r) => one(r.body));
  const made = reductions.map((r) => makeAccumulator(r, lanes, vars));
  return reductions.map((r, i) => {
    const isMax = r.kind === 'reduce' && r.monoid === 'max';
    const known = isMax ? made.find((a, k) => a.largest !== null && bodies[k] === bodies[i]) : undefined;
    if (known === undefined) return made[i]!;
    return { start: [], first: () => [], step: () => [], result: known.largest!, largest: null };
  });
}

export function makeAccumulator(r: ReduceExpr, lanes: Lanes, vars: VarSource): Accumulator {
  const register = (name: string, type: Expr['type']): Register => ({ name, type, id: vars.next() });
  const read = (reg: Register): Expr => ({ kind: 'reg', type: reg.type, reg });
  if (r.kind === 'reduce') {
    const acc = register('acc', r.type);
    return {
      start: [{ kind: 'let', reg: acc, value: constant(r.type, neutral(r.monoid, r.type)), lanes }],
      // Not of sums: 0 + −0 is 0.
      first: isExact(r.monoid) ? (body) => [{ kind: 'let', reg: acc, value: body, lanes }] : null,
      step: (body) => [{ kind: 'set', reg: acc, value: binary(combiner(r.monoid), read(acc), body), lanes }],
      result: read(acc),
      largest: null,
    };
  }
  // The first largest element, NaN being largest: replace when greater, or when NaN comes where none was.
  const type = r.body.type;
  const best = register('best', type);
  const at = register('at', 'i32');
  const low = type === 'f32' ? Number.NEGATIVE_INFINITY : type === 'i32' ? -2147483648 : 0;
  return {
    start: [
      { kind: 'let', reg: best, value: constant(type, low), lanes },
      { kind: 'let', reg: at, value: constant('i32', 0), lanes },
    ],
    first: (body, position) => [
      { kind: 'let', reg: best, value: body, lanes },
      { kind: 'let', reg: at, value: indexValue(position), lanes },
    ],
    step: (body, position) => {
      const value = register('value', type);
      const better = register('better', 'bool');
      // Of f32: not at most the best so far, which is a number.
      const isNew =
        type === 'f32'
          ? binary(
              'and',
              compare('eq', read(best), read(best)),
              unary('not', compare('le', read(value), read(best))),
            )
          : compare('gt', read(value), read(best));
      return [
        { kind: 'let', reg: value, value: body, lanes },
        { kind: 'let', reg: better, value: isNew, lanes },
        { kind: 'set', reg: best, value: select(read(better), read(value), read(best)), lanes },
        { kind: 'set', reg: at, value: select(read(better), indexValue(position), read(at)), lanes },
      ];
    },
    result: read(at),
    largest: read(best),
  };
}

/** Whether the neutral element leaves every bit of what it is combined with. */
function isExact(monoid: Monoid): boolean {
  return monoid === 'max' || monoid === 'min';
}
