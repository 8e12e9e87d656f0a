// npm run plan-csv -- FILE [--effort N]
//
// Places the buffers of a CSV file (`id,lower,upper,size`: alive in steps lower ≤ t < upper) with Heddle's memory planner.
// Prints `id,offset` lines and last `height H`; figures about the search go to standard error.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const fail = (message) => {
  console.error(`plan-csv: ${message}`);
  process.exit(1);
};

let parsed;
try {
  parsed = parseArgs({
    allowPositionals: true,
    options: { effort: { type: 'string', default: '40000000' } },
  });
} catch (error) {
  fail(error.message);
}
const [file, ...more] = parsed.positionals;
if (!file || more.length > 0) fail('give one CSV file: npm run plan-csv -- FILE');
const effort = Number(parsed.values.effort);
if (!(effort >= 0)) fail(`--effort takes a number of looks at buffers, not '${parsed.values.effort}'`);

let text;
try {
  text = readFileSync(file, 'utf8');
} catch (error) {
  fail(`${file} cannot be read (${error.code})`);
}
const [header, ...rows] = text.trim().split(/\r?\n/);
const columns = (header ?? '').split(',').map((c) => c.trim());
for (const wanted of ['id', 'lower', 'upper', 'size']) {
  if (!columns.includes(wanted)) fail(`${file} has no column '${wanted}'; its first line is '${header}'`);
}
const intervals = rows.map((row, i) => {
  const cells = row.split(',');
  const number = (name) => {
    const value = Number(cells[columns.indexOf(name)]);
    if (!Number.isInteger(value) || value < 0)
      fail(`${file}:${i + 2}: '${name}' is not a whole number: '${row}'`);
    return value;
  };
  const [lower, upper, size] = [number('lower'), number('upper'), number('size')];
  if (upper <= lower) fail(`${file}:${i + 2}: upper must be larger than lower: '${row}'`);
  return { id: cells[columns.indexOf('id')], from: lower, to: upper - 1, bytes: size };
});

const { place } = await import(new URL('../build/compiler/schedule/place.js', import.meta.url).href);
const start = performance.now();
const { offsets, height, lowerBound } = place(
  intervals.map((b, i) => ({ ...b, id: i })),
  { alignment: 1, effort },
);
const seconds = (performance.now() - start) / 1000;
for (const [i, b] of intervals.entries()) console.log(`${b.id},${offsets[i]}`);
console.log(`height ${height}`);
console.error(
  `${intervals.length} buffers, lower bound ${lowerBound}, ratio ${(height / lowerBound).toFixed(4)}, ${seconds.toFixed(2)} s`,
);
