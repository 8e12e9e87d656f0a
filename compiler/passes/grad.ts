// Reverse-mode differentiation, graph → graph. In: outputs and the values to differentiate by. Out: new nodes, made by the
// gradient rules of the ops, so gradients can be differentiated, simplified and fused like everything else.
//
//   1. order the nodes under the outputs, operands first
//   2. forwards:  a node is needed when it is f32 and is, or reads, a value that we differentiate by
//   3. backwards: when a node's turn comes all of its users are done, so the sum of what they sent is dL/d(node); its rule
//                 sends a part on to each needed operand
//
// Invariant: only needed nodes are visited, and dead gradients are never part of a graph. No recursion: a chain is as
// long as memory allows. Forward mode is reverse mode twice (`jvp`), after J. Townsend, "A new trick for calculating
// Jacobian vector products", 2017.

import { formatAttr } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, Tensor } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { topologicalOrder } from '../graph/order.ts';
import { isSameComputation } from '../graph/region.ts';
import { absoluteScope, atLocation } from '../graph/scope.ts';
import { formatType, sameType } from '../graph/types.ts';
import { add } from '../ops/arithmetic.ts';
import { ones, zeros } from '../ops/leaf.ts';
import { factorSum } from './factor-sums.ts';
import { splatOf } from './rewrite.ts';

export interface GradOptions {
  /** What to give for a value on which the loss does not depend; `'error'` throws HDL0005. Default `'zeros'`. */
  readonly unused?: 'zeros' | 'error';
}

/**
 * Gradients of a scalar loss: one node for each of `wrt`, of its type. Any f32 values may stand in `wrt`, also ones computed
 * on the way. With `cotangent`, of the type of `loss`, the loss may have any shape: the gradient of `sum(cotangent · loss)`.
 * Throws HDL0005 when the loss is not an f32 scalar, when a value of `wrt` is not f32, and when an op on the way has
 * no gradient.
 *
 *     const [dw, db] = grad(mean(square(sub(y, target))), [w, b]);
 */
export function grad<const T extends readonly Tensor[]>(
  loss: Tensor,
  wrt: T,
  options: GradOptions & { readonly cotangent?: Tensor } = {},
): { [K in keyof T]: T[K] } {
  if (options.cotangent === undefined && (loss.type.dtype !== 'f32' || loss.type.shape.length > 0)) {
    throw compilerError('HDL0005', {
      what: `grad(${describeNode(loss)}, …)`,
      rule: `a loss is one number of type f32[], not ${formatType(loss.type)}`,
      hint:
        loss.type.dtype === 'f32'
          ? 'use mean or sum to make it a scalar, or pass a cotangent of its type'
          : "only f32 values have gradients: cast before computing, not after: cast(x, 'f32')",
      loc: callerLocation(),
    });
  }
  const cotangent = options.cotangent ?? absoluteScope('grad', () => ones(loss.type.shape));
  return vjp([loss], [cotangent], wrt, options);
}

/**
 * Vector-Jacobian product: for each of `wrt`, the sum over outputs of cotangent · ∂output/∂wrt. Throws HDL0005 when the
 * types do not fit or an op on the way has no gradient.
 *
 *     const [dx] = vjp([y], [dy], [x]);
 */
