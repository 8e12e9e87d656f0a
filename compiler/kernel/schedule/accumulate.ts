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
  neutral,
  type Register,
  select,
} from '../expr.ts';
import type { Lanes, Stmt } from '../ir.ts';

export interface Accumulator {
  readonly start: readonly Stmt[];
  /** One round: combines the body's value (already placed and vectorized) into the registers. */
  readonly step: (body: Expr, position: Index) => readonly Stmt[];
  readonly result: Expr;
}

export function makeAccumulator(r: ReduceExpr, lanes: Lanes, vars: VarSource): Accumulator {
  const register = (name: string, type: Expr['type']): Register => ({ name, type, id: vars.next() });
  const read = (reg: Register): Expr => ({ kind: 'reg', type: reg.type, reg });
  if (r.kind === 'reduce') {
    const acc = register('acc', r.type);
    return {
      start: [{ kind: 'let', reg: acc, value: constant(r.type, neutral(r.monoid, r.type)), lanes }],
      step: (body) => [{ kind: 'set', reg: acc, value: binary(combiner(r.monoid), read(acc), body), lanes }],
      result: read(acc),
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
    step: (body, position) => {
      const value = register('value', type);
      const better = register('better', 'bool');
      const greater = compare('gt', read(value), read(best));
      const isNew =
        type === 'f32'
          ? binary(
              'or',
              greater,
              binary('and', compare('ne', read(value), read(value)), compare('eq', read(best), read(best))),
            )
          : greater;
      return [
        { kind: 'let', reg: value, value: body, lanes },
        { kind: 'let', reg: better, value: isNew, lanes },
        { kind: 'set', reg: best, value: select(read(better), read(value), read(best)), lanes },
        { kind: 'set', reg: at, value: select(read(better), indexValue(position), read(at)), lanes },
      ];
    },
    result: read(at),
  };
}
