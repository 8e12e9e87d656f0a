// The code of a plan, compiled once, in the form that all threads bind (kernels.ts).

import { compileModule } from './compile-module.ts';
import { cannotLoad } from './executor-errors.ts';
import type { KernelCode } from './kernels.ts';
import type { Plan } from './plan.ts';
import { withSharedMemory } from './wasm-module.ts';

/** Code that the engine compiles before the rest of its plan is there. */
export interface CodeAhead {
  /** The very bytes that the plan will have. */
  readonly code: Uint8Array;
  readonly isShared: boolean;
  readonly module: Promise<WebAssembly.Module>;
}

/** Begins to compile the WebAssembly code of a plan to come. What is wrong with it is told when the plan is loaded. */
export function compileAhead(code: Uint8Array, features: readonly string[], isShared: boolean): CodeAhead {
  const module = (async () => compileModule(withSharedMemory(code, isShared), features))();
  module.catch(() => {});
  return { code, isShared, module };
}

/** Code for memory that is shared or not. Throws HDL1006 when the engine does not take it. */
export async function compileCode(plan: Plan, isShared: boolean, ahead?: CodeAhead): Promise<KernelCode> {
  const { kernels, target, features } = plan.manifest;
  const names = kernels.map((kernel) => kernel.name);
  try {
    if (target === 'js') {
      return { target, names, source: new TextDecoder('utf-8', { fatal: true }).decode(plan.code) };
    }
    const isAhead = ahead?.code === plan.code && ahead.isShared === isShared;
    const module = isAhead ? ahead.module : compileModule(withSharedMemory(plan.code, isShared), features);
    return { target, names, module: await module };
  } catch (cause) {
    throw cannotLoad(plan, cause instanceof Error ? cause.message : String(cause), cause);
  }
}
