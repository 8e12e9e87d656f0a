// A plan in an executor: where its parts lie in memory, the argument tables of its steps, and what happens around a
// run: inputs in, flags checked, outputs out.
//
//     region   constants | flags | argument table 0 | argument table 1
//
// Addresses of variables alternate from run to run, as each commit swaps their banks. So there are two argument tables,
// for both states of the variables that the plan updates; a table is only written again when the arena has
// moved or another plan has swapped some of the banks.

import type { Arena } from './arena.ts';
import { type ErrorLocation, runtimeError } from './errors.ts';
import type { KernelCode } from './kernels.ts';
import type { LinearMemory, Region } from './memory.ts';
import type { Location, Plan, PlanManifest } from './plan.ts';
import { formatTensor, type RunData, type RunInput, type RunTensor, toData } from './tensor.ts';
import { readTensor, type VariableStore, writeTensor } from './variables.ts';
import { argsTable, makeWalk, type Walk } from './walk.ts';

/** What a program lives in. */
export interface Surroundings {
  readonly memory: LinearMemory;
  readonly arena: Arena;
  readonly variables: VariableStore;
}

const alignTo16 = (bytes: number) => Math.ceil(bytes / 16) * 16;

export class Program {
  readonly manifest: PlanManifest;
  /** Unique in the executor. */
  readonly id: number;
  readonly code: KernelCode;
  readonly walk: Walk;

  readonly #in: Surroundings;
  /** Of each variable of the plan, its position in the store. */
  readonly #variables: readonly number[];
  /** Positions in the store of those that the plan updates. */
  readonly #updated: readonly number[];
  readonly #region: Region;
  readonly #flags: number;
  readonly #args: number;
  readonly #argsBytes: number;
  readonly #argsOffsets: readonly number[];
  /** Banks that table 0 was written for; −1 before the first time. */
  readonly #banks: Int8Array;
  #arenaVersion = -1;

