// What is said about models that are not imported: the node by name, why, and what to try.

import t from 'tap';
import * as h from '../../src/index.ts';
import { type Draft, floats, info, ints, model, node, runModel } from '../support/onnx-model.ts';

const x = info('x', [2, 3]);
const of = (nodes: readonly Draft[], more: Partial<Parameters<typeof model>[0]> = {}): Uint8Array =>
  model({ inputs: [x], outputs: ['y'], nodes, ...more });

async function told(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    return (error as Error).message.replace(/\n {2}at: {3}.*/, '');
  }
  return 'nothing went wrong';
}

function says(name: string, act: () => unknown, lines: readonly string[]): void {
  t.test(name, async (t) => t.equal(await told(act), lines.join('\n')));
}

const run =
  (bytes: Uint8Array, options: h.ImportOnnxOptions = {}) =>
  () =>
    runModel(
      bytes,
      {
        x: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
      options,
    );

says('no model at all', () => h.importOnnx(Uint8Array.of(255, 255, 255)), [
  'HDL0020: 3 bytes do not read as an ONNX ModelProto: premature EOF',
  '  rule: an ONNX model is one protobuf message',
  '  try:  pass the whole .onnx file as a Uint8Array; git LFS stores a pointer in its place until it is pulled',
]);

says(
  'operators that are in no table',
  run(
    of([
      node('FusedMagic', ['x'], ['t'], {}, { domain: 'com.example', name: 'm1' }),
      node('Neg', ['t'], ['y']),
    ]),
  ),
  [
    "HDL0021: the model has nodes of com.example.FusedMagic, the first of them 'm1'",
    '  rule: these operators are not in the table of the importer (docs/onnx.md)',
    '  try:  export the model with standard operators, or replace these nodes by a function of them',
  ],
);

says('an operator that is refused', run(of([node('Unique', ['x'], ['y'], {}, { name: 'u' })])), [
  "HDL0021: ONNX node 'u' (Unique, opset 17) is not imported",
  '  rule: the shape of its result depends on the values that it gets',
  '  try:  end the model before this node, and do the rest on its outputs',
]);

says('an attribute that nobody knows', run(of([node('Neg', ['x'], ['y'], { speed: 9 }, { name: 'n' })])), [
  "HDL0021: ONNX node 'n' (Neg, opset 17) is not imported",
  "  rule: attribute 'speed' is not known in this version",
  '  try:  remove it, or convert the model to a newer opset',
]);

says(
  'a shape that is only known at run time',
  () =>
    runModel(
      of([node('Add', ['s', 's'], ['s2']), node('Reshape', ['x', 's2'], ['y'], {}, { name: 'r' })], {
        inputs: [x, info('s', [2], 'int64')],
      }),
      {
        x: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        s: [1, 2],
      },
    ),
  [
    "HDL0022: ONNX node 'r' (Reshape, opset 17) takes 's2', which is computed from input 's'",
    '  rule: it decides the shape of a result, so it must be known when the model is imported',
    "  try:  importOnnx(bytes, { constants: { 's': … } })",
  ],
);

says(
  "an error of Heddle's own ops names the node",
  run(of([node('MatMul', ['x', 'x'], ['y'], {}, { name: 'mm' })])),
  [
    "HDL0001: ONNX node 'mm' (MatMul, opset 17): matmul('x' (input f32[2, 3]), 'x' (input f32[2, 3]))",
    '  rule: inner dimensions 3 and 2 differ',
    '  try:  the last dimension of the first operand meets the last but one of the second: transpose or reshape one of them',
  ],
);

says('a value that nothing gives', run(of([node('Add', ['x', 'ghost'], ['y'], {}, { name: 'a' })])), [
  "HDL0020: node 'a' reads 'ghost', which nothing gives",
  '  rule: every value is an input, an initializer, or an output of an earlier node',
  '  try:  the model is not valid: check it with onnx.checker, or export it again',
]);

says(
  'an input without a shape',
  () =>
    h.importOnnx(model({ inputs: [info('x', null)], outputs: ['y'], nodes: [node('Neg', ['x'], ['y'])] })),
  [
    "HDL0021: input 'x' of the model has no shape",
    '  rule: the number of dimensions is fixed when a model is imported',
    "  try:  say it: importOnnx(bytes, { shapes: { 'x': ['batch', 3] } })",
  ],
);

says(
  'a constant for a name that the model does not have',
  run(of([node('Neg', ['x'], ['y'])]), { constants: { xx: 1 } }),
  [
    "HDL0003: importOnnx with constants for 'xx'",
    '  rule: the model has no such value; its inputs are: x',
    "  try:  did you mean 'x'?",
  ],
);

says(
  'a number that does not fit into 32 bits',
  run(of([node('Reshape', ['x', 's'], ['y'])], { initializers: [ints('s', [1], [2 ** 40])] })),
  [
    "HDL0021: initializer 's' has the int64 value 1099511627776 at position 0",
    '  rule: int64 is narrowed to i32: values lie in [-2147483648, 2147483647]',
    '  try:  export the model with smaller numbers, or with int32',
  ],
);

says(
  'a loop without an end',
  run(
    of([
      node(
        'Loop',
        ['', '', 'x'],
        ['y'],
        {
          body: {
            graph: {
              node: [node('Identity', ['a'], ['b'])],
              input: [info('i', [], 'int64'), info('c', [], 'bool'), info('a', [2, 3])],
              output: [info('c', []), info('b', [])],
            },
          },
        },
        { name: 'l' },
      ),
    ]),
  ),
  [
    "HDL0021: ONNX node 'l' (Loop, opset 17) is not imported",
    '  rule: it has neither a count nor a condition',
    '  try:  a loop must end',
  ],
);

says(
  'random numbers of a seed',
  run(of([node('RandomUniformLike', ['x'], ['y'], { seed: { float: 1 } }, { name: 'rnd' })])),
  [
    "HDL0021: ONNX node 'rnd' (RandomUniformLike, opset 17) is not imported",
    '  rule: it asks for the random numbers of a seed',
    '  try:  remove the seed: the program has one of its own',
  ],
);

t.test('a build that is not given all inputs', async (t) => {
  const net = h.importOnnx(
    of([node('Add', ['x', 'w'], ['y'])], { initializers: [floats('w', [3], [1, 2, 3])] }),
  );
  t.match(await told(() => net.build({})), /HDL0008: build of an ONNX model without its input 'x'/);
});
