// Small kernels and programs, built by hand in Kernel IR, for tests of scheduling. Buffers are f32 and count elements.

import {
  addIndex,
  constIndex,
  type Index,
  type LoopVar,
  scaleIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import { binary, constant, type Expr, type Register } from '../../compiler/kernel/expr.ts';
import type { Kernel, KernelParam, Stmt, Target } from '../../compiler/kernel/ir.ts';
import type { Buffer, BufferId, Home, Lowered, LoweredStep } from '../../compiler/schedule/lowered.ts';

export const testTarget: Target = {
  name: 'test',
  lanes: 4,
  tiles: [{ rows: 4, vectors: 2, cycles: 4 }],
  unitWork: 4096,
  features: ['simd128'],
};

const unitElements = 64;

function loopVar(name: string, extent: number, id: number): LoopVar {
  return { kind: 'var', name, extent, id };
}

function params(reads: readonly number[], write: number): KernelParam[] {
  return [
    ...reads.map(
      (elements, i): KernelParam => ({ name: `in${i}`, storage: 'f32', access: 'read', elements }),
    ),
    { name: 'out', storage: 'f32', access: 'write', elements: write },
  ];
}

function load(param: number, index: Index, laneStride: number): Expr {
  return { kind: 'load', type: 'f32', param, index, laneStride };
}

function sum(values: readonly Expr[]): Expr {
  return values.reduce((a, b) => binary('add', a, b), constant('f32', 1));
}

export interface ElementwiseOptions {
  /** Operations per element, for the cost model. */
  readonly flops?: number;
  /** Input 0 is read this many elements further (out of bounds at the end when not 0). */
  readonly shift?: number;
  /** Each unit stores this many elements more than its own. */
  readonly overlap?: number;
}

/** out[i] = in0[i] + in1[i] + … + 1 over n elements, 64 per unit, in vectors of four and a scalar tail. */
export function elementwiseKernel(
  inputs: number,
  n: number,
  { flops = 1, shift = 0, overlap = 0 }: ElementwiseOptions = {},
): Kernel {
  const units = Math.max(1, Math.ceil(n / unitElements));
  const unit = loopVar('unit', units, 0);
  const out = inputs;
  const block = scaleIndex(varIndex(unit), unitElements);
  const reads = Array.from({ length: inputs }, (_, i) => i);
  const piece = (from: Index, count: number): Stmt[] => {
    const main = count - (count % 4);
    const statement = (at: Index, lanes: 1 | 4): Stmt => ({
      kind: 'store',
      param: out,
      index: at,
      value: sum(
        reads.map((p) => load(p, p === 0 ? addIndex(at, constIndex(shift)) : at, lanes === 4 ? 1 : 0)),
      ),
      lanes,
      laneStride: lanes === 4 ? 1 : 0,
    });
    const loop = (id: number, extent: number, step: number, start: number, lanes: 1 | 4): Stmt[] => {
      if (extent === 0) return [];
      const v = loopVar('i', extent, id);
      const at = addIndex(from, varIndex(v), constIndex(start));
      return [{ kind: 'for', v, step, limit: constIndex(extent), body: [statement(at, lanes)] }];
    };
    return [...loop(1, main, 4, 0, 4), ...loop(2, count - main, 1, main, 1)];
  };
  const last = n - (units - 1) * unitElements;
  const body: Stmt[] =
    last === unitElements
      ? piece(block, unitElements + overlap)
      : [
          {
            kind: 'if',
            conditions: [{ kind: 'inRange', index: varIndex(unit), lo: 0, hi: units - 1 }],
            body: piece(block, unitElements + overlap),
            otherwise: piece(constIndex((units - 1) * unitElements), last),
          },
        ];
  return {
    name: `add${inputs}_${n}${flops === 1 ? '' : `_${flops}`}${shift ? `_shift${shift}` : ''}${overlap ? `_overlap${overlap}` : ''}`,
    params: params(
      reads.map(() => n),
      n,
    ),
    flags: null,
    unit,
    body,
    schedule: `elementwise over ${n}`,
    cost: { flops: n * flops, bytes: 4 * n * (inputs + 1) },
  };
}

/** out[r] = Σ_c in[r, c]: one unit per row. */
export function rowSumKernel(rows: number, columns: number): Kernel {
  const unit = loopVar('unit', rows, 0);
  const c = loopVar('c', columns, 1);
  const acc: Register = { name: 'acc', type: 'f32', id: 2 };
  const read: Expr = { kind: 'reg', type: 'f32', reg: acc };
  const at = addIndex(scaleIndex(varIndex(unit), columns), varIndex(c));
  return {
    name: `rowsum_${rows}x${columns}`,
    params: params([rows * columns], rows),
    flags: null,
    unit,
    body: [
      { kind: 'let', reg: acc, value: constant('f32', 0), lanes: 1 },
      {
        kind: 'for',
        v: c,
        step: 1,
        limit: constIndex(columns),
        body: [{ kind: 'set', reg: acc, value: binary('add', read, load(0, at, 0)), lanes: 1 }],
      },
      { kind: 'store', param: 1, index: varIndex(unit), value: read, lanes: 1, laneStride: 0 },
    ],
    schedule: 'row sums',
    cost: { flops: rows * columns, bytes: 4 * (rows * columns + rows) },
  };
}

/** out[c, r] = in[r, c]: one unit per `rows / units` rows, so that units write interleaved addresses. */
export function transposeKernel(rows: number, columns: number, units: number = rows): Kernel {
  const unit = loopVar('unit', units, 0);
  const r = loopVar('r', rows / units, 1);
  const c = loopVar('c', columns, 2);
  const row = addIndex(scaleIndex(varIndex(unit), rows / units), varIndex(r));
  return {
    name: `transpose_${rows}x${columns}_${units}`,
    params: params([rows * columns], rows * columns),
    flags: null,
    unit,
    body: [
      {
        kind: 'for',
        v: c,
        step: 1,
        limit: constIndex(columns),
        body: [
          {
            kind: 'for',
            v: r,
            step: 1,
            limit: constIndex(rows / units),
            body: [
              {
                kind: 'store',
                param: 1,
                index: addIndex(scaleIndex(varIndex(c), rows), row),
                value: load(0, addIndex(scaleIndex(row, columns), varIndex(c)), 0),
                lanes: 1,
                laneStride: 0,
              },
            ],
          },
        ],
      },
    ],
    schedule: 'transpose',
    cost: { flops: rows * columns, bytes: 8 * rows * columns },
  };
}

/** Collects buffers and calls; ids count from 0 in order of making. */
export class ProgramBuilder {
  readonly #buffers: Buffer[] = [];
  readonly #steps: LoweredStep[] = [];
  readonly #inputs: { name: string; buffer: BufferId }[] = [];
  readonly #outputs: { name: string; buffer: BufferId }[] = [];
  readonly #variables: { name: string; elements: number; updated: boolean }[] = [];

  buffer(name: string, elements: number, home: Home): BufferId {
    const id = this.#buffers.length as BufferId;
    const type = { dtype: 'f32', shape: [elements] } as const;
    this.#buffers.push({ id, name, type, order: [0], bytes: 4 * elements, home, node: null });
    return id;
  }

  input(name: string, elements: number): BufferId {
    const buffer = this.buffer(name, elements, { kind: 'arena', role: 'input' });
    this.#inputs.push({ name, buffer });
    return buffer;
  }

  constant(name: string, values: readonly number[]): BufferId {
    const payload = { hash: `h${values.join()}`, values: Float32Array.from(values) };
    return this.buffer(name, values.length, { kind: 'constant', payload });
  }

  /** The current and next bank of a variable that is updated. */
  variable(name: string, elements: number): { current: BufferId; next: BufferId } {
    const variable = this.#variables.length;
    this.#variables.push({ name, elements, updated: true });
    return {
      current: this.buffer(name, elements, { kind: 'variable', variable, bank: 'current' }),
      next: this.buffer(`${name} (next)`, elements, { kind: 'variable', variable, bank: 'next' }),
    };
  }

  /** Calls a kernel with one output, which is a new temporary unless `out` names a buffer. */
  call(kernel: Kernel, reads: readonly BufferId[], out: string | BufferId): BufferId {
    const written =
      typeof out === 'string'
        ? this.buffer(out, kernel.params.at(-1)!.elements, { kind: 'arena', role: 'temporary' })
        : out;
    this.#steps.push({ label: `make ${this.#buffers[written]!.name}`, kernel, args: [...reads, written] });
    return written;
  }

  output(name: string, buffer: BufferId): void {
    const b = this.#buffers[buffer]!;
    if (b.home.kind === 'arena') this.#buffers[buffer] = { ...b, home: { kind: 'arena', role: 'output' } };
    this.#outputs.push({ name, buffer });
  }

  finish(): Lowered {
    return {
      entry: 'test',
      buffers: this.#buffers,
      steps: this.#steps,
      inputs: this.#inputs,
      outputs: this.#outputs,
      variables: this.#variables.map((v) => ({
        name: v.name,
        type: { dtype: 'f32', shape: [v.elements] },
        order: [0],
        trainable: true,
        updated: v.updated,
      })),
      sites: [],
    };
  }
}

/** Shares kernels between calls, as lowering does. */
export function kernelCache(): (inputs: number, n: number, options?: ElementwiseOptions) => Kernel {
  const known = new Map<string, Kernel>();
  return (inputs, n, options = {}) => {
    const key = JSON.stringify([inputs, n, options]);
    const kernel = known.get(key) ?? elementwiseKernel(inputs, n, options);
    known.set(key, kernel);
    return kernel;
  };
}
