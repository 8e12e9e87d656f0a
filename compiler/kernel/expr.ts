// Scalar expressions of Kernel IR. An expression is what a kernel computes for one element (or for four neighbouring
// elements, one per lane). It knows loop variables, buffers and arithmetic; it does not know which op it came from.
// Expressions are immutable and shared: equal sub-expressions made by one lowering are the same object, and targets
// compute a shared object once.

import type { Index, LoopVar } from './affine.ts';

/** Types of values in registers. `u8` exists only in memory: a load of it gives u32, a store narrows. */
export type ScalarType = 'f32' | 'i32' | 'u32' | 'bool';
export type StorageType = ScalarType | 'u8';

/**
 * Unary functions, on the type named by the expression (its operand has the same type).
 * f32: all but `not`; i32: neg abs sign not; u32: not; bool: not.
 * `round` rounds half to even; `sign` of NaN is NaN, of ±0 is ±0; `log`, `sqrt` of negatives are NaN.
 */
export const unaryFunctions = [
  'neg', 'abs', 'sign', 'floor', 'ceil', 'trunc', 'round', 'sqrt', 'exp', 'expm1', 'log', 'log1p', 'sin', 'cos',
  'tanh', 'erf', 'not',
] as const; // biome-ignore format: a table
export type UnaryFunction = (typeof unaryFunctions)[number];

/**
 * Binary functions on two operands of the expression's type. f32: add sub mul div min max pow; integers: add sub mul
 * div (towards zero; x / 0 = 0) min max mod (sign of the dividend; x mod 0 = 0) and or xor shl shr (arithmetic for i32);
 * bool: and or xor. `min` and `max` give NaN when either operand is NaN, and x when both are equal (also as +0 and −0).
 * Shifts use the low five bits of the amount.
 */
export const binaryFunctions = [
  'add', 'sub', 'mul', 'div', 'min', 'max', 'pow', 'mod', 'and', 'or', 'xor', 'shl', 'shr',
] as const; // biome-ignore format: a table
export type BinaryFunction = (typeof binaryFunctions)[number];

export const compareFunctions = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
export type CompareFunction = (typeof compareFunctions)[number];

/** A condition on indices that is the same for all lanes. */
export type Condition =
  | { readonly kind: 'inRange'; readonly index: Index; readonly lo: number; readonly hi: number } // lo ≤ index < hi
  | { readonly kind: 'divisible'; readonly index: Index; readonly by: number };

/** How partial results of a reduction combine. `sum` and `prod` start at 0 and 1, `max` at −∞, `any` at false, … */
export type Monoid = 'sum' | 'prod' | 'max' | 'min' | 'any' | 'all';

