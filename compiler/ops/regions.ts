// What ops with regions share: tracing a function into a region, the nodes of all results, barriers.

import { makeNode } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Attrs, Fail, Graph, HostTensor, Node, OpDef, RegionCall } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { type Traced, traceRegion } from '../graph/region.ts';
import { formatType, sameType, type TensorType } from '../graph/types.ts';
import { input } from './leaf.ts';

/** Traces `build` into a region whose inputs have these types; see `traceRegion`. */
export function trace(
  name: string,
  parameters: readonly { readonly name: string; readonly type: TensorType }[],
  build: (inputs: readonly Node[]) => readonly Node[],
): Traced {
  return traceRegion(name, parameters, build, (own, type) => input(own, type.shape, type.dtype));
}

/** Parameters of types of values: `x0`, `x1`, …. */
export function parametersLike(
  name: string,
  values: readonly Node[],
): { readonly name: string; readonly type: TensorType }[] {
  return values.map((v, i) => ({ name: `${name}${i}`, type: v.type }));
}

/** One node for each result of a computation. */
export function allResults(
  op: OpDef,
  operands: readonly Node[],
  attrs: Attrs,
  regions: readonly Graph[],
  count: number,
): Node[] {
  return Array.from({ length: count }, (_, result) =>
    makeNode(op, operands, { result, ...attrs }, { regions }),
  );
}

/** The reference of an op with regions is `region.results`; the interpreter never asks for this one. */
export function throughResults(): never {
  throw compilerError('HDL0099', { what: 'internal: an op with regions is evaluated by its results' });
}

/** Ops with regions are expanded before anything is lowered. */
export function neverLowered(): never {
  throw compilerError('HDL0099', {
    what: 'internal: an op with regions was lowered; the pass expand-regions runs first',
  });
}

/** The region has inputs of the types of the operands. */
export function checkRegionInputs(
  fail: Fail,
  region: Graph | undefined,
  operands: readonly TensorType[],
): void {
  if (region === undefined) fail('it has no region', 'regions are made by its public function');
  const { inputs } = region as Graph;
  if (inputs.length !== operands.length) {
    fail(`its region takes ${inputs.length} values, and there are ${operands.length} operands`);
  }
  inputs.forEach((n, i) => {
    if (sameType(n.type, operands[i]!)) return;
    fail(
      `its region takes ${formatType(n.type)} as value ${i}, and the operand is ${formatType(operands[i]!)}`,
    );
  });
}

/** The type of the result that `result` names, among those of a region. */
export function resultType(fail: Fail, region: Graph, result: unknown): TensorType {
  const output = typeof result === 'number' ? region.outputs[result] : undefined;
  if (output === undefined) fail(`there is no result ${String(result)}`, undefined, 'HDL0003');
  return output!.node.type;
}

/** The results of one call of the only region. */
export function callOnce(operands: readonly HostTensor[], regions: readonly RegionCall[]): Float64Array[] {
  return regions[0]!(operands).map((r) => r.data);
}

/** Values that a function gave, as a list; throws HDL0003 for what is no value. */
export function asNodes(fn: string, part: string, given: unknown): readonly Node[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const wrong = list.find((n) => typeof n !== 'object' || n === null || !('op' in n));
  if (wrong === undefined) return list as readonly Node[];
  throw compilerError('HDL0003', {
    what: `${part} of ${fn} returned ${Array.isArray(wrong) ? 'a list in a list' : String(wrong)}`,
    rule: 'it returns symbolic values',
    hint: 'return a tensor, or a list of tensors',
    loc: callerLocation(),
  });
}

/** A type that must stay, or HDL0001. */
export function expectType(what: string, node: Node, type: TensorType, hint: string): void {
  if (sameType(node.type, type)) return;
  throw compilerError('HDL0001', {
    what: `${what} is ${describeNode(node)}`,
    rule: `its type is ${formatType(node.type)}, and must be ${formatType(type)}`,
    hint,
    loc: callerLocation(),
  });
}
