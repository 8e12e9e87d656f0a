// The context: what an entry hands to the layers that it applies. It says whether the entry trains, finds or makes
// variables under its scope path, records updates and derives random keys. Layers hold no state of their own, so the
// same layer, called again, in another entry or for another batch size, finds its variables by its path.
//
//   registry   of a program: variables by name, paths by layer; outlives traces
//   trace      one call of an entry's build function: its updates, what it added; committed to the registry at its end,
//              so that a build that fails leaves nothing behind
//   context    a scope path in a trace

import { describeNode } from '../compiler/graph/describe.ts';
import { compilerError } from '../compiler/graph/errors.ts';
import type { GraphUpdate, Node, Tensor } from '../compiler/graph/ir.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { absoluteScope } from '../compiler/graph/scope.ts';
import { type DType, formatType, type Shape, sameType } from '../compiler/graph/types.ts';
import { add, foldIn, randomKey } from '../compiler/ops/index.ts';
import { zeros } from './initializers/constant.ts';
import type { Initializer } from './initializers/initializer.ts';
import {
  type Constraint,
  isTrainable,
  isVariable,
  type Regularizer,
  type Variable,
  type VariableOptions,
  variable,
  variableName,
} from './variable.ts';

export interface Context {
  /** Whether the entry trains: batch norm uses the batch's statistics, dropout drops. */
  readonly training: boolean;
  /** Scope path: `block1/conv1`; empty at the top level. */
  readonly path: string;
  /**
   * Records the new value of a variable, which holds from the next run on. Throws HDL0010 when `target` is no variable,
   * the type differs, or this entry has already assigned it.
   */
  assign(target: Node, value: Node): void;
  /**
   * The variable `name` under this path, made on first use. Throws HDL0009 when it exists with another shape, dtype or
   * trainable flag.
   */
  variable<const S extends Shape, D extends DType = 'f32'>(
    name: string,
    shape: S,
    initializer: Initializer,
    options?: VariableOptions<D>,
  ): Variable<S, D>;
  /** The context of a scope below this one, or of the absolute path `/name`. */
  scope(name: string): Context;
  /**
   * Runs `build` in the scope of `owner`: where it was first applied, else here, under `name`, or under `kind` with the
   * first number that is free. `traits` hold for the variables below. Throws HDL0015 when another owner has that path in this
   * entry.
   */
  enter<T extends Node>(
    owner: object,
    kind: string,
    name: string | undefined,
    build: (ctx: Context) => T,
    traits?: Traits,
  ): T;
  /** Adds a scalar to what training minimizes, beside the loss: a term of what a layer puts out. Throws HDL0001. */
  penalize(term: Tensor): void;
  /** The terms so far, for a step that is written by hand: `add(loss, …)`. */
  readonly penalties: readonly Tensor[];
  /** A fresh random key (u32[2]) for ops such as `bernoulli`: another one for each call and each run. */
  randomKey(): Tensor<readonly [2], 'u32'>;
}

/** What a layer says of all variables below it. What a variable or an inner layer says itself comes first. */
export interface Traits {
  /** False keeps variables as they are. */
  readonly trainable?: boolean | undefined;
  /** Of weights: trainable variables of two or more dimensions. */
  readonly regularizer?: Regularizer | undefined;
  /** Of weights. */
  readonly constraint?: Constraint | undefined;
}

/** What a program knows of its variables and layers. */
export interface Registry {
  readonly seed: number;
  readonly variables: Map<string, Variable | Node>;
  readonly paths: WeakMap<object, string>;
}

/** A layer that was applied, for summaries. */
export interface AppliedLayer {
  readonly path: string;
  readonly kind: string;
  readonly output: Node;
}

export class Trace {
  readonly entry: string;
  readonly training: boolean;
  readonly updates: GraphUpdate[] = [];
  /** In the order in which they were left: children before their container. */
  readonly layers: AppliedLayer[] = [];
  readonly penalties: Tensor[] = [];
  readonly #registry: Registry;
  readonly #created = new Map<string, Variable>();
  readonly #newPaths = new Map<object, string>();
  readonly #owners = new Map<string, object>();
  #runKey: Tensor<readonly [2], 'u32'> | undefined;
  #keysDrawn = 0;

  constructor(entry: string, training: boolean, registry: Registry) {
    this.entry = entry;
    this.training = training;
    this.#registry = registry;
  }

  context(path: string, traits: Traits = {}): Context {
    return {
      training: this.training,
      path,
      assign: (target, value) => this.#assign(target, value),
      variable: (name, shape, initializer, options) =>
        this.#variable(path, name, shape, initializer, withTraits(shape, options ?? {}, traits)),
      // An absolute path is somebody else's: an optimizer's, say.
      scope: (name) =>
        name.startsWith('/') ? this.context(name.slice(1)) : this.context(join(path, name), traits),
      enter: (owner, kind, name, build, added = {}) => {
        const own = this.#pathOf(owner, path, kind, name);
        const inner = this.context(own, inherit(traits, added));
        const output = absoluteScope(own, () => build(inner));
        this.layers.push({ path: own, kind, output });
        return output;
      },
      penalize: (term) => this.#penalize(term),
      penalties: this.penalties,
      randomKey: () => this.#randomKey(),
    };
  }

