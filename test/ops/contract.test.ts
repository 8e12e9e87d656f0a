// Matrix products and convolutions against loops written here, by the definition and without the code under test; and the
// texts of errors.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { add, constant, conv1d, conv2d, conv3d, dense, input, matmul } from '../../compiler/ops/index.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

const f32 = (values: readonly number[], shape: readonly number[]): Node => constant(values, shape, 'f32');

t.test('matmul follows NumPy', async (t) => {
  const a = f32([1, 2, 3, 4, 5, 6], [2, 3]);
  const v = f32([1, 0, -1], [3]);
  t.same(evaluate(matmul(a, f32([1, 0, 0, 1, 1, 1], [3, 2]))), [4, 5, 10, 11]);
  t.same(evaluate(matmul(a, v)), [-2, -2]);
  t.same(evaluate(matmul(v, f32([1, 2, 3, 4, 5, 6], [3, 2]))), [-4, -4]);
  t.same(evaluate(matmul(v, v)), [2]);
  const cases: readonly (readonly [number[], number[], number[]])[] = [
    [
      [5, 2, 3],
      [3, 4],
      [5, 2, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [7, 1, 2, 3],
      [5, 3, 4],
      [7, 5, 2, 4],
    ],
    [[3], [5, 3, 4], [5, 4]],
    [[5, 2, 3], [3], [5, 2]],
    [
      [2, 0],
      [0, 3],
      [2, 3],
    ],
  ];
  for (const [p, q, shape] of cases) {
    const y = matmul(input('p', p) as Node, input('q', q) as Node);
    t.same(y.type.shape, shape, `[${p}] · [${q}]`);
  }
  const big = constant([65537, 65537], [1, 2], 'i32');
  t.same(evaluate(matmul(big, constant([65537, 1], [2, 1], 'i32'))), [131073 + 65537], 'integers wrap');
});

t.test('batches broadcast', async (t) => {
  const random = seededRandom(1);
  const values = (n: number): number[] => Array.from({ length: n }, () => random.int(-5, 5));
  const [p, q] = [values(2 * 3 * 4), values(5 * 4 * 2)];
  const y = evaluate(matmul(f32(p, [2, 1, 3, 4]), f32(q, [5, 4, 2])));
  const expected: number[] = [];
  for (let a = 0; a < 2; a++)
    for (let b = 0; b < 5; b++)
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 2; j++) {
          let total = 0;
          for (let k = 0; k < 4; k++) total += p[(a * 3 + i) * 4 + k]! * q[(b * 4 + k) * 2 + j]!;
          expected.push(total);
        }
  t.same(y, expected);
});

t.test('errors name the dimensions', async (t) => {
  const [x, w] = [input('x', [64, 784]) as Node, input('w', [785, 128]) as Node];
  t.equal(
    errorOf(() => matmul(x, w)),
    "HDL0001: matmul('x' (input f32[64, 784]), 'w' (input f32[785, 128])): inner dimensions 784 and 785 differ (the last dimension of the first operand meets the last but one of the second: transpose or reshape one of them)",
  );
  t.equal(
    errorOf(() => matmul(input('x', [2, 3, 4]) as Node, input('y', [5, 4, 3]) as Node)),
    "HDL0001: matmul('x' (input f32[2, 3, 4]), 'y' (input f32[5, 4, 3])): batch dimensions 2 and 5 do not broadcast (dimensions before the last two are batches: equal, or 1 on one side)",
  );
  t.equal(
    errorOf(() => matmul(x, input('s', []) as Node)),
    "HDL0001: matmul('x' (input f32[64, 784]), 's' (input f32[])): 's' (input f32[]) is a scalar (use mul to scale by a number)",
  );
  t.equal(
    errorOf(() => dense(x, input('w', [784, 12]) as Node, input('b', [10]) as Node)),
    "HDL0001: dense('x' (input f32[64, 784]), 'w' (input f32[784, 12]), 'b' (input f32[10])): the bias has length 10, the weights give 12 outputs (a bias has one element for each output: [12])",
  );
  t.equal(
    errorOf(() => dense(x, w)),
    "HDL0001: dense('x' (input f32[64, 784]), 'w' (input f32[785, 128])): x has 784 inputs in its last dimension, the weights take 785 (weights are [inputs, outputs]; flatten x, or transpose the weights)",
  );
  const images = input('images', [1, 3, 4, 4]) as Node;
  t.equal(
    errorOf(() => conv2d(images, input('f', [8, 1, 3, 3]) as Node)),
    "HDL0001: convolution('images' (input f32[1, 3, 4, 4]), 'f' (input f32[8, 1, 3, 3]), strides: [1, 1], padLo: [0, 0], padHi: [0, 0], dilation: [1, 1], inputDilation: [1, 1], groups: 1): x has 3 channels, w reads 1 (w is [outputs, channels / groups, taps…]: its second dimension times groups must equal the channels of x)",
  );
  t.match(
    errorOf(() => conv2d(images, input('f', [8, 3, 5, 5]) as Node)),
    'the filter reaches over 5 elements, but dimension 2 has 4 with its padding (pad more, or use a smaller or less dilated window)',
  );
  t.match(
    errorOf(() => conv2d(images, input('f', [8, 3, 3]) as Node)),
    'w has 3 dimensions, conv2d takes 4 (w is [outputs, channels / groups, taps…] with 2 spatial dimensions)',
  );
  t.match(
    errorOf(() => conv2d(images, input('f', [8, 3, 3, 3]) as Node, { strides: 0 })),
    'strides must be an integer of at least 1, or a list of 2, one for each spatial dimension (write strides: 1 or strides: [1,1])',
  );
});

