// A learning rate that falls when the figures stop getting better.

import { compilerError } from '../../compiler/graph/errors.ts';
import { type Callback, checkPatience, type MonitorOptions, Watch } from './callback.ts';

export interface ReduceOnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by; default 0.1. */
  readonly factor?: number | undefined;
  /** Reduces after so many epochs without a better figure; default 10. */
  readonly patience?: number | undefined;
  /** Epochs after a reduction that are not counted; default 0. */
  readonly cooldown?: number | undefined;
  /** The rate never falls below it; default 0. */
  readonly minRate?: number | undefined;
}

/**
 * Multiplies the learning rate after epochs without a new best. For one training: make a new one for each. Throws HDL0003.
 *
 * @formula η ← max(f · η, η₀) after `patience` epochs in a row without a new best
 * @source —
 * @example callbacks.reduceOnPlateau({ factor: 0.5, patience: 3 })
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  const { factor = 0.1, patience = 10, cooldown = 0, minRate = 0 } = options;
  checkPatience('reduceOnPlateau', patience);
  if (!(factor > 0 && factor < 1)) {
    throw compilerError('HDL0003', {
      what: `reduceOnPlateau with factor: ${factor}`,
      rule: 'factor is a number between 0 and 1',
      hint: 'factor: 0.5 halves the rate',
    });
  }
  const watch = new Watch('reduceOnPlateau', options);
  let waited = 0;
  let resting = 0;
  return {
    onEpochEnd: ({ figures }, run) => {
      const isBetter = watch.isBest(figures);
      if (resting > 0) resting--;
      else waited = isBetter ? 0 : waited + 1;
      if (isBetter || waited < patience) return;
      const rate = run.learningRate();
      if (rate > minRate) run.scaleLearningRate(Math.max(factor, minRate / rate));
      waited = 0;
      resting = cooldown;
    },
    state: () => ({ ...watch.state(), waited, resting }),
    resume: (state) => {
      watch.resume(state);
      waited = Number(state['waited']);
      resting = Number(state['resting']);
    },
  };
}
