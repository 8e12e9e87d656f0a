// Which functions exist for which types: the table in expr.ts's comments, as data.

import type { BinaryFunction, Expr, ScalarType, UnaryFunction } from './expr.ts';

const integerBinary: readonly BinaryFunction[] = [
  'add', 'sub', 'mul', 'div', 'min', 'max', 'mod', 'and', 'or', 'xor', 'shl', 'shr',
]; // biome-ignore format: a table

const unaryByType: Readonly<Record<ScalarType, readonly UnaryFunction[]>> = {
  f32: [
    'neg', 'abs', 'sign', 'floor', 'ceil', 'trunc', 'round', 'sqrt', 'exp', 'expm1', 'log', 'log1p', 'sin', 'cos',
    'tanh', 'erf',
  ],
  i32: ['neg', 'abs', 'sign', 'not'],
  u32: ['not'],
  bool: ['not'],
}; // biome-ignore format: a table

const binaryByType: Readonly<Record<ScalarType, readonly BinaryFunction[]>> = {
  f32: ['add', 'sub', 'mul', 'div', 'min', 'max', 'pow'],
  i32: integerBinary,
  u32: integerBinary,
  bool: ['and', 'or', 'xor'],
};

/** What is wrong with the types of an expression and its operands; null when nothing is. */
export function typeError(e: Expr): string | null {
  const types = (...list: readonly Expr[]): string => list.map((x) => x.type).join(', ');
  switch (e.kind) {
    case 'unary':
      if (e.x.type !== e.type) return `${e.fn}(${types(e.x)}) of type ${e.type}`;
      return unaryByType[e.type].includes(e.fn) ? null : `${e.fn} of ${e.type}`;
    case 'binary':
      if (e.x.type !== e.type || e.y.type !== e.type) return `${e.fn}(${types(e.x, e.y)}) of type ${e.type}`;
      return binaryByType[e.type].includes(e.fn) ? null : `${e.fn} of ${e.type}`;
    case 'compare': {
      const fits = e.x.type === e.operandType && e.y.type === e.operandType;
      return fits ? null : `${e.fn}(${types(e.x, e.y)}) of operands ${e.operandType}`;
    }
    case 'select': {
      const fits = e.cond.type === 'bool' && e.x.type === e.type && e.y.type === e.type;
      return fits ? null : `select(${types(e.cond, e.x, e.y)}) of type ${e.type}`;
    }
    case 'guard': {
      const fits = e.value.type === e.type && e.otherwise.type === e.type;
      return fits ? null : `guard(${types(e.value, e.otherwise)}) of type ${e.type}`;
    }
    case 'convert':
      return e.x.type === e.from ? null : `convert(${types(e.x)}) from ${e.from}`;
    case 'bitcast':
      if (e.x.type !== e.from) return `bitcast(${types(e.x)}) from ${e.from}`;
      return e.from === 'bool' || e.type === 'bool' ? 'bitcast of bool' : null;
    case 'checkIndex':
    case 'checkFinite':
      return e.x.type === e.type ? null : `${e.kind}(${types(e.x)})`;
    case 'reg':
      return e.reg.type === e.type ? null : `register ${e.reg.name}: ${e.reg.type} of type ${e.type}`;
    case 'horizontal': {
      if (e.x.type !== e.type) return `horizontal(${types(e.x)}) of type ${e.type}`;
      const isLogical = e.monoid === 'any' || e.monoid === 'all';
      return isLogical === (e.type === 'bool') ? null : `horizontal ${e.monoid} of ${e.type}`;
    }
    case 'const':
    case 'load':
    case 'index':
    case 'reduce':
    case 'argmax':
      return null;
    default:
      return e satisfies never;
  }
}
