// Tuning: which register tile each contraction of an entry is fastest with, on the machine at hand. In: a graph, feeds, an
// engine that compiles and times. Out: plain data, to be given to programs as `schedules`.
//
// Every contraction has candidates, all tiles that may come close to the best by the compiler's own estimate. A plan tries
// one of them in each contraction at once, so there are as many plans as a contraction has candidates, and not one per
// pair. The plans are timed in turns, so that whatever else the machine does meets all of them; of each step the fastest
// run counts. At the end the plan of the best tiles is timed against the one before, and tiles that are no better there stay
// as they were. Nothing is committed.

import type { Schedules, Tile } from '../../compiler/compile.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Graph } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { runtimeError } from '../../runtime/errors.ts';
import { hostOf } from '../../runtime/host.ts';
import type { PlanTensor } from '../../runtime/plan.ts';
import type { RunInput } from '../../runtime/tensor.ts';
import type { Engine, Explored, Loaded } from '../engine.ts';
import { kernelTimes } from '../profile/kernel-times.ts';
import { bestTiles, type TimedTile, type TunedTile } from './best.ts';

export interface TuneOptions {
  /** Turns in which each plan is timed; default 5. */
  readonly rounds?: number | undefined;
  /** When it is aborted, the promise is rejected with the signal's reason, after the plan in flight. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuneProgress) => void) | undefined;
}

export interface TuneProgress {
  /** Plans are compiled, then timed; then the plan of the best tiles is timed against the one before. */
  readonly stage: 'compile' | 'measure' | 'confirm';
  /** Plans compiled, or turns taken, of so many. */
  readonly done: number;
  readonly total: number;
}

/** What `program.tune` returns: plain data. Pass `schedules` to `program`. */
export interface Tuned {
  /** Where it was measured. */
  readonly machine: {
    readonly cpu: string | null;
    readonly engine: string;
    readonly target: string;
    readonly threads: number;
  };
  /** By key: the best tile, and the one that it was compiled with before. */
  readonly schedules: Readonly<Record<string, TunedTile>>;
}

/** Tiles that the compiler thinks slower than this many times the best are not tried. */
const mostRatio = 1.5;
/** A turn of a plan runs it for about so long, and at most so many times. */
const turnMs = 20;
const leastRuns = 2;
const mostRuns = 50;
/** Runs before the first that counts, until the engine has optimised the code. */
const warmUp = 3;

/** Tunes a graph. Throws HDL0017 for an engine without kernels, HDL1001 for rounds that are no count, and as a run. */
export async function tuneGraph(
  engine: Engine,
  graph: Graph,
  initial: (variable: PlanTensor) => RunInput,
  inputs: Readonly<Record<string, RunInput>>,
  { rounds = 5, signal, onProgress }: TuneOptions,
): Promise<Tuned> {
  if (engine.explore === null) {
    throw compilerError('HDL0017', {
      what: `tune of '${graph.name}'`,
      rule: "target 'reference' interprets the graph: there are no kernels to time",
      hint: "tune it with target 'wasm' or 'js'",
      loc: callerLocation(),
    });
  }
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw runtimeError('HDL1001', {
      what: `a tuning cannot have ${String(rounds)} rounds`,
      rule: 'rounds is an integer of at least 1',
      hint: 'leave it out for 5',
    });
  }
  signal?.throwIfAborted();
  const base = engine.explore(graph, {});
  const contractions = base.contractions.map((contraction) => ({
    ...contraction,
    others: contraction
      .candidates()
      .filter(({ tile, ratio }) => ratio <= mostRatio && String(tile) !== String(contraction.tile))
      .map(({ tile }) => tile),
  }));
  const tried = Math.max(0, ...contractions.map((c) => c.others.length));
  const variants: Variant[] = [];
  const add = async (schedules: Schedules | null): Promise<void> => {
    signal?.throwIfAborted();
    const explored = schedules === null ? base : engine.explore!(graph, schedules);
    variants.push(new Variant(explored, await engine.load(explored.compiled, initial)));
  };
  const measure = async (stage: TuneProgress['stage'], list: readonly Variant[]): Promise<void> => {
    const total = rounds * list.length;
    for (let turn = 0; turn < total; turn++) {
      signal?.throwIfAborted();
      await list[turn % list.length]!.measure(inputs);
      onProgress?.({ stage, done: turn + 1, total });
    }
  };
  const timesOf = (key: string, tile: Tile, variant: Variant): TimedTile => ({
    tile,
    ms: variant.msOf(key),
  });
  try {
    for (let k = -1; k < tried; k++) {
      await add(k < 0 ? null : schedulesOf(contractions, k));
      onProgress?.({ stage: 'compile', done: k + 2, total: tried + 1 });
    }
    await measure('measure', variants);
    const [before, ...trials] = variants as [Variant, ...Variant[]];
    const best = bestTiles(
      contractions.map(({ key, label, tile, others }) => ({
        key,
        label,
        was: timesOf(key, tile, before),
        others: others.map((other, k) => timesOf(key, other, trials[k]!)),
      })),
    );
    const changed = Object.entries(best).filter(([, { tile, was }]) => tile !== was.tile);
    if (changed.length > 0) {
      await add(Object.fromEntries(changed));
      await measure('confirm', [before, variants.at(-1)!]);
    }
    const after = variants.at(-1)!;
    const { target, features } = base.compiled.plan!.manifest;
    return {
      machine: { ...hostOf(), target: [target, ...features].join(' '), threads: engine.threads },
      schedules: bestTiles(
        contractions.map(({ key, label, tile }) => ({
          key,
          label,
          was: timesOf(key, tile, before),
          others: best[key]!.tile === tile ? [] : [timesOf(key, best[key]!.tile, after)],
        })),
      ),
    };
  } finally {
    for (const { loaded } of variants) await loaded.unload?.();
  }
}

/** The k-th of its candidates for each contraction; those that have fewer stay as they are. */
function schedulesOf(
  contractions: readonly { readonly key: string; readonly others: readonly Tile[] }[],
  k: number,
): Schedules {
  return Object.fromEntries(
    contractions.flatMap(({ key, others }) => (others[k] === undefined ? [] : [[key, { tile: others[k] }]])),
  );
}

/** A plan that is tried, and the fastest time of each of its steps so far. */
class Variant {
  readonly loaded: Loaded;
  readonly #explored: Explored;
  readonly #ms: number[];
  #runs = 0;

  constructor(explored: Explored, loaded: Loaded) {
    this.#explored = explored;
    this.loaded = loaded;
    this.#ms = explored.steps.map(() => Number.POSITIVE_INFINITY);
  }

  /** Times it in one turn; the first tells how many runs a turn has. */
  async measure(inputs: Readonly<Record<string, RunInput>>): Promise<void> {
    const isFirst = this.#runs === 0;
    const options = isFirst ? { runs: leastRuns, warmUp } : { runs: this.#runs, warmUp: 0 };
    const { walk, runs } = await this.loaded.measure!(inputs, options);
    for (const run of runs) {
      const times = kernelTimes(walk, run, this.#ms.length);
      times.forEach((ms, step) => {
        this.#ms[step] = Math.min(this.#ms[step]!, ms);
      });
    }
    if (!isFirst) return;
    const wall = Math.min(...runs.map((run) => run.end - run.begin));
    this.#runs = Math.max(leastRuns, Math.min(mostRuns, Math.ceil(turnMs / Math.max(wall, 0.001))));
  }

  /** Of all steps of a contraction. */
  msOf(key: string): number {
    return this.#explored.steps.reduce((ms, step, s) => (step === key ? ms + this.#ms[s]! : ms), 0);
  }
}
