// Packing: an operand of a contraction whose elements do not lie side by side along the loop of the lanes is first copied
// so that they do (x · Wᵀ, the gradient to a convolution's input).

import { type LoopVar, varIndex } from '../affine.ts';
import { flatIndex, type KernelDefinition, VarSource, volume } from '../definition.ts';
import type { Target } from '../ir.ts';
import { coefficientOf, replacer, substituter } from '../substitute.ts';
import { type Bound, loadTemporary, type NewTemporary, pruneParams, withParam } from './bound.ts';
import { columnLoop, type Load, operandsFor, productOf, reductionOrder } from './product.ts';

/** An operand is packed when each of its elements is used at least this often. */
const packReuse = 8;

/** The definitions that copy, and the contraction that reads the copies. Nothing is copied unless all lanes gain by it. */
export function packOperands<Arg>(
  bound: Bound<Arg>,
  target: Target,
  temporary: NewTemporary<Arg>,
): { readonly copies: readonly Bound<Arg>[]; readonly main: Bound<Arg> } {
  const { def } = bound;
  const product = productOf(def)!;
  const v = columnLoop(def, product);
  if (!v || target.lanes === 1) return { copies: [], main: bound };
  const order = reductionOrder(product.reduction.vars, operandsFor(product, v));
  // Few columns: lanes run along the innermost reduction loop instead, and operands are packed for that.
  const lane = v.extent >= 4 ? v : order.findLast((r) => r.extent > 1);
  if (!lane) return { copies: [], main: bound };
  const all = [...def.space, ...order];
  const isFine = (load: Load): boolean => [0, 1].includes(coefficientOf(load.index, lane));
  if (
    ![product.x, product.y].every((load) => isFine(load) || canPack(load, boxOf(load, all, lane), all, def))
  )
    return { copies: [], main: bound };
  const copies: Bound<Arg>[] = [];
  let main = bound;
  for (const side of ['x', 'y'] as const) {
    // Packing renumbers parameters: the operand is that of the contraction as it is by now.
    const load = productOf(main.def)![side];
    if (isFine(load)) continue;
    const box = boxOf(load, all, lane);
    const name = `${main.def.params[load.param]!.name} packed`;
    const arg = temporary(name, volume(box));
    copies.push(copyOf(main, load, box, name, arg));
    main = readCopy(main, load, box, name, arg);
  }
  return { copies, main };
}

/** The loops with which an operand moves, that of the lanes innermost. */
function boxOf(load: Load, all: readonly LoopVar[], lane: LoopVar): LoopVar[] {
  return [...all.filter((x) => x.extent > 1 && x !== lane && coefficientOf(load.index, x) !== 0), lane];
}

/** Each element of the copy is used often enough, there are not many more of them, and their places are known. */
function canPack(
  load: Load,
  box: readonly LoopVar[],
  all: readonly LoopVar[],
  def: KernelDefinition,
): boolean {
  return (
    volume(box) <= 2 * def.params[load.param]!.elements &&
    volume(all) / volume(box) >= packReuse &&
    load.index.terms.every((t) => t.atom.kind === 'var')
  );
}

/** T[box] = param[load.index]: a definition of its own, with variables of its own. */
function copyOf<Arg>(
  { def, args }: Bound<Arg>,
  load: Load,
  box: readonly LoopVar[],
  name: string,
  arg: Arg,
): Bound<Arg> {
  const vars = new VarSource();
  const space = box.map((x) => vars.make(x.name, x.extent));
  const own = new Map(box.map((x, i) => [x.id, varIndex(space[i]!)]));
  const value = substituter((x) => own.get(x.id))(load) as Load;
  return {
    def: {
      name: `${def.name} (pack)`,
      params: [
        { ...def.params[load.param]!, access: 'read' },
        { name, storage: 'f32', access: 'write', elements: volume(box) },
      ],
      flags: null,
      space,
      stores: [{ param: 1, index: flatIndex(space), value: { ...value, param: 0 } }],
      vars,
    },
    args: [args[load.param]!, arg],
  };
}

function readCopy<Arg>(
  bound: Bound<Arg>,
  load: Load,
  box: readonly LoopVar[],
  name: string,
  arg: Arg,
): Bound<Arg> {
  const param = bound.def.params.length;
  const swap = replacer((e) => (e === load ? loadTemporary(param, flatIndex(box)) : undefined));
  const { def, args } = withParam(
    bound,
    { name, storage: 'f32', access: 'read', elements: volume(box) },
    arg,
  );
  return pruneParams({
    def: { ...def, stores: def.stores.map((s) => ({ ...s, value: swap(s.value) })) },
    args,
  });
}
