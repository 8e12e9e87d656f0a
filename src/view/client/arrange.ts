// Where the parts of one scope stand: by dagre, in ranks, and parts that nothing connects in rows below. Nets repeat
// themselves, and folding leaves most scopes as they were, so arrangements are kept: equal sizes and edges, equal places.

import { layout as dagreLayout, Graph } from '@dagrejs/dagre';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Arrangement extends Size {
  /** Left upper corners. */
  readonly places: readonly Point[];
  /** By edge. */
  readonly paths: readonly (readonly Point[])[];
}

export type Direction = 'TB' | 'BT';

const gap = 16;
const known = new Map<string, Arrangement>();
const mostKnown = 4000;

/** Edges are pairs of positions in `sizes`; none twice. */
export function arrange(
  sizes: readonly Size[],
  edges: readonly (readonly [from: number, to: number])[],
  direction: Direction,
): Arrangement {
  const key = JSON.stringify([direction, sizes.map((s) => [s.width, s.height]), edges]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = arrangeAnew(sizes, edges, direction);
  if (known.size >= mostKnown) known.clear();
  known.set(key, made);
  return made;
}

function arrangeAnew(
  sizes: readonly Size[],
  edges: readonly (readonly [from: number, to: number])[],
  direction: Direction,
): Arrangement {
  const joined = new Set(edges.flat());
  const places: Point[] = [];
  const paths: (readonly Point[])[] = [];
  let [width, height] = [0, 0];
  if (joined.size > 0) {
    const g = new Graph({ multigraph: false, compound: false });
    g.setGraph({ rankdir: direction, nodesep: gap, ranksep: 26, edgesep: 8, marginx: 0, marginy: 0 });
    for (const i of joined) g.setNode(String(i), { width: sizes[i]!.width, height: sizes[i]!.height });
    for (const [from, to] of edges) g.setEdge(String(from), String(to), {});
    dagreLayout(g);
    ({ width = 0, height = 0 } = g.graph() as Partial<Size>);
    for (const i of joined) {
      const { x, y } = g.node(String(i)) as Point;
      places[i] = { x: x - sizes[i]!.width / 2, y: y - sizes[i]!.height / 2 };
    }
    for (const [from, to] of edges) {
      const { points = [] } = g.edge(String(from), String(to)) as { readonly points?: readonly Point[] };
      paths.push(points);
    }
  }
  const alone = [...sizes.keys()].filter((i) => !joined.has(i));
  const below = inRows(
    alone.map((i) => sizes[i]!),
    width,
  );
  const top = joined.size > 0 && alone.length > 0 ? height + gap : height;
  const shift = Math.max(0, (width - below.width) / 2);
  alone.forEach((i, k) => {
    const { x, y } = below.places[k]!;
    places[i] = { x: x + shift, y: y + top };
  });
  const wide = Math.max(width, below.width);
  const by = (wide - width) / 2;
  return {
    width: wide,
    height: top + below.height,
    places: places.map((p, i) => (joined.has(i) ? { x: p.x + by, y: p.y } : p)),
    paths: paths.map((path) => path.map((p) => ({ x: p.x + by, y: p.y }))),
  };
}

/** One after the other, in rows of about the width that makes a square, or of the given width where that is more. */
function inRows(sizes: readonly Size[], least: number): Size & { readonly places: readonly Point[] } {
  const area = sizes.reduce((sum, s) => sum + (s.width + gap) * (s.height + gap), 0);
  const target = Math.max(least, Math.sqrt(area), ...sizes.map((s) => s.width));
  const places: Point[] = [];
  let [x, y, width, rowHeight] = [0, 0, 0, 0];
  for (const s of sizes) {
    if (x > 0 && x + s.width > target) {
      x = 0;
      y += rowHeight + gap;
      rowHeight = 0;
    }
    places.push({ x, y });
    width = Math.max(width, x + s.width);
    rowHeight = Math.max(rowHeight, s.height);
    x += s.width + gap;
  }
  return { width, height: y + rowHeight, places };
}
