// Splitting: the sum of a contraction goes through a buffer when
//
//   it is long and its result small (the gradient to a convolution's weights): it is cut into parts that are summed
//   afterwards, so that there are more units and each part stays in the cache;
//   what follows it cannot run in lanes (a bias that is put together of two): the sum still can.

import { addIndex, type LoopVar, scaleIndex, varIndex } from '../affine.ts';
import { type KernelDefinition, volume } from '../definition.ts';
import { constant } from '../expr.ts';
import type { Target } from '../ir.ts';
import { replacer, substituter } from '../substitute.ts';
import { type Bound, type NewTemporary, throughBuffer } from './bound.ts';
import { type Choice, chooseLoops } from './choice.ts';
import { conditionsOf, operandsFor, type Product, productOf, reductionOrder } from './product.ts';
import { canVectorize } from './vector.ts';

/** A reduction is split when it is at least this long. */
const splitLength = 2048;
/** The operands of one part should fit the first-level cache, since each tile of the result walks through them. */
const partBytes = 32 * 1024;
/** Rounds of a part: to store its sums and add them up takes as long as six. */
const shortestPart = 128;
/** Partial results of a split may take this many bytes in all. */
const splitBytes = 2.5 * 1024 * 1024;

/** Whether a sum may be cut into parts for its length. */
export function isLong(def: KernelDefinition): boolean {
  return volume(productOf(def)!.reduction.vars) >= splitLength;
}

/** What the loops of the sum should be, whatever follows it. */
export function chooseSum(def: KernelDefinition, target: Target): Choice | null {
  return chooseLoops(def, productOf(def)!, target, { sumOnly: true });
}

/** The definition itself, or one that stores sums and one that goes on from there. */
export function splitSum<Arg>(
  bound: Bound<Arg>,
  choice: Choice | null,
  temporary: NewTemporary<Arg>,
): Bound<Arg>[] {
  const { def } = bound;
  const product = productOf(def)!;
  const v = choice?.v ?? null;
  const cuts = cutsOf(def, product, v, choice?.form === 'along' ? choice.lanes : 1);
  if (cuts.length === 0 && !hindersLanes(def, product, choice)) return [bound];

  const { reduction } = product;
  const name = `${def.name} (${cuts.length > 0 ? 'parts' : 'sums'})`;
  const parts = cuts.map((cut) => def.vars.make('part', cut.parts));
  // Columns lie side by side in the buffer of sums, wherever they lie in the result.
  const box = [...parts, ...def.space.filter((s) => s !== v), ...(v ? [v] : [])];
  // Of a cut loop each part has its piece, one more parallel loop.
  let sum = reduction;
  cuts.forEach((cut, i) => {
    const piece = def.vars.make(cut.loop.name, cut.loop.extent / cut.parts);
    const at = addIndex(scaleIndex(varIndex(parts[i]!), piece.extent), varIndex(piece));
    const body = substituter((x) => (x.id === cut.loop.id ? at : undefined))(sum.body);
    sum = { ...sum, vars: sum.vars.map((x) => (x.id === cut.loop.id ? piece : x)), body };
  });
  return throughBuffer(bound, temporary, { name, reduction, box, sum, parts });
}

interface Cut {
  readonly loop: LoopVar;
  readonly parts: number;
}

/** The loops to cut and into how many parts each; none when the sum is not long, or its result large. */
function cutsOf(def: KernelDefinition, product: Product, v: LoopVar | null, lanes: 1 | 4): Cut[] {
  const { reduction, x, y } = product;
  const length = volume(reduction.vars);
  const points = volume(def.space);
  if (length < splitLength) return [];
  const operandBytes = 4 * (def.params[x.param]!.elements + def.params[y.param]!.elements);
  const most = Math.floor(splitBytes / (4 * points));
  let wanted = Math.min(most, Math.max(4, Math.ceil(operandBytes / partBytes)));
  // A larger result has units enough; it is split only for the sake of the cache, where that is cheap or gains much.
  if (points > length && length < wanted * shortestPart && operandBytes < 64 * partBytes) return [];
  const cuts: Cut[] = [];
  for (const loop of reductionOrder(reduction.vars, operandsFor(product, v), conditionsOf(product))) {
    if (loop.extent === 1) continue;
    const parts = partsOf(loop.extent, wanted, lanes);
    if (parts > 1) cuts.push({ loop, parts });
    // A loop inside of this one is cut only when this one is cut into single rounds.
    if (parts < loop.extent) break;
    wanted = Math.floor(wanted / parts);
  }
  return cuts;
}

/** So many parts of n as are wanted, or fewer; somewhat more or fewer when that makes them whole vectors. */
function partsOf(n: number, wanted: number, lanes: 1 | 4): number {
  const parts = largestDivisor(n, wanted);
  if ((n / parts) % lanes === 0) return parts;
  for (let more = 1; more <= wanted / 2; more++) {
    for (const d of [wanted + more, wanted - more]) if (n % d === 0 && (n / d) % lanes === 0) return d;
  }
  return parts;
}

/** The largest divisor of n that is at most `limit`; 1 when there is none. */
function largestDivisor(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** Lanes run across the columns of the sum, but cannot across those of what is made of it. */
function hindersLanes(def: KernelDefinition, { reduction }: Product, choice: Choice | null): boolean {
  if (choice === null || choice.lanes === 1 || choice.form === 'along' || choice.v === null) return false;
  const swap = replacer((e) => (e === reduction ? constant(reduction.type, 0) : undefined));
  return !canVectorize(
    def.stores.map((s) => swap(s.value)),
    choice.v,
  );
}
