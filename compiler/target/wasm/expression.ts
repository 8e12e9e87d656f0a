// Code of expressions. Every value is a vector of four 32-bit lanes on the stack; bool is a mask of ones or zeros.
// A shared expression object is computed once per statement and kept in a local, unless it was met inside a guard, of
// which only the chosen side runs: what is computed there is forgotten when the side ends.

import { compilerError } from '../../graph/errors.ts';
import type { Index, Term } from '../../kernel/affine.ts';
import { type Condition, childrenOf, type Expr, indicesOf } from '../../kernel/expr.ts';
import type { Kernel, Lanes } from '../../kernel/ir.ts';
import { countUses } from '../../kernel/uses.ts';
import { type Accesses, isDynamic, lowestLane, testedIndex } from '../access.ts';
import { emitBinary, emitConvert, emitHorizontal } from './arithmetic.ts';
import { emitCheckFinite, emitCheckIndex } from './checks.ts';
import { divisionOf } from './division.ts';
import type { Of, ValueEmitter } from './emitter.ts';
import type { Code, FunctionBuilder } from './encoder.ts';
import { emitLoad } from './load.ts';
import type { ValueType } from './opcodes.ts';
import { compareOps, constantBits, unaryOps } from './ops.ts';
import type { RareTests } from './rare-tests.ts';
import type { Scopes } from './scope.ts';
import { emitSelect } from './select.ts';

export class Expressions implements ValueEmitter {
  readonly kernel: Kernel;
  readonly relaxed: boolean;
  readonly #fn: FunctionBuilder;
  readonly #scopes: Scopes;
  readonly #accesses: Accesses;
  readonly #bases: ReadonlyMap<number, number>;
  /** Constants by their bits (or lanes): locals that the prologue sets. */
  readonly #constants = new Map<string, number>();
  readonly #registers = new Map<number, number>();

  #uses = new Map<Expr, number>();
  #kept: Map<Expr, number>[] = [new Map()];
  lanes: Lanes = 1;
  tests: RareTests | null = null;

  constructor(
    kernel: Kernel,
    fn: FunctionBuilder,
    scopes: Scopes,
    accesses: Accesses,
    bases: ReadonlyMap<number, number>,
    relaxed: boolean,
  ) {
    this.kernel = kernel;
    this.#fn = fn;
    this.#scopes = scopes;
    this.#accesses = accesses;
    this.#bases = bases;
    this.relaxed = relaxed;
  }

  /** Starts a statement that computes `lanes` lanes of expressions, and indices; ends with `end`. */
  begin(lanes: Lanes, roots: readonly Expr[], indices: readonly Index[] = []): void {
    this.lanes = lanes;
    this.#uses = isSmallTree(roots, indices) ? noUses : countUses(roots, indices);
    this.#kept = [new Map()];
  }

  end(): void {
    this.#scopes.endStatement();
  }

  get code(): Code {
    return this.#fn.body;
  }

  temporary(type: ValueType, name: string): number {
    return this.#scopes.temporary(type, name);
  }

  uses(e: Expr): number {
    return this.#uses.get(e) ?? 0;
  }

  flags(): number {
    const { flags } = this.kernel;
    if (flags === null) throw this.#internal('a check needs a flags parameter');
    return this.#bases.get(flags)!;
  }

  /** Says in which local a register lives. */
  bindRegister(id: number, local: number): void {
    this.#registers.set(id, local);
  }

  register(id: number): number {
    const local = this.#registers.get(id);
    if (local === undefined) throw this.#internal(`register ${id} is read before it is set`);
    return local;
  }

