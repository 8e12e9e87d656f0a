// customGradient: a function with a gradient of the user's own. Both are traced once, into two regions:
//
//   forward   operands…, captured…                            →  results…
//   backward  operands…, results…, cotangents…, captured…     →  a gradient for each operand
//
// Captured values are read from outside; they are further operands, and have no gradient.

import { compilerError } from '../graph/errors.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { inlineRegion } from '../graph/region.ts';
import { scope } from '../graph/scope.ts';
import { defineOp } from './define.ts';
import { zeros } from './leaf.ts';
import {
  allResults,
  asNodes,
  callOnce,
  checkRegionInputs,
  expectType,
  neverLowered,
  parametersLike,
  resultType,
  throughResults,
  trace,
} from './regions.ts';
import { sampleCustomGradient } from './sample-region.ts';

type CustomAttrs = {
  readonly result: number;
  /** Operands of the function itself. */
  readonly given: number;
  /** Values that forward captured; what is left of the operands was captured by backward. */
  readonly captured: number;
};

const customGradientOp: OpDef = defineOp<CustomAttrs>({
  name: 'customGradient',
  family: 'control',
  doc: {
    summary: 'The results of its first region; its second region is their gradient.',
    formula: 'y = forward(x…); dL/dx… = backward(x…, y…, dL/dy…)',
    types: 'the inputs of forward, then what backward captured → the type of output `result` of forward',
    attrs: {
      result: 'which of the results of forward',
      given: 'how many operands have a gradient: the first ones',
      captured: 'how many further operands forward reads',
    },
    example: 'customGradient(([x]) => round(x), ([g]) => g, [x])',
  },
  arity: { min: 0, max: Number.POSITIVE_INFINITY },
  type(operands, { result, given, captured }, fail, [forward]) {
    checkRegionInputs(fail, forward, operands.slice(0, given + captured));
    return resultType(fail, forward!, result);
  },
  reference: throughResults,
  region: {
    results: (operands, { given, captured }, regions) =>
      callOnce(operands.slice(0, given + captured), regions),
    expand: (node) => {
      const { given, captured } = node.attrs as CustomAttrs;
      return inlineRegion(node.regions[0]!, node.operands.slice(0, given + captured));
    },
  },
  gradient({ node, operands, cotangents, needs }) {
    const { given, captured } = node.attrs as CustomAttrs;
    const [forward, backward] = node.regions;
    refuseCaptured(node, needs, given);
    const { result: _, ...attrs } = node.attrs;
    const results = allResults(node.op, operands, attrs, node.regions, forward!.outputs.length);
    const given0 = results.flatMap((y, i) =>
      y.type.dtype === 'f32' ? [cotangents[i] ?? zeros(y.type.shape)] : [],
    );
    const gradients = inlineRegion(backward!, [
      ...operands.slice(0, given),
      ...results,
      ...given0,
      ...operands.slice(given + captured),
    ]);
    return operands.map((_, i) => (needs[i] ? gradients[i]! : null));
  },
  lower: neverLowered,
  sample: sampleCustomGradient,
});

/** Throws HDL0005 when a gradient is asked for that the user's function does not give. */
function refuseCaptured(node: Node, needs: readonly boolean[], given: number): void {
  const i = needs.findIndex((n, k) => n && k >= given);
  if (i < 0) return;
  const { name, type } = node.operands[i]!;
  throw compilerError('HDL0005', {
    what: `the gradient of customGradient with respect to ${name === null ? `a value of shape [${type.shape.join(', ')}]` : `'${name}'`}`,
    rule: 'its functions read the value from outside, and give gradients to their operands alone',
    hint: 'pass the value in the list of operands, or put stopGradient around it',
    loc: node.loc,
  });
}

const customGradientOps: readonly OpDef[] = [customGradientOp];
export default customGradientOps;

/**
 * The results of `forward`, with gradients by `backward`: from the cotangents of the f32 results, the operands and the
 * results it gives a gradient for each operand, of the operand's type, or null for none. Gradients of gradients go
 * through `backward`. Throws HDL0001 when a gradient has another type than its operand, HDL0003; and when a gradient is
 * asked for that neither gives, HDL0005.
 *
 *     // Rounds, and lets gradients through.
 *     const y = customGradient(([x]) => round(x), ([g]) => [g], [x]);
 */
export function customGradient<const T extends readonly Node[], const R extends Node | readonly Node[]>(
  forward: (operands: T) => R,
  backward: (
    cotangents: readonly Node[],
    operands: T,
    results: readonly Node[],
  ) => Node | readonly (Node | null)[],
  operands: T,
): R {
  let isList = false;
  const parameters = parametersLike('x', operands);
  const ahead = trace('forward', parameters, (inputs) => {
    const given = forward(inputs as readonly Node[] as T);
    isList = Array.isArray(given);
    return asNodes('customGradient', 'the function', given);
  });
  const results = ahead.region.outputs.map((o) => o.node);
  const floats = results.filter((y) => y.type.dtype === 'f32');
  const back = trace(
    'backward',
    [...parameters, ...parametersLike('result', results), ...parametersLike('cotangent', floats)],
    (inputs) => {
      const n = operands.length;
      const given = backward(
        inputs.slice(n + results.length),
        inputs.slice(0, n) as readonly Node[] as T,
        inputs.slice(n, n + results.length),
      );
      return checkGradients(given, operands);
    },
  );
  const made = scope('customGradient', () =>
    allResults(
      customGradientOp,
      [...operands, ...ahead.captured, ...back.captured],
      { given: operands.length, captured: ahead.captured.length },
      [ahead.region, back.region],
      results.length,
    ),
  );
  return (isList ? made : made[0]!) as readonly Node[] | Node as R;
}

/** One gradient for each operand, of its type; zeros for null and for operands without gradients. */
function checkGradients(given: Node | readonly (Node | null)[], operands: readonly Node[]): Node[] {
  const list: readonly (Node | null)[] = Array.isArray(given) ? given : [given as Node];
  if (list.length !== operands.length) {
    throw compilerError('HDL0003', {
      what: `the gradient of customGradient returned ${list.length} values`,
      rule: `it returns one for each operand: ${operands.length}`,
      hint: 'return null for an operand without a gradient',
      loc: callerLocation(),
    });
  }
  return operands.map((x, i) => {
    const g = list[i] ?? null;
    if (g === null || x.type.dtype !== 'f32') return zeros(x.type.shape, x.type.dtype);
    expectType(`gradient ${i} of customGradient`, g, x.type, 'a gradient has the type of its operand');
    return g;
  });
}
