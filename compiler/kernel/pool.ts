// Pool: what is computed in the same way shares its code. Addresses are arguments, so two layers of equal shape are one
// kernel; it is scheduled once, modules get smaller, and the engine's optimizer sees fewer, hotter functions.

import { isStaticIndex } from './affine.ts';
import { moveBases } from './bases.ts';
import { chainKernels, hasKnownAddresses } from './chain.ts';
import { type KernelDefinition, reductionsOf } from './definition.ts';
import { definitionKey } from './definition-key.ts';
import { indicesOf, walkExprs } from './expr.ts';
import type { Kernel, Target } from './ir.ts';
import {
  addSums,
  type Bound,
  mayCutInto,
  type NewTemporary,
  prepareContraction,
  rowLength,
  type Summed,
  scheduleKernel,
  scheduleSummed,
  withUnits,
} from './schedule/index.ts';

/** One call of a kernel, with what its parameters stand for. */
export interface KernelCall<Arg> {
  readonly label: string;
  readonly kernel: Kernel;
  readonly args: readonly Arg[];
  /** Elements from the start of each argument to the address that the kernel is given. */
  readonly bases: readonly number[];
}

/** A definition of those that one was replaced by. Arguments are its parameters, and −1, −2, … for temporaries. */
interface Part extends Bound<number> {
  kernel: Kernel | null;
}

interface Temporary {
  readonly name: string;
  readonly elements: number;
  readonly type: 'f32' | 'i32';
}

/** What a definition becomes, for all that compute the same: names stand as places to be filled. */
interface Prepared {
  readonly parts: readonly Part[];
  readonly temporaries: readonly Temporary[];
}

/**
 * The definitions to schedule in place of one, with temporary buffers between them. `key` is the definition's; names in it
 * are places to be filled, `name` is that of the first which is met.
 */
export type Prepare = (
  bound: Bound<number>,
  temporary: NewTemporary<number>,
  about: { readonly key: string; readonly name: string },
) => readonly Bound<number>[];

export class KernelPool {
  private readonly target: Target;
  private readonly prepare: Prepare;
  private readonly byKey = new Map<string, Kernel>();
  private readonly prepared = new Map<string, Prepared>();
  private readonly names = new Map<string, number>();
  private readonly definitions = new Map<Kernel, KernelDefinition>();
  private readonly chains = new Map<string, Kernel>();
  private readonly sums = new Map<string, Kernel | null>();
  /** What kernels with sums were made of. */
  private readonly summed = new Map<Kernel, Summed>();

  constructor(
    target: Target,
    prepare: Prepare = (bound, temporary) => prepareContraction(bound, target, temporary),
  ) {
    this.target = target;
    this.prepare = prepare;
  }

  /**
   * The kernels that compute a definition, in order, with `temporary` buffers between them: earlier ones if they compute
   * the same, from addresses in the arguments for which `mayMove` allows it. With the definition over what it touches of
   * each, and its key.
   */
  calls<Arg>(
    { def: whole, args }: Bound<Arg>,
    temporary: NewTemporary<Arg>,
    mayMove: (arg: Arg) => boolean = () => false,
  ): {
    readonly key: string;
    readonly def: KernelDefinition;
    readonly calls: readonly KernelCall<Arg>[];
  } {
    const { def, bases } = moveBases(whole, (p) => p !== whole.flags && mayMove(args[p]!));
    const key = definitionKey(def);
    let prepared = this.prepared.get(key);
    if (!prepared) {
      prepared = prepareNamed(def, key, this.prepare);
      this.prepared.set(key, prepared);
    }
    const fill = (text: string): string =>
      text.replace(place, (_, i: string) => (i === '' ? def.name : def.params[Number(i)]!.name));
    const between = prepared.temporaries.map(({ name, elements, type }) =>
      temporary(fill(name), elements, type),
    );
    const calls = prepared.parts.map((part): KernelCall<Arg> => {
      const label = fill(part.def.name);
      if (part.kernel === null) {
        const params = part.def.params.map((p) => ({ ...p, name: fill(p.name) }));
        const isWhole = prepared.parts.length === 1 && part.def.given === undefined;
        const known = isWhole ? key : undefined;
        part.kernel = this.schedule({ ...part.def, name: label, params }, known);
      }
      return {
        label,
        kernel: part.kernel,
        args: part.args.map((a) => (a >= 0 ? args[a]! : between[-1 - a]!)),
        bases: part.args.map((a) => (a >= 0 ? bases[a]! : 0)),
      };
    });
    return { key, def, calls };
  }

  /** The kernel of a definition: an earlier one if it computes the same, else a new one with a name of its own. */
  schedule(def: KernelDefinition, key: string = definitionKey(def)): Kernel {
    const seen = this.byKey.get(key);
    if (seen) return seen;
    const kernel = scheduleKernel({ ...def, name: this.nameOf(def.name) }, this.target);
    this.byKey.set(key, kernel);
    this.definitions.set(kernel, def);
    return kernel;
  }

