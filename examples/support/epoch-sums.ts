// Losses by epoch.

/** The losses of the batches of each epoch, summed; the last epoch may be cut short. */
export function epochSums(losses: ArrayLike<number>, stepsPerEpoch: number): number[] {
  const sums: number[] = [];
  for (let i = 0; i < losses.length; i++) {
    const epoch = Math.floor(i / stepsPerEpoch);
    sums[epoch] = (sums[epoch] ?? 0) + losses[i]!;
  }
  return sums;
}