  /** Leaves the value on the stack. */
  emit(e: Expr): void {
    const code = this.#fn.body;
    if (e.kind === 'const') {
      code.get(this.splat(constantBits(e.type, e.value)));
      return;
    }
    if (e.kind === 'reg') {
      code.get(this.register(e.reg.id));
      return;
    }
    for (let i = this.#kept.length - 1; i >= 0; i--) {
      const local = this.#kept[i]!.get(e);
      if (local !== undefined) {
        code.get(local);
        return;
      }
    }
    this.#compute(e);
    if ((this.#uses.get(e) ?? 0) < 2) return;
    const local = this.#scopes.temporary('v128', 'v');
    code.tee(local);
    this.#kept.at(-1)!.set(e, local);
  }

  /** The local with the same 32 bits in all lanes. */
  splat(bits: number): number {
    return this.constants([bits, bits, bits, bits]);
  }

  constants(lanes: readonly [number, number, number, number]): number {
    const key = lanes.join();
    const seen = this.#constants.get(key);
    if (seen !== undefined) return seen;
    const local = this.#fn.local('v128', 'c');
    this.#fn.prologue.v128(lanes);
    this.#fn.prologue.set(local);
    this.#constants.set(key, local);
    return local;
  }

  /** Leaves 1 on the stack where all conditions hold, else 0. */
  conditions(list: readonly Condition[]): void {
    const code = this.#fn.body;
    if (list.length === 0) code.i32(1);
    list.forEach((c, i) => {
      const index = testedIndex(c);
      this.plainIndex(index, c.kind === 'inRange' ? -c.lo : 0);
      if (c.kind === 'inRange') {
        code.i32(Math.max(0, c.hi - c.lo));
        code.op('i32.lt_u');
      } else code.op('i32.eqz');
      if (i > 0) code.op('i32.and');
    });
  }

  /** Leaves the index plus `extra` on the stack, as an i32. */
  plainIndex(index: Index, extra = 0): void {
    const code = this.#fn.body;
    const local = this.#scopes.sum(this.#accesses.plain(index));
    const constantPart = index.constant + extra;
    let pushed = local !== null;
    if (local !== null) code.get(local);
    for (const t of index.terms.filter((x) => isDynamic(x.atom))) {
      this.#dynamicTerm(t, 1);
      if (pushed) code.op('i32.add');
      pushed = true;
    }
    if (constantPart !== 0 || !pushed) {
      code.i32(constantPart);
      if (pushed) code.op('i32.add');
    }
  }

  /** The local with the address of an access, and the immediate to add. */
  pointer(param: number, index: Index, laneStride: number): { local: number; offset: number } {
    const access = this.#accesses.of(param, index, lowestLane(laneStride, this.lanes));
    if (access.dynamic.length === 0) return { local: this.#scopes.sum(access.sum)!, offset: access.offset };
    const code = this.#fn.body;
    code.get(this.#scopes.sum(access.sum)!);
    for (const t of access.dynamic) {
      this.#dynamicTerm(t, access.sum.scale);
      code.op('i32.add');
    }
    const local = this.#scopes.temporary('i32', `p${param}_`);
    code.set(local);
    return { local, offset: access.offset };
  }

  /** A term whose value is known only now. */
  #dynamicTerm(t: Term, scale: number): void {
    const code = this.#fn.body;
    const { atom } = t;
    if (atom.kind === 'value') {
      this.emit(atom.expr);
      code.lane('i32x4.extract_lane', 0);
    } else if (atom.kind !== 'var') {
      this.plainIndex(atom.x);
      divisionOf(code, atom);
    }
    this.#scopes.multiply(t.coeff * scale);
  }

  #compute(e: Exclude<Expr, Of<'const'> | Of<'reg'>>): void {
    const code = this.#fn.body;
    switch (e.kind) {
      case 'load':
        emitLoad(this, e);
        break;
      case 'index':
        this.#index(e);
        break;
      case 'unary': {
        if (e.fn === 'neg' && e.type === 'f32' && e.x.kind === 'unary' && e.x.fn === 'abs') {
          this.emit(e.x.x);
          code.get(this.splat(0x80000000));
          code.op('v128.or');
          break;
        }
        const op = unaryOps[e.type][e.fn];
        if (op === undefined) throw this.unknown(`${e.fn} of ${e.type}`);
        this.emit(e.x);
        code.op(op);
        break;
      }
      case 'binary':
        emitBinary(this, e);
        break;
      case 'compare':
        this.emit(e.x);
        this.emit(e.y);
        code.op(compareOps[e.operandType][e.fn]);
        break;
      case 'select':
        emitSelect(this, e);
        break;
      case 'convert':
        this.emit(e.x);
        emitConvert(this, e.from, e.type);
        break;
      case 'bitcast':
        this.emit(e.x);
        break;
      case 'guard':
        this.conditions(e.conditions);
        code.if('v128');
        this.side(e.value);
        code.else();
        this.side(e.otherwise);
        code.end();
        break;
      case 'checkIndex':
        emitCheckIndex(this, e);
        break;
      case 'checkFinite':
        emitCheckFinite(this, e);
        break;
      case 'horizontal':
        emitHorizontal(this, e);
        break;
      case 'reduce':
      case 'argmax':
        throw this.unknown(`a reduction that was not scheduled (${e.kind})`);
      default:
        e satisfies never;
    }
  }

  side(e: Expr): void {
    this.#scopes.enter();
    this.#kept.push(new Map());
    this.emit(e);
    this.#kept.pop();
    this.#scopes.leave();
  }

  #index(e: Of<'index'>): void {
    const code = this.#fn.body;
    const stride = this.lanes > 1 ? e.laneStride : 0;
    const moving: Index = { constant: 0, terms: e.index.terms };
    const c = e.index.constant;
    this.plainIndex(moving);
    code.op('i32x4.splat');
    if (c === 0 && stride === 0) return;
    code.get(this.constants([c >>> 0, (c + stride) >>> 0, (c + 2 * stride) >>> 0, (c + 3 * stride) >>> 0]));
    code.op('i32x4.add');
  }

  /** The local that holds a value. */
  toLocal(e: Expr): number {
    const code = this.#fn.body;
    if (e.kind === 'reg') return this.register(e.reg.id);
    if (e.kind === 'const') return this.splat(constantBits(e.type, e.value));
    for (let i = this.#kept.length - 1; i >= 0; i--) {
      const local = this.#kept[i]!.get(e);
      if (local !== undefined) return local;
    }
    this.#compute(e);
    const local = this.#scopes.temporary('v128', 'v');
    code.set(local);
    this.#kept.at(-1)!.set(e, local);
    return local;
  }

  unknown(what: string): Error {
    return compilerError('HDL0017', {
      what: `kernel '${this.kernel.name}' computes ${what}`,
      rule: 'the wasm target has no code for it',
    });
  }

  #internal(what: string): Error {
    return compilerError('HDL0099', { what: `internal: kernel '${this.kernel.name}': ${what}` });
  }
}

const noUses: Map<Expr, number> = new Map();

/** Whether nothing can be shared, as a quick look tells: most statements are a load, or one multiply and add. */
function isSmallTree(roots: readonly Expr[], indices: readonly Index[]): boolean {
  const met: Expr[] = [];
  const isStatic = (i: Index): boolean => i.terms.every((t) => !isDynamic(t.atom));
  const visit = (e: Expr): boolean => {
    if (e.kind === 'const' || e.kind === 'reg') return true;
    if (met.length === 8 || met.includes(e) || !indicesOf(e).every(isStatic)) return false;
    met.push(e);
    return childrenOf(e).every(visit);
  };
  return indices.every(isStatic) && roots.every(visit);
}
