// What a machine can do at best, as kernels of a few instructions: fused and unfused multiply-add in registers, copy and
// triad through memory. Written with the encoder that the wasm target uses, so that ceiling and kernels pass through
// the same engine. All are exported as `run`.

import { encodeModule, FunctionBuilder } from '../../compiler/target/wasm/encoder.ts';
import type { PlainOp } from '../../compiler/target/wasm/opcodes.ts';

/** Independent chains: enough to hide the latency of an addition, few enough for the registers of V8 in Node 20. */
const chains = { fused: 10, unfused: 13 };
const unrolled = 4;
const lanes = 4;

const bitsOf = (value: number): [number, number, number, number] => {
  const [bits] = new Int32Array(Float32Array.of(value).buffer);
  return [bits!, bits!, bits!, bits!];
};

export interface PeakKernel {
  readonly code: Uint8Array<ArrayBuffer>;
  /** Operations per round: a multiply-add counts two. */
  readonly flopsPerRound: number;
  /** Start values of the chains, for those who check the result. */
  readonly chains: number;
  readonly unrolled: number;
}

/** Factor and summand of all chains: v ← v · factor + summand. Values stay near 1. */
export const peakConstants = { factor: 0.999999, summand: 1e-6 } as const;

/** `run(rounds, address)`: chains of multiply-adds; their sum is stored at the address, so that none can be dropped. */
export function peakKernel(fused: boolean): PeakKernel {
  const f = new FunctionBuilder('run', [['rounds', 'i32'], ['address', 'i32']], false); // biome-ignore format: short
  const { body } = f;
  const count = fused ? chains.fused : chains.unfused;
  const factor = f.local('v128', 'factor');
  const summand = f.local('v128', 'summand');
  const values = Array.from({ length: count }, (_, i) => f.local('v128', `v${i}`));
  const constant = (value: number, local: number): void => {
    body.v128(bitsOf(value));
    body.set(local);
  };
  constant(peakConstants.factor, factor);
  constant(peakConstants.summand, summand);
  values.forEach((v, i) => {
    constant(i + 1, v);
  });
  body.loop();
  for (let u = 0; u < unrolled; u++) {
    for (const v of values) {
      body.get(v);
      body.get(factor);
      if (!fused) body.op('f32x4.mul');
      body.get(summand);
      body.op(fused ? 'f32x4.relaxed_madd' : 'f32x4.add');
      body.set(v);
    }
  }
  body.get(0);
  body.i32(1);
  body.op('i32.sub');
  body.tee(0);
  body.branchIf(0);
  body.end();
  body.get(1);
  values.forEach((v, i) => {
    body.get(v);
    if (i > 0) body.op('f32x4.add');
  });
  body.memory('v128.store', 0);
  const flopsPerRound = unrolled * count * lanes * 2;
  return { code: encodeModule([f], { shared: true }), flopsPerRound, chains: count, unrolled };
}

/** Bytes per element that a stream reads and writes, by name. */
export const streams = { copy: 8, triad: 12 } as const;
export type Stream = keyof typeof streams;

/**
 * `run(x, y, z, bytes)`: copy is y ← x, triad z ← x + 3 y, over arrays of so many bytes, a multiple of 64, at these
 * addresses.
 */
export function streamKernel(stream: Stream): Uint8Array<ArrayBuffer> {
  const params = ['x', 'y', 'z', 'bytes'].map((name) => [name, 'i32'] as const);
  const f = new FunctionBuilder('run', params, false);
  const { body } = f;
  const [x, y, z, bytes] = [0, 1, 2, 3];
  const three = f.local('v128', 'three');
  body.v128(bitsOf(3));
  body.set(three);
  const plus = (op: PlainOp, local: number, value: () => void): void => {
    body.get(local);
    value();
    body.op(op);
  };
  body.loop();
  for (let u = 0; u < unrolled; u++) {
    const offset = 16 * u;
    if (stream === 'copy') {
      body.get(y);
      body.get(x);
      body.memory('v128.load', offset);
    } else {
      body.get(z);
      body.get(x);
      body.memory('v128.load', offset);
      body.get(y);
      body.memory('v128.load', offset);
      body.get(three);
      body.op('f32x4.mul');
      body.op('f32x4.add');
    }
    body.memory('v128.store', offset);
  }
  for (const address of [x, y, z]) {
    plus('i32.add', address, () => body.i32(16 * unrolled));
    body.set(address);
  }
  plus('i32.sub', bytes, () => body.i32(16 * unrolled));
  body.tee(bytes);
  body.branchIf(0);
  body.end();
  return encodeModule([f], { shared: true });
}
