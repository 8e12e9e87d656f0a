// Sums in gradients, in their smallest form. The gradient to a value that was repeated is a sum over what it was repeated
// along, of a product most of whose factors do not change along it. Such factors need not be multiplied in before the
// sum, and factors that share no summed dimension are summed apart:
//
//   Σ_nhw −(d · γ_c) · r_c        = −γ_c · r_c · Σ_nhw d
//   Σ_nhw (d · γ_c) · (x − m_c)   =  γ_c · Σ_nhw d · (x − m_c)
//   Σ_ij  u_i · v_j               = (Σ_i u_i) · (Σ_j v_j)
//
//   Σ_nhw (x − m_c) · s_c         =  0,   where m is the mean of x over n, h and w
//
// So the five sums of batch norm's gradient become two, which run over the same memory in one kernel, wait for none of
// each other, and leave nothing in between to be stored.
//
// In: a gradient that a rule made. Out: an equal one in real arithmetic; it rounds less often. This is a choice of formula
// for a derivative, whose rounding nobody has prescribed, not a rewrite of arithmetic that somebody wrote: of what was computed
// on the way forward only products are looked into, and its constants stay, since one may ask for gradients to them.

import type { Node } from '../graph/ir.ts';
import { sameShape } from '../graph/types.ts';
import { add, div, mul, neg } from '../ops/arithmetic.ts';
import { broadcastInDim, broadcastInDimOp, reduceSum, reduceSumOp } from '../ops/broadcast.ts';
import { ones } from '../ops/leaf.ts';
import { reshape } from '../ops/shape.ts';
import { deviationOf } from './deviation.ts';
import { integers, splatOf } from './rewrite.ts';

/** Longer products and sums are left as they are. */
const mostFactors = 12;
const mostTerms = 4;

interface Factor {
  /** The factor without the dimensions along which it is repeated. */
  readonly base: Node;
  /** Dimension of the product for each dimension of the base, rising. */
  readonly dims: readonly number[];
  readonly divides: boolean;
}

interface Term {
  readonly factors: readonly Factor[];
  /** Constant factor, sign included. */
  readonly scale: number;
}

/** Says which nodes somebody wrote. */
export type IsForward = (node: Node) => boolean;

/**
 * The gradient with its sum factored; itself when it is not a sum, or has nothing to take out; null when it is zero, whatever
 * the values are.
 */
export function factorSum(gradient: Node, isForward: IsForward): Node | null {
  if (isForward(gradient)) return gradient;
  if (gradient.op === broadcastInDimOp) {
    const inner = factorSum(gradient.operands[0]!, isForward);
    if (inner === gradient.operands[0] || inner === null) return inner && gradient;
    return broadcastInDim(inner, gradient.type.shape, integers(gradient, 'dims'));
  }
  if (gradient.op !== reduceSumOp || gradient.type.dtype !== 'f32') return gradient;
  const x = gradient.operands[0]!;
  if (x.type.shape.includes(0)) return gradient;
  const axes = integers(gradient, 'axes');
  const terms = termsOf(x, isForward)?.map(({ node, sign }) => termOf(node, sign, isForward));
  // Every term must gain, or one sum would become two for nothing.
  const gains = (t: Term | null): t is Term => t !== null && hasParts(t, axes);
  if (!terms?.every(gains)) return gradient;
  const left = terms.filter((t) => !isZero(t, axes));
  if (left.length === 0) return null;
  return left.map((t) => sumOf(t, x.type.shape, axes)).reduce((a, b) => add(a, b));
}

interface Signed {
  readonly node: Node;
  readonly sign: 1 | -1;
}

/** What gradients added up, or null when it is too much. */
function termsOf(root: Node, isForward: IsForward): readonly Signed[] | null {
  const out: Signed[] = [];
  const stack: Signed[] = [{ node: root, sign: 1 }];
  for (let looks = 0; stack.length > 0; looks++) {
    if (looks > 4 * mostTerms) return null;
    const { node, sign } = stack.pop()!;
    const [x, y] = node.operands;
    const name = isForward(node) ? null : node.op.name;
    if (name === 'add' && x !== y) stack.push({ node: y!, sign }, { node: x!, sign });
    else if (name === 'sub') stack.push({ node: y!, sign: opposite(sign) }, { node: x!, sign });
    else if (name === 'neg') stack.push({ node: x!, sign: opposite(sign) });
    else out.push({ node, sign });
  }
  return out.length <= mostTerms ? out : null;
}

function opposite(sign: 1 | -1): 1 | -1 {
  return sign === 1 ? -1 : 1;
}

/** The factors of a product, or null when there are too many. */
function termOf(root: Node, sign: 1 | -1, isForward: IsForward): Term | null {
  const factors: Factor[] = [];
  let scale: number = sign;
  const stack: { readonly node: Node; readonly divides: boolean }[] = [{ node: root, divides: false }];
  while (stack.length > 0) {
    if (factors.length + stack.length > mostFactors) return null;
    const { node, divides } = stack.pop()!;
    const [x, y] = node.operands;
    const own = !isForward(node);
    const constant = own ? splatOf(node) : null;
    if (constant !== null && constant !== 0 && Number.isFinite(constant)) {
      scale *= divides ? 1 / constant : constant;
    } else if (node.op.name === 'mul') stack.push({ node: y!, divides }, { node: x!, divides });
    else if (own && node.op.name === 'div') {
      stack.push({ node: y!, divides: !divides }, { node: x!, divides });
    } else if (own && node.op.name === 'neg') {
      scale = -scale;
      stack.push({ node: x!, divides });
    } else if (own && node.op.name === 'add' && x === y) {
      scale *= divides ? 1 / 2 : 2;
      stack.push({ node: x!, divides });
    } else factors.push(factorOf(node, divides));
  }
  return { factors, scale };
}

