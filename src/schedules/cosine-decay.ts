// Half a cosine, after a warm-up.

import { checkOptions, type Schedule } from './schedule.ts';

export interface CosineDecayOptions {
  /** The largest rate. */
  readonly rate: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** Steps in which the rate rises to the largest, the last of them with it; default 0. */
  readonly warmup?: number | undefined;
  /** The rate at the end; default 0. */
  readonly final?: number | undefined;
}

/**
 * Rises in a line to the largest rate over the first w steps, then falls along half a cosine; stays at `final` after the end.
 * Throws HDL0003.
 *
 * @formula t < w: η(t + 1) / w; else η₁ + (η − η₁)(1 + cos(π(t − max(w − 1, 0)) / (T − w))) / 2
 * @source Loshchilov and Hutter, 2017; warm-up: Goyal et al., 2017
 * @example schedules.cosineDecay({ rate: 0.1, steps: 5000, warmup: 200 })
 */
export function cosineDecay({ rate, steps, warmup = 0, final = 0 }: CosineDecayOptions): Schedule {
  checkOptions(
    'cosineDecay',
    { rate, steps, warmup, final },
    'rates are numbers of at least 0, steps is an integer above warmup, an integer of at least 0',
    (name, v) =>
      name === 'steps'
        ? Number.isInteger(v) && v > warmup
        : v >= 0 && (name !== 'warmup' || Number.isInteger(v)),
  );
  return (step) => {
    if (step < warmup) return (rate * (step + 1)) / warmup;
    const share = Math.min(1, (step - Math.max(warmup - 1, 0)) / (steps - warmup));
    return final + ((rate - final) * (1 + Math.cos(Math.PI * share))) / 2;
  };
}
