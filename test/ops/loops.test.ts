// Loops that run as loops, beside the same graphs unrolled: equal bits on both targets, for one worker and for two, of values
// and of gradients of any order. What stands in the body: other loops, checkpoints, gradients of one's own, random numbers,
// checks, constants, values that never change. Every plan is proved safe, iteration by iteration.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  add,
  bernoulli,
  cast,
  checkpoint,
  concat,
  conv2d,
  customGradient,
  exp,
  foldIn,
  full,
  gather,
  gt,
  iota,
  lstm,
  matmul,
  mul,
  randomKey,
  relu,
  reshape,
  scan,
  sin,
  slice,
  softmax,
  sub,
  sum,
  tanh,
  transpose,
  uniform,
  where,
  zeros,
} from '../../compiler/ops/index.ts';
import { unrolled } from '../../compiler/passes/expand-regions.ts';
import { grad, jvp } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { disagreements, runCompiled } from '../support/agree.ts';
import { type Build, draw, graphOf } from '../support/evaluate-ops.ts';

type Floats = Node<Shape, 'f32'>;

const executors = [await Executor.create({ threads: 1 }), await Executor.create({ threads: 2 })];
t.teardown(() => Promise.all(executors.map((e) => e.dispose())));

/** The loop, however short it is. */
const loop = (
  step: (
    carry: readonly Floats[],
    rows: readonly Floats[],
  ) => { carry: readonly Node[]; outputs: readonly Node[] },
  init: readonly Node[],
  sequences: readonly Node[],
  options: { readonly length?: number; readonly reverse?: boolean } = {},
): { readonly carry: readonly Floats[]; readonly outputs: readonly Floats[] } => {
  const made = scan(
    (c, x) => step(c as readonly Node[] as readonly Floats[], x as readonly Node[] as readonly Floats[]),
    init,
    sequences,
    { ...options, unroll: false },
  );
  return made as { readonly carry: readonly Node[]; readonly outputs: readonly Node[] } as {
    readonly carry: readonly Floats[];
    readonly outputs: readonly Floats[];
  };
};

const f = (x: Node): Floats => x as Floats;

/** The results, and the gradients of a sum over them. */
const withGradients =
  (build: (...x: Floats[]) => readonly Node[]): Build =>
  (...x) => {
    const ys = build(...x.map(f));
    const floats = ys.filter((y) => y.type.dtype === 'f32').map(f);
    const loss = floats.reduce<Node>((l, y, i) => add(f(l), mul(sum(sin(y)), i + 1)), zeros([]));
    return [
      ...ys,
      ...grad(
        loss,
        x.filter((v) => v.type.dtype === 'f32'),
      ),
    ];
  };

interface Case {
  /** The order of sums follows from how images lie, and carries lie as the user sees them. */
  readonly isRounded?: true;
  readonly build: (...x: Floats[]) => readonly Node[];
  readonly operands: readonly Shape[];
}

const cell = (h: Floats, x: Floats, w: Floats): Floats => f(tanh(f(add(f(matmul(h, w)), x))));

