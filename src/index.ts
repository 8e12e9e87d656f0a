// Heddle's public API: declare a program on symbolic tensors, compile it once, run it on every core.
//
// Ops are free functions; layers, losses, optimizers, initializers, metrics and data lie in namespaces of their own.

export type { DumpOptions, DumpStage, Inspection, Schedules, Tile, Timing } from '../compiler/compile.ts';
export type { Tensor } from '../compiler/graph/ir.ts';
export { scope } from '../compiler/graph/scope.ts';
export type { DType, Shape } from '../compiler/graph/types.ts';
export type { Machine } from '../compiler/kernel/ir.ts';
export * from '../compiler/ops/index.ts';
export { type GradOptions, grad, hvp, jvp, vjp } from '../compiler/passes/grad.ts';
export { type ErrorParts, HeddleError } from '../runtime/errors.ts';
export type { Keep } from '../runtime/step-outputs.ts';
export type { StepsResult } from '../runtime/steps.ts';
export type { RunData, RunInput, RunTensor } from '../runtime/tensor.ts';
export { type CalibrateOptions, calibrate } from './calibrate.ts';
export type { BatchEnd, Callback, EpochEnd, History, TrainingRun } from './callbacks/callback.ts';
export * as callbacks from './callbacks/index.ts';
export * as constraints from './constraints/index.ts';
export type { AppliedLayer, Context, Traits } from './context.ts';
export { Dataset } from './data/dataset/index.ts';
export * as data from './data/index.ts';
export {
  type CheckedElement,
  type CheckedValue,
  type Explained,
  type ExplainOptions,
  formatExplanation,
  formatGradCheck,
  formatNumerics,
  formatRange,
  type GradCheck,
  type GradCheckOptions,
  type NotFinite,
  type NumericsReport,
  type Range,
  type RangedValue,
  type Statistics,
  Watch,
  type WatchedValue,
  type WatchOptions,
} from './debug/index.ts';
export { type Entry, entry, type InputsOf, type Outputs, type Specs } from './entry.ts';
export type { Feed } from './feeds.ts';
export type { Floats } from './floats.ts';
export { folderCache } from './folder-cache.ts';
export * as initializers from './initializers/index.ts';
export type { Initializer } from './initializers/initializer.ts';
export * as losses from './losses/index.ts';
export type { Loss } from './losses/loss.ts';
export * as metrics from './metrics/index.ts';
export type { Metric } from './metrics/metric.ts';
export { Model } from './model/model.ts';
export type {
  CompileModelOptions,
  FitData,
  FitOptions,
  InputSpec,
  ModelData,
  ModelOptions,
} from './model/options.ts';
export type { NestedArray } from './nested.ts';
export * as nn from './nn/index.ts';
export type { Layer } from './nn/layer.ts';
export {
  type ExportOnnxOptions,
  type ImportOnnxOptions,
  importOnnx,
  OnnxConstantError,
  type OnnxModel,
  type OnnxValues,
} from './onnx/index.ts';
export * as optimizers from './optimizers/index.ts';
export type { Optimizer } from './optimizers/optimizer.ts';
export type { PlanCache } from './plan-source.ts';
export {
  type Ceiling,
  type FormatProfileOptions,
  formatProfile,
  measureCeilings,
  type Profile,
  type ProfileKernel,
  type ProfileOptions,
  type ProfileStep,
  type ProfileTotals,
  type Trace,
  type TraceEvent,
} from './profile/index.ts';
export {
  type DumpOf,
  type EntryInfo,
  type FeedsOf,
  type InputViewsOf,
  Program,
  type ProgramOptions,
  program,
  type ResultsOf,
  type SaveOptions,
  type StepsOf,
  type VariableInfo,
  type ViewOptions,
} from './program.ts';
export {
  createProgress,
  type Figures,
  formatNumber,
  formatSeconds,
  type Progress,
  type ProgressOptions,
  silent,
} from './progress.ts';
export { type Random, random } from './random.ts';
export * as regularizers from './regularizers/index.ts';
export * as schedules from './schedules/index.ts';
export type { Schedule } from './schedules/schedule.ts';
export type { Sink } from './sink.ts';
export { type Dims, type Spec, tensor } from './spec.ts';
export type { CompileEvent } from './specialisations.ts';
export * as state from './state/index.ts';
export {
  ResidentData,
  ResidentFeed,
  resident,
  type StepFeeds,
  type StepProgress,
  type StepsOptions,
} from './steps.ts';
export type { TimedTile, TunedTile } from './tune/best.ts';
export type { Tuned, TuneOptions, TuneProgress } from './tune/tune.ts';
export {
  type Constraint,
  parametersOf,
  penaltyOf,
  type Regularizer,
  type Variable,
  type VariableOptions,
  variable,
  variableName,
} from './variable.ts';
