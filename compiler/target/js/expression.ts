// JavaScript text of expressions. Shared expression objects become constants that are computed once, in front
// of the statement, unless they stand inside one side of a guard: guards become if statements, and what is shared only
// inside a side is declared there.

import { compilerError } from '../../graph/errors.ts';
import type { BinaryFunction, CompareFunction, Expr, Register, ScalarType } from '../../kernel/expr.ts';
import type { Kernel } from '../../kernel/ir.ts';
import { erf } from '../../kernel/math/error-function.ts';
import { replacer } from '../../kernel/substitute.ts';
import { countUses } from '../../kernel/uses.ts';
import type { Accesses } from '../access.ts';
import type { Addresses } from './address.ts';
import { conditionsText, elementText, indexText, type PlaceScope } from './places.ts';

/** Where expressions find what the statements around them declared. */
export interface JsScope {
  readonly kernel: Kernel;
  readonly addresses: Addresses;
  readonly accesses: Accesses;
  /** The array in which a parameter lies. */
  readonly viewOf: (param: number) => string;
  readonly register: (r: Register) => string;
  readonly fresh: (name: string) => string;
  readonly line: (text: string) => void;
  readonly indent: (by: number) => void;
}

const arithmetic: Partial<Record<BinaryFunction, string>> = { add: '+', sub: '-', mul: '*', div: '/' };
const comparisons: Readonly<Record<CompareFunction, string>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

/** Writes the value of one statement; returns the expression that holds it. */
export function emitValue(root: Expr, scope: JsScope): string {
  const value = withoutErf(root);
  const uses = countUses([value]);
  const known: Map<Expr, string>[] = [new Map()];

  const text = (e: Expr): string => {
    if (e.kind === 'const') return literal(e.type, e.value);
    if (e.kind === 'reg') return scope.register(e.reg);
    for (let i = known.length - 1; i >= 0; i--) {
      const name = known[i]!.get(e);
      if (name !== undefined) return name;
    }
    if (e.kind === 'guard') return guard(e);
    const computed = compute(e);
    // A check always runs: it must not stand inside an operator that may skip it.
    const isCheck = e.kind === 'checkIndex' || e.kind === 'checkFinite';
    if ((uses.get(e) ?? 0) < 2 && !isCheck) return computed;
    const name = scope.fresh('t');
    scope.line(`const ${name} = ${computed};`);
    known.at(-1)!.set(e, name);
    return name;
  };

  const guard = (e: Extract<Expr, { kind: 'guard' }>): string => {
    const name = scope.fresh('g');
    scope.line(`let ${name};`);
    scope.line(`if (${conditionsText(e.conditions, places)}) {`);
    side(name, e.value);
    scope.line('} else {');
    side(name, e.otherwise);
    scope.line('}');
    known.at(-1)!.set(e, name);
    return name;
  };

  const side = (name: string, e: Expr): void => {
    scope.indent(1);
    known.push(new Map());
    scope.addresses.enter();
    const inside = text(e);
    scope.line(`${name} = ${inside};`);
    scope.addresses.leave();
    known.pop();
    scope.indent(-1);
  };

  const compute = (e: Exclude<Expr, { kind: 'const' | 'reg' | 'guard' }>): string => {
    switch (e.kind) {
      case 'load': {
        const { storage } = scope.kernel.params[e.param]!;
        const element = elementText(e.param, e.index, places);
        return storage === 'bool' ? `(${element} !== 0)` : element;
      }
      case 'index':
        return indexText(e.index, places);
      case 'unary':
        return unaryText(e.fn, e.type, text(e.x));
      case 'binary':
        return binaryText(e.fn, e.type, text(e.x), text(e.y));
      case 'compare':
        return `(${text(e.x)} ${comparisons[e.fn]} ${text(e.y)})`;
      case 'select': {
        const cond = text(e.cond);
        const x = text(e.x);
        const y = text(e.y);
        return `(${cond} ? ${x} : ${y})`;
      }
      case 'convert':
        return convertText(e.from, e.type, text(e.x));
      case 'bitcast':
        return bitcastText(e.from, e.type, text(e.x));
      case 'checkIndex':
        return `checkIndex(${flags()}, ${text(e.x)}, ${e.size}, ${e.site})`;
      case 'checkFinite':
        return `checkFinite(${flags()}, ${text(e.x)}, ${e.site})`;
      case 'reduce':
      case 'argmax':
      case 'horizontal':
        throw unknown(scope.kernel, e.kind);
      default:
        return e satisfies never;
    }
  };

  const flags = (): string => {
    const param = scope.kernel.flags;
    if (param === null)
      throw compilerError('HDL0099', {
        what: `internal: kernel '${scope.kernel.name}': a check needs a flags parameter`,
      });
    return scope.addresses.base(param);
  };

  const places: PlaceScope = { ...scope, value: text };
  return text(value);
}

