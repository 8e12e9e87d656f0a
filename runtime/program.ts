// A plan in an executor: where its parts lie in memory, the argument tables of its steps, and what happens around a
// run: inputs in, flags checked, outputs out.
//
//     region   constants | flags | argument table 0 | argument table 1
//
// Addresses of variables alternate from round to round, as each commit swaps their banks. So there are two argument tables,
// for both states of the variables that the plan updates; a table is only written again when the arena has
// moved or another plan has swapped some of the banks.

import type { Arena } from './arena.ts';
import { Word } from './control.ts';
import { type ErrorLocation, type HeddleError, runtimeError } from './errors.ts';
import type { KernelCode } from './kernels.ts';
import { movedBy, timesOfSteps } from './loops.ts';
import type { LinearMemory, Region } from './memory.ts';
import { findInputUses, type InputUse } from './own-inputs.ts';
import type { Location, Plan, PlanManifest, PlanPlacement } from './plan.ts';
import { controlWords, describeRun, Rounds, type RunDescription } from './rounds.ts';
import {
  elementCount,
  formatTensor,
  isRowMajor,
  makeData,
  type RunData,
  type RunInput,
  type RunTensor,
  slotsOf,
  toData,
} from './tensor.ts';
import { readTensor, type VariableStore, writeTensor } from './variables.ts';
import { argsTable, makeWalk, type Walk } from './walk.ts';

/** A step of a run of many, from 0. */
export interface StepPlace {
  readonly step: number;
  /** Of how many, if that is known. */
  readonly steps: number | undefined;
}

/** Cause of the errors of checks: positions in the manifest's `sites` of all that failed in the round, and the step, of many. */
export class FailedChecks {
  readonly sites: readonly number[];
  readonly at: StepPlace | null;

  constructor(sites: readonly number[], at: StepPlace | null) {
    this.sites = sites;
    this.at = at;
  }
}

/** A run of one round, whose inputs and outputs the caller copies. */
export const oneRound: RunDescription = {
  rounds: 1,
  watched: null,
  indices: 0,
  inputs: [],
  outputs: [],
};

/** What a program lives in. */
export interface Surroundings {
  readonly memory: LinearMemory;
  readonly arena: Arena;
  readonly variables: VariableStore;
}

const alignTo16 = (bytes: number) => Math.ceil(bytes / 16) * 16;

