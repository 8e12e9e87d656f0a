// Given a graph, when it is compiled, then every stage shows itself, the passes one by one, and the plan depends on graph
// and options alone.

import t from 'tap';
import { type CompileOptions, compileGraph, type DumpStage, dumpStages } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { manifestToJson } from '../../compiler/schedule/manifest.ts';
import { errorOf } from '../support/error-of.ts';
import { graphOf } from '../support/lower-graph.ts';

/** A small net in training: convolution, pooling, dense, softmax, momentum. Made anew at each call. */
function trainingStep(): Graph {
  const x = h.input('x', [4, 3, 8, 8]);
  const labels = h.input('labels', [4], 'i32');
  const k = h.variableNode('k', [8, 3, 3, 3], 'f32', true);
  const w = h.variableNode('w', [128, 5], 'f32', true);
  const v = h.variableNode('v', [128, 5], 'f32', false);
  const y = h.maxPool2d(h.relu(h.conv2d(x, k, { padding: 1 })), { kernel: 2 });
  const logits = h.matmul(h.reshape(y, [4, 128]), w);
  const picked = h.eq(
    h.broadcastTo(h.reshape(h.checkIndex(labels, { size: 5 }), [4, 1]), [4, 5]),
    h.iota([4, 5], 1),
  );
  const loss = h.neg(h.mean(h.sum(h.where(picked, h.logSoftmax(logits, -1), h.zeros([4, 5])), [1])));
  const [dk, dw] = grad(loss, [k, w]);
  const next = h.add(h.mul(v, 0.9), dw!);
  return graphOf({ loss }, [
    { variable: k, value: h.sub(k, h.mul(dk!, 0.1)) },
    { variable: w, value: h.sub(w, h.mul(next, 0.1)) },
    { variable: v, value: next },
  ]);
}

function small(): Graph {
  const x = h.input('x', [4]);
  return graphOf({ y: h.add(h.mul(x, 1), h.mul(x, 1)) });
}

t.test('every stage of every target shows itself, or says why not', async (t) => {
  for (const target of ['wasm', 'js'] as const) {
    const { dump } = compileGraph(trainingStep(), { target, checkNumerics: true });
    for (const stage of Object.keys(dumpStages) as DumpStage[]) {
      if (stage === (target === 'wasm' ? 'js' : 'wat')) continue;
      t.match(dump(stage), /\n$/, `${target}: ${stage}`);
    }
  }
  const { dump } = compileGraph(small());
  t.equal(dump('code'), dump('wat'));
  t.equal(
    errorOf(() => dump('js')),
    "HDL0017: dump('js') of a program compiled for target 'wasm': target 'wasm' has code in wat" +
      " (use dump('code'), or compile with target 'js')",
  );
  t.equal(
    errorOf(() => dump('kernel' as DumpStage)),
    `HDL0003: dump('kernel'): the stage is one of ${Object.keys(dumpStages).join(', ')} (did you mean 'kernels'?)`,
  );
});

t.test('the passes, and what one of them did', async (t) => {
  const { dump } = compileGraph(small());
  t.equal(
    dump('passes'),
    `expand-regions: 6 nodes, nothing to do
loops: 6 nodes, nothing to do
simplify: 6 → 2 nodes
reuse-masks: 2 nodes, nothing to do
one-per-window: 2 nodes, nothing to do
split-dilation: 2 nodes, nothing to do
legalize: 2 nodes, nothing to do
share-pads: 2 nodes, nothing to do
split-variance: 2 nodes, nothing to do
split-reductions: 2 nodes, nothing to do
tidy: 2 nodes, nothing to do
winograd: 2 nodes, nothing to do
`,
  );
  const withoutLines = (text: string): string => text.replaceAll(/ +at \S+$/gm, '').replaceAll(/ +:/g, ' :');
  t.equal(
    withoutLines(dump('pass:simplify')),
    `# before simplify
graph test (%0) {
  %0 = input {name = "x", dtype = "f32", shape = [4]} : f32[4]  @x
  %1 = constant {dtype = "f32", shape = [4], value = 1} : f32[4]
  %2 = mul(%0, %1) : f32[4]
  %3 = constant {dtype = "f32", shape = [4], value = 1} : f32[4]
  %4 = mul(%0, %3) : f32[4]
  %5 = add(%2, %4) : f32[4]
  output y = %5
}
# after simplify: 6 → 2 nodes
graph test (%0) {
  %0 = input {name = "x", dtype = "f32", shape = [4]} : f32[4]  @x
  %1 = add(%0, %0) : f32[4]
  output y = %1
}
`,
  );
  t.equal(
    withoutLines(dump('pass:legalize')),
    `# legalize: 2 nodes, nothing to do
graph test (%0) {
  %0 = input {name = "x", dtype = "f32", shape = [4]} : f32[4]  @x
  %1 = add(%0, %0) : f32[4]
  output y = %1
}
`,
  );
  t.equal(
    errorOf(() => dump('pass:check-numerics')),
    "HDL0017: dump('pass:check-numerics'): this compilation ran expand-regions, loops, simplify, reuse-masks, one-per-window, split-dilation, legalize, share-pads, split-variance, split-reductions, tidy, winograd" +
      " ('check-numerics' runs when an option asks for it)",
  );
  t.match(
    errorOf(() => dump('pass:simplfy')),
    /did you mean 'pass:simplify'/,
  );
});

t.test('equal graphs and options give equal plans, also after other compilations', async (t) => {
  const show = (options: CompileOptions): string => {
    const { plan, dump } = compileGraph(trainingStep(), options);
    const bytes = (b: Uint8Array): string => Buffer.from(b).toString('base64');
    return [
      manifestToJson(plan.manifest),
      bytes(plan.code),
      bytes(plan.constants),
      dump('plan'),
      dump('kernels'),
    ].join('\n');
  };
  for (const options of [
    { workers: [1, 2, 3] },
    { target: 'js' },
    { relaxed: true, checkNumerics: true },
  ] as const) {
    const first = show(options);
    compileGraph(small(), options);
    t.ok(show(options) === first, JSON.stringify(options));
  }
  t.ok(show({ workers: [2, 1, 2] }) === show({ workers: [1, 2] }), 'worker counts are a set');
});

t.test('the proof of safety holds for values without elements', async (t) => {
  const x = h.input('x', [0, 3]);
  const y = h.input('y', [2, 3]);
  const graph = graphOf({
    e: h.exp(x),
    s: h.sum(h.exp(x), [0]),
    c: h.concat([x, y], 0),
    m: h.matmul(x, h.transpose(y, [1, 0])),
  });
  for (const target of ['wasm', 'js'] as const)
    t.doesNotThrow(() => compileGraph(graph, { target, workers: [1, 2], verify: true }), target);
});

t.test('options that are not valid', async (t) => {
  t.equal(
    errorOf(() => compileGraph(small(), { target: 'wasn' as 'wasm' })),
    "HDL0003: compileGraph(…, { target: 'wasn' }): the target is one of wasm, js (undefined)",
  );
  for (const workers of [[], [0], [1.5]])
    t.equal(
      errorOf(() => compileGraph(small(), { workers })),
      `HDL0003: compileGraph(…, { workers: [${workers}] }): worker counts are positive integers, one at least` +
        ' (workers: [1, 4] makes a plan for one worker and for four)',
    );
});