interface Case {
  readonly n: number;
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
}

/** Two-dimensional convolution by its definition, with inputs and outputs counted per group. */
function naive(c: Case, x: readonly number[], w: readonly number[]): number[] {
  const [h, wd] = c.size;
  const [kh, kw] = c.taps;
  const out = [0, 1].map((d) => {
    const padded = c.size[d]! + c.padding[d]![0] + c.padding[d]![1];
    return Math.floor((padded - ((c.taps[d]! - 1) * c.dilation[d]! + 1)) / c.strides[d]!) + 1;
  });
  const y: number[] = [];
  for (let n = 0; n < c.n; n++)
    for (let g = 0; g < c.groups; g++)
      for (let o = 0; o < c.outputs; o++)
        for (let i = 0; i < out[0]!; i++)
          for (let j = 0; j < out[1]!; j++) {
            let total = 0;
            for (let ch = 0; ch < c.inputs; ch++)
              for (let p = 0; p < kh; p++)
                for (let q = 0; q < kw; q++) {
                  const row = i * c.strides[0] + p * c.dilation[0] - c.padding[0][0];
                  const col = j * c.strides[1] + q * c.dilation[1] - c.padding[1][0];
                  if (row < 0 || row >= h || col < 0 || col >= wd) continue;
                  const at = ((n * c.groups + g) * c.inputs + ch) * h * wd + row * wd + col;
                  total += x[at]! * w[(((g * c.outputs + o) * c.inputs + ch) * kh + p) * kw + q]!;
                }
            y.push(total);
          }
  return y;
}

t.test('conv2d equals loops', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const pair = (lo: number, hi: number): [number, number] => [random.int(lo, hi), random.int(lo, hi)];
    const c: Case = {
      n: random.int(1, 2),
      groups: random.int(1, 3),
      inputs: random.int(1, 3),
      outputs: random.int(1, 3),
      size: pair(5, 7),
      taps: pair(1, 3),
      strides: pair(1, 3),
      dilation: pair(1, 2),
      padding: [pair(0, 2), pair(0, 2)],
    };
    const values = (shape: readonly number[]): number[] =>
      Array.from({ length: elementCount(shape) }, () => random.int(-9, 9));
    const shapes = [
      [c.n, c.groups * c.inputs, ...c.size],
      [c.groups * c.outputs, c.inputs, ...c.taps],
    ] as const;
    const [x, w] = [values(shapes[0]), values(shapes[1])];
    const y = conv2d(f32(x, shapes[0]), f32(w, shapes[1]), { ...c });
    t.same(evaluate(y), naive(c, x, w), `seed ${seed}: ${JSON.stringify(c)}`);
  }
});

t.test('padding as users write it', async (t) => {
  const x = input('x', [1, 1, 7, 8]) as Node;
  const w = input('w', [1, 1, 3, 2]) as Node;
  const size = (options: Parameters<typeof conv2d>[2]): readonly number[] =>
    conv2d(x, w, options).type.shape.slice(2);
  t.same(size({}), [5, 7]);
  t.same(size({ padding: 1 }), [7, 9]);
  t.same(size({ padding: [1, 0] }), [7, 7]);
  t.same(
    size({
      padding: [
        [0, 1],
        [2, 0],
      ],
    }),
    [6, 9],
  );
  t.same(size({ padding: 'same' }), [7, 8]);
  t.same(size({ padding: 'same', strides: 2 }), [4, 4]);
  t.same(size({ padding: 'same', strides: [3, 2], dilation: 2 }), [3, 4]);
  const line = conv1d(f32([1, 2, 3], [1, 1, 3]), f32([1, 10], [1, 1, 2]), { padding: 'same' });
  t.same(evaluate(line), [21, 32, 3], 'the odd zero goes after');
  const cube = conv3d(
    f32([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 2, 2]),
    f32([1, 0, 0, 0, 0, 0, 0, 1], [1, 1, 2, 2, 2]),
  );
  t.same(evaluate(cube), [9]);
});

t.test('gradients of grouped, strided, dilated convolutions, to second order', async (t) => {
  const cases: readonly { x: number[]; w: number[]; options: Parameters<typeof conv2d>[2] }[] = [
    { x: [2, 3, 6, 5], w: [2, 3, 3, 2], options: { strides: [2, 3], padding: 1 } },
    {
      x: [1, 4, 5, 5],
      w: [6, 2, 2, 2],
      options: {
        groups: 2,
        dilation: 2,
        padding: [
          [0, 1],
          [1, 0],
        ],
      },
    },
    { x: [2, 3, 5, 4], w: [6, 1, 3, 3], options: { groups: 3, strides: 2, padding: 'same' } },
    { x: [1, 1, 8, 8], w: [1, 1, 2, 2], options: { strides: 3 } },
  ];
  for (const [seed, { x, w, options }] of cases.entries()) {
    const random = seededRandom(seed);
    const inputs = [input('x', x), input('w', w)] as Node[];
    const values = Object.fromEntries(
      inputs.map((i) => [
        i.name!,
        {
          type: i.type,
          data: Float64Array.from({ length: elementCount(i.type.shape) }, () => random.uniform(-1, 1)),
        },
      ]),
    );
    const y = conv2d(inputs[0]!, inputs[1]!, options);
    t.same(
      checkGradients({ outputs: [add(y, 0)], inputs, values, random, order: 2, elements: 6 }),
      [],
      `case ${seed}`,
    );
  }
});
