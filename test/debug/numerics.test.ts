// Planted NaNs and infinities are found and named: the op, in the words of the program, its line, and what went in.

import t from 'tap';
import * as h from '../../src/index.ts';

/** This file's line that holds the text, as errors name it. */
const here = /numerics\.test\.[jt]s:(\d+):\d+/;

const deep = (options: h.ProgramOptions) => {
  const x = h.tensor(['batch', 6]);
  const y = h.tensor(['batch'], 'i32');
  const blocks = ['block1', 'block2', 'block3', 'block4'].map((name) =>
    h.nn.dense(6, { name: `${name}/dense` }),
  );
  const head = h.nn.dense(3, { name: 'head' });
  const optimizer = h.optimizers.sgd({ learningRate: 0.1 });
  return h.program(
    {
      train: h.entry(
        { x, y },
        ({ x, y }, ctx) => {
          let v: h.Floats = x;
          for (const [i, dense] of blocks.entries()) {
            v = h.tanh(dense.apply(v, ctx));
            // Of block 3: the logarithm of what is negative here and there.
            if (i === 2) v = h.scope('block3', () => h.log(h.add(v, 0.2)));
          }
          const loss = h.losses.softmaxCrossEntropy(head.apply(v, ctx), y);
          const params = h.parametersOf(loss);
          optimizer.update(params, h.grad(loss, params), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    options,
  );
};

const batch = (n: number) => ({
  x: Float32Array.from({ length: 6 * n }, (_, i) => Math.sin(3 * i)),
  y: Int32Array.from({ length: n }, (_, i) => i % 3),
});

for (const target of ['wasm', 'js', 'reference'] as const) {
  t.test(`${target}: the logarithm of a negative number in the third block`, async (t) => {
    const p = deep({ target, threads: 2 });
    const feeds = batch(8);
    const before = await p.checkNumerics('train', feeds);
    const { found } = before;
    t.equal(found?.kind, 'op');
    t.equal(found?.op, 'log');
    t.equal(found?.scope, 'block3');
    t.equal(found?.what, 'log f32[8, 6] in block3');
    t.equal(found?.isGradient, false);
    t.match(`${found?.loc?.file}:${found?.loc?.line}:${found?.loc?.column}`, here);
    t.ok(found!.range.nan > 0 && found!.range.infinite === 0 && found!.range.elements === 48);
    const [operand] = found!.operands;
    t.match(operand, { what: 'add f32[8, 6] in block3', range: { nan: 0, infinite: 0 } });
    t.ok(operand!.range.min! < 0 && operand!.range.max! > 0);
    t.ok(operand!.element! < 0, 'the element that was fed to it where the first NaN is');
    t.match(
      h.formatNumerics(before),
      new RegExp(
        `^train: the first value that is not finite is made by log f32\\[8, 6\\] in block3 at .*${here.source}\n` +
          `  its value: ${found!.range.nan} of 48 NaN, others in \\[.*\\]; element ${found!.position} is NaN\n` +
          `  operand 0, add f32\\[8, 6\\] in block3 at .*: in \\[-0\\.\\d+, 1\\.\\d+\\]; element ${found!.position} is -`,
      ),
    );
    const w = p.get('head/w').data;
    t.notOk(Number.isFinite((await p.run('train', feeds)).loss.data[0]!));
    t.notSame(p.get('head/w').data, w, 'a run spoils the variables');
    t.match(
      (await p.checkNumerics('train', feeds)).found,
      { kind: 'variable', what: /^variable '/ },
      'which is told of next',
    );
    await p.dispose();
  });
}

t.test('with the option, the error of the run says so, and nothing is committed', async (t) => {
  const p = deep({ checkNumerics: true, threads: 1 });
  const w = p.get.bind(p);
  let message = '';
  try {
    await p.run('train', batch(8));
  } catch (error) {
    message = (error as Error).message;
  }
  t.match(
    message,
    /^HDL1005: a value of log f32\[8, 6\] in block3 in 'train' is not finite: \d+ of 48 NaN, others in \[.*\]\n {2}rule: values that are checked are neither NaN nor infinite; its operands: add f32\[8, 6\] in block3 in \[-.*\]\n {2}at: {3}.*numerics\.test\.[jt]s:\d+:\d+\n {2}try: {2}lower the learning rate/,
  );
  t.ok(w('head/w').data.every(Number.isFinite));
  await p.dispose();
});

t.test('a learning rate that explodes: the overflow is named, not the NaN that it ends in', async (t) => {
  const x = h.tensor(['batch', 4]);
  const layers = [
    h.nn.dense(16, { name: 'first' }),
    h.nn.dense(16, { name: 'second' }),
    h.nn.dense(1, { name: 'last' }),
  ];
  const optimizer = h.optimizers.sgd({ learningRate: 50 });
  const p = h.program(
    {
      train: h.entry(
        { x, y: h.tensor(['batch', 1]) },
        ({ x, y }, ctx) => {
          const out = layers.reduce<h.Floats>((v, layer) => layer.apply(v, ctx), x);
          const loss = h.losses.meanSquaredError(out, y);
          const params = h.parametersOf(loss);
          optimizer.update(params, h.grad(loss, params), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    { threads: 1 },
  );
  const feeds = {
    x: Float32Array.from({ length: 32 }, (_, i) => Math.cos(i)),
    y: Float32Array.from({ length: 8 }, (_, i) => i),
  };
  let report = await p.checkNumerics('train', feeds);
  let steps = 0;
  for (; report.found === null && steps < 100; steps++) {
    await p.run('train', feeds);
    report = await p.checkNumerics('train', feeds);
  }
  const { found } = report;
  t.ok(steps > 0, `found after ${steps} steps: ${h.formatNumerics(report)}`);
  t.equal(found?.kind, 'op', 'no variable has been spoilt yet');
  t.ok(found!.operands.length > 0 && found!.operands.every((o) => o.range.nan + o.range.infinite === 0));
  const largest = Math.max(
    ...found!.operands.flatMap((o) => [Math.abs(o.range.min ?? 0), Math.abs(o.range.max ?? 0)]),
  );
  t.ok(largest > 1e15, `its operands are huge: ${largest}`);
  t.ok(found!.range.infinite > 0 || found!.range.nan > 0);
  await p.dispose();
});

t.test('0/0 in a loss of one’s own', async (t) => {
  const p = h.program(
    {
      evaluate: h.entry({ x: h.tensor(['batch', 3]), mask: h.tensor(['batch']) }, ({ x, mask }) => ({
        loss: h.scope('maskedLoss', () => h.div(h.sum(h.mul(h.sum(x, [1]), mask)), h.sum(mask))),
      })),
    },
    { threads: 1 },
  );
  const feeds = { x: new Float32Array(12).fill(1), mask: new Float32Array(4) };
  const report = await p.checkNumerics('evaluate', feeds);
  t.match(report.found, {
    kind: 'op',
    op: 'div',
    scope: 'maskedLoss',
    position: 0,
    element: Number.NaN,
    operands: [{ element: 0 }, { element: 0 }],
  });
  t.match(h.formatNumerics(report), /operand 1, reduceSum f32\[\] in maskedLoss at .*: 0; element 0 is 0$/);
  const fine = await p.checkNumerics('evaluate', { ...feeds, mask: [0, 1, 0, 0] });
  t.equal(fine.found, null);
  t.match(h.formatNumerics(fine), /^evaluate: all of \d+ computed values are finite$/);
  await p.dispose();
});

t.test('what is wrong in a gradient is said to be of the gradient', async (t) => {
  const w = h.variable('root/w', [3], h.initializers.zeros());
  const p = h.program(
    {
      train: h.entry({}, (_, ctx) => {
        const loss = h.sum(h.scope('root', () => h.sqrt(w)));
        const [dw] = h.grad(loss, [w]);
        ctx.assign(w, h.sub(w, dw));
        return { loss };
      }),
    },
    { threads: 1 },
  );
  const { found } = await p.checkNumerics('train', {});
  t.match(found, { kind: 'op', isGradient: true, scope: 'root', what: /in the gradient of root$/ });
  t.match(found!.operands.at(-1)!.range, { nan: 0 });
  await p.dispose();
});

t.test('an input that brings a NaN is named itself', async (t) => {
  const p = h.program({ apply: h.entry({ x: h.tensor([3]) }, ({ x }) => ({ y: h.exp(x) })) }, { threads: 1 });
  const { found } = await p.checkNumerics('apply', { x: [1, Number.NaN, 3] });
  t.match(found, { kind: 'input', what: "input 'x' f32[3]", position: 1, operands: [] });
  await p.dispose();
});

t.test('in many steps, the step that failed is looked at: with its own rows', async (t) => {
  const make = () =>
    h.program(
      {
        train: h.entry({ x: h.tensor(['batch', 2]) }, ({ x }, ctx) => {
          const total = ctx.variable('total', [], h.initializers.zeros());
          const loss = h.scope('logs', () => h.sum(h.log(x)));
          ctx.assign(total, h.add(total, loss));
          return { loss };
        }),
      },
      { threads: 1, checkNumerics: true },
    );
  // Row 3 has a negative number, and is read by the third step.
  const x = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, -8), shape: [4, 2] };
  const messageOf = (job: Promise<unknown>) =>
    job.then(
      () => 'no error',
      (e: Error) => e.message,
    );
  for (const feed of [
    h.resident({ x }, Int32Array.of(0, 1, 2, 0, 1, 3, 2, 2)),
    h.resident({ x }).rows([0, 1, 2, 0, 1, 3, 2, 2]),
  ]) {
    const p = make();
    const message = await messageOf(p.run('train', { steps: 4, feed }));
    t.match(
      message,
      /^HDL1005: a value of log f32\[2, 2\] in logs in 'train' is not finite at step 2 of 4 \(counted from 0\): 1 of 4 NaN, others in \[1\.0986, 1\.9459\]\n {2}rule: .*; its operands: input 'x' f32\[2, 2\] in \[-8, 7\]/,
    );
    t.ok(Math.abs(p.get('total').data[0]! - Math.log(24 * 60)) < 1e-4, 'the steps before are committed');
    await p.dispose();
  }
  const p = make();
  const constant = await messageOf(p.run('train', { steps: 2, feed: { x: [[1, -1]] } }));
  t.match(constant, /is not finite at step 0 of 2 .*: 1 of 2 NaN, others 0\n/);
  const stream = await messageOf(p.run('train', { steps: 2, feed: [{ x: [[1, 1]] }, { x: [[1, -1]] }] }));
  t.match(
    stream,
    /a value of log f32\[1, 2\] in logs in 'train' is not finite.* at step 1/,
    'of an iterator: the op alone',
  );
  await p.dispose();
});