const cases: Readonly<Record<string, Case>> = {
  'a carry that is an output': {
    operands: [
      [5, 2, 3],
      [2, 3],
      [3, 3],
    ],
    build(xs, h0, w) {
      const { carry, outputs } = loop(
        ([h], [x]) => {
          const next = cell(h!, x!, w);
          return { carry: [next], outputs: [next] };
        },
        [h0],
        [xs],
      );
      return [carry[0]!, outputs[0]!];
    },
  },
  'backwards, a carry that is no output': {
    operands: [
      [6, 2, 3],
      [2, 3],
      [3, 3],
    ],
    build(xs, h0, w) {
      const { carry, outputs } = loop(
        ([h], [x]) => ({ carry: [cell(h!, x!, w)], outputs: [mul(h!, x!)] }),
        [h0],
        [xs],
        { reverse: true },
      );
      return [carry[0]!, outputs[0]!];
    },
  },
  'outputs before and after the step, twice': {
    operands: [[4, 3], [3]],
    build(xs, h0) {
      const { carry, outputs } = loop(
        ([h], [x]) => {
          const next = f(sin(f(add(h!, x!))));
          return { carry: [next], outputs: [h!, next, h!, next, x!] };
        },
        [h0],
        [xs],
      );
      return [...carry, ...outputs];
    },
  },
  'carries that change places': {
    operands: [[3, 2], [2], [2]],
    build(xs, a0, b0) {
      const { carry, outputs } = loop(
        ([a, b], [x]) => ({ carry: [b!, mul(a!, x!), a!], outputs: [sub(a!, b!)] }),
        [a0, b0, a0],
        [xs],
      );
      return [...carry, ...outputs];
    },
  },
  'a carry that stays, one that nobody reads, one that counts': {
    operands: [[4, 2], [2], [2]],
    build(xs, a0, b0) {
      const { carry, outputs } = loop(
        ([a, b, n], [x]) => ({
          carry: [a!, exp(f(mul(b!, 0.1))), add(n as Node as Node<readonly [], 'i32'>, 1)],
          outputs: [mul(a!, x!), mul(x!, f(cast(n!, 'f32')))],
        }),
        [a0, b0, zeros([], 'i32')],
        [xs],
      );
      return [carry[0]!, carry[2]!, ...outputs];
    },
  },
  'one step': {
    operands: [[1, 2], [2]],
    build(xs, h0) {
      const { carry, outputs } = loop(
        ([h], [x]) => ({ carry: [f(mul(h!, x!))], outputs: [f(sin(x!))] }),
        [h0],
        [xs],
      );
      return [...carry, ...outputs];
    },
  },
  'no sequences, no outputs': {
    operands: [[3]],
    build: (x) =>
      loop(([h]) => ({ carry: [f(sin(f(mul(h!, 1.5))))], outputs: [] }), [x], [], { length: 7 }).carry,
  },
  'a loop in a loop, the outer one longer': {
    operands: [[5, 3], []],
    build(xs, w) {
      const { carry, outputs } = loop(
        ([a], [row]) => {
          const inner = loop(
            ([b], [x]) => {
              const next = f(sin(f(add(f(mul(b!, w)), x!))));
              return { carry: [next], outputs: [mul(next, w)] };
            },
            [a!],
            [row!],
            { reverse: true },
          );
          return { carry: [inner.carry[0]!], outputs: [sum(inner.outputs[0]!)] };
        },
        [zeros([])],
        [xs],
      );
      return [carry[0]!, outputs[0]!];
    },
  },
  'a loop in a loop, the inner one longer': {
    operands: [[2, 4], []],
    build(xs, w) {
      const { carry } = loop(
        ([a], [row]) => {
          const inner = loop(
            ([b], [x]) => ({ carry: [f(sin(f(add(f(mul(b!, w)), x!))))], outputs: [] }),
            [a!],
            [row!],
          );
          return { carry: [inner.carry[0]!], outputs: [] };
        },
        [zeros([])],
        [xs],
      );
      return [carry[0]!];
    },
  },
  'a loop after a loop, over its rows': {
    operands: [
      [5, 2, 3],
      [3, 3],
    ],
    build(xs, w) {
      const first = loop(
        ([h], [x]) => {
          const next = cell(h!, x!, w);
          return { carry: [next], outputs: [next] };
        },
        [zeros([2, 3])],
        [xs],
      );
      const second = loop(
        ([h], [x]) => {
          const next = cell(h!, x!, w);
          return { carry: [next], outputs: [next] };
        },
        [first.carry[0]!],
        [first.outputs[0]!],
        { reverse: true },
      );
      return [second.carry[0]!, second.outputs[0]!];
    },
  },
  'a checkpoint in a loop': {
    operands: [
      [4, 3],
      [3, 3],
    ],
    build(xs, w) {
      const { carry, outputs } = loop(
        ([h], [x]) => {
          const next = checkpoint(([s, v]) => tanh(f(add(f(matmul(f(s!), w)), f(v!)))), [h!, x!]) as Node;
          return { carry: [next], outputs: [mul(f(next), 2)] };
        },
        [zeros([3])],
        [xs],
      );
      return [...carry, ...outputs];
    },
  },
  'a loop in a checkpoint': {
    operands: [[4, 3], [3]],
    build: (xs, h0) => [
      checkpoint(
        ([v, h]) =>
          loop(([a], [x]) => ({ carry: [f(sin(f(add(a!, x!))))], outputs: [] }), [f(h!)], [f(v!)]).carry[0]!,
        [xs, h0],
      ) as Node,
    ],
  },
  'a gradient of one’s own in a loop': {
    operands: [[4, 3], [3]],
    build(xs, h0) {
      const { carry } = loop(
        ([h], [x]) => {
          const next = customGradient(
            ([a, b]) => exp(f(mul(f(a!), f(b!)))),
            ([g], [a, b]) => [mul(f(g!), f(b!)), mul(f(g!), f(a!))],
            [f(mul(h!, 0.1)), x!],
          ) as Node;
          return { carry: [next], outputs: [] };
        },
        [h0],
        [xs],
      );
      return [carry[0]!];
    },
  },
  'random numbers: the same in all steps, and others in each': {
    operands: [[4, 3], [3]],
    build(xs, h0) {
      const key = randomKey(7);
      const { carry, outputs } = loop(
        ([h, n], [x]) => {
          const noise = uniform(foldIn(key, n as Node), [3]);
          const mask = cast(bernoulli(key, 0.5, [3]), 'f32');
          const next = f(add(f(mul(h!, f(mask))), f(mul(x!, f(noise)))));
          return { carry: [next, add(n as Node as Node<readonly [], 'u32'>, 1)], outputs: [noise] };
        },
        [h0, zeros([], 'u32')],
        [xs],
      );
      return [carry[0]!, ...outputs];
    },
  },
  'what is the same in all steps': {
    operands: [[4, 3], [3, 3], [3]],
    build(xs, w, b) {
      const { carry } = loop(
        ([h], [x]) => {
          const weights = f(softmax(f(transpose(f(sin(w))))));
          return { carry: [f(add(f(matmul(h!, weights)), f(mul(x!, f(exp(b))))))], outputs: [] };
        },
        [full([3], 0.5)],
        [xs],
      );
      return [carry[0]!];
    },
  },
  'sequences and captured values that are parts, views and constants': {
    operands: [
      [3, 6, 2],
      [4, 2],
    ],
    build(xs, a) {
      const rows = f(transpose(xs, [1, 0, 2]));
      const joined = f(concat([f(reshape(a, [2, 4])), f(sin(f(reshape(a, [2, 4]))))], 0));
      const part = f(slice(joined, [1, 0], [3, 2]));
      const { carry, outputs } = loop(
        ([h], [x, one, i]) => {
          const next = f(add(f(matmul(x!, part)), f(mul(h!, f(add(one!, f(cast(i!, 'f32'))))))));
          return { carry: [next], outputs: [slice(next, [0, 0], [2, 2])] };
        },
        [f(reshape(f(slice(f(concat([xs, xs], 1)), [0, 5, 0], [3, 6, 2])), [3, 2]))],
        [rows, full([6], 1), iota([6], 0)],
      );
      return [...carry, ...outputs, sum(joined)];
    },
  },
  'choices, lookups and convolutions': {
    isRounded: true,
    operands: [
      [3, 1, 2, 5, 5],
      [2, 2, 3, 3],
      [4, 3],
    ],
    build(xs, w, table) {
      const { carry, outputs } = loop(
        ([h, n], [x]) => {
          const image = f(relu(f(conv2d(f(add(h!, x!)), w, { padding: 'same' }))));
          const found = f(gather(table, n as Node as Node<readonly [], 'i32'>));
          const next = where(gt(image, h!), image, f(mul(h!, 0.5)));
          return {
            carry: [next, add(n as Node as Node<readonly [], 'i32'>, 1)],
            outputs: [found, sum(f(next))],
          };
        },
        [zeros([1, 2, 5, 5]), zeros([], 'i32')],
        [xs],
      );
      return [carry[0]!, ...outputs];
    },
  },
};

