// Collapsing: two neighbouring loops become one where every access walks through both in one stride. A fused elementwise
// kernel over [64, 32, 32, 16] becomes one long loop; a 3×3 convolution reads runs of 3·C elements.

import { constIndex, type Index, type LoopVar, varIndex } from '../affine.ts';
import type { DefinitionStore, KernelDefinition, ReduceExpr, VarSource } from '../definition.ts';
import { reductionsOf } from '../definition.ts';
import { type Expr, indicesOf, walkExprs } from '../expr.ts';
import { coefficientOf, replacer, substituter, substituteStores } from '../substitute.ts';

/** Every index of a definition: addresses of loads and stores, index values, guard conditions. */
function allIndices(stores: readonly DefinitionStore[]): Index[] {
  return [...stores.map((s) => s.index), ...walkExprs(stores.map((s) => s.value)).flatMap(indicesOf)];
}

/** Loops count in 32 bits on every target. */
const mostRounds = 2 ** 31 - 1;

/** Whether a loop goes on where `inner`, which by now makes `rounds`, ends. */
function canCollapse(outer: LoopVar, inner: LoopVar, rounds: number, indices: readonly Index[]): boolean {
  if (outer.extent * rounds > mostRounds) return false;
  return indices.every((i) => {
    const o = coefficientOf(i, outer);
    return o === coefficientOf(i, inner) * rounds && !Number.isNaN(o);
  });
}

/** Merges neighbouring parallel loops where all accesses allow it; drops loops of one round. */
export function collapseSpace(def: KernelDefinition): KernelDefinition {
  // Positions counted by argmax depend on the reduction's own shape only, so parallel loops collapse freely.
  const loops = def.space.filter((v) => v.extent !== 1);
  if (loops.length < 2) return loops.length === def.space.length ? def : { ...def, space: loops };
  const { vars, places } = collapse(loops, def.vars, allIndices(def.stores));
  const stores = places.size === 0 ? def.stores : substituteStores(def.stores, (v) => places.get(v));
  return { ...def, space: vars, stores };
}

/**
 * Neighbouring loops merged where all indices allow it, and what takes the place of those that were. A merged loop moves
 * every index as its inner loop did, so what has been merged need not be put in place to decide about the next.
 */
function collapse(
  loops: readonly LoopVar[],
  source: VarSource,
  indices: readonly Index[],
): { readonly vars: readonly LoopVar[]; readonly places: ReadonlyMap<LoopVar, Index> } {
  const vars: LoopVar[] = [];
  const places = new Map<LoopVar, Index>();
  for (let end = loops.length - 1; end >= 0; ) {
    // Loops from `begin` to `end` become one.
    const inner = loops[end]!;
    let merged = inner;
    let begin = end;
    while (begin > 0 && canCollapse(loops[begin - 1]!, inner, merged.extent, indices)) {
      begin--;
      merged = source.make(inner.name, loops[begin]!.extent * merged.extent);
      places.set(loops[begin]!, constIndex(0));
    }
    if (merged !== inner) places.set(inner, varIndex(merged));
    vars.unshift(merged);
    end = begin - 1;
  }
  return { vars, places };
}

/** A definition whose reductions run over the same loops. */
export interface Arranged {
  readonly def: KernelDefinition;
  /** Reduction loops, outermost first. */
  readonly vars: readonly LoopVar[];
  readonly reductions: readonly ReduceExpr[];
}

/**
 * The same for the loops of the reductions, whose order is free to choose here: `sort` gives the order of the loops,
 * outermost first. All reductions of the definition have the same extents and get the same new variables. Where one is
 * an argmax, loops stay as they are: it counts positions in their order.
 */
export function arrangeReductions(
  def: KernelDefinition,
  sort: (vars: readonly LoopVar[], bodies: readonly Expr[]) => LoopVar[],
): Arranged {
  const old = reductionsOf(def.stores);
  const first = old[0]!;
  // One set of loop variables for all: the traversal is shared.
  const unify = replacer((e) => {
    if (e === first || !old.includes(e as ReduceExpr)) return undefined;
    const r = e as ReduceExpr;
    const sub = substituter((v) => {
      const at = r.vars.findIndex((x) => x.id === v.id);
      return at < 0 ? undefined : varIndex(first.vars[at]!);
    });
    return { ...r, vars: first.vars, body: sub(r.body) };
  });
  let stores: readonly DefinitionStore[] =
    old.length < 2 ? def.stores : def.stores.map((s) => ({ ...s, value: unify(s.value) }));
  const counted = old.some((r) => r.kind === 'argmax');
  let vars: readonly LoopVar[] = first.vars.filter((v) => v.extent !== 1);
  if (!counted) {
    vars = sort(
      vars,
      reductionsOf(stores).map((r) => r.body),
    );
    const bodies = reductionsOf(stores).map((r) => ({ param: 0, index: constIndex(0), value: r.body }));
    const { vars: merged, places } = collapse(vars, def.vars, vars.length < 2 ? [] : allIndices(bodies));
    vars = merged;
    const sub = places.size === 0 ? (e: Expr): Expr => e : substituter((v) => places.get(v));
    const settle = replacer((e) =>
      e.kind === 'reduce' ? { ...e, vars: merged, body: sub(e.body) } : undefined,
    );
    stores = stores.map((s) => ({ ...s, value: settle(s.value) }));
  }
  return { def: { ...def, stores }, vars, reductions: reductionsOf(stores) };
}
