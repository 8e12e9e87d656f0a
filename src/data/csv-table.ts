// A table: columns of numbers or of text, with what is missing known by row and column.

import { compilerError } from '../../compiler/graph/errors.ts';
import { nearestName } from '../../compiler/graph/nearest.ts';

/** What becomes of values that are missing. */
export type Missing = 'error' | 'drop' | 'mean' | 'median' | number | { readonly text: string };

export interface CsvColumn {
  readonly name: string;
  readonly kind: 'number' | 'text';
  /** Cells as they were written, without blanks around them. */
  readonly cells: readonly string[];
  /** Rows without a value, from 0. */
  readonly missing: readonly number[];
}

/** Decimal numbers, as programs write them. */
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A column is of numbers when each value is one, and there is a value. */
export function columnOf(
  name: string,
  cells: readonly string[],
  isMissing: (cell: string) => boolean,
): CsvColumn {
  const missing = cells.flatMap((cell, row) => (isMissing(cell) ? [row] : []));
  const isNumber = missing.length < cells.length && cells.every((c) => isMissing(c) || number.test(c));
  return { name, kind: isNumber ? 'number' : 'text', cells, missing };
}

export class CsvTable {
  readonly #columns: readonly CsvColumn[];
  /** Rows. */
  readonly count: number;
  /** What was missing in the file: rows from 1. Filled or left out since. */
  readonly missing: readonly { readonly row: number; readonly column: string }[];

  /** Use `loadCsv`. */
  constructor(columns: readonly CsvColumn[], missing: CsvTable['missing']) {
    this.#columns = columns;
    this.count = columns[0]?.cells.length ?? 0;
    this.missing = missing;
  }

  /** A table in which missing values are dealt with. Throws HDL0016 where they are not to be. */
  static make(given: readonly CsvColumn[], missing: Missing | Readonly<Record<string, Missing>>): CsvTable {
    const isByName = typeof missing === 'object' && !isText(missing);
    const names = given.map((c) => c.name);
    const unknown = isByName ? Object.keys(missing).find((name) => !names.includes(name)) : undefined;
    if (unknown !== undefined) throw noColumn(unknown, names);
    const rule = ({ name }: CsvColumn): Missing =>
      isByName ? ((missing as Readonly<Record<string, Missing>>)[name] ?? 'error') : (missing as Missing);
    const places = given
      .flatMap((c) => c.missing.map((row) => ({ row: row + 1, column: c.name })))
      .sort((a, b) => a.row - b.row);
    const refused = new Set(given.filter((c) => rule(c) === 'error').map((c) => c.name));
    expectNone(places.filter(({ column }) => refused.has(column)));
    const dropped = new Set(given.filter((c) => rule(c) === 'drop').flatMap((c) => c.missing));
    const columns = given.map((column) => {
      const filled = fill(column, rule(column));
      return { ...column, cells: filled.filter((_, row) => !dropped.has(row)), missing: [] };
    });
    if (columns[0]?.cells.length === 0) {
      throw refuse(
        'has a value missing in each row',
        "missing: 'drop' leaves some rows",
        'fill a column instead: mean',
      );
    }
    return new CsvTable(columns, places);
  }

  /** Names of the columns, in order. */
  get names(): readonly string[] {
    return this.#columns.map((c) => c.name);
  }

