// What random graphs are made of: a table of recipes, each of which makes a value out of values that are there already. Values
// stay tame: every f32 value has a known bound on its magnitude, and what would grow goes through tanh, so that float32
// and float64 agree to a few digits. Comparisons and steps are shifted by odd amounts, so that no value lies on an edge
// where the last bit decides.

import { makeNode } from '../../compiler/graph/build.ts';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { elementCount, type Shape, sameShape } from '../../compiler/graph/types.ts';
import { gelu, relu, softplus } from '../../compiler/ops/activations.ts';
import { argmax } from '../../compiler/ops/argmax.ts';
import { add, div, mul, neg, sub } from '../../compiler/ops/arithmetic.ts';
import {
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
} from '../../compiler/ops/binary.ts';
import { broadcastTo, sum } from '../../compiler/ops/broadcast.ts';
import { checkpoint } from '../../compiler/ops/checkpoint.ts';
import { eq, ge, gt, lt, where } from '../../compiler/ops/compare.ts';
import { softmax } from '../../compiler/ops/composite.ts';
import { concat, stack } from '../../compiler/ops/concat.ts';
import { conv2d, matmul } from '../../compiler/ops/contract.ts';
import { cast, stopGradient } from '../../compiler/ops/convert.ts';
import { cumsum } from '../../compiler/ops/cumulative.ts';
import { gatherAt } from '../../compiler/ops/gather.ts';
import { gather, gatherElements, scatterAdd, scatterUpdate } from '../../compiler/ops/indexing.ts';
import { iota } from '../../compiler/ops/leaf.ts';
import { scan } from '../../compiler/ops/loop.ts';
import { rsqrt, square } from '../../compiler/ops/math.ts';
import { pad } from '../../compiler/ops/pad.ts';
import { avgPool2d, maxPool2d } from '../../compiler/ops/pool.ts';
import { pow } from '../../compiler/ops/power.ts';
import { prod } from '../../compiler/ops/prod.ts';
import { all, any, max, min } from '../../compiler/ops/reduce.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { mod } from '../../compiler/ops/remainder.ts';
import { resize } from '../../compiler/ops/resize.ts';
import { reshape, reverse, transpose } from '../../compiler/ops/shape.ts';
import { sigmoid } from '../../compiler/ops/sigmoid.ts';
import { slice } from '../../compiler/ops/slice.ts';
import { sort } from '../../compiler/ops/sort.ts';
import { abs, cos, erf, exp, floor, log, sin, sqrt, tanh } from '../../compiler/ops/unary.ts';
import { seededRandom } from './random.ts';

/** What a recipe works with. Choices come from the numbers of a step: 0 is always the plainest choice. */
export interface Kitchen {
  /** An f32 value; choice 0 is the latest. */
  float(): Node<Shape, 'f32'>;
  /** An f32 value that broadcasts with `x`: one that is there if it fits, else the mean of one. */
  partner(x: Node): Node;
  bool(): Node<Shape, 'bool'> | null;
  int(): Node<Shape, 'i32'> | null;
  /** A new input with small values, for weights. */
  weight(shape: Shape): Node<Shape, 'f32'>;
  /** A new input with these values. */
  feed(value: HostTensor): Node;
  /** Integer in [lo, hi]. */
  choose(lo: number, hi: number): number;
  pick<T>(from: readonly T[]): T;
  /** Largest magnitude that an f32 value may have. */
  bound(x: Node): number;
}

/** A value and, for f32, its bound; null when the recipe does not fit. */
export type Dish = readonly [value: Node, bound: number] | Node | null;

export interface Recipe {
  readonly name: string;
  readonly make: (k: Kitchen) => Dish;
}

const shapeOf = (x: Node): Shape => x.type.shape;
const rank = (x: Node): number => shapeOf(x).length;
const axisOf = (k: Kitchen, x: Node): number => k.choose(0, rank(x) - 1);
const positive = (x: Node): Node => add(square(x), 0.5);

/** Some axes, at least one; choice 0 is the last one. */
function axesOf(k: Kitchen, x: Node): number[] {
  const last = rank(x) - 1;
  const mask = k.choose(0, 2 ** rank(x) - 2) + 1;
  return Array.from({ length: rank(x) }, (_, i) => last - i)
    .filter((_, i) => (mask >> i) & 1)
    .reverse();
}