  /** Makes what this trace added part of the program. `used` are the variable nodes of its graph. Throws HDL0009. */
  commit(used: readonly Node[]): void {
    const { variables, paths } = this.#registry;
    const met = new Map<string, Node>();
    for (const node of used) {
      const name = variableName(node);
      const known = this.#created.get(name) ?? variables.get(name) ?? met.get(name);
      met.set(name, node);
      if (known === undefined || known === node) continue;
      throw compilerError('HDL0009', {
        what: `entry '${this.entry}' uses a second variable '${name}' (${formatType(node.type)})`,
        rule: 'within a program a name belongs to one variable',
        hint: 'make it once outside of the build function, or with ctx.variable, or give it another name',
        loc: node.loc,
      });
    }
    for (const [name, node] of met) variables.set(name, node);
    for (const [name, made] of this.#created) variables.set(name, made);
    for (const [owner, path] of this.#newPaths) paths.set(owner, path);
  }

  #assign(target: Node, value: Node): void {
    const fail = (rule: string, hint: string): never => {
      throw compilerError('HDL0010', {
        what: `assign(${describeNode(target)}, ${describeNode(value)}) in entry '${this.entry}'`,
        rule,
        hint,
        loc: callerLocation(),
      });
    };
    if (!isVariable(target))
      fail('only variables can be assigned', 'make it with variable(…) or ctx.variable(…)');
    if (!sameType(target.type, value.type)) {
      fail(
        `the variable is ${formatType(target.type)}, the value ${formatType(value.type)}`,
        'the new value has the type of the variable: reshape or cast it',
      );
    }
    if (this.updates.some((u) => u.variable === target)) {
      fail('an entry assigns a variable once', 'compute the final value first, then assign it');
    }
    this.updates.push({ variable: target, value });
  }

  #penalize(term: Tensor): void {
    if (sameType(term.type, { dtype: 'f32', shape: [] })) {
      this.penalties.push(term);
      return;
    }
    throw compilerError('HDL0001', {
      what: `penalize(${describeNode(term)}) in entry '${this.entry}'`,
      rule: 'a term of the loss is one number, f32[]',
      hint: 'sum it',
      loc: callerLocation(),
    });
  }

  #variable<const S extends Shape, D extends DType>(
    path: string,
    name: string,
    shape: S,
    initializer: Initializer,
    options: VariableOptions<D>,
  ): Variable<S, D> {
    const full = join(path, name);
    const wanted = absoluteScope(path, () => variable(name, shape, initializer, options));
    const known = this.#created.get(full) ?? this.#registry.variables.get(full);
    if (known === undefined) {
      this.#created.set(full, wanted);
      return wanted;
    }
    if (!sameType(known.type, wanted.type) || isTrainable(known) !== isTrainable(wanted)) {
      const say = (n: Node): string => `${formatType(n.type)}${isTrainable(n) ? '' : ', not trainable'}`;
      throw compilerError('HDL0009', {
        what: `entry '${this.entry}' asks for variable '${full}' as ${say(wanted)}`,
        rule: `it already exists as ${say(known)}`,
        hint: 'check that the layer gets inputs with the same features everywhere, or give the other layer a name of its own',
        loc: callerLocation(),
      });
    }
    return known as Variable<S, D>;
  }

  #pathOf(owner: object, base: string, kind: string, name: string | undefined): string {
    const known = this.#newPaths.get(owner) ?? this.#registry.paths.get(owner);
    if (known !== undefined || name !== undefined) {
      const path = known ?? join(base, name!);
      const other = this.#owners.get(path);
      if (other !== undefined && other !== owner) {
        throw compilerError('HDL0015', {
          what: `entry '${this.entry}' has two layers at '${path}'`,
          rule: 'a path belongs to one layer',
          hint: 'give each layer a name of its own',
          loc: callerLocation(),
        });
      }
      this.#owners.set(path, owner);
      this.#newPaths.set(owner, path);
      return path;
    }
    let number = 1;
    while (this.#owners.has(join(base, `${kind}${number}`))) number++;
    const path = join(base, `${kind}${number}`);
    this.#owners.set(path, owner);
    this.#newPaths.set(owner, path);
    return path;
  }

  #randomKey(): Tensor<readonly [2], 'u32'> {
    return absoluteScope('random', () => {
      if (this.#runKey === undefined) {
        const counter = this.#variable('random', 'counter', [], zeros(), { dtype: 'u32' });
        this.#runKey = foldIn(randomKey(this.#registry.seed), counter);
        this.#assign(counter, add(counter, 1));
      }
      return foldIn(this.#runKey, this.#keysDrawn++);
    });
  }
}

function inherit(outer: Traits, own: Traits): Traits {
  return {
    trainable: outer.trainable === false ? false : own.trainable,
    regularizer: own.regularizer ?? outer.regularizer,
    constraint: own.constraint ?? outer.constraint,
  };
}

function withTraits<D extends DType>(
  shape: Shape,
  options: VariableOptions<D>,
  { trainable, regularizer, constraint }: Traits,
): VariableOptions<D> {
  const isTrained = options.trainable ?? (options.dtype ?? 'f32') === 'f32';
  const isWeight = isTrained && shape.length >= 2;
  return {
    ...options,
    trainable: isTrained && trainable !== false,
    regularizer: options.regularizer ?? (isWeight ? regularizer : undefined),
    constraint: options.constraint ?? (isWeight ? constraint : undefined),
  };
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
