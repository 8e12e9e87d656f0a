// Reads .npy files: magic, version, a Python dict as text, little-endian elements in row-major order.

import { readFileSync } from 'node:fs';

export interface Npy {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array;
}

export function readNpy(path: string): Npy {
  const file = readFileSync(path);
  const headerBytes = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + headerBytes);
  const shape = [.../'shape': \(([^)]*)\)/.exec(header)![1]!.matchAll(/\d+/g)].map((m) => Number(m[0]));
  const bytes = file.subarray(10 + headerBytes);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  if (header.includes("'<f4'")) return { shape, data: new Float32Array(buffer) };
  if (header.includes("'<f8'")) return { shape, data: new Float64Array(buffer) };
  if (header.includes("'<i4'")) return { shape, data: new Int32Array(buffer) };
  throw new Error(`${path}: ${header}`);
}
