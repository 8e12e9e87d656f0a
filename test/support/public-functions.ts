// Every public function of tensors, with how to apply it: what operands it takes, of which dtypes, where it is
// differentiable, along which axis. test/ops/public.test.ts goes through the table. A function without a row is taken for an
// elementwise one of f32, of as many tensors as it has parameters: one that is, needs none.

import type { Node } from '../../compiler/graph/ir.ts';
import type { DType, Shape } from '../../compiler/graph/types.ts';
import * as ops from '../../compiler/ops/index.ts';

/** The public functions without their types: the table applies them to whatever its rows say. */
export const h = ops as unknown as Readonly<Record<string, (...x: unknown[]) => Node>>;

export interface PublicFunction {
  readonly name: string;
  readonly apply: (...x: Node[]) => Node | readonly Node[];
  /** Shapes of operands. */
  readonly shapes: readonly Shape[];
  /** Dtypes that the first operands may have, all of them alike. */
  readonly dtypes: readonly DType[];
  /** Dtypes of operands that do not follow the first: indices, conditions. */
  readonly fixed: Readonly<Record<number, DType>>;
  /** Where f32 elements are drawn. */
  readonly range: readonly [number, number];
  /** How often it is differentiable in its f32 operands; 0: it has no gradient. */
  readonly smooth: 0 | 1 | 2;
  /** Shapes with a dimension of 0; null where no elements are refused. */
  readonly empty: readonly Shape[] | null;
  /** False where nothing is said about dtypes: others than `dtypes` may be accepted. */
  readonly isStrict: boolean;
  /** The same function along an axis of the operands. */
  readonly along?: (axis: number, ...x: Node[]) => Node | readonly Node[];
}

type Options = Partial<Omit<PublicFunction, 'name' | 'apply' | 'shapes'>>;

const all: readonly DType[] = ['f32', 'i32', 'u32', 'bool'];
const numbers: readonly DType[] = ['f32', 'i32', 'u32'];
const signed: readonly DType[] = ['f32', 'i32'];
const integers: readonly DType[] = ['i32', 'u32'];
const floats: readonly DType[] = ['f32'];

function row(
  name: string,
  shapes: readonly Shape[],
  options: Options & { apply?: PublicFunction['apply'] } = {},
): PublicFunction {
  const { along } = options;
  return {
    name,
    shapes,
    dtypes: floats,
    fixed: {},
    range: [-2, 2],
    smooth: 2,
    isStrict: true,
    empty: shapes.map((s) => [0, ...s.slice(1)]),
    apply: along ? (...x) => along(x[0]!.type.shape.length - 1, ...x) : (...x) => h[name]!(...x),
    ...options,
  };
}

/** Functions of one tensor of any shape. */
const one = (names: string, options: Options = {}): PublicFunction[] =>
  names.split(' ').map((n) => row(n, [[3, 4]], { empty: [[0, 4]], ...options }));
/** Functions of two tensors that broadcast. */
const two = (names: string, options: Options = {}): PublicFunction[] =>
  names.split(' ').map((n) => row(n, [[3, 4], [4]], { empty: [[0, 4], [4]], ...options }));
/** Functions along one axis, `f(x, axis)`. */
const byAxis = (names: string, options: Options = {}): PublicFunction[] =>
  names.split(' ').map((n) => row(n, [[3, 4]], { along: (a, x) => h[n]!(x, a), ...options }));
const images: readonly Shape[] = [[2, 4, 6, 5]];
/** Functions of pictures. */
const spatial = (name: string, apply: PublicFunction['apply'], options: Options = {}): PublicFunction =>
  row(name, images, { apply, empty: [[0, 4, 6, 5]], ...options });

