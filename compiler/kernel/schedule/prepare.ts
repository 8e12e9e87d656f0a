// Before a contraction is scheduled: definitions that are better served by two or three kernels become two or three
// definitions with temporary buffers between them.
//
//   pack    an operand whose elements do not lie side by side along the columns is first copied so that they do
//           (x · Wᵀ, the gradient to a convolution's input)
//   split   a long reduction with a small result (the gradient to a convolution's weights) is cut into parts that are
//           summed afterwards: more units, and each part stays in the cache
//
// Both depend on shapes and target only.

import { addIndex, type LoopVar, scaleIndex, varIndex } from '../affine.ts';
import { flatIndex, type KernelDefinition, VarSource, volume } from '../definition.ts';
import { type Expr, reduce, walkExprs } from '../expr.ts';
import type { Target } from '../ir.ts';
import { coefficientOf, replacer, substituter } from '../substitute.ts';
import { columnLoop, type Product, productOf, reductionOrder } from './contraction.ts';

/** A definition with what its parameters stand for; `Arg` is a buffer of the caller. */
export interface Bound<Arg> {
  readonly def: KernelDefinition;
  readonly args: readonly Arg[];
}

/** Makes a temporary buffer of so many f32 elements. */
export type NewTemporary<Arg> = (name: string, elements: number) => Arg;

/** An operand is packed when each of its elements is used at least this often. */
const packReuse = 8;
/** A reduction is split when it is at least this long. */
const splitLength = 2048;
/** The operands of one part should fit a second-level cache. */
const partBytes = 512 * 1024;
/** Partial results of a split may take this many bytes in all. */
const splitBytes = 2 * 1024 * 1024;

export function prepareContraction<Arg>(
  bound: Bound<Arg>,
  target: Target,
  temporary: NewTemporary<Arg>,
): Bound<Arg>[] {
  const product = productOf(bound.def);
  if (product?.reduction.type !== 'f32') return [bound];
  const packed = pack(bound, product, target, temporary);
  const main = packed.pop()!;
  return [...packed, ...split(main, temporary)];
}

function pack<Arg>(
  bound: Bound<Arg>,
  product: Product,
  target: Target,
  temporary: NewTemporary<Arg>,
): Bound<Arg>[] {
  const { def } = bound;
  const v = columnLoop(def, product);
  if (!v || target.lanes === 1) return [bound];
  const out: Bound<Arg>[] = [];
  let current = bound;
  for (const load of [product.x, product.y]) {
    // Few columns: lanes run along the innermost reduction loop instead, and the operand is packed for that.
    const other = load === product.x ? product.y : product.x;
    const primary = coefficientOf(product.x.index, v) === 0 ? product.x : product.y;
    const order = reductionOrder(
      product.reduction.vars,
      primary,
      primary === product.x ? product.y : product.x,
    );
    const lane = v.extent >= 4 ? v : order.filter((r) => r.extent > 1).at(-1);
    if (!lane) continue;
    const stride = coefficientOf(load.index, lane);
    if (stride === 0 || stride === 1) continue;
    if (v.extent < 4 && ![0, 1].includes(coefficientOf(other.index, lane)) && load === product.x) continue;
    const all = [...def.space, ...order];
    const own = all.filter((x) => x.extent > 1 && x !== lane && coefficientOf(load.index, x) !== 0);
    const box = [...own, lane];
    if (volume(box) > 2 * def.params[load.param]!.elements) continue;
    if (volume(all) / volume(box) < packReuse) continue;
    const name = `${def.params[load.param]!.name} packed`;
    const arg = temporary(name, volume(box));
    out.push(copyDefinition(current, load, box, name, arg));
    current = withPacked(current, load, box, name, arg);
  }
  return [...out, current];
}

/** T[box] = param[load.index]: a definition of its own, with variables of its own. */
function copyDefinition<Arg>(
  bound: Bound<Arg>,
  load: Extract<Expr, { kind: 'load' }>,
  box: readonly LoopVar[],
  name: string,
  arg: Arg,
): Bound<Arg> {
  const vars = new VarSource();
  const space = box.map((x) => vars.make(x.name, x.extent));
  const sub = substituter((x) => {
    const at = box.findIndex((b) => b.id === x.id);
    return at < 0 ? undefined : varIndex(space[at]!);
  });
  const moved = sub(load) as typeof load;
  const source = bound.def.params[load.param]!;
  return {
    def: {
      name: `${bound.def.name} (pack)`,
      params: [
        { ...source, access: 'read' },
        { name, storage: 'f32', access: 'write', elements: volume(box) },
      ],
      flags: null,
      space,
      stores: [{ param: 1, index: flatIndex(space), value: { ...moved, param: 0 } }],
      vars,
    },
    args: [bound.args[load.param]!, arg],
  };
}

