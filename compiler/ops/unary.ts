// Elementwise functions of one operand: one row per op. A row has the function in float64, the derivative as a graph,
// and where a sampler may draw. Negation stands with arithmetic, `not` with the other ops on bits.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { DType } from '../graph/types.ts';
import { type UnaryFunction, unary } from '../kernel/expr.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { defineOp } from './define.ts';
import {
  anyElement,
  awayFromZero,
  between,
  type Draw,
  drawElements,
  lowerElements,
  mapElements,
  sameTypeRule,
} from './elementwise.ts';
import { erf as erfOf } from './erf.ts';
import { zerosLike } from './leaf.ts';

interface Row {
  readonly summary: string;
  readonly formula: string;
  readonly onnx?: string;
  readonly kinks?: string;
  /** f32 unless given. */
  readonly dtypes?: readonly DType[];
  readonly value: (x: number) => number;
  /** dL/dx from dL/dy, the operand and the result. */
  readonly gradient: (g: Node, x: Node, y: Node) => Node;
  /** f32 elements at which the op is differentiable. */
  readonly draw: Draw;
}

/** The derivative of a step function: zero wherever it exists. */
const flat = (_g: Node, x: Node): Node => zerosLike(x);
/** Between two steps of a rounding function. */
const betweenSteps: Draw = (r) => r.int(-4, 3) + r.uniform(0.05, 0.45) + (r.bool() ? 0.5 : 0);
const signed: readonly DType[] = ['f32', 'i32'];
const twoOverRootPi = 2 / Math.sqrt(Math.PI);

const rows = {
  abs: {
    summary: 'Magnitude; the smallest i32 is its own.',
    formula: 'y[i] = |x[i]|',
    onnx: 'Abs',
    kinks: 'the gradient at 0 is 0',
    dtypes: signed,
    value: Math.abs,
    gradient: (g, x) => mul(g, sign(x)),
    draw: awayFromZero(0.1, 3),
  },
  sign: {
    summary: '-1, 0 or 1; f32 keeps -0 and NaN.',
    formula: 'y[i] = sign(x[i])',
    onnx: 'Sign',
    kinks: 'the gradient is 0 everywhere',
    dtypes: signed,
    value: Math.sign,
    gradient: flat,
    draw: awayFromZero(0.1, 3),
  },
  floor: {
    summary: 'Largest integer that is not above x.',
    formula: 'y[i] = ⌊x[i]⌋',
    onnx: 'Floor',
    kinks: 'the gradient is 0 everywhere',
    value: Math.floor,
    gradient: flat,
    draw: betweenSteps,
  },
  ceil: {
    summary: 'Smallest integer that is not below x.',
    formula: 'y[i] = ⌈x[i]⌉',
    onnx: 'Ceil',
    kinks: 'the gradient is 0 everywhere',
    value: Math.ceil,
    gradient: flat,
    draw: betweenSteps,
  },
  trunc: {
    summary: 'Integer part, towards zero.',
    formula: 'y[i] = sign(x[i]) ⌊|x[i]|⌋',
    kinks: 'the gradient is 0 everywhere',
    value: Math.trunc,
    gradient: flat,
    draw: betweenSteps,
  },
  round: {
    summary: 'Nearest integer; halves go to the even one.',
    formula: 'y[i] = nearest integer to x[i]',
    onnx: 'Round',
    kinks: 'the gradient is 0 everywhere',
    value: roundHalfEven,
    gradient: flat,
    draw: betweenSteps,
  },
  sqrt: {
    summary: 'Square root; NaN below 0.',
    formula: 'y[i] = √x[i]',
    onnx: 'Sqrt',
    kinks: 'the gradient at 0 is infinite',
    value: Math.sqrt,
    gradient: (g, _x, y) => div(mul(g, 0.5), y),
    draw: between(0.1, 3),
  },
  exp: {
    summary: 'Exponential.',
    formula: 'y[i] = e^x[i]',
    onnx: 'Exp',
    value: Math.exp,
    gradient: (g, _x, y) => mul(g, y),
    draw: anyElement('f32'),
  },
  expm1: {
    summary: 'e^x - 1, exact near 0.',
    formula: 'y[i] = e^x[i] - 1',
    value: Math.expm1,
    gradient: (g, _x, y) => mul(g, add(y, 1)),
    draw: anyElement('f32'),
  },
  log: {
    summary: 'Natural logarithm; -∞ at 0, NaN below.',
    formula: 'y[i] = ln x[i]',
    onnx: 'Log',
    kinks: 'the gradient at 0 is infinite',
    value: Math.log,
    gradient: (g, x) => div(g, x),
    draw: between(0.1, 3),
  },
  log1p: {
    summary: 'ln(1 + x), exact near 0.',
    formula: 'y[i] = ln(1 + x[i])',
    value: Math.log1p,
    gradient: (g, x) => div(g, add(x, 1)),
    draw: between(-0.8, 3),
  },
  sin: {
    summary: 'Sine, of radians.',
    formula: 'y[i] = sin x[i]',
    onnx: 'Sin',
    value: Math.sin,
    gradient: (g, x) => mul(g, cos(x)),
    draw: anyElement('f32'),
  },
  cos: {
    summary: 'Cosine, of radians.',
    formula: 'y[i] = cos x[i]',
    onnx: 'Cos',
    value: Math.cos,
    gradient: (g, x) => neg(mul(g, sin(x))),
    draw: anyElement('f32'),
  },
  tanh: {
    summary: 'Hyperbolic tangent.',
    formula: 'y[i] = tanh x[i]',
    onnx: 'Tanh',
    value: Math.tanh,
    gradient: (g, _x, y) => mul(g, sub(1, mul(y, y))),
    draw: anyElement('f32'),
  },
  erf: {
    summary: 'Error function: the integral of the Gaussian bell.',
    formula: 'y[i] = 2/√π ∫₀^x[i] exp(-t²) dt',
    onnx: 'Erf',
    value: erfOf,
    gradient: (g, x) => mul(g, mul(exp(neg(mul(x, x))), twoOverRootPi)),
    draw: anyElement('f32'),
  },
} as const satisfies Partial<Record<UnaryFunction, Row>>;

