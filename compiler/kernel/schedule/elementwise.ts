// Schedule of kernels without reductions: a nest of loops over the space, the innermost in vectors, cut into units over
// the outer loops. Guards (padding, concatenation) become separate loops over the ranges on which they are decided, so
// that inner loops do not test borders.

import {
  addIndex,
  constIndex,
  type Index,
  type LoopVar,
  offsetIndex,
  scaleIndex,
  substituteIndex,
  varIndex,
} from '../affine.ts';
import { definitionBytes, definitionFlops, operationCount } from '../cost.ts';
import { type DefinitionStore, type KernelDefinition, type VarSource, volume } from '../definition.ts';
import { type Condition, indicesOf, walkExprs } from '../expr.ts';
import type { Kernel, Lanes, Stmt, Target } from '../ir.ts';
import { lazyKernel } from '../lazy-body.ts';
import { coefficientOf, substituter, substituteStores } from '../substitute.ts';
import { collapseSpace } from './collapse.ts';
import {
  forLoop,
  inTurn,
  longChain,
  type PlacedStore,
  storeUnified,
  storeValues,
  unifiedStores,
  unlessLast,
  vectorsInTurn,
} from './statements.ts';
import { cutUnits, describeUnits, splitForUnits, unitPrefix, wantedUnits } from './units.ts';
import { canVectorize, lanesFurther, vectorizer, vectorsOf } from './vector.ts';

/** Blocks of a long loop are multiples of this many elements: a cache line of the smallest element type. */
const blockMultiple = 64;

/** Rounds of so many vectors below which a second loop is not worth its code. */
const fewestRounds = 4;

/** From this length on, what is left of a row after whole vectors is not worth half a vector's code. */
const longRow = 64;

/** Gaps larger than this stay guards in the loop: each residue has code of its own. */
const mostResidues = 4;
/** Stores of one round, at most: their values wait in registers for each other. */
const mostStores = 8;

export function scheduleElementwise(definition: KernelDefinition, target: Target): Kernel {
  const whole = collapseSpace(definition);
  const work = volume(whole.space) * (operationCount(whole.stores.map((s) => s.value)) + whole.params.length);
  const def = splitForUnits(whole, work, target.unitWork);
  const inner = def.space.at(-1);
  const outer = def.space.slice(0, -1);
  const prefix = unitPrefix(outer, work, target.unitWork, def.units);
  const within = outer.slice(prefix);
  const enough = Math.max(1, Math.min(wantedUnits, Math.floor(work / target.unitWork)));
  const prefixUnits = volume(outer.slice(0, prefix));
  const wanted = def.units === undefined && prefix === outer.length ? Math.ceil(enough / prefixUnits) : 1;
  const length = inner?.extent ?? 1;
  const block = roundUp(Math.ceil(length / wanted), blockMultiple);
  const blocks = Math.max(1, Math.ceil(length / block));
  const cut = cutUnits(
    def.vars,
    outer.slice(0, prefix).map((o) => o.extent),
    blocks,
  );
  const places = new Map(outer.slice(0, prefix).map((o, k) => [o.id, cut.coordinates[k]!]));
  const nest = (size: number, from: Index): Stmt[] => {
    const at = new Map(places);
    const inside = (): DefinitionStore[] => substituteStores(def.stores, (v) => at.get(v.id));
    if (!inner) return points(inside(), def.vars);
    const loopOver = (v: LoopVar, extent: number): LoopVar => {
      const piece = def.vars.make(v.name, extent);
      at.set(v.id, v === inner ? addIndex(from, varIndex(piece)) : varIndex(piece));
      return piece;
    };
    if (!isPlain(def.stores)) {
      const piece = loopOver(inner, size);
      return elementLoops([...within, piece], inside(), target.lanes, def.vars);
    }
    // Nothing asks where in its loops it is: all of them are put in place at once.
    const around = within.map((v) => loopOver(v, v.extent));
    const piece = loopOver(inner, size);
    const body = innermost(piece, inside(), target.lanes, def.vars);
    return around.reduceRight((list, v) => forLoop(v, 1, v.extent, list), body);
  };
  const write = (): Stmt[] => {
    const last = length - (blocks - 1) * block;
    if (blocks === 1) return nest(length, constIndex(0));
    const full = nest(block, scaleIndex(cut.block, block));
    if (last === block) return full;
    return [unlessLast(cut.block, blocks, full, nest(last, constIndex((blocks - 1) * block)))];
  };
  const rest = {
    name: def.name,
    params: def.params,
    flags: def.flags,
    unit: cut.unit,
    schedule: `elementwise over ${whole.space.map((v) => `${v.name}:${v.extent}`).join(' × ') || 'one point'}, ${target.lanes} lane${target.lanes > 1 ? 's' : ''}${blocks > 1 ? `, blocks of ${block}` : ''}, ${describeUnits(cut)}`,
    cost: { flops: definitionFlops(def), bytes: definitionBytes(def) },
  };
  return lazyKernel(rest, write);
}

