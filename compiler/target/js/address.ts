// Addresses and index sums of a kernel while its source is written: each part is computed in the outermost loop that knows
// it, under a name, and is found again by all that lies inside. In an innermost loop, addresses that move by more than one
// element per round become variables that the loop header steps.

import { type Atom, atomKey, indexRange, type LoopVar, type Term } from '../../kernel/affine.ts';
import type { Kernel } from '../../kernel/ir.ts';
import { makeSum, mentions, type Sum } from '../access.ts';
import type { Names } from './names.ts';

interface ActiveLoop {
  readonly v: LoopVar;
  readonly name: string;
}

export interface Step {
  readonly pointer: string;
  readonly by: number;
}

export class Addresses {
  readonly #kernel: Kernel;
  readonly #names: Names;
  readonly #line: (text: string) => void;
  readonly #bases = new Map<number, string>();
  /** Keys of sums and atoms → what holds them, of each open block. */
  readonly #known: Map<string, string>[] = [];
  /** Outermost first; the position is the level. */
  readonly #loops: ActiveLoop[] = [];

  constructor(kernel: Kernel, names: Names, line: (text: string) => void) {
    this.#kernel = kernel;
    this.#names = names;
    this.#line = line;
  }

  /** Names the constant that holds where a parameter starts. */
  declareBase(param: number): string {
    const name = this.#names.unique(this.#kernel.params[param]!.name);
    this.#bases.set(param, name);
    return name;
  }

  base(param: number): string {
    return this.#bases.get(param)!;
  }

  /** Opens a block of code: what is computed in it is known in it only. */
  enter(): void {
    this.#known.push(new Map());
  }

  leave(): void {
    this.#known.pop();
  }

  /** Names the variable of a loop and enters it. */
  enterLoop(v: LoopVar): string {
    const name = this.#names.unique(v.name);
    this.#loops.push({ v, name });
    return name;
  }

  leaveLoop(): void {
    this.#loops.pop();
  }

  /** What holds the sum, as terms joined by +; writes a line that computes it if nothing does. Empty: the sum is 0. */
  sum(sum: Sum): string {
    const { param, scale, terms } = sum;
    if (terms.length === 0) return param < 0 ? '' : this.base(param);
    const seen = this.#find(sum.key);
    if (seen !== undefined) return seen;
    const level = Math.max(...terms.map((t) => this.#level(t.atom)));
    const outer = terms.filter((t) => this.#level(t.atom) < level);
    const inner = terms.filter((t) => this.#level(t.atom) === level);
    let text = this.sum(makeSum(param, scale, outer, 0));
    for (const { coeff, atom } of inner) {
      const size = Math.abs(coeff);
      const part = size === 1 ? this.#atom(atom) : `${size} * ${this.#atom(atom)}`;
      if (text === '') text = coeff < 0 ? `-${part}` : part;
      else text += `${coeff < 0 ? ' - ' : ' + '}${part}`;
    }
    // One more addition is as good as a name.
    if (inner.length === 1 && inner[0]!.coeff === 1) return text;
    const name = this.#names.unique(param < 0 ? 'index' : `${this.base(param)}At`);
    this.#line(`const ${name} = ${text};`);
    this.#known.at(-1)!.set(sum.key, name);
    return name;
  }

  /**
   * In front of an innermost loop that was entered: a variable for an address that moves by several elements per round.
   * Null when the address is better computed, or does not move in equal steps.
   */
  pointer(sum: Sum, roundStep: number): Step | null {
    const { v } = this.#loops.at(-1)!;
    const changing = sum.terms.filter((t) => mentions(t.atom, v));
    const only = changing.length === 1 ? changing[0]! : null;
    if (sum.param < 0 || only?.atom.kind !== 'var' || only.coeff === 1) return null;
    const outer: readonly Term[] = sum.terms.filter((t) => t !== only);
    const from = this.sum(makeSum(sum.param, sum.scale, outer, 0));
    const pointer = this.#names.unique(`${this.base(sum.param)}At`);
    this.#line(`let ${pointer} = ${from};`);
    this.#known.at(-1)!.set(sum.key, pointer);
    return { pointer, by: only.coeff * roundStep };
  }

  #find(key: string): string | undefined {
    for (let i = this.#known.length - 1; i >= 0; i--) {
      const name = this.#known[i]!.get(key);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  #level(atom: Atom): number {
    if (atom.kind === 'var') return this.#loops.findIndex((l) => l.v.id === atom.id);
    if (atom.kind === 'value') throw new Error('internal: a run-time value has no level');
    return Math.max(-1, ...atom.x.terms.map((t) => this.#level(t.atom)));
  }

  #atom(atom: Atom): string {
    if (atom.kind === 'var') return this.#loops.find((l) => l.v.id === atom.id)!.name;
    if (atom.kind === 'value') throw new Error('internal: a run-time value is no part of an invariant sum');
    const key = atomKey(atom);
    const seen = this.#find(key);
    if (seen !== undefined) return seen;
    const terms = this.sum(makeSum(-1, 1, atom.x.terms, 0));
    const c = atom.x.constant;
    const x = c === 0 ? terms : terms === '' ? String(c) : `${terms} ${c < 0 ? '-' : '+'} ${Math.abs(c)}`;
    const name = this.#names.unique(atom.kind);
    this.#line(`const ${name} = ${divisionText(atom, x)};`);
    this.#known.at(-1)!.set(key, name);
    return name;
  }
}

/** Floor division or remainder of an index by a constant; `x` is the text of the index. */
export function divisionText(atom: Extract<Atom, { kind: 'div' | 'mod' }>, x: string): string {
  const whole = /^[A-Za-z0-9_$]+$/.test(x) ? x : `(${x})`;
  const isPositive = indexRange(atom.x).min >= 0;
  if (atom.kind === 'div')
    return isPositive ? `(${whole} / ${atom.by}) | 0` : `Math.floor(${whole} / ${atom.by})`;
  return isPositive ? `${whole} % ${atom.by}` : `((${whole} % ${atom.by}) + ${atom.by}) % ${atom.by}`;
}
