// Early stopping: no more epochs when none gets better.

import type { RunData } from '../../runtime/tensor.ts';
import { type Callback, checkPatience, type MonitorOptions, Watch } from './callback.ts';

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
  const watch = new Watch('earlyStopping', options);
  let waited = 0;
  let kept: ReadonlyMap<string, RunData> | null = null;
  return {
    onEpochEnd: ({ figures }, run) => {
      if (watch.isBest(figures)) {
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
    state: () => ({ ...watch.state(), waited, ...prefixed(kept) }),
    resume: (state) => {
      watch.resume(state);
      waited = Number(state['waited']);
      const values = Object.entries(state).filter(([name]) => name.startsWith(keptPrefix));
      if (values.length > 0)
        kept = new Map(values.map(([name, data]) => [name.slice(keptPrefix.length), data as RunData]));
    },
  };
}

const keptPrefix = 'kept/';

function prefixed(values: ReadonlyMap<string, RunData> | null): Record<string, RunData> {
  return Object.fromEntries([...(values ?? [])].map(([name, data]) => [`${keptPrefix}${name}`, data]));
}
