// Fusion, third half: kernels that follow each other through the same memory become one, unit by unit (kernel/chain.ts).
// Sums over what was just computed read it while it is near: batch norm's statistics below the convolution, the sums of its
// gradient below the gradient that they are of, the parts of a variance, the steps of a softmax.
//
//   conv: pictures 0 … 63        sums over pictures 0 … 63
//   └ picture u ──────────────── └ sums over picture u             →   for each u: picture u, then its sums
//
// In: steps in a valid order. Out: the same with pairs (and rows) of them joined, in a valid order. A step joins an earlier one
// whose result it reads when, for the same number of units, each unit of it reads only what that unit of the other wrote,
// and when coming back to what is near saves more than the code costs (cost.ts). Bits do not change.

import {
  addIndex,
  coefficientOfVar,
  constIndex,
  type Index,
  offsetIndex,
  type Range,
  scaleIndex,
  varIndex,
} from '../kernel/affine.ts';
import type { Kernel } from '../kernel/ir.ts';
import type { KernelPool } from '../kernel/pool.ts';
import { type Footprint, footprints, rangesUnder } from '../schedule/footprint.ts';
import type { Buffer, BufferId, LoweredStep } from '../schedule/lowered.ts';
import { restrictTrace, traceOf } from '../schedule/trace.ts';
import { type Costs, costsOfChaining, isComputed, isNear } from './cost.ts';
import { joinedStep, StepPairs, sharedParams } from './step-pairs.ts';

/** So many are work for many workers, evenly. */
const enoughUnits = 32;
/** Units that are looked at one by one where indices do not tell. */
const mostUnits = 64;
/** Parameters of a joined kernel. */
const mostParams = 24;
/**
 * A step that writes more than this part of what it shares, and reads as much of its own, is not joined to a contraction: it
 * may be wanted again alone, and what it reads must be kept for the contraction then. ResNet-8 would take 36.1 MB, not 34.8.
 */
const smallPart = 1 / 4;

/**
 * A step so many steps after the other that writes more than a part of what it shares, is not moved there: what it makes
 * would be kept until it is wanted, as sums of a picture that the backward pass needs would be from the forward pass on.
 */
const longAfter = 16;
const keptPart = 1 / 16;

/** A pair that was joined, or the reason why not. */
export interface ChainDecision {
  /** Labels of the steps. */
  readonly first: string;
  readonly second: string;
  readonly isJoined: boolean;
  readonly reason: ChainReason;
  /** The reason in words. */
  readonly because: string;
  /** `storing`: apart; `computing`: as one. Null when a rule decided. */
  readonly costs: Costs | null;
}

export const chainReasons = {
  joined: 'each unit reads what that unit of the other has just written',
  summed: 'what the other computes is added up while it is in registers',
  small: 'what they share is too little to be worth code of its own',
  far: 'one unit of it is more than stays near',
  order: 'something between them must run between them',
  units: 'they are not cut into the same units',
  across: 'units read what other units write',
  kept: 'what it makes is wanted long after the other, and would be kept until then',
  recomputed: 'it may be wanted again alone, and the other is dear',
  addresses: 'it has positions known at run time, or checks',
  params: 'the kernel would have too many operands',
} as const;

export type ChainReason = keyof typeof chainReasons;

export interface Chained {
  readonly steps: readonly LoweredStep[];
  readonly decisions: readonly ChainDecision[];
}

/** Joins steps where that pays; `pays` says when. */
export function chainSteps(
  steps: readonly LoweredStep[],
  buffers: readonly Buffer[],
  pool: KernelPool,
  pays: (costs: Costs) => boolean = isComputed,
): Chained {
  return new Chains(steps, buffers, pool, pays).run();
}

class Chains {
  readonly #buffers: readonly Buffer[];
  readonly #pool: KernelPool;
  readonly #pays: (costs: Costs) => boolean;
  readonly #pairs: StepPairs;
  readonly #decisions: ChainDecision[] = [];
  readonly #touched = new Map<Kernel, Map<string, readonly Range[] | null>>();

  constructor(
    steps: readonly LoweredStep[],
    buffers: readonly Buffer[],
    pool: KernelPool,
    pays: (costs: Costs) => boolean,
  ) {
    this.#pays = pays;
    this.#pairs = new StepPairs(steps);
    this.#buffers = buffers;
    this.#pool = pool;
  }

