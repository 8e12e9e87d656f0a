// Attention and positions of sequences. Positions stand in the second last dimension, features in the last.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Attended, Fits, Headed, Headless, Heads, Values } from '../graph/shape-types-sequence.ts';
import type { Shape } from '../graph/types.ts';
import { add, mul, neg } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { ge, where } from './compare.ts';
import { softmax } from './composite.ts';
import { concat, split } from './concat.ts';
import { constant } from './constant.ts';
import { matmul } from './contract.ts';
import { iota } from './leaf.ts';
import { reshape, transpose } from './shape.ts';

type Floats = Node<Shape, 'f32'>;

export interface AttentionOptions {
  /** bool, true where a query may look at a key; broadcasts to [..., queries, keys]. */
  readonly mask?: Node;
  /** Whether queries look at keys of their own position and before only, counted from the ends (default false). */
  readonly causal?: boolean;
  /** Multiplies the products (default 1/√features). */
  readonly scale?: number;
  /** Applied to the weights: dropout, say. */
  readonly transform?: (weights: Floats) => Node;
}

/** What takes the place of a product that is masked: its weight is 0, and a row of nothing else has equal weights. */
const masked = -1e30;

/**
 * softmax(q · kᵀ · scale) · v: for each query the mean of the values, weighted by how well their keys fit. q is
 * f32[..., queries, features], k f32[..., keys, features], v f32[..., keys, values]; the dimensions before broadcast.
 * Vaswani et al., 2017. Throws HDL0001, HDL0002.
 *
 *     attention(q, k, v, { causal: true }); // f32[8, 4, 32, 16] three times → f32[8, 4, 32, 16]
 */
export function attention<Q extends Node, K extends Node, V extends Node>(
  q: Q & Accepts<'attention', Q, 'f32'>,
  k: K & Fits<Q, K> & Accepts<'attention', K, 'f32'>,
  v: V & Values<K, V> & Accepts<'attention', V, 'f32'>,
  options: AttentionOptions = {},
): Node<Attended<ShapeOf<Q>, ShapeOf<K>, ShapeOf<V>>, 'f32'> {
  return attend(q, k, v, options) as Node<Attended<ShapeOf<Q>, ShapeOf<K>, ShapeOf<V>>, 'f32'>;
}

function attend(q: Node, k: Node, v: Node, options: AttentionOptions): Node {
  for (const x of [q, k, v]) {
    requireFloats('attention', x);
    if (x.type.shape.length < 2) throw refuse('attention', x, 'it takes [..., positions, features]');
  }
  return scope('attention', () => {
    const features = q.type.shape.at(-1)!;
    const scaled = mul(q, options.scale ?? 1 / Math.sqrt(features)) as Floats;
    let scores = matmul(scaled, swapLast(k) as Floats) as Floats;
    if (options.causal) {
      const [n, m] = [scores.type.shape.at(-2)!, scores.type.shape.at(-1)!];
      const isPast = ge(add(iota([n, m], 0), m - n) as Node<Shape, 'i32'>, iota([n, m], 1));
      scores = where(isPast as Node<Shape, 'bool'>, scores, masked) as Floats;
    }
    if (options.mask !== undefined) {
      scores = where(options.mask as Node<Shape, 'bool'>, scores, masked) as Floats;
    }
    const weights = softmax(scores) as Floats;
    return matmul((options.transform?.(weights) ?? weights) as Floats, v as Floats) as Floats;
  });
}

/**
 * f32[N, T, heads · d] → f32[N, heads, T, d]. Throws HDL0001 when the features do not divide.
 *
 * @example splitHeads(x, 4) // f32[8, 16, 128] → f32[8, 4, 16, 32]
 */
export function splitHeads<X extends Node, const H extends number>(
  x: X & Accepts<'splitHeads', X, 'f32'>,
  heads: H & Heads<'splitHeads', ShapeOf<X>, H>,
): Node<Headed<ShapeOf<X>, H>, 'f32'> {
  requireFloats('splitHeads', x);
  const [n, t, features] = x.type.shape as Shape as [number, number, number];
  if (x.type.shape.length !== 3 || features % heads !== 0) {
    throw refuse(
      'splitHeads',
      x,
      `it takes [N, T, features], with features that ${heads} heads divide evenly`,
    );
  }
  const y = transpose(reshape(x as Node, [n, t, heads, features / heads]) as Node, [0, 2, 1, 3]);
  return y as Node as Node<Headed<ShapeOf<X>, H>, 'f32'>;
}

