// `fit` with a clock: what experiments that train a model by it report.

import { performance } from 'node:perf_hooks';
import type { FitData, FitOptions, History, Model } from '../../src/index.ts';
import type { Outcome, RunOptions } from './experiment.ts';

export type TimedFit = Pick<Outcome, 'losses' | 'steps' | 'seconds' | 'compileSeconds'> & {
  readonly history: History;
};

/** Compiles, then trains; `count` is the number of examples. The losses are those of epochs. */
export async function timedFit(
  model: Model,
  data: FitData,
  count: number,
  fit: FitOptions,
  { onProgress }: RunOptions = {},
): Promise<TimedFit> {
  const { batchSize = 32, epochs = 1, onEpochEnd } = fit;
  const start = performance.now();
  await model.program.compile('train', { batch: Math.min(batchSize, count) });
  const compiled = performance.now();
  const history = await model.fit(data, {
    ...fit,
    verbose: false,
    onEpochEnd: (end) => {
      onProgress?.(end.epoch / epochs);
      return onEpochEnd?.(end);
    },
  });
  const losses = history['loss']!;
  return {
    history,
    losses,
    steps: losses.length * Math.ceil(count / batchSize),
    seconds: (performance.now() - compiled) / 1000,
    compileSeconds: (compiled - start) / 1000,
  };
}
