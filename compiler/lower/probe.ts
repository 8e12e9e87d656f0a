// Probing: what an op does with its operands, found by running its lowering rule once on symbolic positions. Fusion and
// layout work from probes, so a user's own op takes part in both without telling anything twice.

import { sameAttrs } from '../graph/equal.ts';
import { compilerError } from '../graph/errors.ts';

import type { LoweringRule, Node, OpDef } from '../graph/ir.ts';
import { isLoop } from '../graph/loop.ts';
import { elementCount, formatShape, formatType, sameShape } from '../graph/types.ts';

import { type Atom, type Index, indexKey, type LoopVar, sameIndex, varIndex } from '../kernel/affine.ts';
import { operationsOf } from '../kernel/cost.ts';
import { isReduction, type ReduceExpr, VarSource, volume } from '../kernel/definition.ts';
import { type CheckExpr, type Expr, isCheck, walkExprs } from '../kernel/expr.ts';
import { scalarType } from './scalar.ts';

export interface Read {
  readonly operand: number;
  /** Position in the operand, over `Probe.vars` and reduction variables. */
  readonly at: readonly Index[];
}

/** How an op reads one of its operands, over all its reads of it. */
export interface OperandProbe {
  /** How often, on average, each element is read. */
  readonly ratio: number;
  /** Each element at the result's own position. */
  readonly isIdentity: boolean;
  /** Each element once, as a permutation of the result's dimensions (dimensions of one element aside). */
  readonly isPermutation: boolean;
}

export interface Probe {
  /** One variable per dimension of the result. */
  readonly vars: readonly LoopVar[];
  readonly reads: readonly Read[];
  readonly operands: readonly OperandProbe[];
  /** The op combines many elements into one. */
  readonly reduction: boolean;
  /** Extents of its reduction loops. */
  readonly reduced: readonly number[];
  /** Its expression has guards: padding, concatenation. */
  readonly guarded: boolean;
  /** A position needs divisions, or a value known at run time: a reshape that neither merges nor splits dimensions. */
  readonly divides: boolean;
  /** A position is known at run time only. */
  readonly looksUp: boolean;
  /** Arithmetic per element (per reduced element for reductions). */
  readonly cost: number;
  /** The checks in its expression, in the order of `walkExprs`. */
  readonly checks: readonly CheckExpr[];
}

/** Whether the node lives in a buffer by nature: inputs, variables, large constants, results of loops. */
export function isLeaf(node: Node): boolean {
  return node.op.lower === 'leaf' || isLoop(node) || node.payload !== null;
}

/** Probes of one compilation: layers repeat, so most nodes have the op, the attributes and the types of an earlier one. */
export class Prober {
  private readonly memo = new Map<Node, Probe>();
  /** By op, then by types: one of the nodes with each set of attributes. */
  private readonly alike = new Map<OpDef, Map<string, Node[]>>();

  probe(node: Node): Probe {
    let p = this.memo.get(node);
    if (!p) {
      p = this.ofAlike(node) ?? probeNode(node);
      this.memo.set(node, p);
    }
    return p;
  }

  /** The probe of a node that a lowering rule cannot tell from this one; null when it is the first. */
  private ofAlike(node: Node): Probe | null {
    if (isLeaf(node) || node.regions.length > 0) return null;
    let byTypes = this.alike.get(node.op);
    if (byTypes === undefined) {
      byTypes = new Map();
      this.alike.set(node.op, byTypes);
    }
    const key = typesOf(node);
    const nodes = byTypes.get(key);
    const same = nodes?.find((n) => n.attrs === node.attrs || sameAttrs(n.attrs, node.attrs));
    if (same !== undefined) return this.memo.get(same)!;
    if (nodes === undefined) byTypes.set(key, [node]);
    else if (nodes.length < mostAlike) nodes.push(node);
    return null;
  }
}

/** Nodes of equal op and types that are compared: constants, say, are hardly ever equal. */
const mostAlike = 16;

function typesOf({ type, operands }: Node): string {
  let text = formatType(type);
  for (let k = 0; k < operands.length; k++) text += ` ${formatType(operands[k]!.type)}`;
  return text;
}