type UnaryName = keyof typeof rows;

function unaryOp(name: UnaryName, row: Row): OpDef {
  const allowed = row.dtypes ?? (['f32'] as const);
  return defineOp({
    name,
    family: 'unary',
    doc: {
      summary: row.summary,
      formula: row.formula,
      types: `T[S] → T[S] for T = ${allowed.join(', ')}`,
      ...(row.onnx !== undefined && { onnx: row.onnx }),
      ...(row.kinks !== undefined && { kinks: row.kinks }),
      example: `${name}(input('x', [2, 3]))`,
    },
    arity: 1,
    type: sameTypeRule(allowed),
    reference: (operands, _attrs, out) => mapElements(out, operands, row.value),
    gradient: ({ operands: [x], out, cotangent, needs }) => [
      needs[0] ? row.gradient(cotangent, x!, out) : null,
    ],
    lower: lowerElements((x) => unary(name, x!)),
    sample: (random) => {
      const dtype = random.pick(allowed);
      const draw = dtype === 'f32' ? row.draw : anyElement(dtype);
      return { operands: [drawElements(random, dtype, random.shape(0, 3, 4), draw)], attrs: {} };
    },
  });
}

function roundHalfEven(x: number): number {
  if (!Number.isFinite(x)) return x;
  const down = Math.floor(x);
  const rest = x - down;
  if (rest === 0.5) return down % 2 === 0 ? down || x * 0 : down + 1 || -0;
  return rest < 0.5 ? down || x * 0 : down + 1 || -0;
}

const ops = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [name, unaryOp(name as UnaryName, row)]),
) as Readonly<Record<UnaryName, OpDef>>;

const unaryOps: readonly OpDef[] = Object.values(ops);
export default unaryOps;

