// Chains: two kernels as one that runs each unit of the first and then the same unit of the second, while what the first has
// read and written still lies near. Neither changes but for the numbers of its variables, so every bit stays as it was.
//
//   for unit u:  body of a;  body of b
//
// Valid only when unit u of b reads nothing of what a writes but what unit u of a has written: lower/chain.ts sees to that,
// and schedule/check-kernel.ts proves it again. Parameters for one buffer become one: it is written, and read back.

import { type Index, isStaticIndex, type LoopVar, substituteIndex, varIndex } from './affine.ts';
import { elementBytes } from './cost.ts';
import { type Expr, indicesOf, type Register, walkExprs } from './expr.ts';
import type { Kernel, KernelParam, Stmt } from './ir.ts';
import { rewriter, substituter } from './substitute.ts';

/**
 * The kernel of both. `shared[q]` is the parameter of `a` that stands for the same buffer as parameter q of `b`, or null.
 * Parameters are those of `a`, then those of `b` that are not shared. Both have the same number of units.
 */
export function chainKernels(a: Kernel, b: Kernel, shared: readonly (number | null)[], name: string): Kernel {
  const params: KernelParam[] = [...a.params];
  const place = b.params.map((p, q) => shared[q] ?? params.push(p) - 1);
  // Of a buffer that both touch, the one may touch more than the other.
  shared.forEach((p, q) => {
    if (p === null) return;
    params[p] = { ...params[p]!, elements: Math.max(params[p]!.elements, b.params[q]!.elements) };
  });
  const again = shared.reduce<number>((n, p, q) => n + (p === null ? 0 : bytesOf(b.params[q]!)), 0);
  const bytes = Math.max(a.cost.bytes, b.cost.bytes, a.cost.bytes + b.cost.bytes - again);
  return {
    name,
    params,
    flags: a.flags,
    unit: a.unit,
    body: [...a.body, ...renumbered(b, place, a.unit, 1 + lastNumber(a))],
    schedule: `${a.schedule}; then in each unit ${b.schedule}`,
    ...(a.tile !== undefined && { tile: a.tile }),
    cost: { flops: a.cost.flops + b.cost.flops, bytes },
  };
}

/** Whether the addresses of a kernel are known before it runs, and it raises no flags. */
export function hasKnownAddresses(b: Kernel): boolean {
  return b.flags === null && statements(b.body).every((s) => indicesOfStmt(s).every(isStaticIndex));
}

function bytesOf({ elements, storage }: KernelParam): number {
  return elements * elementBytes(storage);
}

/** All statements, outer ones first. */
function statements(body: readonly Stmt[]): Stmt[] {
  return body.flatMap((s) => {
    if (s.kind === 'for') return [s, ...statements(s.body)];
    return s.kind === 'if' ? [s, ...statements(s.body), ...statements(s.otherwise)] : [s];
  });
}

function indicesOfStmt(s: Stmt): readonly Index[] {
  if (s.kind === 'for') return [s.limit];
  if (s.kind === 'if') return s.conditions.map((c) => c.index);
  const own = s.kind === 'store' ? [s.index] : [];
  return [...own, ...walkExprs([s.value]).flatMap(indicesOf)];
}

/** The highest number of a variable, a register or a run-time index. */
function lastNumber(kernel: Kernel): number {
  let last = kernel.unit.id;
  for (const s of statements(kernel.body)) {
    if (s.kind === 'for') last = Math.max(last, s.v.id);
    else if (s.kind === 'let') last = Math.max(last, s.reg.id);
    for (const index of indicesOfStmt(s))
      for (const { atom } of index.terms) last = Math.max(last, highest(atom));
  }
  return last;
}

function highest(atom: Index['terms'][number]['atom']): number {
  if (atom.kind === 'var' || atom.kind === 'value') return atom.id;
  return atom.x.terms.reduce((n, t) => Math.max(n, highest(t.atom)), 0);
}

/** The body with other parameters, another unit variable, and numbers from `from` on. */
function renumbered(kernel: Kernel, place: readonly number[], unit: LoopVar, from: number): Stmt[] {
  const vars = new Map<number, LoopVar>([[kernel.unit.id, unit]]);
  const variable = (v: LoopVar): LoopVar => {
    const known = vars.get(v.id);
    if (known !== undefined) return known;
    const made = { ...v, id: v.id + from };
    vars.set(v.id, made);
    return made;
  };
  const registers = new Map<number, Register>();
  const register = (r: Register): Register => {
    const known = registers.get(r.id);
    if (known !== undefined) return known;
    const made = { ...r, id: r.id + from };
    registers.set(r.id, made);
    return made;
  };
  const move = (v: LoopVar): Index => varIndex(variable(v));
  const index = (i: Index): Index => substituteIndex(i, move);
  const placed = substituter(move);
  const swapped = rewriter((e) => {
    if (e.kind === 'load') return { ...e, param: place[e.param]! };
    return e.kind === 'reg' ? { ...e, reg: register(e.reg) } : e;
  });
  const expr = (e: Expr): Expr => swapped(placed(e));
  const visit = (s: Stmt): Stmt => {
    switch (s.kind) {
      case 'for':
        return { ...s, v: variable(s.v), limit: index(s.limit), body: s.body.map(visit) };
      case 'if':
        return {
          ...s,
          conditions: s.conditions.map((c) => ({ ...c, index: index(c.index) })),
          body: s.body.map(visit),
          otherwise: s.otherwise.map(visit),
        };
      case 'let':
      case 'set':
        return { ...s, reg: register(s.reg), value: expr(s.value) };
      case 'store':
        return { ...s, param: place[s.param]!, index: index(s.index), value: expr(s.value) };
      default:
        return s satisfies never;
    }
  };
  return kernel.body.map(visit);
}