export function vjp<const T extends readonly Tensor[]>(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  wrt: T,
  options: GradOptions = {},
): { [K in keyof T]: T[K] } {
  acceptOperands('vjp', 'output', outputs, 'cotangent', cotangents);
  for (const x of wrt) acceptFloat('the gradient with respect to', x);
  const order = topologicalOrder(outputs);
  const needed = neededNodes(order, wrt);
  const written = new Set([...order, ...topologicalOrder(cotangents)]);
  const isForward = (n: Node): boolean => written.has(n);
  const received = new Map<Node, Node[]>();
  const send = (to: Node, cotangent: Node): void => {
    const list = received.get(to);
    if (list) list.push(cotangent);
    else received.set(to, [cotangent]);
  };
  outputs.forEach((y, i) => {
    if (needed.has(y)) send(y, cotangents[i]!);
  });

  const wanted = new Set<Node>(wrt);
  const computations = firstOfComputations(order);
  const gradients = new Map<Node, Node>();
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at]!;
    const parts = received.get(node);
    const results = computations.get(node);
    if (parts === undefined && results === undefined) continue;
    received.delete(node);
    const scope = node.scope === '' ? 'grad' : `grad/${node.scope}`;
    absoluteScope(scope, () =>
      atLocation(node.loc, () => {
        const own = parts === undefined ? null : sumInPairs(parts);
        if (own !== null) noteGradient(node, own);
        if (own !== null && wanted.has(node)) gradients.set(node, own);
        const needs = node.operands.map((o) => needed.has(o));
        if (!needs.includes(true)) return;
        // An op with several results is asked once, at the first of them: all users of the others were visited before.
        if (own !== null && results !== undefined) results.cotangents[Number(node.attrs['result'])] = own;
        if (results !== undefined && results.first !== node) return;
        const cotangents = results?.cotangents ?? [own];
        const cotangent = own ?? Array.from(cotangents).find((c) => c !== null && c !== undefined);
        if (cotangent === undefined || cotangent === null) return;
        applyRule(node, cotangent, needs, cotangents).forEach((g, i) => {
          if (g === null || !needs[i] || isStructuralZero(g, cotangent)) return;
          const factored = factorSum(g, isForward);
          if (factored !== null) send(node.operands[i]!, factored);
        });
      }),
    );
  }
  const result = wrt.map((x) => gradients.get(x) ?? unusedGradient(x, outputs, options));
  return result as { [K in keyof T]: T[K] };
}

/**
 * Jacobian-vector product, forward mode: for each output, the sum over `wrt` of ∂output/∂wrt · tangent. The VJP is linear in
 * its cotangents, so its own VJP with respect to them is this product; their values are never read.
 *
 *     const [dy] = jvp([y], [x], [dx]);
 */
export function jvp<const T extends readonly Tensor[]>(
  outputs: T,
  wrt: readonly Tensor[],
  tangents: readonly Tensor[],
): { [K in keyof T]: T[K] } {
  acceptOperands('jvp', 'value', wrt, 'tangent', tangents);
  for (const y of outputs) acceptFloat('the directional derivative of', y);
  const cotangents = outputs.map((y) => zeros(y.type.shape));
  const result = vjp(vjp(outputs, cotangents, wrt), tangents, cotangents);
  return result as readonly Node[] as { [K in keyof T]: T[K] };
}

/**
 * Product of the Hessian of a scalar loss with a vector, one node for each of `wrt`, without forming the Hessian.
 *
 *     const [hv] = hvp(loss, [w], [v]);
 */
export function hvp<const T extends readonly Tensor[]>(
  loss: Tensor,
  wrt: T,
  vectors: readonly Tensor[],
): { [K in keyof T]: T[K] } {
  acceptOperands('hvp', 'value', wrt, 'vector', vectors);
  return vjp(grad(loss, wrt), vectors, wrt);
}

/** Gradients by the value that they belong to: a note for tools, which changes nothing. Held weakly, as long as their graphs. */
const noted = new WeakMap<Node, readonly WeakRef<Node>[]>();

function noteGradient(value: Node, gradient: Node): void {
  const alive = (noted.get(value) ?? []).filter((reference) => reference.deref() !== undefined);
  noted.set(value, [...alive, new WeakRef(gradient)]);
}

/** What differentiation has computed as gradient of a value, in the order in which it was asked for; also for values on the way. */
export function gradientsOf(value: Node): readonly Node[] {
  return (noted.get(value) ?? []).map((reference) => reference.deref()).filter((node) => node !== undefined);
}

/** The f32 nodes that are, or depend on, a value of `wrt` by f32 values only: integers and bools carry no gradient. */
function neededNodes(order: readonly Node[], wrt: readonly Node[]): ReadonlySet<Node> {
  const sources = new Set(wrt);
  const needed = new Set<Node>();
  for (const n of order) {
    if (n.type.dtype !== 'f32') continue;
    if (sources.has(n) || n.operands.some((o) => needed.has(o))) needed.add(n);
  }
  return needed;
}

interface Results {
  readonly first: Node;
  readonly cotangents: (Node | null)[];
}

