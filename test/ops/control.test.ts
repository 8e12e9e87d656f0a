// Loops, checkpoints and gradients of one's own: values against plain loops, gradients against differences and against the
// same program written out, targets against the interpreter, text that reads back, errors.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { equalGraphs } from '../../compiler/graph/equal.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { parseGraph } from '../../compiler/graph/parse.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { verifyGraph } from '../../compiler/graph/verify.ts';
import { add, mul } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { checkpoint } from '../../compiler/ops/checkpoint.ts';
import { matmul } from '../../compiler/ops/contract.ts';
import { stopGradient } from '../../compiler/ops/convert.ts';
import { customGradient } from '../../compiler/ops/custom-gradient.ts';
import { input, iota, zeros } from '../../compiler/ops/leaf.ts';
import { scan } from '../../compiler/ops/loop.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { cos, exp, round, sin, tanh } from '../../compiler/ops/unary.ts';
import { grad, hvp, jvp } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { compiledDisagreements, draw, evaluateOp, graphOf, host } from '../support/evaluate-ops.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

/** h ← tanh(h · w + x), all states and their squares. */
const cell =
  (options: { reverse?: boolean; unroll?: boolean } = {}) =>
  (xs: Node, h0: Node, w: Node): Node[] => {
    const { carry, outputs } = scan(
      ([h], [x]) => {
        const next = tanh(add(matmul(h as never, w as never) as Node, x as Node) as Node);
        return { carry: [next], outputs: [next, mul(next, next) as Node] };
      },
      [h0],
      [xs],
      options,
    );
    return [carry[0]!, ...outputs];
  };

const operands = [draw([5, 2, 3], 1), draw([2, 3], 2), draw([3, 3], 3)];

t.test('scan is a loop', async (t) => {
  const counted = (options: object): number[] =>
    evaluateOp(
      (x) =>
        scan(
          ([total], [row]) => {
            const next = add(mul(total as Node, 2), row as Node) as Node;
            return { carry: [next], outputs: [next] };
          },
          [zeros([])],
          [x],
          options,
        ).outputs[0],
      host([4], [1, 2, 3, 4]),
    );
  t.same(counted({}), [1, 4, 11, 26]);
  t.same(counted({ reverse: true }), [49, 24, 11, 4], 'rows keep their places');
  t.same(counted({ unroll: true, reverse: true }), [49, 24, 11, 4]);
  const doubled = evaluateOp(
    (x) => scan(([c]) => ({ carry: [add(c, c) as Node], outputs: [] }), [x], [], { length: 5 }).carry[0]!,
    host([2], [1, -3]),
  );
  t.same(doubled, [32, -96], 'without sequences');
  const integers = evaluateOp(
    (x) =>
      scan(([c], [i]) => ({ carry: [add(c, i) as Node], outputs: [c] }), [x], [iota([4], 0)]).outputs[0]!,
    host([], [10], 'i32'),
  );
  t.same(integers, [10, 10, 11, 13], 'integers are carried too');
  const none = graphOf(cell(), [draw([0, 2, 3]), ...operands.slice(1)]);
  const values = interpretGraph(none.graph, { inputs: none.values }).outputs;
  t.same([...values['y0']!.data], [...operands[1]!.data], 'no steps leave the carry');
  t.same(values['y1']!.type.shape, [0, 2, 3]);
});

t.test('scan: gradients of first and second order', async (t) => {
  for (const reverse of [false, true]) {
    const { inputs, outputs, values } = graphOf(cell({ reverse }), operands);
    const random = seededRandom(4);
    for (const [what, ys] of [
      ['all results', outputs],
      ['the final carry', outputs.slice(0, 1)],
      ['one output', outputs.slice(2)],
    ] as const) {
      const check = { outputs: ys, inputs, values, random, elements: 5, order: 2 } as const;
      t.same(checkGradients(check), [], `${what}, reverse: ${reverse}`);
    }
  }
});

