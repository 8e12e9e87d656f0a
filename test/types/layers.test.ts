// What the editor knows of layers is true: for every layer the shape of its output, which must be just what the types say, or
// the file does not compile, and just what the run says, or the test fails.

import t from 'tap';
import { formatShape } from '../../compiler/graph/types.ts';
import { entry, input, mul, nn, program, tensor } from '../../src/index.ts';
import { type Row, rowsFor } from '../support/known-shape.ts';

const row = rowsFor<keyof typeof nn>();

const rows: Row[] = [];

const main = entry({}, (_, ctx) => {
  const x = input('x', [64, 20]);
  const seq = input('seq', [8, 16, 12]);
  const line = input('line', [2, 4, 9]);
  const image = input('image', [2, 4, 8, 6]);
  const volume = input('volume', [2, 4, 8, 6, 4]);
  const video = input('video', [2, 5, 4, 8, 6]);
  const ids = input('ids', [8, 16], 'i32');
  rows.push(
    row('dense', nn.dense(128).apply(x, ctx), [64, 128]), row('dense', nn.dense(3, { bias: false }).apply(seq, ctx), [8, 16, 3]),
    row('dropConnect', nn.dropConnect(7, 0.5).apply(x, ctx), [64, 7]), row('embedding', nn.embedding(100, 32).apply(ids, ctx), [8, 16, 32]),
    row('relu', nn.relu().apply(x, ctx), [64, 20]), row('relu6', nn.relu6().apply(x, ctx), [64, 20]), row('leakyRelu', nn.leakyRelu().apply(x, ctx), [64, 20]),
    row('elu', nn.elu().apply(x, ctx), [64, 20]), row('celu', nn.celu().apply(x, ctx), [64, 20]), row('selu', nn.selu().apply(x, ctx), [64, 20]),
    row('silu', nn.silu().apply(x, ctx), [64, 20]), row('mish', nn.mish().apply(x, ctx), [64, 20]), row('hardSwish', nn.hardSwish().apply(x, ctx), [64, 20]),
    row('hardSigmoid', nn.hardSigmoid().apply(x, ctx), [64, 20]), row('sigmoid', nn.sigmoid().apply(x, ctx), [64, 20]), row('logSigmoid', nn.logSigmoid().apply(x, ctx), [64, 20]),
    row('tanh', nn.tanh().apply(x, ctx), [64, 20]), row('softplus', nn.softplus().apply(x, ctx), [64, 20]), row('softsign', nn.softsign().apply(x, ctx), [64, 20]),
    row('softmax', nn.softmax().apply(x, ctx), [64, 20]), row('logSoftmax', nn.logSoftmax().apply(x, ctx), [64, 20]), row('gelu', nn.gelu().apply(x, ctx), [64, 20]),
    row('softmin', nn.softmin().apply(x, ctx), [64, 20]), row('hardTanh', nn.hardTanh().apply(x, ctx), [64, 20]), row('hardShrink', nn.hardShrink().apply(x, ctx), [64, 20]),
    row('softShrink', nn.softShrink(0.1).apply(x, ctx), [64, 20]), row('tanhShrink', nn.tanhShrink().apply(x, ctx), [64, 20]), row('threshold', nn.threshold(0.1, 20).apply(x, ctx), [64, 20]),
    row('glu', nn.glu().apply(x, ctx), [64, 10]), row('glu', nn.glu({ axis: 1 }).apply(image, ctx), [2, 2, 8, 6]),
    row('pixelShuffle', nn.pixelShuffle(2).apply(image, ctx), [2, 1, 16, 12]), row('pixelUnshuffle', nn.pixelUnshuffle(2).apply(image, ctx), [2, 16, 4, 3]), row('channelShuffle', nn.channelShuffle(2).apply(image, ctx), [2, 4, 8, 6]),
    row('embeddingBag', nn.embeddingBag(100, 32).apply(ids, ctx), [8, 32]), row('embeddingBag', nn.embeddingBag(100, 7, { mode: 'max', padding: 0 }).apply(input('many', [2, 3, 5], 'i32'), ctx), [2, 3, 7]),
    row('prelu', nn.prelu().apply(image, ctx), [2, 4, 8, 6]), row('identity', nn.identity().apply(x, ctx), [64, 20]),
    row('lambda', nn.lambda<nn.SameShape>((v) => mul(v, 2)).apply(x, ctx), [64, 20]), row('layer', nn.layer<nn.DenseRule<5>>('own', (v, c) => nn.dense(5).apply(v, c)).apply(x, ctx), [64, 5]),
    row('dropout', nn.dropout(0.5).apply(x, ctx), [64, 20]), row('spatialDropout', nn.spatialDropout(0.5).apply(image, ctx), [2, 4, 8, 6]),
    row('gaussianNoise', nn.gaussianNoise(1).apply(x, ctx), [64, 20]), row('alphaDropout', nn.alphaDropout(0.5).apply(x, ctx), [64, 20]),
    row('batchNorm', nn.batchNorm().apply(image, ctx), [2, 4, 8, 6]), row('layerNorm', nn.layerNorm().apply(seq, ctx), [8, 16, 12]), row('rmsNorm', nn.rmsNorm().apply(seq, ctx), [8, 16, 12]),
    row('groupNorm', nn.groupNorm(2).apply(image, ctx), [2, 4, 8, 6]), row('instanceNorm', nn.instanceNorm().apply(image, ctx), [2, 4, 8, 6]),
    row('localResponseNorm', nn.localResponseNorm({ size: 3 }).apply(image, ctx), [2, 4, 8, 6]),

    row('conv1d', nn.conv1d(5, 3, { stride: 2 }).apply(line, ctx), [2, 5, 4]), row('conv2d', nn.conv2d(16, 3, { padding: 1 }).apply(image, ctx), [2, 16, 8, 6]),
    row('conv2d', nn.conv2d(16, [3, 2], { padding: 'same', stride: [2, 1] }).apply(image, ctx), [2, 16, 4, 6]), row('conv3d', nn.conv3d(3, 2, { dilation: 2 }).apply(volume, ctx), [2, 3, 6, 4, 2]),
    row('convTranspose1d', nn.convTranspose1d(3, 4, { stride: 2, padding: 1 }).apply(line, ctx), [2, 3, 18]),
    row('convTranspose2d', nn.convTranspose2d(3, 3, { stride: 2, padding: 'same', outputPadding: 1 }).apply(image, ctx), [2, 3, 17, 13]),
    row('convTranspose3d', nn.convTranspose3d(3, 2, { stride: 2 }).apply(volume, ctx), [2, 3, 16, 12, 8]), row('depthwiseConv2d', nn.depthwiseConv2d(3, { multiplier: 2 }).apply(image, ctx), [2, 8, 6, 4]),
    row('separableConv2d', nn.separableConv2d(9, 3, { padding: 'same', stride: 2 }).apply(image, ctx), [2, 9, 4, 3]),
    row('maxPool1d', nn.maxPool1d(2).apply(line, ctx), [2, 4, 4]), row('maxPool2d', nn.maxPool2d(2).apply(image, ctx), [2, 4, 4, 3]), row('maxPool3d', nn.maxPool3d(2).apply(volume, ctx), [2, 4, 4, 3, 2]),
    row('avgPool1d', nn.avgPool1d(3, { stride: 1, padding: 1 }).apply(line, ctx), [2, 4, 9]), row('avgPool2d', nn.avgPool2d([2, 3]).apply(image, ctx), [2, 4, 4, 2]),
    row('avgPool3d', nn.avgPool3d(2).apply(volume, ctx), [2, 4, 4, 3, 2]), row('lpPool1d', nn.lpPool1d(2).apply(line, ctx), [2, 4, 4]), row('lpPool2d', nn.lpPool2d(2).apply(image, ctx), [2, 4, 4, 3]),
    row('lpPool3d', nn.lpPool3d(2).apply(volume, ctx), [2, 4, 4, 3, 2]), row('globalAvgPool', nn.globalAvgPool().apply(image, ctx), [2, 4]), row('globalMaxPool', nn.globalMaxPool().apply(volume, ctx), [2, 4]),
    row('adaptiveAvgPool', nn.adaptiveAvgPool(3).apply(image, ctx), [2, 4, 3, 3]), row('adaptiveMaxPool', nn.adaptiveMaxPool([1, 3]).apply(image, ctx), [2, 4, 1, 3]),

    row('flatten', nn.flatten().apply(image, ctx), [2, 192]), row('reshape', nn.reshape([2, 10]).apply(x, ctx), [64, 2, 10]), row('permute', nn.permute([0, 2, 1]).apply(seq, ctx), [8, 12, 16]),
    row('repeatVector', nn.repeatVector(5).apply(x, ctx), [64, 5, 20]), row('pad', nn.pad([1, [0, 2]]).apply(image, ctx), [2, 4, 10, 8]), row('pad', nn.pad(1).apply(image, ctx), [2, 4, 10, 8]),
    row('upsample', nn.upsample(2).apply(image, ctx), [2, 4, 16, 12]), row('resize', nn.resize([5, 7]).apply(image, ctx), [2, 4, 5, 7]),
    row('timeDistributed', nn.timeDistributed(nn.conv2d(3, 3)).apply(video, ctx), [2, 5, 3, 6, 4]),

    row('rnn', nn.rnn(7).apply(seq, ctx), [8, 16, 7]), row('lstm', nn.lstm(7, { bidirectional: true }).apply(seq, ctx), [8, 16, 14]), row('gru', nn.gru(7, { sequences: false }).apply(seq, ctx), [8, 7]),
    row('multiHeadAttention', nn.multiHeadAttention(4).apply(seq, ctx), [8, 16, 12]), row('transformerBlock', nn.transformerBlock(3).apply(seq, ctx), [8, 16, 12]), row('positions', nn.positions().apply(seq, ctx), [8, 16, 12]),

    row('sequential', nn.sequential([nn.conv2d(8, 3), nn.relu(), nn.maxPool2d(2), nn.flatten(), nn.dense(10)]).apply(image, ctx), [2, 10]),
    row('residual', nn.residual(nn.sequential([nn.dense(9), nn.tanh(), nn.dense(20)])).apply(x, ctx), [64, 20]),
    row('residual', nn.residual([nn.conv2d(6, 3, { padding: 1, stride: 2 }), nn.batchNorm()], nn.conv2d(6, 1, { stride: 2 })).apply(image, ctx), [2, 6, 4, 3]),
  ); // biome-ignore format: a table
  return {};
});

t.test('the editor knows the shapes that the run has', async (t) => {
  const p = program({ main });
  p.layers('main');
  t.not(rows.length, 0);
  for (const [name, node, shape] of rows) t.same(node.type.shape, shape, `${name}: ${formatShape(shape)}`);
  const named = new Set(rows.map(([name]) => name));
  t.same(
    Object.keys(nn).filter((name) => !named.has(name)),
    [],
    'every layer has a row',
  );
  await p.dispose();
});

t.test('a net whose batch is open', async (t) => {
  const net = nn.sequential([nn.dense(16), nn.relu(), nn.dense(3)]);
  const p = program({
    predict: entry({ x: tensor(['batch', 2]) }, ({ x }, ctx) => {
      const y = net.apply(x, ctx);
      const known: readonly [number, 3] = y.type.shape;
      return { y, double: mul(y, known[1]) };
    }),
  });
  t.same(p.layers('predict', { batch: 5 }).at(-1)?.output.type.shape, [5, 3]);
  await p.dispose();
});
