// Long reductions in two steps. A sum of 50,000 numbers into 16 results has too few results to spread over work units,
// and adding 50,000 numbers one after the other loses digits: the error grows with the length of a row of additions.
// So the reduced elements are cut into about √K parts of about √K elements each, or where they lie side by side, so that four
// lanes add up a quarter of a part each, into half as many of twice the length:
//
//   reduceSum(x: [64, 16, 28, 28], over 0, 2, 3)  →  reduceSum over 2, 3: [64, 16]  →  reduceSum over 0: [16]
//   reduceSum(x: [8192, 10], over 0)              →  reshape [64, 128, 10]  →  over 1: [64, 10]  →  over 0: [10]
//
// The cut depends on shapes only, so the order of additions, and with it every bit, is the same on every machine and for
// any number of workers.

import { makeNode } from '../graph/build.ts';
import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { reshape } from '../ops/shape.ts';
import type { GraphPass } from './manager.ts';
import { integers, rewriteNodes } from './rewrite.ts';

/** Reductions of more elements than this into one are cut. */
const longest = 4096;
/** Of fewer too, down to these, between the pictures of a batch: what makes one picture then sums it while it is near. */
const longestBetweenAxes = 1024;
const fewResults = 512;
/** With at least this many results there is work for everybody; then only sums and products, which round, are cut. */
const enoughResults = 64;

const rounding: ReadonlySet<string> = new Set(['reduceSum', 'reduceProd']);
const exact: ReadonlySet<string> = new Set(['reduceMax', 'reduceMin', 'reduceAny', 'reduceAll']);

export const splitReductions: GraphPass = {
  name: 'split-reductions',
  doc: 'Cuts long reductions in two, so that they spread over workers and stay accurate.',
  run: (graph) => rewriteNodes(graph, split),
};

function split(node: Node): Node {
  if (!rounding.has(node.op.name) && !exact.has(node.op.name)) return node;
  if (exact.has(node.op.name) && elementCount(node.type.shape) >= enoughResults) return node;
  const steps = twoSteps(node.operands[0]!, integers(node, 'axes'));
  if (steps === null) return node;
  const inner = split(makeNode(node.op, [steps.viewed], { axes: steps.innerAxes }));
  return split(makeNode(node.op, [inner], { axes: steps.outerAxes }));
}

/** A reduction in two: of the viewed value over the inner axes, then of what comes out over the outer axes. */
export interface TwoSteps {
  /** The value, one of its axes perhaps cut into [outer, inner]. */
  readonly viewed: Node;
  readonly innerAxes: readonly number[];
  /** They lie before the inner ones, so they count the same before and after the first step. */
  readonly outerAxes: readonly number[];
}

/** How a reduction of `x` over axes is cut, or null when it is short enough, or has no cut. */
export function twoSteps(x: Node, axes: readonly number[]): TwoSteps | null {
  const shape = x.type.shape;
  const count = axes.reduce((n, a) => n * shape[a]!, 1);
  if (count <= longestBetweenAxes) return null;
  const dims = axes.map((a) => shape[a]!);
  const cut = chooseCut(dims, count, axes.at(-1) === shape.length - 1);
  if (cut === null) return null;
  const at = axes[cut.axis]!;
  const isWhole = shape[at]! === cut.outer;
  // A shorter one is cut where that needs no view, and few results leave much to share.
  const results = elementCount(shape) / count;
  if (count <= longest && !(isWhole && results <= fewResults)) return null;

  // The axis at which the cut falls becomes two, [outer, inner]; axes after it move by one.
  const viewed = isWhole
    ? x
    : reshape(x, [...shape.slice(0, at), cut.outer, shape[at]! / cut.outer, ...shape.slice(at + 1)]);
  const shift = isWhole ? 0 : 1;
  const innerAxes = [...(isWhole ? [] : [at + 1]), ...axes.slice(cut.axis + 1).map((a) => a + shift)];
  return { viewed, innerAxes, outerAxes: axes.slice(0, cut.axis + 1) };
}

interface Cut {
  /** Position in the list of reduced axes: this one and all before it are left for the second step… */
  readonly axis: number;
  /** …of this one only so many. */
  readonly outer: number;
}

/**
 * The cut whose number of parts is nearest to √K (or half of that) by ratio, or null when there is none (one prime axis). `sideBySide`: the
 * elements of the last axis lie side by side in memory, so that lanes will run along it.
 */
function chooseCut(dims: readonly number[], count: number, sideBySide: boolean): Cut | null {
  const wanted = Math.log(Math.sqrt(sideBySide ? count / 4 : count));
  let best: Cut | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  let before = 1;
  for (const [axis, d] of dims.entries()) {
    for (const outer of divisors(d)) {
      const parts = before * outer;
      if (outer === 1 || parts === count) continue;
      // Between axes nothing has to be reshaped, which is worth a cut that is four times off. So is a row of whole vectors:
      // what is left over costs as much for each element as a vector does.
      const inVectors = outer === d || !sideBySide || axis < dims.length - 1 || (d / outer) % 4 === 0;
      const distance =
        Math.abs(Math.log(parts) - wanted) + Math.log(4) * (Number(!inVectors) - Number(outer === d));
      if (distance < bestDistance) {
        best = { axis, outer };
        bestDistance = distance;
      }
    }
    before *= d;
  }
  return best;
}

/** In ascending order up to the root of n, then their partners. */
function divisors(n: number): number[] {
  const small: number[] = [];
  for (let d = 1; d * d <= n; d++) if (n % d === 0) small.push(d);
  return [...new Set([...small, ...small.map((d) => n / d)])];
}
