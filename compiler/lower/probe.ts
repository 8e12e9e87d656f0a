// Probing: what an op does with its operands, found by running its lowering rule once on symbolic positions. Fusion and
// layout work from probes, so a user's own op takes part in both without telling anything twice.

import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { type Index, indexKey, type LoopVar, varIndex } from '../kernel/affine.ts';
import { operationsOf } from '../kernel/cost.ts';
import { VarSource, volume } from '../kernel/definition.ts';
import { type Expr, walkExprs } from '../kernel/expr.ts';
import { scalarType } from './scalar.ts';

export interface Read {
  readonly operand: number;
  /** Position in the operand, over `Probe.vars` and reduction variables. */
  readonly at: readonly Index[];
}

export interface Probe {
  /** One variable per dimension of the result. */
  readonly vars: readonly LoopVar[];
  readonly reads: readonly Read[];
  /** The op combines many elements into one. */
  readonly reduction: boolean;
  /** Extents of its reduction loops. */
  readonly reduced: readonly number[];
  /** Its expression has guards: padding, concatenation. */
  readonly guarded: boolean;
  /** Arithmetic per element (per reduced element for reductions). */
  readonly cost: number;
  /** How often, on average, each element of operand i is read. */
  readonly ratio: (operand: number) => number;
}

/** Whether the node lives in a buffer by nature: inputs, variables, large constants. */
export function isLeaf(node: Node): boolean {
  return node.op.lower === 'leaf' || node.payload !== null;
}

export class Prober {
  private readonly memo = new Map<Node, Probe>();

  probe(node: Node): Probe {
    let p = this.memo.get(node);
    if (!p) {
      p = probeNode(node);
      this.memo.set(node, p);
    }
    return p;
  }
}

function probeNode(node: Node): Probe {
  const source = new VarSource();
  const vars = node.type.shape.map((n, i) => source.make(`d${i}`, n));
  const reads: Read[] = [];
  const made: LoopVar[] = [];
  if (isLeaf(node))
    return { vars, reads, reduction: false, reduced: [], guarded: false, cost: 0, ratio: () => 0 };
  const lower = node.op.lower as Exclude<typeof node.op.lower, 'leaf'>;
  const expr = lower({
    node,
    at: vars.map(varIndex),
    read: (operand, at): Expr => {
      reads.push({ operand, at });
      const type = scalarType(node.operands[operand]!.type.dtype);
      return { kind: 'reg', type, reg: { name: 'operand', type, id: source.next() } };
    },
    newVar: (name, extent) => {
      const v = source.make(name, extent);
      made.push(v);
      return v;
    },
  });
  const exprs = walkExprs([expr]);
  const reduction = exprs.some((e) => e.kind === 'reduce' || e.kind === 'argmax');
  const points = elementCount(node.type.shape) * (reduction ? volume(made) : 1);
  const ratios = node.operands.map((o, operand) => {
    const places = new Set(reads.filter((r) => r.operand === operand).map((r) => r.at.map(indexKey).join()));
    return (points * places.size) / Math.max(1, elementCount(o.type.shape));
  });
  return {
    vars,
    reads,
    reduction,
    reduced: reduction ? made.map((v) => v.extent) : [],
    guarded: exprs.some((e) => e.kind === 'guard'),
    cost: exprs.reduce((n, e) => n + operationsOf(e), 0),
    ratio: (operand) => ratios[operand]!,
  };
}

/** The read touches the operand at the result's own position. */
export function isIdentity(p: Probe, r: Read): boolean {
  return (
    r.at.length === p.vars.length && r.at.every((i, d) => indexKey(i) === indexKey(varIndex(p.vars[d]!)))
  );
}

/** The read is a permutation of the result's dimensions, dimensions of one element aside: every element once. */
export function isPermutation(p: Probe, r: Read): boolean {
  const seen = new Set<number>();
  for (const i of r.at) {
    if (i.terms.length === 0 && i.constant === 0) continue;
    const t = i.terms[0]!;
    if (i.terms.length !== 1 || i.constant !== 0 || t.coeff !== 1 || t.atom.kind !== 'var') return false;
    if (seen.has(t.atom.id) || !p.vars.includes(t.atom)) return false;
    seen.add(t.atom.id);
  }
  return p.vars.every((v) => v.extent === 1 || seen.has(v.id));
}

/** The position needs divisions: a reshape that neither merges nor splits whole dimensions. */
export function needsDivision(r: Read): boolean {
  return r.at.some((i) =>
    i.terms.some((t) => t.atom.kind === 'div' || t.atom.kind === 'mod' || t.atom.kind === 'value'),
  );
}
