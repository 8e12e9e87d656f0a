// Models as parts of programs: variables, named sizes, constants, functions, training, versions, control flow.

import t from 'tap';
import * as h from '../../src/index.ts';
import { encode, floats, graph, info, ints, model, node, runModel } from '../support/onnx-model.ts';

const linear = model({
  inputs: [info('x', ['batch', 2])],
  initializers: [floats('w', [2, 1], [1, 2]), floats('b', [1], [0.5])],
  nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
  outputs: ['y'],
});

t.test('an entry of a program, for any batch', async (t) => {
  const net = h.importOnnx(linear);
  t.same(net.inputs, { x: { shape: ['batch', 2], dtype: 'f32' } });
  t.same(net.outputs, ['y']);
  t.same(Object.keys(net.variables), ['w', 'b']);
  const p = h.program({ predict: h.entry(net.inputs, net.build) }, { threads: 1 });
  t.same(Array.from((await p.run('predict', { x: [[1, 1]] }))['y']!.data), [3.5]);
  t.same(
    Array.from(
      (
        await p.run('predict', {
          x: [
            [1, 1],
            [2, 0],
          ],
        })
      )['y']!.data,
    ),
    [3.5, 2.5],
  );
  await p.dispose();
});

t.test('weights train, stay, or are constants', async (t) => {
  const step = async (weights: 'train' | 'freeze' | 'constant'): Promise<string[]> => {
    const net = h.importOnnx(linear, { weights });
    return h.parametersOf(net.build({ x: h.input('x', [1, 2]) })['y']!).map(h.variableName);
  };
  t.same(await step('train'), ['w', 'b']);
  t.same(await step('freeze'), []);
  t.same(await step('constant'), []);
  t.same(Object.keys(h.importOnnx(linear, { weights: 'constant' }).variables), []);
});

