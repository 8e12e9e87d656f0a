// The record of an ONNX operator: everything the importer knows about it stands in one such object. Files under ops/ hold
// them by family, and table.ts collects them; docs/onnx.md is made from them.

import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Call } from './call.ts';
import type { Value } from './value.ts';

/**
 * What building a node gives: its outputs in order. A bare tensor has the element type that follows from its dtype and the
 * operands; null stands for an output that the node leaves out.
 */
export type Results = Tensor | Value | readonly (Tensor | Value | null)[];

export interface OnnxOp {
  readonly name: string;
  /** Empty for the operators of `ai.onnx`. */
  readonly domain: string;
  /** Opset versions in which the meaning changed, and how; the first one that is imported comes first. */
  readonly versions: Readonly<Record<number, string>>;
  /** What is refused, or differs from what the standard says: one line; undefined when nothing is. */
  readonly limits: string | undefined;
  /** Integer results are wrapped to the bits of their element type (arithmetic can leave them). */
  readonly wraps: boolean;
  /** Known by name only: building it throws. */
  readonly isRefused: boolean;
  readonly build: (call: Call) => Results;
}

export interface OpFacts {
  readonly domain?: string;
  /** Default: the same since version 1. */
  readonly versions?: Readonly<Record<number, string>>;
  readonly limits?: string;
  readonly wraps?: boolean;
}

/**
 * The record of an operator.
 *
 *     op('Softsign', {}, (c) => h.softsign(c.x(0)))
 */
export function op(name: string, facts: OpFacts, build: (call: Call) => Results): OnnxOp {
  const { domain = '', versions = {}, limits, wraps = false } = facts;
  return { name, domain, versions, limits, wraps, isRefused: false, build };
}

/** An operator that is refused by name, and what to do instead. */
export function refused(name: string, why: string, hint: string, domain = ''): OnnxOp {
  return { ...op(name, { domain, limits: why }, (c) => c.refuse(why, hint)), isRefused: true };
}