function roundUp(n: number, to: number): number {
  return Math.ceil(n / to) * to;
}

/** Whether no guard asks, and no index divides: then each loop is a single loop. */
function isPlain(stores: readonly DefinitionStore[]): boolean {
  const divides = ({ terms }: Index): boolean =>
    terms.some(({ atom }) => atom.kind === 'div' || atom.kind === 'mod');
  return (
    !stores.some((s) => divides(s.index)) &&
    !walkExprs(stores.map((s) => s.value)).some((e) => e.kind === 'guard' || indicesOf(e).some(divides))
  );
}

/** Loops over `vars` (outermost first), each split where a guard changes its mind. */
export function elementLoops(
  vars: readonly LoopVar[],
  stores: readonly DefinitionStore[],
  lanes: 1 | 4,
  source: VarSource,
): Stmt[] {
  const [v, ...rest] = vars;
  if (!v) return points(stores, source);
  const step = residueStep(stores, v);
  if (step > 1 && v.extent >= 2 * step) {
    // Elements with gaps between them: one loop for each residue, in which the guard is decided.
    return Array.from({ length: step }, (_, residue) => {
      const piece = source.make(v.name, Math.ceil((v.extent - residue) / step));
      const at = offsetIndex(scaleIndex(varIndex(piece), step), residue);
      const inside = substituteStores(stores, (x) => (x.id === v.id ? at : undefined));
      return elementLoops([piece, ...rest], inside, lanes, source);
    }).flat();
  }
  const by = rest.length === 0 ? 1 : divisorOf(stores, v);
  if (by > 1 && v.extent % by === 0 && by * stores.length <= mostStores) {
    // Neighbours that read the same elements (windows, repetition): one round writes all of them, and reads once.
    const piece = source.make(v.name, v.extent / by);
    const within = source.make(v.name, by);
    const at = addIndex(scaleIndex(varIndex(piece), by), varIndex(within));
    const split = substituteStores(stores, (x) => (x.id === v.id ? at : undefined));
    const inside = Array.from({ length: by }, (_, r) =>
      substituteStores(split, (x) => (x.id === within.id ? constIndex(r) : undefined)),
    ).flat();
    return forLoop(piece, 1, piece.extent, elementLoops(rest, inside, lanes, source));
  }
  const cuts = breakpoints(stores, v);
  const out: Stmt[] = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const from = cuts[i]!;
    const size = cuts[i + 1]! - from;
    const piece = source.make(v.name, size);
    const at = offsetIndex(varIndex(piece), from);
    const inside = substituteStores(stores, (x) => (x.id === v.id ? at : undefined));
    if (rest.length === 0) out.push(...innermost(piece, inside, lanes, source));
    else out.push(...forLoop(piece, 1, size, elementLoops(rest, inside, lanes, source)));
  }
  return out;
}

function innermost(v: LoopVar, stores: readonly DefinitionStore[], lanes: 1 | 4, source: VarSource): Stmt[] {
  const vector =
    lanes === 4 &&
    v.extent >= 4 &&
    stores.every((s) => !Number.isNaN(coefficientOf(s.index, v))) &&
    canVectorize(
      stores.map((s) => s.value),
      v,
    );
  const main = vector ? v.extent - (v.extent % 4) : 0;
  const turn = 4 * vectorsInTurn;
  const isLong = main >= fewestRounds * turn && operationCount(stores.map((s) => s.value)) >= longChain;
  const together = isLong ? main - (main % turn) : 0;
  const out: Stmt[] = [];
  if (together > 0) {
    const w = source.make(v.name, together);
    const placed = unifiedStores(placeAll(stores, v, varIndex(w), 4));
    const parts = Array.from({ length: vectorsInTurn }, (_, k) =>
      storeUnified(lanesFurther(placed, 4 * k), 4, source),
    );
    out.push({ kind: 'for', v: w, step: turn, limit: constIndex(together), body: inTurn(parts) });
  }
  if (together < main) {
    const w = source.make(v.name, main - together);
    const body = storeAll(stores, v, offsetIndex(varIndex(w), together), 4, source);
    out.push(...forLoop(w, 4, w.extent, body));
  }
  if (vector && v.extent < longRow) {
    for (const { from, lanes } of vectorsOf(v.extent - main))
      out.push(...storeAll(stores, v, constIndex(main + from), lanes, source));
  } else if (main < v.extent) {
    const w = source.make(v.name, v.extent - main);
    out.push(...forLoop(w, 1, w.extent, storeAll(stores, v, offsetIndex(varIndex(w), main), 1, source)));
  }
  return out;
}

