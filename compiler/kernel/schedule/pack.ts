// Packing: an operand of a contraction is copied before it is multiplied, where the copy is read faster.
//
//   lanes    its elements do not lie side by side along the loop of the lanes (x · Wᵀ, the gradient to a convolution's
//            input)
//   panels   the elements that a tile needs, one round of the reduction after another, lie far apart: a large matrix
//            would cost a line of the cache, or a page, per round. A panel holds the columns (or rows) of one tile:
//            T[…, v div w, rounds…, v mod w], w being the width of the tile
//
// Nothing is copied unless each element of the copy is used often enough to pay for it.

import {
  addIndex,
  divIndex,
  type Index,
  type LoopVar,
  modIndex,
  offsetIndex,
  scaleIndex,
  varIndex,
} from '../affine.ts';
import { type KernelDefinition, VarSource, volume } from '../definition.ts';
import type { Target } from '../ir.ts';
import { replacer, substituter } from '../substitute.ts';
import { type Bound, loadTemporary, type NewTemporary, pruneParams, withParam } from './bound.ts';
import { type Choice, chooseLoops } from './choice.ts';
import {
  conditionsOf,
  type Load,
  motionOf,
  moves,
  operandsFor,
  type Product,
  productOf,
  reductionOrder,
} from './product.ts';

/** An operand is packed for the lanes when each of its elements is used at least this often. */
const laneReuse = 8;
/** The same for panels: without the copy it could be read, only slower. */
const panelReuse = 64;
/** Operands that fit the first-level cache beside the others are read from there as they are. */
const cachedElements = 4096;
/** Elements from one round to the next, from which on a tile is read faster from panels. */
const farRounds = 64;
/**
 * Of so few rounds the lines that the rows of a tile lie in stay in the first-level cache, where the next tile finds them: with
 * 128 rounds, 784 elements apart, the sums take as long packed and not, and packing takes 0.05 ms of 1.2. 256 elements apart they
 * take 0.28 ms instead of 0.25, and packing 0.02.
 */
const nearRounds = 256;

/** What the sum's loops and tile should be, if operands may be packed. Null: nothing is to be packed. */
export function choosePacking(def: KernelDefinition, target: Target): Choice | null {
  const product = productOf(def);
  if (!product || target.lanes === 1) return null;
  const reductions = product.reduction.vars;
  return chooseLoops(def, product, target, {
    canPack: (load, lane) =>
      !isGuarded(product, load) && canPack(def, load, reductions, laneReuse) && moves(load, lane),
    sumOnly: true,
  });
}

/** The definitions that copy, and the contraction that reads the copies. */
export function packOperands<Arg>(
  bound: Bound<Arg>,
  choice: Choice | null,
  temporary: NewTemporary<Arg>,
): { readonly copies: readonly Bound<Arg>[]; readonly main: Bound<Arg> } {
  const product = productOf(bound.def);
  if (!product || !choice) return { copies: [], main: bound };
  const reductions = product.reduction.vars;
  const order = reductionOrder(reductions, operandsFor(product, choice.v), conditionsOf(product)).filter(
    (r) => r.extent > 1,
  );
  const copies: Bound<Arg>[] = [];
  let main = bound;
  for (const side of ['x', 'y'] as const) {
    const layout = layoutFor(bound.def, product, product[side], choice, order);
    if (!layout) continue;
    // Packing renumbers parameters: the operand is that of the contraction as it is by now.
    const load = productOf(main.def)![side];
    const name = `${main.def.params[load.param]!.name} packed`;
    const arg = temporary(name, layout.elements);
    copies.push(...layout.parts.map((part) => copyOf(main, load, layout, part, name, arg)));
    main = readCopy(main, load, layout, name, arg);
  }
  return { copies, main };
}

/** How a copy lies: over the outer loops, the panels of one loop, the rounds, and the rest of that loop. */
interface Layout {
  /** Loops of the operand, outermost first; the last one is cut into panels of `width`. */
  readonly box: readonly LoopVar[];
  readonly width: number;
  /** Of the box, how many stand before the panels. */
  readonly outer: number;
  readonly elements: number;
  /** Panels to copy at once: those that are full, and the last when it is not. */
  readonly parts: readonly { readonly from: number; readonly panels: number; readonly columns: number }[];
}

function layoutFor(
  def: KernelDefinition,
  product: Product,
  load: Load,
  { v, m, form, tile, pack }: Choice,
  order: readonly LoopVar[],
): Layout | null {
  const isWrong = pack.includes(load);
  if (form === 'along') {
    const lane = order.at(-1)!;
    return isWrong ? makeLayout(def, load, order.slice(0, -1), lane, lane.extent) : null;
  }
  if (v && moves(load, v)) {
    const panels = isWrong || (m !== null && !moves(load, m) && isFar(def, product, load, order));
    return panels ? makeLayout(def, load, order, v, tile.columns) : null;
  }
  const rounds = volume(order.filter((r) => moves(load, r)));
  const far =
    m !== null &&
    moves(load, m) &&
    isFar(def, product, load, order) &&
    (rounds > nearRounds || !findRoom(load, order, rounds));
  return far ? makeLayout(def, load, order, m, tile.rows) : null;
}

/** Whether the first-level cache (64 sets of 8 lines) has room for a line of each round: distances of powers of two meet in few sets. */
function findRoom(load: Load, order: readonly LoopVar[], rounds: number): boolean {
  let [common, rest] = [4096, 4 * motionOf(load, order.at(-1)!).stride];
  while (rest !== 0) [common, rest] = [rest, common % rest];
  return rounds <= 8 * Math.min(64, 4096 / common);
}

