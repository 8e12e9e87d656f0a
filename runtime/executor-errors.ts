// What an executor says when it cannot do what it is asked.

import { type HeddleError, runtimeError } from './errors.ts';
import { canShareMemory } from './host.ts';
import type { Plan, PlanTensor } from './plan.ts';
import { formatTensor } from './tensor.ts';
import { findWorkerClass } from './thread.ts';

/** Why there cannot be threads here, and what to do about it; null when there can. */
export async function findObstacle(): Promise<string | null> {
  if (!canShareMemory()) {
    return (
      'there is no memory that threads can share. Serve the page with the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.'
    );
  }
  if ((await findWorkerClass()) === undefined) {
    return 'no workers can be started here. Create the executor in the main thread.';
  }
  return null;
}

export function afterDispose(what: string): HeddleError {
  return runtimeError('HDL1002', {
    what: `the executor was disposed, it cannot ${what}`,
    rule: 'dispose ends an executor for good',
    hint: 'await what is in flight before dispose, or create another executor',
  });
}

export function cannotLoad(plan: Plan, reason: string, cause: unknown): HeddleError {
  const { entry, features } = plan.manifest;
  return runtimeError(
    'HDL1006',
    {
      what: `plan '${entry}' cannot be loaded: ${reason}`,
      rule: `its code must be valid here${features.length > 0 ? `, and needs ${features.join(', ')}` : ''}`,
      hint: 'compile it for another target, or run it in an engine that has these features',
    },
    { cause },
  );
}

export function unknownVariable(name: string, what: string, known: readonly PlanTensor[]): HeddleError {
  const listed = known.map((variable) => `'${variable.name}' ${formatTensor(variable)}`).join(', ');
  return runtimeError('HDL1008', {
    what: `there is no variable '${name}' to ${what}`,
    rule: 'variables are those of the plans loaded so far, named by scope path',
    hint: known.length > 0 ? `there are ${listed}` : 'load a plan first',
  });
}
