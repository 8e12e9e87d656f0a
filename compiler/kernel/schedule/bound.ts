// Definitions with what their parameters stand for, so that one definition can become several with buffers between them.

import { type LoopVar, rewriteValues } from '../affine.ts';
import { flatIndex, type KernelDefinition, volume } from '../definition.ts';
import { type Expr, isCheck, reduce, walkExprs } from '../expr.ts';
import type { KernelParam } from '../ir.ts';
import { replacer, rewriter } from '../substitute.ts';

/** A definition with what its parameters stand for; `Arg` is a buffer of the caller. */
export interface Bound<Arg> {
  readonly def: KernelDefinition;
  readonly args: readonly Arg[];
}

/** Makes a temporary buffer of so many elements; default: f32. */
export type NewTemporary<Arg> = (name: string, elements: number, type?: 'f32' | 'i32') => Arg;

/** Adds a parameter at the end; its number is the number of parameters before. */
export function withParam<Arg>(bound: Bound<Arg>, param: KernelParam, arg: Arg): Bound<Arg> {
  const { def, args } = bound;
  return { def: { ...def, params: [...def.params, param] }, args: [...args, arg] };
}

/** Drops parameters that nothing reads or writes any more. */
export function pruneParams<Arg>(bound: Bound<Arg>): Bound<Arg> {
  const { def } = bound;
  const used = new Set<number>(def.stores.map((s) => s.param));
  for (const e of walkExprs(def.stores.map((s) => s.value))) {
    if (e.kind === 'load') used.add(e.param);
    else if (isCheck(e) && def.flags !== null) used.add(def.flags);
  }
  const kept = def.params.map((_, i) => i).filter((i) => used.has(i));
  if (kept.length === def.params.length) return bound;
  const to = new Map(kept.map((old, i) => [old, i]));
  const renumber = rewriter((e) => (e.kind === 'load' ? { ...e, param: to.get(e.param)! } : e));
  return {
    def: {
      ...def,
      params: kept.map((i) => def.params[i]!),
      flags: def.flags === null ? null : (to.get(def.flags) ?? null),
      stores: def.stores.map((s) => ({
        param: to.get(s.param)!,
        index: rewriteValues(s.index, renumber),
        value: renumber(s.value),
      })),
    },
    args: kept.map((i) => bound.args[i]!),
  };
}

/** A load from a parameter that the schedule has added. */
export function loadTemporary(param: number, index: Extract<Expr, { kind: 'load' }>['index']): Expr {
  return { kind: 'load', type: 'f32', param, index, laneStride: 0 };
}

/** A sum that goes through a buffer: `sum` is stored at each point of `box`, of which `parts` are added up afterwards. */
export interface StoredSum {
  readonly name: string;
  readonly reduction: Expr;
  readonly box: readonly LoopVar[];
  readonly sum: Expr;
  readonly parts: readonly LoopVar[];
}

/** The definition that stores the sums, and the one that goes on from them. */
export function throughBuffer<Arg>(
  bound: Bound<Arg>,
  temporary: NewTemporary<Arg>,
  { name, reduction, box, sum, parts }: StoredSum,
): [sums: Bound<Arg>, rest: Bound<Arg>] {
  const { def } = bound;
  const param = def.params.length;
  const elements = volume(box);
  const temp = { name, storage: 'f32', elements } as const;
  const arg = temporary(name, elements);
  const first = withParam(bound, { ...temp, access: 'write' }, arg);
  const sums = pruneParams<Arg>({
    def: {
      ...first.def,
      name,
      params: first.def.params.map((p, i) => (i === param || i === def.flags ? p : { ...p, access: 'read' })),
      space: box,
      stores: [{ param, index: flatIndex(box), value: sum }],
    },
    args: first.args,
  });
  const load = loadTemporary(param, flatIndex(box));
  const total = parts.length > 0 ? reduce('sum', parts, load) : load;
  const swap = replacer((e) => (e === reduction ? total : undefined));
  const second = withParam(bound, { ...temp, access: 'read' }, arg);
  const rest = pruneParams<Arg>({
    def: { ...second.def, stores: def.stores.map((s) => ({ ...s, value: swap(s.value) })) },
    args: second.args,
  });
  return [sums, rest];
}
