// What things cost on a machine, in nanoseconds: the only measure by which schedules are made. It steers who does what,
// never what is computed.
//
//   a call of a kernel   max(operations / speed of arithmetic, bytes / speed of memory) + the call itself
//
// Constants stand with the targets (target/targets.ts); a user may measure others (runtime/calibrate.ts) and pass them.

import type { Kernel, Machine } from '../kernel/ir.ts';
import type { StepCost } from './barriers.ts';

/** One core of about 3.5 GHz that runs 128-bit vectors, multiply and add apart: measured on ResNet-8's kernels. */
export const defaultMachine: Machine = { flopsPerNs: 30, bytesPerNs: 16, callNs: 60, barrierNs: 500 };

/** Nanoseconds of all units of a kernel on one core, without the call. */
export function workOf(kernel: Kernel, machine: Machine): number {
  return Math.max(kernel.cost.flops / machine.flopsPerNs, kernel.cost.bytes / machine.bytesPerNs);
}

/** Nanoseconds of calling a kernel once for all its units. */
export function costOf(kernel: Kernel, machine: Machine): number {
  return machine.callNs + workOf(kernel, machine);
}

/** Below this a step is not worth a second worker: about a barrier. */
export function smallCost(machine: Machine): number {
  return machine.barrierNs;
}

export function stepCosts(steps: readonly { readonly kernel: Kernel }[], machine: Machine): StepCost[] {
  return steps.map(({ kernel }) => {
    const cost = costOf(kernel, machine);
    return { isSerial: kernel.unit.extent <= 1 || cost < smallCost(machine), cost };
  });
}