/** For each node that is one of several results of a computation, what is known of all of them. */
function firstOfComputations(order: readonly Node[]): ReadonlyMap<Node, Results> {
  const found = new Map<Node, Results>();
  const groups: Results[] = [];
  for (const n of order) {
    if (n.op.region === undefined) continue;
    let group = groups.find((g) => isSameComputation(g.first, n));
    if (group === undefined) {
      group = { first: n, cotangents: [] };
      groups.push(group);
    }
    found.set(n, group);
  }
  return found;
}

function applyRule(
  node: Node,
  cotangent: Node,
  needs: readonly boolean[],
  cotangents: readonly (Node | null)[],
): readonly (Node | null)[] {
  const rule = node.op.gradient;
  if (typeof rule !== 'function') {
    throw compilerError('HDL0005', {
      what: `the gradient of ${describeNode(node)}`,
      rule: `${node.op.name} has no gradient: ${rule.none}`,
      hint: 'put stopGradient around it, or leave it out of the loss',
      loc: node.loc,
    });
  }
  const gradients = rule({ node, operands: node.operands, out: node, cotangent, needs, cotangents });
  const wrong = node.operands.findIndex((o, i) => {
    const g = gradients[i];
    return needs[i] && g !== null && (g === undefined || !sameType(g.type, o.type));
  });
  if (wrong < 0) return gradients;
  const given = gradients[wrong];
  throw compilerError('HDL0005', {
    what: `the gradient of ${describeNode(node)}`,
    rule: `its rule gave ${given ? formatType(given.type) : 'nothing'} for operand ${wrong}, ${describeNode(node.operands[wrong]!)}`,
    hint: 'a rule returns one gradient, of the type of the operand, or null, for each operand',
    loc: node.loc,
  });
}

/** A rule that answers with a constant 0 (that of a step function) ends the path, as null does. */
function isStructuralZero(gradient: Node, cotangent: Node): boolean {
  return gradient !== cotangent && splatOf(gradient) === 0;
}

/** (a + b) + (c + d): the same order every time, of logarithmic depth, with smaller rounding errors than a row. */
function sumInPairs(parts: readonly Node[]): Node {
  let list = parts;
  while (list.length > 1) {
    const next: Node[] = [];
    for (let i = 0; i < list.length; i += 2) {
      const right = list[i + 1];
      next.push(right === undefined ? list[i]! : add(list[i]!, right));
    }
    list = next;
  }
  return list[0]!;
}

function unusedGradient(x: Node, outputs: readonly Node[], options: GradOptions): Node {
  if (options.unused !== 'error') return absoluteScope('grad', () => zeros(x.type.shape));
  throw compilerError('HDL0005', {
    what: `the gradient of ${outputs.map(describeNode).join(', ')} with respect to ${describeNode(x)}`,
    rule: 'no path of f32 values leads from one to the other, or each has a stopGradient or a derivative of 0',
    hint: `take it out of the list, or pass { unused: ${formatAttr('zeros')} }`,
    loc: x.loc,
  });
}

function acceptFloat(what: string, x: Node): void {
  if (x.type.dtype === 'f32') return;
  throw compilerError('HDL0005', {
    what: `${what} ${describeNode(x)}`,
    rule: `only f32 values have gradients, not ${x.type.dtype}`,
    hint: "cast it first and use the result: cast(x, 'f32')",
    loc: callerLocation(),
  });
}

function acceptOperands(fn: string, a: string, xs: readonly Node[], b: string, ys: readonly Node[]): void {
  const fail = (rule: string): never => {
    const shown = [xs, ys].map((list) => `[${list.map(describeNode).join(', ')}]`);
    throw compilerError('HDL0005', { what: `${fn}(${shown.join(', ')})`, rule, loc: callerLocation() });
  };
  if (xs.length !== ys.length) fail(`each ${a} needs its ${b}: there are ${xs.length} and ${ys.length}`);
  xs.forEach((x, i) => {
    const y = ys[i]!;
    if (x.type.dtype !== 'f32') fail(`${a} ${i} is ${x.type.dtype}, and only f32 values have gradients`);
    if (!sameType(x.type, y.type)) {
      fail(`${b} ${i} must be ${formatType(x.type)} as its ${a} is, not ${formatType(y.type)}`);
    }
  });
}