const rows: readonly PublicFunction[] = [
  // elementwise
  ...one('neg', { dtypes: signed }),
  ...one('abs sign', { dtypes: signed, range: [0.2, 2] }),
  ...one('square', { dtypes: numbers }),
  ...one('floor ceil trunc', { range: [0.1, 0.9] }),
  ...one('round', { range: [0.1, 0.4] }),
  ...one('exp expm1 exp2 sin cos tanh erf erfc sinh cosh asinh atan sigmoid softplus logSigmoid silu mish softsign gelu'),
  ...one('log log2 log10 sqrt rsqrt reciprocal cbrt', { range: [0.5, 3] }),
  ...one('log1p', { range: [-0.5, 3] }),
  ...one('tan', { range: [-1, 1] }),
  ...one('asin acos atanh', { range: [-0.8, 0.8] }),
  ...one('acosh', { range: [1.3, 4] }),
  ...one('relu relu6 leakyRelu elu selu celu hardSigmoid hardSwish', { range: [0.2, 2] }),
  ...one('hardTanh tanhShrink', { range: [0.2, 0.9] }),
  ...one('hardShrink softShrink', { range: [0.6, 2] }),
  row('threshold', [[3, 4]], { apply: (x) => h['threshold']!(x, 0.5, 20), range: [0.6, 2], empty: [[0, 4]] }),
  ...byAxis('softmin'),
  row('prelu', [[3, 4], [4]], { empty: [[0, 4], [4]], range: [0.2, 2] }),
  row('clip', [[3, 4]], { apply: (x) => h['clip']!(x, 0, 3), dtypes: numbers, range: [0.1, 2] }),
  row('logit', [[3, 4]], { range: [0.1, 0.9], empty: [[0, 4]] }),
  ...one('nanToNum sinc'),
  ...one('erfInv', { range: [-0.8, 0.8] }),
  ...one('lgamma digamma', { range: [0.3, 9.4] }),
  ...two('xlogy heaviside copySign', { range: [0.3, 2] }),
  ...one('isNaN isInf isFinite', { smooth: 0 }),
  ...two('add sub mul', { dtypes: numbers }),
  ...two('div mod floorMod', { dtypes: numbers, range: [0.6, 0.9] }),
  ...two('floorDiv', { dtypes: numbers, range: [0.6, 0.9] }),
  ...two('pow', { range: [0.5, 2] }),
  ...two('atan2 hypot', { range: [0.3, 2] }),
  ...two('minimum maximum', { dtypes: numbers }),
  row('lerp', [[3, 4], [4], [3, 1]], { empty: [[0, 4], [4], [0, 1]], range: [0.6, 2] }),
  ...two('eq ne', { dtypes: all, smooth: 0 }),
  ...two('lt le gt ge', { dtypes: numbers, smooth: 0 }),
  ...two('isClose', { smooth: 0 }),
  row('allClose', [[3, 4], [4]], { smooth: 0, empty: [[0, 4], [4]] }),
  ...two('logicalAnd logicalOr logicalXor', { dtypes: ['bool'], smooth: 0 }),
  ...one('logicalNot', { dtypes: ['bool'], smooth: 0 }),
  ...two('bitwiseAnd bitwiseOr bitwiseXor shl shr', { dtypes: integers, smooth: 0 }),
  ...one('bitwiseNot', { dtypes: integers, smooth: 0 }),
  row('where', [[3, 4], [4]], {
    apply: (x, y) => h['where']!(h['eq']!(h['mod']!(h['iota']!([4], 0), 2), 0), x, y),
    dtypes: all,
    empty: [[0, 4], [4]],
  }),
  ...one('onesLike zerosLike', { dtypes: all, smooth: 0 }),
  ...one('stopGradient', { dtypes: all, smooth: 0 }),
  row('cast', [[3, 4]], { apply: (x) => h['cast']!(x, 'i32'), dtypes: all, smooth: 0 }),
  row('bitcast', [[3, 4]], { apply: (x) => h['bitcast']!(x, 'u32'), dtypes: numbers, smooth: 0 }),
  row('checkFinite', [[3, 4]], { apply: (x) => h['checkFinite']!(x, 'x') }),

  // shapes
  row('reshape', [[3, 4]], { apply: (x) => h['reshape']!(x, [4, -1]), dtypes: all, empty: [[0, 4]] }),
  row('flatten', [[3, 4, 2]], { dtypes: all, along: (a, x) => h['flatten']!(x, a) }),
  row('transpose', [[3, 4, 2]], { apply: (x) => h['transpose']!(x, [2, 0, 1]), dtypes: all }),
  row('swapAxes', [[3, 4, 2]], { along: (a, x) => h['swapAxes']!(x, a, 0), dtypes: all }),
  row('moveAxis', [[3, 4, 2]], { along: (a, x) => h['moveAxis']!(x, a, 0), dtypes: all }),
  row('glu', [[4, 4]], { along: (a, x) => h['glu']!(x, a), empty: [[0, 4]] }),
  row('squeeze', [[3, 1, 1]], { along: (a, x) => h['squeeze']!(x, a), dtypes: all }),
  ...byAxis('expandDims unsqueeze reverse flip', { dtypes: all }),
  row('broadcastTo', [[4, 1]], { apply: (x) => h['broadcastTo']!(x, [2, x.type.shape[0], 3]), dtypes: all }),
  row('expand', [[4, 1]], { apply: (x) => h['expand']!(x, [2, -1, 3]), dtypes: all }),
  row('concat', [[3, 4], [3, 4]], { along: (a, x, y) => h['concat']!([x, y], a), dtypes: all }),
  row('stack', [[3, 4], [3, 4]], { along: (a, x, y) => h['stack']!([x, y], a), dtypes: all }),
  row('split', [[4, 4]], { along: (a, x) => h['split']!(x, 2, a), dtypes: all }),
  row('slice', [[5, 4]], { apply: (x) => h['slice']!(x, [0, 1], [x.type.shape[0], 4], [2, 1]), dtypes: all }),
  row('pad', [[3, 4]], { apply: (x) => h['pad']!(x, [[0, 0], [2, 1]], 'reflect'), dtypes: all }),
  row('tile', [[3, 2]], { apply: (x) => h['tile']!(x, [2, 2, 3]), dtypes: all }),
  row('repeat', [[3, 4]], { along: (a, x) => h['repeat']!(x, 2, a), dtypes: all }),
  row('roll', [[3, 4]], { along: (a, x) => h['roll']!(x, 1, a), dtypes: all }),
  ...one('tril triu', { dtypes: all }),
  row('diag', [[4]], { dtypes: all, empty: [[0]] }),
  row('diagonal', [[2, 3, 4]], { dtypes: all }),
  row('trace', [[2, 3, 4]], { dtypes: numbers }),
  row('outer', [[3], [4]], { dtypes: numbers, empty: [[0], [4]] }),
  row('meshgrid', [[3], [4]], { apply: (x, y) => h['meshgrid']!([x, y]), dtypes: all, empty: [[0], [4]] }),
  row('unfold', images, { apply: (x) => h['unfold']!(x, { kernel: [3, 2], strides: [2, 1], padding: [1, 0], dilation: [1, 2] }), dtypes: all, empty: [[0, 4, 6, 5]] }),
  row('fold', [[2, 12, 12]], { apply: (x) => h['fold']!(x, [5, 6], { kernel: [2, 3], strides: [2, 1], padding: [1, 0], dilation: [2, 1] }), dtypes: numbers, range: [0.2, 2], empty: [[0, 12, 12]] }),
  row('slidingWindows', [[4, 5]], { along: (a, x) => h['slidingWindows']!(x, 3, a), dtypes: all, empty: [[0, 5]] }),
  row('channelShuffle', images, { apply: (x) => h['channelShuffle']!(x, 2), dtypes: all }),
  row('rot90', [[3, 4, 2]], { apply: (x) => h['rot90']!(x, 3, [0, -1]), dtypes: all }),
  row('unstack', [[3, 4]], { along: (a, x) => h['unstack']!(x, a) as unknown as Node[], dtypes: all, empty: [[0, 4]] }),
  row('kron', [[2, 3], [2, 1, 2]], { dtypes: numbers, empty: [[0, 3], [2, 1, 2]] }),
  row('affineGrid', [[2, 2, 3]], { apply: (x) => h['affineGrid']!(x, [3, 2]) }),
  row('gridSample', [[2, 3, 5, 4], [2, 3, 2, 2]], { range: [-0.85, 0.8], empty: [[0, 3, 5, 4], [0, 3, 2, 2]] }),
  row('depthToSpace', images, { apply: (x) => h['depthToSpace']!(x, 2), dtypes: all }),
  row('spaceToDepth', [[2, 3, 4, 6]], { apply: (x) => h['spaceToDepth']!(x, 2), dtypes: all }),
  spatial('resize', (x) => h['resize']!(x, [4, 7], { mode: 'linear' })),
  row('gather', [[5, 3], [4]], { along: (a, x, i) => h['gather']!(x, i, a), dtypes: all, fixed: { 1: 'i32' }, empty: [[5, 3], [0]] }),
  row('gatherElements', [[3, 3], [3, 2]], { apply: (x, i) => h['gatherElements']!(x, i, 1), dtypes: all, fixed: { 1: 'i32' }, empty: [[0, 3], [0, 2]] }),
  row('scatterAdd', [[3, 4], [3], [3, 4]], { dtypes: numbers, fixed: { 1: 'i32' }, empty: [[3, 4], [0], [0, 4]] }),
  row('scatterAddElements', [[3, 4], [2, 4], [2, 4]], { apply: (x, i, u) => h['scatterAddElements']!(x, i, u, 0), dtypes: numbers, fixed: { 1: 'i32' }, empty: [[3, 4], [0, 4], [0, 4]] }),
  row('scatterUpdate', [[3, 4], [3], [3, 4]], { apply: (x, i, u) => h['scatterUpdate']!(x, h['add']!(h['mul']!(i, 0), h['iota']!(i.type.shape, 0)), u), dtypes: all, fixed: { 1: 'i32' }, empty: [[3, 4], [0], [0, 4]] }),
  row('scatterMax', [[3, 4], [3], [3, 4]], { dtypes: numbers, fixed: { 1: 'i32' }, empty: [[3, 4], [0], [0, 4]] }),
  row('scatterMin', [[3, 4], [4, 2]], { apply: (x, u) => h['scatterMin']!(x, h['mod']!(h['iota']!([2], 0), 2), h['slice']!(u, [0, 0], [3, 2]), 1), dtypes: numbers, empty: null }),
  row('oneHot', [[3]], { apply: (i) => h['oneHot']!(i, 6), dtypes: ['i32'], smooth: 0, empty: [[0]] }),

  // reductions
  ...byAxis('sum prod', { dtypes: numbers, range: [0.5, 2] }),
  ...byAxis('max min', { dtypes: numbers }),
  ...byAxis('any all', { dtypes: ['bool'], smooth: 0 }),
  ...byAxis('mean logSumExp softmax logSoftmax l1 l2 norm normalize', { range: [0.3, 2] }),
  ...byAxis('nanSum nanMean nanMax nanMin', { range: [0.3, 2] }),
  ...byAxis('ptp', { dtypes: numbers, empty: [[0, 4]] }),
  row('average', [[3, 4], [3, 4]], { along: (a, x, w) => h['average']!(x, w, a), range: [0.3, 2], empty: [[0, 4], [0, 4]] }),
  row('trapezoid', [[3, 4], [3, 4]], { along: (a, y, x) => h['trapezoid']!(y, a, { x: x! }) }),
  ...byAxis('variance std', { empty: [[0, 4]] }),
  ...byAxis('argmax argmin', { dtypes: numbers, smooth: 0 }),
  ...byAxis('countNonZero', { dtypes: all, smooth: 0 }),
  ...byAxis('median', { smooth: 2, empty: [[0, 4]] }),
  row('quantile', [[3, 5]], { along: (a, x) => h['quantile']!(x, 0.3, a), empty: [[0, 5]] }),
  ...byAxis('cumsum cumprod', { dtypes: numbers, range: [0.5, 2] }),
  row('covariance', [[3, 4]], { empty: [[0, 4]] }),
  row('correlation', [[3, 4]], { empty: [[0, 4]] }),
  row('ctcGreedyDecode', [[2, 5, 3]], { apply: (x) => Object.values(h['ctcGreedyDecode']!(x)) as Node[], smooth: 0 }),
  ...byAxis('cummax cummin', { dtypes: numbers }),
  ...byAxis('logCumSumExp'),
  ...byAxis('sort', { dtypes: all }),
  row('kthValue', [[3, 4]], { along: (a, x) => (h['kthValue']!(x, 2, a) as unknown as { values: Node }).values, dtypes: all, empty: [[0, 4]] }),
  row('searchSorted', [[4], [3, 2]], { dtypes: numbers, smooth: 0, empty: [[0], [0, 2]] }),
  row('binCount', [[3, 4]], { apply: (x) => h['binCount']!(x, 6), dtypes: ['i32'], smooth: 0, empty: [[0, 4]] }),
  row('histogram', [[3, 4]], { apply: (x) => (h['histogram']!(x, 5, { range: [-1, 1] }) as unknown as { counts: Node }).counts, smooth: 0, empty: [[0, 4]] }),
  row('interp', [[3, 2], [4], [4]], { apply: (x, xs, ys) => h['interp']!(x, h['add']!(h['mul']!(xs, 0.1), h['iota']!([4], 0, 'f32')), ys), range: [0.3, 2.8], isStrict: false, empty: [[0, 2], [4], [4]] }),
  ...byAxis('argsort', { dtypes: all, smooth: 0 }),
  row('topK', [[3, 4]], { apply: (x) => (h['topK']!(x, 2) as unknown as { values: Node }).values, dtypes: all }),
  row('diff', [[3, 4]], { along: (a, x) => h['diff']!(x, a), dtypes: numbers }),
  row('cross', [[3, 3], [3, 3]], { along: (a, x, y) => h['cross']!(x, y, a), dtypes: signed, empty: null }),
  row('cosineSimilarity', [[3, 4], [3, 4]], { along: (a, x, y) => h['cosineSimilarity']!(x, y, a) }),
  row('pairwiseDistance', [[3, 4], [3, 4]]),
  row('cdist', [[3, 4], [2, 4]], { empty: [[0, 4], [2, 4]] }),

  // contractions
  row('convolve', [[4], [3]], { empty: null }),
  row('correlate', [[3], [4]], { empty: null }),
  row('matmul', [[2, 3, 4], [4, 5]], { dtypes: numbers, empty: [[0, 3, 4], [4, 5]] }),
  row('dense', [[3, 4], [4, 5], [5]], { empty: [[0, 4], [4, 5], [5]] }),
  row('einsum', [[2, 3, 4], [2, 4]], { apply: (x, y) => h['einsum']!('bij,bj->bi', x, y), dtypes: numbers }),
  row('conv1d', [[2, 4, 7], [6, 2, 3]], { apply: (x, w) => h['conv1d']!(x, w, { groups: 2, strides: 2, padding: [[2, 1]] }), empty: [[0, 4, 7], [6, 2, 3]] }),
  row('conv2d', [[2, 3, 5, 4], [2, 3, 3, 2]], { apply: (x, w) => h['conv2d']!(x, w, { padding: 'same', dilation: [1, 2] }), empty: [[0, 3, 5, 4], [2, 3, 3, 2]] }),
  row('conv3d', [[1, 2, 3, 4, 3], [2, 2, 2, 2, 2]], { apply: (x, w) => h['conv3d']!(x, w, { padding: 1, strides: [1, 2, 2] }), empty: [[0, 2, 3, 4, 3], [2, 2, 2, 2, 2]] }),
  row('convTranspose1d', [[2, 3, 4], [3, 2, 3]], { apply: (x, w) => h['convTranspose1d']!(x, w, { strides: 2, outputPadding: 1 }), empty: [[0, 3, 4], [3, 2, 3]] }),
  row('convTranspose2d', [[1, 2, 3, 3], [2, 2, 3, 2]], { apply: (x, w) => h['convTranspose2d']!(x, w, { strides: [2, 1], padding: [1, 0] }), empty: [[0, 2, 3, 3], [2, 2, 3, 2]] }),
  row('convTranspose3d', [[1, 2, 2, 3, 2], [2, 1, 2, 2, 2]], { apply: (x, w) => h['convTranspose3d']!(x, w, { strides: 2 }), empty: [[0, 2, 2, 3, 2], [2, 1, 2, 2, 2]] }),

  // pools
  row('maxPool1d', [[2, 3, 7]], { apply: (x) => h['maxPool1d']!(x, { kernel: 3, strides: 2, padding: 1 }), dtypes: numbers }),
  spatial('maxPool2d', (x) => h['maxPool2d']!(x, { kernel: [3, 2], strides: [2, 1], dilation: [1, 2] }), { dtypes: numbers }),
  row('maxPool3d', [[1, 2, 3, 4, 3]], { apply: (x) => h['maxPool3d']!(x, { kernel: 2, ceil: true }), dtypes: numbers }),
  row('avgPool1d', [[2, 3, 7]], { apply: (x) => h['avgPool1d']!(x, { kernel: 3, strides: 2, padding: 1 }) }),
  spatial('avgPool2d', (x) => h['avgPool2d']!(x, { kernel: 2, padding: 1, countIncludePad: false })),
  row('avgPool3d', [[1, 2, 3, 4, 3]], { apply: (x) => h['avgPool3d']!(x, { kernel: 2 }) }),
  row('lpPool1d', [[2, 3, 7]], { apply: (x) => h['lpPool1d']!(x, { kernel: 3 }), range: [0.3, 2] }),
  spatial('lpPool2d', (x) => h['lpPool2d']!(x, { kernel: 2, p: 3 }), { range: [0.3, 2] }),
  row('lpPool3d', [[1, 2, 3, 4, 3]], { apply: (x) => h['lpPool3d']!(x, { kernel: 2 }), range: [0.3, 2] }),
  spatial('globalAvgPool', (x) => h['globalAvgPool']!(x)),
  spatial('globalMaxPool', (x) => h['globalMaxPool']!(x), { dtypes: numbers }),
  spatial('globalLpPool', (x) => h['globalLpPool']!(x, 3), { range: [0.3, 2] }),
  spatial('adaptiveAvgPool', (x) => h['adaptiveAvgPool']!(x, [4, 3])),
  spatial('adaptiveMaxPool', (x) => h['adaptiveMaxPool']!(x, [4, 3]), { dtypes: numbers }),

  // normalization
  row('batchNorm', [[5, 3], [3], [3], [3], [3]], {
    apply: (x, scale, shift, mean, variance) => h['batchNorm']!(x, { scale, shift, statistics: { mean, variance } }),
    range: [0.3, 2],
    empty: [[0, 3], [3], [3], [3], [3]],
  }),
  row('batchStatistics', [[5, 3, 2]], { apply: (x) => Object.values(h['batchStatistics']!(x)).filter((v) => (v as Node)?.type?.dtype === 'f32') as Node[], empty: null }),
  row('layerNorm', [[3, 4]], { along: (a, x) => h['layerNorm']!(x, { axis: a }) }),
  row('rmsNorm', [[3, 4]], { along: (a, x) => h['rmsNorm']!(x, { axis: a }) }),
  row('groupNorm', [[2, 4, 3]], { apply: (x) => h['groupNorm']!(x, 2) }),
  row('instanceNorm', [[2, 4, 3]]),
  row('localResponseNorm', images, { apply: (x) => h['localResponseNorm']!(x, { size: 3 }) }),

  // sequences
  row('attention', [[2, 3, 4], [2, 5, 4], [2, 5, 2]], { empty: [[0, 3, 4], [0, 5, 4], [0, 5, 2]] }),
  row('splitHeads', [[2, 3, 4]], { apply: (x) => h['splitHeads']!(x, 2) }),
  row('joinHeads', [[2, 2, 3, 4]]),
  row('rotary', [[2, 3, 4]]),
  row('sequenceMask', [[3]], { apply: (x) => h['sequenceMask']!(x, 4), dtypes: ['i32'], smooth: 0 }),
]; // biome-ignore format: a table

