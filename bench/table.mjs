// Tables in plain text: the first column is left-aligned, the others right-aligned.

export function printTable(head, rows) {
  const all = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, c) => Math.max(...all.map((row) => row[c].length)));
  for (const row of all)
    console.log(
      `  ${row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ')}`,
    );
}

export const fixed = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
export const percent = (share) => `${(100 * share).toFixed(1)} %`;
