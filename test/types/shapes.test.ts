// What the editor knows of shapes is true: for every public function of tensors a row with its result's shape, which must
// be just what the types say, or the file does not compile, and just what the run says, or the test fails. And no
// function's result is a tensor of which the types know nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { formatShape } from '../../compiler/graph/types.ts';
import * as h from '../../compiler/ops/index.ts';
import { type Row, rowsFor } from '../support/known-shape.ts';

const row = rowsFor<keyof typeof h>();

const x = h.input('x', [6, 4]);
const y = h.input('y', [4]);
const i = h.input('i', [6, 4], 'i32');
const b = h.input('b', [6, 4], 'bool');
const v = h.input('v', [3]);
const w = h.input('w', [5]);
const at = h.input('at', [2, 3], 'i32');
const square = h.input('square', [2, 4, 4]);
const line = h.input('line', [2, 4, 9]);
const image = h.input('image', [2, 4, 8, 6]);
const volume = h.input('volume', [2, 4, 8, 6, 4]);
const steps = h.input('steps', [7, 2, 5]);
const tokens = h.input('tokens', [2, 7, 12]);
const channels = h.input('channels', [4]);
const key = h.randomKey(0);
const weights = (gates: 1 | 3 | 4) =>
  ({
    kernel: h.input('kernel', [5, 3 * gates]),
    recurrent: h.input('recurrent', [3, 3 * gates] as readonly [3, number]),
  }) as const;
const recurrence = h.rnn(steps, weights(1));
const memory = h.lstm(steps, weights(4));
const gated = h.gru(steps, weights(3));
const top = h.topK(x, 3);
const parts = h.split(x, [1, 3], -1);
const halves = h.split(x, 2);
const grids = h.meshgrid([v, w]);
const statistics = h.batchStatistics(image);
const keys = h.splitKey(key, 2);
const loop = h.scan(([s], [r]) => ({ carry: [h.add(s, r)], outputs: [s, h.sum(r)] }), [y], [x]);
const counted = h.scan(([s]) => ({ carry: [s], outputs: [s] }), [y], [], { length: 9 });

