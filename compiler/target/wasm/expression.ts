// Code of expressions. Every value is a vector of four 32-bit lanes on the stack; bool is a mask of ones or zeros.
// A shared expression object is computed once per statement and kept in a local, unless it was met inside a guard, of
// which only the chosen side runs: what is computed there is forgotten when the side ends.

import { compilerError } from '../../graph/errors.ts';
import type { Index, Term } from '../../kernel/affine.ts';
import {
  type Condition,
  childrenOf,
  combiner,
  constant,
  type Expr,
  indicesOf,
  type Monoid,
  type ScalarType,
} from '../../kernel/expr.ts';
import type { Kernel } from '../../kernel/ir.ts';
import { countUses } from '../../kernel/uses.ts';
import { type Accesses, isDynamic, lowestLane, testedIndex } from './access.ts';
import { divisionOf } from './division.ts';
import type { FunctionBuilder } from './encoder.ts';
import { emitIntegerLane } from './integer.ts';
import { binaryOps, compareOps, constantBits, lanewiseFunctions, unaryOps } from './ops.ts';
import type { Scopes } from './scope.ts';

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

/** Byte order that moves each lane's neighbour (by `distance` lanes, exclusive or) into its place. */
const swapLanes = (distance: number): number[] =>
  Array.from({ length: 16 }, (_, i) => (((i >> 2) ^ distance) << 2) | (i & 3));
const splatFirst = Array.from({ length: 16 }, (_, i) => i & 3);

export class Expressions {
  readonly #kernel: Kernel;
  readonly #fn: FunctionBuilder;
  readonly #scopes: Scopes;
  readonly #accesses: Accesses;
  readonly #relaxed: boolean;
  readonly #bases: ReadonlyMap<number, number>;
  /** Constants by their bits (or lanes): locals that the prologue sets. */
  readonly #constants = new Map<string, number>();
  readonly #registers = new Map<number, number>();

  #uses = new Map<Expr, number>();
  #kept: Map<Expr, number>[] = [new Map()];
  #lanes: 1 | 4 = 1;

  constructor(
    kernel: Kernel,
    fn: FunctionBuilder,
    scopes: Scopes,
    accesses: Accesses,
    bases: ReadonlyMap<number, number>,
    relaxed: boolean,
  ) {
    this.#kernel = kernel;
    this.#fn = fn;
    this.#scopes = scopes;
    this.#accesses = accesses;
    this.#bases = bases;
    this.#relaxed = relaxed;
  }

  /** Starts a statement that computes `lanes` lanes of expressions, and indices; ends with `end`. */
  begin(lanes: 1 | 4, roots: readonly Expr[], indices: readonly Index[] = []): void {
    this.#lanes = lanes;
    this.#uses = isSmallTree(roots, indices) ? noUses : countUses(roots, indices);
    this.#kept = [new Map()];
  }

