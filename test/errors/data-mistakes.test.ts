// Mistakes with data and checkpoints, and exactly what leads out of them. The line of the user's call stands as <here>.

import t from 'tap';
import {
  callbacks,
  Dataset,
  data,
  type FitData,
  type FitOptions,
  losses,
  Model,
  nn,
  optimizers,
} from '../../src/index.ts';

const x = Array.from({ length: 20 }, (_, i) => [i / 20, 1]);
const y = x.map((_, i) => i % 3);
const set = Dataset.from({ x, y });

function says(name: string, act: () => unknown, lines: readonly string[]): void {
  t.test(name, async (t) => {
    let text = 'nothing';
    try {
      await act();
    } catch (error) {
      text = (error as Error).message;
    }
    t.same(text.replace(/\S*data-mistakes\.test\.[jt]s:\d+:\d+/g, '<here>').split('\n'), lines);
  });
}

async function fit(given: unknown, options: FitOptions = {}): Promise<void> {
  const model = new Model({ input: [2] }).add(nn.dense(3)).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.sgd(),
    threads: 1,
    onWarning: () => {},
  });
  try {
    await model.fit(given as FitData, { verbose: false, ...options });
  } finally {
    await model.dispose();
  }
}

says('a table whose rows differ', () => data.parseCsv('a,b\n1,2\n3,4,5\n'), [
  'HDL0016: CSV has 3 cells in row 2',
  '  rule: the header has 2',
  '  try:  put quotes around a cell that has a comma in it',
]);
says('a table with holes', () => data.parseCsv('a,b\n1,\n,4\n'), [
  "HDL0016: CSV lacks values: row 1 'b', row 2 'a'",
  '  rule: every row has a value in every column',
  "  try:  say what becomes of them: missing: 'drop', 'mean', 'median', a number, or one for each column by name",
]);
says(
  'a column of words among the features',
  async () => (await data.parseCsv('a,b\n1,red\n')).numbers(['a', 'b']),
  [
    "HDL0016: CSV has 'red' in row 1 of 'b'",
    '  rule: a column of numbers has nothing but numbers',
    "  try:  for classes use table.labels('b'); what stands for a missing value is named by missingAs",
  ],
);
says('a table with semicolons', () => data.parseCsv('a;b\n1;2\n'), [
  "HDL0016: CSV has one column, 'a;b'",
  "  rule: cells are separated by ','",
  '  try:  say what separates them: delimiter: ";"',
]);
says('a path that is not there', () => data.loadIdx('train-images'), [
  "HDL0016: IDX file 'train-images'",
  '  rule: there is such a file',
  '  try:  check the path; it is relative to the folder that the process runs in',
]);
says('a promise in place of bytes', () => data.loadNpy(Promise.resolve() as never), [
  'HDL0016: NPY file from a promise',
  '  rule: a source is a Uint8Array, an ArrayBuffer, or the path of a file',
  '  try:  await it first',
]);
says('inputs and targets of different lengths', () => Dataset.from({ x, y: y.slice(1) }), [
  "HDL0016: 'y' has 19 numbers and 'x' has 20 rows",
  '  rule: every example has a row in each array',
  '  try:  give its shape: { data, shape: [20, …] }',
]);
says('no data', () => Dataset.from({ x: [], y: [] }), [
  "HDL0016: 'x' is empty",
  '  rule: there is at least one example',
  '  try:  check how it was read',
]);
says('a batch larger than the data, and no remainder', () => fit(set.batch(64, { dropRemainder: true })), [
  'HDL0016: data has no batch in an epoch',
  '  rule: there is at least one example, and at least one whole batch where the remainder is dropped',
  '  try:  check what filter, take and skip leave, or use smaller batches',
]);
says(
  'a generator for two epochs',
  () =>
    fit(
      (function* () {
        yield { x: [1, 2], y: 0 };
      })(),
      { epochs: 2 },
    ),
  [
    'HDL0016: an iterator was to be gone through a second time',
    '  rule: an iterator ends once and for all, and each epoch needs its elements',
    '  try:  pass the function that makes it: Dataset.from(() => generate()), or .cache() it',
  ],
);
says('pairs in place of records', () => fit(new Set([[[1, 2], 0]])), [
  'HDL0016: an element of data is a list',
  '  rule: an element is a record of an input and its target, { x, y }',
  '  try:  map it: data.map((e) => ({ x: …, y: … }))',
]);
says('words for labels', () => fit(set.map(({ x }) => ({ x, y: 'red' }))), [
  "HDL0016: a batch of elements, 'y' is of the text 'red'",
  '  rule: elements are made of numbers, arrays of numbers, and { data, shape }',
  '  try:  make numbers of text: map((e) => ({ …e, y: classes.indexOf(e.kind) }))',
]);
says(
  'pictures of different sizes',
  () =>
    fit([
      { x: [1, 2], y: 0 },
      { x: [1], y: 0 },
    ]),
  [
    "HDL0016: a batch of elements, 'x' has shapes [2] and [1]",
    '  rule: all elements of a batch have the same form',
    '  try:  crop or pad them to one size by map',
  ],
);
says('batches of two sizes', () => fit(set.batch(8), { batchSize: 16 }), [
  'HDL0003: batchSize: 16 and batches of 8 for a Dataset',
  '  rule: a Dataset says itself in which order and in which batches its examples come',
  '  at:   <here>',
  '  try:  leave out batchSize, or .batch(…)',
]);
says('shuffling a stream', () => Dataset.from(new Set([1, 2])).shuffle(), [
  'HDL0003: shuffle of data that comes one element after the other',
  '  rule: shuffle needs to know how many elements there are, and to take them in any order',
  '  at:   <here>',
  '  try:  shuffle({ buffer: 1000 }) draws from so many at a time',
]);
says('a function for the worker', () => set.augment([(() => {}) as never], { worker: true }), [
  'HDL0003: augment by the function (…) => …',
  '  rule: transforms are made by data.augment: flip, crop, noise, normalize',
  '  at:   <here>',
  '  try:  functions run on the main thread, in map((element, { random }) => …): they cannot be sent to the worker',
]);
says('more parts than examples', () => set.kFold(50), [
  'HDL0003: kFold(50) of 20 examples',
  '  rule: each part has at least one example',
  '  at:   <here>',
  '  try:  kFold(20) leaves one out at a time',
]);
says('weights that are too few', () => fit({ x, y, sampleWeight: [1, 2] }), [
  'HDL0016: x has 20 examples and sampleWeight has 2',
  '  rule: every example has its input and its target',
  '  try:  check that both come from the same part of the data',
]);
says('a checkpoint that is not there', () => fit({ x, y }, { resume: 'nowhere.safetensors' }), [
  "HDL0016: checkpoint 'nowhere.safetensors'",
  '  rule: there is such a file',
  '  try:  check the path; it is relative to the folder that the process runs in',
]);
says(
  'a picture in place of a checkpoint',
  () => fit({ x, y }, { resume: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0) }),
  [
    'HDL1020: safetensors file cannot be read: its header would have 727905341920923785 bytes, more than the 100000000 that are allowed',
    '  rule: a file is read whole and valid, or not at all',
    '  try:  use another checkpoint, or copy the file again in binary mode',
  ],
);
says('a training that is resumed with other settings', async () => {
  const at: Uint8Array[] = [];
  const keep = callbacks.checkpoint({ path: (bytes) => at.push(bytes) });
  await fit({ x, y }, { batchSize: 4, callbacks: [keep] });
  await fit({ x, y }, { batchSize: 5, epochs: 2, resume: at[0]! });
}, [
  'HDL1020: training cannot be resumed: it has batchSize: 4, this one batchSize: 5',
  '  rule: the rest has the same bits only with the same settings and data',
  '  try:  give fit the same, or load the variables alone by model.loadCheckpoint(path)',
]);
says('a checkpoint of another net', async () => {
  const at: Uint8Array[] = [];
  const other = new Model({ input: [2] }).add(nn.dense(4)).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.sgd(),
    threads: 1,
  });
  await other.saveCheckpoint((bytes) => at.push(bytes));
  await other.dispose();
  const model = new Model({ input: [2] }).add(nn.dense(3)).compile({ threads: 1 });
  await model.loadCheckpoint(at[0]!).finally(() => model.dispose());
}, [
  "HDL1020: checkpoint cannot be restored: 'dense1/w' is f32[2, 4]",
  '  rule: here it is f32[2, 3]',
  '  try:  use a checkpoint of the same net and optimizer',
]);
says('a data set that is not in the folder', () => data.mnist({ folder: 'nowhere' }), [
  "HDL1021: there is no train-images-idx3-ubyte.gz or train-images-idx3-ubyte or train-images.idx3-ubyte.gz or train-images.idx3-ubyte in 'nowhere'",
  '  rule: the folder has the files of mnist',
  '  try:  check the path, or leave out folder to download them',
]);
