// How a range of rows × columns is covered by register tiles. In: its size, the tile that was chosen, and what smaller tiles
// cost. Out: bands across one direction, each cut into tiles of its own length in the other:
//
//   64 × 20, tile 3 × 12                10 × 24, tile 3 × 12
//   columns  12: by 3 rows              rows   2 · 3: by 12 columns
//             8: by 4 rows                         4: by 8 columns
//
// What is left over beside whole tiles is the reason: 8 columns fill the registers with 4 rows, not with 3. The sum of each
// element stays one chain of additions over the same rounds, so a cover changes no bit.

/** `count` neighbouring bands of `size` rows (columns), each cut into tiles of `across` columns (rows). */
export interface Band {
  readonly size: number;
  readonly count: number;
  readonly across: number;
}

export interface Cover {
  /** What the bands follow each other along. */
  readonly along: 'rows' | 'columns';
  readonly bands: readonly Band[];
}

export interface CoverRules {
  /** All tiles of the target, in elements. */
  readonly tiles: readonly { readonly rows: number; readonly columns: number }[];
  /** Operands lie in panels of so many rows (columns) of the chosen tile: tiles begin where panels do. */
  readonly hasRowPanels: boolean;
  readonly hasColumnPanels: boolean;
  /** Cycles of one tile, whole or not. */
  readonly cycles: (rows: number, columns: number) => number;
  /** Bands of rows only: something runs along each of them. */
  readonly along?: 'rows';
}

/** Whole tiles that may be given up to even out what is left over. */
const givenUp = 2;
/** A band of another kind is code of its own, and a loop that begins: it must save this part of the cycles. */
const worthwhile = 0.97;

/** The cheapest cover of rows × columns. */
export function coverWith(
  rows: number,
  columns: number,
  tile: { readonly rows: number; readonly columns: number },
  rules: CoverRules,
): Cover {
  const { cycles } = rules;
  const plain: Cover = rules.along
    ? { along: 'rows', bands: wholeAndRest(rows, tile.rows, tile.columns) }
    : { along: 'columns', bands: wholeAndRest(columns, tile.columns, tile.rows) };
  const down = bandsOf(columns, tile.columns, rules.hasColumnPanels ? null : columnSizes(rules), (size) =>
    cheapest(rows, rules.hasRowPanels ? [tile.rows] : rowSizes(rules), tile.rows, (r) => cycles(r, size)),
  );
  const beside = bandsOf(rows, tile.rows, rules.hasRowPanels ? null : rowSizes(rules), (size) =>
    cheapest(columns, rules.hasColumnPanels ? [tile.columns] : columnSizes(rules), tile.columns, (c) =>
      cycles(size, c),
    ),
  );
  let best = { cover: plain, total: worthwhile * priceOf(plain, rows, columns, cycles) };
  for (const cover of [
    { along: 'columns', bands: down },
    { along: 'rows', bands: beside },
  ] as const) {
    if (rules.along && cover.along !== rules.along) continue;
    const total = priceOf(cover, rows, columns, cycles);
    if (total < best.total) best = { cover, total };
  }
  return best.cover;
}

/** Bands of whole tiles, and one of what is left. */
function wholeAndRest(count: number, size: number, across: number): Band[] {
  const full = Math.floor(count / size);
  const rest = count - full * size;
  return [
    ...(full > 0 ? [{ size, count: full, across }] : []),
    ...(rest > 0 ? [{ size: rest, count: 1, across }] : []),
  ];
}

function priceOf(
  { along, bands }: Cover,
  rows: number,
  columns: number,
  cycles: CoverRules['cycles'],
): number {
  return bands.reduce((sum, { size, count, across }) => {
    const one = (n: number): number => (along === 'rows' ? cycles(size, n) : cycles(n, size));
    return sum + count * lineCycles(along === 'rows' ? columns : rows, across, one);
  }, 0);
}

/** Cycles of a line of tiles, the last one shorter. */
function lineCycles(length: number, size: number, cycles: (size: number) => number): number {
  const full = Math.floor(length / size);
  const rest = length - full * size;
  return (full > 0 ? full * cycles(size) : 0) + (rest > 0 ? cycles(rest) : 0);
}

interface Line {
  readonly across: number;
  readonly cycles: number;
}

/** The length of tiles that covers a line in the fewest cycles; the usual one keeps a small lead. */
function cheapest(
  length: number,
  sizes: readonly number[],
  usual: number,
  cycles: (size: number) => number,
): Line {
  let best: Line = { across: usual, cycles: worthwhile * lineCycles(length, usual, cycles) };
  for (const across of sizes) {
    const total = lineCycles(length, across, cycles);
    if (total < best.cycles) best = { across, cycles: total };
  }
  return best;
}

/** Bands of `size` and, for what is left over and at most a few whole ones, the cheapest others. Null: only what is left. */
function bandsOf(
  count: number,
  size: number,
  others: readonly number[] | null,
  lineOf: (size: number) => Line,
): Band[] {
  const memo = new Map<number, Line>();
  const line = (n: number): Line => {
    const known = memo.get(n) ?? lineOf(n);
    memo.set(n, known);
    return known;
  };
  const full = Math.floor(count / size);
  const rest = count - full * size;
  if (others === null || rest === 0)
    return wholeAndRest(count, size, 0).map((b) => ({ ...b, ...acrossOf(line(b.size)) }));
  let best: { sizes: readonly number[]; kept: number; total: number } | null = null;
  for (let given = 0; given <= Math.min(full, givenUp); given++) {
    const sizes = cut(rest + given * size, others, (n) => line(n).cycles);
    const kept = full - given;
    const total =
      (kept > 0 ? kept * line(size).cycles : 0) + sizes.reduce((sum, n) => sum + line(n).cycles, 0);
    if (best === null || total < worthwhile * best.total) best = { sizes, kept, total };
  }
  const { sizes, kept } = best!;
  const bands: Band[] = kept > 0 ? [{ size, count: kept, ...acrossOf(line(size)) }] : [];
  for (const n of sizes) {
    const last = bands.at(-1);
    if (last?.size === n) bands[bands.length - 1] = { ...last, count: last.count + 1 };
    else bands.push({ size: n, count: 1, ...acrossOf(line(n)) });
  }
  return bands;
}

function acrossOf({ across }: Line): Pick<Band, 'across'> {
  return { across };
}

/** Pieces that make up a small number in the fewest cycles, the largest first; what no size fits comes last. */
function cut(count: number, sizes: readonly number[], cycles: (size: number) => number): readonly number[] {
  const smallest = Math.min(...sizes);
  const best: { pieces: readonly number[]; total: number }[] = [{ pieces: [], total: 0 }];
  for (let n = 1; n <= count; n++) {
    let found = n < smallest ? { pieces: [n], total: cycles(n) } : null;
    for (const size of sizes) {
      if (size > n) continue;
      const total = best[n - size]!.total + cycles(size);
      if (found === null || total < found.total) found = { pieces: [...best[n - size]!.pieces, size], total };
    }
    // One piece with what is left after whole vectors.
    if (n % smallest !== 0 && n > smallest && n < Math.max(...sizes)) {
      const total = cycles(n);
      if (total < found!.total) found = { pieces: [n], total };
    }
    best.push(found!);
  }
  return [...best[count]!.pieces].sort((a, b) => b - a);
}

function rowSizes({ tiles }: CoverRules): number[] {
  return [...new Set(tiles.map((t) => t.rows))];
}

function columnSizes({ tiles }: CoverRules): number[] {
  return [...new Set(tiles.map((t) => t.columns))];
}