const float32 = (a: ArrayLike<number>): Float32Array => Float32Array.from(a);

/** Outputs that differ in a bit from those of the unrolled graph, or by more than f32 allows from the interpreter. */
async function differences(build: Build, shapes: readonly Shape[], isRounded = false): Promise<string[]> {
  const operands = shapes.map((shape, i) => draw(shape, i + 1));
  const { graph, values } = graphOf(build, operands);
  const flat = unrolled(graph);
  const found: string[] = [];
  for (const target of ['wasm', 'js'] as const) {
    const [one] = executors as [Executor];
    const wanted = await runCompiled(flat, values, target, one);
    found.push(...disagreements(graph, values, wanted).map((p) => `${target}, unrolled: ${p}`));
    for (const executor of executors) {
      const got = await runCompiled(graph, values, target, executor);
      found.push(
        ...disagreements(graph, values, got).map((p) => `${target}, ${executor.threads} workers: ${p}`),
      );
      for (const { name } of isRounded ? [] : graph.outputs) {
        const [a, b] = [float32(wanted[name]!), float32(got[name]!)];
        const at = a.findIndex((x, i) => x !== b[i] && !(Number.isNaN(x) && Number.isNaN(b[i])));
        if (at >= 0)
          found.push(`${target}, ${executor.threads} workers, ${name}[${at}]: ${b[at]}, unrolled ${a[at]}`);
      }
    }
  }
  return found;
}