  /** What each column holds, by name. */
  get kinds(): Readonly<Record<string, 'number' | 'text'>> {
    return Object.fromEntries(this.#columns.map((c) => [c.name, c.kind]));
  }

  /** The values of a column. Throws HDL0016 when there is no such column. */
  column(name: string): readonly number[] | readonly string[] {
    const { kind, cells } = this.#find(name);
    return kind === 'number' ? cells.map(Number) : cells;
  }

  /** The rows, as records. */
  rows(): Readonly<Record<string, number | string>>[] {
    const values = this.#columns.map((c) => [c.name, this.column(c.name)] as const);
    return Array.from({ length: this.count }, (_, row) =>
      Object.fromEntries(values.map(([name, column]) => [name, column[row]!])),
    );
  }

  /**
   * The named columns, all but some, or all of numbers, side by side: f32 [rows, columns], ready for `x`. Throws HDL0016 for
   * a column that is not there or is of text.
   */
  numbers(of?: readonly string[] | { readonly except: readonly string[] }): {
    readonly data: Float32Array;
    readonly shape: readonly [number, number];
    readonly names: readonly string[];
  } {
    const except = of !== undefined && 'except' in of ? of.except.map((name) => this.#find(name).name) : [];
    const names =
      of === undefined
        ? this.#columns.filter((c) => c.kind === 'number').map((c) => c.name)
        : 'except' in of
          ? this.names.filter((name) => !except.includes(name))
          : of;
    const chosen = names.map((name) => this.#expectNumbers(name));
    const data = new Float32Array(this.count * chosen.length);
    for (let c = 0; c < chosen.length; c++) {
      const { cells } = chosen[c]!;
      for (let row = 0; row < this.count; row++) data[row * chosen.length + c] = Number(cells[row]);
    }
    return { data, shape: [this.count, chosen.length], names };
  }

  /**
   * A column as classes: the number of each row's class, ready for `y`, and the names of the classes, sorted, or as given. Throws
   * HDL0016 for a column that is not there, or a value that is not among the given classes.
   */
  labels(
    name: string,
    given?: readonly string[],
  ): { readonly labels: Int32Array; readonly classes: readonly string[] } {
    const { cells, kind } = this.#find(name);
    const found = [...new Set(cells)];
    const classes = given ?? (kind === 'number' ? found.sort((a, b) => Number(a) - Number(b)) : found.sort());
    const numbers = new Map(classes.map((value, i) => [value, i]));
    const labels = Int32Array.from(cells, (cell, row) => {
      const label = numbers.get(cell);
      if (label !== undefined) return label;
      throw refuse(
        `has '${cell}' in row ${row + 1} of '${name}'`,
        `the classes are ${classes.map((c) => `'${c}'`).join(', ')}`,
        'leave out the list of classes to take all that occur',
      );
    });
    return { labels, classes };
  }

  #find(name: string): CsvColumn {
    const found = this.#columns.find((c) => c.name === name);
    if (found !== undefined) return found;
    throw noColumn(name, this.names);
  }

  #expectNumbers(name: string): CsvColumn {
    const column = this.#find(name);
    if (column.kind === 'number') return column;
    const row = column.cells.findIndex((cell) => !number.test(cell));
    throw refuse(
      `has '${column.cells[row]}' in row ${row + 1} of '${name}'`,
      'a column of numbers has nothing but numbers',
      `for classes use table.labels('${name}'); what stands for a missing value is named by missingAs`,
    );
  }
}

function isText(missing: object): missing is { readonly text: string } {
  return 'text' in missing && typeof missing.text === 'string';
}

/** The cells of a column, with what is missing put in. */
function fill({ name, kind, cells, missing }: CsvColumn, rule: Missing): readonly string[] {
  if (missing.length === 0 || rule === 'error' || rule === 'drop') return cells;
  const filled = [...cells];
  const isNumber = rule === 'mean' || rule === 'median' || typeof rule === 'number';
  if (isNumber && kind === 'text') {
    throw refuse(
      `has no number to fill '${name}' by`,
      `${JSON.stringify(rule)} fills columns of numbers`,
      "give a text, { text: 'unknown' }, or 'drop'",
    );
  }
  const absent = new Set(missing);
  const known = (): number[] => cells.flatMap((cell, row) => (absent.has(row) ? [] : [Number(cell)]));
  const value =
    rule === 'mean'
      ? String(mean(known()))
      : rule === 'median'
        ? String(median(known()))
        : typeof rule === 'number'
          ? String(rule)
          : rule.text;
  for (const row of missing) filled[row] = value;
  return filled;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function expectNone(places: readonly { readonly row: number; readonly column: string }[]): void {
  if (places.length === 0) return;
  const shown = places.slice(0, 5).map(({ row, column }) => `row ${row} '${column}'`);
  const more = places.length > shown.length ? ` and ${places.length - shown.length} more` : '';
  throw refuse(
    `lacks values: ${shown.join(', ')}${more}`,
    'every row has a value in every column',
    "say what becomes of them: missing: 'drop', 'mean', 'median', a number, or one for each column by name",
  );
}

function noColumn(name: string, names: readonly string[]): Error {
  const near = nearestName(name, [...names]);
  return refuse(
    `has no column '${name}'`,
    `its columns are ${names.map((n) => `'${n}'`).join(', ')}`,
    near === null ? 'use one of these' : `did you mean '${near}'?`,
  );
}

function refuse(is: string, rule: string, hint: string): Error {
  return compilerError('HDL0016', { what: `CSV ${is}`, rule, hint });
}
