// Twenty mistakes of a first day, and exactly what leads out of them: an error, or a warning where it may be meant. The line
// of the user's call stands as <here>.

import t from 'tap';
import {
  type CompileModelOptions,
  input,
  type Layer,
  losses,
  Model,
  type ModelData,
  metrics,
  nn,
  optimizers,
} from '../../src/index.ts';

const x = [
  [0.1, 0.2],
  [0.3, 0.4],
];
const quiet = { verbose: false };

/** What is told while `act` runs: warnings, then the error. */
async function told(act: (warn: (text: string) => void) => unknown): Promise<string[]> {
  const texts: string[] = [];
  try {
    await act((text) => texts.push(text));
  } catch (error) {
    texts.push((error as Error).message);
  }
  return texts
    .map((s) => s.replace(/\S*beginners\.test\.[jt]s:\d+:\d+/g, '<here>'))
    .flatMap((s) => s.split('\n'));
}

function says(name: string, act: (warn: (text: string) => void) => unknown, lines: readonly string[]): void {
  t.test(name, async (t) => {
    t.same(await told(act), lines);
  });
}

/** Fits a net with three classes, or with what is given, to data. */
async function fit(
  warn: (text: string) => void,
  data: unknown,
  {
    layers = [nn.dense(3)],
    fit = {},
    ...settings
  }: { layers?: readonly Layer[]; fit?: object } & Partial<Omit<CompileModelOptions, 'optimizer'>> & {
      optimizer?: unknown;
    } = {},
): Promise<void> {
  const model = new Model({ input: [2] }).add(...layers);
  try {
    model.compile({
      loss: losses.softmaxCrossEntropy,
      optimizer: optimizers.sgd(),
      threads: 1,
      onWarning: warn,
      ...(settings as CompileModelOptions),
    });
    await model.fit(data as ModelData, { ...quiet, ...fit });
  } finally {
    await model.dispose();
  }
}

const values = { layers: [nn.dense(1)], loss: losses.meanSquaredError };

