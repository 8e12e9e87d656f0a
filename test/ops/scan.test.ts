// Loops at their edges: no step and one step, several carried values of several dtypes, loops in loops, backwards, in a
// checkpoint and around one; values, gradients, and what targets make of them.

import t from 'tap';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  add,
  cast,
  checkpoint,
  eq,
  iota,
  matmul,
  maximum,
  mod,
  mul,
  scan,
  sin,
  sum,
  tanh,
  where,
  zeros,
} from '../../compiler/ops/index.ts';
import { grad, jvp } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { type Build, compiledDisagreements, draw, graphOf, host } from '../support/evaluate-ops.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

type Floats = Node<Shape, 'f32'>;

const executor = await Executor.create({ threads: 2 });
t.teardown(() => executor.dispose());

/** The weighted sum of all results, and its gradients; each is an output. */
const withGradients =
  (build: (...x: Floats[]) => Node[]): Build =>
  (...x) => {
    const ys = build(...(x as Floats[]));
    const loss = ys
      .filter((y) => y.type.dtype === 'f32')
      .reduce<Node>((l, y, i) => add(l, mul(sum(sin(y as Floats)), i + 1) as Node) as Node, zeros([]));
    return [
      ...ys,
      ...grad(
        loss,
        x.filter((v) => v.type.dtype === 'f32'),
      ),
    ];
  };

/** h ← tanh(h · w + x). */
const cell = (xs: Floats, h: Floats, w: Floats, options: { reverse?: boolean } = {}): Node[] => {
  const { carry, outputs } = scan(
    ([s], [row]) => {
      const next = tanh(add(matmul(s!, w), row as Floats) as Floats) as Floats;
      return { carry: [next], outputs: [mul(next, 2) as Node] };
    },
    [h],
    [xs],
    options,
  );
  return [carry[0]!, outputs[0] as Node];
};

for (const steps of [0, 1, 2]) {
  for (const reverse of [false, true]) {
    t.test(`${steps} steps${reverse ? ', backwards' : ''}`, async (t) => {
      const operands = [draw([steps, 2, 3], 1), draw([2, 3], 2), draw([3, 3], 3)];
      const build = withGradients((xs, h, w) => cell(xs, h, w, { reverse }));
      t.same(await compiledDisagreements(executor, build, ...operands), []);
      const { inputs, outputs, values } = graphOf(
        (xs, h, w) => cell(xs as Floats, h as Floats, w as Floats, { reverse }),
        operands,
      );
      const check = { outputs, inputs, values, random: seededRandom(2), elements: 4, order: 2 } as const;
      t.same(checkGradients(check), [], 'gradients of both orders');
    });
  }
}