const unaryRecipes: readonly (readonly [
  string,
  (x: Node<Shape, 'f32'>) => Node,
  (bound: number) => number,
])[] = [
  ['neg', neg, (b) => b],
  ['tanh', tanh, () => 1],
  ['relu', (x) => relu(add(x, 0.0437)), (b) => b + 0.05],
  ['sigmoid', sigmoid, () => 1],
  ['square', square, (b) => b * b],
  ['sin', sin, () => 1],
  ['cos', cos, () => 1],
  ['erf', erf, () => 1],
  ['gelu', gelu, (b) => b],
  ['softplus', softplus, (b) => b + 1],
  ['abs', (x) => abs(add(x, 0.0913)), (b) => b + 0.1],
  ['log', (x) => log(positive(x)), (b) => Math.log(b * b + 0.5) + 0.7],
  ['sqrt', (x) => sqrt(positive(x)), (b) => b + 0.8],
  ['rsqrt', (x) => rsqrt(positive(x)), () => 1.5],
  ['floor', (x) => floor(add(mul(x, 2), 0.3717)), (b) => 2 * b + 1.4],
  ['residual', (x) => add(x, tanh(mul(x, 0.75))), (b) => b + 1],
  ['affine', (x) => sub(mul(x, 0.5), 0.25), (b) => b / 2 + 0.25],
];

const binaryRecipes: readonly (readonly [
  string,
  (x: Node, y: Node) => Node,
  (a: number, b: number) => number,
])[] = [
  ['add', add, (a, b) => a + b],
  ['mul', mul, (a, b) => a * b],
  ['sub', sub, (a, b) => a + b],
  ['div', (x, y) => div(x, positive(y)), (a) => 2 * a],
  ['maximum', (x, y) => maximum(x, add(mul(y, 0.71), 0.0531)), (a, b) => Math.max(a, b)],
  ['minimum', (x, y) => minimum(x, add(mul(y, 0.71), 0.0531)), (a, b) => Math.max(a, b)],
  ['pow', (x, y) => pow(positive(x), tanh(y)), (a) => Math.max(2, a * a + 0.5)],
  ['gated', (x, y) => mul(sigmoid(x), tanh(y)), () => 1],
];

const elementwise: readonly Recipe[] = [
  ...unaryRecipes.map(
    ([name, make, bound]): Recipe => ({
      name,
      make: (k) => {
        const x = k.float();
        return [make(x), bound(k.bound(x))];
      },
    }),
  ),
  ...binaryRecipes.map(
    ([name, make, bound]): Recipe => ({
      name,
      make: (k) => {
        const x = k.float();
        const y = k.partner(x);
        return [make(x, y), bound(k.bound(x), k.bound(y))];
      },
    }),
  ),
  {
    name: 'exp',
    make: (k) => {
      const x = k.float();
      return [exp(div(x, Math.max(1, k.bound(x)))), Math.E];
    },
  },
  {
    name: 'where',
    make: (k) => {
      const [x, c] = [k.float(), k.bool()];
      const y = k.partner(x);
      const condition = c !== null && sameShape(shapeOf(c), shapeOf(x)) ? c : gt(x, 0.1234);
      return [where(condition, x, mul(y, 0.5)), Math.max(k.bound(x), k.bound(y))];
    },
  },
];

const reductions: readonly Recipe[] = [
  {
    name: 'mean',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axes = axesOf(k, x);
      const count = axes.reduce((n, a) => n * shapeOf(x)[a]!, 1);
      return [div(sum(x, axes, { keepDims: k.choose(0, 1) === 1 }), count), k.bound(x)];
    },
  },
  {
    name: 'sum',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axes = axesOf(k, x);
      return [sum(x, axes), k.bound(x) * axes.reduce((n, a) => n * shapeOf(x)[a]!, 1)];
    },
  },
  {
    name: 'extreme',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      return [k.pick([max, min])(x, axesOf(k, x), { keepDims: k.choose(0, 1) === 1 }), k.bound(x)];
    },
  },
  {
    name: 'prod',
    make: (k) => {
      const x = k.float();
      return rank(x) === 0 ? null : [prod(tanh(x), axisOf(k, x)), 1];
    },
  },
  {
    name: 'softmax',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axis = axisOf(k, x);
      return [softmax(x, axis), 1];
    },
  },
  {
    name: 'normalize',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axis = axisOf(k, x);
      const n = shapeOf(x)[axis]!;
      const centred = sub(x, div(sum(x, axis, { keepDims: true }), n));
      const variance = div(sum(square(centred), axis, { keepDims: true }), n);
      return [mul(centred, rsqrt(add(variance, 0.1))), Math.sqrt(n)];
    },
  },
];