  end(): void {
    this.#scopes.endStatement();
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
    const access = this.#accesses.of(param, index, lowestLane(laneStride, this.#lanes));
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
        this.#load(e);
        break;
      case 'index':
        this.#index(e);
        break;
      case 'unary': {
        const op = unaryOps[e.type][e.fn];
        if (op === undefined) throw this.#unknown(`${e.fn} of ${e.type}`);
        this.emit(e.x);
        code.op(op);
        break;
      }
      case 'binary':
        this.#binary(e);
        break;
      case 'compare':
        this.emit(e.x);
        this.emit(e.y);
        code.op(compareOps[e.operandType][e.fn]);
        break;
      case 'select':
        this.emit(e.x);
        this.emit(e.y);
        this.emit(e.cond);
        code.op('v128.bitselect');
        break;
      case 'convert':
        this.emit(e.x);
        this.#convert(e.from, e.type);
        break;
      case 'bitcast':
        this.emit(e.x);
        break;
      case 'guard':
        this.conditions(e.conditions);
        code.if('v128');
        this.#side(e.value);
        code.else();
        this.#side(e.otherwise);
        code.end();
        break;
      case 'checkIndex':
        this.#checkIndex(e);
        break;
      case 'checkFinite':
        this.#checkFinite(e);
        break;
      case 'horizontal':
        this.#horizontal(e);
        break;
      case 'reduce':
      case 'argmax':
        throw this.#unknown(`a reduction that was not scheduled (${e.kind})`);
      default:
        e satisfies never;
    }
  }

  #side(e: Expr): void {
    this.#scopes.enter();
    this.#kept.push(new Map());
    this.emit(e);
    this.#kept.pop();
    this.#scopes.leave();
  }

  #load(e: Of<'load'>): void {
    const code = this.#fn.body;
    const { storage } = this.#kernel.params[e.param]!;
    const { local, offset } = this.pointer(e.param, e.index, e.laneStride);
    const isByte = storage === 'bool' || storage === 'u8';
    const single = this.#lanes === 1;
    if (!isByte && (single || e.laneStride === 0 || e.laneStride === 1)) {
      code.get(local);
      code.memory(
        single ? 'v128.load32_zero' : e.laneStride === 0 ? 'v128.load32_splat' : 'v128.load',
        offset,
      );
      return;
    }
    if (single || e.laneStride === 0) {
      code.get(local);
      code.memory('i32.load8_u', offset);
      code.op('i32x4.splat');
    } else if (isByte && e.laneStride === 1) {
      code.get(local);
      code.memory('v128.load32_zero', offset);
      code.op('i16x8.extend_low_i8x16_u');
      code.op('i32x4.extend_low_i16x8_u');
    } else {
      const bytes = isByte ? 1 : 4;
      const start = lowestLane(e.laneStride, 4);
      const at = (lane: number): number => offset + (lane * e.laneStride - start) * bytes;
      code.get(local);
      code.memory(isByte ? 'i32.load8_u' : 'v128.load32_zero', at(0));
      if (isByte) code.op('i32x4.splat');
      const gathered = this.#scopes.temporary('v128', 'v');
      for (let lane = 1; lane < 4; lane++) {
        if (isByte) {
          code.get(local);
          code.memory('i32.load8_u', at(lane));
          code.lane('i32x4.replace_lane', lane);
        } else {
          code.set(gathered);
          code.get(local);
          code.get(gathered);
          code.memory('v128.load32_lane', at(lane), lane);
        }
      }
    }
    if (storage === 'bool') {
      code.get(this.splat(0));
      code.op('i32x4.ne');
    }
  }

  #index(e: Of<'index'>): void {
    const code = this.#fn.body;
    const stride = this.#lanes === 4 ? e.laneStride : 0;
    const moving: Index = { constant: 0, terms: e.index.terms };
    const c = e.index.constant;
    this.plainIndex(moving);
    code.op('i32x4.splat');
    if (c === 0 && stride === 0) return;
    code.get(this.constants([c >>> 0, (c + stride) >>> 0, (c + 2 * stride) >>> 0, (c + 3 * stride) >>> 0]));
    code.op('i32x4.add');
  }

  #binary(e: Of<'binary'>): void {
    const code = this.#fn.body;
    if (this.#relaxed && e.type === 'f32' && this.#fused(e)) return;
    const op = binaryOps[e.type][e.fn];
    if (op !== undefined) {
      this.emit(e.x);
      this.emit(e.y);
      code.op(op);
      return;
    }
    if (e.type === 'f32' && (e.fn === 'min' || e.fn === 'max')) {
      this.#extreme(e, e.fn);
      return;
    }
    if (e.type === 'f32' || e.type === 'bool' || !lanewiseFunctions.has(e.fn))
      throw this.#unknown(`${e.fn} of ${e.type}`);
    if ((e.fn === 'shl' || e.fn === 'shr') && e.y.kind === 'const') {
      this.emit(e.x);
      code.i32(e.y.value & 31);
      code.op(e.fn === 'shl' ? 'i32x4.shl' : e.type === 'i32' ? 'i32x4.shr_s' : 'i32x4.shr_u');
      return;
    }
    if (e.type === 'u32' && e.y.kind === 'const' && Number.isInteger(Math.log2(e.y.value))) {
      this.emit(e.x);
      if (e.fn === 'mod') {
        code.get(this.splat(e.y.value - 1));
        code.op('v128.and');
      } else {
        code.i32(Math.log2(e.y.value));
        code.op('i32x4.shr_u');
      }
      return;
    }
    const x = this.#toLocal(e.x);
    const y = this.#toLocal(e.y);
    const a = this.#scopes.temporary('i32', 'a');
    const b = this.#scopes.temporary('i32', 'b');
    code.get(x);
    for (let lane = 0; lane < this.#lanes; lane++) {
      code.get(x);
      code.lane('i32x4.extract_lane', lane);
      code.set(a);
      code.get(y);
      code.lane('i32x4.extract_lane', lane);
      code.set(b);
      emitIntegerLane(code, e.fn, e.type, a, b);
      code.lane('i32x4.replace_lane', lane);
    }
  }

  /** a · b + c (or c − a · b) in one instruction; false when the expression has another form. */
  #fused(e: Of<'binary'>): boolean {
    if (e.fn !== 'add' && e.fn !== 'sub') return false;
    const isProduct = (p: Expr): p is Of<'binary'> =>
      p.kind === 'binary' && p.fn === 'mul' && (this.#uses.get(p) ?? 0) < 2;
    const product = isProduct(e.y) ? e.y : e.fn === 'add' && isProduct(e.x) ? e.x : null;
    if (product === null) return false;
    this.emit(product.x);
    this.emit(product.y);
    this.emit(product === e.y ? e.x : e.y);
    this.#fn.body.op(e.fn === 'add' ? 'f32x4.relaxed_madd' : 'f32x4.relaxed_nmadd');
    return true;
  }

  /** NaN when either is NaN; x when they are equal. pmax(x, y) is x where x < y fails, so it keeps a NaN of x only. */
  #extreme(e: Of<'binary'>, fn: 'min' | 'max'): void {
    const code = this.#fn.body;
    const op = fn === 'min' ? 'f32x4.pmin' : 'f32x4.pmax';
    if (e.y.kind === 'const' && !Number.isNaN(e.y.value)) {
      this.emit(e.x);
      this.emit(e.y);
      code.op(op);
      return;
    }
    const x = this.#toLocal(e.x);
    const y = this.#toLocal(e.y);
    code.get(x);
    code.get(y);
    code.op(op);
    this.#keepNaN(y);
  }

  /** Replaces lanes of the vector on the stack by NaN where `y` is NaN: a mask of ones is one. */
  #keepNaN(y: number): void {
    const code = this.#fn.body;
    code.get(y);
    code.get(y);
    code.op('f32x4.ne');
    code.op('v128.or');
  }

  /** The local that holds a value. */
  #toLocal(e: Expr): number {
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

  #convert(from: ScalarType, to: ScalarType): void {
    const code = this.#fn.body;
    if (from === to) return;
    if (to === 'bool') {
      code.get(this.splat(0));
      code.op(from === 'f32' ? 'f32x4.ne' : 'i32x4.ne');
    } else if (from === 'bool') {
      code.get(this.splat(constantBits(to, 1)));
      code.op('v128.and');
    } else if (from === 'f32') {
      code.op(to === 'i32' ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f32x4_u');
    } else if (to === 'f32') {
      code.op(from === 'i32' ? 'f32x4.convert_i32x4_s' : 'f32x4.convert_i32x4_u');
    }
  }

  #horizontal(e: Of<'horizontal'>): void {
    const code = this.#fn.body;
    const isExtreme = e.type === 'f32' && (e.monoid === 'max' || e.monoid === 'min');
    let x = this.#toLocal(e.x);
    for (const distance of [1, 2]) {
      const other = this.#scopes.temporary('v128', 'v');
      code.get(x);
      code.get(x);
      code.shuffle(swapLanes(distance));
      code.set(other);
      this.#combine(e.monoid, e.type, x, other);
      const sum = this.#scopes.temporary('v128', 'v');
      code.set(sum);
      x = sum;
    }
    code.get(x);
    // Of +0 and −0 the left operand wins, so that lanes may differ.
    if (isExtreme) {
      code.get(x);
      code.shuffle(splatFirst);
    }
  }

  #combine(monoid: Monoid, type: ScalarType, x: number, y: number): void {
    const code = this.#fn.body;
    const fn = combiner(monoid);
    code.get(x);
    code.get(y);
    const op = binaryOps[type][fn];
    if (op !== undefined) code.op(op);
    else if (type === 'f32' && (fn === 'max' || fn === 'min')) {
      code.op(fn === 'max' ? 'f32x4.pmax' : 'f32x4.pmin');
      this.#keepNaN(y);
    } else throw this.#unknown(`${fn} of ${type}`);
  }

  /** Leaves 1 on the stack when a lane that counts is false in the mask on the stack. */
  #anyFalse(): void {
    const code = this.#fn.body;
    if (this.#lanes === 4) code.op('i32x4.all_true');
    else code.lane('i32x4.extract_lane', 0);
    code.op('i32.eqz');
  }

  #flags(): number {
    const { flags } = this.#kernel;
    if (flags === null) throw this.#internal('a check needs a flags parameter');
    return this.#bases.get(flags)!;
  }

  #checkIndex(e: Of<'checkIndex'>): void {
    const code = this.#fn.body;
    const flags = this.#flags();
    const x = this.#scopes.temporary('v128', 'v');
    const lane = this.#scopes.temporary('i32', 'a');
    this.emit(e.x);
    code.tee(x);
    code.get(this.splat(e.size));
    code.op('i32x4.lt_u');
    this.#anyFalse();
    code.if();
    for (let l = 0; l < this.#lanes; l++) {
      code.get(x);
      code.lane('i32x4.extract_lane', l);
      code.tee(lane);
      code.i32(e.size);
      code.op('i32.ge_u');
      code.if();
      code.get(flags);
      code.get(lane);
      code.memory('i32.store', 4 * (e.site + 1));
      code.end();
    }
    code.get(flags);
    code.i32(1);
    code.memory('i32.store', 0);
    this.emit(constant('i32', 0));
    code.get(x);
    code.op('i32x4.max_s');
    this.emit(constant('i32', Math.max(0, e.size - 1)));
    code.op('i32x4.min_s');
    code.set(x);
    code.end();
    code.get(x);
  }

  #checkFinite(e: Of<'checkFinite'>): void {
    const code = this.#fn.body;
    const flags = this.#flags();
    const x = this.#toLocal(e.x);
    code.get(x);
    code.op('f32x4.abs');
    this.emit(constant('f32', Number.POSITIVE_INFINITY));
    code.op('f32x4.lt');
    this.#anyFalse();
    code.if();
    for (const word of [e.site + 1, 0]) {
      code.get(flags);
      code.i32(1);
      code.memory('i32.store', 4 * word);
    }
    code.end();
    code.get(x);
  }

  #unknown(what: string): Error {
    return compilerError('HDL0017', {
      what: `kernel '${this.#kernel.name}' computes ${what}`,
      rule: 'the wasm target has no code for it',
    });
  }

  #internal(what: string): Error {
    return compilerError('HDL0099', { what: `internal: kernel '${this.#kernel.name}': ${what}` });
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
