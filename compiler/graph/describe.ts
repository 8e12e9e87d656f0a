// How a node is called in errors: its name if the user gave one, else its op and scope, always with its type.

import type { Node } from './ir.ts';
import { formatType } from './types.ts';

/** `'logits' (matmul f32[64, 10])`, or `relu f32[64, 10] in block1` */
export function describeNode(node: Node): string {
  const type = formatType(node.type);
  if (node.name !== null) return `'${node.name}' (${node.op.name} ${type})`;
  return `${node.op.name} ${type}${node.scope ? ` in ${node.scope}` : ''}`;
}
