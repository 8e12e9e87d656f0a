// Order and cycle search, on records and on nodes.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { orderRecords, topologicalOrder } from '../../compiler/graph/order.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { seededRandom } from '../support/random.ts';
import { add, chain, errorOf, mul, tag } from '../support/tiny-ops.ts';

t.test('operands come first, otherwise the order is that of writing', async (t) => {
  const x = input('x', [1]);
  const b = tag(x);
  const c = mul(x, x);
  const d = add(c, b);
  t.strictSame(topologicalOrder([d]), [x, c, b, d]);
  t.strictSame(topologicalOrder([b, d]), [x, b, c, d]);
});

t.test('random records come out in a valid order, and random back edges are found', async (t) => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed);
    const n = random.int(1, 30);
    // Acyclic by construction: record i reads records of higher rank only.
    const rank = Array.from({ length: n }, (_, i) => i).sort(() => random.uniform(-1, 1));
    const operands = Array.from({ length: n }, () => [] as number[]);
    for (let i = 1; i < n; i++) {
      for (let k = random.int(0, 3); k > 0; k--) operands[rank[i]!]!.push(rank[random.int(0, i - 1)]!);
    }
    const result = orderRecords(operands);
    if (!('order' in result)) return void t.fail(`seed ${seed}: a cycle where there is none`);
    const at = new Map([...result.order].map((r, i) => [r, i]));
    const valid = at.size === n && operands.every((list, r) => list.every((o) => at.get(o)! < at.get(r)!));
    if (!valid) return void t.fail(`seed ${seed}: order`, { operands, order: [...result.order] });

    const reader = random.int(0, n - 1);
    const chosen = operands[reader]!;
    const back = chosen.length === 0 ? reader : random.pick(chosen);
    operands[back]!.push(reader);
    const cyclic = orderRecords(operands);
    if (!('cycle' in cyclic)) return void t.fail(`seed ${seed}: the cycle is missed`, { operands });
    const { cycle } = cyclic;
    const closed = cycle.every((r, i) => operands[r]!.includes(cycle[(i + 1) % cycle.length]!));
    if (!closed || new Set(cycle).size !== cycle.length)
      return void t.fail(`seed ${seed}: path`, { operands, cycle });
  }
  return void t.pass('300 seeds');
});

t.test('a cycle of nodes is an error with its path', async (t) => {
  const x = input('x', [1]);
  const b = tag(x) as { -readonly [K in keyof Node]: Node[K] } & Node;
  const loop: Node[] = [x];
  const first: Node = { ...b, operands: loop, name: 'first' };
  const second: Node = { ...b, operands: [first], name: 'second' };
  loop[0] = second;
  t.match(
    errorOf(() => makeGraph('g', { outputs: [{ name: 'y', node: second }] })),
    /^HDL0007: the graph has a cycle: 'first' \(tiny_tag f32\[1\]\) → 'second' \(tiny_tag f32\[1\]\) → 'first'/,
  );
});

t.test('a long chain and a long ring overflow nothing', async (t) => {
  const n = 20_000;
  t.equal(chain(n).nodes.length, n);
  const ring = orderRecords(Array.from({ length: n }, (_, i) => [(i + 1) % n]));
  t.equal('cycle' in ring && ring.cycle.length, n);
});
