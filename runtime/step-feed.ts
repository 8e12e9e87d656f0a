// Where the inputs of many steps come from, and how they get into memory: a stager puts what some steps need into a piece of
// staging memory, from where the workers take it, round by round. There are two such pieces, so that one is filled while
// the workers read the other.
//
//     constant   the same inputs at each step, written once where kernels read them
//     rows       rows of resident tensors, which lie in memory for good; staged are only their indices
//     gather     rows of arrays on the host; staged are the rows themselves
//     stream     batches as they come from an iterator, for as long as it gives any
//
// Values for variables that change with the step (a schedule of the learning rate) are staged beside the inputs.

import { runtimeError } from './errors.ts';
import type { LinearMemory, Region } from './memory.ts';
import type { PlanPlacement } from './plan.ts';
import type { Program } from './program.ts';
import type { InputCopy } from './rounds.ts';
import {
  elementCount,
  formatTensor,
  isRowMajor,
  type RunData,
  type RunInput,
  slotsOf,
  tensorBytes,
} from './tensor.ts';
import { writeTensor } from './variables.ts';

type Inputs = Readonly<Record<string, RunInput>>;

/** Row-major rows: `data` holds as many as its length says, each of the shape that an input has without its first dimension. */
export type HostRows = Readonly<Record<string, RunData>>;

/** Tensors that lie in an executor's memory: rows for inputs of these names. Made by `Executor.keep`. */
export interface ResidentRows {
  readonly tensors: ReadonlyMap<string, ResidentTensor>;
}

