// Elementwise functions of one operand, and activations.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import { type B, type F, isInteger, rankOf, shapeOf, type T } from './common.ts';

const unary = (name: string, f: (x: F) => T, wraps = false): OnnxOp =>
  op(name, { wraps }, (c) => {
    c.ignore('consumed_inputs');
    return f(c.x(0) as F);
  });

/** A function of the operand and of attributes. */
const activation = (name: string, f: (x: F, c: Call) => T): OnnxOp =>
  op(name, {}, (c) => {
    c.ignore('consumed_inputs');
    return f(c.x(0) as F, c);
  });

const zero = (x: T): T => h.full([...shapeOf(x)], 0, x.type.dtype) as T;

/** x where the condition holds, else `otherwise`. */
const keep = (condition: unknown, x: T, otherwise: T): T => h.where(condition as B, x, otherwise) as T;

/** x · sigmoid(alpha x). */
export function swish(x: T, alpha: number): T {
  return h.mul(x, h.sigmoid(h.mul(x, alpha) as F) as T) as T;
}

export function hardSigmoid(x: T, alpha: number, beta: number): T {
  return h.clip(h.add(h.mul(x, alpha) as T, beta) as F, 0, 1) as T;
}

export const unaryOps: readonly OnnxOp[] = [
  unary('Abs', (x) => h.abs(x), true),
  unary('Neg', (x) => h.neg(x), true),
  unary('Sign', (x) => h.sign(x)),
  unary('Floor', (x) => h.floor(x)),
  unary('Ceil', (x) => h.ceil(x)),
  unary('Round', (x) => h.round(x)),
  unary('Sqrt', (x) => h.sqrt(x)),
  unary('Exp', (x) => h.exp(x)),
  unary('Log', (x) => h.log(x)),
  unary('Reciprocal', (x) => h.reciprocal(x)),
  unary('Sin', (x) => h.sin(x)),
  unary('Cos', (x) => h.cos(x)),
  unary('Tan', (x) => h.tan(x)),
  unary('Asin', (x) => h.asin(x)),
  unary('Acos', (x) => h.acos(x)),
  unary('Atan', (x) => h.atan(x)),
  unary('Sinh', (x) => h.sinh(x)),
  unary('Cosh', (x) => h.cosh(x)),
  unary('Tanh', (x) => h.tanh(x)),
  unary('Asinh', (x) => h.asinh(x)),
  unary('Acosh', (x) => h.acosh(x)),
  unary('Atanh', (x) => h.atanh(x)),
  unary('Erf', (x) => h.erf(x)),
  unary('Sigmoid', (x) => h.sigmoid(x)),
  unary('Softsign', (x) => h.softsign(x)),
  unary('Softplus', (x) => h.softplus(x)),
  unary('Mish', (x) => h.mish(x)),
  unary('HardSwish', (x) => h.mul(x, hardSigmoid(x, 1 / 6, 0.5)) as T),
  op('Relu', { versions: { 1: 'floats', 14: 'integers too' } }, (c) => {
    c.ignore('consumed_inputs');
    return isInteger(c, 0) ? (h.maximum(c.x(0), zero(c.x(0))) as T) : h.relu(c.x(0) as F);
  }),
  activation('LeakyRelu', (x, c) => h.leakyRelu(x, c.float('alpha', 0.01))),
  activation('Elu', (x, c) => h.elu(x, c.float('alpha', 1))),
  activation('Celu', (x, c) => h.celu(x, c.float('alpha', 1))),
  activation('Gelu', (x, c) => {
    const form = c.text('approximate', 'none');
    if (form !== 'none' && form !== 'tanh')
      c.refuse(`approximate '${form}' is not known`, "use 'none' or 'tanh'");
    return h.gelu(x, form === 'tanh' ? 'tanh' : 'erf');
  }),
  op('Selu', { versions: { 1: 'constants of four digits', 6: 'constants in full precision' } }, (c) => {
    c.ignore('consumed_inputs');
    const isOld = c.opset < 6;
    const alpha = c.float('alpha', isOld ? 1.6732 : 1.6732632423543772);
    const gamma = c.float('gamma', isOld ? 1.0507 : 1.0507009873554805);
    return h.mul(h.elu(c.x(0) as F, alpha) as T, gamma) as T;
  }),
  activation('HardSigmoid', (x, c) => hardSigmoid(x, c.float('alpha', 0.2), c.float('beta', 0.5))),
  activation('ThresholdedRelu', (x, c) => keep(h.gt(x as T, c.float('alpha', 1)), x, zero(x))),
  op('Shrink', {}, (c) => {
    const x = c.x(0);
    const [lambda, bias] = [c.float('lambd', 0.5), c.float('bias', 0)];
    const shrunk = (y: T): T => {
      if (isInteger(c, 0)) c.refuse('its operand holds integers', 'cast it to float32 first');
      return y;
    };
    return keep(
      h.lt(x, -lambda),
      shrunk(h.add(x, bias) as T),
      keep(h.gt(x, lambda), h.sub(x, bias) as T, zero(x)),
    );
  }),
  activation('Swish', (x, c) => swish(x, c.float('alpha', 1))),
  op('SwiGLU', {}, (c) => h.mul(swish(c.x(0), c.float('alpha', 1)), c.x(1)) as T),
  op(
    'PRelu',
    { versions: { 1: 'one slope, or one for each channel', 7: 'slopes broadcast as NumPy' } },
    (c) => {
      c.ignore('consumed_inputs');
      const x = c.x(0);
      let slope = c.x(1);
      if (c.opset < 7 && rankOf(slope) === 1 && rankOf(x) > 2) {
        slope = h.reshape(slope, [-1, ...new Array<number>(rankOf(x) - 2).fill(1)]) as T;
      }
      return keep(h.lt(x, 0), h.mul(x, slope) as T, x);
    },
  ),
];
