// Exported models mean what their graphs mean: every primitive with drawn operands, random graphs with their gradients,
// and whole nets are exported, imported again, and give the same values. Where Python has onnx and a runtime for it,
// those check and run them, too.

import fc from 'fast-check';
import t from 'tap';
import type { Graph, HostTensor } from '../../compiler/graph/ir.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { HeddleError } from '../../runtime/errors.ts';
import * as h from '../../src/index.ts';
import { exportGraph } from '../../src/onnx/export/export.ts';
import { exportRules } from '../../src/onnx/export/table.ts';
import { readMessage } from '../../src/onnx/wire.ts';
import { disagreements } from '../support/agree.ts';
import { sampleGraph } from '../support/gradcheck.ts';
import { type OnnxJudge, onnxJudge } from '../support/onnx-judge.ts';
import { seededRandom } from '../support/random.ts';
import { randomGraph } from '../support/random-graph.ts';

const judge: OnnxJudge | null = await onnxJudge();
if (judge === null)
  t.comment('Python has no onnx and onnxruntime: models are checked by importing them only');
t.teardown(() => judge?.close());

type Values = Readonly<Record<string, HostTensor>>;

/** Models that a second opinion was had on. */
let judgedModels = 0;

const noVariables = (): never => {
  throw new Error('the graph has no variables');
};

/** Runs a model after importing it, with every value rounded to f32. */
async function reimported(bytes: Uint8Array, values: Values): Promise<Record<string, ArrayLike<number>>> {
  const net = h.importOnnx(bytes);
  const p = h.program({ run: h.entry(net.inputs, net.build) }, { target: 'reference' });
  try {
    const feeds = Object.entries(values).map(([name, { type, data }]) => [
      name,
      { data: Array.from(data), shape: type.shape },
    ]);
    const results = await p.run('run', Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(results).map(([k, v]) => [k, v.data]));
  } finally {
    await p.dispose();
  }
}

async function check(graph: Graph, values: Values): Promise<string[]> {
  const bytes = exportGraph(graph, noVariables);
  const lines = disagreements(graph, values, await reimported(bytes, values));
  const judged = (await judge?.run(bytes, values)) ?? null;
  if (judged === null) return lines;
  judgedModels++;
  if ('error' in judged) return [...lines, `onnx: ${judged.error}`];
  return [...lines, ...disagreements(graph, values, judged.outputs).map((line) => `onnxruntime: ${line}`)];
}

const written = new Set(['input', 'variable', 'constant']);
const cannot = (name: string): boolean =>
  ['bitcast', 'randomBits', 'foldIn'].includes(name) || !exportRules.has(name);

t.test('every primitive that ONNX has, by its record, has a rule', async (t) => {
  for (const { name, doc, region } of registry.values()) {
    if (doc.onnx === undefined || region !== undefined || written.has(name)) continue;
    t.ok(exportRules.has(name), `${name}: ${doc.onnx}`);
  }
  t.same(
    [...exportRules.keys()].filter((name) => !registry.has(name)),
    [],
    'and no rule is for nothing',
  );
});

for (const op of registry.values()) {
  if (op.sample === null || op.region !== undefined) continue;
  t.test(op.name, async (t) => {
    const random = seededRandom(11);
    for (let i = 0; i < 12; i++) {
      const { graph, inputs } = sampleGraph(op, op.sample!(random));
      if (cannot(op.name)) {
        t.throws(() => exportGraph(graph, noVariables), { code: 'HDL0021' });
        continue;
      }
      try {
        const lines = await check(graph, inputs);
        if (lines.length > 0) t.fail(`${lines.join('\n')}`, { graph: graph.nodes.at(-1)!.attrs });
        else t.pass();
      } catch (error) {
        const isRefused = error instanceof HeddleError && error.code === 'HDL0021' && op.name === 'shr';
        if (!isRefused) throw error;
        t.match(error.message, /ONNX shifts unsigned integers only/);
      }
    }
  });
}

t.test('padding that shifts everything out', async (t) => {
  const x = h.tensor([1, 3]);
  const p = h.program(
    {
      shift: h.entry({ x }, ({ x }) => ({
        y: h.pad(
          h.pad(x, [
            [0, 0],
            [2, -2],
          ]),
          [
            [0, 0],
            [2, -2],
          ],
        ),
      })),
    },
    { target: 'reference' },
  );
  const values = { x: { type: { dtype: 'f32', shape: [1, 3] }, data: Float64Array.of(1, 2, 3) } } as const;
  t.same(Array.from((await reimported(p.exportOnnx('shift'), values))['y']!), [0, 0, 0]);
  await p.dispose();
});

