// Early stopping: no more epochs when none gets better.

import type { RunData } from '../../runtime/tensor.ts';
import { type Callback, checkPatience, type MonitorOptions, watch } from './callback.ts';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Stops after so many epochs without a better figure; default 1. */
  readonly patience?: number | undefined;
  /** Goes back to the variables of the best epoch at the end; default false. */
  readonly restoreBest?: boolean | undefined;
}

/**
 * Stops a training whose figure does not get better. For one training: make a new one for each. Throws HDL0003.
 *
 * @formula stop after `patience` epochs in a row without a new best
 * @source Prechelt, 1998
 * @example model.fit(data, { epochs: 100, validation, callbacks: [callbacks.earlyStopping({ patience: 3, restoreBest: true })] })
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { patience = 1, restoreBest = false } = options;
  checkPatience('earlyStopping', patience);
  const isBest = watch('earlyStopping', options);
  let waited = 0;
  let kept: ReadonlyMap<string, RunData> | null = null;
  return {
    onEpochEnd: ({ figures }, run) => {
      if (isBest(figures)) {
        waited = 0;
        if (restoreBest) kept = run.snapshot();
        return undefined;
      }
      waited++;
      return waited >= patience ? 'stop' : undefined;
    },
    onTrainEnd: (run) => {
      if (kept !== null) run.restore(kept);
    },
  };
}
