// Reads the text that print.ts writes. In: text of one kernel. Out: the kernel, loop variables and registers numbered in
// order of declaration. Invariant: printing what was parsed gives the same text.

import { compilerError } from '../graph/errors.ts';
import {
  type Atom,
  addIndex,
  atomIndex,
  constIndex,
  type Index,
  type LoopVar,
  scaleIndex,
  varIndex,
} from './affine.ts';
import {
  type BinaryFunction,
  binary,
  binaryFunctions,
  bitcast,
  type CompareFunction,
  type Condition,
  compare,
  compareFunctions,
  constant,
  type Expr,
  type Monoid,
  type Register,
  type ScalarType,
  type StorageType,
  select,
  type UnaryFunction,
  unary,
  unaryFunctions,
} from './expr.ts';
import type { Kernel, KernelParam, Lanes, Stmt } from './ir.ts';

const scalarTypes: readonly string[] = ['f32', 'i32', 'u32', 'bool'];
const storageTypes: readonly string[] = [...scalarTypes, 'u8'];
const monoids: readonly string[] = ['sum', 'prod', 'max', 'min', 'any', 'all'];

/**
 * The kernel that the text describes. Throws HDL0006, with line and column, for text that is not a kernel. The kernel is
 * not verified.
 *
 * @example
 * parseKernel(printKernel(kernel)) // the same kernel, renumbered
 */
export function parseKernel(text: string): Kernel {
  return new Parser(text).kernel();
}

interface Token {
  readonly text: string;
  readonly at: number;
}

const pattern =
  /\s+|("(?:[^"\\]|\\.)*"|\$\d+|[A-Za-z_][A-Za-z0-9_]*(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?[iu]?|\.\.|[^\s])/gy;

class Parser {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #next = 0;
  #ids = 0;
  readonly #params = new Map<string, number>();
  readonly #storage: StorageType[] = [];
  readonly #vars = new Map<string, LoopVar>();
  readonly #registers = new Map<string, Register>();
  #shared = new Map<string, Expr>();
  #values = new Map<Expr, number>();

  constructor(text: string) {
    this.#text = text;
    for (const match of text.matchAll(pattern)) {
      if (match[1] !== undefined) this.#tokens.push({ text: match[1], at: match.index });
    }
  }

