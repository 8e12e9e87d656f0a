// Values of a variable that change from step to step, such as a learning rate: each is written before its step.

import { runtimeError } from './errors.ts';
import type { Program } from './program.ts';
import { formatTensor, type RunData, type RunInput, tensorBytes, toData } from './tensor.ts';
import type { VariableStore } from './variables.ts';

/** A variable to be written before each step. */
export interface Schedule {
  readonly address: number;
  /** Values of all steps. */
  readonly data: RunData;
  /** Bytes of the value for one step. */
  readonly bytes: number;
}

/** One value for each step of a scalar that the plan does not update. Throws HDL1001. */
export function bindSchedule(
  program: Program,
  variables: VariableStore,
  index: number,
  values: RunInput,
  steps: number,
): Schedule {
  const declared = variables.declared(index);
  const { name, dtype, shape } = declared;
  if (program.updates(index) || shape.length > 0) {
    throw runtimeError('HDL1001', {
      what: `variable '${name}' ${formatTensor(declared)} cannot follow a schedule in '${program.manifest.entry}'`,
      rule: 'a schedule sets scalars that the entry point does not update',
      hint: 'set it between runs',
    });
  }
  return {
    address: variables.address(index, variables.bank(index)),
    data: toData(`schedule of variable '${name}'`, { name, dtype, shape: [steps] }, values),
    bytes: tensorBytes(declared),
  };
}
