// Splitting: the sum of a contraction goes through a buffer when
//
//   it is long and its result small (the gradient to a convolution's weights): it is cut into parts that are summed
//   afterwards, so that there are more units and each part stays in the cache;
//   what follows it cannot run in lanes (a bias that is put together of two): the sum still can.

import { addIndex, type LoopVar, scaleIndex, varIndex } from '../affine.ts';
import { flatIndex, type KernelDefinition, volume } from '../definition.ts';
import { reduce } from '../expr.ts';
import type { Target } from '../ir.ts';
import { coefficientOf, replacer, substituter } from '../substitute.ts';
import { type Bound, loadTemporary, type NewTemporary, pruneParams, withParam } from './bound.ts';
import { columnLoop, operandsFor, type Product, productOf, reductionOrder } from './product.ts';
import { canVectorize } from './vector.ts';

/** A reduction is split when it is at least this long. */
const splitLength = 2048;
/** The operands of one part should fit a second-level cache. */
const partBytes = 512 * 1024;
/** Partial results of a split may take this many bytes in all. */
const splitBytes = 2 * 1024 * 1024;

/** The definition itself, or one that stores sums and one that goes on from there. */
export function splitSum<Arg>(bound: Bound<Arg>, target: Target, temporary: NewTemporary<Arg>): Bound<Arg>[] {
  const { def } = bound;
  const product = productOf(def)!;
  const cut = partsOf(def, product);
  if (!cut && !hindersLanes(def, product, target)) return [bound];

  const { reduction } = product;
  const name = `${def.name} (${cut ? 'parts' : 'sums'})`;
  const part = cut && def.vars.make('part', cut.parts);
  const box = part ? [part, ...def.space] : def.space;
  const param = def.params.length;
  const arg = temporary(name, volume(box));
  const temp = { name, storage: 'f32', elements: volume(box) } as const;

  // First the sums; of a cut loop each part has its piece, one more parallel loop.
  let sum = reduction;
  if (cut && part) {
    const piece = def.vars.make(cut.loop.name, cut.loop.extent / cut.parts);
    const at = addIndex(scaleIndex(varIndex(part), piece.extent), varIndex(piece));
    const body = substituter((x) => (x.id === cut.loop.id ? at : undefined))(reduction.body);
    const rest = reduction.vars.filter((x) => x.id !== cut.loop.id);
    sum = { ...reduction, vars: [piece, ...rest], body };
  }
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
  // Then what is made of them.
  const load = loadTemporary(param, flatIndex(box));
  const total = part ? reduce('sum', [part], load) : load;
  const swap = replacer((e) => (e === reduction ? total : undefined));
  const second = withParam(bound, { ...temp, access: 'read' }, arg);
  const rest = pruneParams<Arg>({
    def: { ...second.def, stores: def.stores.map((s) => ({ ...s, value: swap(s.value) })) },
    args: second.args,
  });
  return [sums, rest];
}

/** The loop to cut and into how many parts; null when the sum is not long, or its result large. */
function partsOf(
  def: KernelDefinition,
  product: Product,
): { readonly loop: LoopVar; readonly parts: number } | null {
  const { reduction, x, y } = product;
  const length = volume(reduction.vars);
  const points = volume(def.space);
  if (length < splitLength) return null;
  const operandBytes = 4 * (def.params[x.param]!.elements + def.params[y.param]!.elements);
  // A larger result has units enough; it is split only for the sake of the cache.
  if (points > length && operandBytes < 4 * partBytes) return null;
  const v = columnLoop(def, product);
  const long = reduction.vars.filter((r) => r.extent > 1);
  const loop = reductionOrder(long, operandsFor(product, v))[0]!;
  const most = Math.floor(splitBytes / (4 * points));
  const wanted = Math.max(4, Math.ceil(operandBytes / partBytes));
  const parts = largestDivisor(loop.extent, Math.min(wanted, most));
  return parts < 2 ? null : { loop, parts };
}

/** The largest divisor of n that is at most `limit`; 1 when there is none. */
function largestDivisor(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** Lanes could run across the columns of the sum, but not of what is made of it. */
function hindersLanes(def: KernelDefinition, product: Product, target: Target): boolean {
  const v = columnLoop(def, product);
  if (target.lanes === 1 || !v || v.extent < 4) return false;
  const isUnit = [product.x, product.y].every((l) => [0, 1].includes(coefficientOf(l.index, v)));
  return (
    isUnit &&
    !canVectorize(
      def.stores.map((s) => s.value),
      v,
    )
  );
}