const rows: readonly Row[] = [
  // elementwise
  row('abs', h.abs(x), [6, 4]), row('neg', h.neg(x), [6, 4]), row('sign', h.sign(x), [6, 4]), row('square', h.square(x), [6, 4]),
  row('reciprocal', h.reciprocal(x), [6, 4]), row('sqrt', h.sqrt(x), [6, 4]), row('rsqrt', h.rsqrt(x), [6, 4]), row('cbrt', h.cbrt(x), [6, 4]),
  row('exp', h.exp(x), [6, 4]), row('exp2', h.exp2(x), [6, 4]), row('expm1', h.expm1(x), [6, 4]), row('log', h.log(x), [6, 4]),
  row('log1p', h.log1p(x), [6, 4]), row('log2', h.log2(x), [6, 4]), row('sin', h.sin(x), [6, 4]), row('cos', h.cos(x), [6, 4]),
  row('tan', h.tan(x), [6, 4]), row('asin', h.asin(x), [6, 4]), row('acos', h.acos(x), [6, 4]), row('atan', h.atan(x), [6, 4]),
  row('sinh', h.sinh(x), [6, 4]), row('cosh', h.cosh(x), [6, 4]), row('tanh', h.tanh(x), [6, 4]), row('asinh', h.asinh(x), [6, 4]),
  row('acosh', h.acosh(x), [6, 4]), row('atanh', h.atanh(x), [6, 4]), row('erf', h.erf(x), [6, 4]), row('erfc', h.erfc(x), [6, 4]),
  row('floor', h.floor(x), [6, 4]), row('ceil', h.ceil(x), [6, 4]), row('round', h.round(x), [6, 4]), row('trunc', h.trunc(x), [6, 4]),
  row('clip', h.clip(x, 0, 1), [6, 4]), row('isNaN', h.isNaN(x), [6, 4]), row('isInf', h.isInf(x), [6, 4]), row('isFinite', h.isFinite(x), [6, 4]),
  row('relu', h.relu(x), [6, 4]), row('relu6', h.relu6(x), [6, 4]), row('leakyRelu', h.leakyRelu(x), [6, 4]), row('elu', h.elu(x), [6, 4]),
  row('celu', h.celu(x), [6, 4]), row('selu', h.selu(x), [6, 4]), row('gelu', h.gelu(x), [6, 4]), row('silu', h.silu(x), [6, 4]),
  row('mish', h.mish(x), [6, 4]), row('sigmoid', h.sigmoid(x), [6, 4]), row('hardSigmoid', h.hardSigmoid(x), [6, 4]),
  row('hardSwish', h.hardSwish(x), [6, 4]), row('softplus', h.softplus(x), [6, 4]), row('softsign', h.softsign(x), [6, 4]),
  row('logSigmoid', h.logSigmoid(x), [6, 4]), row('hardTanh', h.hardTanh(x), [6, 4]), row('hardShrink', h.hardShrink(x), [6, 4]), row('softShrink', h.softShrink(x), [6, 4]),
  row('tanhShrink', h.tanhShrink(x), [6, 4]), row('threshold', h.threshold(x, 0, 1), [6, 4]), row('softmin', h.softmin(x), [6, 4]), row('log10', h.log10(x), [6, 4]), row('sinc', h.sinc(x), [6, 4]),
  row('erfInv', h.erfInv(x), [6, 4]), row('lgamma', h.lgamma(x), [6, 4]), row('digamma', h.digamma(x), [6, 4]), row('xlogy', h.xlogy(x, y), [6, 4]), row('heaviside', h.heaviside(x, 0.5), [6, 4]), row('copySign', h.copySign(y, x), [6, 4]), row('logit', h.logit(x), [6, 4]), row('nanToNum', h.nanToNum(x), [6, 4]), row('glu', h.glu(x), [6, 2]), row('glu', h.glu(x, 0), [3, 4]), row('softmax', h.softmax(x), [6, 4]), row('logSoftmax', h.logSoftmax(x, 0), [6, 4]),
  row('prelu', h.prelu(x, y), [6, 4]), row('add', h.add(x, y), [6, 4]), row('sub', h.sub(1, x), [6, 4]), row('mul', h.mul(y, x), [6, 4]),
  row('div', h.div(x, 2), [6, 4]), row('mod', h.mod(x, y), [6, 4]), row('floorMod', h.floorMod(x, y), [6, 4]), row('floorDiv', h.floorDiv(x, y), [6, 4]),
  row('pow', h.pow(x, y), [6, 4]), row('atan2', h.atan2(x, y), [6, 4]), row('hypot', h.hypot(x, y), [6, 4]), row('lerp', h.lerp(x, y, 0.5), [6, 4]), row('logAddExp', h.logAddExp(x, y), [6, 4]),
  row('minimum', h.minimum(x, y), [6, 4]), row('maximum', h.maximum(x, y), [6, 4]), row('eq', h.eq(x, y), [6, 4]), row('ne', h.ne(x, y), [6, 4]),
  row('lt', h.lt(x, y), [6, 4]), row('le', h.le(x, y), [6, 4]), row('gt', h.gt(x, y), [6, 4]), row('ge', h.ge(x, y), [6, 4]),
  row('isClose', h.isClose(x, y), [6, 4]), row('allClose', h.allClose(x, y), []), row('logicalAnd', h.logicalAnd(b, b), [6, 4]),
  row('logicalOr', h.logicalOr(b, b), [6, 4]), row('logicalXor', h.logicalXor(b, b), [6, 4]), row('logicalNot', h.logicalNot(b), [6, 4]),
  row('bitwiseAnd', h.bitwiseAnd(i, 1), [6, 4]), row('bitwiseOr', h.bitwiseOr(i, 1), [6, 4]), row('bitwiseXor', h.bitwiseXor(i, 1), [6, 4]),
  row('bitwiseNot', h.bitwiseNot(i), [6, 4]), row('shl', h.shl(i, 1), [6, 4]), row('shr', h.shr(i, 1), [6, 4]), row('where', h.where(b, x, y), [6, 4]),
  row('cast', h.cast(x, 'i32'), [6, 4]), row('bitcast', h.bitcast(x, 'u32'), [6, 4]), row('stopGradient', h.stopGradient(x), [6, 4]),
  row('checkFinite', h.checkFinite(x), [6, 4]), row('checkIndex', h.checkIndex(i, { size: 3 }), [6, 4]),

  // made of nothing
  row('input', x, [6, 4]), row('constant', h.constant([[1, 2], [3, 4]]), [2, 2]), row('full', h.full([2, 3], 1), [2, 3]), row('zeros', h.zeros([2, 3]), [2, 3]),
  row('ones', h.ones([2, 3]), [2, 3]), row('zerosLike', h.zerosLike(x), [6, 4]), row('onesLike', h.onesLike(x), [6, 4]), row('iota', h.iota([2, 3], 1), [2, 3]),
  row('variableNode', h.variableNode('v', [2, 3], 'f32', true), [2, 3]), row('eye', h.eye(3), [3, 3]), row('linspace', h.linspace(0, 1, 5), [5]), row('arange', h.arange(7), [7]), row('arange', h.arange(2, 11, 4), [3]),
  row('causalMask', h.causalMask(3, 4), [3, 4]), row('sequenceMask', h.sequenceMask(h.input('n', [3], 'i32'), 4), [3, 4]),
  row('sinusoidalPositions', h.sinusoidalPositions(7, 12), [7, 12]), row('randomKey', key, [2]), row('foldIn', h.foldIn(key, 1), [2]), row('splitKey', keys[0]!, [2]),
  row('randomBits', h.randomBits(key, [2, 3]), [2, 3]), row('uniform', h.uniform(key, [2, 3]), [2, 3]), row('normal', h.normal(key, [2, 3]), [2, 3]),
  row('truncatedNormal', h.truncatedNormal(key, [2, 3]), [2, 3]), row('bernoulli', h.bernoulli(key, 0.5, [2, 3]), [2, 3]), row('randint', h.randint(key, [3], 0, 9), [3]),
  row('permutation', h.permutation(key, 5), [5]), row('shuffle', h.shuffle(key, x), [6, 4]), row('categorical', h.categorical(key, x), [6]),
  row('categorical', h.categorical(key, x, { axis: 0, count: 3 }), [3, 4]),

  // views and indices
  row('reshape', h.reshape(x, [2, 12]), [2, 12]), row('flatten', h.flatten(image), [2, 192]), row('flatten', h.flatten(image, -2), [2, 4, 48]),
  row('transpose', h.transpose(image, [0, 2, 3, 1]), [2, 8, 6, 4]), row('swapAxes', h.swapAxes(image, 1, -1), [2, 6, 8, 4]),
  row('moveAxis', h.moveAxis(image, 1, -1), [2, 8, 6, 4]), row('moveAxis', h.moveAxis(image, -1, 0), [6, 2, 4, 8]), row('squeeze', h.squeeze(h.input('s', [1, 3, 1])), [3]),
  row('expandDims', h.expandDims(x, 1), [6, 1, 4]), row('unsqueeze', h.unsqueeze(x, -3), [1, 6, 4]), row('reverse', h.reverse(x, 0), [6, 4]), row('flip', h.flip(x), [6, 4]),
  row('broadcastTo', h.broadcastTo(y, [6, 4]), [6, 4]), row('expand', h.expand(y, [6, 4]), [6, 4]), row('concat', h.concat([x, x], -1), [6, 8]), row('stack', h.stack([x, x], 1), [6, 2, 4]),
  row('split', halves[1], [3, 4]), row('split', parts[0], [6, 1]), row('split', parts[1], [6, 3]), row('slice', h.slice(x, [1, 0], [6, 3]), [5, 3]), row('slice', h.slice(x, [0, 1], [6, 4], [4, 2]), [2, 2]),
  row('pad', h.pad(x, [[1, 0], [2, 3]]), [7, 9]), row('tile', h.tile(x, [2, 1, 3]), [2, 6, 12]), row('tile', h.tile(x, [3]), [6, 12]), row('repeat', h.repeat(x, 2, 0), [12, 4]),
  row('roll', h.roll(x, 1), [6, 4]), row('tril', h.tril(x), [6, 4]), row('triu', h.triu(x), [6, 4]), row('diag', h.diag(v, -2), [5, 5]), row('diagonal', h.diagonal(square), [2, 4]),
  row('depthToSpace', h.depthToSpace(image, 2), [2, 1, 16, 12]), row('spaceToDepth', h.spaceToDepth(image, 2), [2, 16, 4, 3]), row('resize', h.resize(image, [5, 7]), [2, 4, 5, 7]),
  row('gather', h.gather(x, at, -1), [6, 2, 3]), row('gatherElements', h.gatherElements(x, at), [2, 3]), row('scatterAdd', h.scatterAdd(y, at, h.input('u', [2, 3])), [4]),
  row('scatterAddElements', h.scatterAddElements(x, at, h.input('u', [2, 3])), [6, 4]), row('scatterUpdate', h.scatterUpdate(y, at, h.input('u', [2, 3])), [4]),
  row('oneHot', h.oneHot(at, 9), [2, 3, 9]), row('oneHot', h.oneHot(at, 9, { axis: 0, dtype: 'bool' }), [9, 2, 3]), row('sort', h.sort(x), [6, 4]), row('argsort', h.argsort(x), [6, 4]),
  row('unfold', h.unfold(image, { kernel: 3, padding: 1, strides: 2 }), [2, 36, 12]), row('unfold', h.unfold(line, { kernel: 3, dilation: 2 }), [2, 12, 5]), row('fold', h.fold(h.input('p', [2, 12, 12]), [8, 6], { kernel: 2, strides: 2 }), [2, 3, 8, 6]),
  row('slidingWindows', h.slidingWindows(x, 3, 0), [4, 4, 3]), row('slidingWindows', h.slidingWindows(line, 3, -1, { step: 2 }), [2, 4, 4, 3]), row('channelShuffle', h.channelShuffle(image, 2), [2, 4, 8, 6]),
  row('rot90', h.rot90(x), [4, 6]), row('rot90', h.rot90(image, 2, [2, 3]), [2, 4, 8, 6]), row('rot90', h.rot90(image, -1, [2, -1]), [2, 4, 6, 8]), row('unstack', h.unstack(x)[5], [4]), row('unstack', h.unstack(image, -1)[0], [2, 4, 8]),
  row('kron', h.kron(x, y), [6, 16]), row('kron', h.kron(x, x), [36, 16]), row('gridSample', h.gridSample(image, h.input('g', [2, 5, 7, 2])), [2, 4, 5, 7]), row('gridSample', h.gridSample(volume, h.input('g', [2, 9, 3])), [2, 4, 9]), row('affineGrid', h.affineGrid(h.input('t', [2, 2, 3]), [5, 7]), [2, 5, 7, 2]),
  row('scatterMax', h.scatterMax(y, at, h.input('u', [2, 3])), [4]), row('scatterMin', h.scatterMin(y, at, h.input('u', [2, 3])), [4]), row('kthValue', h.kthValue(x, 2).values, [6]), row('kthValue', h.kthValue(x, 2, 0, { keepDims: true }).indices, [1, 4]),
  row('searchSorted', h.searchSorted(y, x), [6, 4]), row('binCount', h.binCount(i, 9), [9]), row('histogram', h.histogram(x, 9).counts, [9]), row('histogram', h.histogram(x, 9).edges, [10]), row('interp', h.interp(x, y, y), [6, 4]),
  row('topK', top.values, [6, 3]), row('topK', top.indices, [6, 3]), row('meshgrid', grids[0], [5, 3]), row('meshgrid', h.meshgrid([v, w], { indexing: 'ij' })[1], [3, 5]),

  // reductions
  row('sum', h.sum(x), []), row('prod', h.prod(x, 0), [4]), row('max', h.max(x, -1), [6]), row('min', h.min(x, [0, 1], { keepDims: true }), [1, 1]), row('any', h.any(b, 1), [6]),
  row('all', h.all(b), []), row('mean', h.mean(image, [2, 3]), [2, 4]), row('variance', h.variance(x, 0), [4]), row('std', h.std(x, 0), [4]), row('logSumExp', h.logSumExp(x, -1), [6]),
  row('l1', h.l1(x), []), row('l2', h.l2(x, 1), [6]), row('norm', h.norm(x, 1), [6]), row('normalize', h.normalize(x), [6, 4]), row('argmax', h.argmax(x), [6]), row('argmin', h.argmin(x, 0), [4]),
  row('countNonZero', h.countNonZero(x), []), row('median', h.median(x, 0), [4]), row('quantile', h.quantile(x, 0.3, -1), [6]), row('cumsum', h.cumsum(x), [6, 4]), row('cumprod', h.cumprod(x), [6, 4]),
  row('nanSum', h.nanSum(x), []), row('nanMean', h.nanMean(x, 0), [4]), row('nanMax', h.nanMax(x, -1), [6]), row('nanMin', h.nanMin(x, 1, { keepDims: true }), [6, 1]), row('average', h.average(x, y, 1), [6]),
  row('ptp', h.ptp(x, 0), [4]), row('trapezoid', h.trapezoid(x), [6]), row('covariance', h.covariance(x), [6, 6]), row('correlation', h.correlation(square), [2, 4, 4]), row('ctcGreedyDecode', h.ctcGreedyDecode(tokens).labels, [2, 7]), row('ctcGreedyDecode', h.ctcGreedyDecode(tokens).lengths, [2]), row('cummax', h.cummax(x), [6, 4]), row('cummin', h.cummin(x), [6, 4]), row('logCumSumExp', h.logCumSumExp(x), [6, 4]),
  row('diff', h.diff(x), [6, 3]), row('diff', h.diff(x, 0, 2), [4, 4]), row('trace', h.trace(square), [2]), row('outer', h.outer(v, w), [3, 5]), row('cross', h.cross(h.input('c', [2, 3]), v), [2, 3]),
  row('cosineSimilarity', h.cosineSimilarity(x, y), [6]), row('pairwiseDistance', h.pairwiseDistance(x, y), [6]), row('cdist', h.cdist(x, h.input('c', [9, 4])), [6, 9]),

  // contractions and windows
  row('convolve', h.convolve(v, w), [7]), row('convolve', h.convolve(v, w, 'same'), [5]), row('correlate', h.correlate(w, v), [3]), row('correlate', h.correlate(v, v), [1]),
  row('matmul', h.matmul(square, h.input('m', [4, 5])), [2, 4, 5]), row('dense', h.dense(x, h.input('k', [4, 5])), [6, 5]), row('einsum', h.einsum('bij,bj->ib', square, h.input('e', [2, 4])), [4, 2]),
  row('einsum', h.einsum('bii->b', square), [2]), row('conv1d', h.conv1d(line, h.input('f', [3, 4, 3]), { strides: 2 }), [2, 3, 4]), row('conv2d', h.conv2d(image, h.input('f', [6, 2, 3, 3]), { groups: 2, padding: 'same' }), [2, 6, 8, 6]),
  row('conv3d', h.conv3d(volume, h.input('f', [3, 4, 3, 3, 3]), { padding: 1 }), [2, 3, 8, 6, 4]),
  row('convTranspose1d', h.convTranspose1d(line, h.input('f', [4, 3, 5]), { strides: 2, padding: 'same' }), [2, 3, 18]),
  row('convTranspose2d', h.convTranspose2d(image, h.input('f', [4, 3, 3, 2]), { strides: [2, 1], padding: [1, 0], outputPadding: [1, 0] }), [2, 3, 16, 7]),
  row('convTranspose3d', h.convTranspose3d(volume, h.input('f', [4, 3, 2, 2, 2]), { dilation: 2, groups: 2 }), [2, 6, 10, 8, 6]),
  row('maxPool1d', h.maxPool1d(line, { kernel: 2 }), [2, 4, 4]), row('maxPool2d', h.maxPool2d(image, { kernel: 2 }), [2, 4, 4, 3]), row('maxPool3d', h.maxPool3d(volume, { kernel: 2 }), [2, 4, 4, 3, 2]),
  row('avgPool1d', h.avgPool1d(line, { kernel: 3, strides: 1, padding: 1 }), [2, 4, 9]), row('avgPool2d', h.avgPool2d(image, { kernel: [2, 3] }), [2, 4, 4, 2]), row('avgPool3d', h.avgPool3d(volume, { kernel: 2 }), [2, 4, 4, 3, 2]),
  row('lpPool1d', h.lpPool1d(line, { kernel: 2 }), [2, 4, 4]), row('lpPool2d', h.lpPool2d(image, { kernel: 2 }), [2, 4, 4, 3]), row('lpPool3d', h.lpPool3d(volume, { kernel: 2 }), [2, 4, 4, 3, 2]),
  row('globalAvgPool', h.globalAvgPool(image), [2, 4]), row('globalMaxPool', h.globalMaxPool(image), [2, 4]), row('globalLpPool', h.globalLpPool(image), [2, 4]),
  row('adaptiveAvgPool', h.adaptiveAvgPool(image, [5, 1]), [2, 4, 5, 1]), row('adaptiveMaxPool', h.adaptiveMaxPool(image, [5, 1]), [2, 4, 5, 1]),

  // normalization, sequences, control
  row('batchNorm', h.batchNorm(image), [2, 4, 8, 6]), row('batchStatistics', statistics.mean, [4]), row('batchStatistics', statistics.variance, [4]), row('layerNorm', h.layerNorm(x), [6, 4]),
  row('rmsNorm', h.rmsNorm(x), [6, 4]), row('groupNorm', h.groupNorm(image, 2, { scale: channels }), [2, 4, 8, 6]), row('instanceNorm', h.instanceNorm(image), [2, 4, 8, 6]),
  row('localResponseNorm', h.localResponseNorm(image, { size: 3 }), [2, 4, 8, 6]), row('splitHeads', h.splitHeads(tokens, 3), [2, 3, 7, 4]), row('joinHeads', h.joinHeads(h.input('a', [2, 3, 7, 4])), [2, 7, 12]),
  row('rotary', h.rotary(tokens), [2, 7, 12]), row('attention', h.attention(tokens, h.input('k', [2, 5, 12]), h.input('v', [2, 5, 3])), [2, 7, 3]),
  row('rnn', recurrence.outputs, [7, 2, 3]), row('rnn', recurrence.state, [2, 3]), row('lstm', memory.outputs, [7, 2, 3]), row('lstm', memory.cell, [2, 3]), row('gru', gated.outputs, [7, 2, 3]),
  row('gru', gated.state, [2, 3]), row('scan', loop.carry[0], [4]), row('scan', loop.outputs[0], [6, 4]), row('scan', loop.outputs[1], [6]), row('scan', counted.outputs[0], [9, 4]),
  row('checkpoint', h.checkpoint(([a]) => h.tanh(a), [x]), [6, 4]), row('customGradient', h.customGradient(([a]) => h.tanh(a), ([g]) => [g!], [x]), [6, 4]),
]; // biome-ignore format: a table

/** Shapes that no type can follow, and why. */
const unknown: Readonly<Record<string, string>> = {
  defineOp: 'makes records, not tensors',
};

t.test('the editor knows the shapes that the run has', async (t) => {
  for (const [name, node, shape] of rows) t.same(node.type.shape, shape, `${name}: ${formatShape(shape)}`);
});

t.test('of every public function', async (t) => {
  const named = new Set([...rows.map(([name]) => name), ...Object.keys(unknown)]);
  const files = fileURLToPath(new URL('../../compiler/ops/', import.meta.url));
  const declared = readdirSync(files)
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => readFileSync(files + name, 'utf8'))
    .join('\n');
  for (const name of Object.keys(h).filter((n) => !named.has(n))) {
    // A function without a row, a new one: what it returns has a shape that follows from its operands.
    const result = new RegExp(`export declare function ${name}\\b[\\s\\S]*?\\n?\\): (.*);`).exec(
      declared,
    )?.[1];
    t.match(result, /^Node<(?!Shape\b)/, `${name} returns ${result ?? 'nothing that is declared'}`);
  }
});
