// The text form as people read it: exact texts, numbers and names that are hard to write.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { AttrValue, Node } from '../../compiler/graph/ir.ts';
import { makePayload } from '../../compiler/graph/payload.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { constantOp, input } from '../../compiler/ops/leaf.ts';
import { add, chain, everything, mul, tag } from '../support/tiny-ops.ts';

t.test('a graph reads as a table: number, op, type, labels', async (t) => {
  const text = printGraph(everything(), { locations: false });
  t.equal(
    text,
    `graph everything (%0, %1) {
  %0 = input {name = "x", dtype = "f32", shape = [2, 2]}     : f32[2, 2]  @x
  %1 = input {name = "unused", dtype = "i32", shape = []}    : i32[]      @unused
  %2 = variable {name = "w", dtype = "f32", shape = [2, 2], trainable = true} : f32[2, 2]  @w
  %3 = tiny_mul(%0, %2)                                      : f32[2, 2]  @logits in dense
  %4 = tiny_call(%3) {shape = [2, 2]}                        : f32[2, 2]
    region square (%0) {
      %0 = input {name = "p", dtype = "f32", shape = [2, 2]} : f32[2, 2]  @p
      %1 = tiny_mul(%0, %0)                                  : f32[2, 2]
      output pp = %1
    }
  %5 = constant {dtype = "f32", shape = [2, 2], value = 0.5} : f32[2, 2]  in sgd
  %6 = tiny_mul(%2, %5)                                      : f32[2, 2]  in sgd
  output loss = %4
  output "the logits" = %3
  update %2 = %6
}
`,
  );
});

t.test('locations come last', async (t) => {
  const line = printGraph(everything()).split('\n')[4];
  t.match(line, / : f32\[2, 2\] {2}@logits in dense at model\.ts:3:3$/);
});

t.test('a large constant shows its hash and not its elements', async (t) => {
  const payload = makePayload(new Float32Array(100).fill(7));
  const c = makeNode(constantOp, [], { dtype: 'f32', shape: [100] }, { payload, loc: null });
  const text = printGraph(makeGraph('g', { outputs: [{ name: 'c', node: c }] }));
  t.match(text, `%0 = constant #${payload.hash} {dtype = "f32", shape = [100]} : f32[100]\n`);
});

t.test('attribute values are exact', async (t) => {
  const values: readonly (readonly [AttrValue, string])[] = [
    [-0, '-0'],
    [0.1, '0.1'],
    [1 - 0.999, '0.0010000000000000009'],
    [5e-324, '5e-324'],
    [1e21, '1e+21'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    ['\ud800', '"\\ud800"'],
    [[], '[]'],
    [[1, [true, null]], '[1, [true, null]]'],
  ];
  const x = input('x', []);
  for (const [value, text] of values) {
    const graph = makeGraph('g', { outputs: [{ name: 'y', node: tag(x, { value }) }] });
    t.match(printGraph(graph), `tiny_tag(%0) {value = ${text}}`, text);
  }
});

t.test('an invalid graph prints all the same', async (t) => {
  const x = input('x', []);
  const y = add(x, x);
  const graph = { ...makeGraph('g', { outputs: [{ name: 'y', node: y }] }), nodes: [y] as Node[] };
  t.match(printGraph(graph), 'tiny_add(%?, %?)');
});

t.test('a long chain prints', async (t) => {
  t.equal(printGraph(chain(20_000)).split('\n').length, 20_000 + 4);
});

t.test('the same program gives the same text', async (t) => {
  const build = (): string => {
    const x = input('x', [3]);
    return printGraph(makeGraph('g', { outputs: [{ name: 'y', node: mul(x, add(x, x)) }] }), {
      locations: false,
    });
  };
  t.equal(build(), build());
});
