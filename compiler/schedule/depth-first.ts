// Depth-first order: what nothing else waits for, the update of a weight, is done as soon as it can be, and what only it needs
// right before it. Programs come in the order in which values are asked for, mostly by variables: a first layer's weights ask
// for the whole backward pass, and all that the gradients of the other weights are made of is kept until their turn comes.
// Moving single steps does not mend that where a gradient takes several.
//
//   asked for    forward  backward 3 2 1  weights 1 2 3
//   depth first  forward  backward 3  weights 3  backward 2  weights 2  backward 1  weights 1

import type { Dependences } from './dependences.ts';

/** The steps in that order, which is valid: a start for searches. */
export function depthFirstOrder({ before, after }: Dependences): number[] {
  const depth = new Int32Array(before.length);
  before.forEach((list, s) => {
    for (const b of list) depth[s] = Math.max(depth[s]!, depth[b]! + 1);
  });
  const last = after.flatMap((list, s) => (list.length === 0 ? [s] : []));
  last.sort((a, b) => depth[a]! - depth[b]! || a - b);
  const order: number[] = [];
  const isOpen = new Uint8Array(before.length);
  const isDone = new Uint8Array(before.length);
  for (const root of last) {
    const stack = [root];
    for (let s = stack.pop(); s !== undefined; s = stack.pop()) {
      if (isDone[s] === 1) continue;
      if (isOpen[s] === 1) {
        isDone[s] = 1;
        order.push(s);
        continue;
      }
      isOpen[s] = 1;
      stack.push(s);
      // The deepest comes first: what needs little before it waits until it is needed.
      const missing = before[s]!.filter((b) => isDone[b] === 0);
      missing.sort((a, b) => depth[a]! - depth[b]! || b - a);
      stack.push(...missing);
    }
  }
  return order;
}