t.test('scan in scan', async (t) => {
  const nested = (xs: Node, w: Node): Node =>
    scan(
      ([a], [row]) => {
        const inner = scan(
          ([b], [x]) => ({ carry: [sin(add(mul(b, w), x) as Node)], outputs: [] }),
          [a as Node],
          [row as Node],
        );
        return { carry: [mul(inner.carry[0]!, w) as Node], outputs: [] };
      },
      [zeros([])],
      [xs],
    ).carry[0]!;
  const { inputs, outputs, values } = graphOf(nested, [draw([3, 4], 5), draw([], 6)]);
  const check = { outputs, inputs, values, random: seededRandom(1), elements: 6, order: 2 } as const;
  t.same(checkGradients(check), []);
});

t.test('scan equals its steps written out: values, gradients, JVP and HVP', async (t) => {
  const all = (build: (xs: Node, h: Node, w: Node) => Node[], xs: Node, h: Node, w: Node): Node[] => {
    const loss = sum(
      build(xs, h, w).reduce<Node>((l, y) => add(l, sum(y as never)) as Node, zeros([])) as never,
    ) as Node;
    return [
      loss,
      ...grad(loss, [xs, h, w]),
      ...jvp([loss], [w], [exp(w as never) as Node]),
      ...hvp(loss, [w], [cos(w as never) as Node]),
    ];
  };
  const evaluate = (options: object): number[][] => {
    const { graph, values } = graphOf((xs, h, w) => all(cell(options), xs!, h!, w!), operands);
    const { outputs } = interpretGraph(graph, { inputs: values });
    return graph.outputs.map((o) => [...outputs[o.name]!.data]);
  };
  const [loop, written] = [evaluate({}), evaluate({ unroll: true })];
  loop.forEach((list, i) => {
    const other = written[i]!;
    t.ok(
      list.every((v, k) => Math.abs(v - other[k]!) < 1e-10 * Math.max(1, Math.abs(v))),
      `result ${i}`,
    );
  });
});

