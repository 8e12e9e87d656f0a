// What a schedule is, and the checks that schedules share. A schedule runs on the host: the learning rate is a variable, set
// for each step of a run, so nothing is compiled anew.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** The learning rate of each step, counted from 0. */
export type Schedule = (step: number) => number;

/** The first option that `isFit` refuses throws HDL0003 with the rule for all of them. */
export function checkOptions(
  fn: string,
  options: Readonly<Record<string, number>>,
  rule: string,
  isFit: (name: string, value: number) => boolean,
): void {
  const wrong = Object.entries(options).find(
    ([name, value]) => !(Number.isFinite(value) && isFit(name, value)),
  );
  if (wrong === undefined) return;
  throw compilerError('HDL0003', {
    what: `${fn} with ${wrong[0]}: ${wrong[1]}`,
    rule,
    hint: 'steps are those of all epochs: epochs · ⌈examples / batchSize⌉',
    loc: callerLocation(),
  });
}
