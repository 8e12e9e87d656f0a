// Which loop of a contraction makes the columns of its register tiles, which one the rows, how large a tile is, and along
// which loop lanes run. Every possibility is priced by what the target says about its tiles, and the cheapest is taken.
//
// In: a definition that is one sum of products. The choice depends on shapes and target only.

import { remembered } from '../../remembered.ts';
import type { LoopVar } from '../affine.ts';
import { type KernelDefinition, volume } from '../definition.ts';
import { constant } from '../expr.ts';
import type { Target } from '../ir.ts';
import { replacer } from '../substitute.ts';
import { type Cover, type CoverRules, coverWith } from './cover.ts';
import { isAsked, shareOf } from './guards.ts';
import {
  conditionsOf,
  type Load,
  motionOf,
  moves,
  operandsFor,
  type Product,
  reductionOrder,
} from './product.ts';
import { canVectorize, vectorCount } from './vector.ts';

/** A register tile: rows × columns, in elements, and the cycles of one round. */
export interface TileSize {
  readonly rows: number;
  readonly columns: number;
  readonly cycles: number;
}

/** The parts that loops of a contraction have. */
export interface Parts {
  /** Columns of the tile. Null: the result has one column. */
  readonly v: LoopVar | null;
  /** Rows of the tile. Null: it has one row. */
  readonly m: LoopVar | null;
  /** Lanes run across the columns, or along the innermost reduction loop. */
  readonly form: 'across' | 'along';
  readonly lanes: 1 | 4;
}

export interface Choice extends Parts {
  readonly tile: TileSize;
  /** Operands that must be packed first: their elements do not lie side by side along the lanes. */
  readonly pack: readonly Load[];
  /** Estimate of the whole contraction, in cycles. */
  readonly cycles: number;
}

export interface ChoiceRules {
  /** Whether an operand may be packed for lanes along a loop. */
  readonly canPack?: (load: Load, lane: LoopVar) => boolean;
  /** Leaves aside whether what follows the sum can run in lanes: it will be a kernel of its own. */
  readonly sumOnly?: boolean;
}

/** Cycles of a round for each vector that has no register. Tiles of 4 × 2 and 3 × 3 without sharing took 2.5 and 1.1. */
const spillCycles = 1.5;

/** Cycles to pack an element: one is loaded and one stored, by single lanes. */
const packCycles = 4;
/** Cycles to ask the conditions of a tap: on average over those that are left out and those that are not. */
const askCycles = 2;

/** The cheapest choice, or null when no element would be used twice, or in whole vectors. */
export function chooseLoops(
  def: KernelDefinition,
  product: Product,
  target: Target,
  { canPack = () => false, sumOnly = false }: ChoiceRules = {},
): Choice | null {
  const { reduction } = product;
  const conditions = conditionsOf(product);
  const swap = replacer((e) => (e === reduction ? constant(reduction.type, 0) : undefined));
  const epilogues = sumOnly ? [] : def.stores.map((s) => swap(s.value));
  const limits = limitsOf(target);
  let best: Choice | null = null;
  const consider = (
    v: LoopVar | null,
    m: LoopVar | null,
    form: 'across' | 'along',
    lanes: 1 | 4,
    pack: readonly Load[],
  ): void => {
    const packing = pack.reduce((n, load) => n + packCycles * sizeOf(load, def, reduction.vars), 0);
    const parts = { v, m, form, lanes };
    const price = pricer(def, product, parts, limits);
    for (const tile of fittingTiles(product, parts, target)) {
      const cycles = price(tile) + packing;
      // The first of the list keeps a small lead: it was measured to be the fastest.
      if (best === null || cycles < 0.98 * best.cycles) best = { v, m, form, lanes, tile, pack, cycles };
    }
  };

  for (const v of [...def.space].reverse()) {
    if (target.lanes === 1 || v.extent < 4 || isAsked(conditions, v) || !canVectorize(epilogues, v)) continue;
    const wrong = notSideBySide(product, v);
    if (!wrong.every((load) => canPack(load, v))) continue;
    for (const m of rowLoops(def, product, v)) consider(v, m, 'across', 4, wrong);
  }
  if (target.lanes === 4) {
    for (const v of [null, ...def.space.filter((s) => !isAsked(conditions, s))]) {
      const order = reductionOrder(reduction.vars, operandsFor(product, v), conditions);
      const r = order.findLast((x) => x.extent > 1);
      if (r === undefined || r.extent < 8 || isAsked(conditions, r)) continue;
      const wrong = notSideBySide(product, r);
      if (!wrong.every((load) => canPack(load, r))) continue;
      for (const m of rowLoops(def, product, v)) if (m !== null) consider(v, m, 'along', 4, wrong);
    }
  }
  if (best === null || target.lanes === 1) {
    for (const v of [null, ...def.space.filter((s) => !isAsked(conditions, s)).reverse()])
      for (const m of rowLoops(def, product, v)) if (m !== null) consider(v, m, 'across', 1, []);
  }
  return best;
}

