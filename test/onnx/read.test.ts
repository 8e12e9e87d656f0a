// Reading files: every kind of field and of stored tensor, and what is said about damaged ones.

import t from 'tap';
import { HeddleError } from '../../src/index.ts';
import { readTensor } from '../../src/onnx/elements.ts';
import { denseOf } from '../../src/onnx/sparse.ts';
import { readMessage } from '../../src/onnx/wire.ts';
import { type Draft, encode } from '../support/onnx-model.ts';

const tensor = (draft: Draft, external = {}) =>
  readTensor(readMessage('TensorProto', encode('TensorProto', draft)), 'tensor t', external);

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof HeddleError ? error.code : String(error);
  }
  return 'nothing';
};

t.test('messages keep what was written, and fields that are not known are skipped', async (t) => {
  const bytes = encode('AttributeProto', {
    name: 'a',
    f: 0.5,
    i: -3n,
    ints: [1n, -(2n ** 62n)],
    floats: [1.5, -2],
    strings: [Uint8Array.of(104, 105)],
    t: { dims: [2n], doubleData: [1, 2], dataType: 11 },
  });
  // Field 99, a varint, and field 98, text: from a later version of the format.
  const later = Uint8Array.of(0x98, 0x06, 0x05, 0x92, 0x06, 0x01, 0x41);
  const a = readMessage('AttributeProto', Uint8Array.from([...later, ...bytes]));
  t.equal(a.name, 'a');
  t.equal(a.f, 0.5);
  t.equal(a.i, -3n);
  t.same(a.ints, [1n, -(2n ** 62n)]);
  t.same(a.floats, [1.5, -2]);
  t.same(a.strings, [Uint8Array.of(104, 105)]);
  t.same(a.t?.doubleData, [1, 2]);
  t.equal(a.g, undefined);
});

t.test('packed lists read as unpacked ones', async (t) => {
  // Field 1 (dims), packed: 2, 3.
  const packed = readMessage('TensorProto', Uint8Array.of(0x0a, 2, 2, 3, 0x10, 1));
  t.same(packed.dims, [2n, 3n]);
  t.equal(packed.dataType, 1);
});

t.test('a file that ends early is refused', async (t) => {
  const bytes = encode('ModelProto', { irVersion: 8n, producerName: 'someone' });
  for (let n = 1; n < bytes.length; n++) {
    const part = bytes.subarray(0, n);
    const code = codeOf(() => readMessage('ModelProto', part));
    t.ok(code === 'HDL0020' || n === 2, `${n} bytes: ${code}`);
  }
});

t.test('element types', async (t) => {
  const raw = (dataType: number, n: number, bytes: readonly number[]) =>
    Array.from(tensor({ dims: [BigInt(n)], dataType, rawData: Uint8Array.from(bytes) }).data);
  t.same(raw(1, 1, [0, 0, 0x80, 0x3f]), [1], 'float');
  t.same(raw(2, 2, [1, 255]), [1, 255], 'uint8');
  t.same(raw(3, 2, [1, 255]), [1, -1], 'int8');
  t.same(raw(5, 1, [0xfe, 0xff]), [-2], 'int16');
  t.same(raw(7, 1, [5, 0, 0, 0, 0, 0, 0, 0]), [5], 'int64');
  t.same(raw(9, 2, [0, 1]), [0, 1], 'bool');
  t.same(
    raw(10, 4, [0, 0x3c, 1, 0, 0, 0xfc, 0, 0xc0]),
    [1, 2 ** -24, Number.NEGATIVE_INFINITY, -2],
    'float16',
  );
  t.same(raw(11, 1, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]), [1], 'double');
  t.same(raw(16, 1, [0x80, 0xbf]), [-1], 'bfloat16');
  t.same(raw(22, 3, [0xf1, 0x07]), [1, -1, 7], 'int4');
  t.same(raw(21, 3, [0xf1, 0x07]), [1, 15, 7], 'uint4');
  t.same(Array.from(tensor({ dims: [2n], dataType: 10, int32Data: [0x3c00, 0x4000] }).data), [1, 2]);
  t.equal(
    codeOf(() => tensor({ dims: [1n], dataType: 8 })),
    'HDL0021',
    'text',
  );
  t.equal(
    codeOf(() => tensor({ dims: [1n], dataType: 17, rawData: Uint8Array.of(1) })),
    'HDL0021',
    'float8',
  );
});

t.test('64-bit integers must fit; the ends of their range become the ends of i32', async (t) => {
  const of = (v: bigint) => tensor({ dims: [1n], dataType: 7, int64Data: [v] }).data[0];
  t.equal(of(2n ** 63n - 1n), 2147483647);
  t.equal(of(-(2n ** 63n)), -2147483648);
  t.equal(of(-(2n ** 63n) + 1n), -2147483648);
  t.equal(of(2147483647n), 2147483647);
  t.equal(
    codeOf(() => of(2147483648n)),
    'HDL0021',
  );
  t.equal(
    codeOf(() => of(-(2n ** 40n))),
    'HDL0021',
  );
});

t.test('data that does not fit the shape is refused', async (t) => {
  t.equal(
    codeOf(() => tensor({ dims: [3n], dataType: 1, floatData: [1, 2] })),
    'HDL0020',
  );
});

t.test('data beside the model', async (t) => {
  const draft = {
    dims: [1n],
    dataType: 1,
    dataLocation: 1,
    externalData: [
      { key: 'location', value: 'weights.bin' },
      { key: 'offset', value: '4' },
      { key: 'length', value: '4' },
    ],
  };
  const file = new Uint8Array(Float32Array.of(7, 8, 9).buffer);
  t.same(Array.from(tensor(draft, { 'weights.bin': file }).data), [8]);
  t.equal(
    codeOf(() => tensor(draft)),
    'HDL0020',
  );
});

t.test('sparse tensors become dense, by numbers and by coordinates', async (t) => {
  const dense = (indices: Draft) =>
    Array.from(
      denseOf(
        readMessage(
          'SparseTensorProto',
          encode('SparseTensorProto', {
            dims: [2n, 3n],
            values: { dims: [2n], dataType: 1, floatData: [5, 6] },
            indices,
          }),
        ),
        {},
      ).data,
    );
  t.same(dense({ dims: [2n], dataType: 7, int64Data: [1n, 5n] }), [0, 5, 0, 0, 0, 6]);
  t.same(dense({ dims: [2n, 2n], dataType: 7, int64Data: [0n, 1n, 1n, 2n] }), [0, 5, 0, 0, 0, 6]);
});
