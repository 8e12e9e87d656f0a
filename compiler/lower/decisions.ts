// What fusion decided, as plain data that survives JSON: for every value of the graph where it lies and why, for every edge
// why producer and consumer share a kernel or not, with what was weighed. `dump('fusion')` prints it (print-fusion.ts).
//
// In: the graph after all passes, and the outcome of materialize.ts, choose-subbuffers.ts and groups.ts. Values are named by
// their numbers in that graph, as `dump('graph')` prints them.

import { formatLocation } from '../../runtime/errors.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { isLoop } from '../graph/loop.ts';
import { formatType } from '../graph/types.ts';
import type { ChainDecision } from './chain.ts';
import { bytesOf, type Costs } from './cost.ts';
import { type ApartReason, apartReasons, type Group } from './groups.ts';
import { valueName } from './label.ts';
import { isLeaf } from './probe.ts';
import {
  type ComputingReason,
  computingReasons,
  type StoredValues,
  type StoringReason,
  storingReasons,
} from './stored.ts';
import { piecesOf, type SubBuffers } from './subbuffers.ts';

/**
 * Where a value lies: `given` in memory from the start; `stored` in a buffer of its own; `part` inside of another value's
 * buffer, with that value's borders or neighbours around it; `inlined` into the one kernel that reads it; `recomputed` in
 * each of several; `view` nowhere, since it only renames positions.
 */
export type Fate = 'given' | 'stored' | 'part' | 'inlined' | 'recomputed' | 'view';

export interface ValueDecision {
  /** Position in `graph.nodes`. */
  readonly value: number;
  readonly op: string;
  /** The user's name of it, or scope and op. */
  readonly name: string;
  readonly type: string;
  /** file:line:column of the user's call, where it is known. */
  readonly line: string | null;
  readonly fate: Fate;
  readonly reason: StoringReason | ComputingReason;
  /** The reason in words. */
  readonly because: string;
  /** In nanoseconds of one core; null where a rule decided. */
  readonly costs: Costs | null;
  /** Of memory, were it stored. */
  readonly bytes: number;
  /** The kernels that compute it, by position in `FusionDecisions.kernels`. */
  readonly kernels: readonly number[];
  /** The value that it is a part of. */
  readonly within: number | null;
}

/** Why an edge is no border between kernels: the value is computed where it is read, made beside it, or written into it. */
export type TogetherReason = 'computed' | 'beside' | 'inside';

export interface EdgeDecision {
  readonly from: number;
  readonly to: number;
  readonly isFused: boolean;
  readonly reason: TogetherReason | ApartReason | 'given';
  readonly because: string;
  /** What was weighed for the producer. */
  readonly costs: Costs | null;
}

export interface FusedKernel {
  /** Scope and ops, as in the plan and in profiles. */
  readonly label: string;
  readonly line: string | null;
  /** Values that it writes to memory. */
  readonly stores: readonly number[];
  /** All values that it computes, those among them. */
  readonly computes: readonly number[];
  /** Stored values that it reads. */
  readonly reads: readonly number[];
}

export interface FusionDecisions {
  readonly entry: string;
  readonly values: readonly ValueDecision[];
  readonly edges: readonly EdgeDecision[];
  /** In the order in which lowering made them. */
  readonly kernels: readonly FusedKernel[];
  /** Pairs of kernels of which one reads what the other makes: joined, unit by unit, or not. */
  readonly chains: readonly ChainDecision[];
}

const together: Readonly<Record<TogetherReason | 'given', string>> = {
  computed: 'it is computed where it is read',
  beside: 'one kernel computes both',
  inside: 'it is written into its reader',
  given: 'it is there before the first kernel',
};

/** What was decided, and what the kernels of each group are called. */
export interface Outcome {
  readonly graph: Graph;
  readonly stored: StoredValues;
  readonly parts: SubBuffers;
  readonly groups: readonly Group[];
  readonly labels: readonly string[];
  readonly chains: readonly ChainDecision[];
}

