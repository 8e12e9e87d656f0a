// What this engine can run. Node 20 has fused multiply-add (relaxed SIMD) behind a flag that can be set while it runs,
// before the first module that needs it is compiled.

import { setFlagsFromString } from 'node:v8';
import { peakKernel } from '../build/src/profile/micro-kernels.js';

/** Whether fused multiply-add can be used, after allowing it where that takes a flag. */
export function enableRelaxed() {
  const { code } = peakKernel(true);
  if (!WebAssembly.validate(code)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(code);
}
