// What things cost on a machine, in nanoseconds: the only measure by which schedules are made. It steers who does what,
// never what is computed.
//
//   a call of a kernel   max(operations / speed of arithmetic, time of its bytes) + the call itself
//   time of bytes        the first `nearBytes` come from a near cache, if this core left them there; the rest from further away
//
// Constants stand with the targets (target/targets.ts); a user may measure others (src/calibrate.ts) and pass them.

import { compilerError } from '../graph/errors.ts';
import type { Kernel, Machine } from '../kernel/ir.ts';
import type { StepCost } from './barriers.ts';

/** One core of about 3.5 GHz that runs 128-bit vectors, multiply and add apart: measured on ResNet-8's kernels. */
export const defaultMachine: Machine = {
  flopsPerNs: 30,
  bytesPerNs: 16,
  nearBytesPerNs: 48,
  callNs: 60,
  barrierNs: 500,
  wakeNs: 4000,
};

/** A second cache of usual size. */
const nearBytes = 1 << 20;

/** The machine for a kernel whose operands another worker has made in part: they do not lie near. */
export function fromAfar(machine: Machine): Machine {
  return { ...machine, nearBytesPerNs: Math.min(machine.nearBytesPerNs, machine.bytesPerNs) };
}

/** The same constants with their names in one order, so that equal machines print alike. Throws HDL0003. */
export function checkMachine(machine: Machine): Machine {
  const names = Object.keys(defaultMachine) as (keyof Machine)[];
  const known = Object.fromEntries(names.map((name) => [name, machine?.[name]]));
  const wrong = names.find((name) => !(Number.isFinite(known[name]) && known[name]! > 0));
  if (wrong === undefined) return known as unknown as Machine;
  throw compilerError('HDL0003', {
    what: `machine.${wrong} is ${String(known[wrong])}`,
    rule: `a machine has a positive number for each of ${names.join(', ')}`,
    hint: 'pass what calibrate() returned, or JSON of it; leave it out for usual values',
  });
}

/** Nanoseconds of all units of a kernel on one core, without the call; `foreign` bytes do not lie near. */
export function workOf(
  { cost }: { readonly cost: Pick<Kernel['cost'], 'flops' | 'bytes'> },
  machine: Machine,
  foreign = 0,
): number {
  const near = Math.max(0, Math.min(cost.bytes, nearBytes) - foreign);
  const memory = near / machine.nearBytesPerNs + (cost.bytes - near) / machine.bytesPerNs;
  return Math.max(cost.flops / machine.flopsPerNs, memory);
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
    if (kernel.isLoop) return { isSerial: false, isLoop: true, cost };
    return { isSerial: kernel.unit.extent <= 1 || cost < smallCost(machine), cost };
  });
}
