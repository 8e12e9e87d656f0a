// What every part of a program stands on: its entries, its engine, and the variables and specialisations that they share;
// and the checks with which each call begins.

import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { runtimeError } from '../../runtime/errors.ts';
import type { RunData, RunInput } from '../../runtime/tensor.ts';
import { compiledEngine } from '../compiled-engine.ts';
import type { Registry } from '../context.ts';
import type { Subject } from '../debug/index.ts';
import type { Engine } from '../engine.ts';
import type { AnyEntry, Traced } from '../entry.ts';
import { type BoundFeeds, bindFeeds } from '../feeds.ts';
import { findEntry, unknownVariable } from '../find-entry.ts';
import type { Entries, ProgramOptions } from '../program-types.ts';
import { referenceEngine } from '../reference.ts';
import { checkDims, type Dims } from '../spec.ts';
import { Specialisations } from '../specialisations.ts';
import { initialValue, variableName } from '../variable.ts';

/** A program, to the classes that make it up; nobody else sees it. */
export abstract class ProgramBase<E extends Entries> {
  readonly #core: ProgramCore;

  constructor(entries: E, options: ProgramOptions) {
    this.#core = new ProgramCore(entries, options);
  }

  protected get core(): ProgramCore {
    return this.#core;
  }

  /** Ends the threads. Later calls throw HDL1002. May be called again. */
  async dispose(): Promise<void> {
    await this.#core.dispose();
  }
}

class ProgramCore {
  readonly entries: Entries;
  readonly engine: Engine;
  readonly registry: Registry;
  readonly specialisations: Specialisations;
  /** Values set before anything that uses the variable was loaded. */
  readonly pending: Map<string, RunData> = new Map<string, RunData>();
  #disposed = false;

  constructor(entries: Entries, options: ProgramOptions) {
    const { target = 'wasm', seed = 0, ...rest } = options;
    this.entries = entries;
    this.engine = target === 'reference' ? referenceEngine() : compiledEngine({ target, ...rest });
    this.registry = { seed, variables: new Map(), paths: new WeakMap() };
    this.specialisations = new Specialisations(this.engine, this.registry, {
      onProgress: options.onProgress,
      hasCache: options.cache !== undefined,
      initial: (node) => this.pending.get(variableName(node)) ?? initialValue(node, seed),
    });
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.engine.dispose();
  }

  /** Throws HDL1002 once the program is disposed: it cannot `what`. */
  checkOpen(what: string): void {
    if (!this.#disposed) return;
    throw runtimeError('HDL1002', {
      what: `the program was disposed, it cannot ${what}`,
      rule: 'dispose ends a program for good',
      hint: 'dispose it at the end, after an await of what it runs, or make another one',
    });
  }

  find(name: string): AnyEntry {
    return findEntry(this.entries, name);
  }

  bind(name: string, feeds: object): BoundFeeds {
    return bindFeeds(name, this.find(name).inputs, feeds as Readonly<Record<string, unknown>>);
  }

  checkDims(name: string, dims: Dims): Dims {
    return checkDims(name, this.find(name).inputs, dims);
  }

  /** What is given for an entry: feeds, or nothing but sizes; then values are null. */
  bindOrSize(
    name: string,
    given: object,
  ): Pick<BoundFeeds, 'dims'> & { readonly values: BoundFeeds['values'] | null } {
    const isFed = Object.keys(this.find(name).inputs).some((input) => Object.hasOwn(given, input));
    return isFed ? this.bind(name, given) : { dims: this.checkDims(name, given as Dims), values: null };
  }

  /** Graph and layers of an entry as they were declared. */
  declared(name: string, dims: Dims): Traced {
    return this.specialisations.declared(name, this.find(name), dims);
  }

  load(name: string, dims: Dims): ReturnType<Specialisations['load']> {
    return this.specialisations.load(name, this.find(name), dims);
  }

  variable(variable: Node | string): Node {
    if (typeof variable !== 'string') return variable;
    const found = this.registry.variables.get(variable);
    if (found !== undefined) return found;
    throw unknownVariable(variable, [...this.registry.variables.keys()]);
  }

  /** What is looked at by debuggers. */
  subject(graph: Graph, inputs: Readonly<Record<string, RunInput>>): Subject {
    return {
      engine: this.engine,
      graph,
      inputs,
      initial: (variable) => this.specialisations.initial(variable),
    };
  }
}
