// What is added up along the rows of a band of register tiles (summed.ts): one vector of partial sums for each row and sum, which
// every tile of the band adds its columns to, and which is combined and stored at the end of the band.

import { type Index, substituteIndex } from '../affine.ts';
import { constant, type Expr, neutral, type Register } from '../expr.ts';
import type { Stmt } from '../ir.ts';
import { replacer, substituter } from '../substitute.ts';
import type { Contraction, RowSums } from './analyze.ts';
import { type PlacedSum, type Places, storeValues } from './statements.ts';

/** The sums of some neighbouring rows. */
export class RowTotals {
  readonly #s: Contraction;
  readonly #places: Places;
  readonly #rows: readonly Index[];
  readonly #below: readonly RowSums[];
  /** By row, then in the order of the sums. */
  readonly #acc: readonly (readonly Register[])[];

  constructor(s: Contraction, below: readonly RowSums[], places: Places, rows: readonly Index[]) {
    this.#s = s;
    this.#below = below;
    this.#places = places;
    this.#rows = rows;
    const sums = below.flatMap((b) => b.sums);
    this.#acc = rows.map((_, i) =>
      sums.map(({ total }) => ({ name: `sum${i}`, type: total.type, id: s.def.vars.next() })),
    );
  }

  start(): Stmt[] {
    const sums = this.#below.flatMap((b) => b.sums);
    return this.#acc.flatMap((row) =>
      row.map((reg, k): Stmt => {
        const value = constant(reg.type, neutral(sums[k]!.monoid, reg.type));
        return { kind: 'let', reg, value, lanes: 4 };
      }),
    );
  }

  /** What a vector of columns adds to the sums of row i; `place` puts bodies there. */
  of(i: number, place: (body: Expr) => Expr): PlacedSum[] {
    const sums = this.#below.flatMap((b) => b.sums);
    return sums.map(({ monoid, body }, k) => ({ into: this.#acc[i]![k]!, monoid, value: place(body) }));
  }

  /** Combines the lanes and stores what is made of them. */
  finish(): Stmt[] {
    const { def, m } = this.#s;
    return this.#rows.flatMap((row, i) => {
      const at = (id: number): Index | undefined => (id === m?.id ? row : this.#places.get(id));
      const place = substituter((x) => at(x.id));
      let k = 0;
      return this.#below.flatMap(({ sums, stores }) => {
        const totals = new Map<Register, Expr>();
        const lets = sums.map(({ monoid, total }): Stmt => {
          const acc = this.#acc[i]![k++]!;
          const reg: Register = { name: 'total', type: total.type, id: def.vars.next() };
          totals.set(total, { kind: 'reg', type: reg.type, reg });
          const x: Expr = { kind: 'reg', type: acc.type, reg: acc };
          return { kind: 'let', reg, value: { kind: 'horizontal', type: reg.type, monoid, x }, lanes: 4 };
        });
        const swap = replacer((e) => (e.kind === 'reg' ? totals.get(e.reg) : undefined));
        const placed = stores.map((s) => ({
          param: s.param,
          index: substituteIndex(s.index, (x) => at(x.id)),
          value: place(swap(s.value)),
          laneStride: 0,
        }));
        return [...lets, ...storeValues(placed, 1, def.vars)];
      });
    });
  }
}