const views: readonly Recipe[] = [
  {
    name: 'transpose',
    make: (k) => {
      const x = k.float();
      const perm = shapeOf(x).map((_, i) => i);
      perm.reverse();
      if (perm.length > 2 && k.choose(0, 1) === 1) perm.push(perm.shift()!);
      return [transpose(x, perm), k.bound(x)];
    },
  },
  {
    name: 'reshape',
    make: (k) => {
      const x = k.float();
      const n = elementCount(shapeOf(x));
      const divisors = Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);
      const d = k.pick(divisors);
      const shapes = [[n], [d, n / d], [1, d, n / d], [n / d, 1, d, 1]];
      return [reshape(x, k.pick(shapes)), k.bound(x)];
    },
  },
  {
    name: 'broadcast',
    make: (k) => {
      const x = k.float();
      return rank(x) > 3 ? null : [broadcastTo(x, [k.choose(1, 3), ...shapeOf(x)]), k.bound(x)];
    },
  },
  {
    name: 'reverse',
    make: (k) => {
      const x = k.float();
      return rank(x) === 0 ? null : [reverse(x, axisOf(k, x)), k.bound(x)];
    },
  },
  {
    name: 'slice',
    make: (k) => {
      const x = k.float();
      const starts = shapeOf(x).map((d) => k.choose(0, d - 1));
      const limits = shapeOf(x).map((d, i) => d - k.choose(0, d - 1 - starts[i]!));
      const strides = shapeOf(x).map(() => k.choose(1, 2));
      return [slice(x, starts, limits, strides), k.bound(x)];
    },
  },
  {
    name: 'pad',
    make: (k) => {
      const x = k.float();
      const widths = shapeOf(x).map((d) => [k.choose(0, 2), k.choose(0, 2) - (d > 2 ? 1 : 0)] as const);
      return [pad(x, widths, 0.5), Math.max(0.5, k.bound(x))];
    },
  },
  {
    name: 'concat',
    make: (k) => {
      const [x, y] = [k.float(), k.float()];
      if (rank(x) === 0) return [stack([x, neg(x)], 0), k.bound(x)];
      const axis = axisOf(k, x);
      const fits = rank(y) === rank(x) && shapeOf(y).every((d, i) => i === axis || d === shapeOf(x)[i]);
      return [concat([x, fits ? y : neg(x), x], axis), Math.max(k.bound(x), fits ? k.bound(y) : 0)];
    },
  },
];

const contractions: readonly Recipe[] = [
  {
    name: 'matmul',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const depth = shapeOf(x)[rank(x) - 1]!;
      const rows = rank(x) === 1 ? reshape(x, [1, depth]) : x;
      return [matmul(rows, k.weight([depth, k.choose(1, 7)])), k.bound(x) * depth];
    },
  },
  {
    name: 'matmul with itself',
    make: (k) => {
      const x = k.float();
      if (rank(x) < 2) return null;
      const swapped = shapeOf(x).map((_, i) => i);
      swapped.push(...swapped.splice(-2).reverse());
      return [div(matmul(x, transpose(x, swapped)), shapeOf(x)[rank(x) - 1]!), k.bound(x) ** 2];
    },
  },
  {
    name: 'convolution',
    make: (k) => {
      const x = asImage(k.float());
      const [, channels, ...sizes] = shapeOf(x) as [number, number, ...number[]];
      const groups = channels % 2 === 0 ? k.choose(1, 2) : 1;
      const taps = sizes.map((d) => k.choose(1, Math.min(3, d)));
      const w = k.weight([groups * k.choose(1, 3), channels / groups, ...taps]);
      const options = { strides: k.choose(1, 2), padding: k.choose(0, 2), groups };
      const terms = (channels / groups) * elementCount(taps);
      return [conv2d(x, w, options), k.bound(x) * terms];
    },
  },
  {
    name: 'pool',
    make: (k) => {
      const x = asImage(k.float());
      const [, , h, w] = shapeOf(x) as [number, number, number, number];
      const kernel = [k.choose(1, Math.min(3, h)), k.choose(1, Math.min(3, w))];
      const padding = kernel.every((n) => n > 1) ? k.choose(0, 1) : 0;
      const options = { kernel, strides: k.choose(1, 2), padding };
      return [k.choose(0, 1) === 0 ? maxPool2d(x, options) : avgPool2d(x, options), k.bound(x)];
    },
  },
];

