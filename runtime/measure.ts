// The runs of a profile: the same inputs again and again, each worker noting its times (timing.ts). Nothing is committed,
// so that a profile leaves no trace in the variables, and every run does the same work.

import { Outcome, Word } from './control.ts';
import { runtimeError } from './errors.ts';
import { oneRound, type Program } from './program.ts';
import type { Runner } from './runner.ts';
import type { RunData } from './tensor.ts';
import { makeTimeTables, type RunTimes } from './timing.ts';
import type { Walk } from './walk.ts';

export interface ProfileRuns {
  /** Runs that are measured. */
  readonly runs: number;
  /** Runs before them, until engines have optimised the code. */
  readonly warmUp: number;
}

/** What the threads of an executor noted about some runs of a plan. */
export interface Measured {
  /** What each worker did; its tables in `runs` hold one time per item. */
  readonly walk: Walk;
  readonly runs: readonly RunTimes[];
}

/** Runs a program and collects what its workers note. `shared`: they are threads. Throws as a run does. */
export async function measureRuns(
  program: Program,
  runner: Runner,
  inputs: readonly RunData[],
  shared: boolean,
  { runs, warmUp }: ProfileRuns,
): Promise<Measured> {
  const { walk } = program;
  const tables = makeTimeTables(walk, shared);
  await runner.time(program, tables);
  const noted: RunTimes[] = [];
  try {
    for (let run = -warmUp; run < runs; run++) {
      const begin = performance.now();
      program.writeInputs(inputs);
      program.prepare(oneRound);
      const prepared = performance.now();
      await runner.run(program);
      const returned = performance.now();
      if (program.control[Word.outcome] === Outcome.checkFailed) throw program.flagsError(null);
      for (const output of program.manifest.outputs) program.readOutput(output);
      const end = performance.now();
      if (run < 0) continue;
      const workers = tables.map((table) => Float64Array.from(table));
      noted.push({ begin, prepared, returned, end, origin: performance.timeOrigin, workers });
    }
  } finally {
    program.commit(0);
    await runner.time(program, null);
  }
  return { walk, runs: noted };
}

/** Throws HDL1001 for counts that are none. */
export function checkRuns({ runs, warmUp }: ProfileRuns): void {
  if (Number.isInteger(runs) && runs >= 1 && Number.isInteger(warmUp) && warmUp >= 0) return;
  throw runtimeError('HDL1001', {
    what: `a profile cannot have ${String(runs)} runs after ${String(warmUp)} to warm up`,
    rule: 'runs is an integer of at least 1, warmUp one of at least 0',
    hint: 'leave them out for 20 runs after 5',
  });
}