  run(): Chained {
    const { steps } = this.#pairs;
    for (let s = 0; s < steps.length; s++) {
      const maker = this.#pairs.makerOf(s);
      if (maker === null) continue;
      const [first, second] = [steps[maker]!, steps[s]!];
      const made = this.#join(maker, s);
      this.#decisions.push({
        first: first.label,
        second: second.label,
        isJoined: made.step !== null,
        reason: made.reason,
        because: chainReasons[made.reason],
        costs: made.costs,
      });
      if (made.step === null) continue;
      this.#pairs.replace(maker, s, made.at, made.step);
      s--;
    }
    return { steps, decisions: this.#decisions };
  }

  #join(
    a: number,
    b: number,
  ): { step: LoweredStep | null; at: number; reason: ChainReason; costs: Costs | null } {
    const [first, second] = [this.#pairs.steps[a]!, this.#pairs.steps[b]!];
    const refuse = (reason: ChainReason, costs: Costs | null = null) => ({
      step: null,
      at: b,
      reason,
      costs,
    });
    const common = [...new Set(second.args)].filter((id) => first.args.includes(id));
    const bytes = common.reduce((n, id) => n + this.#buffers[id]!.bytes, 0);
    const most = Math.max(first.kernel.unit.extent, second.kernel.unit.extent);
    const costs = costsOfChaining(bytes, most);
    if (!this.#pays(costs)) return refuse(isComputed(costsOfChaining(bytes, bytes)) ? 'far' : 'small', costs);
    if (second.kernel.tile !== undefined || !this.#pool.mayFollow(second.kernel)) return refuse('addresses');
    const written = this.#pairs.argsOf(b, 'write').reduce((n, id) => n + this.#buffers[id]!.bytes, 0);
    const others = second.args.filter((id) => !first.args.includes(id));
    const alone = others.reduce((n, id) => n + this.#buffers[id]!.bytes, 0) - written;
    const isLarge = Math.min(written, alone) > smallPart * bytes;
    if (first.kernel.tile !== undefined && isLarge) return refuse('recomputed');
    const at = this.#pairs.placeFor(a, b);
    if (at === null) return refuse('order');
    if (at === a && b - a > longAfter && written > keptPart * bytes) return refuse('kept');
    // Twice in one call, from different elements on, is only what nobody writes.
    const shared = sharedParams(first, second);
    if (shared === null) return refuse('across');
    const wanted = this.#wantedUnits(first.kernel, second.kernel, bytes);
    if (wanted.length === 0) return refuse('units');
    if (this.#readsTooWide(first, second, wanted)) return refuse('across');
    const pair = this.#sameUnits(first.kernel, second.kernel, wanted);
    if (pair === null) return refuse('units');
    if (!this.#staysInUnits(pair, first.args, second.args)) return refuse('across');
    const more = shared.filter((p) => p === null).length;
    if (first.args.length + more > mostParams) return refuse('params');
    const step = joinedStep(first, second, shared, this.#pool.chain(pair[0], pair[1], shared));
    return { step, at, reason: 'joined', costs };
  }

  /**
   * How many units both may have, best first: enough that workers are not without work, and what a unit touches stays near,
   * but no more than that, since short loops cost. Nothing is scheduled anew for this.
   */
  #wantedUnits(a: Kernel, b: Kernel, bytes: number): readonly number[] {
    const own = [a.unit.extent, b.unit.extent];
    const most = Math.max(...own);
    return [...new Set([...own, 2 ** Math.floor(Math.log2(most)), enoughUnits])]
      .filter((units) => units <= most && 2 * units >= Math.min(most, enoughUnits) && isNear(bytes, units))
      .filter((units) => this.#pool.mayHaveUnits(a, units) && this.#pool.mayHaveUnits(b, units))
      .sort((x, y) => Math.abs(Math.log2(x / enoughUnits)) - Math.abs(Math.log2(y / enoughUnits)));
  }

  /**
   * Whether units of the second read more, however it is cut, than units of the first can write, which are apart: a sum of
   * parts reads a piece of each part.
   */
  #readsTooWide(a: LoweredStep, b: LoweredStep, wanted: readonly number[]): boolean {
    const fewest = Math.min(...wanted);
    return b.args.some((id, q) => {
      const p = a.args.findIndex((other, k) => other === id && a.kernel.params[k]!.access === 'write');
      return p >= 0 && fewest * this.#pool.widthOfPoint(b.kernel, q) > a.kernel.params[p]!.elements;
    });
  }

  /** Both with as many units. */
  #sameUnits(a: Kernel, b: Kernel, wanted: readonly number[]): readonly [Kernel, Kernel] | null {
    for (const units of wanted) {
      const [first, second] = [this.#pool.withUnits(a, units), this.#pool.withUnits(b, units)];
      if (first !== null && second !== null) return [first, second];
    }
    return null;
  }

  /** Whether unit u of the second reads nothing that another unit of the first writes. */
  #staysInUnits(
    [a, b]: readonly [Kernel, Kernel],
    argsA: readonly BufferId[],
    argsB: readonly BufferId[],
  ): boolean {
    return argsB.every((id, q) => {
      const p = argsA.findIndex((other, k) => other === id && a.params[k]!.access === 'write');
      if (p < 0) return true;
      const wrote = this.#rangesOf(a, p, 'store');
      const reads = this.#rangesOf(b, q, 'load');
      if (wrote === null || reads === null) return false;
      return isApart(wrote) && reads.every((r, u) => r.min >= wrote[u]!.min && r.max <= wrote[u]!.max);
    });
  }

  /** What each unit touches of a parameter; null when that is not known. */
  #rangesOf(kernel: Kernel, param: number, kind: 'load' | 'store'): readonly Range[] | null {
    const known = this.#touched.get(kernel) ?? new Map<string, readonly Range[] | null>();
    this.#touched.set(kernel, known);
    const key = `${kind}${param}`;
    let ranges = known.get(key);
    if (ranges === undefined) {
      ranges = rangesByUnit(kernel, param, kind);
      known.set(key, ranges);
    }
    return ranges;
  }
}

/** Whether no two of the ranges meet. */
function isApart(ranges: readonly Range[]): boolean {
  const sorted = [...ranges].sort((x, y) => x.min - y.min);
  return sorted.every((r, i) => i === 0 || r.min > sorted[i - 1]!.max);
}

function rangesByUnit(kernel: Kernel, param: number, kind: 'load' | 'store'): Range[] | null {
  const { unit } = kernel;
  const trace = restrictTrace(traceOf(kernel), (access) => access.param === param && access.kind === kind);
  const of = (units: Index) => footprints(trace, unit, units);
  const units = Array.from({ length: unit.extent }, (_, u) => u);
  // Mostly each unit touches what the one before touches, some elements further.
  const all = of(varIndex(unit));
  const steps = new Set(all.map((f) => coefficientOfVar(f.index, unit, () => true)));
  const [step] = steps;
  const isRegular =
    steps.size === 1 &&
    !Number.isNaN(step) &&
    all.every((f) => f.bounds.every((b) => coefficientOfVar(b.index, unit, () => true) === 0));
  if (isRegular) {
    const first = hullOf(all, scaleIndex(varIndex(unit), -step!));
    return first && units.map((u) => ({ min: first.min + u * step!, max: first.max + u * step! }));
  }
  if (unit.extent > mostUnits) return null;
  const each = units.map((u) => hullOf(of(constIndex(u))));
  return each.every((r) => r !== null) ? each : null;
}

/** All that is touched; `more` is added to every index. */
function hullOf(touched: readonly Footprint[], more: Index = constIndex(0)): Range | null {
  let hull: Range | null = null;
  const moved = new Map<Index['terms'], Index>();
  const rangeOf = rangesUnder();
  for (const { index, bounds } of touched) {
    let from = moved.get(index.terms);
    if (from === undefined) {
      from = addIndex({ constant: 0, terms: index.terms }, more);
      moved.set(index.terms, from);
    }
    const r = rangeOf(offsetIndex(from, index.constant), bounds);
    if (r === null) continue;
    hull = hull ? { min: Math.min(hull.min, r.min), max: Math.max(hull.max, r.max) } : r;
  }
  return hull;
}
