// Given a range of rows × columns and a register tile, when it is covered, then every element lies in one tile, tiles begin
// where panels do, and what is left over costs no more than in tiles cut short.

import t from 'tap';
import { type Cover, type CoverRules, coverWith } from '../../compiler/kernel/schedule/cover.ts';
import { seededRandom } from '../support/random.ts';

/** The tiles of a target with four lanes, and cycles that a larger tile spends better. */
const sizes = [[4, 8], [3, 12], [2, 16], [3, 8], [2, 12], [6, 4], [1, 24], [1, 4]] as const; // biome-ignore format: a table
const tiles = sizes.map(([rows, columns]) => ({ rows, columns }));
const vectors = (columns: number): number => Math.floor(columns / 4) + [0, 1, 1, 2][columns % 4]!;
/** Sums that have no register cost more. */
function cycles(rows: number, columns: number): number {
  const sums = rows * vectors(columns);
  return Math.max(4.4, 0.52 * sums) + Math.max(0, sums - 9) + 1;
}

function rules(given: Partial<CoverRules> = {}): CoverRules {
  return { tiles, hasRowPanels: false, hasColumnPanels: false, cycles, ...given };
}

/** Cycles of tiles in rows and columns, those at the end cut short. */
function cutShort(rows: number, columns: number, tile: { rows: number; columns: number }): number {
  let sum = 0;
  for (let r = 0; r < rows; r += tile.rows)
    for (let c = 0; c < columns; c += tile.columns)
      sum += cycles(Math.min(tile.rows, rows - r), Math.min(tile.columns, columns - c));
  return sum;
}

function priceOf({ along, bands }: Cover, rows: number, columns: number): number {
  return bands.reduce((sum, { size, count, across }) => {
    const one =
      along === 'rows'
        ? cutShort(size, columns, { rows: size, columns: across })
        : cutShort(rows, size, { rows: across, columns: size });
    return sum + count * one;
  }, 0);
}

t.test('bands cover all of it, at no higher price', async (t) => {
  const random = seededRandom(20240811);
  for (let k = 0; k < 300; k++) {
    const [rows, columns] = [random.int(1, 70), random.int(1, 70)];
    const tile = random.pick(tiles);
    const hasColumnPanels = random.int(0, 3) === 0;
    const hasRowPanels = !hasColumnPanels && random.int(0, 3) === 0;
    const cover = coverWith(rows, columns, tile, rules({ hasColumnPanels, hasRowPanels }));
    const what = `${rows} × ${columns} by ${tile.rows} × ${tile.columns}`;
    const length = cover.bands.reduce((n, b) => n + b.size * b.count, 0);
    const isWhole = length === (cover.along === 'rows' ? rows : columns);
    const isCut = cover.bands.every((b) => b.size >= 1 && b.count >= 1 && b.across >= 1);
    const isCheap = priceOf(cover, rows, columns) <= cutShort(rows, columns, tile) + 1e-9;
    if (!isWhole || !isCut || !isCheap) t.fail(`${what}: ${JSON.stringify(cover)}`);
    const panels = cover.bands.filter(
      (b) => hasColumnPanels && cover.along === 'columns' && b.size > tile.columns,
    );
    if (panels.length > 0) t.fail(`${what}: a band over several panels`);
    if (hasRowPanels && cover.along === 'columns' && cover.bands.some((b) => b.across !== tile.rows))
      t.fail(`${what}: tiles do not begin where panels of rows do`);
  }
});

t.test('what is left of the columns gets rows that fill the registers', async (t) => {
  const { along, bands } = coverWith(64, 20, { rows: 3, columns: 12 }, rules());
  t.same({ along, bands }, { along: 'columns', bands: [{ size: 12, count: 1, across: 3 }, { size: 8, count: 1, across: 4 }] }); // biome-ignore format: one line
});
