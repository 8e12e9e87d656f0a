// Tiles that are given instead of chosen. In: a definition and a tile of the target. Out: the definitions to schedule in
// its place, of which the contraction has its loops and its tile written down (`KernelDefinition.given`).
//
// Invariant: the same loops in the same order, the same lanes, the same pieces of long sums, as without the tile. A sum
// is added up in one order whatever tile it stands in, so results keep their bits; where a tile would change any of
// this, the contraction cannot have it.

import { sha256 } from '../../../runtime/sha256.ts';
import type { LoopVar } from '../affine.ts';
import type { GivenTile, KernelDefinition } from '../definition.ts';
import type { Target } from '../ir.ts';
import { analyzeContraction, type Contraction } from './analyze.ts';
import type { Bound, NewTemporary } from './bound.ts';
import { type Choice, fittingTiles, type TileSize, tileCycles, tileSizes } from './choice.ts';
import { type Preparation, prepareBy } from './prepare.ts';

/** A contraction as the compiler would schedule it, and what it went by. */
export interface Tunable {
  readonly def: KernelDefinition;
  readonly target: Target;
  readonly by: Preparation;
  /** How many definitions it is prepared into, and which of them is the contraction. */
  readonly count: number;
  readonly main: number;
  readonly shape: Contraction;
}

/**
 * Ten hexadecimal digits for the text of a definition (definition-key.ts), before anything is packed or split: equal for equal
 * definitions and targets, whatever names are.
 */
export function contractionKey(text: string, target: Target): string {
  const hash = sha256(new TextEncoder().encode(`${target.name}\n${text}`));
  return Array.from(hash.subarray(0, 5), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What the compiler would do; null when the definition does not become a contraction. */
export function tunableOf(def: KernelDefinition, target: Target): Tunable | null {
  const { parts, by } = prepareDry(def, target);
  const shapes = parts.map((part) => analyzeContraction(part.def, target));
  const main = shapes.findIndex((shape) => shape !== null);
  return main < 0 ? null : { def, target, by, count: parts.length, main, shape: shapes[main]! };
}

/** The tiles of the target for the lanes of this contraction. */
export function tilesFor({ target, shape: { form, lanes } }: Tunable): readonly TileSize[] {
  return tileSizes(target, form, lanes);
}

/** Those of them that the contraction can have, each way to cut it once; with estimates of the whole, in cycles. */
export function allowedTiles(tunable: Tunable): readonly (TileSize & { readonly total: number })[] {
  const { m, v, tile } = tunable.shape;
  // What is larger than the result is cut as the result is. The compiler's own tile stands for those that are cut as it is.
  const cutOf = (t: TileSize): string =>
    `${Math.min(t.rows, m?.extent ?? 1)} × ${Math.min(t.columns, v?.extent ?? 1)}`;
  const seen = new Set<string>();
  const own = tilesFor(tunable).filter((t) => isSame(t, tile));
  return [...own, ...tilesFor(tunable)].flatMap((t) => {
    const cut = cutOf(t);
    if (seen.has(cut)) return [];
    const fitted = fit(tunable, prepareDry(tunable.def, tunable.target, preparationFor(tunable, t)).parts, t);
    if (fitted === null) return [];
    seen.add(cut);
    return [{ ...t, total: fitted.cycles }];
  });
}

/** The definitions to schedule when the contraction has this tile; null when it cannot. `bound` is of its definition. */
export function prepareWithTile<Arg>(
  tunable: Tunable,
  bound: Bound<Arg>,
  temporary: NewTemporary<Arg>,
  tile: TileSize,
): Bound<Arg>[] | null {
  const { target, by } = tunable;
  if (isSame(tile, tunable.shape.tile)) return prepareBy(bound, target, temporary, by).parts;
  const given = preparationFor(tunable, tile);
  // Buffers are made only when it is clear that they are needed.
  const fitted = fit(tunable, prepareDry(bound.def, target, given).parts, tile);
  if (fitted === null) return null;
  return prepareBy(bound, target, temporary, given, fitted.given).parts;
}

export function isSame(
  a: Pick<TileSize, 'rows' | 'columns'>,
  b: Pick<TileSize, 'rows' | 'columns'>,
): boolean {
  return a.rows === b.rows && a.columns === b.columns;
}

/** Prepares without making buffers. */
function prepareDry(
  def: KernelDefinition,
  target: Target,
  given?: Preparation,
): { readonly parts: Bound<null>[]; readonly by: Preparation } {
  return prepareBy({ def, args: def.params.map(() => null) }, target, () => null, given);
}

/** The compiler's own preparation, with panels as wide as the tile. */
function preparationFor({ by, target }: Tunable, tile: TileSize): Preparation {
  const { packing } = by;
  const own = packing && tileSizes(target, packing.form, packing.lanes).find((t) => isSame(t, tile));
  return own ? { ...by, packing: { ...packing, tile: own } satisfies Choice } : by;
}

/** The contraction among the parts with its loops and tile written down, if all is as it would be without the tile. */
function fit<Arg>(
  { shape, main, count, target }: Tunable,
  parts: readonly Bound<Arg>[],
  tile: TileSize,
): { readonly given: GivenTile; readonly cycles: number } | null {
  const def = parts[main]?.def;
  if (parts.length !== count || def === undefined) return null;
  const { form, lanes } = shape;
  const place = (x: LoopVar | null): number | null => (x === null ? null : shape.def.space.indexOf(x));
  const given: GivenTile = { v: place(shape.v), m: place(shape.m), form, lanes, tile };
  const now = analyzeContraction({ ...def, given }, target);
  if (now === null || loopsOf(now) !== loopsOf(shape)) return null;
  if (!fittingTiles(now.product, now, target).some((t) => isSame(t, tile))) return null;
  return { given, cycles: tileCycles(now.def, now.product, now, tile, target) };
}

/** All loops of a contraction with their parts and their order, as a text. */
function loopsOf({ def, vars, v, m }: Contraction): string {
  const list = (loops: readonly LoopVar[]): string => loops.map((x) => `${x.name}:${x.extent}`).join();
  return `${list(def.space)}|${list(vars)}|${v?.name}|${m?.name}`;
}
