// @node-only
// heddle plan-csv: places the buffers of a CSV file (`id,lower,upper,size`: alive in steps lower ≤ t < upper) with Heddle's
// memory planner. Prints `id,offset` lines and last `height H`; figures about the search go to standard error.

import { readFileSync } from 'node:fs';
import { place } from '../../../compiler/schedule/place.ts';
import { note, writeOut } from '../output.ts';
import { UserError } from '../user-error.ts';

export interface PlanCsvFlags {
  readonly effort: number;
  readonly output?: string;
}

export async function planCsv(file: string, { effort, output }: PlanCsvFlags): Promise<void> {
  const intervals = readIntervals(file);
  const start = performance.now();
  const { offsets, height, lowerBound } = place(
    intervals.map((b, i) => ({ ...b, id: i })),
    { alignment: 1, effort },
  );
  const seconds = (performance.now() - start) / 1000;
  writeOut([...intervals.map((b, i) => `${b.id},${offsets[i]}`), `height ${height}`].join('\n'), output);
  note(
    `${intervals.length} buffers, lower bound ${lowerBound}, ratio ${(height / lowerBound).toFixed(4)}, ${seconds.toFixed(2)} s`,
  );
}

function readIntervals(file: string): { id: string; from: number; to: number; bytes: number }[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const [header = '', ...rows] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const columns = header.split(',').map((name) => name.trim());
  for (const wanted of ['id', 'lower', 'upper', 'size']) {
    if (!columns.includes(wanted))
      throw new UserError(`${file} has no column '${wanted}'; its first line is '${header}'`);
  }
  return rows.map((row, i) => {
    const cells = row.split(',');
    const number = (name: string): number => {
      const value = Number(cells[columns.indexOf(name)]);
      if (!Number.isInteger(value) || value < 0)
        throw new UserError(`${file}:${i + 2}: '${name}' is not a whole number: '${row}'`);
      return value;
    };
    const [lower, upper, size] = [number('lower'), number('upper'), number('size')];
    if (upper <= lower) throw new UserError(`${file}:${i + 2}: upper must be larger than lower: '${row}'`);
    return { id: cells[columns.indexOf('id')]!, from: lower, to: upper - 1, bytes: size };
  });
}