/**
 * f32[N, heads, T, d] → f32[N, T, heads · d]: the inverse of `splitHeads`.
 *
 * @example joinHeads(y) // f32[8, 4, 16, 32] → f32[8, 16, 128]
 */
export function joinHeads<X extends Node>(
  x: X & Accepts<'joinHeads', X, 'f32'>,
): Node<Headless<ShapeOf<X>>, 'f32'> {
  requireFloats('joinHeads', x);
  const [n, heads, t, d] = x.type.shape as Shape as [number, number, number, number];
  if (x.type.shape.length !== 4) throw refuse('joinHeads', x, 'it takes [N, heads, T, features]');
  const y = reshape(transpose(x as Node, [0, 2, 1, 3]) as Node, [n, t, heads * d]);
  return y as Node as Node<Headless<ShapeOf<X>>, 'f32'>;
}

/**
 * A code for each position, f32[length, features]: sines of the position at the even features, cosines at the odd ones, with
 * wave lengths from 2π to 10000 · 2π. Vaswani et al., 2017. Throws HDL0003 for odd features.
 *
 *     add(x, sinusoidalPositions(32, 64)); // x: f32[8, 32, 64]
 */
export function sinusoidalPositions<const L extends number, const F extends number>(
  length: L,
  features: F,
): Node<readonly [L, F], 'f32'> {
  checkEven('sinusoidalPositions', features);
  const values = Array.from({ length: length * features }, (_, i) => {
    const angle = Math.floor(i / features) * frequency(i % features, features, 10000);
    return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  return constant(values, [length, features]) as Node as Node<readonly [L, F], 'f32'>;
}

export interface RotaryOptions {
  /** Position of the first row (default 0). */
  readonly offset?: number;
  /** Longest wave length over 2π (default 10000). */
  readonly base?: number;
}

/**
 * Features in pairs (i, i + half), each turned by an angle that grows with the position, so that products of queries and
 * keys depend on their distance alone. x is f32[..., positions, features]. Su et al., 2021. Throws HDL0001, HDL0002, HDL0003.
 *
 *     attention(rotary(q), rotary(k), v);
 */
export function rotary<X extends Node>(
  x: X & Accepts<'rotary', X, 'f32'>,
  options: RotaryOptions = {},
): Node<ShapeOf<X>, 'f32'> {
  requireFloats('rotary', x);
  if (x.type.shape.length < 2) throw refuse('rotary', x, 'it takes [..., positions, features]');
  const [length, features] = x.type.shape.slice(-2) as Shape as [number, number];
  checkEven('rotary', features);
  const { offset = 0, base = 10000 } = options;
  const half = features / 2;
  const angles = Array.from(
    { length: length * half },
    (_, i) => (Math.floor(i / half) + offset) * frequency(2 * (i % half), features, base),
  );
  const y = scope('rotary', () => {
    const table = (f: (v: number) => number): Floats =>
      constant(angles.map(f), [length, half]) as Node as Floats;
    const [cos, sin] = [table(Math.cos), table(Math.sin)];
    const [a, b] = split(x as Node as Floats, 2, x.type.shape.length - 1) as Node[] as [Floats, Floats];
    const turned = [add(mul(a, cos), neg(mul(b, sin) as Node)), add(mul(b, cos), mul(a, sin))];
    return concat(turned as Node[], x.type.shape.length - 1);
  });
  return y as Node as Node<ShapeOf<X>, 'f32'>;
}

function frequency(feature: number, features: number, base: number): number {
  return base ** (-(feature - (feature % 2)) / features);
}

function swapLast(x: Node): Node {
  const rank = x.type.shape.length;
  const order = Array.from({ length: rank - 2 }, (_, i) => i);
  return transpose(x, [...order, rank - 1, rank - 2]);
}

function checkEven(fn: string, features: number): void {
  if (Number.isInteger(features) && features > 0 && features % 2 === 0) return;
  throw compilerError('HDL0003', {
    what: `${fn} with ${features} features`,
    rule: 'features come in pairs: their number is even',
    hint: 'choose an even number, as 64',
    loc: callerLocation(),
  });
}

function refuse(fn: string, x: Node, rule: string): Error {
  return compilerError('HDL0001', {
    what: `${fn}(${describeNode(x)})`,
    rule,
    hint: 'reshape or transpose it',
    loc: callerLocation(),
  });
}