export function describeFusion(outcome: Outcome): FusionDecisions {
  const { graph, stored, parts, groups, labels } = outcome;
  const number = new Map(graph.nodes.map((n, i) => [n, i]));
  const numbers = (nodes: Iterable<Node>): number[] =>
    [...nodes].map((n) => number.get(n)!).sort((a, b) => a - b);
  const contents = groups.map((g) => computedBy(g, stored, parts));
  const kernelsOf = new Map<Node, number[]>();
  contents.forEach((nodes, k) => {
    for (const n of nodes) kernelsOf.set(n, [...(kernelsOf.get(n) ?? []), k]);
  });

  const values = graph.nodes.map((n, value): ValueDecision => {
    const kernels = kernelsOf.get(n) ?? [];
    const why = stored.whyStored(n) ?? stored.whyComputed(n);
    const whole = parts.wholeOf(n);
    return {
      value,
      op: n.op.name,
      name: valueName(n),
      type: formatType(n.type),
      line: n.loc ? formatLocation(n.loc) : null,
      fate: fateOf(n, stored, whole !== null, kernels.length),
      reason: why.reason,
      because: { ...storingReasons, ...computingReasons }[why.reason],
      costs: why.costs,
      bytes: bytesOf(n),
      kernels,
      within: whole === null ? null : number.get(whole)!,
    };
  });
  return {
    entry: graph.name,
    values,
    edges: graph.nodes.flatMap((to) =>
      [...new Set(to.operands)].map((from): EdgeDecision => {
        const reason = edgeReason(from, to, outcome, kernelsOf);
        return {
          from: number.get(from)!,
          to: number.get(to)!,
          isFused: isTogether(reason),
          reason,
          because: { ...together, ...apartReasons }[reason],
          costs: values[number.get(from)!]!.costs,
        };
      }),
    ),
    chains: outcome.chains,
    kernels: groups.map((g, k) => ({
      label: labels[k]!,
      line: values[number.get(g.roots[0]!)!]!.line,
      stores: numbers(g.roots.filter((r) => g.readElsewhere.has(r) || leaves(graph, r))),
      computes: numbers(contents[k]!),
      reads: numbers([...g.loads].filter((l) => !g.roots.includes(l))),
    })),
  };
}

function leaves({ outputs, updates }: Graph, n: Node): boolean {
  return outputs.some((o) => o.node === n) || updates.some((u) => u.value === n);
}

/** The values that a group's kernels compute. */
function computedBy(group: Group, stored: StoredValues, parts: SubBuffers): Set<Node> {
  const found = new Set<Node>();
  const [whole] = group.roots;
  const stack = parts.isWhole(whole!)
    ? [whole!, ...restOf(whole!, parts).filter((n) => !stored.has(n))]
    : [...group.roots];
  for (let n = stack.pop(); n; n = stack.pop()) {
    if (found.has(n)) continue;
    found.add(n);
    if (parts.isWhole(n)) continue;
    stack.push(...n.operands.filter((o) => !stored.has(o)));
  }
  return found;
}

/** The operands of a joined value that are no parts of it: its own kernels write them. */
function restOf(whole: Node, parts: SubBuffers): Node[] {
  const own = parts.partsOf(whole);
  const pieces = piecesOf(whole).map((p) => p.operand);
  return [...pieces.filter((_, k) => own[k] === null), ...whole.operands.filter((o) => !pieces.includes(o))];
}

function fateOf(n: Node, stored: StoredValues, isPart: boolean, kernels: number): Fate {
  if (isLoop(n)) return 'stored';
  if (isLeaf(n)) return 'given';
  if (isPart) return 'part';
  if (stored.has(n)) return 'stored';
  if (stored.whyComputed(n).reason === 'view') return 'view';
  return kernels > 1 ? 'recomputed' : 'inlined';
}

type EdgeReason = EdgeDecision['reason'];

function isTogether(reason: EdgeReason): boolean {
  return reason === 'computed' || reason === 'beside' || reason === 'inside';
}

function edgeReason(
  from: Node,
  to: Node,
  { stored, parts, groups }: Outcome,
  kernelsOf: ReadonlyMap<Node, readonly number[]>,
): EdgeReason {
  if (isLeaf(from) && !isLoop(from)) return 'given';
  // Also through views of a part.
  if (parts.isWhole(to) && !restOf(to, parts).includes(from)) return 'inside';
  if (!stored.has(from)) return 'computed';
  const own = kernelsOf.get(from) ?? [];
  const readers = kernelsOf.get(to) ?? [];
  if (readers.some((k) => own.includes(k))) return 'beside';
  for (const k of readers) {
    const why = groups[k]!.apart.get(from);
    if (why !== undefined) return why;
  }
  return 'traversal';
}
