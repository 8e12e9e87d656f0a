// Callbacks: what happens beside training, `fit({ callbacks: […] })`. One of one's own is any object with these methods.

export { type BestCheckpointOptions, bestCheckpoint } from './best-checkpoint.ts';
export type {
  BatchEnd,
  Callback,
  CallbackState,
  MonitorOptions,
  Pause,
  TrainingRun,
} from './callback.ts';
export { type CheckpointOptions, checkpoint } from './checkpoint.ts';
export { type EarlyStoppingOptions, earlyStopping } from './early-stopping.ts';
export { csvLog, jsonlLog, type LogTarget } from './logs.ts';
export { type ReduceOnPlateauOptions, reduceOnPlateau } from './reduce-on-plateau.ts';