export class Program {
  readonly manifest: PlanManifest;
  readonly code: KernelCode;
  readonly walk: Walk;
  /** Words that describe a run, and that its threads share: see control.ts and rounds.ts. */
  readonly control: Int32Array;
  readonly rounds: Rounds;

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
  /** How often each step runs. */
  readonly #times: readonly number[];
  /** Banks that table 0 was written for; −1 before the first time. */
  readonly #banks: Int8Array;
  #arenaVersion = -1;
  /** The place of inputs that the caller writes itself, and what reads them there. */
  #own: {
    readonly region: Region;
    readonly offsets: readonly number[];
    readonly uses: readonly InputUse[];
  } | null = null;

  /** Allocates and fills the constants; `variables` are the positions that the store gave. Throws HDL1007. */
  constructor(
    plan: Plan,
    code: KernelCode,
    threads: number,
    surroundings: Surroundings,
    variables: readonly number[],
  ) {
    const { manifest } = plan;
    const { memory } = surroundings;
    const table = argsTable(manifest);
    this.manifest = manifest;
    this.code = code;
    this.walk = makeWalk(manifest, threads);
    this.#in = surroundings;
    this.#variables = variables;
    this.#updated = variables.filter((_, v) => manifest.variables[v]!.updated);
    this.#banks = new Int8Array(variables.length).fill(-1);
    this.#argsOffsets = table.offsets;
    this.#times = timesOfSteps(manifest);
    this.#argsBytes = alignTo16(table.bytes);

    const constantBytes = alignTo16(manifest.constantBytes);
    const flagBytes = alignTo16(this.#flagWords * 4);
    const bytes = constantBytes + flagBytes + 2 * this.#argsBytes;
    this.#region = memory.allocate(bytes, `constants and tables of '${manifest.entry}'`);
    this.#flags = this.#region.address + constantBytes;
    this.#args = this.#flags + flagBytes;
    memory.bytes.set(plan.constants, this.#region.address);

    const { participants } = this.walk;
    // A run of many steps may also write variables before each step, as if they were inputs.
    const copies = manifest.inputs.length + manifest.variables.length;
    const words = controlWords(participants, copies, manifest.outputs.length);
    this.control = new Int32Array(
      memory.shared ? new SharedArrayBuffer(words * 4) : new ArrayBuffer(words * 4),
    );
    this.rounds = new Rounds(this.control, participants, memory.memory);
  }

  /** Gives its memory back. */
  free(): void {
    this.#in.memory.free(this.#region);
    if (this.#own !== null) this.#in.memory.free(this.#own.region);
  }

  /** Byte address of an input. */
  inputAddress(index: number): number {
    if (this.#own !== null) return this.#own.region.address + this.#own.offsets[index]!;
    return this.addressOf(this.manifest.inputs[index]!.location);
  }

  /**
   * Gives inputs a place outside of the arena, of zeros, where they stay from one round to the next; false when they have
   * one. Throws HDL1007.
   */
  ownInputs(): boolean {
    if (this.#own !== null) return false;
    const { memory } = this.#in;
    const { inputs, entry } = this.manifest;
    const { offsets, bytes } = slotsOf(inputs);
    const region = memory.allocate(bytes, `inputs of '${entry}'`);
    memory.bytes.fill(0, region.address, region.address + region.bytes);
    this.#own = { region, offsets, uses: findInputUses(this.manifest) };
    this.#arenaVersion = -1;
    return true;
  }

  /** Puts inputs into the arena again. No run may be in flight. */
  disownInputs(): void {
    if (this.#own === null) return;
    this.#in.memory.free(this.#own.region);
    this.#own = null;
    this.#arenaVersion = -1;
  }

  /**
   * Views of the inputs, to be written in place: what is in them when a run begins is what it reads, and they are still
   * there after it. They hold until memory grows. Throws HDL1001 (an input is not row-major in memory), HDL1007.
   */
  inputViews(): Record<string, RunData> {
    const { memory } = this.#in;
    const { inputs, entry } = this.manifest;
    const other = inputs.find((input) => !isRowMajor(input));
    if (other !== undefined) {
      throw runtimeError('HDL1001', {
        what: `input '${other.name}' of '${entry}' cannot be written in place`,
        rule: 'in memory its dimensions lie in another order',
        hint: 'feed it to each run',
      });
    }
    this.ownInputs();
    return Object.fromEntries(
      inputs.map((input, i) => {
        const make = makeData(input.dtype, 0).constructor as new (
          buffer: ArrayBufferLike,
          address: number,
          length: number,
        ) => RunData;
        return [input.name, new make(memory.memory.buffer, this.inputAddress(i), elementCount(input.shape))];
      }),
    );
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

  /** Writes the inputs of a single round. */
  writeInputs(inputs: readonly RunData[]): void {
    const { memory } = this.#in;
    this.manifest.inputs.forEach((input, i) => {
      const data = inputs[i]!;
      const address = this.inputAddress(i);
      // Written in place.
      if (data.buffer === memory.memory.buffer && data.byteOffset === address) return;
      writeTensor(memory, input, address, data);
    });
  }

  /** Prepares a run of some rounds: zeroes the flags, sees to the argument tables, describes the rest in control words. */
  prepare(run: RunDescription): void {
    const { memory, arena } = this.#in;
    memory.words.fill(0, this.#flags / 4, this.#flags / 4 + this.#flagWords);
    let table = this.#arenaVersion === arena.version ? this.#matchingTable() : -1;
    if (table < 0) {
      this.#writeTables();
      table = 0;
    }
    describeRun(this.control, this.walk.participants, run, {
      evenArgs: this.#args + table * this.#argsBytes,
      oddArgs: this.#args + (table ^ 1) * this.#argsBytes,
      flags: this.#flags,
      memoryBytes: memory.sizeBytes,
    });
    this.rounds.begin();
    if (run.inputs.length > 0) this.rounds.fetchFirst();
  }

  /** HDL1004 or HDL1005 for the flags that the round has set; `at` names a step of many. */
  flagsError(at: StepPlace | null): HeddleError {
    const words = this.#in.memory.words;
    const first = this.#flags / 4;
    const { sites, entry } = this.manifest;
    const set = sites.map((_, i) => i).filter((i) => words[first + 1 + i] !== 0);
    // A value that is not finite may well come from an index out of range, and not the other way round.
    const worst = set.find((i) => sites[i]!.kind === 'index') ?? set[0];
    if (worst === undefined) {
      return runtimeError('HDL1099', { what: `internal: a check of '${entry}' failed without saying which` });
    }
    const site = sites[worst]!;
    const cause = new FailedChecks(set, at);
    const others = set.length > 1 ? ` (and ${set.length - 1} more checks failed)` : '';
    const loc = parseLocation(site.loc);
    const place = at === null ? '' : ` at ${formatPlace(at)}`;
    const state =
      at === null
        ? 'variables are as they were before the run'
        : 'variables are as they were before that step; the steps before it are committed';
    if (site.kind === 'index') {
      const index = words[first + 1 + worst]!;
      const parts = {
        what: `index ${index} is out of range in ${site.label} of '${entry}'${others}${place}`,
        rule: `indices are in [0, ${site.size})`,
        loc,
        hint: `check the labels or indices of this batch; ${state}`,
      };
      return runtimeError('HDL1004', parts, { cause });
    }
    const parts = {
      what: `a value of ${site.label} in '${entry}' is not finite${others}${place}`,
      rule: 'values that are watched are neither NaN nor infinite',
      loc,
      hint: `lower the learning rate, or look for a log or a division of 0; ${state}`,
    };
    return runtimeError('HDL1005', parts, { cause });
  }

  /** A copy of an output, as the last round of a run left it; to be called after its `commit`. */
  readOutput(output: PlanPlacement): RunTensor {
    return readTensor(this.#in.memory, output, this.outputAddress(output, 1));
  }

  /** Where an output lies: see `addressOf`. */
  outputAddress(output: PlanPlacement, swap: 0 | 1): number {
    if (this.#own !== null) {
      const index = this.manifest.outputs.indexOf(output);
      const use = this.#own.uses.find((u) => u.step === -1 && u.index === index);
      if (use !== undefined) return this.inputAddress(use.input) + use.offset;
    }
    return this.addressOf(output.location, swap);
  }

  /** Rounds of the run in flight that are complete; 0 when none is in flight. Their number changes under the reader. */
  get committed(): number {
    return Atomics.load(this.control, Word.committed);
  }

  /** Whether no round was completed since so many were; what was read before is not reordered behind it. */
  isStillAt(committed: number): boolean {
    return Atomics.add(this.control, Word.committed, 0) === committed;
  }

  /** Whether this plan writes the variable at that position of the store. */
  updates(index: number): boolean {
    return this.#updated.includes(index);
  }

  /** Makes what the first rounds of a run have written current, and ends the run. */
  commit(rounds: number): void {
    if (rounds % 2 === 1) this.#in.variables.commit(this.#updated);
    Atomics.store(this.control, Word.committed, 0);
  }

  get #flagWords(): number {
    return this.manifest.sites.length + 1;
  }

  /** Address now (`swap` 0), or once the variables that the plan updates have been swapped (`swap` 1). */
  addressOf(location: Location, swap: 0 | 1 = 0): number {
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
      /** Words of one argument in all iterations: those of each iteration lie side by side. */
      const write = (s: number, a: number, address: number): void => {
        const { args, moves } = this.manifest.steps[s]!;
        const first = (this.#args + swap * this.#argsBytes + this.#argsOffsets[s]!) / 4 + a;
        for (let t = 0; t < this.#times[s]!; t++)
          words[first + t * args.length] = address + movedBy(moves?.[a], t);
      };
      this.manifest.steps.forEach(({ args }, s) => {
        args.forEach((location, a) => {
          write(s, a, this.addressOf(location, swap));
        });
      });
      for (const { input, step, index, offset } of this.#own?.uses ?? []) {
        if (step >= 0) write(step, index, this.inputAddress(input) + offset);
      }
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

/** `step 3 of 100`, counted from 0 as the arrays of results are. */
export function formatPlace({ step, steps }: StepPlace): string {
  return `step ${step}${steps === undefined ? '' : ` of ${steps}`} (counted from 0)`;
}

/** `file:line:column` in parts. */
function parseLocation(text: string | null): ErrorLocation | null {
  const match = text === null ? null : /^(.*):(\d+):(\d+)$/.exec(text);
  return match ? { file: match[1]!, line: Number(match[2]), column: Number(match[3]) } : null;
}
