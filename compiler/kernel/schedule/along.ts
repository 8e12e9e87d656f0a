// Reductions along a reduction loop (the sum of a row): several accumulators of as many lanes as the target has, combined in
// a fixed order, and one of a single lane for what is left after whole vectors. Several are faster than one, which waits for
// each addition, and more accurate: each adds up fewer elements.

import { constIndex, type Index, type LoopVar, offsetIndex, scaleIndex, varIndex } from '../affine.ts';
import type { ReduceExpr, VarSource } from '../definition.ts';
import { type BinaryFunction, binary, combiner, type Expr, type Register } from '../expr.ts';
import type { Stmt, Target } from '../ir.ts';
import { replacer, substituteStores } from '../substitute.ts';
import { type Accumulator, makeAccumulator } from './accumulate.ts';
import type { Scheduled } from './across.ts';
import type { Arranged } from './collapse.ts';
import { bindShared } from './share.ts';
import { forLoop, nestLoops, type Places, storeValues } from './statements.ts';
import { cutUnits, unitPrefix } from './units.ts';
import { placer } from './vector.ts';

/** Independent accumulators per reduction. */
const accumulators = 4;

export function scheduleAlong(p: Arranged, r: LoopVar, target: Target, work: number): Scheduled {
  const { def } = p;
  const prefix = unitPrefix(def.space, work, target.unitWork, def.units);
  const units = def.space.slice(0, prefix);
  const cut = cutUnits(
    def.vars,
    units.map((u) => u.extent),
    1,
  );
  const places = new Map<number, Index>(units.map((u, i) => [u.id, cut.coordinates[i]!]));
  return {
    unit: cut.unit,
    write: () =>
      nestLoops(def.space.slice(prefix), def.vars, places, (at) => writePoint(p, r, at, target.lanes)),
    how: target.lanes === 4 ? `lanes along ${r.name}` : `${accumulators} sums along ${r.name}`,
  };
}

/** The accumulators of one reduction. */
interface Accumulators {
  readonly lanes: readonly Accumulator[];
  readonly tail: Accumulator | null;
}

/** One point of the space. */
function writePoint(p: Arranged, r: LoopVar, places: Places, width: 1 | 4): Stmt[] {
  const { def } = p;
  const count = r.extent >= 4 * accumulators ? accumulators : 1;
  const wide = width * count;
  const full = Math.floor(r.extent / wide);
  const vectors = width === 1 ? 0 : Math.floor((r.extent - full * wide) / width);
  const tailFrom = full * wide + vectors * width;
  const accs = p.reductions.map(
    (x): Accumulators => ({
      lanes: Array.from({ length: count }, () => makeAccumulator(x, width, def.vars)),
      tail: tailFrom < r.extent ? makeAccumulator(x, 1, def.vars) : null,
    }),
  );
  /** Combines the elements at `at` into one accumulator of each reduction. */
  const round = (m: Places, at: Index, lanes: 1 | 4, into: (a: Accumulators) => Accumulator): Stmt[] => {
    const place = placer(
      (x) => m.get(x.id) ?? (lanes === 1 && x.id === r.id ? at : undefined),
      lanes === 4 ? { v: r, at } : null,
    );
    const bodies = p.reductions.map((x) => place(x.body));
    const shared = bindShared(bodies, lanes, def.vars);
    return [...shared.lets, ...accs.flatMap((a, i) => into(a).step(shared.values[i]!, constIndex(0)))];
  };
  const outer = p.vars.filter((x) => x.id !== r.id);
  const rounds = nestLoops(outer, def.vars, places, (m) => {
    const out: Stmt[] = [];
    if (full > 0) {
      const w = def.vars.make(r.name, full);
      const at = scaleIndex(varIndex(w), wide);
      const body = Array.from({ length: count }, (_, j) =>
        round(m, offsetIndex(at, width * j), width, (a) => a.lanes[j]!),
      );
      out.push(...forLoop(w, 1, full, body.flat()));
    }
    for (let j = 0; j < vectors; j++)
      out.push(...round(m, constIndex(full * wide + width * j), width, (a) => a.lanes[j % count]!));
    if (tailFrom < r.extent) {
      const w = def.vars.make(r.name, r.extent - tailFrom);
      const at = offsetIndex(varIndex(w), tailFrom);
      out.push(
        ...forLoop(
          w,
          1,
          w.extent,
          round(m, at, 1, (a) => a.tail!),
        ),
      );
    }
    return out;
  });
  const totals = p.reductions.map((x, i) =>
    total(x as Extract<ReduceExpr, { kind: 'reduce' }>, accs[i]!, def.vars, width),
  );
  const swap = replacer((e) => totals[p.reductions.indexOf(e as ReduceExpr)]?.value);
  const done = substituteStores(
    def.stores.map((s) => ({ ...s, value: swap(s.value) })),
    (x) => places.get(x.id),
  );
  return [
    ...accs.flatMap((a) => [...a.lanes.flatMap((l) => l.start), ...(a.tail?.start ?? [])]),
    ...rounds,
    ...totals.flatMap((x) => x.lets),
    ...storeValues(
      done.map((s) => ({ ...s, laneStride: 0 })),
      1,
      def.vars,
    ),
  ];
}

/** The lanes meet in registers of their own; what follows computes one lane. */
function total(
  r: Extract<ReduceExpr, { kind: 'reduce' }>,
  { lanes, tail }: Accumulators,
  vars: VarSource,
  width: 1 | 4,
): { readonly lets: readonly Stmt[]; readonly value: Expr } {
  const lets: Stmt[] = [];
  const bind = (value: Expr, lanes: 1 | 4): Expr => {
    const reg: Register = { name: 'total', type: r.type, id: vars.next() };
    lets.push({ kind: 'let', reg, value, lanes });
    return { kind: 'reg', type: r.type, reg };
  };
  const fn = combiner(r.monoid);
  const parts = pairwise(
    fn,
    lanes.map((l) => l.result),
  );
  const whole =
    width === 4 ? bind({ kind: 'horizontal', type: r.type, monoid: r.monoid, x: parts }, 4) : bind(parts, 1);
  return { lets, value: tail ? bind(binary(fn, whole, tail.result), 1) : whole };
}

/** ((0,1),(2,3)) */
function pairwise(fn: BinaryFunction, parts: readonly Expr[]): Expr {
  if (parts.length === 1) return parts[0]!;
  const pairs = Array.from({ length: Math.ceil(parts.length / 2) }, (_, k) =>
    2 * k + 1 < parts.length ? binary(fn, parts[2 * k]!, parts[2 * k + 1]!) : parts[2 * k]!,
  );
  return pairwise(fn, pairs);
}