/** The tiles that a contraction can have whose loops have these parts. */
export function fittingTiles(
  product: Product,
  { v, m, form, lanes }: Parts,
  target: Target,
): readonly TileSize[] {
  const tiles = matchPanels(product, v, m, tileSizes(target, form, lanes));
  return m === null ? tiles.filter((t) => t.rows === 1) : tiles;
}

/** Estimate of the whole contraction with a tile, in cycles, without packing. */
export function tileCycles(
  def: KernelDefinition,
  product: Product,
  parts: Parts,
  tile: TileSize,
  target: Target,
): number {
  return pricer(def, product, parts, limitsOf(target))(tile);
}

/** Estimates for the tiles of loops with these parts: what does not depend on the tile is found once. */
function pricer(
  def: KernelDefinition,
  product: Product,
  parts: Parts,
  limits: Limits,
): (tile: TileSize) => number {
  const { area, outer } = areaOf(def, product, parts, limits);
  return (tile) => outer * coverCycles(area, tile);
}

/** How the chosen tile and others cover a range of rows × columns (cover.ts), in bands of rows if that is asked for. */
export function coverer(
  def: KernelDefinition,
  product: Product,
  parts: Parts & { readonly tile: TileSize },
  target: Target,
  along?: 'rows',
): (rows: number, columns: number) => Cover {
  const { v, m, form, lanes, tile } = parts;
  const { area } = areaOf(def, product, parts, limitsOf(target));
  const hasPanels = (s: LoopVar | null): boolean => s !== null && panelsOf(product, s) !== null;
  const perSum = tile.cycles / (tile.rows * Math.ceil(tile.columns / area.wide));
  const rules: CoverRules = {
    tiles: tileSizes(target, form, lanes),
    hasRowPanels: hasPanels(m),
    hasColumnPanels: hasPanels(v),
    cycles: (rows, columns) => partCycles(area, rows, columns, perSum),
    ...(along && { along }),
  };
  return (rows, columns) => coverWith(rows, columns, tile, rules);
}

function areaOf(
  def: KernelDefinition,
  product: Product,
  parts: Parts,
  limits: Limits,
): { readonly area: Area; readonly outer: number } {
  const { v, m, form, lanes } = parts;
  const { x, y } = product;
  const outer = volume(def.space) / ((v?.extent ?? 1) * (m?.extent ?? 1));
  const conditions = conditionsOf(product);
  const { vars } = product.reduction;
  const rounds = volume(vars) * shareOf(conditions, [...def.space, ...vars]);
  const asked = vars.filter((r) => isAsked(conditions, r));
  const scattered =
    form === 'along' || (v !== null && def.stores.some((s) => storeStride(s.index, v) !== 1)) ? 4 : 1;
  const area: Area = {
    rows: m?.extent ?? 1,
    columns: v?.extent ?? 1,
    xInColumns: v !== null && moves(x, v),
    yInColumns: v !== null && moves(y, v),
    xInRows: m !== null && moves(x, m),
    yInRows: m !== null && moves(y, m),
    wide: form === 'across' ? lanes : 1,
    rounds: form === 'along' ? Math.ceil(rounds / lanes) : rounds,
    scattered,
    asking: asked.length === 0 ? 0 : askCycles * volume(asked),
    ...limits,
  };
  return { area, outer };
}

/** Operands whose elements do not lie side by side along a loop, nor stay the same. */
function notSideBySide({ x, y }: Product, lane: LoopVar): Load[] {
  return [...new Set([x, y])].filter((load) => ![0, 1].includes(motionOf(load, lane).stride));
}

/** Loops whose elements may be the rows of a tile: they move one operand, and share the other's. Null: a single row. */
function rowLoops(def: KernelDefinition, product: Product, v: LoopVar | null): (LoopVar | null)[] {
  const { x, y } = product;
  const conditions = conditionsOf(product);
  const sharing = def.space.filter(
    (s) => s !== v && s.extent > 1 && moves(x, s) !== moves(y, s) && !isAsked(conditions, s),
  );
  return [...sharing.reverse(), null];
}

/** Elements of an operand: the loops with which it moves. */
function sizeOf(load: Load, def: KernelDefinition, vars: readonly LoopVar[]): number {
  return volume([...def.space, ...vars].filter((s) => moves(load, s)));
}

function storeStride(index: Load['index'], v: LoopVar): number {
  return index.terms.find((t) => t.atom === v)?.coeff ?? Number.NaN;
}

/** The tiles of the target; along the reduction a vector holds one column. */
export function tileSizes(target: Target, form: 'across' | 'along', lanes: 1 | 4): readonly TileSize[] {
  return tilesOf(target)[form === 'across' ? lanes : 1];
}

/** By elements of a vector of columns. */
const tilesOf = remembered(({ tiles }: Target): Readonly<Record<1 | 4, readonly TileSize[]>> => {
  const wide = (by: number): TileSize[] =>
    tiles.map(({ rows, vectors, cycles }) => ({ rows, columns: vectors * by, cycles }));
  return { 1: wide(1), 4: wide(4) };
});