t.test('random graphs with their gradients', async (t) => {
  const runs = process.env['HEDDLE_LONG'] === '1' ? 2000 : 60;
  let exported = 0;
  await fc.assert(
    fc.asyncProperty(randomGraph({ maxElements: 300 }), async ({ graph, values }) => {
      try {
        const lines = await check(graph, values);
        exported++;
        if (lines.length > 0) throw new Error(lines.join('\n'));
      } catch (error) {
        if (!(error instanceof HeddleError) || error.code !== 'HDL0021') throw error;
      }
    }),
    { seed: 5, numRuns: runs, endOnFailure: true },
  );
  t.ok(exported > runs / 2, `${exported} of ${runs} graphs were exported`);
});

const images = h.tensor(['batch', 3, 8, 8]);
const labels = h.tensor(['batch'], 'i32');

/** Nets of all sorts: outputs and new values of variables are those of the program. */
const nets: Readonly<Record<string, () => h.Program>> = {
  'convolution, batch norm, pooling: a training step': () => {
    const body = h.nn.sequential([
      h.nn.conv2d(4, 3, { padding: 'same', name: 'stem' }),
      h.nn.batchNorm({ name: 'norm' }),
      h.nn.relu(),
      h.nn.maxPool2d(2),
      h.nn.conv2d(6, 3, { stride: 2, padding: 1, name: 'down' }),
      h.nn.flatten(),
      h.nn.dense(3, { name: 'head' }),
    ]);
    const optimizer = h.optimizers.adam({ learningRate: 0.01 });
    return h.program(
      {
        train: h.entry(
          { x: images, y: labels },
          ({ x, y }, ctx) => {
            const loss = h.losses.softmaxCrossEntropy(body.apply(x, ctx), y);
            const params = h.parametersOf(loss);
            optimizer.update(params, h.grad(loss, params), ctx);
            return { loss };
          },
          { training: true },
        ),
      },
      { target: 'reference' },
    );
  },
  'embedding, attention, layer norm: predictions': () => {
    const embedding = h.nn.embedding(11, 8, { name: 'embedding' });
    const norm = h.nn.layerNorm({ name: 'norm' });
    const attention = h.nn.multiHeadAttention(2, { name: 'attention' });
    return h.program(
      {
        predict: h.entry({ words: h.tensor(['batch', 5], 'i32') }, ({ words }, ctx) => {
          const x = embedding.apply(words, ctx) as h.Floats;
          return { y: h.gelu(h.add(x, attention.apply(norm.apply(x, ctx), ctx))) };
        }),
      },
      { target: 'reference' },
    );
  },
};

for (const [name, make] of Object.entries(nets)) {
  t.test(name, async (t) => {
    const p = make();
    const isTraining = name.includes('training');
    const entry = isTraining ? 'train' : 'predict';
    const random = seededRandom(3);
    const feed = (shape: readonly number[], draw: () => number) => ({
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw),
      shape,
    });
    const int = (shape: readonly number[], n: number) => {
      const { data } = feed(shape, () => random.int(0, n - 1));
      return { data: Int32Array.from(data), shape };
    };
    const feeds = isTraining
      ? { x: feed([4, 3, 8, 8], () => random.uniform(-1, 1)), y: int([4], 3) }
      : { words: int([2, 5], 11) };
    const bytes = p.exportOnnx(entry, { batch: isTraining ? 4 : 2 });
    const results: Record<string, h.RunTensor> = { ...(await p.run(entry, feeds)) };
    if (isTraining) {
      for (const { name: v } of p.variables()) results[`next/${v}`] = p.get(v);
    }
    const values = Object.fromEntries(
      Object.entries(feeds).map(([k, { data, shape }]) => [
        k,
        {
          type: { dtype: data instanceof Int32Array ? 'i32' : 'f32', shape },
          data: Float64Array.from(data),
        } as const,
      ]),
    );
    const compare = (got: Readonly<Record<string, ArrayLike<number>>>, who: string): void => {
      let compared = 0;
      for (const [key, have] of Object.entries(got)) {
        const want = results[key]?.data;
        if (want === undefined || want.length !== have.length) {
          t.fail(`${who}: ${key} is no output of the program`);
          continue;
        }
        const scale = Math.max(1e-3, ...Array.from(want, Math.abs));
        const worst = Math.max(...Array.from(want, (v, i) => Math.abs(v - have[i]!)));
        if (!(worst <= 1e-4 * scale)) t.fail(`${who}: ${key} is off by ${worst} of ${scale}`);
        compared++;
      }
      t.ok(compared > (isTraining ? 10 : 0), `${who}: ${compared} outputs agree`);
    };
    const { graph } = readMessage('ModelProto', bytes);
    if (isTraining) t.ok(graph!.input.length > 10, 'variables that change are inputs, too, with defaults');
    compare(await reimported(bytes, values), 'imported again');
    const judged = (await judge?.run(bytes, values)) ?? null;
    if (judged !== null) {
      if ('error' in judged) t.fail(judged.error);
      else compare(judged.outputs, 'onnxruntime');
    }
    await p.dispose();
  });
}

