// The roofline: a kernel takes at least as long as its arithmetic at the peak, and as its bytes at the bandwidth.
// What it takes beyond that is a loss, in milliseconds of a step, so that losses of different kernels compare.

/** What the machine reaches in micro-kernels. */
export interface Ceiling {
  readonly gflops: number;
  readonly gbps: number;
}

export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

export interface Bound {
  /** The least time that the work can take. */
  readonly ms: number;
  readonly by: 'arithmetic' | 'bandwidth';
}

/** The least time of some work under a ceiling. */
export function boundOf({ flops, bytes }: Work, { gflops, gbps }: Ceiling): Bound {
  const arithmetic = flops / gflops / 1e6;
  const bandwidth = bytes / gbps / 1e6;
  return arithmetic >= bandwidth ? { ms: arithmetic, by: 'arithmetic' } : { ms: bandwidth, by: 'bandwidth' };
}

export interface Loss<T> {
  readonly of: T;
  readonly bound: Bound;
  /** bound / time: 1 is the ceiling. Above 1 when data came from a nearer cache than the ceiling was measured in. */
  readonly ratio: number;
  /** Time above the bound; 0 when there is none. */
  readonly lostMs: number;
}

/** Every item with its bound, largest loss first; equal losses in the order given. */
export function lossesOf<T extends Work & { readonly ms: number }>(
  items: readonly T[],
  ceiling: Ceiling,
): Loss<T>[] {
  return items
    .map((of) => {
      const bound = boundOf(of, ceiling);
      return { of, bound, ratio: of.ms === 0 ? 1 : bound.ms / of.ms, lostMs: Math.max(0, of.ms - bound.ms) };
    })
    .sort((a, b) => b.lostMs - a.lostMs);
}
