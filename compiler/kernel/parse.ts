// Reads the text that print.ts writes. In: text of one kernel. Out: the kernel, loop variables and registers numbered in
// order of declaration. Invariant: printing what was parsed gives the same text.

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
import { KernelTokens } from './tokens.ts';

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

class Parser {
  readonly #tokens: KernelTokens;
  #ids = 0;
  readonly #params = new Map<string, number>();
  readonly #storage: StorageType[] = [];
  readonly #vars = new Map<string, LoopVar>();
  readonly #registers = new Map<string, Register>();
  #shared = new Map<string, Expr>();
  #values = new Map<Expr, number>();

  constructor(text: string) {
    this.#tokens = new KernelTokens(text);
  }

  kernel(): Kernel {
    this.#tokens.expect('kernel');
    const name = this.#tokens.string();
    this.#tokens.expect('schedule');
    const schedule = this.#tokens.string();
    this.#tokens.expect('cost');
    const flops = this.#tokens.integer();
    this.#tokens.expect('flops');
    this.#tokens.expect(',');
    const bytes = this.#tokens.integer();
    this.#tokens.expect('bytes');
    const params: KernelParam[] = [];
    while (this.#tokens.accept('param')) params.push(this.#param());
    const flags = this.#tokens.accept('flags') ? this.#paramNumber(this.#tokens.name()) : null;
    this.#tokens.expect('unit');
    const unit = this.#declareVar();
    const body = this.#block();
    if (!this.#tokens.isAtEnd()) throw this.#tokens.error('the end of the text');
    return { name, params, flags, unit, body, schedule, cost: { flops, bytes } };
  }

  #param(): KernelParam {
    const id = this.#tokens.name();
    this.#tokens.expect(':');
    const access = this.#tokens.oneOf(['read', 'write'], 'read or write') as KernelParam['access'];
    const storage = this.#tokens.oneOf(storageTypes, 'a storage type') as StorageType;
    this.#tokens.expect('[');
    const elements = this.#tokens.integer();
    this.#tokens.expect(']');
    const name = this.#tokens.peek().startsWith('"') ? this.#tokens.string() : id;
    this.#params.set(id, this.#storage.length);
    this.#storage.push(storage);
    return { name, storage, access, elements };
  }

  #block(): Stmt[] {
    this.#tokens.expect('{');
    const out: Stmt[] = [];
    while (!this.#tokens.accept('}')) out.push(this.#statement());
    return out;
  }

  #statement(): Stmt {
    this.#shared = new Map();
    this.#values = new Map();
    while (this.#tokens.peek().startsWith('$')) {
      const name = this.#tokens.take();
      this.#tokens.expect('=');
      this.#shared.set(name, this.#expr());
    }
    switch (this.#tokens.oneOf(['for', 'if', 'let', 'set', 'store'], 'a statement')) {
      case 'for': {
        const v = this.#declareVar();
        const step = this.#tokens.accept('step') ? this.#tokens.integer() : 1;
        const limit = this.#tokens.accept('below') ? this.#index() : constIndex(v.extent);
        return { kind: 'for', v, step, limit, body: this.#block() };
      }
      case 'if': {
        this.#tokens.expect('(');
        const conditions = this.#conditions();
        this.#tokens.expect(')');
        const body = this.#block();
        return { kind: 'if', conditions, body, otherwise: this.#tokens.accept('else') ? this.#block() : [] };
      }
      case 'let': {
        const id = this.#tokens.name();
        this.#tokens.expect(':');
        const type = this.#tokens.oneOf(scalarTypes, 'a type') as ScalarType;
        const lanes = this.#lanes();
        this.#tokens.expect('=');
        const value = this.#expr();
        const reg: Register = { name: baseName(id), type, id: this.#ids++ };
        this.#registers.set(id, reg);
        return { kind: 'let', reg, value, lanes };
      }
      case 'set': {
        const reg = this.#register(this.#tokens.name());
        const lanes = this.#lanes();
        this.#tokens.expect('=');
        return { kind: 'set', reg, value: this.#expr(), lanes };
      }
      default: {
        const param = this.#paramNumber(this.#tokens.name());
        const { index, laneStride } = this.#place();
        const lanes = this.#lanes();
        this.#tokens.expect('=');
        return { kind: 'store', param, index, value: this.#expr(), lanes, laneStride };
      }
    }
  }

  #lanes(): Lanes {
    return this.#tokens.accept('x4') ? 4 : this.#tokens.accept('x2') ? 2 : 1;
  }

  #declareVar(): LoopVar {
    const id = this.#tokens.name();
    this.#tokens.expect('of');
    const v: LoopVar = { kind: 'var', name: baseName(id), extent: this.#tokens.integer(), id: this.#ids++ };
    this.#vars.set(id, v);
    return v;
  }

  #expr(): Expr {
    const token = this.#tokens.take();
    if (token.startsWith('$')) {
      const shared = this.#shared.get(token);
      if (!shared) throw this.#tokens.error('an expression that was defined above', -1);
      return shared;
    }
    if (token === '-') return this.#number(this.#tokens.take(), -1);
    if (/^\d/.test(token) || token === 'inf' || token === 'nan') return this.#number(token, 1);
    if (token === 'true' || token === 'false') return constant('bool', token === 'true' ? 1 : 0);
    const after = this.#tokens.peek();
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
    if (Number.isNaN(value)) throw this.#tokens.error('a number', -1);
    return constant(type, sign * value);
  }

  #call(fn: string): Expr {
    this.#tokens.expect('(');
    const e = this.#arguments(fn);
    this.#tokens.expect(')');
    return e;
  }

  #arguments(fn: string): Expr {
    if (fn === 'guard') {
      const conditions = this.#conditions();
      this.#tokens.expect('?');
      const value = this.#expr();
      this.#tokens.expect(':');
      return { kind: 'guard', type: value.type, conditions, value, otherwise: this.#expr() };
    }
    if (fn === 'checkIndex') {
      const x = this.#expr();
      this.#tokens.expect(',');
      const size = this.#tokens.integer();
      this.#tokens.expect(',');
      return { kind: 'checkIndex', type: 'i32', x, size, site: this.#tokens.integer() };
    }
    if (fn === 'checkFinite') {
      const x = this.#expr();
      this.#tokens.expect(',');
      return { kind: 'checkFinite', type: 'f32', x, site: this.#tokens.integer() };
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
    if (!isBinary && !isCompare && fn !== 'select') throw this.#tokens.error('a function', -2);
    const x = this.#expr();
    this.#tokens.expect(',');
    const y = this.#expr();
    if (isBinary) return binary(fn as BinaryFunction, x, y);
    if (isCompare) return compare(fn as CompareFunction, x, y);
    this.#tokens.expect(',');
    return select(x, y, this.#expr());
  }

  #place(): { index: Index; laneStride: number } {
    this.#tokens.expect('[');
    const index = this.#index();
    const laneStride = this.#tokens.accept(':') ? this.#tokens.integer() : 0;
    this.#tokens.expect(']');
    return { index, laneStride };
  }

  #conditions(): Condition[] {
    const out: Condition[] = [];
    if (this.#tokens.peek() === ')' || this.#tokens.peek() === '?') return out;
    do {
      const index = this.#index();
      if (this.#tokens.accept('by')) out.push({ kind: 'divisible', index, by: this.#tokens.integer() });
      else {
        this.#tokens.expect('in');
        const lo = this.#tokens.integer();
        this.#tokens.expect('..');
        out.push({ kind: 'inRange', index, lo, hi: this.#tokens.integer() });
      }
    } while (this.#tokens.accept('&'));
    return out;
  }

  #index(): Index {
    const parts: Index[] = [];
    let sign = this.#tokens.accept('-') ? -1 : 1;
    for (;;) {
      parts.push(scaleIndex(this.#term(), sign));
      if (this.#tokens.accept('+')) sign = 1;
      else if (this.#tokens.accept('-')) sign = -1;
      else return addIndex(...parts);
    }
  }

  #term(): Index {
    if (!/^\d/.test(this.#tokens.peek())) return this.#atom();
    const n = this.#tokens.integer();
    return this.#tokens.accept('*') ? scaleIndex(this.#atom(), n) : constIndex(n);
  }

  #atom(): Index {
    if (this.#tokens.accept('(')) {
      const x = this.#index();
      this.#tokens.expect(')');
      if (this.#tokens.accept('/')) return atomIndex({ kind: 'div', x, by: this.#tokens.integer() });
      if (this.#tokens.accept('%')) return atomIndex({ kind: 'mod', x, by: this.#tokens.integer() });
      return x;
    }
    const name = this.#tokens.take();
    if (name === 'at' && this.#tokens.accept('(')) {
      const expr = this.#expr();
      this.#tokens.expect(',');
      const extent = this.#tokens.integer();
      this.#tokens.expect(')');
      const id = this.#values.get(expr) ?? this.#ids++;
      this.#values.set(expr, id);
      const atom: Atom = { kind: 'value', expr, extent, id };
      return atomIndex(atom);
    }
    const v = this.#vars.get(name);
    if (!v) throw this.#tokens.error('a loop variable', -1);
    return varIndex(v);
  }

  #register(id: string): Register {
    const reg = this.#registers.get(id);
    if (!reg) throw this.#tokens.error('a register', -1);
    return reg;
  }

  #paramNumber(id: string): number {
    const param = this.#params.get(id);
    if (param === undefined) throw this.#tokens.error('a parameter', -1);
    return param;
  }
}

function baseName(id: string): string {
  return id.replace(/\.\d+$/, '');
}

function splitOnce(name: string): [string, string] {
  const at = name.indexOf('_');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}
