// Given graphs at the edges (no elements, no dimensions, leaves as results, one value for several), when they are lowered,
// then the kernels compute what the interpreter does.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import type { Graph, Node, OpDef } from '../../compiler/graph/ir.ts';
import { constIndex, varIndex } from '../../compiler/kernel/affine.ts';
import { binary, constant, type Expr, reduce, select } from '../../compiler/kernel/expr.ts';
import type { Stmt } from '../../compiler/kernel/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { errorOf } from '../support/error-of.ts';
import { differences, graphOf, kernelLines, leavesOf, lower } from '../support/lower-graph.ts';
import { runLowered } from '../support/run-lowered.ts';

const show = (graph: Graph): string[] => kernelLines(lower(graph));

t.test('values without elements need no kernel', async (t) => {
  const x = h.input('x', [0, 3]);
  const y = h.input('y', [2, 3]);
  const w = h.input('w', [3, 5]);
  const a = h.input('a', [8, 0]);
  const b = h.input('b', [0, 9]);
  for (const [name, graph, kernels] of [
    ['elementwise', graphOf({ y: h.add(h.exp(x), 1) }), 0],
    ['matmul', graphOf({ y: h.matmul(x, w) }), 0],
    ['row sums', graphOf({ y: h.sum(x, [1]) }), 0],
    ['column sums', graphOf({ y: h.sum(x, [0]) }), 1],
    ['sum of all', graphOf({ y: h.sum(h.exp(x)) }), 1],
    ['largest', graphOf({ y: h.max(h.concat([x, y], 0), [0]) }), 1],
    ['matmul over nothing', graphOf({ y: h.matmul(a, b) }), 1],
    ['concat', graphOf({ y: h.concat([x, y, x], 0) }), 1],
    [
      'pad',
      graphOf({
        y: h.pad(
          x,
          [
            [2, 1],
            [0, 0],
          ],
          7,
        ),
      }),
      1,
    ],
  ] as const) {
    t.equal(lower(graph).steps.length, kernels, name);
    t.same(differences(graph), [], name);
  }
});

t.test('a value that no memory could hold is refused where a buffer is needed, and only there', async (t) => {
  const x = h.input('x', [100_000]);
  const wide = h.broadcastTo(x, [100_000, 100_000]);
  t.equal(
    errorOf(() => lower(graphOf({ y: wide }))),
    "HDL0017: a buffer for 'y' (f32[100000, 100000]): buffers have at most 2147483647 elements" +
      ' (reduce the batch, or the value before it is needed twice)',
  );
  const { steps } = lower(graphOf({ y: h.sum(h.mul(wide, h.reshape(x, [100_000, 1]))) }));
  for (const { kernel } of steps) t.ok(mostRounds(kernel.body) < 2 ** 31, kernel.schedule);
});

/** The largest limit of a loop. */
function mostRounds(body: readonly Stmt[]): number {
  return Math.max(
    0,
    ...body.map((s) => (s.kind === 'for' ? Math.max(s.limit.constant, mostRounds(s.body)) : 0)),
  );
}

t.test('scalars', async (t) => {
  const x = h.input('x', []);
  const graph = graphOf({ y: h.exp(x), z: h.sum(h.broadcastTo(x, [5])), w: h.reshape(x, [1, 1]) });
  t.same(differences(graph), []);
});

t.test('inputs, variables and constants as outputs are copied', async (t) => {
  const x = h.input('x', [2, 3]);
  const v = h.variableNode('v', [4, 3, 2], 'f32', true);
  const c = h.constant([1, 2, 3]);
  const big = h.constant(Array.from({ length: 20 }, (_, i) => i));
  const graph = graphOf({ x, v, c, big, again: x });
  t.same(show(graph), [
    'top: constant () → c',
    'x: copy (x) → x',
    'v: copy (v) → v',
    'top: copy (constant) → big',
    'x: copy (x) → again',
  ]);
  t.same(differences(graph), []);
});

