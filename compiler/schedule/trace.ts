// The trace of a kernel: its loop nest with everything left out but the accesses to memory, in the order in which they
// happen. Statements become the loads of their expressions, then their store; a guard becomes a branch around the loads
// of its sides. Accesses to the flags by checks are not in it.

import type { Index, LoopVar } from '../kernel/affine.ts';
import { indexKey } from '../kernel/affine.ts';
import { type Condition, childrenOf, type Expr } from '../kernel/expr.ts';
import type { Kernel, Lanes, Stmt } from '../kernel/ir.ts';
import { remembered } from '../remembered.ts';

interface AccessOf<Kind> {
  readonly kind: Kind;
  readonly param: number;
  readonly index: Index;
  /** Elements touched: `lanes` of them, `stride` apart. */
  readonly lanes: Lanes;
  readonly stride: number;
}

export type Access = AccessOf<'load'> | AccessOf<'store'>;

export type Trace =
  | Access
  | {
      readonly kind: 'loop';
      readonly v: LoopVar;
      readonly step: number;
      readonly limit: Index;
      readonly body: readonly Trace[];
    }
  | {
      readonly kind: 'branch';
      readonly conditions: readonly Condition[];
      readonly body: readonly Trace[];
      readonly otherwise: readonly Trace[];
    };

/** The trace of a kernel, which several decisions go by. */
export function traceOf(kernel: Kernel): readonly Trace[] {
  return traceOfBody(kernel.body);
}

const traceOfBody = remembered(traceStmts);

/** Two accesses with equal keys in one iteration touch the same elements. */
export function accessKey(a: Access): string {
  return `${indexKey(a.index)};${a.lanes};${a.lanes === 1 ? 0 : a.stride}`;
}

/** The trace with only the accesses that matter, and the loops and branches around them. */
export function restrictTrace(trace: readonly Trace[], keep: (access: Access) => boolean): Trace[] {
  const out: Trace[] = [];
  for (const t of trace) {
    if (t.kind === 'load' || t.kind === 'store') {
      if (keep(t)) out.push(t);
      continue;
    }
    const body = restrictTrace(t.body, keep);
    if (t.kind === 'loop') {
      if (body.length > 0) out.push({ ...t, body });
      continue;
    }
    const otherwise = restrictTrace(t.otherwise, keep);
    if (body.length + otherwise.length > 0) out.push({ ...t, body, otherwise });
  }
  return out;
}

function traceStmts(body: readonly Stmt[]): Trace[] {
  const out: Trace[] = [];
  for (const s of body) {
    switch (s.kind) {
      case 'let':
      case 'set':
        traceExpr(s.value, s.lanes, out, new Set());
        break;
      case 'store':
        traceIndex(s.index, out, new Set());
        traceExpr(s.value, s.lanes, out, new Set());
        out.push({ kind: 'store', param: s.param, index: s.index, lanes: s.lanes, stride: s.laneStride });
        break;
      case 'for':
        traceIndex(s.limit, out, new Set());
        out.push({ kind: 'loop', v: s.v, step: s.step, limit: s.limit, body: traceStmts(s.body) });
        break;
      case 'if':
        traceConditions(s.conditions, out, new Set());
        out.push({
          kind: 'branch',
          conditions: s.conditions,
          body: traceStmts(s.body),
          otherwise: traceStmts(s.otherwise),
        });
        break;
      default:
        s satisfies never;
    }
  }
  return out;
}

/** Loads of an expression; each object once per statement, as targets compute it. */
function traceExpr(e: Expr, lanes: Lanes, out: Trace[], seen: Set<Expr>): void {
  if (e.kind === 'const' || e.kind === 'reg' || seen.has(e)) return;
  seen.add(e);
  switch (e.kind) {
    case 'load': {
      traceIndex(e.index, out, seen);
      const isOne = lanes === 1 || e.laneStride === 0;
      out.push({
        kind: 'load',
        param: e.param,
        index: e.index,
        lanes: isOne ? 1 : lanes,
        stride: isOne ? 0 : e.laneStride,
      });
      break;
    }
    case 'index':
      traceIndex(e.index, out, seen);
      break;
    case 'binary':
      traceExpr(e.x, lanes, out, seen);
      traceExpr(e.y, lanes, out, seen);
      break;
    case 'guard': {
      traceConditions(e.conditions, out, seen);
      // What only one side evaluates is not there for the other, nor afterwards.
      const body: Trace[] = [];
      const otherwise: Trace[] = [];
      traceExpr(e.value, lanes, body, new Set(seen));
      traceExpr(e.otherwise, lanes, otherwise, new Set(seen));
      if (body.length + otherwise.length > 0) {
        out.push({ kind: 'branch', conditions: e.conditions, body, otherwise });
      }
      break;
    }
    default:
      for (const c of childrenOf(e)) traceExpr(c, lanes, out, seen);
  }
}

function traceConditions(conditions: readonly Condition[], out: Trace[], seen: Set<Expr>): void {
  for (const c of conditions) traceIndex(c.index, out, seen);
}

/** Loads inside of an index: values computed at run time (one lane). */
function traceIndex({ terms }: Index, out: Trace[], seen: Set<Expr>): void {
  for (let k = 0; k < terms.length; k++) {
    const { atom } = terms[k]!;
    if (atom.kind === 'value') traceExpr(atom.expr, 1, out, seen);
    else if (atom.kind !== 'var') traceIndex(atom.x, out, seen);
  }
}