export interface ResidentTensor {
  readonly dtype: PlanPlacement['dtype'];
  /** Shape of one row. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly region: Region;
}

export type StepFeed =
  | { readonly kind: 'constant'; readonly inputs: Inputs }
  | { readonly kind: 'rows'; readonly rows: ResidentRows; readonly indices: Int32Array }
  | { readonly kind: 'gather'; readonly rows: HostRows; readonly indices: Int32Array }
  | { readonly kind: 'stream'; readonly batches: Iterator<Inputs> | AsyncIterator<Inputs> };

/** Bytes of a step in a piece, with what puts them there and takes them out. */
export interface Stager {
  readonly stepBytes: number;
  /** Before the first step. Throws HDL1007. */
  begin(): void;
  /**
   * Stages steps [first, first + count) at an address; says how many, fewer when there are no more, or when none is ready
   * by the time that the workers are idle, which `idle` tells.
   */
  fill(at: number, first: number, count: number, idle: Promise<null>): number | Promise<number>;
  /** What the workers copy, when the first of their rounds is step `skip` of the piece at `at`. */
  copies(at: number, skip: number): InputCopy[];
  /** The list of rows for `copies`; 0 when there is none. */
  indices(at: number, skip: number): number;
  end(): void;
}

/** The stager of a feed. Throws HDL1001 when it does not fit the plan or the number of steps. */
export function makeStager(program: Program, memory: LinearMemory, feed: StepFeed, steps: number): Stager {
  switch (feed.kind) {
    case 'constant':
      return constantStager(
        program,
        memory,
        // Memory may grow before they are staged, and views of it be lost.
        program
          .bindInputs(feed.inputs)
          .map((data) => (data.buffer === memory.memory.buffer ? data.slice() : data)),
      );
    case 'rows':
      return rowsStager(program, memory, feed.rows, feed.indices, steps);
    case 'gather':
      return gatherStager(program, memory, feed.rows, feed.indices, steps);
    case 'stream':
      return streamStager(program, memory, feed.batches);
    default:
      throw runtimeError('HDL1099', { what: `internal: feed ${String(feed satisfies never)}` });
  }
}

/** Whole inputs, from slots at `at` and every `stride` bytes after it. */
function slotCopies(program: Program, at: number, stride: number): InputCopy[] {
  const { inputs } = program.manifest;
  const { offsets } = slotsOf(inputs);
  return inputs.map((input, i) => ({
    to: program.inputAddress(i),
    from: at + offsets[i]!,
    rowBytes: tensorBytes(input),
    rows: 0,
    stride,
  }));
}

/** Inputs lie where kernels read them, outside of the arena, and no round copies any. */
function constantStager(program: Program, memory: LinearMemory, bound: readonly RunData[]): Stager {
  let isOurs = false;
  return {
    stepBytes: 0,
    begin: () => {
      isOurs = program.ownInputs();
      program.manifest.inputs.forEach((input, i) => {
        writeTensor(memory, input, program.inputAddress(i), bound[i]!);
      });
    },
    fill: (_at, _first, count) => count,
    copies: () => [],
    indices: () => 0,
    end: () => {
      if (isOurs) program.disownInputs();
    },
  };
}

function rowsStager(
  program: Program,
  memory: LinearMemory,
  rows: ResidentRows,
  indices: Int32Array,
  steps: number,
): Stager {
  const { inputs, entry } = program.manifest;
  const batch = batchOf(program, indices, steps);
  const tensors = inputs.map((input) => {
    const tensor = rows.tensors.get(input.name);
    const fits =
      tensor !== undefined &&
      tensor.dtype === input.dtype &&
      tensor.shape.join() === input.shape.slice(1).join() &&
      isRowMajor(input);
    if (fits) return tensor;
    const has = tensor === undefined ? 'nothing' : `rows of ${formatTensor(tensor)}`;
    throw runtimeError('HDL1001', {
      what: `the resident data has ${has} for input '${input.name}' of '${entry}', expected rows of ${formatTensor({ dtype: input.dtype, shape: input.shape.slice(1) })}`,
      rule: 'resident data has rows for each input',
      hint: 'keep the data under the names of the inputs, with the shape of one row of each',
    });
  });
  checkIndices(program, indices, Math.min(...tensors.map((tensor) => tensor.rows)));
  return {
    stepBytes: batch * 4,
    begin: () => {},
    fill: (at, first, count) => {
      memory.words.set(indices.subarray(first * batch, (first + count) * batch), at / 4);
      return count;
    },
    copies: () =>
      inputs.map((input, i) => ({
        to: program.inputAddress(i),
        from: tensors[i]!.region.address,
        rowBytes: tensorBytes(input) / batch,
        rows: batch,
        stride: 0,
      })),
    indices: (at, skip) => at + skip * batch * 4,
    end: () => {},
  };
}

function gatherStager(
  program: Program,
  memory: LinearMemory,
  rows: HostRows,
  indices: Int32Array,
  steps: number,
): Stager {
  const { inputs, entry } = program.manifest;
  const batch = batchOf(program, indices, steps);
  const { offsets, bytes } = slotsOf(inputs);
  const sources = inputs.map((input) => {
    const data = rows[input.name];
    const rowSize = elementCount(input.shape) / batch;
    if (data !== undefined && data.length % rowSize === 0) return { data, rowSize };
    throw runtimeError('HDL1001', {
      what: `input '${input.name}' of '${entry}' has ${data?.length ?? 'no'} elements in the data, expected rows of ${rowSize}`,
      rule: 'the data has rows for each input',
      hint: 'check the shape of one row',
    });
  });
  checkIndices(program, indices, Math.min(...sources.map(({ data, rowSize }) => data.length / rowSize)));
  const scratch = inputs.map((input, i) =>
    isRowMajor(input) ? null : sources[i]!.data.slice(0, batch * sources[i]!.rowSize),
  );
  return {
    stepBytes: bytes,
    begin: () => {},
    fill: (at, first, count) => {
      for (let s = 0; s < count; s++) {
        const list = indices.subarray((first + s) * batch, (first + s + 1) * batch);
        inputs.forEach((input, i) => {
          const { data, rowSize } = sources[i]!;
          const address = at + s * bytes + offsets[i]!;
          const to = scratch[i];
          if (to === null || to === undefined) {
            const view = viewLike(data, memory, address, batch * rowSize);
            gather(data, rowSize, list, view);
          } else {
            gather(data, rowSize, list, to);
            writeTensor(memory, input, address, to);
          }
        });
      }
      return count;
    },
    copies: (at, skip) => slotCopies(program, at + skip * bytes, bytes),
    indices: () => 0,
    end: () => {},
  };
}

function streamStager(
  program: Program,
  memory: LinearMemory,
  batches: Iterator<Inputs> | AsyncIterator<Inputs>,
): Stager {
  const { inputs } = program.manifest;
  const { offsets, bytes } = slotsOf(inputs);
  let isOver = false;
  /** The batch that was asked for and is not staged yet; `over` after the last. */
  let pending: Promise<readonly RunData[] | 'over'> | undefined;
  const take = async (): Promise<readonly RunData[] | 'over'> => {
    const next = await batches.next();
    return next.done ? 'over' : program.bindInputs(next.value);
  };
  return {
    stepBytes: bytes,
    begin: () => {},
    fill: async (at, _first, count, idle) => {
      let filled = 0;
      try {
        while (filled < count && !isOver) {
          pending ??= take();
          const next = filled === 0 ? await pending : await Promise.race([pending, idle]);
          if (next === null) break;
          pending = undefined;
          if (next === 'over') {
            isOver = true;
            break;
          }
          inputs.forEach((input, i) => {
            writeTensor(memory, input, at + filled * bytes + offsets[i]!, next[i]!);
          });
          filled++;
        }
      } catch (error) {
        // What was there before runs first; the next fill waits for the same batch, and fails.
        if (filled === 0) throw error;
      }
      return filled;
    },
    copies: (at, skip) => slotCopies(program, at + skip * bytes, bytes),
    indices: () => 0,
    end: () => {
      // A loader may be waiting for data that never comes: nobody waits for it.
      if (!isOver) void Promise.resolve(batches.return?.()).catch(() => {});
    },
  };
}

/** Examples in a batch, by the number of indices. */
function batchOf(program: Program, indices: Int32Array, steps: number): number {
  const { inputs, entry } = program.manifest;
  const batch = indices.length / steps;
  const wrong = inputs.find((input) => input.shape[0] !== batch);
  if (wrong === undefined && inputs.length > 0) return batch;
  throw runtimeError('HDL1001', {
    what: `${steps} steps of '${entry}' were given ${indices.length} indices, input '${wrong?.name}' is ${wrong ? formatTensor(wrong) : 'missing'}`,
    rule: 'there is one index for each row of each step: steps × batch',
    hint: 'pass as many indices as steps times the first dimension of the inputs',
  });
}

function checkIndices(program: Program, indices: Int32Array, rows: number): void {
  for (let i = 0; i < indices.length; i++) {
    if (indices[i]! >= 0 && indices[i]! < rows) continue;
    throw runtimeError('HDL1001', {
      what: `index ${indices[i]} at position ${i} is not a row of the data that '${program.manifest.entry}' is fed`,
      rule: `it has ${rows} rows: indices are in [0, ${rows})`,
      hint: 'check how the order of the examples was made',
    });
  }
}

function viewLike(data: RunData, memory: LinearMemory, address: number, length: number): RunData {
  const make = data.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => RunData;
  return new make(memory.memory.buffer, address, length);
}

/** Copies rows in the order of a list. */
function gather(data: RunData, rowSize: number, list: Int32Array, to: RunData): void {
  if (rowSize <= 16) {
    for (let i = 0, at = 0; i < list.length; i++) {
      const from = list[i]! * rowSize;
      for (let k = 0; k < rowSize; k++) to[at++] = data[from + k]!;
    }
    return;
  }
  for (let i = 0; i < list.length; i++) {
    const from = list[i]! * rowSize;
    to.set(data.subarray(from, from + rowSize), i * rowSize);
  }
}