/** The value as [batch, channels, height, width]. */
function asImage(x: Node<Shape, 'f32'>): Node<Shape, 'f32'> {
  const shape = shapeOf(x);
  if (shape.length === 4) return x;
  const n = elementCount(shape);
  return reshape(
    x,
    shape.length === 3 ? [1, ...shape] : shape.length === 2 ? [1, 1, ...shape] : [1, 1, 1, n],
  );
}

const others: readonly Recipe[] = [
  { name: 'compare', make: (k) => k.pick([gt, lt])(k.float(), k.pick([0.1234, -0.4321, 0.7123])) },
  {
    name: 'compare two',
    make: (k) => {
      const x = k.float();
      return ge(x, add(mul(k.partner(x), 0.71), 0.0531));
    },
  },
  {
    name: 'logic',
    make: (k) => {
      const [p, q] = [k.bool(), k.bool()];
      if (p === null) return null;
      if (q === null || !sameShape(shapeOf(p), shapeOf(q))) return logicalNot(p);
      return k.pick([logicalAnd, logicalOr, logicalXor])(p, q);
    },
  },
  {
    name: 'any all',
    make: (k) => {
      const p = k.bool();
      return p === null || rank(p) === 0 ? null : k.pick([any, all])(p, axisOf(k, p));
    },
  },
  {
    name: 'mask',
    make: (k) => {
      const p = k.bool();
      return p === null ? null : [cast(p, 'f32'), 1];
    },
  },
  { name: 'truncate', make: (k) => cast(add(mul(k.float(), 3), 0.3717), 'i32') },
  {
    name: 'argmax',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      // Ties of equal elements are real; near ties are pulled apart by their position.
      const axis = axisOf(k, x);
      return argmax(add(floor(add(mul(x, 4), 0.3717)), mul(cast(iota(shapeOf(x), axis), 'f32'), 0.01)), axis);
    },
  },
  {
    name: 'integer arithmetic',
    make: (k) => {
      const i = k.int();
      return i === null ? null : k.pick([add, sub, mul, maximum, minimum])(i, k.pick([3, -2, 7]));
    },
  },
  {
    name: 'integer mask',
    make: (k) => {
      const i = k.int();
      return i === null ? null : eq(mod(i, 3), k.choose(0, 2));
    },
  },
  {
    name: 'number of integer',
    make: (k) => {
      const i = k.int();
      return i === null ? null : [mul(cast(mod(i, 7), 'f32'), 0.25), 1.5];
    },
  },
];

/** Positions in [0, n) made of an i32 value that is there already, or counted; null when they would be too many. */
function positions(k: Kitchen, n: number, mostRank: number): Node<Shape, 'i32'> | null {
  const found = k.int();
  const i = found !== null && rank(found) <= mostRank ? found : iota([k.choose(1, 5)], 0);
  if (mostRank < 1 || elementCount(shapeOf(i)) > 40) return null;
  return maximum(mod(add(mul(i, 2), 1), n), 0) as Node<Shape, 'i32'>;
}