function factorOf(node: Node, divides: boolean): Factor {
  const whole = { base: node, dims: node.type.shape.map((_, i) => i), divides };
  if (node.op !== broadcastInDimOp) return whole;
  const x = node.operands[0]!;
  const to = integers(node, 'dims');
  const kept = x.type.shape.flatMap((d, i) => (d === 1 ? [] : [i]));
  const dims = kept.map((k) => to[k]!);
  if (dims.some((d, i) => i > 0 && d < dims[i - 1]!)) return whole;
  const shape = kept.map((k) => x.type.shape[k]!);
  return { base: kept.length === x.type.shape.length ? x : (reshape(x, shape) as Node), dims, divides };
}

/** Whether something can be taken out of the sum: a factor, a constant, or a dimension that no factor has. */
function hasParts(term: Term, axes: readonly number[]): boolean {
  const parts = partsOf(term.factors, axes);
  return parts.length > 1 || term.scale !== 1 || parts.reduce((n, p) => n + p.axes.length, 0) < axes.length;
}

interface Part {
  /** Dimensions that are summed. */
  readonly axes: readonly number[];
  readonly factors: readonly Factor[];
}

/** The factors in parts that share no summed dimension; a factor that has none is a part by itself. */
function partsOf(factors: readonly Factor[], axes: readonly number[]): Part[] {
  const parts: Part[] = [];
  for (const factor of factors) {
    const own = factor.dims.filter((d) => axes.includes(d));
    const joined = parts.filter((p) => p.axes.some((a) => own.includes(a)));
    const merged: Part = {
      axes: [...new Set([...joined.flatMap((p) => p.axes), ...own])].sort((a, b) => a - b),
      factors: [...joined.flatMap((p) => p.factors), factor],
    };
    const first = joined[0] === undefined ? parts.length : parts.indexOf(joined[0]);
    for (const p of joined) parts.splice(parts.indexOf(p), 1);
    parts.splice(first, 0, merged);
  }
  return parts;
}

/** Whether a sum over deviations from the mean over just these axes is taken out of the term. */
function isZero(term: Term, axes: readonly number[]): boolean {
  return partsOf(term.factors, axes).some(({ factors, axes: own }) => {
    const [only, ...more] = factors;
    if (own.length === 0 || only === undefined || more.length > 0 || only.divides) return false;
    const mean = deviationOf(only.base)?.axes.map((d) => only.dims[d]!);
    return mean !== undefined && sameShape(mean, own);
  });
}

/** Σ over `axes` of a term of that shape. */
function sumOf(term: Term, shape: readonly number[], axes: readonly number[]): Node {
  const kept = shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const parts = partsOf(term.factors, axes);
  const covered = parts.flatMap((p) => p.axes);
  const repeats = axes.reduce((n, a) => (covered.includes(a) ? n : n * shape[a]!), 1);
  /** Over the dimensions that are kept. */
  const spread = ({ base, dims }: Omit<Factor, 'divides'>): Node =>
    broadcastInDim(
      base,
      kept.map((i) => shape[i]!),
      dims.map((d) => kept.indexOf(d)),
    );
  const sums = parts.filter((p) => p.axes.length > 0).map((p) => spread(sumPart(p, shape)));
  const others = parts.filter((p) => p.axes.length === 0).flatMap((p) => p.factors);
  const times = [...sums, ...others.filter((f) => !f.divides).map(spread)];
  const over = others.filter((f) => f.divides).map(spread);
  const scale = term.scale * repeats;
  let result = times.reduce<Node | null>((a, b) => (a === null ? b : mul(a, b)), null);
  for (const d of over) result = div(result ?? onesLike(d), d);
  result ??= onesLike(spread({ base: ones([]), dims: [] }));
  if (scale === 1) return result;
  return scale === -1 ? neg(result as Node<readonly number[], 'f32'>) : mul(result, scale);
}

function onesLike(x: Node): Node {
  return ones(x.type.shape);
}

/** The sum of the product of factors that share summed dimensions, over the other dimensions that they have. */
function sumPart({ axes, factors }: Part, shape: readonly number[]): Omit<Factor, 'divides'> {
  const dims = [...new Set(factors.flatMap((f) => f.dims))].sort((a, b) => a - b);
  const spread = (f: Factor): Node =>
    broadcastInDim(
      f.base,
      dims.map((d) => shape[d]!),
      f.dims.map((d) => dims.indexOf(d)),
    );
  const times = factors.filter((f) => !f.divides).map(spread);
  let product = times.reduce<Node | null>((a, b) => (a === null ? b : mul(a, b)), null);
  for (const f of factors.filter((f) => f.divides)) {
    const by = spread(f);
    product = div(product ?? onesLike(by), by);
  }
  const base = reduceSum(
    product!,
    axes.map((a) => dims.indexOf(a)),
  );
  return { base, dims: dims.filter((d) => !axes.includes(d)) };
}
