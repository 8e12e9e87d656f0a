// checkpoint: a part of a program whose inner values are computed again in the backward pass, instead of being kept for it
// (Griewank and Walther, 2000; Chen et al., 2016). Forwards it is the part itself. Backwards the part is built a second
// time, over operands that have gone through a `barrier`: the same numbers under another name, so that no pass merges the
// second computation with the first, and tied to the cotangent, so that it is not made before it is needed.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { inlineRegion } from '../graph/region.ts';
import { scope } from '../graph/scope.ts';
import { vjp } from '../passes/grad.ts';
import { defineOp } from './define.ts';
import { allDTypes, drawTensor } from './draw.ts';
import {
  allResults,
  asNodes,
  callOnce,
  checkRegionInputs,
  neverLowered,
  parametersLike,
  resultType,
  throughResults,
  trace,
} from './regions.ts';
import { sampleRegion } from './sample-region.ts';

const barrierOp: OpDef = defineOp({
  name: 'barrier',
  family: 'control',
  doc: {
    summary: 'The value itself, which no pass takes for its operand; it stands behind the second operand.',
    formula: 'y[i] = x[i]',
    types: 'x: T[S], after: any → T[S]',
    example: 'checkpoint(([h]) => block(h), [x])',
  },
  arity: 2,
  type: ([x]) => x!,
  reference: ([x]) => x!.data.slice(),
  gradient: ({ cotangent }) => [cotangent.type.dtype === 'f32' ? cotangent : null, null],
  lower: ({ at, read }) => read(0, at),
  sample: (random) => ({
    operands: [
      drawTensor(random, random.pick(allDTypes), random.shape(0, 3, 4)),
      drawTensor(random, 'f32', random.shape(0, 2, 3)),
    ],
    attrs: {},
  }),
});

const checkpointOp: OpDef = defineOp<{ result: number }>({
  name: 'checkpoint',
  family: 'control',
  doc: {
    summary: 'The results of its region; in the backward pass the region is computed again.',
    formula: 'y = region(operands)',
    types: 'the inputs of the region → the type of its output `result`',
    attrs: { result: 'which of the results of the region' },
    example: 'checkpoint(([h]) => block(h), [x])',
  },
  arity: { min: 0, max: Number.POSITIVE_INFINITY },
  type(operands, { result }, fail, [region]) {
    checkRegionInputs(fail, region, operands);
    return resultType(fail, region!, result);
  },
  reference: throughResults,
  region: {
    results: (operands, _attrs, regions) => callOnce(operands, regions),
    expand: (node) => inlineRegion(node.regions[0]!, node.operands),
  },
  gradient({ node, operands, cotangent, cotangents, needs }) {
    const again = operands.map((x) => makeNode(barrierOp, [x, cotangent]));
    const results = inlineRegion(node.regions[0]!, again);
    const outputs = results.filter((y, i) => cotangents[i] && y.type.dtype === 'f32');
    const given = results.flatMap((y, i) => (cotangents[i] && y.type.dtype === 'f32' ? [cotangents[i]] : []));
    const wrt = again.filter((_, i) => needs[i]);
    const gradients = vjp(outputs, given, wrt);
    let next = 0;
    return operands.map((_, i) => (needs[i] ? gradients[next++]! : null));
  },
  lower: neverLowered,
  sample: (random) => ({ ...sampleRegion(random), attrs: { result: random.int(0, 1) } }),
});

const checkpointOps: readonly OpDef[] = [barrierOp, checkpointOp];
export default checkpointOps;

/**
 * The results of `build`, whose inner values are not kept for the backward pass but computed again there: less memory, for
 * one more forward pass of this part. `build` gets the operands; what else it reads (variables, say) may come from
 * outside. Its values are the same with and without. Throws HDL0003 when `build` returns no tensors.
 *
 *     const y = checkpoint(([h]) => block.apply(h, ctx), [x]);
 */
export function checkpoint<const T extends readonly Node[], const R extends Node | readonly Node[]>(
  build: (operands: T) => R,
  operands: T,
): R {
  let isList = false;
  const { region, captured } = trace('checkpoint', parametersLike('x', operands), (inputs) => {
    const given = build(inputs as readonly Node[] as T);
    isList = Array.isArray(given);
    return asNodes('checkpoint', 'the function', given);
  });
  const results = scope('checkpoint', () =>
    allResults(checkpointOp, [...operands, ...captured], {}, [region], region.outputs.length),
  );
  return (isList ? results : results[0]!) as readonly Node[] | Node as R;
}
