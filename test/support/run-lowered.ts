// Runs a lowered graph without a plan: the kernels in their order, by the interpreter of Kernel IR, on buffers of their
// own. What no kernel has written yet is junk, so that reading it shows.

import type { HostTensor } from '../../compiler/graph/ir.ts';
import { type DType, elementCount, type TensorType } from '../../compiler/graph/types.ts';
import { interpretKernel, type KernelBuffer } from '../../compiler/kernel/interpret.ts';
import { stridesOf } from '../../compiler/lower/layout.ts';
import type { Buffer, BufferId, Lowered } from '../../compiler/schedule/lowered.ts';

export interface LoweredResult {
  readonly outputs: Readonly<Record<string, Float64Array>>;
  /** The next value of each variable that is updated. */
  readonly updates: Readonly<Record<string, Float64Array>>;
  /** Words of the flags; empty when the graph has no checks. */
  readonly flags: readonly number[];
}

/** Leaves are named: inputs and variables by their names. Values go in and come out row-major. */
export function runLowered(lowered: Lowered, leaves: Readonly<Record<string, HostTensor>>): LoweredResult {
  const memory = lowered.buffers.map((b) => allocate(b.type));
  const put = (id: BufferId, values: ArrayLike<number>): void => {
    places(lowered.buffers[id]!).forEach((at, i) => {
      memory[id]![at] = values[i]!;
    });
  };
  const take = (id: BufferId): Float64Array =>
    Float64Array.from(places(lowered.buffers[id]!), (at) => memory[id]![at]!);
  for (const { name, buffer } of lowered.inputs) put(buffer, leaves[name]!.data);
  for (const b of lowered.buffers) {
    if (b.home.kind === 'constant') put(b.id, b.home.payload.values);
    if (b.home.kind === 'flags') memory[b.id]!.fill(0);
    if (b.home.kind === 'variable' && b.home.bank === 'current')
      put(b.id, leaves[lowered.variables[b.home.variable]!.name]!.data);
  }
  for (const { kernel, args, bases } of lowered.steps) {
    const buffers = args.map((id, p) => memory[id]!.subarray(bases?.[p] ?? 0));
    // Units in falling order: nothing may rely on the order.
    for (let unit = kernel.unit.extent - 1; unit >= 0; unit--)
      interpretKernel(kernel, buffers, unit, unit + 1);
  }
  const next = lowered.buffers.flatMap((b) =>
    b.home.kind === 'variable' && b.home.bank === 'next'
      ? [[lowered.variables[b.home.variable]!.name, take(b.id)] as const]
      : [],
  );
  const flags = lowered.buffers.find((b) => b.home.kind === 'flags');
  return {
    outputs: Object.fromEntries(lowered.outputs.map((o) => [o.name, take(o.buffer)])),
    updates: Object.fromEntries(next),
    flags: flags ? [...memory[flags.id]!] : [],
  };
}

const arrays: Readonly<Record<DType, (n: number) => KernelBuffer>> = {
  f32: (n) => new Float32Array(n).fill(Number.NaN),
  i32: (n) => new Int32Array(n).fill(0x7b7b7b7b),
  u32: (n) => new Uint32Array(n).fill(0x7b7b7b7b),
  bool: (n) => new Uint8Array(n).fill(0x7b),
  u8: (n) => new Uint8Array(n).fill(0x7b),
};

function allocate(type: TensorType): KernelBuffer {
  return arrays[type.dtype](elementCount(type.shape));
}

/** For each element in row-major order, where it lies in memory. */
function places({ type, order }: Buffer): number[] {
  const strides = stridesOf(type.shape, order);
  let at = [0];
  type.shape.forEach((n, d) => {
    at = at.flatMap((base) => Array.from({ length: n }, (_, i) => base + i * strides[d]!));
  });
  return at;
}
