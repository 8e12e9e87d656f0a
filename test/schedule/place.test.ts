// Given lifetimes and sizes, when buffers are placed, then none that live at once overlap, and the arena is hardly
// larger than what lives at once.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { type Placement, place } from '../../compiler/schedule/place.ts';
import type { Interval } from '../../compiler/schedule/place-problem.ts';
import { missing, sharedFolder } from '../support/shared.ts';

const seed = 20240613;

/** Two overlapping buffers, or null. Quadratic on purpose. */
function overlap(
  intervals: readonly Interval[],
  { offsets, height }: Placement,
): [Interval, Interval] | null {
  for (const [i, a] of intervals.entries()) {
    if (offsets[i]! + a.bytes > height) return [a, a];
    for (const [j, b] of intervals.entries()) {
      if (j <= i || a.from > b.to || b.from > a.to) continue;
      if (offsets[i]! < offsets[j]! + b.bytes && offsets[j]! < offsets[i]! + a.bytes) return [a, b];
    }
  }
  return null;
}

const intervalsArbitrary = fc
  .array(fc.record({ from: fc.nat(30), length: fc.nat(12), bytes: fc.nat(2000) }), { maxLength: 60 })
  .map((list) =>
    list.map(({ from, length, bytes }, id): Interval => ({ id, from, to: from + length, bytes })),
  );

t.test('a chain of buffers needs the two largest neighbours', async (t) => {
  const intervals = [64, 128, 64, 256].map((bytes, id) => ({ id, from: id, to: id + 1, bytes }));
  const { height, lowerBound } = place(intervals, { alignment: 64 });
  t.equal(lowerBound, 320);
  t.equal(height, 320);
});

t.test('no buffers, and buffers of no bytes', async (t) => {
  t.same(place([], { alignment: 64 }), { offsets: [], height: 0, lowerBound: 0 });
  const one = place(
    [
      { id: 0, from: 0, to: 9, bytes: 0 },
      { id: 1, from: 0, to: 9, bytes: 4 },
    ],
    { alignment: 64 },
  );
  t.same(one, { offsets: [0, 0], height: 64, lowerBound: 64 });
});

t.test('random problems: no overlap, aligned, near the lower bound, the same each time', async (t) => {
  const ratios: number[] = [];
  fc.assert(
    fc.property(intervalsArbitrary, (intervals) => {
      const placed = place(intervals, { alignment: 64, effort: 100_000 });
      const found = overlap(intervals, placed);
      if (found) throw new Error(`overlap of ${JSON.stringify(found)}`);
      if (placed.offsets.some((o) => o % 64 !== 0)) throw new Error('not aligned');
      if (placed.lowerBound > 0) ratios.push(placed.height / placed.lowerBound);
      return JSON.stringify(place(intervals, { alignment: 64, effort: 100_000 })) === JSON.stringify(placed);
    }),
    { seed, numRuns: 150 },
  );
  ratios.sort((a, b) => a - b);
  const median = ratios[ratios.length >> 1]!;
  const worst = ratios.at(-1)!;
  t.comment(`height / lower bound: median ${median.toFixed(4)}, worst ${worst.toFixed(4)} (seed ${seed})`);
  t.equal(median, 1, 'half of them reach the lower bound');
  t.ok(worst < 1.15, 'the worst is not far from it');
});

t.test('thousands of buffers of a training step', async (t) => {
  // A third of them is kept from the forward to the backward half.
  const steps = 6000;
  const intervals = Array.from({ length: steps }, (_, id): Interval => {
    const isKept = id < steps / 2 && id % 3 === 0;
    return {
      id,
      from: id,
      to: isKept ? steps - id : id + 1 + (id % 4),
      bytes: 64 * (1 + ((id * 7919) % 1000)),
    };
  });
  const { height, lowerBound } = place(intervals, { alignment: 64 });
  t.ok(height <= 1.01 * lowerBound, `height / lower bound ${(height / lowerBound).toFixed(4)}`);
});

t.test('published placement problems', { skip: missing('minimalloc') }, async (t) => {
  const read = (file: string): Interval[] =>
    readFileSync(`${sharedFolder}/minimalloc/${file}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line, id) => {
        const [, lower, upper, size] = line.split(',').map(Number) as [number, number, number, number];
        return { id, from: lower, to: upper - 1, bytes: size };
      });
  // Most that each may take, in units of the lower bound, for the effort of a compilation.
  const problems: readonly (readonly [file: string, most: number])[] = [
    ['B.1048576.csv', 1.08],
    ['E.1048576.csv', 1.1],
    ['J.1048576.csv', 1.07],
    ['input.12.csv', 1],
    ['mnist_cnn.csv', 1],
    ['mnist_mlp.csv', 1],
    ['block.residual_conv.c0.csv', 1],
  ];
  for (const [file, most] of problems) {
    const intervals = read(file);
    const placed = place(intervals, { alignment: 1 });
    const ratio = placed.height / placed.lowerBound;
    t.equal(overlap(intervals, placed), null, `${file}: no overlap`);
    t.ok(ratio <= most, `${file}: ${ratio.toFixed(4)} of the lower bound`);
  }
  const intervals = read('B.1048576.csv');
  const placed = place(intervals, { alignment: 1, effort: 4e7 });
  t.equal(overlap(intervals, placed), null, 'B with more effort: no overlap');
  t.equal(placed.height, 1048576, 'B with more effort reaches its capacity, which is the lower bound');
});
