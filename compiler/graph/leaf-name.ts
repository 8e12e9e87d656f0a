// The name by which a run binds an input or a variable.

import type { Node } from './ir.ts';

/** The attribute `name` of an `input` or `variable` node, else the node's own name, else null. */
export function leafName(node: Node): string | null {
  const name = node.attrs['name'];
  return typeof name === 'string' ? name : node.name;
}
