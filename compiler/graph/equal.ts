// Structural equality of graphs: what tests of passes and of the text form compare.

import type { Attrs, AttrValue, Graph, Node } from './ir.ts';
import { sameType } from './types.ts';

export interface EqualOptions {
  /** Whether names of inner nodes, scopes and locations count. Leaves keep their names in any case. Default true. */
  readonly labels?: boolean;
}

/**
 * True when both graphs have the same name, and the same nodes in the same order: op names, operands by position,
 * attributes (NaN equals NaN, 0 differs from −0), types, regions, payloads by hash, labels; and the same inputs,
 * outputs and updates.
 *
 *   equalGraphs(graph, parseGraph(printGraph(graph), { ops })) // true
 */
export function equalGraphs(a: Graph, b: Graph, options: EqualOptions = {}): boolean {
  const inA = new Map(a.nodes.map((n, i) => [n, i]));
  const inB = new Map(b.nodes.map((n, i) => [n, i]));
  const same = (x: Node, y: Node): boolean => inA.get(x) === inB.get(y) && inA.has(x);
  return (
    a.name === b.name &&
    sameLists(
      a.nodes,
      b.nodes,
      (x, y) => sameRecord(x, y, options) && sameLists(x.operands, y.operands, same),
    ) &&
    sameLists(a.inputs, b.inputs, same) &&
    sameLists(a.outputs, b.outputs, (x, y) => x.name === y.name && same(x.node, y.node)) &&
    sameLists(a.updates, b.updates, (x, y) => same(x.variable, y.variable) && same(x.value, y.value))
  );
}

/** All of a node but its operands. */
function sameRecord(a: Node, b: Node, options: EqualOptions): boolean {
  const labelled = options.labels !== false;
  return (
    a.op.name === b.op.name &&
    sameType(a.type, b.type) &&
    sameAttrs(a.attrs, b.attrs) &&
    a.payload?.hash === b.payload?.hash &&
    sameLists(a.regions, b.regions, (x, y) => equalGraphs(x, y, options)) &&
    (a.name === b.name || (!labelled && a.operands.length > 0)) &&
    (!labelled || (a.scope === b.scope && sameLocation(a, b)))
  );
}

function sameLocation(a: Node, b: Node): boolean {
  if (a.loc === null || b.loc === null) return a.loc === b.loc;
  return a.loc.file === b.loc.file && a.loc.line === b.loc.line && a.loc.column === b.loc.column;
}

/** Equal keys, in any order, with equal values. */
export function sameAttrs(a: Attrs, b: Attrs): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && sameAttr(a[k]!, b[k]!))
  );
}

function sameAttr(a: AttrValue, b: AttrValue): boolean {
  if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object')
    return sameLists(a, b, sameAttr);
  return Object.is(a, b);
}

function sameLists<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((x, i) => same(x, b[i]!));
}