t.test('regions verify, print and read back', async (t) => {
  const { graph } = graphOf((xs, h, w) => {
    const ys = cell()(xs!, h!, w!);
    return [...ys, ...grad(sum(ys[2] as never) as Node, [w!])];
  }, operands);
  verifyGraph(graph);
  const text = printGraph(graph);
  t.match(text, /scan\(.*\{result = 0, carries = 1, sequences = 1, length = 5, reverse = false\}/);
  const again = parseGraph(text, { ops: registry });
  t.ok(equalGraphs(graph, again));
  t.equal(printGraph(again), text);
});

/** Six layers, each with an inner value that its gradient needs. */
function layers(wrap: boolean, rows: number): { loss: Node; w: Node; x: Node } {
  const x = input('x', [rows, 64]);
  const w = input('w', [64, 64]);
  let h: Node = x;
  for (let i = 0; i < 6; i++) {
    const block = ([v]: readonly Node[]): Node => {
      let y = v!;
      for (let k = 0; k < 3; k++) y = tanh(matmul(y as never, w as never) as Node) as Node;
      return y;
    };
    h = wrap ? checkpoint(block, [h]) : block([h]);
  }
  return { loss: sum(h as never) as Node, w, x };
}

t.test('checkpoint keeps values and gradients, and needs less memory', async (t) => {
  const graphs = (rows: number): Graph[] =>
    [false, true].map((wrap) => {
      const { loss, w, x } = layers(wrap, rows);
      const outputs = [loss, ...grad(loss, [w])].map((node, i) => ({ name: `y${i}`, node }));
      return makeGraph('layers', { inputs: [x, w], outputs });
    });
  const [kept, again] = graphs(256).map((graph) => {
    const { plan, graph: lowered } = compileGraph(graph, { verify: true });
    return { arena: plan.manifest.arenaBytes, nodes: lowered.nodes.length };
  });
  t.ok(again!.nodes > kept!.nodes + 20, 'the second computation is not merged with the first');
  t.ok(again!.arena < 0.7 * kept!.arena, `${again!.arena} bytes instead of ${kept!.arena}`);
  const inputs = {
    x: draw([4, 64], 7),
    w: host(
      [64, 64],
      draw([64, 64], 8).data.map((v) => v / 8),
    ),
  };
  const [a, b] = graphs(4).map((graph) => interpretGraph(graph, { inputs }).outputs);
  for (const name of ['y0', 'y1']) {
    const other = b![name]!.data;
    t.ok(
      a![name]!.data.every((v, i) => Math.abs(v - other[i]!) < 1e-10),
      name,
    );
  }
});

t.test('customGradient', async (t) => {
  const straight = (x: Node): Node =>
    customGradient(
      ([v]) => round(v as never) as Node,
      ([g]) => [g!],
      [x],
    );
  const gradient = (x: Node): Node => grad(sum(mul(straight(x), x)) as Node, [x])[0];
  const at = host([3], [0.4, 1.6, -2.3]);
  t.same(evaluateOp(straight, at), [0, 2, -2]);
  t.same(evaluateOp(gradient, at), [0.4, 1.6 + 2, -2.3 - 2], 'what was rounded passes');
  const twice = (x: Node): Node =>
    customGradient(
      ([v]) => mul(v!, v!) as Node,
      ([g], [v]) => [mul(mul(g!, v!), 10) as Node],
      [x],
    );
  const second = (x: Node): Node => grad(sum(grad(sum(twice(x)) as Node, [x])[0]) as Node, [x])[0];
  t.same(evaluateOp(second, host([2], [1, 2])), [10, 10], 'the second derivative is that of the rule');
});

t.test('what is captured has no gradient of its own', async (t) => {
  const [x, w] = [input('x', [2]), input('w', [2])];
  const build = (v: Node): Node =>
    customGradient(
      ([a]) => mul(a!, v) as Node,
      ([g]) => [g!],
      [x],
    );
  t.throws(() => grad(sum(build(w)) as Node, [w]), {
    code: 'HDL0005',
    message: /with respect to 'w'.*read the value from outside/s,
  });
  t.equal(grad(sum(build(stopGradient(w))) as Node, [x]).length, 1);
});

t.test('targets agree with the interpreter', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  try {
    const build = (xs: Node, h: Node, w: Node): Node[] => {
      const ys = cell()(xs, h, w);
      const loss = sum(
        add(
          ys[2]!,
          checkpoint(([v]) => sin(v as never) as Node, [ys[1]!]),
        ) as never,
      ) as Node;
      return [...ys, ...grad(loss, [xs, h, w])];
    };
    t.same(await compiledDisagreements(executor, build as never, ...operands), []);
    const long = [draw([70, 2, 3], 1), ...operands.slice(1)];
    t.same(await compiledDisagreements(executor, cell({ reverse: true }) as never, ...long), []);
  } finally {
    await executor.dispose();
  }
});

t.test('errors say what to write', async (t) => {
  const x = input('x', [3, 2]);
  const h = input('h', [2]);
  t.throws(() => scan(([c]) => ({ carry: [c], outputs: [] }), [h], []), {
    code: 'HDL0003',
    message: /number of steps is not known/,
  });
  t.throws(() => scan(([c]) => ({ carry: [c], outputs: [] }), [h], [x, h]), {
    code: 'HDL0003',
    message: /sequence 1 has 2 rows, and there are 3 steps/,
  });
  t.throws(() => scan(() => ({ carry: [], outputs: [] }), [h], [x]), {
    code: 'HDL0003',
    message: /returned 0 carried values/,
  });
  t.throws(() => scan(([c]) => ({ carry: [sum(c) as Node], outputs: [] }), [h], [x]), {
    code: 'HDL0001',
    message: /its type is f32\[\], and must be f32\[2\]/,
  });
  t.throws(() => customGradient(([v]) => v!, ([g]) => [sum(g as never) as Node], [h]), {
    code: 'HDL0001',
    message: /gradient 0 of customGradient/,
  });
  t.throws(() => customGradient(([v]) => v!, () => [], [h]), {
    code: 'HDL0003',
    message: /returned 0 values/,
  });
}); // biome-ignore format: a table
