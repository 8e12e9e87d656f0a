// Random definitions of kernels, and what they mean: every point of the space in turn, every expression by its definition.
// A definition is drawn from a list of numbers, so that a failing one shrinks. Values are small integers in f32: sums are
// exact, and equal in every order.

import {
  addIndex,
  type Index,
  indexRange,
  type LoopVar,
  offsetIndex,
  scaleIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import {
  type DefinitionStore,
  type KernelDefinition,
  VarSource,
  volume,
} from '../../compiler/kernel/definition.ts';
import {
  binary,
  compare,
  constant,
  convert,
  type Expr,
  indexValue,
  type Monoid,
  reduce,
  select,
  unary,
} from '../../compiler/kernel/expr.ts';
import type { KernelParam } from '../../compiler/kernel/ir.ts';

export type Kind = 'elementwise' | 'reduction' | 'contraction' | 'long contraction';

/** Takes choices from a list; when it is used up, the first choice every time. */
class Choices {
  readonly #list: readonly number[];
  #at = 0;
  constructor(list: readonly number[]) {
    this.#list = list;
  }
  below(n: number): number {
    return (this.#list[this.#at++] ?? 0) % n;
  }
  of<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
  shuffled<T>(from: readonly T[]): T[] {
    const left = [...from];
    return from.map(() => left.splice(this.below(left.length), 1)[0]!);
  }
}

const extents = [4, 1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 33];
const monoids: readonly Monoid[] = ['sum', 'max', 'min'];

/** The definition that a list of numbers stands for: always the same one, with variables of its own. */
export function drawDefinition(kind: Kind, numbers: readonly number[]): KernelDefinition {
  const draw = new Choices(numbers);
  const vars = new VarSource();
  const params: KernelParam[] = [];
  const loops = (name: string, most: number, points: number): LoopVar[] => {
    const out: LoopVar[] = [];
    for (let d = draw.below(most + 1); d > 0; d--) {
      const extent = draw.of(extents.filter((e) => e * volume(out) <= points));
      out.push(vars.make(`${name}${out.length}`, extent));
    }
    return out;
  };
  /** A parameter that has an element for each value of these indices, laid out in any order. */
  const param = (access: 'read' | 'write', dims: readonly Index[]): { param: number; index: Index } => {
    let stride = 1;
    let index = addIndex();
    for (const dim of draw.shuffled(dims)) {
      const { min, max } = indexRange(dim);
      index = addIndex(index, scaleIndex(offsetIndex(dim, -min), stride));
      stride *= max - min + 1;
    }
    params.push({ name: `${access}${params.length}`, storage: 'f32', access, elements: stride });
    return { param: params.length - 1, index };
  };
  /** A loop forwards, backwards or in steps; windows slide along a second loop. */
  const position = (v: LoopVar, others: readonly LoopVar[]): Index => {
    const how = draw.below(8);
    if (how === 1) return scaleIndex(varIndex(v), -1);
    if (how === 2) return scaleIndex(varIndex(v), 2);
    if (how === 3 && others.length > 0) return addIndex(varIndex(v), varIndex(draw.of(others)));
    return varIndex(v);
  };
  const load = (among: readonly LoopVar[]): Expr => {
    const moving = among.filter(() => draw.below(3) !== 2);
    const at = param(
      'read',
      moving.map((v) =>
        position(
          v,
          among.filter((o) => !moving.includes(o)),
        ),
      ),
    );
    return { kind: 'load', type: 'f32', laneStride: 0, ...at };
  };
  const known: Expr[] = [];
  const expression = (among: readonly LoopVar[], depth: number): Expr => {
    const how = depth === 0 ? draw.below(3) : draw.below(10);
    const sub = (): Expr => expression(among, depth - 1);
    const make = (): Expr => {
      switch (how) {
        case 0:
          return load(among);
        case 1:
          return constant('f32', draw.below(4) - 1);
        case 2:
          return among.length > 0 ? convert('f32', indexValue(varIndex(draw.of(among)))) : constant('f32', 2);
        case 3:
          return known.length > 0 ? draw.of(known) : load(among);
        case 4:
          return binary(draw.of(['max', 'min', 'sub']), sub(), sub());
        case 5:
          return unary(draw.of(['neg', 'abs']), sub());
        case 6:
          return select(compare(draw.of(['lt', 'ge']), sub(), sub()), sub(), sub());
        case 7: {
          if (among.length === 0) return load(among);
          const index = position(draw.of(among), among);
          const { min, max } = indexRange(index);
          const lo = min + draw.below(max - min + 1);
          const condition =
            draw.below(4) === 3
              ? ({ kind: 'divisible', index, by: draw.of([2, 3]) } as const)
              : ({ kind: 'inRange', index, lo, hi: lo + 1 + draw.below(max - lo + 1) } as const);
          return { kind: 'guard', type: 'f32', conditions: [condition], value: sub(), otherwise: sub() };
        }
        default:
          return binary('add', sub(), sub());
      }
    };
    const e = make();
    known.push(e);
    return e;
  };

  const isProduct = kind === 'contraction' || kind === 'long contraction';
  const space = loops('d', 4, kind === 'elementwise' ? 700 : kind === 'long contraction' ? 12 : 120);
  const out = param('write', space.map(varIndex));
  const values: Expr[] = [];
  if (kind === 'elementwise') values.push(expression(space, 4));
  else {
    const inner =
      kind === 'long contraction'
        ? [vars.make('k0', 48), vars.make('k1', draw.of([50, 64]))]
        : loops('k', 3, 3000 / volume(space));
    if (inner.length === 0) inner.push(vars.make('k', 6));
    if (isProduct) {
      // Most loops of the result move one operand: rows and columns. The others move both, or none.
      const roles = space.map(() => draw.of(['x', 'y', 'x', 'y', 'both', 'none']));
      const operand = (side: 'x' | 'y'): Expr => {
        const own = space.filter((_, d) => roles[d] === side || roles[d] === 'both');
        const dims = [...own.map((v) => position(v, inner)), ...inner.map((v) => position(v, []))];
        return { kind: 'load', type: 'f32', laneStride: 0, ...param('read', dims) };
      };
      values.push(reduce('sum', inner, binary('mul', operand('x'), operand('y'))));
    } else {
      const body = (): Expr => {
        known.length = 0;
        return expression([...space, ...inner], 2);
      };
      for (let n = 1 + draw.below(3); n > 0; n--) {
        const argmax = draw.below(4) === 3;
        values.push(
          argmax
            ? convert('f32', { kind: 'argmax', type: 'i32', vars: inner, body: body() })
            : reduce(
                draw.of(monoids),
                inner.map((v) => v),
                body(),
              ),
        );
      }
    }
    known.length = 0;
    known.push(...values);
    const epilogue = draw.below(3);
    if (epilogue > 0) values[0] = binary('add', values[0]!, expression(space, epilogue));
  }
  while (values.length < 3 && draw.below(3) === 2) values.push(expression(space, 1));
  const stores: DefinitionStore[] = values.map((value, i) => ({
    ...(i === 0 ? out : param('write', space.map(varIndex))),
    value,
  }));
  // The first store is written in falling strides, as lowering does it.
  const strideOf = (v: LoopVar): number => out.index.terms.find((x) => x.atom === v)?.coeff ?? 0;
  const sorted = [...space].sort((a, b) => strideOf(b) - strideOf(a));
  return { name: kind, params, flags: null, space: sorted, stores, vars };
}

/** Small integers for the parameters that are read, junk for the others. */
export function buffersFor(params: readonly KernelParam[]): Float32Array[] {
  return params.map((p, k) =>
    p.access === 'write'
      ? new Float32Array(p.elements).fill(Number.NaN)
      : Float32Array.from({ length: p.elements }, (_, i) => ((i * 7 + k * 3) % 11) - 5),
  );
}

/** What a definition means. Writes into the buffers. */
export function evaluateDefinition(def: KernelDefinition, buffers: readonly Float32Array[]): void {
  const places = new Map<number, number>();
  const indexAt = (index: Index): number =>
    index.terms.reduce((sum, { coeff, atom }) => {
      if (atom.kind === 'var') return sum + coeff * places.get(atom.id)!;
      if (atom.kind === 'value') throw new Error('no values here');
      const x = indexAt(atom.x);
      const quotient = Math.floor(x / atom.by);
      return sum + coeff * (atom.kind === 'div' ? quotient : x - quotient * atom.by);
    }, index.constant);
  const valueAt = (e: Expr): number => {
    switch (e.kind) {
      case 'const':
        return e.value;
      case 'index':
        return indexAt(e.index);
      case 'load':
        return buffers[e.param]![indexAt(e.index)]!;
      case 'convert':
        return valueAt(e.x);
      case 'unary':
        return e.fn === 'neg' ? -valueAt(e.x) : Math.abs(valueAt(e.x));
      case 'binary': {
        const [x, y] = [valueAt(e.x), valueAt(e.y)];
        if (e.fn === 'add') return x + y;
        if (e.fn === 'sub') return x - y;
        if (e.fn === 'mul') return x * y;
        return e.fn === 'max' ? Math.max(x, y) : Math.min(x, y);
      }
      case 'compare':
        return Number(e.fn === 'lt' ? valueAt(e.x) < valueAt(e.y) : valueAt(e.x) >= valueAt(e.y));
      case 'select':
        return valueAt(e.cond) ? valueAt(e.x) : valueAt(e.y);
      case 'guard': {
        const isMet = e.conditions.every((c) => {
          const x = indexAt(c.index);
          return c.kind === 'inRange' ? x >= c.lo && x < c.hi : x % c.by === 0;
        });
        return valueAt(isMet ? e.value : e.otherwise);
      }
      case 'reduce': {
        const all: number[] = [];
        forEachPoint(e.vars, places, () => all.push(valueAt(e.body)));
        if (e.monoid === 'sum') return all.reduce((a, b) => a + b, 0);
        return e.monoid === 'max' ? Math.max(...all) : Math.min(...all);
      }
      case 'argmax': {
        const all: number[] = [];
        forEachPoint(e.vars, places, () => all.push(valueAt(e.body)));
        return all.indexOf(Math.max(...all));
      }
      default:
        throw new Error(`no ${e.kind} here`);
    }
  };
  forEachPoint(def.space, places, () => {
    const values = def.stores.map((s) => valueAt(s.value));
    def.stores.forEach((s, i) => {
      buffers[s.param]![indexAt(s.index)] = values[i]!;
    });
  });
}

function forEachPoint(vars: readonly LoopVar[], places: Map<number, number>, run: () => void): void {
  const [v, ...rest] = vars;
  if (!v) {
    run();
    return;
  }
  for (let i = 0; i < v.extent; i++) {
    places.set(v.id, i);
    forEachPoint(rest, places, run);
  }
}
