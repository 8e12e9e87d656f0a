// The ten figures of `shapes`, as signed distances in the unit circle: negative inside. `make` draws what varies within
// the class (a width, a number of points) and returns the distance. Distances need to be right near the edge only.
// The formulas are the usual ones for boxes, segments and rings (see I. Quilez, "2D distance functions").

import type { Random } from '../random.ts';

export interface Figure {
  readonly name: string;
  readonly make: (draw: Random) => (u: number, v: number) => number;
}

/** A box with half sides a and b. */
function box(u: number, v: number, a: number, b: number): number {
  const x = Math.abs(u) - a;
  const y = Math.abs(v) - b;
  return Math.hypot(Math.max(x, 0), Math.max(y, 0)) + Math.min(Math.max(x, y), 0);
}

/** A segment from (ax, ay) to (bx, by). */
function segment(u: number, v: number, ax: number, ay: number, bx: number, by: number): number {
  const [px, py, dx, dy] = [u - ax, v - ay, bx - ax, by - ay];
  const t = Math.max(0, Math.min(1, (px * dx + py * dy) / (dx * dx + dy * dy)));
  return Math.hypot(px - t * dx, py - t * dy);
}

/** A regular polygon with its sides at distance `apothem` from the centre. */
function polygon(u: number, v: number, sides: number, apothem: number): number {
  const sector = (2 * Math.PI) / sides;
  const angle = Math.atan2(v, u);
  const off = angle - sector * Math.round(angle / sector);
  return Math.hypot(u, v) * Math.cos(off) - apothem;
}

export const figures: readonly Figure[] = [
  {
    name: 'disc',
    make: (draw) => {
      const radius = draw.uniform(0.7, 0.9);
      return (u, v) => Math.hypot(u, v) - radius;
    },
  },
  {
    name: 'square',
    make: (draw) => {
      const half = draw.uniform(0.6, 0.75);
      return (u, v) => box(u, v, half, half);
    },
  },
  {
    name: 'triangle',
    make: (draw) => {
      const apothem = draw.uniform(0.42, 0.5);
      return (u, v) => polygon(u, v, 3, apothem);
    },
  },
  {
    name: 'cross',
    make: (draw) => {
      const width = draw.uniform(0.16, 0.26);
      return (u, v) => Math.min(box(u, v, 0.92, width), box(u, v, width, 0.92));
    },
  },
  {
    name: 'ring',
    make: (draw) => {
      const width = draw.uniform(0.12, 0.2);
      return (u, v) => Math.abs(Math.hypot(u, v) - 0.72) - width;
    },
  },
  {
    name: 'star',
    make: (draw) => {
      const inner = draw.uniform(0.34, 0.42);
      const sector = (2 * Math.PI) / 5;
      const [tx, ty] = [inner * Math.cos(sector / 2), inner * Math.sin(sector / 2)];
      const length = Math.hypot(tx - 1, ty);
      return (u, v) => {
        // Fold into half a point: from its tip (1, 0) to the notch (tx, ty).
        const angle = Math.atan2(v, u);
        const off = Math.abs(angle - sector * Math.round(angle / sector));
        const r = Math.hypot(u, v);
        const [x, y] = [r * Math.cos(off), r * Math.sin(off)];
        return ((x - 1) * -ty - y * (1 - tx)) / -length;
      };
    },
  },
  {
    name: 'bars',
    make: (draw) => {
      const width = draw.uniform(0.11, 0.16);
      return (u, v) =>
        Math.min(box(u, v - 0.62, 0.85, width), box(u, v, 0.85, width), box(u, v + 0.62, 0.85, width));
    },
  },
  {
    name: 'frame',
    make: (draw) => {
      const width = draw.uniform(0.1, 0.16);
      return (u, v) => Math.abs(box(u, v, 0.62, 0.62)) - width;
    },
  },
  {
    name: 'arrow',
    make: (draw) => {
      const width = draw.uniform(0.12, 0.18);
      const head = draw.uniform(0.5, 0.65);
      return (u, v) =>
        Math.min(
          segment(u, v, -0.9, 0, 0.85, 0),
          segment(u, v, 0.9, 0, 0.9 - head, head),
          segment(u, v, 0.9, 0, 0.9 - head, -head),
        ) - width;
    },
  },
  {
    name: 'spiral',
    make: (draw) => {
      const width = draw.uniform(0.1, 0.14);
      const hand = draw.uniform() < 0.5 ? -1 : 1;
      const pitch = 0.42;
      const turns = 2;
      return (u, v) => {
        const r = Math.hypot(u, v);
        const turn = ((hand * Math.atan2(v, u)) / (2 * Math.PI) + 1) % 1;
        // Arms lie at r = pitch · (turn + k); the last ends after `turns`.
        const k = Math.max(0, Math.min(Math.round(r / pitch - turn), Math.ceil(turns - turn) - 1));
        return Math.abs(r - pitch * (turn + k)) - width;
      };
    },
  },
];