/** The stores of one step of the innermost loop. */
function storeAll(
  stores: readonly DefinitionStore[],
  v: LoopVar,
  at: Index,
  lanes: Lanes,
  source: VarSource,
): Stmt[] {
  return storeValues(placeAll(stores, v, at, lanes), lanes, source);
}

/** The stores from `at` on along `v`. */
function placeAll(stores: readonly DefinitionStore[], v: LoopVar, at: Index, lanes: Lanes): PlacedStore[] {
  const place = (x: LoopVar): Index | undefined => (x.id === v.id ? at : undefined);
  const single = substituter(place);
  const value = lanes > 1 ? vectorizer(v, at) : single;
  return stores.map((s) => ({
    param: s.param,
    index: substituteIndex(s.index, place, single),
    value: value(s.value),
    laneStride: lanes > 1 ? coefficientOf(s.index, v) : 0,
  }));
}

function points(stores: readonly DefinitionStore[], source: VarSource): Stmt[] {
  return storeValues(
    stores.map((s) => ({ ...s, laneStride: 0 })),
    1,
    source,
  );
}

/** The divisor of guards that ask whether `v` (and nothing else) leaves no remainder; 1 when there are none. */
function residueStep(stores: readonly DefinitionStore[], v: LoopVar): number {
  let step = 1;
  for (const e of walkExprs(stores.map((s) => s.value))) {
    if (e.kind !== 'guard') continue;
    for (const c of e.conditions) {
      if (c.kind !== 'divisible' || c.index.terms.length !== 1) continue;
      const coeff = coefficientOf(c.index, v);
      if (!Number.isNaN(coeff) && coeff % c.by !== 0 && c.by <= mostResidues) step = Math.max(step, c.by);
    }
  }
  return step;
}

/** By how much indices divide `v`, alone and all by the same; 1 when they do not. */
function divisorOf(stores: readonly DefinitionStore[], v: LoopVar): number {
  const found = new Set<number>();
  const visit = (index: Index): void => {
    for (const { atom } of index.terms) {
      if (atom.kind !== 'div' && atom.kind !== 'mod') continue;
      const only = atom.x.terms.length === 1 ? atom.x.terms[0]! : null;
      if (only?.atom === v && only.coeff === 1) found.add(atom.by);
      else visit(atom.x);
    }
  };
  for (const s of stores) visit(s.index);
  for (const e of walkExprs(stores.map((s) => s.value))) for (const i of indicesOf(e)) visit(i);
  return found.size === 1 ? [...found][0]! : 1;
}

/** Where along `v` a guard that depends on `v` alone becomes true or false; always holds 0 and the extent. */
function breakpoints(stores: readonly DefinitionStore[], v: LoopVar): number[] {
  const cuts = new Set([0, v.extent]);
  const add = (x: number): void => {
    if (x > 0 && x < v.extent) cuts.add(x);
  };
  const consider = (c: Condition): void => {
    if (c.kind !== 'inRange' || c.index.terms.length !== 1) return;
    const coeff = coefficientOf(c.index, v);
    if (Number.isNaN(coeff) || coeff === 0) return;
    for (const bound of [c.lo, c.hi]) {
      // First v at which coeff·v + constant ≥ bound (or, falling, < bound).
      const x = (bound - c.index.constant) / coeff;
      add(coeff > 0 ? Math.ceil(x) : Math.floor(x) + 1);
    }
  };
  for (const e of walkExprs(stores.map((s) => s.value)))
    if (e.kind === 'guard') e.conditions.forEach(consider);
  return [...cuts].sort((a, b) => a - b);
}
