// What passes make of loops that stay loops, seen in their bodies: how many there are, what they carry, read, give and compute.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { type Loop, loopsOf } from '../../compiler/graph/loop.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  add,
  checkpoint,
  exp,
  input,
  lstm,
  matmul,
  mul,
  scan,
  sin,
  sum,
  tanh,
  transpose,
  zeros,
} from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';

type Floats = Node<Shape, 'f32'>;
const f = (x: unknown): Floats => x as Floats;

function optimized(inputs: readonly Node[], outputs: readonly Node[]): { graph: Graph; loops: Loop[] } {
  const source = makeGraph('g', { inputs, outputs: outputs.map((node, i) => ({ name: `y${i}`, node })) });
  const graph = runPasses(source, standardPasses(), { verify: true, now: () => 0 });
  return { graph, loops: loopsOf(graph) };
}

const count = (loop: Loop, op: string): number => loop.body.nodes.filter((n) => n.op.name === op).length;

const cell = (steps: number, build: (h: Floats, x: Floats, w: Floats) => Node, unroll?: false) => {
  const [xs, w] = [input('xs', [steps, 4, 8]), input('w', [8, 8])];
  const { carry, outputs } = scan(
    ([h], [x]) => {
      const next = build(f(h), f(x), f(w));
      return { carry: [next], outputs: [next] };
    },
    [zeros([4, 8]) as Node],
    [xs],
    unroll === undefined ? {} : { unroll },
  );
  return { xs, w, last: f(carry[0]), all: f(outputs[0]) };
};

const step = (h: Floats, x: Floats, w: Floats): Node => tanh(f(add(f(matmul(h, w)), x)));

t.test('short loops are unrolled, long ones are not, and a loop may ask to stay', async (t) => {
  const loopsAt = (steps: number, unroll?: false): number => {
    const { xs, w, all } = cell(steps, step, unroll);
    return optimized([xs, w], [all]).loops.length;
  };
  t.same(
    [4, 5, 64, 100_000].map((steps) => loopsAt(steps)),
    [0, 1, 1, 1],
  );
  t.same(
    [0, 1, 4].map((steps) => loopsAt(steps, false)),
    [0, 1, 1],
  );
});

t.test('a net and its gradient are two loops; no step is computed twice', async (t) => {
  const [x, k, r, b] = [input('x', [32, 4, 3]), input('k', [3, 32]), input('r', [8, 32]), input('b', [32])];
  const { outputs } = lstm(x, { kernel: k, recurrent: r, bias: b });
  const { loops } = optimized([x, k, r, b], grad(sum(f(sin(outputs))), [k, r, b]));
  t.equal(loops.length, 2);
  const [forward, backward] = loops as [Loop, Loop];
  t.same([forward.reverse, backward.reverse], [false, true]);
  t.equal(count(forward, 'dotGeneral'), 1);
  t.equal(count(backward, 'dotGeneral'), 2, 'the gradients of state and weights');
  t.equal(count(backward, 'tanh'), 0, 'what is dear is read');
});

t.test('behind a checkpoint a step is computed again', async (t) => {
  const { xs, w, all } = cell(32, (h, x, v) => checkpoint(([s]) => step(f(s), x, v), [h]) as Node);
  const { loops } = optimized([xs, w], grad(sum(f(sin(all))), [w]));
  t.same(
    loops.map((l) => count(l, 'dotGeneral')),
    [1, 3],
  );
});

t.test('what is the same in all steps is computed before', async (t) => {
  const { xs, w, all } = cell(32, (h, x, v) =>
    step(h, f(mul(x, f(exp(f(sum(v, 0)))))), f(transpose(f(sin(v))))),
  );
  const { graph, loops } = optimized([xs, w], [all]);
  t.same(
    ['sin', 'exp', 'reduceSum'].map((op) => count(loops[0]!, op)),
    [0, 0, 0],
  );
  t.ok(['sin', 'exp', 'reduceSum'].every((op) => graph.nodes.some((n) => n.op.name === op)));
});

t.test('what nobody wants goes', async (t) => {
  const [xs, ys] = [input('xs', [32, 4]), input('ys', [32, 4])];
  const { carry, outputs } = scan(
    ([a, b, c], [x, y]) => ({
      carry: [tanh(f(add(f(a), f(x)))) as Node, tanh(f(add(f(b), f(y)))) as Node, c!],
      outputs: [mul(f(a), f(c)) as Node, mul(f(b), 2) as Node],
    }),
    [zeros([4]) as Node, zeros([4]) as Node, input('c', [4]) as Node],
    [xs, ys],
  );
  const [, , c] = carry;
  const { loops } = optimized([xs, ys, ...[c!].flatMap(inputsOf)], [outputs[0] as Node, c!]);
  const [loop] = loops as [Loop];
  t.same([loop.carries.length, loop.rows.length, loop.captured.length, loop.outputs.length], [1, 1, 1, 1]);
});

/** The initial value of the third carry. */
function inputsOf(result: Node): Node[] {
  return result.operands.filter((n) => n.name === 'c');
}