function probeNode(node: Node): Probe {
  const source = new VarSource();
  const vars = node.type.shape.map((n, i) => source.make(`d${i}`, n));
  const reads: Read[] = [];
  const made: LoopVar[] = [];
  if (isLeaf(node)) return { ...leaf, vars, operands: node.operands.map(() => somewhere) };
  const lower = node.op.lower as LoweringRule;
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
  const reductions = exprs.filter(isReduction);
  checkReductions(node, exprs, reductions);
  const isReduced = reductions.length > 0;
  const points = elementCount(node.type.shape) * (isReduced ? volume(made) : 1);
  let cost = 0;
  for (const e of exprs) cost += operationsOf(e);
  return {
    vars,
    reads,
    operands: node.operands.map((o, operand) =>
      probeOperand(
        vars,
        reads.filter((r) => r.operand === operand),
        points / Math.max(1, elementCount(o.type.shape)),
      ),
    ),
    reduction: isReduced,
    reduced: isReduced ? made.map((v) => v.extent) : [],
    guarded: exprs.some((e) => e.kind === 'guard'),
    divides: reads.some(({ at }) => hasAtom(at, (a) => a.kind !== 'var')),
    looksUp: reads.some(({ at }) => hasAtom(at, (a) => a.kind === 'value')),
    cost,
    checks: exprs.filter(isCheck),
  };
}

/** `repeats`: points of the result (and of its reductions) per element of the operand. */
function probeOperand(vars: readonly LoopVar[], reads: readonly Read[], repeats: number): OperandProbe {
  const places = reads.length > 1 ? new Set(reads.map((r) => r.at.map(indexKey).join())).size : reads.length;
  // A pad has more points than its operand, and yet reads each element once.
  const once = places === 1 && isInjective(vars, reads[0]!);
  return {
    ratio: once ? Math.min(1, repeats) : repeats * places,
    isIdentity: reads.every((r) => isIdentity(vars, r)),
    isPermutation: reads.every((r) => isPermutation(vars, r)),
  };
}

/** How a loop reads: it does not say. */
const somewhere: OperandProbe = { ratio: 1, isIdentity: false, isPermutation: false };

const leaf: Omit<Probe, 'vars'> = {
  reads: [],
  operands: [],
  reduction: false,
  reduced: [],
  guarded: false,
  divides: false,
  looksUp: false,
  cost: 0,
  checks: [],
};

/**
 * What a rule may ask of schedules: all its reductions run over the same extents, in one traversal, at every point. Ours do;
 * a user's op that does not is reported here, with the line that made the node.
 */
function checkReductions(node: Node, exprs: readonly Expr[], reductions: readonly ReduceExpr[]): void {
  const fail = (how: string): never => {
    throw compilerError('HDL0017', {
      what: `op '${node.op.name}' is lowered to ${how}`,
      rule: 'the reductions of one op run over the same extents, beside each other and outside of guards',
      hint: 'make one op per reduction: they are fused where that pays',
      loc: node.loc,
    });
  };
  const [first] = reductions;
  if (!first) return;
  const extents = (r: ReduceExpr): number[] => r.vars.map((v) => v.extent);
  if (reductions.some((r) => !sameShape(extents(r), extents(first))))
    fail(`reductions over ${reductions.map((r) => formatShape(extents(r))).join(' and ')}`);
  if (walkExprs(reductions.map((r) => r.body)).some(isReduction)) fail('a reduction inside a reduction');
  const guarded = exprs.flatMap((e) => (e.kind === 'guard' ? [e.value, e.otherwise] : []));
  if (walkExprs(guarded).some(isReduction)) fail('a reduction inside a guard');
}

function isIdentity(vars: readonly LoopVar[], { at }: Read): boolean {
  return at.length === vars.length && at.every((i, d) => sameIndex(i, varIndex(vars[d]!)));
}

function isPermutation(vars: readonly LoopVar[], { at }: Read): boolean {
  const seen = new Set<LoopVar>();
  for (const i of at) {
    if (i.terms.length === 0 && i.constant === 0) continue;
    const t = i.terms[0]!;
    if (i.terms.length !== 1 || i.constant !== 0 || t.coeff !== 1 || t.atom.kind !== 'var') return false;
    if (seen.has(t.atom) || !vars.includes(t.atom)) return false;
    seen.add(t.atom);
  }
  return vars.every((v) => v.extent === 1 || seen.has(v));
}

/** Different points read different elements: each dimension of the result moves along one of the operand. */
function isInjective(vars: readonly LoopVar[], { at }: Read): boolean {
  const seen = new Set<Atom>();
  for (const i of at) {
    if (i.terms.length > 1) return false;
    const atom = i.terms[0]?.atom;
    if (atom) seen.add(atom);
  }
  return vars.every((v) => v.extent === 1 || seen.has(v));
}

function hasAtom(at: readonly Index[], is: (a: Atom) => boolean): boolean {
  return at.some((i) => i.terms.some((t) => is(t.atom)));
}
