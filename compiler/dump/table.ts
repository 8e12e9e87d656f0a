// Columns of text: what the outlines are printed as.

/** Rows below their header, in columns: those whose header ends with `:` are aligned to the right (and lose the mark). */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const isRight = header.map((h) => h.endsWith(':'));
  const titles = header.map((h) => h.replace(/:$/, ''));
  const last = titles.length - 1;
  const widths = titles.map((h, c) => rows.reduce((w, r) => Math.max(w, r[c]!.length), h.length));
  return [titles, ...rows].map((cells) =>
    cells
      .map((cell, c) =>
        isRight[c] ? cell.padStart(widths[c]!) : c === last ? cell : cell.padEnd(widths[c]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** `1.25 M`, `640`: for columns of numbers. */
export function amount(n: number): string {
  if (n === 0) return '–';
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (n >= 10 * size) return `${(n / size).toFixed(n >= 100 * size ? 0 : 1)} ${unit}`;
  }
  return String(Math.round(n));
}

/** `convolution, add ×3`: each once, in order of first appearance; many are cut. */
export function counted(names: readonly string[], most: number): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const shown = [...counts].slice(0, most).map(([name, n]) => (n === 1 ? name : `${name} ×${n}`));
  return counts.size > most ? `${shown.join(', ')}, ${counts.size - most} more` : shown.join(', ');
}