  /** Allocates and fills the constants; `variables` are the positions that the store gave. Throws HDL1007. */
  constructor(
    plan: Plan,
    id: number,
    code: KernelCode,
    threads: number,
    surroundings: Surroundings,
    variables: readonly number[],
  ) {
    const { manifest } = plan;
    const { memory } = surroundings;
    const table = argsTable(manifest);
    this.manifest = manifest;
    this.id = id;
    this.code = code;
    this.walk = makeWalk(manifest, threads);
    this.#in = surroundings;
    this.#variables = variables;
    this.#updated = variables.filter((_, v) => manifest.variables[v]!.updated);
    this.#banks = new Int8Array(variables.length).fill(-1);
    this.#argsOffsets = table.offsets;
    this.#argsBytes = alignTo16(table.bytes);

    const constantBytes = alignTo16(manifest.constantBytes);
    const flagBytes = alignTo16(this.#flagWords * 4);
    const bytes = constantBytes + flagBytes + 2 * this.#argsBytes;
    this.#region = memory.allocate(bytes, `constants and tables of '${manifest.entry}'`);
    this.#flags = this.#region.address + constantBytes;
    this.#args = this.#flags + flagBytes;
    memory.bytes.set(plan.constants, this.#region.address);
  }

  /** Gives its memory back. */
  free(): void {
    this.#in.memory.free(this.#region);
  }

  /**
   * Checks inputs: one for each that the plan has and no others. Returns data in the plan's order; what fits as it is
   * is not copied. Throws HDL1001.
   */
  bindInputs(inputs: Readonly<Record<string, RunInput>>): RunData[] {
    const { entry } = this.manifest;
    for (const name of Object.keys(inputs)) {
      if (this.manifest.inputs.some((input) => input.name === name)) continue;
      throw runtimeError('HDL1001', {
        what: `'${entry}' has no input '${name}'`,
        rule: 'a run gets exactly the inputs that its entry point declares',
        hint: `its inputs are ${this.#describeInputs()}`,
      });
    }
    return this.manifest.inputs.map((input) => {
      if (!Object.hasOwn(inputs, input.name)) {
        throw runtimeError('HDL1001', {
          what: `input '${input.name}' of '${entry}' is missing, expected ${formatTensor(input)}`,
          rule: 'a run gets exactly the inputs that its entry point declares',
          hint: `its inputs are ${this.#describeInputs()}`,
        });
      }
      return toData(`input '${input.name}' of '${entry}'`, input, inputs[input.name]);
    });
  }

  /** Writes what a run reads: inputs, zeroed flags, addresses. Returns the address of the argument table to use. */
  prepare(inputs: readonly RunData[]): number {
    const { memory, arena } = this.#in;
    this.manifest.inputs.forEach((input, i) => {
      writeTensor(memory, input, this.#addressOf(input.location, 0), inputs[i]!);
    });
    memory.words.fill(0, this.#flags / 4, this.#flags / 4 + this.#flagWords);
    let table = this.#arenaVersion === arena.version ? this.#matchingTable() : -1;
    if (table < 0) {
      this.#writeTables();
      table = 0;
    }
    return this.#args + table * this.#argsBytes;
  }

  /** Throws HDL1004 or HDL1005 when the run has set a flag. */
  checkFlags(): void {
    const words = this.#in.memory.words;
    const first = this.#flags / 4;
    if (words[first] === 0) return;
    const { sites, entry } = this.manifest;
    const set = sites.map((_, i) => i).filter((i) => words[first + 1 + i] !== 0);
    // A value that is not finite may well come from an index out of range, and not the other way round.
    const worst = set.find((i) => sites[i]!.kind === 'index') ?? set[0];
    if (worst === undefined) {
      throw runtimeError('HDL1099', { what: `internal: a check of '${entry}' failed without saying which` });
    }
    const site = sites[worst]!;
    const others = set.length > 1 ? ` (and ${set.length - 1} more checks failed)` : '';
    const loc = parseLocation(site.loc);
    if (site.kind === 'index') {
      const index = words[first + 1 + worst]!;
      throw runtimeError('HDL1004', {
        what: `index ${index} is out of range in ${site.label} of '${entry}'${others}`,
        rule: `indices are in [0, ${site.size})`,
        loc,
        hint: 'check the labels or indices of this batch; variables are as they were before the run',
      });
    }
    throw runtimeError('HDL1005', {
      what: `a value of ${site.label} in '${entry}' is not finite${others}`,
      rule: 'values that are watched are neither NaN nor infinite',
      loc,
      hint: 'lower the learning rate, or look for a log or a division of 0; variables are as they were before the run',
    });
  }

  /** Copies the outputs out, as the run that has just ended left them; to be called before its commit. */
  readOutputs(): Record<string, RunTensor> {
    const { memory } = this.#in;
    return Object.fromEntries(
      this.manifest.outputs.map((output) => [
        output.name,
        readTensor(memory, output, this.#addressOf(output.location, 0)),
      ]),
    );
  }

  /** Makes the values that the run has written current. */
  commit(): void {
    if (this.#updated.length > 0) this.#in.variables.commit(this.#updated);
  }

  get #flagWords(): number {
    return this.manifest.sites.length + 1;
  }

  /** Address now (`swap` 0), or once the variables that the plan updates have been swapped (`swap` 1). */
  #addressOf(location: Location, swap: 0 | 1): number {
    switch (location.space) {
      case 'arena':
        return this.#in.arena.address + location.offset;
      case 'constant':
        return this.#region.address + location.offset;
      case 'flags':
        return this.#flags;
      case 'variable': {
        const { variables } = this.#in;
        const index = this.#variables[location.variable]!;
        const isUpdated = this.manifest.variables[location.variable]!.updated;
        const current = variables.bank(index) ^ (isUpdated ? swap : 0);
        return variables.address(index, location.bank === 'current' ? current : current ^ 1);
      }
      default:
        throw runtimeError('HDL1099', { what: `internal: location ${String(location satisfies never)}` });
    }
  }

  /** The table that was written for the banks as they are; −1 when there is none. */
  #matchingTable(): 0 | 1 | -1 {
    let isStraight = true;
    let isSwapped = true;
    for (let v = 0; v < this.#variables.length; v++) {
      const bank = this.#in.variables.bank(this.#variables[v]!);
      const written = this.#banks[v]!;
      if (bank !== written) isStraight = false;
      if (bank !== (this.manifest.variables[v]!.updated ? written ^ 1 : written)) isSwapped = false;
    }
    if (isStraight) return 0;
    return isSwapped ? 1 : -1;
  }

  #writeTables(): void {
    const { memory, arena, variables } = this.#in;
    const words = memory.words;
    for (const swap of [0, 1] as const) {
      this.manifest.steps.forEach((step, s) => {
        const first = (this.#args + swap * this.#argsBytes + this.#argsOffsets[s]!) / 4;
        step.args.forEach((location, a) => {
          words[first + a] = this.#addressOf(location, swap);
        });
      });
    }
    this.#variables.forEach((index, v) => {
      this.#banks[v] = variables.bank(index);
    });
    this.#arenaVersion = arena.version;
  }

  #describeInputs(): string {
    return this.manifest.inputs.map((input) => `'${input.name}' ${formatTensor(input)}`).join(', ') || 'none';
  }
}

/** `file:line:column` in parts. */
function parseLocation(text: string | null): ErrorLocation | null {
  const match = text === null ? null : /^(.*):(\d+):(\d+)$/.exec(text);
  return match ? { file: match[1]!, line: Number(match[2]), column: Number(match[3]) } : null;
}
