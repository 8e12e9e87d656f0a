// The specialisations of a program: its entries for given sizes, each traced, compiled and loaded once, when it is first
// needed. All of them read and update the program's variables.
//
// Invariant: what fails leaves no specialisation behind.

import type { Timing } from '../compiler/compile.ts';
import type { Graph, Node } from '../compiler/graph/ir.ts';
import type { RunInput } from '../runtime/tensor.ts';
import type { AppliedLayer, Registry } from './context.ts';
import type { Watch, WatchTargets } from './debug/watch.ts';
import type { Compiled, Engine, Loaded } from './engine.ts';
import { type AnyEntry, type Traced, traceEntry } from './entry.ts';
import { type Dims, dimNames, formatDims } from './spec.ts';

export interface CompileEvent {
  readonly entry: string;
  readonly dims: Dims;
  /** `trace`, a pass, a stage of the compiler, `recall` (compiled before in this process), `read cache`, or `load`. */
  readonly stage: string;
  readonly ms: number;
}

export interface Specialisation {
  readonly entry: string;
  readonly dims: Dims;
  readonly compiled: Compiled;
  readonly layers: readonly AppliedLayer[];
  /** Of its stages so far: loading comes last, when there is something to run. */
  timings: readonly Timing[];
  /** What its last output tells of, where values are watched. */
  readonly watched: WatchTargets | null;
  loaded: Promise<Loaded> | null;
}

/** An entry whose graph is built and not yet compiled. */
interface TracedEntry extends Pick<Specialisation, 'entry' | 'dims' | 'layers' | 'watched'> {
  readonly key: string;
  readonly graph: Graph;
  /** Time that it took. */
  readonly ms: number;
}

interface Surroundings {
  readonly onProgress: ((event: CompileEvent) => void) | undefined;
  /** The engine has a cache of plans, to be asked before anything is compiled for a run. */
  readonly hasCache: boolean;
  /** First value of a variable. */
  readonly initial: (variable: Node) => RunInput;
}

export class Specialisations {
  readonly #engine: Engine;
  readonly #registry: Registry;
  readonly #surroundings: Surroundings;
  readonly #made = new Map<string, Specialisation>();
  /** Those that wait for the cache. */
  readonly #obtaining = new Map<string, Promise<Specialisation>>();
  /** By entry. */
  readonly #watches = new Map<string, Watch>();

  constructor(engine: Engine, registry: Registry, surroundings: Surroundings) {
    this.#engine = engine;
    this.#registry = registry;
    this.#surroundings = surroundings;
  }