t.test('a model learns further', async (t) => {
  const net = h.importOnnx(linear);
  const sgd = h.optimizers.sgd({ learningRate: 0.1 });
  const p = h.program(
    {
      step: h.entry(
        { ...net.inputs, target: h.tensor(['batch', 1]) },
        (fed, ctx) => {
          const { x, target } = fed as Record<string, h.Tensor>;
          const { y } = net.build({ x: x! }, ctx);
          const loss = h.losses.meanSquaredError(y!, target!);
          const weights = Object.values(net.variables);
          sgd.update(weights, h.grad(loss, weights), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    { target: 'reference' },
  );
  const feeds = {
    x: [
      [1, 0],
      [0, 1],
    ],
    target: [[0], [0]],
  };
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) losses.push((await p.run('step', feeds))['loss']!.data[0]!);
  t.ok(losses.at(-1)! < 0.1 * losses[0]!, `${losses[0]} to ${losses.at(-1)}`);
  await p.dispose();
});

t.test('batch normalization in training moves its statistics, in evaluation it reads them', async (t) => {
  const bytes = model({
    inputs: [info('x', [2, 1])],
    initializers: ['scale', 'var']
      .map((n) => floats(n, [1], [1]))
      .concat(['bias', 'mean'].map((n) => floats(n, [1], [0]))),
    nodes: [
      node('BatchNormalization', ['x', 'scale', 'bias', 'mean', 'var'], ['y'], { momentum: { float: 0.5 } }),
    ],
    outputs: ['y'],
  });
  const net = h.importOnnx(bytes);
  t.equal(net.variables['mean']!.attrs['trainable'], false);
  const p = h.program(
    { train: h.entry(net.inputs, net.build, { training: true }), predict: h.entry(net.inputs, net.build) },
    { target: 'reference' },
  );
  const near = (x: ArrayLike<number>, want: number[]) =>
    Array.from(x).every((v, i) => Math.abs(v - want[i]!) < 1e-4);
  t.ok(near((await p.run('predict', { x: [[1], [3]] }))['y']!.data, [1, 3]));
  t.ok(near((await p.run('train', { x: [[1], [3]] }))['y']!.data, [-1, 1]));
  t.ok(near(p.get('mean').data, [1]), 'half of the old mean, half of 2');
  t.ok(near(p.get('var').data, [1]));
  t.ok(near((await p.run('predict', { x: [[1], [3]] }))['y']!.data, [0, 2]));
  await p.dispose();
});

t.test('dropout drops in training alone, and keeps the mean', async (t) => {
  const bytes = model({
    inputs: [info('x', [1000])],
    nodes: [node('Dropout', ['x'], ['y'])],
    outputs: ['y'],
  });
  const net = h.importOnnx(bytes);
  const p = h.program(
    { train: h.entry(net.inputs, net.build, { training: true }), predict: h.entry(net.inputs, net.build) },
    { target: 'reference' },
  );
  const x = new Float32Array(1000).fill(1);
  t.same(Array.from((await p.run('predict', { x }))['y']!.data), Array.from(x));
  const y = Array.from((await p.run('train', { x }))['y']!.data);
  t.ok(y.every((v) => v === 0 || v === 2));
  t.ok(Math.abs(y.reduce((a, b) => a + b, 0) - 1000) < 150);
  await p.dispose();
});

t.test('shapes from shapes are folded', async (t) => {
  // y = reshape(x, [shape(x)[1], -1])
  const bytes = model({
    inputs: [info('x', ['n', 3])],
    initializers: [ints('one', [1], [1]), ints('open', [1], [-1])],
    nodes: [
      node('Shape', ['x'], ['s']),
      node('Gather', ['s', 'one'], ['d']),
      node('Concat', ['d', 'open'], ['wanted'], { axis: 0 }),
      node('Reshape', ['x', 'wanted'], ['y']),
      node('Shape', ['y'], ['z']),
    ],
    outputs: ['z'],
  });
  t.same(
    await runModel(bytes, {
      x: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    }),
    { z: [3, 2] },
  );
});

t.test('an input that decides a shape is given as a constant', async (t) => {
  const bytes = model({
    inputs: [info('x', [2, 3]), info('shape', [2], 'int64')],
    nodes: [node('Reshape', ['x', 'shape'], ['y']), node('Shape', ['y'], ['z'])],
    outputs: ['z'],
  });
  const x = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  t.same(await runModel(bytes, { x }, { constants: { shape: [3, 2] } }), { z: [3, 2] });
  t.same(await runModel(bytes, { x }, { constants: { shape: { data: [6n, -1n], shape: [2] } } }), {
    z: [6, 1],
  });
  const error = await runModel(bytes, { x, shape: [3, 2] }).catch((e: unknown) => e);
  t.ok(error instanceof h.OnnxConstantError);
  t.same((error as h.OnnxConstantError).inputs, ['shape']);
});

t.test('functions of the model are built in place, with attributes of the call', async (t) => {
  const twice = {
    name: 'Pick',
    domain: 'mine',
    input: ['x'],
    output: ['y'],
    attribute: ['which'],
    opsetImport: [{ domain: '', version: 17n }],
    node: [node('Identity', ['x'], ['t']), node('ReduceSum', ['t'], ['y'], { keepdims: { ref: 'which' } })],
  };
  const bytes = (which: number) =>
    model({
      inputs: [info('t', [3])],
      nodes: [node('Pick', ['t'], ['z'], { which }, { domain: 'mine' }), node('Shape', ['z'], ['rank'])],
      outputs: ['z', 'rank'],
      functions: [twice],
      opsets: [{ domain: 'mine', version: 1n }],
    });
  t.same(await runModel(bytes(0), { t: [1, 2, 3] }), { z: [6], rank: [] });
  t.same(await runModel(bytes(1), { t: [1, 2, 3] }), { z: [6], rank: [1] });
});

t.test('one name, several meanings: versions', async (t) => {
  const x = [
    [
      [0, 0],
      [0, 0],
    ],
  ];
  const softmax = (opset: number) =>
    runModel(
      model({
        opset,
        inputs: [info('x', [1, 2, 2])],
        nodes: [node('Softmax', ['x'], ['y'])],
        outputs: ['y'],
      }),
      { x },
    );
  t.same(await softmax(11), { y: [0.25, 0.25, 0.25, 0.25] }, 'over all dimensions from axis 1');
  t.same(await softmax(13), { y: [0.5, 0.5, 0.5, 0.5] }, 'over the last axis');
  const add = model({
    opset: 6,
    inputs: [info('x', [2, 2]), info('b', [2])],
    nodes: [node('Add', ['x', 'b'], ['y'], { broadcast: 1, axis: 0 })],
    outputs: ['y'],
  });
  t.same(
    await runModel(add, {
      x: [
        [1, 2],
        [3, 4],
      ],
      b: [10, 20],
    }),
    { y: [11, 12, 23, 24] },
  );
  const reshape = model({
    opset: 1,
    inputs: [info('x', [2, 2])],
    nodes: [node('Reshape', ['x'], ['y'], { shape: [4] })],
    outputs: ['y'],
  });
  t.same(
    await runModel(reshape, {
      x: [
        [1, 2],
        [3, 4],
      ],
    }),
    { y: [1, 2, 3, 4] },
  );
});

t.test('integers of 8 bits wrap', async (t) => {
  const bytes = model({
    inputs: [info('x', [2], 'uint8')],
    nodes: [node('Add', ['x', 'x'], ['y'])],
    outputs: ['y'],
  });
  t.same(await runModel(bytes, { x: [100, 200] }), { y: [200, 144] });
});

t.test('a cast to 16 bits rounds, halves to even, and lets the gradient through', async (t) => {
  const x = [1 + 2 ** -11, 1 + 3 * 2 ** -11, -0.1, 2 ** -25, 3 * 2 ** -25, 65519, 65520, -1e9, 0];
  const cast = (to: number) =>
    model({ inputs: [info('x', [x.length])], nodes: [node('Cast', ['x'], ['y'], { to })], outputs: ['y'] });
  const half = [1, 1 + 2 ** -9, -0.0999755859375, 0, 2 ** -23, 65504, Infinity, -Infinity, 0];
  t.same((await runModel(cast(10), { x }))['y'], half);
  const brain = await runModel(cast(16), { x: x.map((v) => (v === 2 ** -25 ? 1 + 2 ** -8 : v)) });
  t.same(brain['y']!.slice(0, 4), [1, 1, -0.10009765625, 1]);
  const net = h.importOnnx(cast(10));
  const p = h.program(
    {
      run: h.entry(net.inputs, (fed) => {
        const v = (fed as Record<string, h.Tensor>)['x']!;
        return { g: h.grad(h.sum(net.build({ x: v })['y']!) as h.Tensor, [v])[0]! };
      }),
    },
    { target: 'reference' },
  );
  t.same(
    Array.from((await p.run('run', { x }))['g']!.data),
    x.map(() => 1),
  );
  await p.dispose();
});

t.test('branches', async (t) => {
  const branch = (op: string) => ({ graph: graph([node(op, ['x'], ['r'])], [], ['r']) });
  const bytes = model({
    inputs: [info('c', [], 'bool'), info('x', [2])],
    nodes: [node('If', ['c'], ['y'], { then_branch: branch('Neg'), else_branch: branch('Exp') })],
    outputs: ['y'],
  });
  t.same(await runModel(bytes, { c: true, x: [1, 2] }), { y: [-1, -2] }, 'both are computed, one is taken');
  t.same(await runModel(bytes, { x: [1, 2] }, { constants: { c: true } }), { y: [-1, -2] });
  t.same(await runModel(bytes, { x: [0, 0] }, { constants: { c: false } }), { y: [1, 1] });
});

t.test('loops', async (t) => {
  // a doubles in each round, and each a is collected.
  const body = graph(
    [
      node('Add', ['a', 'a'], ['next']),
      node('Identity', ['next'], ['seen']),
      node('Identity', ['go'], ['on']),
    ],
    [info('i', [], 'int64'), info('go', [], 'bool'), info('a', [1])],
    ['on', 'next', 'seen'],
  );
  const bytes = model({
    inputs: [info('n', [], 'int64'), info('a', [1])],
    nodes: [node('Loop', ['n', '', 'a'], ['last', 'all'], { body: { graph: body } })],
    outputs: ['last', 'all'],
  });
  t.same(await runModel(bytes, { a: [1] }, { constants: { n: 3 } }), { last: [8], all: [2, 4, 8] });
});

t.test('scans', async (t) => {
  const body = graph(
    [node('Add', ['s', 'x'], ['sum']), node('Identity', ['sum'], ['out'])],
    [info('s', []), info('x', [])],
    ['sum', 'out'],
  );
  const scan = (directions: number[]) =>
    model({
      inputs: [info('s', []), info('x', [3])],
      nodes: [
        node('Scan', ['s', 'x'], ['last', 'all'], {
          body: { graph: body },
          num_scan_inputs: 1,
          scan_input_directions: directions,
        }),
      ],
      outputs: ['last', 'all'],
    });
  t.same(await runModel(scan([0]), { s: 0, x: [1, 2, 3] }), { last: [6], all: [1, 3, 6] });
  t.same(await runModel(scan([1]), { s: 0, x: [1, 2, 3] }), { last: [6], all: [3, 5, 6] });
});

t.test('what nothing needs may be anything', async (t) => {
  const bytes = model({
    inputs: [info('x', [1])],
    nodes: [node('Whatever', ['x'], ['z'], {}, { domain: 'elsewhere' }), node('Neg', ['x'], ['y'])],
    outputs: ['y'],
  });
  t.same(await runModel(bytes, { x: [1] }), { y: [-1] });
});

t.test('two models in one program live in scopes of their own', async (t) => {
  const [a, b] = ['a', 'b'].map((name) => h.scope(name, () => h.importOnnx(linear)));
  t.same(Object.values(a!.variables).map(h.variableName), ['a/w', 'a/b']);
  t.same(Object.values(b!.variables).map(h.variableName), ['b/w', 'b/b']);
  t.ok(encode('ModelProto', {}).length === 0);
});
