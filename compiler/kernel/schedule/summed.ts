// Sums over what a contraction has just computed, added up while it is in registers: a loss over the last layer's outputs, the
// gradient of a bias below the gradient that it is the sum of. In: the definition of the contraction, and those of reductions
// along its columns that read what it stores in place. Out: the contraction with its columns cut into the rows of the reductions,
// and what each row adds up:
//
//   columns 0 … 4999          rows of 100 columns
//   └ tiles of 12             └ sums = 0; tiles of 12: what each computes goes to memory and to the sums; the sums are stored
//
// A lane adds up its columns in their order, whatever the tile, so a given tile (given-tile.ts) changes no bit.

import {
  addIndex,
  constIndex,
  type Index,
  isStaticIndex,
  type LoopVar,
  sameIndex,
  scaleIndex,
  varIndex,
} from '../affine.ts';
import { definitionBytes, definitionFlops, elementBytes, operationCount } from '../cost.ts';
import {
  type DefinitionStore,
  flatIndex,
  type KernelDefinition,
  type ReduceExpr,
  reductionsOf,
  volume,
} from '../definition.ts';
import { indicesOf, walkExprs } from '../expr.ts';
import type { Kernel, KernelParam, Target } from '../ir.ts';
import { replacer, substituter, substituteStores, unflatten } from '../substitute.ts';
import { analyzeContraction, type Contraction, type RowSums } from './analyze.ts';
import { coverer } from './choice.ts';
import { collapseSpace } from './collapse.ts';
import { scheduleTiles } from './contraction.ts';
import { conditionsOf, productOf } from './product.ts';
import { canVectorize, laneStrides } from './vector.ts';

/** A contraction, and reductions of what it stores; all with the same parameters. */
export interface Summed {
  readonly def: KernelDefinition;
  readonly sums: readonly KernelDefinition[];
}

/**
 * The same with one more definition of sums, whose parameter q is parameter shared[q] of the others; where that is null it comes
 * after theirs.
 */
export function addSums(
  { def, sums }: Summed,
  more: KernelDefinition,
  shared: readonly (number | null)[],
): Summed {
  const params: KernelParam[] = [...def.params];
  const place = more.params.map((p, q) => shared[q] ?? params.push(p) - 1);
  // Of a buffer that both touch, the one may touch more than the other.
  shared.forEach((p, q) => {
    if (p !== null)
      params[p] = { ...params[p]!, elements: Math.max(params[p]!.elements, more.params[q]!.elements) };
  });
  const renumber = replacer((e) => (e.kind === 'load' ? { ...e, param: place[e.param]! } : undefined));
  const stores = more.stores.map((s) => ({ ...s, param: place[s.param]!, value: renumber(s.value) }));
  const last = { ...more, stores };
  return { def: { ...def, params }, sums: [...sums, last].map((s) => ({ ...s, params })) };
}

/**
 * Operations that a sum may add to those of what is stored: a bias's gradient adds none, a squared error one or two. Much more
 * would need registers that the tile has not: with the two logarithms of a cross-entropy below its last layer the kernel took
 * 23.7 µs, apart they took 8.7 and 9.2.
 */
const mostOperations = 8;

type Reduce = Extract<ReduceExpr, { kind: 'reduce' }>;

/** The kernel of all of them; null when the sums do not run along the columns of the contraction's tiles. */
export function scheduleSummed({ def, sums }: Summed, target: Target): Kernel | null {
  const lengths = sums.map(rowLength);
  const length = lengths.every((n) => n === lengths[0]) ? lengths[0]! : null;
  if (![def, ...sums].every(isPlain) || sums.some((s) => readsSumsOf(s, sums))) return null;
  const shape = productOf(def) && length !== null ? analyzeContraction(def, target) : null;
  if (shape === null || length === null || !hasRows(shape, length)) return null;
  const { v, m, form, lanes, tile } = shape;
  const row = def.vars.make(v!.name, v!.extent / length);
  const within = def.vars.make(v!.name, length);
  const at = addIndex(scaleIndex(varIndex(row), length), varIndex(within));
  const outer = [...shape.def.space.filter((s) => s !== v), row];
  const cut: KernelDefinition = {
    ...shape.def,
    space: [...outer, within],
    stores: substituteStores(shape.def.stores, (x) => (x.id === v!.id ? at : undefined)),
  };
  const product = productOf(cut);
  const rows = sums.map((s) => placeSums(s, cut, outer, within));
  if (product === null || rows.some((r) => r === null)) return null;
  const below = rows as RowSums[];
  const stored = cut.stores.map((s) => s.value);
  const bodies = below.flatMap((b) => b.sums.map((x) => x.body));
  if (operationCount([...stored, ...bodies]) - operationCount(stored) > mostOperations) return null;
  const parts = { v: within, m, form, lanes, tile };
  const made = scheduleTiles(
    {
      ...shape,
      ...parts,
      def: cut,
      product,
      vars: product.reduction.vars,
      cover: coverer(cut, product, parts, target, 'rows'),
      sums: below,
    },
    target,
  );
  const own = below.reduce((n, b) => n + b.sums.length, 0);
  const flops = sums.reduce((n, s) => n + definitionFlops(s), definitionFlops(def));
  // What the sums read of the contraction's they have in registers.
  const bytes = sums.reduce((n, s) => n + definitionBytes(s) - bytesRead(s, def), definitionBytes(def));
  return {
    ...made,
    schedule: `${made.schedule}, ${own} sum${own === 1 ? '' : 's'} along ${within.name}`,
    cost: { flops, bytes },
  };
}

