// Statistics of timed rounds. Medians, since a machine that does other things makes some samples slow and none fast;
// ratios round by round, since what slows one contender slows the one that is timed beside it.

/** The value below which a share `q` of the samples lies, interpolated. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = [...samples].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** The median of a[r] / b[r] over the rounds r. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, round) => value / b[round]!));
}

export interface Contender {
  readonly name: string;
  /** One timed block; what it returns is the sample. */
  readonly sample: () => number | Promise<number>;
}

/** Samples of each contender, by name: in each round every contender in turn is sampled once. */
export async function interleave(
  rounds: number,
  contenders: readonly Contender[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const { name, sample } of contenders) samples.get(name)!.push(await sample());
  return samples;
}
