// Lines along which a field has one value, by marching squares (Lorensen and Cline, 1987, in the plane): in each square of four places
// a piece of line between the sides where the field crosses the level; pieces that share an end are joined.

export type Place = readonly [x: number, y: number];

/**
 * The lines where a field of width × height places, row by row, crosses a level. `at` says where the place of a column and row
 * lies; fractions are between places.
 */
export function contour(
  field: ArrayLike<number>,
  width: number,
  height: number,
  level: number,
  at: (column: number, row: number) => Place,
): Place[][] {
  // A crossing is known by the side that it is on: its first place, and whether the side goes down.
  const crossings = new Map<number, Place>();
  const neighbours = new Map<number, number[]>();
  const value = (c: number, r: number): number => field[r * width + c]! - level;
  const cross = (c: number, r: number, down: 0 | 1): number | null => {
    const [v, w] = [value(c, r), value(c + 1 - down, r + down)];
    if (v >= 0 === w >= 0) return null;
    const side = 2 * (r * width + c) + down;
    const t = v / (v - w);
    crossings.set(side, at(c + (1 - down) * t, r + down * t));
    return side;
  };
  for (let r = 0; r + 1 < height; r++) {
    for (let c = 0; c + 1 < width; c++) {
      const sides = [cross(c, r, 0), cross(c + 1, r, 1), cross(c, r + 1, 0), cross(c, r, 1)].filter(
        (s) => s !== null,
      );
      for (let k = 0; k + 1 < sides.length; k += 2) {
        for (const [a, b] of [
          [sides[k]!, sides[k + 1]!],
          [sides[k + 1]!, sides[k]!],
        ] as const) {
          neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
        }
      }
    }
  }
  return paths(neighbours).map((path) => path.map((side) => crossings.get(side)!));
}

/** Chains of neighbours: open ones from their ends, then closed ones, whose first stands at the end again. */
function paths(neighbours: ReadonlyMap<number, readonly number[]>): number[][] {
  const seen = new Set<number>();
  const found: number[][] = [];
  const follow = (start: number): void => {
    const path = [start];
    seen.add(start);
    for (let next: number | undefined = start; next !== undefined; ) {
      next = neighbours.get(next)!.find((n) => !seen.has(n));
      if (next === undefined) break;
      seen.add(next);
      path.push(next);
    }
    if (path.length > 2 && neighbours.get(path.at(-1)!)!.includes(start)) path.push(start);
    found.push(path);
  };
  for (const [side, others] of neighbours) if (others.length === 1 && !seen.has(side)) follow(side);
  for (const side of neighbours.keys()) if (!seen.has(side)) follow(side);
  return found;
}
