// The text form read back: nothing is lost, and what does not parse says where.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import { equalGraphs } from '../../compiler/graph/equal.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { AttrValue, Graph, Node, SampleSource } from '../../compiler/graph/ir.ts';
import { parseGraph } from '../../compiler/graph/parse.ts';
import { makePayload } from '../../compiler/graph/payload.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { verifyGraph } from '../../compiler/graph/verify.ts';
import { constantOp, input } from '../../compiler/ops/leaf.ts';
import { seededRandom } from '../support/random.ts';
import { chain, errorOf, everything, tinyAdd, tinyMul, tinyOps, tinyTag } from '../support/tiny-ops.ts';

const ops = tinyOps;
const parse = (text: string): Graph => parseGraph(text, { ops });
const x = '%0 = input {name = "x", dtype = "f32", shape = [2]} : f32[2]';

t.test('what was printed reads back the same', async (t) => {
  const graph = everything();
  const again = parse(printGraph(graph));
  t.ok(equalGraphs(graph, again), 'equal by structure');
  t.equal(printGraph(again), printGraph(graph), 'equal as text');
  verifyGraph(again);
});

t.test('so do random graphs with strange names and numbers', async (t) => {
  for (let seed = 0; seed < 200; seed++) {
    const graph = randomGraph(seededRandom(seed));
    const text = printGraph(graph);
    const again = parse(text);
    if (equalGraphs(graph, again) && printGraph(again) === text) continue;
    t.fail(`seed ${seed}`, { text, again: printGraph(again) });
  }
});

t.test('equality sees every difference', async (t) => {
  const text = printGraph(everything());
  const changes: readonly (readonly [string, string])[] = [
    ['graph everything', 'graph other'],
    ['value = 0.5', 'value = 0.25'],
    ['tiny_mul(%0, %2)', 'tiny_mul(%2, %0)'],
    ['tiny_mul(%0, %2)', 'tiny_add(%0, %2)'],
    ['@logits', '@logit'],
    ['in dense', 'in dance'],
    ['model.ts:3:3', 'model.ts:3:4'],
    ['tiny_mul(%0, %0)', 'tiny_add(%0, %0)'],
    ['output loss = %4', 'output loss = %3'],
    ['update %2 = %6', 'update %2 = %5'],
    ['(%0, %1)', '(%1, %0)'],
  ];
  for (const [from, to] of changes) {
    const changed = text.replace(from, to);
    t.not(changed, text, `${from} is there`);
    t.notOk(equalGraphs(parse(text), parse(changed)), `${from} → ${to}`);
  }
  const relabelled = text.replace('@logits in dense at model.ts:3:3', '');
  t.ok(equalGraphs(parse(text), parse(relabelled), { labels: false }), 'labels may be left out');
});

t.test('payloads are found by their hash', async (t) => {
  const payload = makePayload(new Float32Array(100).fill(7));
  const c = makeNode(constantOp, [], { dtype: 'f32', shape: [100] }, { payload });
  const text = printGraph(makeGraph('g', { outputs: [{ name: 'c', node: c }] }));
  const graph = parseGraph(text, { ops, payloads: new Map([[payload.hash, payload]]) });
  t.equal(graph.nodes[0]!.payload, payload);
  t.match(
    errorOf(() => parse(text)),
    new RegExp(`HDL0006: line 2, column .*: the elements of constant #${payload.hash} are not at hand`),
  );
});

t.test('nodes may stand in any order, which is then sorted', async (t) => {
  const graph = parse(`graph g (%0) { ; comments go to the end of the line
    output y = %9
    %9 = tiny_add(%5, %0) : f32[2]
    %5 = tiny_mul(%0, %0) : f32[2]
    ${x}
  }`);
  t.same(
    graph.nodes.map((n) => n.op.name),
    ['input', 'tiny_mul', 'tiny_add'],
  );
  verifyGraph(graph);
});

t.test('a valid order is kept, and what nothing reaches is dropped', async (t) => {
  const graph = parse(`graph g (%0) {
    ${x}
    %3 = tiny_mul(%0, %0) : f32[2]
    %2 = tiny_add(%0, %0) : f32[2]
    %1 = tiny_tag(%0) : f32[2]
    %4 = tiny_add(%2, %3) : f32[2]
    output y = %4
  }`);
  t.same(
    graph.nodes.map((n) => n.op.name),
    ['input', 'tiny_mul', 'tiny_add', 'tiny_add'],
  );
  verifyGraph(graph);
});

t.test('a syntax error shows its line', async (t) => {
  t.equal(
    errorOf(() => parse(`graph g (%0) {\n  ${x}\n  %1 = tiny_add(%0 %0) : f32[2]\n}`)),
    [
      `HDL0006: line 3, column 20: expected ')', found "%0"`,
      '      %1 = tiny_add(%0 %0) : f32[2]',
      `${' '.repeat(4 + 19)}^`,
      '  at:   graph text:3:20',
    ].join('\n'),
  );
});