export type Expr =
  | { readonly kind: 'const'; readonly type: ScalarType; readonly value: number }
  /** Element of a kernel parameter; `index` counts elements from its start. */
  | {
      readonly kind: 'load';
      readonly type: ScalarType;
      readonly param: number;
      readonly index: Index;
      /** Filled in by scheduling: distance in elements between lanes (0: the same element in all lanes). */
      readonly laneStride: number;
    }
  /** An index as an i32 value; `laneStride` as for loads. */
  | { readonly kind: 'index'; readonly type: 'i32'; readonly index: Index; readonly laneStride: number }
  | { readonly kind: 'unary'; readonly type: ScalarType; readonly fn: UnaryFunction; readonly x: Expr }
  | {
      readonly kind: 'binary';
      readonly type: ScalarType;
      readonly fn: BinaryFunction;
      readonly x: Expr;
      readonly y: Expr;
    }
  /** Operands have the same type (`operandType`); the result is bool. */
  | {
      readonly kind: 'compare';
      readonly type: 'bool';
      readonly fn: CompareFunction;
      readonly operandType: ScalarType;
      readonly x: Expr;
      readonly y: Expr;
    }
  | {
      readonly kind: 'select';
      readonly type: ScalarType;
      readonly cond: Expr;
      readonly x: Expr;
      readonly y: Expr;
      /** The condition rarely holds: a target may leave out `x` where it holds in no lane. Expansions (math.ts) only. */
      readonly rare?: true;
    }
  /**
   * Conversion. f32 → i32/u32 truncates and saturates, NaN gives 0; i32 ↔ u32 keeps the bits; anything → bool is ≠ 0
   * (NaN is true); bool → number is 0 or 1.
   */
  | { readonly kind: 'convert'; readonly type: ScalarType; readonly from: ScalarType; readonly x: Expr }
  /** The same 32 bits read as another type (f32, i32, u32). */
  | { readonly kind: 'bitcast'; readonly type: ScalarType; readonly from: ScalarType; readonly x: Expr }
  /** `value` where every condition holds, else `otherwise`; only the chosen side is evaluated, so loads may be guarded. */
  | {
      readonly kind: 'guard';
      readonly type: ScalarType;
      readonly conditions: readonly Condition[];
      readonly value: Expr;
      readonly otherwise: Expr;
    }
  /** Combines `body` over `vars`. Scheduling turns it into loops with accumulators; targets never see it. */
  | {
      readonly kind: 'reduce';
      readonly type: ScalarType;
      readonly monoid: Monoid;
      readonly vars: readonly LoopVar[];
      readonly body: Expr;
    }
  /** Position (i32, row-major over `vars`) of the first largest element of `body`; NaN counts as largest. */
  | {
      readonly kind: 'argmax';
      readonly type: 'i32';
      readonly vars: readonly LoopVar[];
      readonly body: Expr;
    }
  /**
   * x itself (i32). When x is outside [0, size), writes x to word `site` + 1 and 1 to word 0 of the flags, which are
   * the kernel parameter named by `Kernel.flags`; the value is then clamped into range, so that nothing is read wrongly.
   */
  | {
      readonly kind: 'checkIndex';
      readonly type: 'i32';
      readonly x: Expr;
      readonly size: number;
      readonly site: number;
    }
  /** x itself (f32). When x is NaN or infinite, writes 1 to words `site` + 1 and 0 of the flags. */
  | { readonly kind: 'checkFinite'; readonly type: 'f32'; readonly x: Expr; readonly site: number }
  /** A register set by a `let` or `set` statement; only in scheduled kernels. */
  | { readonly kind: 'reg'; readonly type: ScalarType; readonly reg: Register }
  /** All lanes of x combined in the order ((0,1),(2,3)), in every lane; only in scheduled kernels. */
  | { readonly kind: 'horizontal'; readonly type: ScalarType; readonly monoid: Monoid; readonly x: Expr };

export type CheckExpr = Extract<Expr, { kind: 'checkIndex' | 'checkFinite' }>;

export function isCheck(e: Expr): e is CheckExpr {
  return e.kind === 'checkIndex' || e.kind === 'checkFinite';
}

export interface Register {
  readonly name: string;
  readonly type: ScalarType;
  readonly id: number;
}

const none: readonly never[] = [];

/** Direct sub-expressions, not looking into indices. */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'const':
    case 'load':
    case 'index':
    case 'reg':
      return none;
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'checkIndex':
    case 'checkFinite':
    case 'horizontal':
      return [e.x];
    case 'binary':
    case 'compare':
      return [e.x, e.y];
    case 'select':
      return [e.cond, e.x, e.y];
    case 'guard':
      return [e.value, e.otherwise];
    case 'reduce':
    case 'argmax':
      return [e.body];
    default:
      return e satisfies never;
  }
}

/** Rebuilds an expression from rewritten children; keeps the object when nothing changed. */
export function withChildren(e: Expr, kids: readonly Expr[]): Expr {
  if (kids.length === 0) return e;
  const old = childrenOf(e);
  if (kids.every((k, i) => k === old[i])) return e;
  const [a, b, c] = kids as [Expr, Expr, Expr];
  switch (e.kind) {
    case 'const':
    case 'load':
    case 'index':
    case 'reg':
      return e;
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'checkIndex':
    case 'checkFinite':
    case 'horizontal':
      return { ...e, x: a };
    case 'binary':
    case 'compare':
      return { ...e, x: a, y: b };
    case 'select':
      return { ...e, cond: a, x: b, y: c };
    case 'guard':
      return { ...e, value: a, otherwise: b };
    case 'reduce':
    case 'argmax':
      return { ...e, body: a };
    default:
      return e satisfies never;
  }
}

