// The code of a plan, compiled once, in the form that all threads bind (kernels.ts).

import { cannotLoad } from './executor-errors.ts';
import { compileModule } from './features.ts';
import type { KernelCode } from './kernels.ts';
import type { Plan } from './plan.ts';
import { withSharedMemory } from './wasm-module.ts';

/** Code for memory that is shared or not. Throws HDL1006 when the engine does not take it. */
export async function compileCode(plan: Plan, isShared: boolean): Promise<KernelCode> {
  const { kernels, target, features } = plan.manifest;
  const names = kernels.map((kernel) => kernel.name);
  try {
    if (target === 'js') {
      return { target, names, source: new TextDecoder('utf-8', { fatal: true }).decode(plan.code) };
    }
    return { target, names, module: await compileModule(withSharedMemory(plan.code, isShared), features) };
  } catch (cause) {
    throw cannotLoad(plan, cause instanceof Error ? cause.message : String(cause), cause);
  }
}
