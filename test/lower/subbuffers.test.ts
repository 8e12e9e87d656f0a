// Given values that are joined, padded or taken apart after they were computed, when they are lowered, then they lie in the
// result's buffer from the start and are read where they lie: no kernel only copies, except what leaves the graph.

import t, { type Test } from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { differences, graphOf, kernelLines, lower } from '../support/lower-graph.ts';
import { seededRandom } from '../support/random.ts';

type Float = Node<Shape, 'f32'>;

/** Kernels that only move what other kernels have computed; packing an operand of a contraction is not one of them. */
function copies(lowered: Lowered): string[] {
  return kernelLines(lowered).filter((l) =>
    /^[^:]*: (pad|concat|pad \+ concat|copy) \((?!x\)|border)/.test(l),
  );
}

/** The kernels agree with the interpreter, and the plans for one worker and for three are proved safe. */
function check(t: Test, graph: Graph): void {
  t.same(differences(graph), []);
  t.doesNotThrow(() => compileGraph(graph, { workers: [1, 3], verify: true }));
}

const input = (name: string, ...shape: number[]): Float => h.input(name, shape) as Float;

function conv(x: Float, name: string, channels: number, k: number): Float {
  const w = input(name, channels, x.type.shape[1]!, k, k);
  return h.relu(h.conv2d(x, w, { padding: (k - 1) / 2 })) as Float;
}

t.test(
  'inception: branches write their channels of what the next convolution reads, borders and all',
  async (t) => {
    const block = (x: Float, n: string): Float => {
      const pooled = h.maxPool2d(x, { kernel: 3, strides: 1, padding: 1 }) as Float;
      const branches = [
        conv(x, `${n}a`, 4, 1),
        conv(conv(x, `${n}b`, 3, 1), `${n}c`, 5, 3),
        conv(pooled, `${n}d`, 2, 1),
      ];
      return h.concat(branches, 1) as Float;
    };
    const y = conv(block(block(input('x', 2, 3, 6, 5), 'p'), 'q'), 'w', 4, 3);
    const graph = graphOf({ y: h.sum(y, [1, 2, 3]) });
    const lowered = lower(graph);
    t.same(copies(lowered), []);
    const shapes = lowered.buffers.map((b) => b.type.shape.join());
    t.ok(shapes.includes('2,11,8,7'), 'the second block lies inside of a border');
    check(t, graph);
  },
);

t.test('dense blocks: every layer adds its channels to one buffer', async (t) => {
  let x = conv(input('x', 2, 3, 6, 6), 'w', 4, 3);
  for (const n of ['a', 'b', 'c']) {
    const scaled = h.tanh(h.mul(x, h.reshape(input(`${n}s`, x.type.shape[1]!), [1, -1, 1, 1]))) as Float;
    x = h.concat([x, conv(scaled, n, 3, 3)], 1) as Float;
  }
  const graph = graphOf({ y: h.mean(h.square(x), [2, 3]) });
  const lowered = lower(graph);
  t.same(copies(lowered), []);
  t.equal(lowered.buffers.filter((b) => b.type.shape.join() === '2,13,6,6').length, 1);
  t.equal(lowered.buffers.filter((b) => /2,(4|7|10),6,6/.test(b.type.shape.join())).length, 0);
  check(t, graph);
});

t.test(
  'a layer that reads what it is joined to does not write into the same buffer: the smaller one is copied',
  async (t) => {
    const x = h.tanh(conv(input('x', 2, 3, 6, 6), 'w', 6, 3)) as Float;
    const joined = h.concat([x, conv(x, 'v', 2, 1)], 1) as Float;
    const graph = graphOf({ y: h.sum(conv(joined, 'u', 4, 1), [2, 3]) });
    t.same(copies(lower(graph)).length, 1);
    check(t, graph);
  },
);

t.test('u-net: the skip waits where the decoder reads it', async (t) => {
  const down = conv(input('x', 1, 2, 8, 8), 'a', 3, 3);
  const deep = conv(h.maxPool2d(down, { kernel: 2 }) as Float, 'b', 4, 3);
  const up = h.tanh(h.conv2d(h.repeat(h.repeat(deep, 2, 2), 2, 3), input('c', 3, 4, 1, 1))) as Float;
  const graph = graphOf({ y: h.sum(conv(h.concat([down, up], 1) as Float, 'd', 2, 3), [2, 3]) });
  t.same(copies(lower(graph)), []);
  check(t, graph);
});

t.test(
  'gates of an LSTM are read where their product lies, and states are stacked where they are computed',
  async (t) => {
    const [batch, units, steps] = [3, 4, 5];
    const [w, u] = [input('w', 6, 4 * units), input('u', units, 4 * units)];
    let state = input('h0', batch, units);
    let cell = input('c0', batch, units);
    const states: Float[] = [];
    for (let s = 0; s < steps; s++) {
      const z = h.add(h.matmul(input(`x${s}`, batch, 6), w), h.matmul(state, u));
      const [i, f, g, o] = h.split(z, 4, 1).map((gate) => gate as Float);
      cell = h.add(h.mul(h.sigmoid(f!), cell), h.mul(h.sigmoid(i!), h.tanh(g!))) as Float;
      state = h.mul(h.sigmoid(o!), h.tanh(cell)) as Float;
      states.push(state);
    }
    const all = h.stack(states, 1) as Float;
    const loss = h.sum(h.square(h.matmul(h.reshape(all, [batch * steps, units]), input('v', units, 2))));
    const graph = graphOf({ loss });
    const lowered = lower(graph);
    t.same(copies(lowered), []);
    t.equal(lowered.buffers.filter((b) => b.type.shape.join() === `${batch},${steps},${units}`).length, 1);
    check(t, graph);
    check(t, graphOf(Object.fromEntries(grad(loss, [w, u]).map((d, k) => [`d${k}`, d]))));
  },
);

