// Statements that every schedule writes: loops, nests of loops, the stores at the end.

import { constIndex, type Index, type LoopVar, varIndex } from '../affine.ts';
import type { DefinitionStore, VarSource } from '../definition.ts';
import { binary, type Condition, combiner, type Expr, type Monoid, type Register } from '../expr.ts';
import type { Lanes, Stmt } from '../ir.ts';
import { isAsked, underConditions } from './guards.ts';
import { bindUnified, unified } from './share.ts';

/** What stands for each loop variable of the definition, by its id. */
export type Places = ReadonlyMap<number, Index>;

/** A loop, or its body alone when it runs once. */
export function forLoop(v: LoopVar, step: number, limit: number, body: readonly Stmt[]): Stmt[] {
  if (limit <= 0) return [];
  if (v.extent === 1) return [...body];
  return [{ kind: 'for', v, step, limit: constIndex(limit), body }];
}

/**
 * Loops over all of `vars`, outermost first, around `body`, which is told what stands for them. It runs where all conditions
 * hold; each is asked as far outside as its answer is known.
 */
export function nestLoops(
  vars: readonly LoopVar[],
  source: VarSource,
  places: Places,
  body: (places: Places) => readonly Stmt[],
  conditions: readonly Condition[] = [],
): Stmt[] {
  const later = conditions.filter((c) => vars.some((v) => isAsked([c], v)));
  const known = conditions.filter((c) => !later.includes(c));
  const inside = (): readonly Stmt[] => {
    const [v, ...rest] = vars;
    if (!v) return body(places);
    const w = source.make(v.name, v.extent);
    const at = new Map([...places, [v.id, varIndex(w)]]);
    return forLoop(w, 1, w.extent, nestLoops(rest, source, at, body, later));
  };
  return underConditions(known, (v) => places.get(v.id), inside());
}

/** All points of some loops, the last varying fastest. */
export function pointsOf(vars: readonly LoopVar[]): (readonly [number, Index])[][] {
  return vars.reduce<(readonly [number, Index])[][]>(
    (points, v) =>
      points.flatMap((p) =>
        Array.from({ length: v.extent }, (_, i) => [...p, [v.id, constIndex(i)] as const]),
      ),
    [[]],
  );
}

/** `full` in all blocks but the last, which is shorter and has code of its own. */
export function unlessLast(block: Index, blocks: number, full: readonly Stmt[], last: readonly Stmt[]): Stmt {
  return {
    kind: 'if',
    conditions: [{ kind: 'inRange', index: block, lo: 0, hi: blocks - 1 }],
    body: full,
    otherwise: last,
  };
}

/**
 * Elements of so many operations are computed four vectors at a time, statement by statement in turn: one alone is a chain
 * of dependent instructions that fills the processor's window before the next one begins. A gated unit with its gradient,
 * ns per element for 1, 2, 3 and 4 vectors: 4.3, 3.2, 2.9, 2.8 with FMA and 5.9, 4.7, 4.3, 3.8 without.
 */
export const longChain = 30;
export const vectorsInTurn = 4;

/** Lists of statements, statement by statement in turn where they are equally long. */
export function inTurn(parts: readonly (readonly Stmt[])[]): Stmt[] {
  const [first, ...others] = parts;
  if (first === undefined || others.some((p) => p.length !== first.length)) return parts.flat();
  return first.flatMap((_, i) => parts.map((part) => part[i]!));
}

/** A store whose index and value are those of one point, with the distance between lanes. */
export interface PlacedStore extends DefinitionStore {
  readonly laneStride: number;
}

/** A value that is added to what a register holds, or combined with it otherwise. */
export interface PlacedSum {
  readonly into: Register;
  readonly monoid: Monoid;
  readonly value: Expr;
}

/**
 * The stores of one point, or of one vector of points, and what is added up of them. All values are computed before the first
 * is written.
 */
export function storeValues(
  stores: readonly PlacedStore[],
  lanes: Lanes,
  source: VarSource,
  sums: readonly PlacedSum[] = [],
): Stmt[] {
  const values = unified([...stores, ...sums].map((s) => s.value));
  return storeUnified(
    stores.map((s, i) => ({ ...s, value: values[i]! })),
    lanes,
    source,
    sums.map((s, k) => ({ ...s, value: values[stores.length + k]! })),
  );
}

/** The stores with equal expressions as one object. */
export function unifiedStores(stores: readonly PlacedStore[]): readonly PlacedStore[] {
  const values = unified(stores.map((s) => s.value));
  return stores.map((s, i) => ({ ...s, value: values[i]! }));
}

/** `storeValues` where equal expressions are one object already. */
export function storeUnified(
  stores: readonly PlacedStore[],
  lanes: Lanes,
  source: VarSource,
  sums: readonly PlacedSum[] = [],
): Stmt[] {
  const shared = bindUnified(
    [...stores, ...sums].map((s) => s.value),
    lanes,
    source,
  );
  const lets: Stmt[] = [...shared.lets];
  const added = sums.map(({ into, monoid }, k): Stmt => {
    const held: Expr = { kind: 'reg', type: into.type, reg: into };
    const value = binary(combiner(monoid), held, shared.values[stores.length + k]!);
    return { kind: 'set', reg: into, value, lanes };
  });
  const values = shared.values.slice(0, stores.length).map((value): Expr => {
    if (stores.length + sums.length === 1 || value.kind === 'reg' || value.kind === 'const') return value;
    const reg = { name: 'out', type: value.type, id: source.next() };
    lets.push({ kind: 'let', reg, value, lanes });
    return { kind: 'reg', type: value.type, reg };
  });
  return [
    ...lets,
    ...added,
    ...stores.map(
      (s, i): Stmt => ({
        kind: 'store',
        param: s.param,
        index: s.index,
        value: values[i]!,
        lanes,
        laneStride: s.laneStride,
      }),
    ),
  ];
}