says('labels that are fractions', (warn) => fit(warn, { x, y: [0.5, 1] }), [
  'HDL0016: y is an array with 0.5 at position 0',
  '  rule: its elements are i32: whole numbers, for labels the number of the class',
  '  try:  use Int32Array of class numbers; for real values use losses.meanSquaredError',
]);
says(
  'one-hot labels, where numbers of classes are meant',
  (warn) =>
    fit(warn, {
      x,
      y: [
        [1, 0, 0],
        [0, 1, 0],
      ],
    }),
  [
    'HDL0016: y has shape [2, 3]',
    '  rule: its shape is [examples]',
    '  try:  labels are numbers of classes; for one-hot rows say so: compile({ y: [3], … })',
  ],
);
says('labels out of range', (warn) => fit(warn, { x, y: [0, 3] }), [
  "HDL1004: index 3 is out of range in softmaxCrossEntropy labels of 'train' at step 0 (counted from 0)",
  '  rule: indices are in [0, 3)',
  '  at:   <here>',
  '  try:  check the labels or indices of this batch; variables are as they were before that step; the steps before it are committed',
]);
says('labels of one class', (warn) => fit(warn, { x: Array(16).fill([1, 2]), y: Array(16).fill(2) }), [
  'warning: all 16 labels of y are 2',
  '  why:  a net learns to answer that, whatever it sees',
  '  try:  check how labels were read, and that the data was shuffled before it was split',
]);
says('one picture without the dimension of the batch', async () => {
  const model = new Model({ input: [1, 2, 2] }).add(nn.flatten(), nn.dense(2)).compile({ threads: 1 });
  await model
    .predict([
      [
        [1, 2],
        [3, 4],
      ],
    ])
    .finally(() => model.dispose());
}, [
  'HDL0016: x has shape [1, 2, 2]',
  '  rule: its shape is [examples, 1, 2, 2]',
  '  try:  one example still has a first dimension: wrap it, [example]',
]);
says('a column against a list', () => losses.meanSquaredError(input('p', [5, 1]), input('t', [5])), [
  "HDL0001: meanSquaredError('p' (input f32[5, 1]), 't' (input f32[5]))",
  '  rule: prediction and target have one shape, not [5, 1] and [5]',
  '  at:   <here>',
  '  try:  make the target a column: reshape(target, [5, 1])',
]);
says(
  'a list of targets for a column of predictions',
  (warn) => fit(warn, { x, y: { data: [1, 2], shape: [2] } }, values),
  [
    'HDL0016: y has shape [2]',
    '  rule: its shape is [examples, 1]',
    '  try:  the elements are as many: pass { data, shape: [2, 1] }',
  ],
);
says(
  'a learning rate that ends in infinity',
  (warn) =>
    fit(
      warn,
      { x, y: [[1], [2]] },
      { ...values, optimizer: optimizers.sgd({ learningRate: 1e8 }), fit: { epochs: 9 } },
    ),
  [
    'HDL1005: the loss is Infinity at step 4, in epoch 4',
    '  rule: training goes on only from a finite loss',
    '  try:  lower the learning rate, which is 100000000, scale the inputs, or clip gradients; checkNumerics: true names the first op that is not finite',
  ],
);
says('a learning rate that is no number', () => optimizers.adam({ learningRate: '0.1' as never }), [
  "HDL0003: adam({ learningRate: '0.1' })",
  '  rule: learningRate is a number of at least 0',
  '  at:   <here>',
]);
says(
  'a learning rate where a schedule belongs',
  (warn) => fit(warn, { x, y: [0, 1] }, { fit: { learningRate: 0.1 } }),
  [
    'HDL0003: fit with learningRate: 0.1',
    '  rule: it is a function from the number of the step to its rate',
    '  at:   <here>',
    '  try:  a rate that stays belongs to the optimizer: optimizers.adam({ learningRate: 0.01 }); others are made by schedules',
  ],
);
says('softmax twice', (warn) => fit(warn, { x, y: [0, 1] }, { layers: [nn.dense(3), nn.softmax()] }), [
  'warning: the net ends in softmax(), and the loss takes logits',
  '  why:  it would apply softmax twice, and learn slowly or not at all',
  '  try:  remove the last layer; for probabilities, apply softmax to what predict returns',
]);
says(
  'sigmoid twice',
  (warn) =>
    fit(warn, { x, y: [[0], [1]] }, { layers: [nn.dense(1), nn.sigmoid()], loss: losses.binaryCrossEntropy }),
  [
    'warning: the net ends in sigmoid(), and the loss takes logits',
    '  why:  it would apply sigmoid twice, and learn slowly or not at all',
    '  try:  remove the last layer; for probabilities, apply sigmoid to what predict returns',
  ],
);
says('one output for classes', (warn) => fit(warn, { x, y: [0, 0] }, { layers: [nn.dense(1)] }), [
  'warning: the loss compares classes, and the net has one output',
  '  why:  the probability of the only class is 1: the loss is 0, and nothing is learnt',
  '  try:  as many outputs as classes, or losses.binaryCrossEntropy for yes and no',
]);
says('bytes of pixels', (warn) => fit(warn, { x: Uint8Array.of(0, 128, 255, 3), y: [0, 1] }), [
  'HDL0016: x is a Uint8Array',
  '  rule: numbers that a net computes with are f32',
  '  try:  pictures: data.normalize(bytes); other values: Float32Array.from(values)',
]);
says('pixels that were not scaled', (warn) => fit(warn, { x: Float32Array.of(0, 128, 255, 3), y: [0, 1] }), [
  'warning: x looks like bytes: whole numbers from 0 to 255',
  '  why:  nets learn badly from numbers far from 0',
  '  try:  data.normalize(bytes) divides by 255; give it mean and deviation to center, too',
]);
says(
  'numbers that are missing',
  (warn) =>
    fit(warn, {
      x: [
        [0.1, 0.2],
        [Number.NaN, 1],
      ],
      y: [0, 1],
    }),
  [
    'HDL1005: the loss is NaN at step 1, in epoch 1, and x has NaN in example 1',
    '  rule: examples are finite numbers',
    '  try:  leave such examples out, or fill in what is missing',
  ],
);
says('a forgotten await of data', (warn) => fit(warn, { x: Promise.resolve(x), y: [0, 1] }), [
  'HDL0016: x is a promise',
  '  rule: examples are there when training begins',
  '  at:   <here>',
  '  try:  await it: const data = await load()',
]);
says('a forgotten await of fit', async () => {
  const model = new Model({ input: [2] }).add(nn.dense(3));
  model.compile({ loss: losses.softmaxCrossEntropy, optimizer: optimizers.sgd(), threads: 1 });
  const running = model.fit({ x, y: [0, 1] }, { ...quiet, epochs: 1000 });
  await model.dispose();
  await running;
}, [
  'HDL1002: the program was disposed, it cannot run',
  '  rule: dispose ends a program for good',
  '  try:  dispose it at the end, after an await of what it runs, or make another one',
]);
says('a model that was disposed', async () => {
  const model = new Model({ input: [2] }).add(nn.dense(3)).compile({ threads: 1 });
  await model.dispose();
  await model.predict(x);
}, [
  'HDL1002: the program was disposed, it cannot run',
  '  rule: dispose ends a program for good',
  '  try:  dispose it at the end, after an await of what it runs, or make another one',
]);
says('no examples', (warn) => fit(warn, { x: [], y: [] }), [
  'HDL0016: x is empty',
  '  rule: there is at least one example',
  '  try:  check how the data was read',
]);
says('inputs and targets one after the other', (warn) => fit(warn, x), [
  'HDL0016: data is no record',
  '  rule: examples come as { x, y }: inputs and targets together',
  '  at:   <here>',
  '  try:  fit({ x, y }, { epochs: 10 })',
]);
says('more inputs than targets', (warn) => fit(warn, { x, y: [0] }), [
  'HDL0016: x has 2 examples and y has 1',
  '  rule: every example has its input and its target',
  '  try:  check that both come from the same part of the data',
]);
says('a batch larger than the data', (warn) => fit(warn, { x, y: [0, 1] }, { fit: { batchSize: 64 } }), [
  'warning: batchSize 64 is more than the 2 examples',
  '  why:  each epoch is one step, on all of them',
  '  try:  batchSize: 1, if more steps are wanted',
]);
says('no epochs', (warn) => fit(warn, { x, y: [0, 1] }, { fit: { epochs: 0 } }), [
  'HDL0003: fit with epochs: 0',
  '  rule: epochs is an integer of at least 1',
  '  at:   <here>',
  '  try:  epochs: 10',
]);
says(
  'a layer that was not called',
  (warn) => fit(warn, { x, y: [0, 1] }, { layers: [nn.dense(3), nn.relu as never] }),
  [
    'HDL0015: sequential with a function at position 1',
    '  rule: it is made of layers',
    '  at:   <here>',
    '  try:  call it: nn.relu(); or wrap it: nn.lambda(f)',
  ],
);
says(
  'an optimizer that was not called',
  (warn) => fit(warn, { x, y: [0, 1] }, { optimizer: optimizers.adam }),
  [
    'HDL0015: compile with a function, adam as optimizer',
    '  rule: it is what a call such as optimizers.adam() returns',
    '  at:   <here>',
    '  try:  call it: optimizers.adam()',
  ],
);
says('an optimizer by its name', (warn) => fit(warn, { x, y: [0, 1] }, { optimizer: 'adam' }), [
  'HDL0015: compile with "adam" as optimizer',
  '  rule: it is what a call such as optimizers.adam() returns',
  '  at:   <here>',
  '  try:  use optimizers.adam()',
]);
says(
  'accuracy of values',
  (warn) => fit(warn, { x, y: [[1], [2]] }, { ...values, metrics: [metrics.accuracy()] }),
  [
    "HDL0001: countCorrect(add f32[2, 1] in dense1/dense, 'y' (input f32[2, 1]))",
    '  rule: logits are f32[examples, classes] and labels i32[examples]',
    '  at:   <here>',
    '  try:  accuracy is for classes; for yes-or-no answers there is binaryAccuracy, for values look at the loss',
  ],
);
says(
  'a loss for each example',
  (warn) =>
    fit(
      warn,
      { x, y: [[1], [2]] },
      { ...values, loss: losses.withOptions(losses.huber, { reduction: 'none' }) },
    ),
  [
    "HDL0015: the loss of 'prediction' is select f32[2, 1] in loss/huber",
    '  rule: what training minimizes is one number, f32[]',
    '  at:   <here>',
    "  try:  take the mean, or leave out reduction: 'none'",
  ],
);
says(
  'a last batch of one, and batch norm',
  (warn) =>
    fit(
      warn,
      { x: [...x, [1, 1]], y: [0, 1, 2] },
      { layers: [nn.dense(3), nn.batchNorm()], fit: { batchSize: 2 } },
    ),
  [
    'HDL0015: batchNorm applied to add f32[1, 3] in dense1/dense',
    '  rule: one value a channel has no variance to train with',
    '  at:   <here>',
    '  try:  use a larger batch; the last batch of an epoch may be too short',
  ],
);
