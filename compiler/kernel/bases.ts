// Bases: where in a buffer a kernel starts to read or write becomes a part of the address that it is called with. Steps of
// a recurrence that read row t of one buffer, and layers that write their part of a concatenation, then have one
// definition, and so one kernel.
//
// In: a definition over whole buffers. Out: the same definition over the elements from `base` on that it may touch, for
// each parameter. A base is never behind the first element that is touched.

import { type Index, indexRange, offsetIndex, rewriteValues, valuesIn } from './affine.ts';
import type { KernelDefinition } from './definition.ts';
import { walkExprs } from './expr.ts';
import { rewriter } from './substitute.ts';

export interface Rebased {
  readonly def: KernelDefinition;
  /** Elements from the start of each parameter's buffer to where the definition starts to count. */
  readonly bases: readonly number[];
}

/** Moves what is constant in the addresses of parameters out of the definition, where `mayMove` allows it. */
export function moveBases(def: KernelDefinition, mayMove: (param: number) => boolean): Rebased {
  const from = def.params.map(() => Number.POSITIVE_INFINITY);
  const to = def.params.map(() => 0);
  const note = (param: number, index: Index): void => {
    const { min, max } = indexRange(index);
    from[param] = Math.min(from[param]!, min);
    to[param] = Math.max(to[param]!, max + 1);
  };
  // Values known at run time may stand in indices, those of stores too.
  const roots = def.stores.flatMap((s) => [s.value, ...valuesIn(s.index)]);
  for (const s of def.stores) note(s.param, s.index);
  for (const e of walkExprs(roots)) if (e.kind === 'load') note(e.param, e.index);

  // Guarded addresses may reach outside of the buffer: there the buffer's ends count.
  const bases = def.params.map((p, i) =>
    mayMove(i) && from[i]! > 0 && from[i]! < p.elements ? from[i]! : 0,
  );
  const params = def.params.map((p, i) => {
    if (!mayMove(i) || from[i] === Number.POSITIVE_INFINITY) return p;
    const elements = Math.min(p.elements, to[i]!) - bases[i]!;
    return elements === p.elements ? p : { ...p, elements };
  });
  if (params.every((p, i) => p === def.params[i])) return { def, bases };
  if (bases.every((b) => b === 0)) return { def: { ...def, params }, bases };
  const move = rewriter((e) =>
    e.kind === 'load' && bases[e.param]! > 0 ? { ...e, index: offsetIndex(e.index, -bases[e.param]!) } : e,
  );
  const stores = def.stores.map((s) => ({
    param: s.param,
    index: offsetIndex(rewriteValues(s.index, move), -bases[s.param]!),
    value: move(s.value),
  }));
  return { def: { ...def, params, stores }, bases };
}
