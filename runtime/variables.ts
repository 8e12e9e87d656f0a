// The variables of an executor, by name: values that outlive runs. A variable that some plan updates has two banks. A run
// reads the current one and writes the other; `commit` makes the other current for all variables that the run updates.
//
//     tables    0 1 0 0 …   bank of each variable, twice over      selector  which table holds
//               1 0 0 1 …
//
// A commit writes the table that does not hold, then stores the selector: one atomic store, so whoever looks sees the
// state before the step or after it and nothing between.

import { runtimeError } from './errors.ts';
import { copyIn, copyOut } from './layout.ts';
import type { LinearMemory, Region } from './memory.ts';
import type { PlanTensor, PlanVariable } from './plan.ts';
import {
  elementBytes,
  elementCount,
  formatTensor,
  isRowMajor,
  makeData,
  type RunData,
  type RunTensor,
} from './tensor.ts';

interface Variable {
  readonly declared: PlanVariable;
  readonly banks: [Region, Region | null];
}

export class VariableStore {
  readonly #memory: LinearMemory;
  readonly #byName = new Map<string, number>();
  #variables: Variable[] = [];
  #tables: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  readonly #selector = new Int32Array(1);

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** Position of a variable, undefined when there is none of this name. */
  find(name: string): number | undefined {
    return this.#byName.get(name);
  }

  /** As it was declared first. */
  declared(index: number): PlanVariable {
    return this.#variables[index]!.declared;
  }

  /**
   * Declares the variables of a plan: gives a second bank to those it updates, and makes those that are not there yet,
   * with the given values or zeros. Returns their positions, and a function that takes everything back.
   * Throws HDL1006 when one is known with another type, HDL1007.
   */
  declare(
    variables: readonly PlanVariable[],
    values: (variable: PlanVariable) => RunData | undefined,
  ): { readonly indices: readonly number[]; readonly undo: () => void } {
    for (const variable of variables) this.#checkSame(variable);
    const before = this.#variables.length;
    const addedBanks: Variable[] = [];
    const undo = () => {
      for (const variable of addedBanks) {
        this.#memory.free(variable.banks[1]!);
        variable.banks[1] = null;
      }
      for (const { declared, banks } of this.#variables.splice(before)) {
        this.#byName.delete(declared.name);
        this.#memory.free(banks[0]);
      }
    };
    try {
      const indices = variables.map((variable) => {
        const index = this.#byName.get(variable.name) ?? this.#add(variable, values(variable));
        const known = this.#variables[index]!;
        if (variable.updated && known.banks[1] === null) {
          known.banks[1] = this.#allocate(variable);
          addedBanks.push(known);
        }
        return index;
      });
      return { indices, undo };
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Bank that holds the committed value. */
  bank(index: number): 0 | 1 {
    return this.#table()[index] === 1 ? 1 : 0;
  }

  /** Byte address of a bank. */
  address(index: number, bank: number): number {
    const region = this.#variables[index]?.banks[bank];
    if (!region) throw runtimeError('HDL1099', { what: `internal: variable ${index} has no bank ${bank}` });
    return region.address;
  }

  /** Makes the other bank current for all of these, at once. */
  commit(indices: readonly number[]): void {
    const held = Atomics.load(this.#selector, 0);
    const next = this.#tables[held ^ 1]!;
    next.set(this.#tables[held]!);
    for (const index of indices) next[index] = next[index]! ^ 1;
    Atomics.store(this.#selector, 0, held ^ 1);
  }

  /** A copy of the committed value; `swapped` when a commit of it is still to be told. */
  read(index: number, swapped = false): RunTensor {
    const bank = this.bank(index) ^ Number(swapped);
    return readTensor(this.#memory, this.declared(index), this.address(index, bank));
  }

  /** Overwrites the committed value. */
  write(index: number, data: RunData): void {
    writeTensor(this.#memory, this.declared(index), this.address(index, this.bank(index)), data);
  }

  #table(): Uint8Array {
    return this.#tables[Atomics.load(this.#selector, 0)]!;
  }

  #checkSame(variable: PlanVariable): void {
    const index = this.#byName.get(variable.name);
    if (index === undefined) return;
    const known = this.declared(index);
    const describe = (v: PlanVariable) => `${formatTensor(v)} in order [${v.order.join(', ')}]`;
    if (describe(known) === describe(variable)) return;
    throw runtimeError('HDL1006', {
      what: `plan cannot be loaded: variable '${variable.name}' is ${describe(variable)} there, but ${describe(known)} here`,
      rule: 'plans that share an executor agree on their variables',
      hint: 'load plans of one program only, or use another executor',
    });
  }

  #add(variable: PlanVariable, data: RunData | undefined): number {
    const region = this.#allocate(variable);
    if (data) writeTensor(this.#memory, variable, region.address, data);
    else this.#memory.bytes.fill(0, region.address, region.address + region.bytes);
    const index = this.#variables.push({ declared: variable, banks: [region, null] }) - 1;
    this.#byName.set(variable.name, index);
    this.#tables = [this.#extended(this.#tables[0], index), this.#extended(this.#tables[1], index)];
    return index;
  }

  #extended(table: Uint8Array, index: number): Uint8Array {
    const longer = new Uint8Array(index + 1);
    longer.set(table.subarray(0, index));
    return longer;
  }

  #allocate(variable: PlanVariable): Region {
    const bytes = elementCount(variable.shape) * elementBytes[variable.dtype];
    return this.#memory.allocate(bytes, `variable '${variable.name}' ${formatTensor(variable)}`);
  }
}

// What lies as in the data, is copied from one array of floats to another, bit for bit. A view of a small array as words would
// cost more than its copy: its elements, which V8 keeps in the object itself, get a buffer of their own for it.

/** Copies a tensor out of memory. */
export function readTensor(
  memory: LinearMemory,
  tensor: PlanTensor & { readonly order: readonly number[] },
  address: number,
): RunTensor {
  const { dtype, shape } = tensor;
  const data = makeData(dtype, elementCount(shape));
  readInto(memory, tensor, address, data);
  return { dtype, shape: [...shape], data };
}

/** Copies a tensor out of memory, to row-major data. */
export function readInto(
  memory: LinearMemory,
  tensor: Pick<PlanTensor, 'dtype' | 'shape'> & { readonly order: readonly number[] },
  address: number,
  data: RunData,
): void {
  const { dtype, shape, order } = tensor;
  if (data instanceof Float32Array && isRowMajor(tensor)) {
    data.set(memory.floats.subarray(address / 4, address / 4 + data.length));
  } else if (elementBytes[dtype] === 4) {
    copyOut(memory.words, address / 4, asWords(data), shape, order);
  } else {
    copyOut(memory.bytes, address, asBytes(data), shape, order);
  }
}

/** Copies row-major data, as many elements as the tensor has, into memory. */
export function writeTensor(
  memory: LinearMemory,
  tensor: PlanTensor & { readonly order: readonly number[] },
  address: number,
  data: RunData,
): void {
  const { dtype, shape, order } = tensor;
  if (data instanceof Float32Array && isRowMajor(tensor)) memory.floats.set(data, address / 4);
  else if (elementBytes[dtype] === 4) {
    copyIn(memory.words, address / 4, asWords(data), shape, order);
  } else {
    copyIn(memory.bytes, address, asBytes(data), shape, order);
  }
}

function asWords(data: RunData): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, data.length);
}

function asBytes(data: RunData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}