t.test('a model exports its predictions', async (t) => {
  const model = new h.Model({ input: [3] });
  model.add(h.nn.dense(4));
  model.add(h.nn.relu());
  model.add(h.nn.dense(2));
  model.compile({ loss: h.losses.softmaxCrossEntropy, optimizer: h.optimizers.adam() });
  const x = Float32Array.from({ length: 6 }, (_, i) => Math.sin(i));
  const values = { x: { type: { dtype: 'f32', shape: [2, 3] }, data: Float64Array.from(x) } } as const;
  const [got] = Object.values(await reimported(model.exportOnnx({ batchSize: 2 }), values));
  const want = (await model.predict({ data: x, shape: [2, 3] })).data;
  t.ok(want.every((v, i) => Math.abs(v - got![i]!) < 1e-6));
  await model.dispose();
});

const unnumbered = (name: string): string => name.replace(/_\d+$/, '');

t.test('names are those of the program; shapes are told', async (t) => {
  const p = h.program({
    predict: h.entry({ x: h.tensor(['batch', 4]) }, ({ x }, ctx) => {
      const y = h.nn.dense(2, { name: 'head' }).apply(x, ctx);
      return { y, again: y, x };
    }),
  });
  const { graph, opsetImport, producerName } = readMessage(
    'ModelProto',
    p.exportOnnx('predict', { batch: 3 }),
  );
  t.equal(producerName, 'heddle');
  t.equal(opsetImport[0]!.version, 20n);
  t.same(
    graph!.input.map((i) => [i.name, i.type!.tensorType!.shape!.dim.map((d) => Number(d.dimValue))]),
    [['x', [3, 4]]],
  );
  t.same(
    graph!.output.map((o) => o.name),
    ['y', 'again', 'x_2'],
  );
  t.same(
    graph!.initializer.map((i) => i.name).filter((n) => n!.startsWith('head')),
    ['head/w', 'head/b'],
  );
  t.same(
    graph!.node.map((n) => [n.opType, n.input.map(unnumbered), n.output.map(unnumbered)]),
    [
      ['MatMul', ['x', 'head/w'], ['head/dense/dotGeneral']],
      ['Add', ['head/dense/dotGeneral', 'head/b'], ['y']],
      ['Identity', ['y'], ['again']],
      ['Identity', ['x'], ['x']],
    ],
  );
  await p.dispose();
});

t.test('what ONNX cannot express is refused by name, with the line', async (t) => {
  const p = h.program({
    train: h.entry({ x: h.tensor([4]) }, ({ x }, ctx) => ({ y: h.nn.dropout(0.5).apply(x, ctx) }), {
      training: true,
    }),
  });
  t.throws(() => p.exportOnnx('train'), {
    code: 'HDL0021',
    message:
      /^HDL0021: export of (foldIn|randomBits) u32\[.*\n {2}rule: ONNX has no random bits that follow from a key\n {2}at: {3}.*\n {2}try: {2}export an entry that draws nothing/,
  });
  await p.dispose();
});

const skip = judge === null ? 'Python has no onnx and onnxruntime' : false;
t.test('a second opinion was had', { skip }, async (t) => {
  t.ok(judgedModels > 500, `${judgedModels} models were checked by onnx and run by onnxruntime`);
});
