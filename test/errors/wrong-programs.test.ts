// Ten wrong programs, and exactly what their authors are told. The line of the user's call stands as <here>.

import t from 'tap';
import {
  data,
  entry,
  type Floats,
  full,
  grad,
  initializers,
  input,
  losses,
  Model,
  matmul,
  mul,
  nn,
  optimizers,
  program,
  sum,
  tensor,
  variable,
} from '../../src/index.ts';

/** The error's text, with the place of the call in this file as <here>. */
async function told(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    return (error as Error).message.replace(/\S*wrong-programs\.test\.[jt]s:\d+:\d+/g, '<here>');
  }
  return 'nothing went wrong';
}

function says(name: string, act: () => unknown, lines: readonly string[]): void {
  t.test(name, async (t) => {
    t.equal(await told(act), lines.join('\n'));
  });
}

says(
  'a matrix product of matrices that do not fit',
  () => matmul(input('x', [64, 784]) as Floats, full([785, 128], 0) as Floats),
  [
    "HDL0001: matmul('x' (input f32[64, 784]), constant f32[785, 128])",
    '  rule: inner dimensions 784 and 785 differ',
    '  at:   <here>',
    '  try:  the last dimension of the first operand meets the last but one of the second: transpose or reshape one of them',
  ],
);

says('pictures without a channel', () => {
  const model = new Model({ input: [28, 28] }).add(nn.conv2d(8, 3));
  model.compile();
}, [
  "HDL0015: conv2d(8, 3) applied to 'x' (input f32[2, 28, 28])",
  '  rule: its input is [batch, channels, height, width], with 4 dimensions',
  '  at:   <here>',
  '  try:  a dimension is missing: a batch of one has a first dimension of 1, a grey picture has one channel',
]);

says('a dense layer on pictures', () => {
  new Model({ input: [1, 4, 4] }).add(nn.dense(10)).compile();
}, [
  "HDL0015: dense(10) applied to 'x' (input f32[2, 1, 4, 4])",
  '  rule: its input is [batch, features] or [batch, steps, features]',
  '  at:   <here>',
  '  try:  put flatten() before it',
]);

says('a residual branch that changes the shape', () => {
  const main = nn.conv2d(32, 3, { padding: 1, stride: 2 });
  new Model({ input: [16, 8, 8] }).add(nn.residual(main)).compile();
}, [
  "HDL0001: residual adds main add f32[2, 32, 4, 4] in residual1/conv1 and its input 'x' (input f32[2, 16, 8, 8])",
  '  rule: the branches have shapes [2, 32, 4, 4] and [2, 16, 8, 8], they must be equal',
  '  at:   <here>',
  '  try:  give it a 1x1 convolution as shortcut: nn.residual(main, nn.conv2d(32, 1, { stride: 2 }))',
]);

says('a column against a row', () => losses.meanSquaredError(input('p', [5, 1]), input('t', [5])), [
  "HDL0001: meanSquaredError('p' (input f32[5, 1]), 't' (input f32[5]))",
  '  rule: prediction and target have one shape, not [5, 1] and [5]',
  '  at:   <here>',
  '  try:  make the target a column: reshape(target, [5, 1])',
]);

says(
  'labels that are no class numbers',
  () => losses.softmaxCrossEntropy(input('z', [5, 3]), input('labels', [5])),
  [
    "HDL0002: softmaxCrossEntropy('z' (input f32[5, 3]), 'labels' (input f32[5]))",
    '  rule: labels are i32, the number of a class for each example, not f32',
    '  at:   <here>',
    "  try:  declare them as tensor(['batch'], 'i32') and feed an Int32Array",
  ],
);

says(
  'an entry that does not exist',
  () =>
    program({ train: entry({}, () => ({})), predict: entry({}, () => ({})) }, { threads: 1 }).run(
      'predcit' as never,
      {} as never,
    ),
  [
    "HDL0014: the program has no entry 'predcit'",
    "  rule: its entries are 'train', 'predict'",
    '  at:   <here>',
    "  try:  did you mean 'predict'?",
  ],
);

says(
  'an input of the wrong shape',
  () =>
    program({ f: entry({ x: tensor(['batch', 784]) }, ({ x }) => ({ x })) }, { threads: 1 }).run('f', {
      x: new Float32Array(100),
    }),
  [
    "HDL1001: input 'x' of entry 'f' has 100 elements, expected f32[batch, 784]",
    "  rule: every dimension but 'batch' is fixed",
    '  try:  check the order of dimensions, and that the data is a whole number of rows; one row needs its first dimension too',
  ],
);

says('a variable assigned twice', () => {
  const w = variable('w', [2], initializers.zeros());
  const p = program(
    {
      f: entry({}, (_inputs, ctx) => {
        const loss = sum(mul(w, w));
        optimizers.sgd({ learningRate: 0.1 }).update([w], grad(loss, [w]), ctx);
        ctx.assign(w, full([2], 0));
        return { loss };
      }),
    },
    { threads: 1 },
  );
  return p.run('f', {});
}, [
  "HDL0010: assign('w' (variable f32[2]), constant f32[2]) in entry 'f'",
  '  rule: an entry assigns a variable once',
  '  at:   <here>',
  '  try:  compute the final value first, then assign it',
]);

says('inputs and labels of different length', () => {
  const model = new Model({ input: [2] }).add(nn.dense(3));
  model.compile({ loss: losses.softmaxCrossEntropy, optimizer: optimizers.sgd(), threads: 1 });
  return model.fit({ x: data.spiral(10).x, y: [0, 1] });
}, [
  'HDL0016: x has 30 examples and y has 2',
  '  rule: every example has its input and its target',
  '  try:  check that both come from the same part of the data',
]);

says('a run after dispose', async () => {
  const p = program({ f: entry({}, () => ({})) }, { threads: 1 });
  await p.dispose();
  await p.run('f', {});
}, [
  'HDL1002: the program was disposed, it cannot run',
  '  rule: dispose ends a program for good',
  '  try:  dispose it at the end, after an await of what it runs, or make another one',
]);