function withPacked<Arg>(
  bound: Bound<Arg>,
  load: Expr,
  box: readonly LoopVar[],
  name: string,
  arg: Arg,
): Bound<Arg> {
  const { def } = bound;
  const param = def.params.length;
  const swap = replacer((e) =>
    e === load ? { kind: 'load', type: 'f32', param, index: flatIndex(box), laneStride: 0 } : undefined,
  );
  return pruneParams({
    def: {
      ...def,
      params: [...def.params, { name, storage: 'f32', access: 'read', elements: volume(box) }],
      stores: def.stores.map((s) => ({ ...s, value: swap(s.value) })),
    },
    args: [...bound.args, arg],
  });
}

/** Drops parameters that nothing reads or writes any more. */
export function pruneParams<Arg>(bound: Bound<Arg>): Bound<Arg> {
  const { def } = bound;
  const used = new Set<number>(def.stores.map((s) => s.param));
  if (def.flags !== null) used.add(def.flags);
  for (const e of walkExprs(def.stores.map((s) => s.value))) if (e.kind === 'load') used.add(e.param);
  const kept = def.params.map((_, i) => i).filter((i) => used.has(i));
  if (kept.length === def.params.length) return bound;
  const to = new Map(kept.map((old, i) => [old, i]));
  const renumber = replacer((e) => (e.kind === 'load' ? { ...e, param: to.get(e.param)! } : undefined));
  const values = def.stores.map((s) => renumber(s.value));
  return {
    def: {
      ...def,
      params: kept.map((i) => def.params[i]!),
      flags: def.flags === null ? null : to.get(def.flags)!,
      stores: def.stores.map((s, i) => ({ param: to.get(s.param)!, index: s.index, value: values[i]! })),
    },
    args: kept.map((i) => bound.args[i]!),
  };
}

function split<Arg>(bound: Bound<Arg>, temporary: NewTemporary<Arg>): Bound<Arg>[] {
  const { def } = bound;
  const product = productOf(def)!;
  const r = product.reduction;
  const length = volume(r.vars);
  const points = volume(def.space);
  if (length < splitLength) return [bound];
  const operandBytes = 4 * (def.params[product.x.param]!.elements + def.params[product.y.param]!.elements);
  // A larger result has units enough; it is split only for the sake of the cache.
  if (points > length && operandBytes < 4 * partBytes) return [bound];
  const v = columnLoop(def, product);
  const primary = v && coefficientOf(product.x.index, v) === 0 ? product.x : product.y;
  const order = reductionOrder(
    r.vars.filter((x) => x.extent > 1),
    primary,
    primary === product.x ? product.y : product.x,
  );
  const cutVar = order[0]!;
  const most = Math.floor(splitBytes / (4 * points));
  const wanted = Math.max(4, Math.ceil(operandBytes / partBytes));
  const parts = divisorNear(cutVar.extent, Math.min(wanted, most));
  if (parts < 2) return [bound];
  const size = cutVar.extent / parts;

  const name = `${def.name} (parts)`;
  const arg = temporary(name, parts * points);
  // First the parts: the same sum over a piece of the cut loop, one more parallel loop.
  const part = def.vars.make('part', parts);
  const piece = def.vars.make(cutVar.name, size);
  const at = addIndex(scaleIndex(varIndex(part), size), varIndex(piece));
  const sub = substituter((x) => (x.id === cutVar.id ? at : undefined));
  const rest = r.vars.filter((x) => x.id !== cutVar.id);
  const first = pruneParams<Arg>({
    def: {
      ...def,
      name,
      params: [
        ...def.params.map((p) => ({ ...p, access: 'read' as const })),
        { name, storage: 'f32', access: 'write', elements: parts * points },
      ],
      flags: null,
      space: [part, ...def.space],
      stores: [
        {
          param: def.params.length,
          index: flatIndex([part, ...def.space]),
          value: reduce('sum', [piece, ...rest], sub((r as Extract<typeof r, { kind: 'reduce' }>).body)),
        },
      ],
    },
    args: [...bound.args, arg],
  });
  // Then their sum, with what follows it.
  const param = def.params.length;
  const summed: Expr = reduce('sum', [part], {
    kind: 'load',
    type: 'f32',
    param,
    index: flatIndex([part, ...def.space]),
    laneStride: 0,
  });
  const swap = replacer((e) => (e === r ? summed : undefined));
  const second = pruneParams<Arg>({
    def: {
      ...def,
      params: [...def.params, { name, storage: 'f32', access: 'read', elements: parts * points }],
      stores: def.stores.map((s) => ({ ...s, value: swap(s.value) })),
    },
    args: [...bound.args, arg],
  });
  return [first, second];
}

/** The largest divisor of n that is at most `limit`. */
function divisorNear(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}
