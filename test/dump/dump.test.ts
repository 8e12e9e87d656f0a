// Given a compilation, when it is dumped, then long texts are short by default and whole on demand, one kernel can be picked,
// a pass shows what it changed, and the JSON is what its schema says.

import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { type Compilation, compileGraph, type Inspection } from '../../compiler/compile.ts';
import { compareInspections, formatComparison } from '../../compiler/dump/compare.ts';
import { nodeNames } from '../../compiler/dump/names.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { parseGraph } from '../../compiler/graph/parse.ts';
import { scope } from '../../compiler/graph/scope.ts';
import * as h from '../../compiler/ops/index.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { graphOf } from '../support/lower-graph.ts';

/** A net of `blocks` blocks in training; large enough to be cut when it is dumped. */
function deepNet(blocks: number, width = 24): ReturnType<typeof graphOf> {
  const x = h.input('x', [8, width]);
  const weights = Array.from({ length: blocks }, (_, i) =>
    h.variableNode(`block${i}/w`, [width, width], 'f32', true),
  );
  const y = weights.reduce((a, w, i) => scope(`block${i}`, () => h.tanh(h.matmul(a, w))), x as Node);
  const loss = scope('loss', () => h.mean(h.square(y)));
  const gradients = grad(loss, weights);
  return graphOf(
    { loss },
    weights.map((variable, i) => ({ variable, value: h.sub(variable, h.mul(gradients[i]!, 0.1)) })),
  );
}

const deep = (): Compilation => compileGraph(deepNet(12), { workers: [1, 2] });

t.test('large texts are outlines that say how to see all', async (t) => {
  const { dump, graph, plan } = deep();
  const outline = dump('graph');
  t.match(
    outline,
    new RegExp(`^graph test: ${graph.nodes.length} nodes in \\d+ scopes\n  input x: f32\\[8, 24\\]\n`),
  );
  t.match(outline, /\n {2}block3 +2 +\S.* dotGeneral, tanh/, 'a line for each scope, with its ops');
  t.ok(outline.endsWith('; every node: { full: true }, or --full\n'));
  t.ok(outline.split('\n').length < graph.nodes.length);

  const steps = dump('plan').split('\n');
  t.equal(
    steps.filter((line) => /^ +\d+ +\d+ +\d+ +[\d.]+ {2}\S/.test(line)).length,
    plan.manifest.steps.length,
  );
  t.match(dump('code'), /^; \d+ lines of wat for \d+ kernels\n/);
});