for (const [name, { build, operands, isRounded }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    const { graph } = graphOf(
      build as Build,
      operands.map((shape) => draw(shape)),
    );
    t.ok((compileGraph(graph).plan.manifest.loops ?? []).length > 0, 'it runs as a loop');
    t.same(await differences(build as Build, operands, isRounded), [], 'values');
    t.same(await differences(withGradients(build), operands, isRounded), [], 'gradients');
  });
}

t.test('gradients of gradients, and forward derivatives', async (t) => {
  const { build, operands } = cases['a carry that is an output']!;
  const twice: Build = (...x) => {
    const [, , ...first] = (withGradients(build)(...x) as readonly Node[]).map(f);
    return first.concat(
      grad(
        first.reduce<Node>((l, g) => add(f(l), sum(sin(g))), zeros([])),
        x,
      ).map(f),
    );
  };
  t.same(await differences(twice, operands), []);
  const forward: Build = (...x) =>
    jvp(
      build(...x.map(f)),
      x,
      x.map((v) => sin(f(v))),
    );
  t.same(await differences(forward, operands), []);
});

t.test(
  'a net over sequences becomes a loop by itself, and its plan is as long for any number of steps',
  async (t) => {
    const net = (): Build => (x, kernel, recurrent, bias) => {
      const { outputs, state } = lstm(x!, { kernel: kernel!, recurrent: recurrent!, bias: bias! });
      const loss = add(sum(f(sin(outputs))), sum(state));
      return [loss, ...grad(loss, [x!, kernel!, recurrent!, bias!])];
    };
    const shapes = (steps: number): Shape[] => [[steps, 2, 3], [3, 16], [4, 16], [16]];
    t.same(await differences(net(), shapes(12)), []);
    const planOf = (steps: number) => {
      const { graph } = graphOf(
        net(),
        shapes(steps).map((s) => draw(s)),
      );
      return compileGraph(graph, { workers: [1, 2] }).plan;
    };
    const [short, long] = [planOf(64), planOf(2048)];
    t.same(
      long.manifest.loops?.map((l) => l.length),
      [2048, 2048],
    );
    // Around the loops, long sums are cut.
    t.ok(long.manifest.steps.length <= short.manifest.steps.length + 4);
    t.ok(long.code.length < 1.5 * short.code.length);
  },
);

t.test('weights are packed once, before the loop', async (t) => {
  const build: Build = (x, kernel, recurrent) => lstm(x!, { kernel: kernel!, recurrent: recurrent! }).outputs;
  const shapes: Shape[] = [
    [12, 128, 16],
    [16, 256],
    [64, 256],
  ];
  const { graph } = graphOf(
    build,
    shapes.map((s) => draw(s)),
  );
  const { lowered } = compileGraph(graph);
  const packs = lowered.steps.flatMap(({ args }, s) =>
    args.some((id) => lowered.buffers[id]!.name === 'x2') ? [s] : [],
  );
  t.equal(packs.length, 1, 'one step reads them as they are');
  t.ok(packs[0]! < lowered.loops![0]!.begin);
  t.same(await differences(build, shapes), []);
});