/** JavaScript has no erf: it is computed in float32 arithmetic, like on the other targets. */
export const withoutErf = (root: Expr): Expr =>
  replacer((e) => (e.kind === 'unary' && e.fn === 'erf' ? erf(withoutErf(e.x)) : undefined))(root);

function unknown(kernel: Kernel, what: string): Error {
  return compilerError('HDL0017', {
    what: `kernel '${kernel.name}' computes ${what}`,
    rule: 'the js target has no code for it: it computes one lane at a time',
  });
}

export function literal(type: ScalarType, value: number): string {
  if (type === 'bool') return value !== 0 ? 'true' : 'false';
  if (type === 'i32') return String(value | 0);
  if (type === 'u32') return String(value >>> 0);
  const rounded = Math.fround(value);
  return Object.is(rounded, -0) ? '-0' : String(rounded);
}

function unaryText(fn: string, type: ScalarType, operand: string): string {
  const x = operand.startsWith('-') ? `(${operand})` : operand;
  if (type === 'bool') return `!${x}`;
  if (type === 'u32') return `(~${x} >>> 0)`;
  if (type === 'i32') {
    if (fn === 'not') return `~${x}`;
    return fn === 'neg' ? `(-${x} | 0)` : fn === 'sign' ? `Math.sign(${x})` : `(Math.abs(${x}) | 0)`;
  }
  if (fn === 'neg') return `(-${x})`;
  if (fn === 'round') return `roundEven(${x})`;
  if (['abs', 'sign', 'floor', 'ceil', 'trunc'].includes(fn)) return `Math.${fn}(${x})`;
  return `f(Math.${fn}(${x}))`;
}

function binaryText(fn: BinaryFunction, type: ScalarType, x: string, y: string): string {
  if (type === 'bool') return `(${x} ${fn === 'and' ? '&&' : fn === 'or' ? '||' : '!=='} ${y})`;
  if (type === 'f32') {
    if (fn === 'min' || fn === 'max') return `${fn}(${x}, ${y})`;
    return fn === 'pow' ? `f(Math.pow(${x}, ${y}))` : `f(${x} ${arithmetic[fn]} ${y})`;
  }
  const wrap = (t: string): string => `(${t} ${type === 'i32' ? '| 0' : '>>> 0'})`;
  switch (fn) {
    case 'add':
    case 'sub':
    case 'div':
      return wrap(`(${x} ${arithmetic[fn]} ${y})`);
    case 'mul':
      return type === 'i32' ? `Math.imul(${x}, ${y})` : wrap(`Math.imul(${x}, ${y})`);
    case 'mod':
      return wrap(`(${x} % ${y})`);
    case 'min':
    case 'max':
      return `Math.${fn}(${x}, ${y})`;
    case 'and':
      return wrap(`(${x} & ${y})`);
    case 'or':
      return wrap(`(${x} | ${y})`);
    case 'xor':
      return wrap(`(${x} ^ ${y})`);
    case 'shl':
      return wrap(`(${x} << ${y})`);
    case 'shr':
      return type === 'i32' ? `(${x} >> ${y})` : `(${x} >>> ${y})`;
    default:
      return `f(Math.pow(${x}, ${y}))`;
  }
}

function convertText(from: ScalarType, to: ScalarType, x: string): string {
  if (to === 'bool') return `(${x} !== 0)`;
  if (from === 'bool') return `(${x} ? 1 : 0)`;
  if (from === 'f32') return to === 'i32' ? `toI32(${x})` : `toU32(${x})`;
  if (to === 'f32') return `f(${x})`;
  return to === 'i32' ? `(${x} | 0)` : `(${x} >>> 0)`;
}

function bitcastText(from: ScalarType, to: ScalarType, x: string): string {
  if (from === to) return x;
  if (to === 'f32') return `bitsToFloat(${x})`;
  if (from === 'f32') return to === 'i32' ? `floatToInt(${x})` : `floatToUint(${x})`;
  return to === 'i32' ? `(${x} | 0)` : `(${x} >>> 0)`;
}
