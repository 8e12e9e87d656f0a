// The judge's optimizer rules, as calls of Heddle's optimizers.

import * as h from '../../src/index.ts';
import { unsupported } from './unsupported.ts';

export interface Rule {
  readonly optimizer: h.Optimizer;
  /** Learning rate of step t (from 1), when it changes. */
  readonly rateAt: ((t: number) => number) | null;
}

export function makeOptimizer(rule: string, settings: Readonly<Record<string, unknown>>): Rule {
  const number = (key: string, otherwise: number): number =>
    typeof settings[key] === 'number' ? settings[key] : otherwise;
  const learningRate = number('lr', 0.01);
  const schedule = settings['schedule'] as { warmup: number; total: number } | undefined;
  const rates =
    schedule &&
    h.schedules.cosineDecay({ rate: learningRate, steps: schedule.total, warmup: schedule.warmup });
  const rateAt = rates ? (t: number): number => rates(t - 1) : null;
  const family = /^(sgd|momentum|nesterov)/.test(rule)
    ? 'sgd'
    : /^(adam|amsgrad)/.test(rule)
      ? 'adam'
      : /^rmsprop/.test(rule)
        ? 'rmsprop'
        : rule;
  switch (family) {
    case 'sgd': {
      const clip = settings['clip'];
      return {
        rateAt,
        optimizer: h.optimizers.sgd({
          learningRate,
          momentum: number('momentum', 0),
          nesterov: settings['nesterov'] === true,
          weightDecay: 'decoupled' in settings ? number('decoupled', 0) : number('l2', 0),
          decoupled: 'decoupled' in settings,
          ...(typeof clip === 'number' ? { clipNorm: clip } : {}),
        }),
      };
    }
    case 'adam':
      return {
        rateAt,
        optimizer: h.optimizers.adam({
          learningRate,
          weightDecay: 'decoupled' in settings ? number('decoupled', 0) : number('l2', 0),
          decoupled: 'decoupled' in settings,
          amsgrad: settings['amsgrad'] === true,
        }),
      };
    case 'rmsprop':
      return {
        rateAt,
        optimizer: h.optimizers.rmsprop({
          learningRate,
          momentum: number('momentum', 0),
          centered: settings['centered'] === true,
        }),
      };
    case 'adagrad':
      return { rateAt, optimizer: h.optimizers.adagrad({ learningRate }) };
    default:
      throw unsupported(`optimizer ${rule}`);
  }
}
