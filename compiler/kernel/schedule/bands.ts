// A region of the result of a contraction, cut into register tiles as the cover says (cover.ts), or into stripes (stripes.ts); with
// what is added up along each band of rows (row-totals.ts).

import { addIndex, type Index, offsetIndex, scaleIndex, varIndex } from '../affine.ts';
import type { Stmt } from '../ir.ts';
import type { Contraction } from './analyze.ts';
import { RowTotals } from './row-totals.ts';
import { forLoop, type Places } from './statements.ts';
import { Held, stripeRows, stripesInRound } from './stripes.ts';
import { type Column, Tile } from './tile.ts';
import { vectorsOf } from './vector.ts';

/** Elements [from, from + count) along a loop. */
export interface Extent {
  readonly from: Index;
  readonly count: number;
}

/** The part of the result that is to be written: all other loops have their places. */
export interface Region {
  readonly places: Places;
  readonly rows: Extent;
  readonly columns: Extent;
}

/** Bands of tiles, one after the other, as the cover says. */
export function writeTiles(s: Contraction, { places, rows, columns }: Region): Stmt[] {
  const rowsOf = (r: Extent): Index[] => Array.from({ length: r.count }, (_, i) => offsetIndex(r.from, i));
  const tile = (r: Extent, c: Extent, sums?: RowTotals): Stmt[] =>
    new Tile(s, places, rowsOf(r), columnsOf(s, c), sums).write();
  /** A band of rows: with what is added up along it. */
  const band = (r: Extent, across: number, write = tile): Stmt[] => {
    const totals = s.sums && new RowTotals(s, s.sums, places, rowsOf(r));
    const tiles = byColumns(columns, across, (c) => write(r, c, totals));
    return totals ? [...totals.start(), ...tiles, ...totals.finish()] : tiles;
  };
  const byRows = (r: Extent, size: number, body: (r: Extent) => Stmt[]): Stmt[] =>
    pieces(s, s.m?.name ?? 'tile', r, size, body);
  const byColumns = (c: Extent, size: number, body: (c: Extent) => Stmt[]): Stmt[] =>
    pieces(s, s.v?.name ?? 'tile', c, size, body);
  const striped = stripeRows(s);
  if (striped !== null) {
    return byRows(rows, striped, (r) => {
      const held = new Held(s, places, rowsOf(r));
      const stripes = (_: Extent, c: Extent, sums?: RowTotals): Stmt[] =>
        columnsOf(s, c).flatMap((column) => new Tile(s, places, rowsOf(r), [column], sums, held).write());
      return [...held.lets, ...band(r, 4 * stripesInRound, stripes)];
    });
  }
  const { along, bands } = s.cover(rows.count, columns.count);
  let start = 0;
  return bands.flatMap(({ size, count, across }) => {
    const from = offsetIndex((along === 'rows' ? rows : columns).from, start);
    const range: Extent = { from, count: size * count };
    start += range.count;
    return along === 'rows'
      ? byRows(range, size, (r) => band(r, across))
      : byColumns(range, size, (c) => byRows(rows, across, (r) => tile(r, c)));
  });
}

/** Vectors of columns where lanes run across them, the last one shorter. */
function columnsOf(s: Contraction, { from, count }: Extent): Column[] {
  if (s.lanes === 4 && s.form === 'across')
    return vectorsOf(count).map((c) => ({ at: offsetIndex(from, c.from), lanes: c.lanes }));
  return Array.from({ length: count }, (_, j) => ({ at: offsetIndex(from, j), lanes: s.lanes }));
}

/** Runs `body` for pieces of `size` of a range, then once for the rest. */
export function pieces(
  s: Contraction,
  name: string,
  { from, count }: Extent,
  size: number,
  body: (piece: Extent) => Stmt[],
): Stmt[] {
  const full = Math.floor(count / size);
  const out: Stmt[] = [];
  if (full > 0) {
    const w = s.def.vars.make(name, full);
    const at = addIndex(from, scaleIndex(varIndex(w), size));
    out.push(...forLoop(w, 1, full, body({ from: at, count: size })));
  }
  if (full * size < count)
    out.push(...body({ from: offsetIndex(from, full * size), count: count - full * size }));
  return out;
}