const indexed: readonly Recipe[] = [
  {
    name: 'gather',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axis = axisOf(k, x);
      const at = positions(k, shapeOf(x)[axis]!, 5 - rank(x));
      if (at === null) return null;
      const y = k.choose(0, 1) === 0 ? gather(x, at, axis) : gatherAt(x, at, { axis, batch: 0 });
      return [y as Node, k.bound(x)];
    },
  },
  {
    name: 'gather elements',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axis = axisOf(k, x);
      const at = add(mul(iota(shapeOf(x), k.choose(0, rank(x) - 1)), 3), k.choose(0, 2));
      return [gatherElements(x, mod(at, shapeOf(x)[axis]!) as Node<Shape, 'i32'>, axis), k.bound(x)];
    },
  },
  {
    name: 'scatter',
    make: (k) => {
      const updates = k.float();
      if (rank(updates) === 0) return null;
      const [n, size] = [shapeOf(updates)[0]!, k.choose(1, 6)];
      const at = mod(add(mul(iota([n], 0), 5), k.choose(0, 2)), size);
      const to = mul(iota([size, ...shapeOf(updates).slice(1)], 0, 'f32'), 0.1) as Node;
      const scatter = k.choose(0, 1) === 0 ? scatterAdd : scatterUpdate;
      return [scatter(to, at as Node, updates), k.bound(updates) * n + 0.6];
    },
  },
];

const sampled = [...registry.values()].filter((op) => op.sample !== null);

/** Whatever the registry has: an op joins the random graphs by being there. Its operands are those of a sample. */
const registered: Recipe = {
  name: 'an op of the registry',
  make: (k) => {
    const op = k.pick(sampled);
    const {
      operands,
      attrs,
      regions = [],
    } = op.sample!(seededRandom(k.choose(0, 99) * 100 + k.choose(0, 99)));
    const node = makeNode(
      op,
      operands.map((x) => k.feed(x)),
      attrs,
      { regions },
    );
    if (node.type.dtype !== 'f32') return node;
    // What has no gradient must not stand between a loss and an input.
    const y = typeof op.gradient === 'function' ? node : stopGradient(node);
    const most = Math.max(...operands.flatMap((x) => [...x.data].map(Math.abs)), 1);
    return [tanh(mul(y, 1 / most)), 1];
  },
};

/** Compositions that an input of any shape fits. */
const composed: readonly Recipe[] = [
  {
    name: 'sort',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axis = axisOf(k, x);
      return [sort(x, axis, { descending: k.choose(0, 1) === 1 }) as Node, k.bound(x)];
    },
  },
  {
    name: 'cumsum',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const axis = axisOf(k, x);
      const options = { exclusive: k.choose(0, 1) === 1, reverse: k.choose(0, 1) === 1 };
      return [cumsum(x, axis, options), k.bound(x) * shapeOf(x)[axis]!];
    },
  },
  {
    name: 'loop',
    make: (k) => {
      const x = k.float();
      if (rank(x) === 0) return null;
      const begin = mul(sum(x, 0), 0.1) as Node;
      const weight = k.weight([]);
      const reverse = k.choose(0, 1) === 1;
      const isStacked = k.choose(0, 1) === 0;
      const isLoop = k.choose(0, 1) === 1;
      const { carry, outputs } = scan(
        ([h], [row]) => {
          const next = tanh(add(mul(h, weight), row as Node)) as Node;
          return { carry: [next], outputs: [mul(next, 0.5) as Node] };
        },
        [begin],
        [x as Node],
        { reverse, ...(isLoop && { unroll: false }) },
      );
      return [isStacked ? (outputs[0] as Node) : carry[0]!, 1];
    },
  },
  {
    name: 'checkpoint',
    make: (k) => {
      const x = k.float();
      const y = k.partner(x);
      return [checkpoint(([v]) => sin(add(tanh(v!), mul(y, 0.5)) as Node) as Node, [x as Node]), 1];
    },
  },
  {
    name: 'resize',
    make: (k) => {
      const x = asImage(k.float());
      const size = [k.choose(1, 9), k.choose(1, 9)];
      return [resize(x as Node, size, { mode: k.pick(['nearest', 'linear'] as const) }) as Node, k.bound(x)];
    },
  },
];

/** The plainest first: failures shrink towards the start of the table. */
export const recipes: readonly Recipe[] = [
  ...elementwise,
  ...reductions,
  ...views,
  ...contractions,
  ...others,
  ...indexed,
  ...composed,
  registered,
  registered,
  registered,
];
