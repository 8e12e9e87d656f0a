// Tables of examples: a file of comma-separated values with a header, and the scale of its columns.

import { readFile } from 'node:fs/promises';
import { InputError } from './input-error.ts';

export interface Table {
  /** Features by row. */
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  /** Names of classes by label, in alphabetical order. */
  readonly names: readonly string[];
}

/**
 * Reads a table: column `label` holds the names of classes, features are in columns from `from` to below `to`. Throws InputError
 * for a file that cannot be read, or a feature that is no number.
 */
export async function readTable(file: string, label: number, from: number, to: number): Promise<Table> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${file}: cannot be read (${error.code ?? String(error)})`);
  });
  const cells = text
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','));
  const names = [...new Set(cells.map((row) => row[label]!))].sort();
  const rows = cells.map((row) => row.slice(from, to).map(Number));
  const wrong = rows.findIndex((row) => row.length !== to - from || row.some(Number.isNaN));
  if (wrong >= 0) throw new InputError(`${file}: line ${wrong + 2} has a feature that is no number`);
  return { rows, labels: cells.map((row) => names.indexOf(row[label]!)), names };
}

/** Mean and deviation; 1 where all values are equal. */
export function scaleOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}