t.test('full texts read back', async (t) => {
  const { dump, graph } = deep();
  const back = parseGraph(dump('graph', { full: true }), { ops: registry });
  t.equal(back.nodes.length, graph.nodes.length);
  t.match(
    dump('plan', { full: true }),
    /^plan test for wasm \(simd128\) \{\n {2}arena \d+\n {2}code #[0-9a-f]{64} \d+\n/,
  );
  t.match(dump('kernels', { full: true }), /^kernel "/);
});

t.test('one kernel: its loops and its code, by number or name', async (t) => {
  const { dump, inspect } = deep();
  const { kernels } = inspect();
  const last = kernels.length - 1;
  const { name, text, code } = kernels[last]!;
  t.equal(dump('kernels', { kernel: last }), text);
  t.equal(dump('kernels', { kernel: name }), text);
  t.equal(dump('wat', { kernel: last }), code);
  t.match(code, /^\(module/);
  t.equal(code.match(/\(func /g)?.length, 1);
  t.equal(
    errorOf(() => dump('kernels', { kernel: 99 })),
    `HDL0003: kernel 99: this plan has the kernels 0 to ${last} (dump('kernels') lists them with their names)`,
  );
  t.match(
    errorOf(() => dump('code', { kernel: `${name}x` })),
    new RegExp(`did you mean '${name}'\\?`),
  );
});

t.test('a pass: one side, or what it changed', async (t) => {
  const x = h.input('x', [4]);
  const { dump } = compileGraph(graphOf({ y: h.tanh(h.add(h.mul(x, 1), h.mul(x, 1))) }));
  t.match(dump('pass:simplify', { side: 'before' }), /^graph test .*mul/s);
  t.notMatch(dump('pass:simplify', { side: 'after' }), /mul/);
  t.equal(
    dump('pass:simplify', { onlyChanged: true }),
    `# simplify: 7 → 3 nodes
; 4 nodes removed, 0 added, 1 changed
  %0 = input {name = "x", dtype = "f32", shape = [4]} : f32[4] @x
- %1 = constant {dtype = "f32", shape = [4], value = 1} : f32[4]
- %2 = mul(%0, %1) : f32[4]
- %3 = constant {dtype = "f32", shape = [4], value = 1} : f32[4]
- %4 = mul(%0, %3) : f32[4]
- %5 = add(%2, %4) : f32[4]
+ %1 = add(%0, %0) : f32[4]
  %2 = tanh(%1) : f32[4]
`,
  );
  t.equal(dump('passes', { onlyChanged: true }), 'simplify: 7 → 3 nodes\n');
  t.equal(dump('pass:legalize', { onlyChanged: true }), '# legalize: 3 nodes, nothing to do\n');
});

t.test('DOT with scopes folded', async (t) => {
  const { dump } = deep();
  const dot = dump('dot', { depth: 0 });
  t.match(dot, /s\d+ \[label="block3\\n\d+ nodes", style=rounded\];/);
  t.notMatch(dot, /subgraph/);
  t.match(dump('dot'), /subgraph cluster_\d+ \{\n +label="block3";/);
});

t.test('names are unique, and tell scope and op', async (t) => {
  const x = h.input('x', [4]);
  const y = scope('a', () => h.add(h.add(x, x), x));
  const graph = makeGraph('g', { outputs: [{ name: 'y', node: y }] });
  t.same([...nodeNames(graph).values()], ['x', 'a/add', 'a/add#2']);
});

/** A loop of 40 steps over two values. */
function looping(): ReturnType<typeof compileGraph> {
  const { carry, outputs } = h.scan(
    ([s]) => ({ carry: [h.sin(h.mul(s as Node<readonly [4], 'f32'>, 1.5))], outputs: [s as Node] }),
    [h.input('x', [4]) as Node],
    [],
    { length: 40, unroll: false },
  );
  return compileGraph(graphOf({ last: carry[0]!, all: outputs[0] as Node }));
}

t.test('the JSON of every compilation fits its schema', async (t) => {
  const path = new URL('../../../docs/schema/inspection.json', import.meta.url);
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(path, 'utf8')) as object,
  );
  const labels = h.checkIndex(h.input('labels', [4], 'i32'), { size: 5 });
  const picked = h.gather(h.variableNode('table', [5, 3], 'f32', true), labels);
  for (const compilation of [
    deep(),
    compileGraph(deepNet(2), { target: 'js', checkNumerics: true }),
    compileGraph(graphOf({ picked })),
    looping(),
  ]) {
    const json = JSON.parse(compilation.dump('json')) as { steps: { nodes: number[] }[]; extra?: number };
    t.ok(validate(json), JSON.stringify(validate.errors?.slice(0, 3)));
    t.ok(
      json.steps.every((s) => s.nodes.length > 0),
      'every step says what it computes',
    );
    t.notOk(validate({ ...json, extra: 1 }), 'and the schema is closed');
  }
});

t.test('inspections tell what there is once', async (t) => {
  const { inspect, plan } = deep();
  const { memory, schedules, steps, buffers, kernels, manifest } = inspect();
  t.same(manifest, plan.manifest);
  t.equal(memory.arenaBytes, plan.manifest.arenaBytes);
  t.ok(memory.live.every((bytes) => bytes <= memory.lowerBound));
  t.equal(Math.max(...memory.live), memory.lowerBound);
  t.equal(buffers.filter((b) => b.offset !== null).length, plan.manifest.buffers.length);
  t.same(
    steps.map((s) => s.kernel),
    plan.manifest.steps.map((s) => s.kernel),
  );
  t.ok(kernels.every((k, i) => k.name === plan.manifest.kernels[i]!.name));
  for (const { lanes, predictedNs } of schedules) {
    for (const lane of lanes) {
      let at = 0;
      for (const span of lane) {
        t.ok(Math.abs(span.fromNs - at) < 1e-6 * predictedNs, 'no gaps');
        at = span.toNs;
      }
      t.ok(at <= predictedNs + 1e-6);
    }
  }
});

t.test('two compilations compared', async (t) => {
  const inspectionOf = (blocks: number, width: number, relaxed: boolean): Inspection =>
    compileGraph(deepNet(blocks, width), { workers: [1, 2], relaxed }).inspect();
  const a = inspectionOf(3, 24, false);
  t.match(compareInspections(a, inspectionOf(3, 24, false)), { isEqual: true, graph: { changed: [] } });

  const code = compareInspections(a, inspectionOf(3, 24, true));
  t.notOk(code.isEqual);
  t.equal(code.graph.changed.length, 0, 'fused multiply-add changes no graph');
  t.ok(code.kernels.changed.length > 0, 'but kernels');

  const deeper = compareInspections(a, inspectionOf(4, 24, false));
  t.ok(deeper.source.added.includes('block3/tanh'));
  t.same(
    deeper.source.removed,
    ['grad/block2/add'],
    'the sum of the two gradients of a square is in the last block',
  );
  const [steps] = deeper.figures;
  t.match(steps, { name: 'steps', before: a.steps.length });
  t.ok(steps!.after! > steps!.before!);

  const text = formatComparison(compareInspections(a, inspectionOf(3, 32, false)), 4);
  t.match(text, /^test → test\n/);
  t.match(text, / {2}~ x: type f32\[8, 24\] → f32\[8, 32\]\n/);
  t.match(text, /predicted time on 2 workers +[\d.]+ (k )?µs +[\d.]+ (k )?µs +\+[\d.]+ %/);
  t.match(text, / {2}… \d+ more\n/, 'long lists are cut');
});
