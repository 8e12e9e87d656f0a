// defineOp: one record per op, and the registry of ours. A missing field does not type-check. Adding an op touches the
// file of its family (compiler/ops/NAME.ts) and no other; registry.ts lists the families.

import type { Attrs, OpDef } from '../graph/ir.ts';

/**
 * Checks a record by its type and returns it, frozen. Users' own ops are made by the same call.
 *
 * @example const logAddExp = defineOp({ name: 'logAddExp', family: 'binary', … })
 */
export function defineOp<A extends Attrs>(def: OpDef<A>): OpDef {
  return Object.freeze(def) as unknown as OpDef;
}