  /** Whether `withUnits` may give a kernel; where it is false, it gives none. */
  mayHaveUnits(kernel: Kernel, units: number): boolean {
    if (kernel.unit.extent === units) return true;
    const def = this.definitions.get(kernel);
    return def !== undefined && mayCutInto(def, units);
  }

  /**
   * Elements from the first to the last that each point of the kernel reads of a parameter, or fewer: only what its
   * reductions walk through, by themselves and whatever the point, is counted.
   */
  widthOfPoint(kernel: Kernel, param: number): number {
    const def = this.definitions.get(kernel);
    if (def === undefined) return 0;
    const loops = new Set(reductionsOf(def.stores).flatMap((r) => r.vars));
    let width = 0;
    for (const e of walkExprs(def.stores.map((s) => s.value))) {
      if (e.kind === 'guard') return 0;
      if (e.kind !== 'load' || e.param !== param) continue;
      const reach = e.index.terms.reduce(
        (n, { atom, coeff }) =>
          n + (atom.kind === 'var' && loops.has(atom) ? Math.abs(coeff) * (atom.extent - 1) : 0),
        1,
      );
      width = Math.max(width, reach);
    }
    return width;
  }

  /** The kernel with another number of units, if it can have it; null otherwise. It computes the same bits. */
  withUnits(kernel: Kernel, units: number): Kernel | null {
    if (kernel.unit.extent === units) return kernel;
    const def = this.definitions.get(kernel);
    const other = def === undefined ? null : withUnits(def, units);
    if (other === null) return null;
    const made = this.schedule(other);
    return made.unit.extent === units ? made : null;
  }

  /** Whether a kernel may be the second of a chain: its addresses are known before it runs, and it raises no flags. */
  mayFollow(kernel: Kernel): boolean {
    const def = this.definitions.get(kernel);
    return def === undefined ? hasKnownAddresses(kernel) : def.flags === null && definesKnownAddresses(def);
  }

  /** Both kernels as one (chain.ts): an earlier one if it is the same. */
  chain(a: Kernel, b: Kernel, shared: readonly (number | null)[]): Kernel {
    const key = `${a.name} ${b.name} ${shared.map((p) => p ?? '').join()}`;
    const seen = this.chains.get(key);
    if (seen) return seen;
    const kernel = chainKernels(a, b, shared, this.nameOf(`${a.name} then ${b.name}`));
    this.chains.set(key, kernel);
    return kernel;
  }

  /**
   * The kernel of a contraction, or of one with sums, and of sums over what it stores, added up while it is in registers
   * (schedule/summed.ts); null when that cannot be. Parameters as in a chain.
   */
  sumBelow(a: Kernel, b: Kernel, shared: readonly (number | null)[]): Kernel | null {
    const sums = this.definitions.get(b);
    const def = this.definitions.get(a);
    const first = this.summed.get(a) ?? (def && { def, sums: [] });
    if (!first || !sums || rowLength(sums) === null) return null;
    const key = `${a.name} ${b.name} ${shared.map((p) => p ?? '').join()}`;
    const seen = this.sums.get(key);
    if (seen !== undefined) return seen;
    const parts = addSums(first, sums, shared);
    const made = scheduleSummed(parts, this.target);
    const kernel = made && { ...made, name: this.nameOf(`${a.name} and ${b.name}`) };
    this.sums.set(key, kernel);
    if (kernel) this.summed.set(kernel, parts);
    return kernel;
  }

  /** Unique in a module. */
  private nameOf(label: string): string {
    const base = label.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'kernel';
    const count = this.names.get(base) ?? 0;
    this.names.set(base, count + 1);
    return count === 0 ? base : `${base}_${count + 1}`;
  }
}

/** The same of a definition, whose kernel need not be written for that. */
function definesKnownAddresses({ stores }: KernelDefinition): boolean {
  return (
    stores.every((s) => isStaticIndex(s.index)) &&
    walkExprs(stores.map((s) => s.value)).every((e) => indicesOf(e).every(isStaticIndex))
  );
}

/** Where the definition's name, or that of a parameter, goes. */
const place = /\0(\d*);/g;

function prepareNamed(def: KernelDefinition, key: string, prepare: Prepare): Prepared {
  const temporaries: Temporary[] = [];
  const named = { ...def, name: '\0;', params: def.params.map((p, i) => ({ ...p, name: `\0${i};` })) };
  const bound = { def: named, args: def.params.map((_, i) => i) };
  const temporary: NewTemporary<number> = (name, elements, type = 'f32') =>
    -temporaries.push({ name, elements, type });
  const parts = prepare(bound, temporary, { key, name: def.name });
  return { parts: parts.map((part) => ({ ...part, kernel: null })), temporaries };
}
