// The best tile of each contraction, from what was measured. Pure: the same measurements, the same tiles.

import type { Tile } from '../../compiler/compile.ts';

/** What was measured of one contraction: the tile that it had, and others. */
export interface MeasuredTiles {
  readonly key: string;
  readonly label: string;
  readonly was: TimedTile;
  readonly others: readonly TimedTile[];
}

export interface TimedTile {
  readonly tile: Tile;
  /** Kernel time of all workers in one run, of all steps that belong to the contraction: its fastest. */
  readonly ms: number;
}

/** The tile that was best, and the one before. */
export interface TunedTile extends TimedTile {
  /** Scope path and ops, for people. */
  readonly label: string;
  readonly was: TimedTile;
}

/** Another tile must be faster by this factor: less is noise, and then nothing need change. */
const worthwhile = 0.97;

/** By key, in the order given. Of equals, the first. */
export function bestTiles(measured: readonly MeasuredTiles[]): Readonly<Record<string, TunedTile>> {
  return Object.fromEntries(
    measured.map(({ key, label, was, others }) => {
      const first = others.reduce<TimedTile | null>((a, b) => (a === null || b.ms < a.ms ? b : a), null);
      const best = first !== null && first.ms < worthwhile * was.ms ? first : was;
      return [key, { label, tile: best.tile, ms: best.ms, was }];
    }),
  );
}
