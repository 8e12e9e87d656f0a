// Builds Kernel IR by hand and runs it on every executor: the interpreter, WebAssembly and JavaScript.

import {
  addIndex,
  constIndex,
  type Index,
  type LoopVar,
  scaleIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import type { Expr, Register, ScalarType, StorageType } from '../../compiler/kernel/expr.ts';
import { interpretKernel } from '../../compiler/kernel/interpret.ts';
import type { Kernel, KernelParam, Stmt } from '../../compiler/kernel/ir.ts';
import { emitJs } from '../../compiler/target/js/emit.ts';
import { emitWasm } from '../../compiler/target/wasm/emit.ts';

export type Data = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Numbers loop variables and registers of one kernel. */
export class Ids {
  #last = 0;
  loop(name: string, extent: number): LoopVar {
    return { kind: 'var', name, extent, id: this.#last++ };
  }
  register(name: string, type: ScalarType = 'f32'): Register {
    return { name, type, id: this.#last++ };
  }
}

/** Σ coefficient · variable + constant. */
export function affine(constant: number, ...terms: readonly (readonly [number, LoopVar])[]): Index {
  return addIndex(constIndex(constant), ...terms.map(([c, v]) => scaleIndex(varIndex(v), c)));
}

export const read = (reg: Register): Expr => ({ kind: 'reg', type: reg.type, reg });

export function load(type: ScalarType, param: number, index: Index, laneStride = 0): Expr {
  return { kind: 'load', type, param, index, laneStride };
}

export function store(param: number, index: Index, value: Expr, lanes: 1 | 4 = 1, laneStride = 1): Stmt {
  return { kind: 'store', param, index, value, lanes, laneStride };
}

export function loop(v: LoopVar, body: readonly Stmt[], step = 1, limit: Index = constIndex(v.extent)): Stmt {
  return { kind: 'for', v, step, limit, body };
}

export function param(
  name: string,
  storage: StorageType,
  elements: number,
  access: KernelParam['access'],
): KernelParam {
  return { name, storage, elements, access };
}

export function kernel(
  name: string,
  params: readonly KernelParam[],
  unit: LoopVar,
  body: readonly Stmt[],
  flags: number | null = null,
): Kernel {
  return { name, params, flags, unit, body, schedule: 'by hand', cost: { flops: 0, bytes: 0 } };
}

export type Executor = 'interpreter' | 'wasm' | 'js';

/** Runs all units, in two calls; returns what the buffers hold afterwards. The inputs are not changed. */
export function runKernel(k: Kernel, buffers: readonly Data[], executor: Executor): Data[] {
  if (executor === 'interpreter') {
    const copies = buffers.map((b) => b.slice());
    interpretKernel(k, copies, 0, k.unit.extent);
    return copies;
  }
  // Odd multiples of 4 as addresses: nothing may rely on vectors being aligned.
  const addresses: number[] = [];
  let at = 4096 + 4;
  for (const b of buffers) {
    addresses.push(at);
    at += Math.ceil(b.byteLength / 4) * 4 + 20;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil((at + 64) / 65536), maximum: 65536 });
  const bytes = new Uint8Array(memory.buffer).fill(0x7b);
  new Int32Array(memory.buffer).set(addresses, 16);
  buffers.forEach((b, i) => {
    bytes.set(new Uint8Array(b.buffer, b.byteOffset, b.byteLength), addresses[i]!);
  });
  const run = executor === 'wasm' ? wasmFunction(k, memory) : jsFunction(k, memory);
  const middle = Math.floor(k.unit.extent / 2);
  run(0, middle, 64);
  run(middle, k.unit.extent, 64);
  const results = buffers.map((b, i) => {
    const copy = b.slice();
    new Uint8Array(copy.buffer).set(bytes.subarray(addresses[i]!, addresses[i]! + b.byteLength));
    bytes.fill(0x7b, addresses[i]!, addresses[i]! + b.byteLength);
    return copy;
  });
  new Int32Array(memory.buffer).fill(0x7b7b7b7b, 16, 16 + addresses.length);
  const stray = bytes.findIndex((x) => x !== 0x7b);
  if (stray >= 0)
    throw new Error(`${executor} code of '${k.name}' wrote outside of its buffers, at byte ${stray}`);
  return results;
}

type Run = (begin: number, end: number, args: number) => void;

function wasmFunction(k: Kernel, memory: WebAssembly.Memory): Run {
  const code = emitWasm([k], { shared: false, relaxed: false });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return instance.exports[k.name] as Run;
}

function jsFunction(k: Kernel, memory: WebAssembly.Memory): Run {
  return (new Function('memory', emitJs([k]))(memory) as Record<string, Run>)[k.name]!;
}
