// A run of many steps: cut into commands of as many rounds as fit a piece of staging memory; while the workers are busy with
// one, the next is staged. What each step puts out is kept in memory until its command has ended. Nothing here computes,
// and no result depends on how a run is cut.
//
//     staging   piece 0 | piece 1 | kept outputs

import { Abort, abortRun, Outcome } from './control.ts';
import { HeddleError, runtimeError } from './errors.ts';
import type { LinearMemory } from './memory.ts';
import type { PlanPlacement } from './plan.ts';
import { formatPlace, type Program, type StepPlace } from './program.ts';
import type { InputCopy, OutputCopy } from './rounds.ts';
import { makeStager, type Stager, type StepFeed } from './step-feed.ts';
import { checkOutputs, howToKeep, type Keep, Kept } from './step-outputs.ts';
import type { Schedule } from './step-schedule.ts';
import { type RunInput, type RunTensor, tensorBytes } from './tensor.ts';

export interface StepsRequest {
  readonly steps: number;
  readonly feed: StepFeed;
  /** Of all outputs, or by output; default: `each` up to 4 KiB, `last` beyond. */
  readonly keep?: Keep | Readonly<Record<string, Keep>> | undefined;
  /** Values of variables that the plan does not update, one after another: each step reads its own. */
  readonly schedules?: Readonly<Record<string, RunInput>> | undefined;
  /** Steps of the same training that came before: errors name a step by its number in all of it. Default: none are known. */
  readonly before?: number | undefined;
  /** An output, one f32: the run ends with the first step at which it is not finite, which is committed. */
  readonly watch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the number of steps that are done, some times a second. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

export interface StepsResult {
  /** Steps that are done and committed. */
  readonly done: number;
  readonly end: 'complete' | 'aborted' | 'notFinite' | 'feedEnded';
  /** `each`: [done, …]; `last`: as from a run of one step, and absent when the run was aborted or had no step. */
  readonly outputs: Record<string, RunTensor>;
}

/** Bytes of a piece of staging memory: some milliseconds of small steps, and no burden on the cache. */
const pieceBytes = 1 << 20;
const mostRounds = 1 << 16;
const progressMs = 40;

const alignTo16 = (bytes: number) => Math.ceil(bytes / 16) * 16;
const alignTo64 = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** What a run needs of its executor. */
export interface StepsHost {
  readonly memory: LinearMemory;
  /** Runs a program as it is prepared, and commits the rounds that are complete. */
  execute(program: Program): Promise<RunEnd>;
  /** Where the values of a schedule go. Throws HDL1001, HDL1008. */
  schedule(program: Program, name: string, values: RunInput, steps: number): Schedule;
}

/** How a run ended. `error`: a kernel or a worker failed, or the executor was disposed. */
export interface RunEnd {
  readonly committed: number;
  readonly outcome: number;
  readonly error: unknown;
}

/** Runs a program for many steps. Throws HDL1001 (feeds), and what a run throws; the steps before it stay committed. */
export async function runSteps(
  host: StepsHost,
  program: Program,
  request: StepsRequest,
): Promise<StepsResult> {
  return new StepsRun(host, program, request).run();
}

/** Steps that are staged at an address; the first `skip` of them are done. */
interface Piece {
  readonly at: number;
  readonly count: number;
  skip: number;
}

class StepsRun {
  readonly #host: StepsHost;
  readonly #program: Program;
  readonly #request: StepsRequest;
  readonly #stager: Stager;
  readonly #schedules: readonly Schedule[];
  readonly #kept: readonly Kept[];
  readonly #last: readonly PlanPlacement[];
  /** Steps of a piece. */
  readonly #size: number;
  /** Where staging memory begins. */
  #start = 0;
  #staged = 0;
  #done = 0;
  #isInFlight = false;
  #end: StepsResult['end'] | undefined;
  /** What a callback has thrown. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(host: StepsHost, program: Program, request: StepsRequest) {
    const { steps, feed, schedules = {}, keep = {}, watch } = request;
    const { outputs } = program.manifest;
    checkSteps(program, steps);
    checkOutputs(program, typeof keep === 'string' ? [] : Object.keys(keep), watch);
    this.#host = host;
    this.#program = program;
    this.#request = request;
    this.#stager = makeStager(program, host.memory, feed, steps);
    this.#schedules = Object.entries(schedules).map(([name, values]) =>
      host.schedule(program, name, values, steps),
    );
    const how = (output: PlanPlacement): Keep => howToKeep(keep, output.name, tensorBytes(output));
    this.#kept = outputs.filter((o) => how(o) === 'each').map((o) => new Kept(o, steps));
    this.#last = outputs.filter((o) => how(o) === 'last');
    const stepBytes = this.#stepBytes + this.#kept.reduce((sum, { bytes }) => sum + bytes, 0);
    const fitting = Math.floor(pieceBytes / Math.max(1, stepBytes));
    this.#size = Math.max(1, Math.min(steps, fitting, mostRounds));
  }

  async run(): Promise<StepsResult> {
    const { memory } = this.#host;
    const size = this.#size;
    const piece = alignTo64(size * this.#stepBytes);
    let bytes = 2 * piece;
    for (const kept of this.#kept) {
      kept.offset = bytes;
      bytes += alignTo64(size * kept.bytes);
    }
    const purpose = `inputs and outputs of ${size} steps of '${this.#program.manifest.entry}'`;
    const region = memory.allocate(bytes, purpose);
    this.#start = region.address;
    const timer = this.#request.onProgress && setInterval(() => this.#show(), progressMs);
    const { signal } = this.#request;
    const abort = whenAborted(signal, () => this.#stop());
    try {
      this.#stager.begin();
      const first = region.address;
      await this.#runPieces([first, first + piece], abort.promise);
      if (this.#thrown) throw this.#thrown.error;
      const end = this.#end ?? (this.#done === this.#request.steps ? 'complete' : 'feedEnded');
      return { done: this.#done, end, outputs: this.#outputs(end) };
    } finally {
      clearInterval(timer);
      abort.forget();
      this.#stager.end();
      memory.free(region);
    }
  }

  async #runPieces(places: readonly [number, number], aborted: Promise<null>): Promise<void> {
    if (this.#request.signal?.aborted) this.#end = 'aborted';
    let use = 0;
    let filling: Promise<Piece | null> | null = Promise.race([
      this.#fill(places[use]!, Promise.resolve(null)),
      aborted,
    ]);
    while (filling !== null && this.#end === undefined) {
      const piece: Piece | null = await filling;
      filling = null;
      if (this.#isAborted) this.#end = 'aborted';
      if (piece === null || piece.count === 0) return;
      while (piece.skip < piece.count && this.#end === undefined) {
        const running = this.#command(piece);
        if (filling === null && this.#staged < this.#request.steps) {
          use ^= 1;
          const idle = running.then(
            () => null,
            () => null,
          );
          filling = Promise.race([this.#fill(places[use]!, idle), aborted]);
          // A loader that fails is told about when what it gave before has run.
          filling.catch(() => {});
        }
        await running;
        this.#show();
        if (this.#thrown) return;
      }
    }
  }

  /** Bytes of a step in a piece. */
  get #stepBytes(): number {
    return this.#schedules.reduce((sum, { bytes }) => sum + alignTo16(bytes), this.#stager.stepBytes);
  }