  /** In the order in which they were compiled. */
  all(): Specialisation[] {
    return [...this.#made.values()];
  }

  /** The entry for given sizes, all of them: compiled before, or now. Throws what building and compiling throw. */
  compile(entry: string, definition: AnyEntry, dims: Dims, next?: 'load'): Specialisation {
    const found = this.#made.get(this.#keyOf(entry, definition, dims));
    if (found !== undefined) return found;
    const traced = this.#trace(entry, definition, dims);
    return this.#keep(traced, this.#engine.compile(traced.graph, next));
  }

  /** As `compile`, from the user's cache of plans if it is there, and loaded. Throws what loading throws, too. */
  async load(
    entry: string,
    definition: AnyEntry,
    dims: Dims,
  ): Promise<{ readonly made: Specialisation; readonly loaded: Loaded }> {
    if (!this.#made.has(keyOf(entry, definition, dims))) await this.#engine.begin();
    const made = this.#surroundings.hasCache
      ? await this.#obtain(entry, definition, dims)
      : this.compile(entry, definition, dims, 'load');
    if (made.loaded !== null) return { made, loaded: await made.loaded };
    const start = performance.now();
    made.loaded = this.#engine.load(made.compiled, this.initial);
    try {
      const loaded = await made.loaded;
      const ms = performance.now() - start;
      made.timings = [...made.timings, { name: 'load', ms }];
      this.#tell(made, 'load', ms);
      return { made, loaded };
    } catch (error) {
      made.loaded = null;
      throw error;
    }
  }

  /** The graph of an entry for given sizes, all of them; compiles nothing. Throws what building throws. */
  graph(entry: string, definition: AnyEntry, dims: Dims): Graph {
    const made = this.#made.get(this.#keyOf(entry, definition, dims));
    return made === undefined ? this.#trace(entry, definition, dims).graph : made.compiled.graph;
  }

  /** First value of a variable of the graphs built so far. */
  readonly initial = ({ name }: { readonly name: string }): RunInput =>
    this.#surroundings.initial(this.#registry.variables.get(name)!);

  /** Calls that meet wait for the same answer. */
  #obtain(entry: string, definition: AnyEntry, dims: Dims): Promise<Specialisation> | Specialisation {
    const key = this.#keyOf(entry, definition, dims);
    const found = this.#made.get(key) ?? this.#obtaining.get(key);
    if (found !== undefined) return found;
    const traced = this.#trace(entry, definition, dims);
    const made = (async () => {
      try {
        const compiled = await this.#engine.obtain(traced.graph);
        return this.#made.get(key) ?? this.#keep(traced, compiled);
      } finally {
        this.#obtaining.delete(key);
      }
    })();
    this.#obtaining.set(key, made);
    return made;
  }

  /** Later compilations of the entry also compute what the watch wants, until it is null. */
  watch(entry: string, watch: Watch | null): void {
    if (watch === null) this.#watches.delete(entry);
    else this.#watches.set(entry, watch);
  }

  /** What an entry is watched by, or null. */
  watchOf(entry: string): Watch | null {
    return this.#watches.get(entry) ?? null;
  }

  /** Graph and layers of an entry as they were declared, whatever is watched. Throws what building throws. */
  declared(entry: string, definition: AnyEntry, dims: Dims): Traced {
    return traceEntry(entry, definition, dims, this.#registry);
  }

  #keyOf(entry: string, definition: AnyEntry, dims: Dims): string {
    const watch = this.#watches.get(entry);
    return keyOf(entry, definition, dims) + (watch === undefined ? '' : ` ${watch.key}`);
  }

  #trace(entry: string, definition: AnyEntry, dims: Dims): TracedEntry {
    const start = performance.now();
    const { graph, layers } = traceEntry(entry, definition, dims, this.#registry);
    const watch = this.#watches.get(entry);
    const extended = watch?.extend(graph, layers);
    const watched = extended?.targets ?? null;
    const ms = performance.now() - start;
    this.#tell({ entry, dims }, 'trace', ms);
    const key = this.#keyOf(entry, definition, dims);
    return { key, entry, dims, graph: extended?.graph ?? graph, layers, watched, ms };
  }

  #keep({ key, entry, dims, layers, watched, ms }: TracedEntry, compiled: Compiled): Specialisation {
    for (const stage of compiled.timings) this.#tell({ entry, dims }, stage.name, stage.ms);
    const timings = [{ name: 'trace', ms }, ...compiled.timings];
    const made: Specialisation = { entry, dims, compiled, layers, timings, watched, loaded: null };
    this.#made.set(key, made);
    return made;
  }

  #tell({ entry, dims }: Pick<CompileEvent, 'entry' | 'dims'>, stage: string, ms: number): void {
    this.#surroundings.onProgress?.({ entry, dims, stage, ms });
  }
}

function keyOf(entry: string, definition: AnyEntry, dims: Dims): string {
  const sizes = dimNames(definition.inputs).map((name) => dims[name]);
  return `${entry}(${sizes.join(',')})`;
}

/** `train(batch=64)` */
export function title({ entry, dims }: Pick<Specialisation, 'entry' | 'dims'>): string {
  const sizes = formatDims(dims);
  return sizes === '' ? entry : `${entry}(${sizes})`;
}