/** Public functions that take no tensor whose gradient, dtype or axis could be asked for, and where they are tested. */
export const elsewhere: Readonly<Record<string, string>> = {
  input: 'test/ops/leaf.test.ts', constant: 'test/ops/leaf.test.ts', full: 'test/ops/leaf.test.ts', zeros: 'test/ops/leaf.test.ts',
  ones: 'test/ops/leaf.test.ts', iota: 'test/ops/leaf.test.ts', variableNode: 'test/ops/leaf.test.ts',
  eye: 'test/ops/arrays.test.ts', arange: 'test/ops/arrays.test.ts', linspace: 'test/ops/arrays.test.ts', causalMask: 'test/ops/arrays.test.ts',
  sinusoidalPositions: 'test/ops/sequence.test.ts', rnn: 'test/ops/sequence.test.ts', lstm: 'test/ops/sequence.test.ts', gru: 'test/ops/sequence.test.ts',
  randomKey: 'test/ops/random.test.ts', randomBits: 'test/ops/random.test.ts', foldIn: 'test/ops/random.test.ts', splitKey: 'test/ops/random.test.ts',
  uniform: 'test/ops/random.test.ts', normal: 'test/ops/random.test.ts', truncatedNormal: 'test/ops/random.test.ts', bernoulli: 'test/ops/random.test.ts',
  randint: 'test/ops/random.test.ts', permutation: 'test/ops/random.test.ts', shuffle: 'test/ops/random.test.ts', categorical: 'test/ops/random.test.ts',
  scan: 'test/ops/control.test.ts', checkpoint: 'test/ops/control.test.ts', customGradient: 'test/ops/control.test.ts',
  checkIndex: 'test/passes/check-numerics.test.ts', defineOp: 'test/graph/gradcheck.test.ts',
}; // biome-ignore format: a table

const named = new Set([...rows.map((f) => f.name), ...Object.keys(elsewhere)]);

export const publicFunctions: readonly PublicFunction[] = [
  ...rows,
  ...Object.keys(ops)
    .filter((name) => !named.has(name))
    .flatMap((name) => (h[name]!.length === 1 ? one : two)(name, { isStrict: false })),
];