t.test('other errors name their place too', async (t) => {
  const body = (line: string, outputs = ''): string => `graph g (%0) {\n${x}\n${line}\n${outputs}}`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /^HDL0006: line 1, column 1: expected 'graph', found the end of the text/],
    ['graph g () { } x', /^HDL0006: line 1, column 16: expected the end of the text/],
    [
      body('%1 = tiny_ad(%0, %0) : f32[2]'),
      /^HDL0013: line 3, column 6: there is no op 'tiny_ad'[\s\S]*'tiny_add'/,
    ],
    [body('%1 = zzz(%0) : f32[2]'), /^HDL0013: .*'zzz'[\s\S]*pass your own ops/],
    [body('%1 = tiny_add(%0, %7) : f32[2]'), /^HDL0006: line 3, column 19: %7 is not defined/],
    [body('%0 = tiny_add(%0, %0) : f32[2]'), /^HDL0006: line 3, column 1: %0 is defined twice/],
    [
      body('%1 = tiny_add(%0, %0) : f32[3]'),
      /^HDL0006: line 3, column 25: %1 is written as f32\[3\][\s\S]*gives f32\[2\]/,
    ],
    [
      body('%1 = tiny_add(%0) : f32[2]'),
      /^HDL0004: line 3, column 6: tiny_add[\s\S]*takes 2 operands, not 1/,
    ],
    [
      body('%1 = tiny_tag(%0) {a = 1, a = 2} : f32[2]'),
      /^HDL0006: line 3, column 27: attribute 'a' is given twice/,
    ],
    [body('%1 = tiny_tag(%0) {a = b} : f32[2]'), /^HDL0006: line 3, column 24: expected a number, string/],
    [
      body('%1 = tiny_tag(%0) : f64[2]'),
      /^HDL0006: line 3, column 21: expected a type such as f32\[64, 10\]/,
    ],
    [body('%1 = tiny_tag(%0) : f32[-2]'), /^HDL0006: line 3, column 25: expected a dimension, found "-2"/],
    [body('%1 = tiny_tag(%0) {a = "b} : f32[2]'), /^HDL0006: line 3, column 24: the string is not closed/],
    [body('%1 = tiny_tag(%0) {a = "\\q"} : f32[2]'), /^HDL0006: line 3, column 24: the string is not valid/],
    [body('%1 = tiny_tag(%0) & : f32[2]'), /^HDL0006: line 3, column 19: "&" means nothing here/],
    [
      body(`%1 = tiny_tag(%0) {a = ${'['.repeat(10_000)}} : f32[2]`),
      /^HDL0006: .*lists nest deeper than 200/,
    ],
    [`graph g () {\n${x}\n}`, /^HDL0008: line 2, column 1: input %0 is not declared in 'g'/],
    [
      'graph g (%1) {\n%1 = constant {dtype = "f32", shape = [], value = 1} : f32[]\n}',
      /^HDL0006: .*%1 is declared as input, but is constant/,
    ],
  ];
  for (const [text, pattern] of cases)
    t.match(
      errorOf(() => parse(text)),
      pattern,
      String(pattern),
    );
});

t.test('a cycle is reported with its path and its whole component', async (t) => {
  const text = `graph g (%0) {
    ${x}
    %1 = tiny_add(%0, %3) : f32[2]
    %2 = tiny_mul(%1, %0) : f32[2]
    %3 = tiny_add(%2, %4) : f32[2]
    %4 = tiny_tag(%3) : f32[2]
    output y = %3
  }`;
  const error = errorOf(() => parse(text));
  t.match(
    error,
    /^HDL0007: line 4, column 5: the graph has a cycle: %2 tiny_mul → %3 tiny_add → %1 tiny_add → %2 tiny_mul\n/,
  );
  t.match(error, 'also on cycles with these: %4 tiny_tag');
});

t.test('a long chain and a long cycle overflow nothing', async (t) => {
  const n = 20_000;
  const graph = chain(n);
  const text = printGraph(graph);
  t.equal(printGraph(parse(text)), text);
  const cyclic = text.replace('tiny_add(%0, %0)', `tiny_add(%0, %${n - 1})`);
  t.match(
    errorOf(() => parse(cyclic)),
    /^HDL0007: .* … 19988 more … /,
  );
});

/** Up to twelve nodes over two inputs, with awkward names, scopes and attributes. */
function randomGraph(random: SampleSource): Graph {
  const words = [
    'a',
    'b c',
    '',
    '"',
    '\\',
    '\n',
    'Infinity',
    'NaN',
    'at',
    'in',
    '%1',
    '}',
    '__proto__',
    'ü😀',
    '\u2028',
  ];
  const numbers = [
    0,
    -0,
    0.1,
    1 / 3,
    5e-324,
    1.7976931348623157e308,
    -1e21,
    2 ** 53,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
  ];
  const value = (depth: number): AttrValue => {
    const kind = random.int(0, depth > 2 ? 3 : 4);
    if (kind === 0) return random.pick(words);
    if (kind === 1) return random.pick(numbers);
    if (kind === 2) return random.pick([true, false, null]);
    if (kind === 3) return random.uniform(-1e9, 1e9);
    return Array.from({ length: random.int(0, 3) }, () => value(depth + 1));
  };
  const inputs = ['x', random.pick(words.filter((w) => w !== ''))].map((name) => input(name, [2]));
  const nodes: Node[] = [...inputs];
  for (let i = random.int(1, 10); i > 0; i--) {
    const op = random.pick([tinyAdd, tinyMul, tinyTag]);
    const operands = op === tinyTag ? [random.pick(nodes)] : [random.pick(nodes), random.pick(nodes)];
    const attrs = Object.fromEntries(
      Array.from({ length: random.int(0, 3) }, () => [random.pick(words), value(0)]),
    );
    nodes.push(
      makeNode(op, operands, attrs, {
        name: random.bool() ? random.pick(words) : null,
        scope: random.pick(['', 'a/b', ...words]),
        loc: random.bool()
          ? { file: random.pick(words), line: random.int(1, 99), column: random.int(1, 9) }
          : null,
      }),
    );
  }
  const outputs = [...new Set(words)].slice(0, 3).map((name) => ({ name, node: random.pick(nodes) }));
  return makeGraph(random.pick(words), { inputs, outputs });
}
