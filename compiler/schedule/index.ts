// Scheduling: from a lowered program to a plan, and the checker that proves a plan safe.

export { checkPlan } from './check.ts';
export type { Buffer, BufferId, Home, Lowered, LoweredStep, LoweredTensor } from './lowered.ts';
export { manifestFromJson, manifestToJson } from './manifest.ts';
export { type Placement, type PlaceOptions, place } from './place.ts';
export type { Interval } from './place-problem.ts';
export { type Scheduled, type ScheduleOptions, schedulePlan, scheduleProgram } from './plan.ts';
export { printPlan } from './print.ts';
