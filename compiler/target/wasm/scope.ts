// Locals of a kernel while its code is written: temporaries that are used again, and scopes of index sums that are
// already computed. A scope holds what is valid in one block of code and in the blocks inside it.

import { type Atom, atomKey, type LoopVar, type Term } from '../../kernel/affine.ts';
import { makeSum, mentions, type Sum } from '../access.ts';
import { divisionOf } from './division.ts';
import type { FunctionBuilder } from './encoder.ts';
import type { ValueType } from './opcodes.ts';

interface ActiveLoop {
  readonly v: LoopVar;
  readonly local: number;
}

interface Scope {
  /** Keys of sums and atoms → local. */
  readonly known: Map<string, number>;
  readonly owned: (readonly [ValueType, number])[];
}

export class Scopes {
  readonly #fn: FunctionBuilder;
  readonly #bases: ReadonlyMap<number, number>;
  readonly #scopes: Scope[] = [];
  /** Outermost first; the position is the level. */
  readonly #loops: ActiveLoop[] = [];
  /** By the number of the variable. */
  readonly #levels = new Map<number, number>();
  readonly #free: Record<ValueType, number[]> = { i32: [], v128: [] };
  readonly #temporaries: (readonly [ValueType, number])[] = [];

  /** `bases` are the locals with the addresses of the parameters. */
  constructor(fn: FunctionBuilder, bases: ReadonlyMap<number, number>) {
    this.#fn = fn;
    this.#bases = bases;
  }

  enter(): void {
    this.#scopes.push({ known: new Map(), owned: [] });
  }

  leave(): void {
    for (const [type, local] of this.#scopes.pop()!.owned) this.#free[type].push(local);
  }

  enterLoop(v: LoopVar, local: number): void {
    this.#levels.set(v.id, this.#loops.length);
    this.#loops.push({ v, local });
  }

  leaveLoop(): void {
    this.#levels.delete(this.#loops.pop()!.v.id);
  }

  /** A local that belongs to the current scope and may be used again after it. */
  local(type: ValueType, name: string): number {
    const local = this.#free[type].pop() ?? this.#fn.local(type, name);
    this.#scopes.at(-1)!.owned.push([type, local]);
    return local;
  }

  /** A local for intermediate results, free again after `endStatement`. */
  temporary(type: ValueType, name: string): number {
    const local = this.#free[type].pop() ?? this.#fn.local(type, name);
    this.#temporaries.push([type, local]);
    return local;
  }

  endStatement(): void {
    for (const [type, local] of this.#temporaries) this.#free[type].push(local);
    this.#temporaries.length = 0;
  }

  /** Declares that a local of the current scope holds the sum. */
  know(sum: Sum, local: number): void {
    this.#scopes.at(-1)!.known.set(sum.key, local);
  }

  /** The local that holds the sum; writes code that computes it if there is none. Null: the sum is 0. */
  sum(sum: Sum): number | null {
    const { param, scale, terms, bias } = sum;
    if (terms.length === 0 && bias === 0) return param < 0 ? null : this.#bases.get(param)!;
    const seen = this.#find(sum.key);
    if (seen !== undefined) return seen;
    const only = terms.length === 1 ? terms[0]! : null;
    if (param < 0 && only && scale * only.coeff === 1 && bias === 0) return this.#atom(only.atom);
    const level = this.#levelOf(terms);
    const outer: Term[] = [];
    const inner: Term[] = [];
    for (const t of terms) (this.#level(t.atom) < level ? outer : inner).push(t);
    const start = this.sum(makeSum(param, scale, outer, 0));
    const locals = inner.map((t) => this.#atom(t.atom));
    const code = this.#fn.body;
    if (start !== null) code.get(start);
    for (let i = 0; i < inner.length; i++) {
      code.get(locals[i]!);
      this.multiply(inner[i]!.coeff * scale);
      if (i > 0 || start !== null) code.op('i32.add');
    }
    if (bias !== 0) {
      code.i32(bias * scale);
      if (start !== null || inner.length > 0) code.op('i32.add');
    }
    const local = this.local('i32', param < 0 ? 'index' : `p${param}_`);
    code.set(local);
    this.know(sum, local);
    return local;
  }

  /** Multiplies the number on the stack. */
  multiply(factor: number): void {
    const code = this.#fn.body;
    if (factor === 1) return;
    const shift = Math.log2(factor);
    code.i32(Number.isInteger(shift) ? shift : factor);
    code.op(Number.isInteger(shift) ? 'i32.shl' : 'i32.mul');
  }

  /** The part of a sum that changes with the innermost loop, when that is one multiple of its variable. */
  stepOf(sum: Sum): { readonly coeff: number; readonly outer: readonly Term[] } | null {
    const v = this.#loops.at(-1)!.v;
    const changing = sum.terms.filter((t) => mentions(t.atom, v));
    const only = changing.length === 1 ? changing[0]! : null;
    if (only?.atom.kind !== 'var') return null;
    return { coeff: only.coeff, outer: sum.terms.filter((t) => t !== only) };
  }

  #find(key: string): number | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const local = this.#scopes[i]!.known.get(key);
      if (local !== undefined) return local;
    }
    return undefined;
  }

  #level(atom: Atom): number {
    if (atom.kind === 'var') return this.#levels.get(atom.id) ?? -1;
    if (atom.kind === 'value') throw new Error('a run-time value has no level');
    return this.#levelOf(atom.x.terms);
  }

  /** The highest. */
  #levelOf(terms: readonly Term[]): number {
    let level = -1;
    for (const t of terms) level = Math.max(level, this.#level(t.atom));
    return level;
  }

  /** The local that holds a variable, quotient or remainder. */
  #atom(atom: Atom): number {
    if (atom.kind === 'var') {
      const level = this.#levels.get(atom.id);
      if (level === undefined) throw new Error(`loop variable '${atom.name}' is used outside of its loop`);
      return this.#loops[level]!.local;
    }
    if (atom.kind === 'value') throw new Error('a run-time value is no part of an invariant sum');
    const key = atomKey(atom);
    const seen = this.#find(key);
    if (seen !== undefined) return seen;
    const code = this.#fn.body;
    const x = this.sum(makeSum(-1, 1, atom.x.terms, atom.x.constant));
    if (x === null) code.i32(0);
    else code.get(x);
    divisionOf(code, atom);
    const local = this.local('i32', atom.kind);
    code.set(local);
    this.#scopes.at(-1)!.known.set(key, local);
    return local;
  }
}