function apply<X extends Node>(name: UnaryName, x: X): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(ops[name], [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Magnitude of elements. f32, i32; the gradient at 0 is 0. The shape stays.
 * Throws HDL0002 for another dtype, as all functions of this file.
 *
 *     abs(input('x', [2, 3])); // f32[2, 3]
 */
export function abs<X extends Node>(x: X & Accepts<'abs', X, 'f32' | 'i32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('abs', x);
}

/**
 * -1, 0 or 1, with the sign of each element. f32, i32; the gradient is 0. Throws HDL0002.
 *
 * @formula y = −1, 0 or 1
 * @example sign(x)
 */
export function sign<X extends Node>(x: X & Accepts<'sign', X, 'f32' | 'i32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('sign', x);
}

/**
 * Largest integer that is not above each element. f32; the gradient is 0. Throws HDL0002.
 *
 * @formula y = ⌊x⌋
 * @example floor(x)
 */
export function floor<X extends Node>(x: X & Accepts<'floor', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('floor', x);
}

/**
 * Smallest integer that is not below each element. f32; the gradient is 0. Throws HDL0002.
 *
 * @formula y = ⌈x⌉
 * @example ceil(x)
 */
export function ceil<X extends Node>(x: X & Accepts<'ceil', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('ceil', x);
}

/**
 * Integer part of each element. f32; the gradient is 0. Throws HDL0002.
 *
 * @formula y = ⌊|x|⌋ with the sign of x
 * @example trunc(x)
 */
export function trunc<X extends Node>(x: X & Accepts<'trunc', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('trunc', x);
}

/**
 * Nearest integer to each element, halves to even. f32; the gradient is 0. Throws HDL0002.
 *
 * @formula y = the even one of the nearest integers
 * @example round(x)
 */
export function round<X extends Node>(x: X & Accepts<'round', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('round', x);
}

/**
 * Square root; NaN below 0. f32. Throws HDL0002.
 *
 * @formula y = √x
 * @example sqrt(x)
 */
export function sqrt<X extends Node>(x: X & Accepts<'sqrt', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('sqrt', x);
}

/**
 * Exponential of each element. f32. Throws HDL0002.
 *
 * @formula y = eˣ
 * @example exp(x)
 */
export function exp<X extends Node>(x: X & Accepts<'exp', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('exp', x);
}

/**
 * Exponential less 1, exact near 0. f32. Throws HDL0002.
 *
 * @formula y = eˣ − 1
 * @example expm1(x)
 */
export function expm1<X extends Node>(x: X & Accepts<'expm1', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('expm1', x);
}

/**
 * Natural logarithm; -∞ at 0, NaN below. f32. Throws HDL0002.
 *
 * @formula y = ln(x)
 * @example log(x)
 */
export function log<X extends Node>(x: X & Accepts<'log', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('log', x);
}

/**
 * Natural logarithm of one more, exact near 0. f32. Throws HDL0002.
 *
 * @formula y = ln(1 + x)
 * @example log1p(x)
 */
export function log1p<X extends Node>(x: X & Accepts<'log1p', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('log1p', x);
}

/**
 * Sine of radians. f32. Throws HDL0002.
 *
 * @formula y = sin(x)
 * @example sin(x)
 */
export function sin<X extends Node>(x: X & Accepts<'sin', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('sin', x);
}

/**
 * Cosine of radians. f32. Throws HDL0002.
 *
 * @formula y = cos(x)
 * @example cos(x)
 */
export function cos<X extends Node>(x: X & Accepts<'cos', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('cos', x);
}

/**
 * Hyperbolic tangent. f32. Throws HDL0002.
 *
 * @formula y = (eˣ − e^−x) / (eˣ + e^−x)
 * @example tanh(x)
 */
export function tanh<X extends Node>(x: X & Accepts<'tanh', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('tanh', x);
}

/**
 * Error function. f32. `erf(x)`
 *
 * @example erf(x)
 */
export function erf<X extends Node>(x: X & Accepts<'erf', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return apply<X>('erf', x);
}