/** Whether sums are made of what other sums are: of a mean, which is known when its row is done. */
function readsSumsOf({ stores }: KernelDefinition, all: readonly KernelDefinition[]): boolean {
  const written = new Set(all.flatMap((s) => s.stores.map(({ param }) => param)));
  return readsOf(stores, written);
}

/** Whether what is stored is made of one of these parameters. */
function readsOf(stores: readonly DefinitionStore[], params: ReadonlySet<number>): boolean {
  return walkExprs(stores.map((s) => s.value)).some((e) => e.kind === 'load' && params.has(e.param));
}

/** Bytes that the sums would read of what the contraction stores. */
function bytesRead(sums: KernelDefinition, def: KernelDefinition): number {
  const written = new Set(def.stores.map((s) => s.param));
  const read = new Set<number>();
  for (const e of walkExprs(sums.stores.map((s) => s.value)))
    if (e.kind === 'load' && written.has(e.param)) read.add(e.param);
  return [...read].reduce((n, p) => n + def.params[p]!.elements * elementBytes(def.params[p]!.storage), 0);
}

/** How many elements each of a definition's reductions adds up along one loop; null when they are of another form. */
export function rowLength(def: KernelDefinition): number | null {
  const reductions = reductionsOf(def.stores);
  const lengths = reductions.map((r) => {
    const vars = r.vars.filter((x) => x.extent !== 1);
    return r.kind === 'reduce' && r.type === 'f32' && vars.length === 1 ? vars[0]!.extent : null;
  });
  return lengths.length > 0 && lengths.every((n) => n === lengths[0]) ? lengths[0]! : null;
}

/** Whether nothing asks, or is found, only when it runs. */
function isPlain({ flags, stores }: KernelDefinition): boolean {
  const indices = [
    ...stores.map((s) => s.index),
    ...walkExprs(stores.map((s) => s.value)).flatMap(indicesOf),
  ];
  return flags === null && indices.every(isStaticIndex);
}

/** Whether lanes run along columns that can be cut into rows of whole vectors. */
function hasRows({ def, v, form, lanes, product }: Contraction, length: number): boolean {
  return (
    v !== null &&
    form === 'across' &&
    lanes === 4 &&
    length % 4 === 0 &&
    v.extent % length === 0 &&
    def.space.at(-1) === v &&
    conditionsOf(product).length === 0
  );
}

/** The reductions in the loops of the contraction; null when they read what it stores elsewhere than in place. */
function placeSums(
  sums: KernelDefinition,
  cut: KernelDefinition,
  outer: readonly LoopVar[],
  within: LoopVar,
): RowSums | null {
  const def = collapseSpace(sums);
  if (volume(def.space) !== volume(outer)) return null;
  const places = unflatten(
    flatIndex(outer),
    def.space.map((s) => s.extent),
  );
  const reductions = reductionsOf(def.stores) as readonly Reduce[];
  const reduced = new Set(reductions.flatMap((r) => r.vars.map((x) => x.id)));
  const inRows = (x: LoopVar): Index | undefined => {
    if (reduced.has(x.id)) return x.extent === 1 ? constIndex(0) : varIndex(within);
    return places[def.space.findIndex((s) => s.id === x.id)];
  };
  const place = substituter(inRows);
  const written = new Set(cut.stores.map((s) => s.param));
  let isInPlace = true;
  const compute = replacer((e) => {
    if (e.kind !== 'load' || !written.has(e.param)) return undefined;
    const store = cut.stores.find((s) => s.param === e.param && sameIndex(s.index, e.index));
    isInPlace &&= store !== undefined && cut.params[e.param]!.storage === e.type;
    return store?.value;
  });
  const made = reductions.map((r): RowSums['sums'][number] => ({
    monoid: r.monoid,
    body: compute(place(r.body)),
    total: { name: 'total', type: r.type, id: cut.vars.next() },
  }));
  const known = replacer((e) => {
    const sum = made[reductions.indexOf(e as Reduce)];
    return sum && { kind: 'reg', type: sum.total.type, reg: sum.total };
  });
  const stores = substituteStores(
    def.stores.map((s) => ({ ...s, value: known(s.value) })),
    inRows,
  );
  const bodies = made.map((s) => s.body);
  const isAlong =
    canVectorize(bodies, within) && laneStrides(bodies, within).every((d) => d === 0 || d === 1);
  return isInPlace && isAlong && !readsOf(stores, written) ? { sums: made, stores } : null;
}