/** The indices that an expression itself contains (its own, not its children's). */
export function indicesOf(e: Expr): readonly Index[] {
  if (e.kind === 'load' || e.kind === 'index') return [e.index];
  if (e.kind === 'guard') return e.conditions.map((c) => c.index);
  return none;
}

/** Every expression under `roots`, each object once, children before parents; looks into run-time values of indices. */
export function walkExprs(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const out: Expr[] = [];
  const visitIndex = (i: Index): void => {
    for (let k = 0; k < i.terms.length; k++) {
      const { atom } = i.terms[k]!;
      if (atom.kind === 'value') visit(atom.expr);
      else if (atom.kind !== 'var') visitIndex(atom.x);
    }
  };
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    // The most common forms without lists of what they contain.
    if (e.kind === 'load') visitIndex(e.index);
    else if (e.kind === 'binary' || e.kind === 'compare') {
      visit(e.x);
      visit(e.y);
    } else if (e.kind === 'unary') visit(e.x);
    else if (e.kind !== 'reg' && e.kind !== 'const') {
      for (const i of indicesOf(e)) visitIndex(i);
      for (const c of childrenOf(e)) visit(c);
    }
    out.push(e);
  };
  for (let k = 0; k < roots.length; k++) visit(roots[k]!);
  return out;
}

// Constructors: short names, since lowering rules are read as formulas. They fold what is exact.

export function constant(type: ScalarType, value: number): Expr {
  return { kind: 'const', type, value };
}
export function unary(fn: UnaryFunction, x: Expr): Expr {
  return { kind: 'unary', type: x.type, fn, x };
}
export function binary(fn: BinaryFunction, x: Expr, y: Expr): Expr {
  return { kind: 'binary', type: x.type, fn, x, y };
}
export function compare(fn: CompareFunction, x: Expr, y: Expr): Expr {
  return { kind: 'compare', type: 'bool', fn, operandType: x.type, x, y };
}
export function select(cond: Expr, x: Expr, y: Expr): Expr {
  return { kind: 'select', type: x.type, cond, x, y };
}
/** `x` in the few lanes where the condition holds, else `y`: a target may skip `x` where no lane needs it. */
export function selectRarely(cond: Expr, x: Expr, y: Expr): Expr {
  return { kind: 'select', type: x.type, cond, x, y, rare: true };
}
export function convert(type: ScalarType, x: Expr): Expr {
  return x.type === type ? x : { kind: 'convert', type, from: x.type, x };
}
export function bitcast(type: ScalarType, x: Expr): Expr {
  return x.type === type ? x : { kind: 'bitcast', type, from: x.type, x };
}
/** The index as an i32 value. */
export function indexValue(index: Index): Expr {
  return index.terms.length === 0
    ? constant('i32', index.constant)
    : { kind: 'index', type: 'i32', index, laneStride: 0 };
}
export function reduce(monoid: Monoid, vars: readonly LoopVar[], body: Expr): Expr {
  return { kind: 'reduce', type: body.type, monoid, vars, body };
}

/** The neutral element of a monoid in a type. */
export function neutral(monoid: Monoid, type: ScalarType): number {
  switch (monoid) {
    case 'sum':
    case 'any':
      return 0;
    case 'prod':
    case 'all':
      return 1;
    case 'max':
      return type === 'f32' ? Number.NEGATIVE_INFINITY : type === 'i32' ? -2147483648 : 0;
    case 'min':
      return type === 'f32'
        ? Number.POSITIVE_INFINITY
        : type === 'i32'
          ? 2147483647
          : type === 'u32'
            ? 4294967295
            : 1;
    default:
      return monoid satisfies never;
  }
}

/** The binary function that combines two partial results. */
export function combiner(monoid: Monoid): BinaryFunction {
  switch (monoid) {
    case 'sum':
      return 'add';
    case 'prod':
      return 'mul';
    case 'max':
      return 'max';
    case 'min':
      return 'min';
    case 'any':
      return 'or';
    case 'all':
      return 'and';
    default:
      return monoid satisfies never;
  }
}