  kernel(): Kernel {
    this.#expect('kernel');
    const name = this.#string();
    this.#expect('schedule');
    const schedule = this.#string();
    this.#expect('cost');
    const flops = this.#integer();
    this.#expect('flops');
    this.#expect(',');
    const bytes = this.#integer();
    this.#expect('bytes');
    const params: KernelParam[] = [];
    while (this.#accept('param')) params.push(this.#param());
    const flags = this.#accept('flags') ? this.#paramNumber(this.#name()) : null;
    this.#expect('unit');
    const unit = this.#declareVar();
    const body = this.#block();
    if (this.#next < this.#tokens.length) throw this.#error('the end of the text');
    return { name, params, flags, unit, body, schedule, cost: { flops, bytes } };
  }

  #param(): KernelParam {
    const id = this.#name();
    this.#expect(':');
    const access = this.#oneOf(['read', 'write'], 'read or write') as KernelParam['access'];
    const storage = this.#oneOf(storageTypes, 'a storage type') as StorageType;
    this.#expect('[');
    const elements = this.#integer();
    this.#expect(']');
    const name = this.#peek().startsWith('"') ? this.#string() : id;
    this.#params.set(id, this.#storage.length);
    this.#storage.push(storage);
    return { name, storage, access, elements };
  }

  #block(): Stmt[] {
    this.#expect('{');
    const out: Stmt[] = [];
    while (!this.#accept('}')) out.push(this.#statement());
    return out;
  }

  #statement(): Stmt {
    this.#shared = new Map();
    this.#values = new Map();
    while (this.#peek().startsWith('$')) {
      const name = this.#take();
      this.#expect('=');
      this.#shared.set(name, this.#expr());
    }
    switch (this.#oneOf(['for', 'if', 'let', 'set', 'store'], 'a statement')) {
      case 'for': {
        const v = this.#declareVar();
        const step = this.#accept('step') ? this.#integer() : 1;
        const limit = this.#accept('below') ? this.#index() : constIndex(v.extent);
        return { kind: 'for', v, step, limit, body: this.#block() };
      }
      case 'if': {
        this.#expect('(');
        const conditions = this.#conditions();
        this.#expect(')');
        const body = this.#block();
        return { kind: 'if', conditions, body, otherwise: this.#accept('else') ? this.#block() : [] };
      }
      case 'let': {
        const id = this.#name();
        this.#expect(':');
        const type = this.#oneOf(scalarTypes, 'a type') as ScalarType;
        const lanes = this.#lanes();
        this.#expect('=');
        const value = this.#expr();
        const reg: Register = { name: baseName(id), type, id: this.#ids++ };
        this.#registers.set(id, reg);
        return { kind: 'let', reg, value, lanes };
      }
      case 'set': {
        const reg = this.#register(this.#name());
        const lanes = this.#lanes();
        this.#expect('=');
        return { kind: 'set', reg, value: this.#expr(), lanes };
      }
      default: {
        const param = this.#paramNumber(this.#name());
        const { index, laneStride } = this.#place();
        const lanes = this.#lanes();
        this.#expect('=');
        return { kind: 'store', param, index, value: this.#expr(), lanes, laneStride };
      }
    }
  }

  #lanes(): Lanes {
    return this.#accept('x4') ? 4 : this.#accept('x2') ? 2 : 1;
  }

  #declareVar(): LoopVar {
    const id = this.#name();
    this.#expect('of');
    const v: LoopVar = { kind: 'var', name: baseName(id), extent: this.#integer(), id: this.#ids++ };
    this.#vars.set(id, v);
    return v;
  }

  #expr(): Expr {
    const token = this.#take();
    if (token.startsWith('$')) {
      const shared = this.#shared.get(token);
      if (!shared) throw this.#error('an expression that was defined above', -1);
      return shared;
    }
    if (token === '-') return this.#number(this.#take(), -1);
    if (/^\d/.test(token) || token === 'inf' || token === 'nan') return this.#number(token, 1);
    if (token === 'true' || token === 'false') return constant('bool', token === 'true' ? 1 : 0);
    const after = this.#peek();
    if (after === '(') return this.#call(token);
    if (after === '[') {
      const { index, laneStride } = this.#place();
      if (token === 'index') return { kind: 'index', type: 'i32', index, laneStride };
      const param = this.#paramNumber(token);
      const storage = this.#storage[param]!;
      return { kind: 'load', type: storage === 'u8' ? 'u32' : storage, param, index, laneStride };
    }
    const reg = this.#register(token);
    return { kind: 'reg', type: reg.type, reg };
  }

  #number(token: string, sign: 1 | -1): Expr {
    if (token === 'inf') return constant('f32', sign * Number.POSITIVE_INFINITY);
    if (token === 'nan') return constant('f32', Number.NaN);
    const suffix = token.at(-1);
    const type = suffix === 'i' ? 'i32' : suffix === 'u' ? 'u32' : 'f32';
    const value = Number(type === 'f32' ? token : token.slice(0, -1));
    if (Number.isNaN(value)) throw this.#error('a number', -1);
    return constant(type, sign * value);
  }

  #call(fn: string): Expr {
    this.#expect('(');
    const e = this.#arguments(fn);
    this.#expect(')');
    return e;
  }

  #arguments(fn: string): Expr {
    if (fn === 'guard') {
      const conditions = this.#conditions();
      this.#expect('?');
      const value = this.#expr();
      this.#expect(':');
      return { kind: 'guard', type: value.type, conditions, value, otherwise: this.#expr() };
    }
    if (fn === 'checkIndex') {
      const x = this.#expr();
      this.#expect(',');
      const size = this.#integer();
      this.#expect(',');
      return { kind: 'checkIndex', type: 'i32', x, size, site: this.#integer() };
    }
    if (fn === 'checkFinite') {
      const x = this.#expr();
      this.#expect(',');
      return { kind: 'checkFinite', type: 'f32', x, site: this.#integer() };
    }
    if ((unaryFunctions as readonly string[]).includes(fn)) return unary(fn as UnaryFunction, this.#expr());
    const [head, tail] = splitOnce(fn);
    if (head === 'to' && scalarTypes.includes(tail)) {
      const x = this.#expr();
      return { kind: 'convert', type: tail as ScalarType, from: x.type, x };
    }
    if (head === 'bits' && scalarTypes.includes(tail)) return bitcast(tail as ScalarType, this.#expr());
    if (head === 'horizontal' && monoids.includes(tail)) {
      const x = this.#expr();
      return { kind: 'horizontal', type: x.type, monoid: tail as Monoid, x };
    }
    const isBinary = (binaryFunctions as readonly string[]).includes(fn);
    const isCompare = (compareFunctions as readonly string[]).includes(fn);
    if (!isBinary && !isCompare && fn !== 'select') throw this.#error('a function', -2);
    const x = this.#expr();
    this.#expect(',');
    const y = this.#expr();
    if (isBinary) return binary(fn as BinaryFunction, x, y);
    if (isCompare) return compare(fn as CompareFunction, x, y);
    this.#expect(',');
    return select(x, y, this.#expr());
  }

  #place(): { index: Index; laneStride: number } {
    this.#expect('[');
    const index = this.#index();
    const laneStride = this.#accept(':') ? this.#integer() : 0;
    this.#expect(']');
    return { index, laneStride };
  }

  #conditions(): Condition[] {
    const out: Condition[] = [];
    if (this.#peek() === ')' || this.#peek() === '?') return out;
    do {
      const index = this.#index();
      if (this.#accept('by')) out.push({ kind: 'divisible', index, by: this.#integer() });
      else {
        this.#expect('in');
        const lo = this.#integer();
        this.#expect('..');
        out.push({ kind: 'inRange', index, lo, hi: this.#integer() });
      }
    } while (this.#accept('&'));
    return out;
  }

  #index(): Index {
    const parts: Index[] = [];
    let sign = this.#accept('-') ? -1 : 1;
    for (;;) {
      parts.push(scaleIndex(this.#term(), sign));
      if (this.#accept('+')) sign = 1;
      else if (this.#accept('-')) sign = -1;
      else return addIndex(...parts);
    }
  }

  #term(): Index {
    if (!/^\d/.test(this.#peek())) return this.#atom();
    const n = this.#integer();
    return this.#accept('*') ? scaleIndex(this.#atom(), n) : constIndex(n);
  }

  #atom(): Index {
    if (this.#accept('(')) {
      const x = this.#index();
      this.#expect(')');
      if (this.#accept('/')) return atomIndex({ kind: 'div', x, by: this.#integer() });
      if (this.#accept('%')) return atomIndex({ kind: 'mod', x, by: this.#integer() });
      return x;
    }
    const name = this.#take();
    if (name === 'at' && this.#accept('(')) {
      const expr = this.#expr();
      this.#expect(',');
      const extent = this.#integer();
      this.#expect(')');
      const id = this.#values.get(expr) ?? this.#ids++;
      this.#values.set(expr, id);
      const atom: Atom = { kind: 'value', expr, extent, id };
      return atomIndex(atom);
    }
    const v = this.#vars.get(name);
    if (!v) throw this.#error('a loop variable', -1);
    return varIndex(v);
  }

  #register(id: string): Register {
    const reg = this.#registers.get(id);
    if (!reg) throw this.#error('a register', -1);
    return reg;
  }

  #paramNumber(id: string): number {
    const param = this.#params.get(id);
    if (param === undefined) throw this.#error('a parameter', -1);
    return param;
  }

  #name(): string {
    if (!/^[A-Za-z_]/.test(this.#peek())) throw this.#error('a name');
    return this.#take();
  }

  #string(): string {
    if (!this.#peek().startsWith('"')) throw this.#error('a text in quotes');
    return JSON.parse(this.#take()) as string;
  }

  #integer(): number {
    const sign = this.#accept('-') ? -1 : 1;
    if (!/^\d+(\.\d+)?(e[+-]?\d+)?$/.test(this.#peek())) throw this.#error('a number');
    return sign * Number(this.#take());
  }

  #oneOf(words: readonly string[], what: string): string {
    if (!words.includes(this.#peek())) throw this.#error(what);
    return this.#take();
  }

  #accept(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#error(`'${text}'`);
  }

  #peek(): string {
    return this.#tokens[this.#next]?.text ?? '';
  }

  #take(): string {
    return this.#tokens[this.#next++]?.text ?? '';
  }

  #error(wanted: string, back = 0): Error {
    const token = this.#tokens[this.#next + back];
    const before = this.#text.slice(0, token?.at ?? this.#text.length).split('\n');
    return compilerError('HDL0006', {
      what: `kernel text has ${token ? `'${token.text}'` : 'its end'} where ${wanted} should be`,
      loc: { file: 'kernel', line: before.length, column: before.at(-1)!.length + 1 },
    });
  }
}

function baseName(id: string): string {
  return id.replace(/\.\d+$/, '');
}

function splitOnce(name: string): [string, string] {
  const at = name.indexOf('_');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}
