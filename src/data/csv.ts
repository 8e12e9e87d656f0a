// CSV files: text to a table whose columns know what they hold. Splitting into cells (quotes, line ends, delimiters within
// quotes) is the library's part; what the cells mean is ours.
//
// Rows are counted from 1, after the header: as in a spreadsheet whose first line is frozen.

import { compilerError } from '../../compiler/graph/errors.ts';
import { CsvTable, columnOf, type Missing } from './csv-table.ts';
import { bytesOf, type DataSource } from './source.ts';

export interface CsvOptions {
  /** Whether the first row names the columns (default), or the names, for a file without such a row. `false`: c0, c1, … */
  readonly header?: boolean | readonly string[];
  /** Default `,`. */
  readonly delimiter?: string;
  /** Default `utf-8`; anything that TextDecoder knows. */
  readonly encoding?: string;
  /** Cells that hold no value, besides empty ones; default NA, N/A, NaN, nan, null, ?. */
  readonly missingAs?: readonly string[];
  /**
   * What becomes of missing values, for all columns or by name: `error` (default) tells rows and columns, `drop` leaves such rows
   * out, `mean` and `median` fill numbers with that of the column, a number or text fills with itself.
   */
  readonly missing?: Missing | Readonly<Record<string, Missing>>;
}

const noValue = ['NA', 'N/A', 'NaN', 'nan', 'null', '?'];

/**
 * Reads a table from its bytes or path. A column whose values are all numbers is of numbers, any other of text. Cells may stand in
 * quotes; lines end in LF or CRLF. Throws HDL0016 for a file that is missing, not of the encoding, with a row of another length,
 * a quote that does not end, two columns of one name, no rows, or values that are missing and not asked to be filled.
 *
 * @example
 * const table = await data.loadCsv('wdbc.csv');
 * const x = table.numbers({ except: ['ID', 'Diagnosis'] });      // { data: Float32Array, shape: [569, 30] }
 * const { labels, classes } = table.labels('Diagnosis');
 */
export async function loadCsv(source: DataSource, options: CsvOptions = {}): Promise<CsvTable> {
  const bytes = await bytesOf(source, 'CSV file');
  return parseCsv(decode(bytes, options.encoding ?? 'utf-8'), options);
}

/** As `loadCsv`, of text. */
export async function parseCsv(text: string, options: CsvOptions = {}): Promise<CsvTable> {
  const { header = true, delimiter = ',', missingAs = noValue, missing = 'error' } = options;
  const module = await import('papaparse');
  // Some bundlers give what a module of the old kind exports without a wrapper.
  const Papa = (module as Partial<typeof module>).default ?? (module as unknown as typeof module.default);
  const { data: all, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), {
    delimiter,
    skipEmptyLines: true,
  });
  const isNamed = header === true;
  const rows = isNamed ? all.slice(1) : all;
  const broken = errors.find((e) => e.type === 'Quotes');
  if (broken !== undefined) {
    const row = (broken.row ?? 0) + (isNamed ? 0 : 1);
    throw refused(
      `has ${broken.code === 'MissingQuotes' ? 'a quote that does not end' : 'text after a closing quote'} in ${row === 0 ? 'the header' : `row ${row}`}`,
      'a cell in quotes ends with a quote, and a quote within it is written twice',
      'mend that cell: "say ""hello"""',
    );
  }
  if (rows.length === 0) {
    throw refused(
      'has no rows',
      isNamed ? 'a header is followed by rows' : 'there is at least one row',
      isNamed && all.length === 1 ? 'for a file without a header: header: false' : 'the file is empty',
    );
  }
  const names = namesOf(header, all[0]!);
  expectWholeRows(rows, names, delimiter, isNamed);
  const absent = new Set(['', ...missingAs]);
  const columns = names.map((name, c) =>
    columnOf(
      name,
      rows.map((row) => row[c]!.trim()),
      (cell) => absent.has(cell),
    ),
  );
  return CsvTable.make(columns, missing);
}

function namesOf(header: CsvOptions['header'], first: readonly string[]): readonly string[] {
  if (header === false) return first.map((_, i) => `c${i}`);
  const names = header === true || header === undefined ? first.map((name) => name.trim()) : header;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw refused(
    `has two columns '${twice}'`,
    'each column has a name of its own',
    'name them yourself: header: [ … ]; for a file without a header: header: false',
  );
}

function expectWholeRows(
  rows: readonly (readonly string[])[],
  names: readonly string[],
  delimiter: string,
  isNamed: boolean,
): void {
  const other = [';', '\t', '|'].find((d) => names.length === 1 && d !== delimiter && names[0]!.includes(d));
  if (other !== undefined) {
    throw refused(
      `has one column, '${names[0]}'`,
      `cells are separated by '${delimiter}'`,
      `say what separates them: delimiter: ${JSON.stringify(other)}`,
    );
  }
  const ragged = rows.findIndex((row) => row.length !== names.length);
  if (ragged < 0) return;
  const { length } = rows[ragged]!;
  throw refused(
    `has ${length} ${length === 1 ? 'cell' : 'cells'} in row ${ragged + 1}`,
    `${isNamed ? 'the header has' : 'each row has'} ${names.length}`,
    length > names.length
      ? 'put quotes around a cell that has a comma in it'
      : 'the file may be cut short, or the row may lack a cell',
  );
}

function decode(bytes: Uint8Array, encoding: string): string {
  const decoder = decoderOf(encoding);
  if (decoder === null) {
    throw refused(`read as '${encoding}'`, 'the encoding is one that TextDecoder knows', "encoding: 'utf-8'");
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw refused(
      `is no ${encoding}`,
      'its bytes are text of that encoding',
      bytes[0] === 0x1f && bytes[1] === 0x8b
        ? 'it is gzip: unpack it first'
        : "older programs write encoding: 'windows-1252'",
    );
  }
}

function decoderOf(encoding: string): { decode(bytes: Uint8Array): string } | null {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    return null;
  }
}

function refused(is: string, rule: string, hint: string): Error {
  return compilerError('HDL0016', { what: `CSV ${is}`, rule, hint });
}
