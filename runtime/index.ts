// The runtime: all that is needed to run plans that were compiled before, and nothing of the compiler.

export { type ErrorLocation, type ErrorParts, formatLocation, HeddleError, runtimeErrors } from './errors.ts';
export { Executor, type ExecutorOptions, type LoadedPlan } from './executor.ts';
export { type LoadPlansOptions, loadPlans, type SavedPlans, savePlans } from './file.ts';
export { type LoadOptions, load, type SavedEntry, SavedProgram } from './load.ts';
export type {
  Plan,
  PlanDType,
  PlanManifest,
  PlanPlacement,
  PlanSite,
  PlanStep,
  PlanTensor,
  PlanVariable,
} from './plan.ts';
export type { HostRows, ResidentRows, StepFeed } from './step-feed.ts';
export type { Keep } from './step-outputs.ts';
export type { StepsRequest, StepsResult } from './steps.ts';
export type { InitialValues, RunData, RunInput, RunTensor } from './tensor.ts';
export { validatePlan } from './validate.ts';
