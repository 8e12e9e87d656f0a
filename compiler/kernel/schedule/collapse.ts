// Collapsing: two neighbouring loops become one where every access walks through both in one stride. A fused elementwise
// kernel over [64, 32, 32, 16] becomes one long loop; a 3×3 convolution reads runs of 3·C elements.

import { constIndex, type Index, type LoopVar, varIndex } from '../affine.ts';
import type { DefinitionStore, KernelDefinition, ReduceExpr } from '../definition.ts';
import { reductionsOf } from '../definition.ts';
import { type Expr, indicesOf, walkExprs } from '../expr.ts';
import { coefficientOf, replacer, substituter, substituteStores } from '../substitute.ts';

/** Every index of a definition: addresses of loads and stores, index values, guard conditions. */
function allIndices(stores: readonly DefinitionStore[]): Index[] {
  return [...stores.map((s) => s.index), ...walkExprs(stores.map((s) => s.value)).flatMap(indicesOf)];
}

/** Loops count in 32 bits on every target. */
const mostRounds = 2 ** 31 - 1;

function canCollapse(outer: LoopVar, inner: LoopVar, indices: readonly Index[]): boolean {
  if (outer.extent * inner.extent > mostRounds) return false;
  return indices.every((i) => {
    const o = coefficientOf(i, outer);
    return o === coefficientOf(i, inner) * inner.extent && !Number.isNaN(o);
  });
}

/** Merges neighbouring parallel loops where all accesses allow it; drops loops of one round. */
export function collapseSpace(def: KernelDefinition): KernelDefinition {
  // Positions counted by argmax depend on the reduction's own shape only, so parallel loops collapse freely.
  let space = def.space.filter((v) => v.extent !== 1);
  let stores = def.stores;
  let indices = space.length < 2 ? [] : allIndices(stores);
  for (let i = space.length - 2; i >= 0; i--) {
    const outer = space[i]!;
    const inner = space[i + 1]!;
    if (!canCollapse(outer, inner, indices)) continue;
    const merged = def.vars.make(inner.name, outer.extent * inner.extent);
    stores = substituteStores(stores, (v) =>
      v === outer ? constIndex(0) : v === inner ? varIndex(merged) : undefined,
    );
    space = [...space.slice(0, i), merged, ...space.slice(i + 2)];
    if (i > 0) indices = allIndices(stores);
  }
  return { ...def, space, stores };
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
    if (!old.includes(e as ReduceExpr) || e === first) return undefined;
    const r = e as ReduceExpr;
    const sub = substituter((v) => {
      const at = r.vars.findIndex((x) => x.id === v.id);
      return at < 0 ? undefined : varIndex(first.vars[at]!);
    });
    return { ...r, vars: first.vars, body: sub(r.body) };
  });
  let stores: readonly DefinitionStore[] = def.stores.map((s) => ({ ...s, value: unify(s.value) }));
  const counted = old.some((r) => r.kind === 'argmax');
  let vars: readonly LoopVar[] = first.vars.filter((v) => v.extent !== 1);
  if (!counted) {
    vars = sort(
      vars,
      reductionsOf(stores).map((r) => r.body),
    );
    let indices: readonly Index[] | null = null;
    for (let i = vars.length - 2; i >= 0; i--) {
      const outer = vars[i]!;
      const inner = vars[i + 1]!;
      indices ??= allIndices(
        reductionsOf(stores).map((r) => ({ param: 0, index: constIndex(0), value: r.body })),
      );
      if (!canCollapse(outer, inner, indices)) continue;
      const merged = def.vars.make(inner.name, outer.extent * inner.extent);
      const sub = substituter((v) =>
        v === outer ? constIndex(0) : v === inner ? varIndex(merged) : undefined,
      );
      const next = [...vars.slice(0, i), merged, ...vars.slice(i + 2)];
      const swap = replacer((e) =>
        e.kind === 'reduce' ? { ...e, vars: next, body: sub(e.body) } : undefined,
      );
      stores = stores.map((s) => ({ ...s, value: swap(s.value) }));
      vars = next;
      indices = null;
    }
    const settle = replacer((e) => (e.kind === 'reduce' ? { ...e, vars } : undefined));
    stores = stores.map((s) => ({ ...s, value: settle(s.value) }));
  }
  return { def: { ...def, stores }, vars, reductions: reductionsOf(stores) };
}
