// How an executor gets a program run: in the calling thread, or by a pool of workers. Both keep to this interface.

import { type HeddleError, runtimeError } from './errors.ts';
import type { Program } from './program.ts';
import type { TimeTable } from './timing.ts';
import { stepAt } from './walk.ts';

export interface Runner {
  /** Throws ProgramRefused when the code does not bind, HDL1003 when a worker fails. */
  load(program: Program): Promise<void>;
  unload(program: Program): void;
  /**
   * Runs a program as its control words say. Returns when the run has ended, for any reason that they tell. Throws HDL1003
   * when a kernel or a worker has failed.
   */
  run(program: Program): Promise<void>;
  /** From now on runs of a program note their times, one table per list of its walk; `null`: no more. Throws HDL1003. */
  time(program: Program, tables: readonly TimeTable[] | null): Promise<void>;
  /** Ends it for good. A run or load in flight is rejected with `reason`. */
  stop(reason: Error): Promise<void>;
}

/** The code of a program does not give the kernels that its plan names. */
export class ProgramRefused extends Error {}

/** HDL1003 for a worker that failed at an item of its list or at a piece (`stepAt`); −1: before the first one. */
export function stepFailure(
  program: Program,
  worker: number,
  item: number,
  reason: string,
  cause: unknown,
): HeddleError {
  const { entry, steps } = program.manifest;
  const { lists } = program.walk;
  const step = steps[stepAt(program.walk, worker, item)];
  const where = step ? `step '${step.label}' of '${entry}'` : `'${entry}'`;
  return runtimeError(
    'HDL1003',
    {
      what: `${where} failed in worker ${worker} of ${lists.length}: ${reason}`,
      rule: 'a run is committed when all of its kernels have returned; variables are as they were before it',
      hint: 'run again: workers are started anew where needed; if it fails at the same step, report its plan',
    },
    { cause },
  );
}
