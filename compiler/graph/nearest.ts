// The name that was probably meant, for hints in errors.

/**
 * The candidate with the fewest edits (insert, delete, replace) from `name`, or null when none is near: at most a third
 * of the longer name may differ. Among equals, the first.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestEdits = Number.POSITIVE_INFINITY;
  for (const c of candidates) {
    const limit = Math.max(1, Math.floor(Math.max(name.length, c.length) / 3));
    if (Math.abs(c.length - name.length) > limit) continue;
    const edits = editDistance(name.toLowerCase(), c.toLowerCase());
    if (edits <= limit && edits < bestEdits) {
      best = c;
      bestEdits = edits;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