t.test('an update whose value is an input, another variable, an output, or the value of two', async (t) => {
  const make = (name: string): Node<readonly [3, 4, 2], 'f32'> =>
    h.variableNode(name, [3, 4, 2], 'f32', true);
  const [a, b, c, d, e] = [make('a'), make('b'), make('c'), make('d'), make('e')];
  const x = h.input('x', [3, 4, 2]);
  const y = h.mul(h.add(a, x), 2);
  const graph = graphOf({ y, same: y }, [
    { variable: a, value: b },
    { variable: b, value: a },
    { variable: c, value: x },
    { variable: d, value: y },
    { variable: e, value: y },
  ]);
  t.same(show(graph), [
    'top: mul + add (a, x) → d (next), e (next)',
    'b: copy (b) → a (next)',
    'a: copy (a) → b (next)',
    'x: copy (x) → c (next)',
  ]);
  t.same(differences(graph), []);
});

t.test('narrow types in memory', async (t) => {
  const u = h.input('u', [9, 11], 'u8');
  const b = h.input('b', [9, 11], 'bool');
  const f = h.cast(u, 'f32');
  const w = h.input('w', [11, 8]);
  const graph = graphOf({
    scaled: h.div(f, 255),
    picked: h.where(b, f, h.neg(f)),
    product: h.matmul(f, w),
    any: h.any(b, [1]),
    copy: u,
    masked: h.matmul(h.cast(b, 'f32'), w),
  });
  t.same(differences(graph), []);
});

t.test('products of integers', async (t) => {
  const x = h.input('x', [33, 2100], 'i32');
  const w = h.input('w', [2100, 9], 'i32');
  const graph = graphOf({ y: h.matmul(x, w) });
  t.equal(lower(graph).steps.length, 1, 'neither packed nor split');
  const wide = graphOf({
    y: h.matmul(h.input('a', [6, 20], 'u32'), h.transpose(h.input('b', [17, 20], 'u32'), [1, 0])),
  });
  t.same(differences(wide), []);
});

t.test('rows that are looked up, added to a sum of products whose operand is packed', async (t) => {
  const x = h.input('x', [32, 24]);
  const w = h.input('w', [40, 24]);
  const table = h.input('table', [4, 40]);
  const rows = h.gather(table, h.input('i', [32], 'i32'));
  const graph = graphOf({ y: h.add(h.matmul(x, h.transpose(w, [1, 0])), rows) });
  t.same(show(graph), [
    'top: dotGeneral + add + gather + checkIndex (pack) (w) → w packed',
    'top: dotGeneral + add + gather + checkIndex (x, i, table, w packed) → y, flags',
  ]);
  t.match(lower(graph).steps[1]!.kernel.schedule, /lanes across d1/);
  t.same(differences(graph), []);
});

t.test('reversed, strided and interleaved views', async (t) => {
  const x = h.input('x', [12, 10]);
  const graph = graphOf({
    a: h.add(x, h.reverse(x, [0, 1])),
    b: h.matmul(h.reverse(x, [1]), h.transpose(h.slice(x, [0, 0], [12, 10], [3, 1]), [1, 0])),
    c: h.sum(h.add(h.reshape(x, [8, 15]), 1), [0]),
    d: h.add(h.reshape(h.transpose(x, [1, 0]), [12, 10]), x),
  });
  t.same(differences(graph), []);
});

t.test('runs that raise a flag say where', async (t) => {
  const i = h.input('i', [4], 'i32');
  const x = h.input('x', [4]);
  const graph = graphOf({
    i: h.checkIndex(i, { size: 3, label: 'labels' }),
    x: h.checkFinite(h.log(x), { label: 'loss' }),
  });
  const lowered = lower(graph);
  t.same(
    lowered.sites.map(({ kind, label, size }) => ({ kind, label, size })),
    [
      { kind: 'index', label: 'labels', size: 3 },
      { kind: 'finite', label: 'loss', size: 0 },
    ],
  );
  const leaves = leavesOf(graph);
  const run = (at: readonly number[], values: readonly number[]): readonly number[] =>
    runLowered(lowered, {
      i: { type: i.type, data: Float64Array.from(at) },
      x: { type: x.type, data: Float64Array.from(values) },
    }).flags;
  t.same(Object.keys(leaves), ['i', 'x']);
  t.same(run([0, 1, 2, 0], [1, 2, 3, 4]), [0, 0, 0]);
  t.same(run([0, 1, 7, 0], [1, 2, 3, 4]), [1, 7, 0]);
  t.same(run([0, 1, 2, 0], [1, 0, 3, 4]), [1, 0, 1]);
});

