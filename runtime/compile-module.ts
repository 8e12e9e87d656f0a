// Compiles a plan's code with the engine.
//
// V8 compiles a function twice: quickly, when it is first called, and well, when it has run for a while; a call that is
// under way stays in the slow code until it returns. The kernels of a plan are few and all of them hot, so a first step in
// slow code is lost time: a training step of ResNet-8 took 9 times as long as the second one. In Node the engine is told,
// by flags that are on for one synchronous stretch, to compile all functions quickly and then, in threads of its own, all
// of them well; whoever waits for the module waits for the first part only. Other engines go their own way.

import { type EngineFlag, isBefore, isUntouched, nodeEngine, underFlags } from './engine-flags.ts';
import { featureFlags, flagAttempts } from './features.ts';

const eagerFlags: readonly EngineFlag[] = [
  { name: 'wasm-dynamic-tiering', to: false },
  { name: 'wasm-lazy-compilation', to: false },
];

/** Versions of V8 where these flags are known to do this: Node 20 to 26 were tried. */
const eagerSince = [11, 3] as const;
const eagerUntil = [15, 0] as const;

/** Compiles a module that needs the features; throws the engine's CompileError when the code is not valid here. */
export async function compileModule(
  code: Uint8Array<ArrayBuffer>,
  features: readonly string[],
): Promise<WebAssembly.Module> {
  const flags = [...(featureFlags(features) ?? []), ...(isEager() ? eagerFlags : [])];
  for (let attempt = 0; flags.length > 0 && attempt < flagAttempts; attempt++) {
    const module = underFlags(flags, () => compileNow(code));
    if (module !== null) return module;
  }
  // Where there are no flags to set; and for the engine to say what is wrong with the code.
  return WebAssembly.compile(code);
}

function isEager(): boolean {
  const engine = nodeEngine();
  if (engine === null || isBefore(engine, eagerSince) || !isBefore(engine, eagerUntil)) return false;
  return isUntouched('wasm') && isUntouched('liftoff');
}

function compileNow(code: Uint8Array<ArrayBuffer>): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(code);
  } catch {
    return null;
  }
}
