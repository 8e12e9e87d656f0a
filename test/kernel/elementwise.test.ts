// Elementwise kernels whose elements take long: several vectors in turn, and what is left over.

import t from 'tap';
import { varIndex } from '../../compiler/kernel/affine.ts';
import { type KernelDefinition, VarSource } from '../../compiler/kernel/definition.ts';
import { binary, unary } from '../../compiler/kernel/expr.ts';
import { printKernel } from '../../compiler/kernel/print.ts';
import { scheduleKernel } from '../../compiler/kernel/schedule/index.ts';
import { wasmSimd } from '../../compiler/target/targets.ts';
import { load, param, runKernel } from '../support/run-kernel.ts';

/** y = tanh(x) exp(x), z = exp(x) */
function gated(n: number): KernelDefinition {
  const vars = new VarSource();
  const i = vars.make('i', n);
  const x = load('f32', 0, varIndex(i));
  const e = unary('exp', x);
  const y = binary('mul', unary('tanh', x), e);
  return {
    name: 'gated',
    params: [param('x', 'f32', n, 'read'), param('y', 'f32', n, 'write'), param('z', 'f32', n, 'write')],
    flags: null,
    space: [i],
    stores: [
      { param: 1, index: varIndex(i), value: y },
      { param: 2, index: varIndex(i), value: e },
    ],
    vars,
  };
}

t.test('every element is computed, at any length', async (t) => {
  for (const n of [1, 3, 4, 17, 63, 64, 67, 68, 83, 1000]) {
    const kernel = scheduleKernel(gated(n), wasmSimd);
    const x = Float32Array.from({ length: n }, (_, i) => ((i * 37) % 11) - 5);
    const zeros = new Float32Array(n);
    const [, y, z] = runKernel(kernel, [x, zeros, zeros], 'wasm') as Float32Array[];
    const wrong = x.findIndex(
      (v, i) =>
        Math.abs(y![i]! - Math.tanh(v) * Math.exp(v)) > 1e-6 * Math.exp(v) ||
        Math.abs(z![i]! - Math.exp(v)) > 1e-6 * Math.exp(v),
    );
    t.equal(wrong, -1, `${n} elements`);
  }
});

t.test('long elements go four vectors at a time, the rest one by one', async (t) => {
  const text = printKernel(scheduleKernel(gated(87), wasmSimd));
  t.match(text, 'of 80 step 16');
  t.equal(text.match(/exp\(/g)!.length, 4 + 1 + 1, 'the exponential is computed once per vector');
});