/** An op of a user: elementwise on f32, with any expression. */
function userOp(name: string, lowering: OpDef['lower'], type: OpDef['type'] = ([x]) => x!): OpDef {
  return h.defineOp({
    name,
    family: 'user',
    doc: { summary: 'For tests.', formula: 'y = f(x)', types: 'f32[S] → f32[S]', example: `${name}(x)` },
    arity: 1,
    type,
    reference: ([x]) => x!.data,
    gradient: { none: 'tests do not need it' },
    lower: lowering,
    sample: null,
  });
}

t.test("a user's op may check in the middle of its expression, more than once", async (t) => {
  const op = userOp('positiveAndSmall', ({ at, read }): Expr => {
    const x = read(0, at);
    const finite: Expr = { kind: 'checkFinite', type: 'f32', x, site: -1 };
    const log: Expr = {
      kind: 'checkFinite',
      type: 'f32',
      x: { kind: 'unary', type: 'f32', fn: 'log', x },
      site: -1,
    };
    return select({ kind: 'const', type: 'bool', value: 1 }, finite, log);
  });
  const x = h.input('x', [3]);
  const lowered = lower(graphOf({ y: h.add(makeNode(op, [h.checkFinite(x)]) as typeof x, 1) }));
  t.equal(lowered.sites.length, 3);
  const flags = (data: readonly number[]): readonly number[] =>
    runLowered(lowered, { x: { type: x.type, data: Float64Array.from(data) } }).flags;
  t.same(flags([1, 2, 3]), [0, 0, 0, 0]);
  t.same(flags([1, -2, 3]), [1, 0, 0, 1]);
  t.same(flags([1, 2, Number.POSITIVE_INFINITY]), [1, 1, 1, 1]);
});

t.test("a user's op with reductions that no schedule has is refused, with its line", async (t) => {
  const x = h.input('x', [4, 6]);
  const rows = ([v]: Parameters<OpDef['type']>[0]): ReturnType<OpDef['type']> => ({
    dtype: 'f32',
    shape: [v!.shape[0]!],
  });
  const rest =
    ': the reductions of one op run over the same extents, beside each other and outside of guards' +
    ' (make one op per reduction: they are fused where that pays)';
  const messageOf = (lowering: OpDef['lower']): string =>
    errorOf(() => lower(graphOf({ y: makeNode(userOp('odd', lowering, rows), [x], {}, { loc: null }) })));
  t.equal(
    messageOf(({ at, read, newVar }) => {
      const [k, l] = [newVar('k', 6), newVar('l', 3)];
      return binary(
        'add',
        reduce('sum', [k], read(0, [at[0]!, varIndex(k)])),
        reduce('max', [l], read(0, [at[0]!, varIndex(l)])),
      );
    }),
    `HDL0017: op 'odd' is lowered to reductions over [6] and [3]${rest}`,
  );
  t.equal(
    messageOf(({ at, read, newVar }) => {
      const [k, l] = [newVar('k', 6), newVar('l', 6)];
      const most = reduce('max', [l], read(0, [at[0]!, varIndex(l)]));
      return reduce('sum', [k], binary('sub', read(0, [at[0]!, varIndex(k)]), most));
    }),
    `HDL0017: op 'odd' is lowered to a reduction inside a reduction${rest}`,
  );
  t.equal(
    messageOf(({ at, read, newVar }) => {
      const k = newVar('k', 6);
      return {
        kind: 'guard',
        type: 'f32',
        conditions: [{ kind: 'inRange', index: at[0]!, lo: 1, hi: 3 }],
        value: reduce('sum', [k], read(0, [constIndex(0), varIndex(k)])),
        otherwise: constant('f32', 0),
      };
    }),
    `HDL0017: op 'odd' is lowered to a reduction inside a guard${rest}`,
  );
});

t.test('equal products are prepared once, and keep their own names', async (t) => {
  const product = (x: string, w: string) => h.matmul(h.input(x, [256, 512]), h.input(w, [512, 256]));
  const { steps, buffers } = lower(graphOf({ y: product('a', 'v'), z: product('b', 'w') }));
  const names = steps.map((s) => s.args.map((id) => buffers[id]!.name).join());
  t.same(names, ['v,v packed', 'y,a,v packed', 'w,w packed', 'z,b,w packed']);
  t.equal(steps[2]!.kernel, steps[0]!.kernel);
  t.equal(steps[3]!.kernel, steps[1]!.kernel);
});