/** The same when operands were packed: their panels fix the rows or columns. */
function matchPanels(
  product: Product,
  v: LoopVar | null,
  m: LoopVar | null,
  tiles: readonly TileSize[],
): readonly TileSize[] {
  const columns = v && panelsOf(product, v);
  const rows = m && panelsOf(product, m);
  if (columns === null && rows === null) return tiles;
  return tiles.filter((t) => (columns ?? t.columns) === t.columns && (rows ?? t.rows) === t.rows);
}

/** The width of the panels in which an operand lies along a loop; null without. */
function panelsOf({ x, y }: Product, s: LoopVar): number | null {
  return motionOf(x, s).panel ?? motionOf(y, s).panel;
}

/** By rows and vectors: cycles of the smallest tile that has so many, infinite when none has. */
type SmallestTiles = readonly (readonly number[])[];

type Limits = Pick<Area, 'smallest' | 'registers'>;

const limitsOf = remembered((target: Target): Limits => {
  const registers = target.tiles.reduce(
    (n, { rows, vectors }) => Math.max(n, rows * vectors + rows + vectors),
    0,
  );
  return { smallest: smallestTiles(target), registers };
});

function smallestTiles(target: Target): SmallestTiles {
  let rows = 0;
  let vectors = 0;
  for (const t of target.tiles) {
    rows = Math.max(rows, t.rows);
    vectors = Math.max(vectors, t.vectors);
  }
  const table: number[][] = [];
  for (let r = 0; r <= rows; r++) table.push(new Array<number>(vectors + 1).fill(Number.POSITIVE_INFINITY));
  for (const t of target.tiles) table[t.rows]![t.vectors] = Math.min(table[t.rows]![t.vectors]!, t.cycles);
  // A tile with more rows or vectors will do.
  for (let r = rows; r >= 0; r--) {
    for (let c = vectors; c >= 0; c--) {
      const more = Math.min(
        table[r + 1]?.[c] ?? Number.POSITIVE_INFINITY,
        table[r]![c + 1] ?? Number.POSITIVE_INFINITY,
      );
      table[r]![c] = Math.min(table[r]![c]!, more);
    }
  }
  return table;
}

/** Rows and columns to cover, which operand moves along which, and what a round costs. */
interface Area {
  readonly rows: number;
  readonly columns: number;
  readonly xInColumns: boolean;
  readonly yInColumns: boolean;
  readonly xInRows: boolean;
  readonly yInRows: boolean;
  /** Elements of a vector of columns. */
  readonly wide: number;
  /** Rounds of a tile's innermost loop. */
  readonly rounds: number;
  /** Cycles to store a vector of results. */
  readonly scattered: number;
  /** Cycles to ask conditions, for a whole tile. */
  readonly asking: number;
  readonly smallest: SmallestTiles;
  /** Vectors that the largest tile of the target holds: its sums, and what they read. */
  readonly registers: number;
}

/** Cycles to cover rows × columns with tiles, what is left over with smaller ones. */
function coverCycles(area: Area, tile: TileSize): number {
  const perSum = tile.cycles / (tile.rows * Math.ceil(tile.columns / area.wide));
  const fullRows = Math.floor(area.rows / tile.rows);
  const restRows = area.rows % tile.rows;
  const fullColumns = Math.floor(area.columns / tile.columns);
  const restColumns = area.columns % tile.columns;
  let cycles = 0;
  if (fullRows * fullColumns > 0)
    cycles += fullRows * fullColumns * partCycles(area, tile.rows, tile.columns, perSum);
  if (fullRows > 0 && restColumns > 0) cycles += fullRows * partCycles(area, tile.rows, restColumns, perSum);
  if (fullColumns > 0 && restRows > 0)
    cycles += fullColumns * partCycles(area, restRows, tile.columns, perSum);
  if (restRows > 0 && restColumns > 0) cycles += partCycles(area, restRows, restColumns, perSum);
  return cycles;
}

/** Cycles of one tile, or of the part of one that is left over. */
function partCycles(c: Area, rows: number, columns: number, perSum: number): number {
  const vectors = c.wide === 4 ? vectorCount(columns) : columns;
  const sums = rows * vectors;
  const loads =
    (c.xInColumns ? vectors : 1) * (c.xInRows ? rows : 1) +
    (c.yInColumns ? vectors : 1) * (c.yInRows ? rows : 1);
  // What the smallest tile costs that has the rows and vectors.
  const tile = c.smallest[rows]?.[vectors] ?? Number.POSITIVE_INFINITY;
  // The tiles of a target fit its registers when rows share what columns load, and columns what rows load.
  const spilled = Math.max(0, loads + sums - c.registers);
  const round = Math.max(Math.min(sums * perSum + 4, tile), loads / 2 + 0.5) + spillCycles * spilled;
  return c.rounds * round + sums * (1 + c.scattered) + c.asking + 12;
}
