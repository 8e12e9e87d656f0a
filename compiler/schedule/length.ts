// How long a schedule takes, by what each worker needs between barriers. At a barrier all go on when the last has come; or
// each when those have come whom it waits for.

/** Of a barrier, the workers that one worker waits for; null: all wait for all. */
export type After = readonly number[] | null;

/**
 * When the last worker is done. `times[worker][part]`: of each part of its list; `waits[worker][barrier]`: before part
 * `barrier + 1`; a barrier costs whoever waits `barrierNs`.
 */
export function scheduleLength(
  times: readonly (readonly number[])[],
  waits: readonly (readonly After[])[],
  barrierNs: number,
): number {
  let done = times.map((parts) => parts[0]!);
  for (let p = 1; p < times[0]!.length; p++) {
    const arrived = done;
    done = times.map((parts, w) => {
      const after = waits[w]![p - 1]!;
      const others = after === null ? arrived : after.map((v) => arrived[v]!);
      const waited = others.length === 0 ? 0 : barrierNs;
      return Math.max(arrived[w]!, ...others) + waited + parts[p]!;
    });
  }
  return Math.max(...done);
}