/** Whether the rounds of a tile lie far apart in a large operand that is used often. */
function isFar(def: KernelDefinition, product: Product, load: Load, order: readonly LoopVar[]): boolean {
  const inner = order.at(-1);
  if (!inner || isGuarded(product, load) || motionOf(load, inner).stride < farRounds) return false;
  // A part of a value, as one of several that lie side by side, is as small as what is read of it.
  const size = sizeOf(def, load, order);
  const isCopy = size <= def.params[load.param]!.elements;
  return isCopy && size > cachedElements && canPack(def, load, product.reduction.vars, panelReuse);
}

/** What is not there cannot be copied. */
function isGuarded({ x, guards }: Product, load: Load): boolean {
  return (load === x ? guards.x : guards.y).length > 0;
}

/** Each element of the copy is used often enough, there are not many more of them, and their places are known. */
function canPack(def: KernelDefinition, load: Load, reductions: readonly LoopVar[], reuse: number): boolean {
  const size = sizeOf(def, load, reductions);
  return (
    size <= 2 * def.params[load.param]!.elements &&
    (volume(def.space) * volume(reductions)) / size >= reuse &&
    load.index.terms.every((t) => t.atom.kind === 'var')
  );
}

function sizeOf(def: KernelDefinition, load: Load, reductions: readonly LoopVar[]): number {
  return volume([...def.space, ...reductions].filter((x) => moves(load, x)));
}

function makeLayout(
  def: KernelDefinition,
  load: Load,
  order: readonly LoopVar[],
  lane: LoopVar,
  tile: number,
): Layout {
  const moving = (x: LoopVar): boolean => x.extent > 1 && x !== lane && moves(load, x);
  const outer = def.space.filter(moving);
  const box = [...outer, ...order.filter(moving), lane];
  const width = Math.min(tile, lane.extent);
  const full = Math.floor(lane.extent / width);
  const rest = lane.extent - full * width;
  return {
    box,
    width,
    outer: outer.length,
    elements: volume(box.slice(0, -1)) * Math.ceil(lane.extent / width) * width,
    parts: [
      { from: 0, panels: full, columns: width },
      ...(rest > 0 ? [{ from: full, panels: 1, columns: rest }] : []),
    ],
  };
}

/** Where an element lies in the copy; `at` gives the places along the box, `panel` and `column` along its last loop. */
function placeIn(
  { box, width, outer, elements }: Layout,
  at: readonly Index[],
  panel: Index,
  column: Index,
): Index {
  const loops = box.slice(0, -1);
  let stride = elements / volume(loops.slice(0, outer));
  const parts: Index[] = [];
  // Outer loops walk over whole sets of panels.
  let outside = stride;
  for (let i = outer - 1; i >= 0; i--) {
    parts.push(scaleIndex(at[i]!, outside));
    outside *= loops[i]!.extent;
  }
  stride = width;
  for (let i = loops.length - 1; i >= outer; i--) {
    parts.push(scaleIndex(at[i]!, stride));
    stride *= loops[i]!.extent;
  }
  return addIndex(...parts, scaleIndex(panel, stride), column);
}

/** Copies some panels: a definition of its own, with variables of its own. */
function copyOf<Arg>(
  { def, args }: Bound<Arg>,
  load: Load,
  layout: Layout,
  part: Layout['parts'][number],
  name: string,
  arg: Arg,
): Bound<Arg> {
  const vars = new VarSource();
  const loops = layout.box.slice(0, -1).map((x) => vars.make(x.name, x.extent));
  const lane = layout.box.at(-1)!;
  const panel = vars.make(`${lane.name}p`, part.panels);
  const column = vars.make(lane.name, part.columns);
  const at = loops.map(varIndex);
  const panelAt = offsetIndex(varIndex(panel), part.from);
  const laneAt = addIndex(scaleIndex(panelAt, layout.width), varIndex(column));
  const own = new Map<number, Index>([
    ...layout.box.slice(0, -1).map((x, i) => [x.id, at[i]!] as const),
    [lane.id, laneAt] as const,
  ]);
  const value = substituter((x) => own.get(x.id))(load) as Load;
  const index = placeIn(layout, at, panelAt, varIndex(column));
  return {
    def: {
      name: `${def.name} (pack)`,
      params: [
        { ...def.params[load.param]!, access: 'read' },
        { name, storage: 'f32', access: 'write', elements: layout.elements },
      ],
      flags: null,
      space: [...loops.slice(0, layout.outer), panel, ...loops.slice(layout.outer), column],
      stores: [{ param: 1, index, value: { ...value, param: 0 } }],
      vars,
    },
    args: [args[load.param]!, arg],
  };
}

function readCopy<Arg>(bound: Bound<Arg>, load: Load, layout: Layout, name: string, arg: Arg): Bound<Arg> {
  const param = bound.def.params.length;
  const lane = varIndex(layout.box.at(-1)!);
  const index = placeIn(
    layout,
    layout.box.slice(0, -1).map(varIndex),
    divIndex(lane, layout.width),
    modIndex(lane, layout.width),
  );
  const swap = replacer((e) => (e === load ? loadTemporary(param, index) : undefined));
  const { def, args } = withParam(
    bound,
    { name, storage: 'f32', access: 'read', elements: layout.elements },
    arg,
  );
  return pruneParams({
    def: { ...def, stores: def.stores.map((s) => ({ ...s, value: swap(s.value) })) },
    args,
  });
}
