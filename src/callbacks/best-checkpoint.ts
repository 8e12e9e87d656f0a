// Checkpoints: the model as it was after its best epoch, outside of this process.

import { type Callback, type EpochEnd, type MonitorOptions, Watch } from './callback.ts';
import { fileWriter } from './file.ts';

export interface BestCheckpointOptions extends MonitorOptions {
  /** A file, or what takes the bytes of `model.save()`. */
  readonly to: string | ((bytes: Uint8Array, end: EpochEnd) => unknown);
}

/**
 * Saves the model after each epoch that is the best so far; `model.load` reads it. For one training: make a new one for each.
 * Throws HDL0003, HDL0017 (a file, where there are none).
 *
 * @formula save after each epoch with a new best
 * @source —
 * @example callbacks.bestCheckpoint({ monitor: 'valAccuracy', to: 'best.heddle' })
 */
export function bestCheckpoint(options: BestCheckpointOptions): Callback {
  const { to } = options;
  const watch = new Watch('bestCheckpoint', options);
  const write = typeof to === 'string' ? fileWriter('bestCheckpoint', to).replace : to;
  return {
    onEpochEnd: async (end, run) => {
      if (watch.isBest(end.figures)) await write(await run.save(), end);
    },
    state: () => watch.state(),
    resume: (state) => watch.resume(state),
  };
}