t.test('fed, leaving, twice, transposed in memory: copies, and right', async (t) => {
  const [x, y] = [input('x', 3, 4), input('y', 3, 4)];
  const a = h.matmul(x, input('w', 4, 4)) as Float;
  const b = h.matmul(y, input('v', 4, 4)) as Float;
  const m = input('m', 4, 5);
  check(t, graphOf({ z: h.matmul(h.concat([a, x, b], 0), m) }));
  check(t, graphOf({ z: h.matmul(h.concat([a, b], 0), m), a }));
  check(t, graphOf({ z: h.concat([a, b], 1), s: h.sum(a) }));
  check(t, graphOf({ z: h.matmul(h.concat([a, a, h.exp(b)], 0), m), s: h.sum(h.mul(a, b), 0) }));
  check(
    t,
    graphOf({
      z: h.matmul(
        h.concat([h.transpose(h.softmax(a)), h.transpose(h.softmax(b)), h.ones([4, 2])], 1),
        input('n', 8, 3),
      ),
    }),
  );
  check(t, graphOf({ z: h.matmul(h.concat([h.softmax(a), h.zeros([0, 4]), h.softmax(b)], 0), m) }));
});

t.test('two parts from one kernel', async (t) => {
  const x = h.matmul(input('x', 5, 6), input('w', 6, 8));
  const both = h.concat([h.relu(x), h.relu(h.neg(x))], 1);
  const graph = graphOf({ y: h.matmul(both, input('v', 16, 3)) });
  check(t, graph);
});

t.test(
  '25 random nets of joins, borders, stacks and slices agree with the interpreter',
  { timeout: 600_000 },
  async (t) => {
    for (let seed = 1; seed <= 25; seed++) {
      const graph = randomNet(seededRandom(seed));
      const found = differences(graph);
      if (found.length > 0) t.same(found, [], `seed ${seed}`);
      compileGraph(graph, { target: 'js', workers: [1, 2, 3], verify: true });
      if (seed % 4 === 0) compileGraph(graph, { workers: [2], memory: { budget: 1e6 }, verify: true });
    }
    t.pass('all agree');
  },
);

/** Values of [n, c, h, w] with n and the image fixed: whatever is joined, padded, or cut out again. */
function randomNet(random: ReturnType<typeof seededRandom>): Graph {
  const channels = (): number => random.int(1, 5);
  const size = random.int(3, 6);
  let count = 0;
  const name = (): string => `i${count++}`;
  const pool: Float[] = [
    input(name(), 2, channels(), size, size),
    conv(input(name(), 2, 2, size, size), name(), 3, 3),
  ];
  const any = (): Float => pool[random.int(Math.max(0, pool.length - 4), pool.length - 1)]!;
  const steps = [
    (): Float => conv(any(), name(), channels(), random.pick([1, 3])),
    (): Float => conv(any(), name(), channels(), 3),
    (): Float => h.tanh(h.mul(any(), 0.5)) as Float,
    (): Float => h.concat(Array.from({ length: random.int(2, 4) }, any), 1) as Float,
    (): Float => h.concat([any(), any()], 1) as Float,
    (): Float => {
      const x = any();
      const taken = random.int(1, x.type.shape[1]!);
      return h.slice(x, [0, x.type.shape[1]! - taken, 0, 0], x.type.shape) as Float;
    },
    (): Float => {
      const x = any();
      const rows = h.concat(
        [
          h.slice(x, [0, 0, 1, 0], x.type.shape),
          h.softmax(h.slice(x, [0, 0, 0, 0], [...x.type.shape.slice(0, 2), 1, size])),
        ],
        2,
      );
      return rows as Float;
    },
    (): Float => {
      const x = conv(any(), name(), 2, 1);
      const stacked = h.stack([h.softmax(x), h.softmax(h.neg(x))], 1);
      return h.reshape(stacked, [2, 4, size, size]) as Float;
    },
  ];
  for (let s = random.int(3, 9); s > 0; s--) {
    const made = random.pick(steps)();
    if (made.type.shape[1]! <= 24) pool.push(made);
  }
  const outputs: Record<string, Node> = { y: h.sum(conv(pool.at(-1)!, name(), 2, 3), [2, 3]) };
  if (random.int(0, 2) === 0) outputs['z'] = any();
  return graphOf(outputs);
}

t.test('a part of a stored value lies in the whole, the rest of that value does not', async (t) => {
  // What is cut off has no place in the border's inside.
  for (const [lo, hi] of [
    [0, -1],
    [-1, 0],
    [-1, -1],
  ] as const) {
    const x = input('x', 1, 5);
    const padded = h.pad(
      x,
      [
        [0, 1],
        [lo, hi],
      ],
      0.5,
    ) as Float;
    const again = h.pad(padded, [
      [2, 0],
      [0, 1],
    ]) as Float;
    check(t, graphOf({ y: h.neg(padded), z: h.add(again, h.flip(again, [0])), s: h.sum(h.square(padded)) }));
  }
});