t.test('values of several dtypes are carried side by side', async (t) => {
  // A sum of every third row, how many rows were taken, whether any was, and the largest.
  const build = (xs: Floats, scale: Floats): Node[] => {
    const { carry, outputs } = scan(
      ([total, count, isAny, most], [row, i]) => {
        const taken = eq(mod(i as Node<readonly [], 'i32'>, 3), 0) as Node<Shape, 'bool'>;
        const scaled = mul(row as Floats, scale) as Floats;
        const next = where(taken, add(total as Floats, scaled) as Floats, total as Floats) as Floats;
        const counted = add(count as Node<Shape, 'i32'>, cast(taken, 'i32') as Node<Shape, 'i32'>) as Node;
        const either = where(taken, taken, isAny as Node<Shape, 'bool'>) as Node;
        return { carry: [next, counted, either, maximum(most as Floats, scaled) as Node], outputs: [counted, next] };
      },
      [zeros([2]) as Node, zeros([], 'i32') as Node, zeros([], 'bool') as Node, mul(zeros([2]), 0) as Node],
      [xs, iota([xs.type.shape[0]!], 0) as Node],
    );
    return [...carry, ...outputs] as Node[];
  };
  const operands = [draw([7, 2], 4), draw([2], 5)];
  const { graph, values } = graphOf((xs, s) => build(xs as Floats, s as Floats), operands);
  const { outputs } = interpretGraph(graph, { inputs: values });
  const [x, s] = operands.map((o) => o.data) as [Float64Array, Float64Array];
  const rows = [0, 1, 2, 3, 4, 5, 6].map((i) => [x[2 * i]! * s[0]!, x[2 * i + 1]! * s[1]!] as const);
  const got = graph.outputs.map((o) => [...outputs[o.name]!.data]);
  const near = (a: readonly number[], b: readonly number[]): boolean => a.every((v, i) => Math.abs(v - b[i]!) < 1e-12);
  t.ok(near(got[0]!, [0, 1].map((c) => rows[0]![c]! + rows[3]![c]! + rows[6]![c]!)), 'sum');
  t.same([got[1], got[2], got[4]], [[3], [1], [1, 1, 1, 2, 2, 2, 3]], 'count, any, counts');
  t.ok(near(got[3]!, [0, 1].map((c) => Math.max(0, ...rows.map((r) => r[c]!)))), 'largest');
  t.same(await compiledDisagreements(executor, withGradients(build), ...operands), []);
  const { inputs, outputs: ys } = graphOf((xs, sc) => build(xs as Floats, sc as Floats), operands);
  t.same(checkGradients({ outputs: ys, inputs, values, random: seededRandom(1), elements: 5, order: 2 }), []);
}); // biome-ignore format: tables

/** A loop over rows of a loop over their elements, one of them backwards. */
const nested = (xs: Floats, w: Floats): Node[] => {
  const { carry, outputs } = scan(
    ([a], [row]) => {
      const inner = scan(
        ([b], [x]) => {
          const next = sin(add(mul(b as Floats, w), x as Floats) as Floats) as Node;
          return { carry: [next], outputs: [mul(next as Floats, w) as Node] };
        },
        [a!],
        [row as Node],
        { reverse: true },
      );
      return { carry: [inner.carry[0]!], outputs: [sum(inner.outputs[0] as Floats) as Node] };
    },
    [zeros([]) as Node],
    [xs],
  );
  return [carry[0]!, outputs[0] as Node];
};

const wrapped: Readonly<Record<string, (xs: Floats, w: Floats) => Node[]>> = {
  'loops in loops': nested,
  'a loop in a checkpoint': (xs, w) => [
    checkpoint(([v, u]) => nested(v as Floats, u as Floats)[1]!, [xs, w]),
  ],
  'a checkpoint in a loop': (xs, w) => {
    const { carry, outputs } = scan(
      ([h], [row]) => {
        const next = checkpoint(
          ([s, x, u]) => tanh(add(mul(s as Floats, u as Floats), sin(x as Floats)) as Floats) as Node,
          [h!, row as Node, w],
        );
        return { carry: [next], outputs: [next] };
      },
      [zeros([4]) as Node],
      [xs],
    );
    return [carry[0]!, outputs[0] as Node];
  },
};

for (const [name, build] of Object.entries(wrapped)) {
  t.test(name, async (t) => {
    const operands = [draw([3, 4], 6), draw([], 7)];
    t.same(await compiledDisagreements(executor, withGradients(build), ...operands), []);
    const { inputs, outputs, values } = graphOf((xs, w) => build(xs as Floats, w as Floats), operands);
    const check = { outputs, inputs, values, random: seededRandom(3), elements: 5, order: 2 } as const;
    t.same(checkGradients(check), [], 'gradients of both orders');
    const forward: Build = (xs, w) => {
      const ys = build(xs as Floats, w as Floats);
      return jvp(ys, [xs!, w!], [sin(xs as Floats) as Node, w!]);
    };
    t.same(await compiledDisagreements(executor, forward, ...operands), [], 'JVP');
  });
}

t.test('no step of a loop in a loop', async (t) => {
  const operands = [host([3, 0], []), draw([], 7)];
  t.same(await compiledDisagreements(executor, withGradients(nested), ...operands), []);
});
