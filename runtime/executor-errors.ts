// What an executor says when it cannot do what it is asked.

import { type HeddleError, runtimeError } from './errors.ts';
import { canShareMemory } from './host.ts';
import type { Plan, PlanTensor } from './plan.ts';
import { formatTensor } from './tensor.ts';
import { findWorkerClass } from './thread.ts';

/** Why there cannot be threads here, and what to do about it; null when there can. */
export async function findObstacle(): Promise<string | null> {
  if (!canShareMemory()) {
    const isIsolated = typeof crossOriginIsolated !== 'undefined' && crossOriginIsolated;
    return `there is no memory that threads can share. ${
      isIsolated
        ? 'The page is isolated as it should be, but this browser has no SharedArrayBuffer.'
        : 'Serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.'
    }`;
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
  const { entry, features, target } = plan.manifest;
  // Words of V8, Firefox and Safari.
  if (/content security policy|blocked by CSP|code generation.* disallowed/i.test(reason)) {
    const source = target === 'js' ? "'unsafe-eval'" : "'wasm-unsafe-eval'";
    const other =
      target === 'js' ? "compile it for target 'wasm', which needs 'wasm-unsafe-eval' alone, or " : '';
    return runtimeError(
      'HDL1006',
      {
        what: `plan '${entry}' cannot be loaded: code may not be made here: ${reason.trim()}`,
        rule: `where a content security policy holds, it has to allow ${source} for target '${target}', in the answers that bring the page and worker.js`,
        hint: `${other}serve both with Content-Security-Policy: script-src 'self' ${source}`,
      },
      { cause },
    );
  }
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