  async #fill(at: number, idle: Promise<null>): Promise<Piece> {
    const first = this.#staged;
    const wanted = Math.min(this.#size, this.#request.steps - first);
    const filled = this.#stager.fill(at, first, wanted, idle);
    const count = typeof filled === 'number' ? filled : await filled;
    let to = at + this.#size * this.#stager.stepBytes;
    const { bytes } = this.#host.memory;
    for (const { data, bytes: size } of this.#schedules) {
      const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      for (let s = 0; s < count; s++) {
        bytes.set(raw.subarray((first + s) * size, (first + s + 1) * size), to + s * alignTo16(size));
      }
      to += this.#size * alignTo16(size);
    }
    this.#staged += count;
    return { at, count, skip: 0 };
  }

  /** Runs what is left of a piece, or a part of that. */
  async #command(piece: Piece): Promise<void> {
    const { steps, watch } = this.#request;
    const { at, count, skip } = piece;
    const stager = this.#stager;
    const inputs: InputCopy[] = stager.copies(at, skip);
    let from = at + this.#size * stager.stepBytes;
    for (const { address, bytes } of this.#schedules) {
      const stride = alignTo16(bytes);
      inputs.push({ to: address, from: from + skip * stride, rowBytes: bytes, rows: 0, stride });
      from += this.#size * stride;
    }
    const rounds = count - skip;
    this.#program.prepare({
      rounds,
      watched: watch === undefined ? null : this.#places(watch),
      indices: stager.indices(at, skip),
      inputs,
      outputs: this.#kept.map((kept): OutputCopy => {
        const to = this.#start + kept.offset;
        return { from: this.#places(kept.output.name), to, bytes: kept.bytes, stride: kept.bytes };
      }),
    });
    this.#isInFlight = true;
    const { committed, outcome, error } = await this.#host.execute(this.#program);
    this.#isInFlight = false;
    for (const kept of this.#kept) {
      kept.read(this.#host.memory, this.#start + kept.offset, this.#done, committed);
    }
    this.#done += committed;
    piece.skip += committed;
    if (error !== undefined) throw atStep(error, this.#place);
    if (outcome === Outcome.checkFailed) throw this.#program.flagsError(this.#place);
    if (outcome === Outcome.watchedNotFinite) this.#end = 'notFinite';
    else if (this.#isAborted && this.#done < steps) this.#end = 'aborted';
  }

  /** Where an output lies after even and after odd rounds. */
  #places(name: string): [number, number] {
    const output = this.#program.manifest.outputs.find((o) => o.name === name)!;
    return [this.#program.outputAddress(output, 0), this.#program.outputAddress(output, 1)];
  }

  /** The step that comes next. */
  get #place(): StepPlace {
    const { steps, before } = this.#request;
    return before === undefined
      ? { step: this.#done, steps }
      : { step: before + this.#done, steps: undefined };
  }

  get #isAborted(): boolean {
    return this.#request.signal?.aborted === true || this.#thrown !== undefined;
  }

  #stop(): void {
    if (this.#isInFlight) abortRun(this.#program.control, Abort.cancelled);
  }

  #shown = 0;
  #show(): void {
    const done = this.#done + (this.#isInFlight ? this.#program.committed : 0);
    if (done === this.#shown || this.#thrown) return;
    this.#shown = done;
    try {
      this.#request.onProgress?.(done);
    } catch (error) {
      this.#thrown = { error };
      this.#stop();
    }
  }

  #outputs(end: StepsResult['end']): Record<string, RunTensor> {
    const found = new Map(this.#kept.map((kept) => [kept.output.name, kept.result(this.#done)]));
    if (end !== 'aborted' && this.#done > 0) {
      for (const output of this.#last) found.set(output.name, this.#program.readOutput(output));
    }
    const names = this.#program.manifest.outputs.map(({ name }) => name);
    return Object.fromEntries(names.filter((n) => found.has(n)).map((n) => [n, found.get(n)!]));
  }
}

function checkSteps(program: Program, steps: number): void {
  if (Number.isInteger(steps) && steps >= 1) return;
  throw runtimeError('HDL1001', {
    what: `'${program.manifest.entry}' cannot run ${String(steps)} steps`,
    rule: 'steps is an integer of at least 1',
    hint: 'say how many steps to run at most; a feed that ends earlier ends the run',
  });
}

/** The same error, with the step in which it happened. */
function atStep(error: unknown, place: StepPlace): unknown {
  if (!(error instanceof HeddleError) || error.code !== 'HDL1003') return error;
  const { what, rule, hint } = error.parts;
  return runtimeError(
    'HDL1003',
    {
      what: `${what}, at ${formatPlace(place)}`,
      rule: rule?.replace('as they were before it', 'as the last complete step left them'),
      hint,
    },
    { cause: error.cause },
  );
}

/** A promise that resolves when a signal is aborted, after `then` was called; `forget` stops listening. */
function whenAborted(
  signal: AbortSignal | undefined,
  then: () => void,
): { readonly promise: Promise<null>; readonly forget: () => void } {
  let forget = () => {};
  const promise = new Promise<null>((resolve) => {
    const listener = () => {
      then();
      resolve(null);
    };
    signal?.addEventListener('abort', listener, { once: true });
    forget = () => signal?.removeEventListener('abort', listener);
  });
  return { promise, forget };
}
