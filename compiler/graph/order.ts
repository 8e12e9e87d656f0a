// Topological order and cycle search, iterative over dense arrays: graph size is bounded by memory, never by the stack.

import { describeNode } from './describe.ts';
import { compilerError } from './errors.ts';
import type { Node } from './ir.ts';

/**
 * Nodes reachable from `roots` in a depth-first post-order: operands before users, and otherwise in the order in which
 * roots and operands are written. Throws HDL0007 when the operands form a cycle, naming the path.
 */
export function topologicalOrder(roots: readonly Node[]): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  // Two parallel stacks instead of recursion: the node, and the next operand of it to look at.
  const stack: Node[] = [];
  const next: number[] = [];
  for (const root of roots) {
    if (state.has(root)) continue;
    stack.push(root);
    next.push(0);
    state.set(root, 'open');
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top]!;
      const at = next[top]!;
      if (at === node.operands.length) {
        state.set(node, 'done');
        order.push(node);
        stack.pop();
        next.pop();
        continue;
      }
      next[top] = at + 1;
      const operand = node.operands[at]!;
      const seen = state.get(operand);
      if (seen === 'done') continue;
      if (seen === 'open') throw cycleError(stack.slice(stack.indexOf(operand)).reverse());
      stack.push(operand);
      next.push(0);
      state.set(operand, 'open');
    }
  }
  return order;
}

/**
 * The same question for records that are not nodes yet (a parsed text, a loaded file): `operands[i]` lists the indices
 * that record i reads. Returns an order, or the indices of one cycle, each reading the next and the last the first.
 */
export function orderRecords(
  operands: readonly (readonly number[])[],
): { readonly order: Int32Array } | { readonly cycle: number[] } {
  const n = operands.length;
  const order = new Int32Array(n);
  const state = new Uint8Array(n); // 0 new, 1 open, 2 done
  const stack = new Int32Array(n);
  const next = new Int32Array(n);
  let filled = 0;
  for (let root = 0; root < n; root++) {
    if (state[root] !== 0) continue;
    let depth = 0;
    stack[0] = root;
    next[0] = 0;
    state[root] = 1;
    while (depth >= 0) {
      const node = stack[depth]!;
      const list = operands[node]!;
      if (next[depth] === list.length) {
        state[node] = 2;
        order[filled++] = node;
        depth--;
        continue;
      }
      const operand = list[next[depth]!++]!;
      if (state[operand] === 2) continue;
      if (state[operand] === 1) {
        const start = stack.indexOf(operand);
        return { cycle: Array.from(stack.subarray(start, depth + 1)) };
      }
      depth++;
      stack[depth] = operand;
      next[depth] = 0;
      state[operand] = 1;
    }
  }
  return { order };
}

function cycleError(path: readonly Node[]): Error {
  const names = [...path, path[0]!].map((n) => describeNode(n));
  const shown =
    names.length > 12 ? [...names.slice(0, 6), `… ${names.length - 12} more …`, ...names.slice(-6)] : names;
  return compilerError('HDL0007', {
    what: `the graph has a cycle: ${shown.join(' → ')}`,
    rule: 'a value cannot depend on itself',
    hint: 'to carry a value from one step to the next, use a variable and assign it',
    loc: path[0]!.loc,
  });
}
