// Safetensors: written and read back, refused with the reason when damaged or hostile; and the format's own library, where it is at
// hand.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { state } from '../../src/index.ts';
import { errorOf } from '../support/error-of.ts';

const tensors = new Map<string, state.StoredTensor>([
  ['10', { dtype: 'u8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['2', { dtype: 'bool', shape: [2, 1], data: Uint8Array.of(1, 0) }],
  ['dense1/w', { dtype: 'f32', shape: [2, 3], data: Float32Array.of(1, -0, Number.NaN, 1e-40, 5, 6) }],
  ['count "é"', { dtype: 'u32', shape: [], data: Uint32Array.of(4294967295) }],
  ['none', { dtype: 'i32', shape: [0, 4], data: new Int32Array(0) }],
  ['sum', { dtype: 'f64', shape: [1], data: Float64Array.of(Math.PI) }],
  ['i', { dtype: 'i32', shape: [1], data: Int32Array.of(-7) }],
]);

/** A file by hand. */
function file(header: unknown, body: Uint8Array = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

t.test('what is written is read back, bit for bit', async (t) => {
  const bytes = state.writeSafetensors(tensors, { by: 'heddle' });
  const read = state.readSafetensors(bytes);
  t.same(read.metadata, { by: 'heddle' });
  t.same([...read.tensors.keys()].sort(), [...tensors.keys()].sort());
  for (const [name, { dtype, shape, data }] of tensors) {
    const other = read.tensors.get(name)!;
    t.same([other.dtype, other.shape], [dtype, shape], name);
    t.equal(other.data.constructor, data.constructor);
    t.same(Buffer.from(other.data.buffer), Buffer.from(data.buffer), name);
  }
  t.same(state.writeSafetensors(tensors, { by: 'heddle' }), bytes, 'equal tensors make equal bytes');
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  t.equal(start % 8, 0, 'elements are aligned');
  t.same(state.readSafetensors(state.writeSafetensors(new Map())).tensors.size, 0);
  const odd = new Map([['__proto__', tensors.get('i')!]]);
  t.same([...state.readSafetensors(state.writeSafetensors(odd)).tensors.keys()], ['__proto__']);
});

t.test('every cut of a file is refused', async (t) => {
  const bytes = state.writeSafetensors(tensors);
  for (let length = 0; length < bytes.length; length++) {
    const text = errorOf(() => state.readSafetensors(bytes.subarray(0, length)));
    if (!text.startsWith('HDL1020')) t.fail(`${length} bytes: ${text}`);
  }
  t.pass(`${bytes.length} cuts`);
});

t.test('damaged and hostile files are refused, each with its reason', async (t) => {
  const f32 = (offsets: unknown, shape: unknown = [1]): object => ({
    dtype: 'F32',
    shape,
    data_offsets: offsets,
  });
  const refuses = (bytes: Uint8Array, reason: RegExp | string): void => {
    t.match(
      errorOf(() => state.readSafetensors(bytes)),
      reason,
    );
  };
  const body = (n: number): Uint8Array => new Uint8Array(n);
  refuses(body(3), 'it has 3 bytes');
  refuses(
    file({}, body(0), 2n ** 63n),
    'its header would have 9223372036854775808 bytes, more than the 100000000',
  );
  refuses(file({}, body(0), 500n), 'its header would end at byte 508 of 10');
  refuses(file(' {}'), "does not begin with '{'");
  refuses(file('{"a"'), 'its header is no JSON');
  refuses(Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), 'its header is no JSON');
  refuses(file(`{"a":${'['.repeat(2_000_000)}`), 'its header is no JSON');
  refuses(
    file(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
    /header is no JSON|is no record of dtype/,
  );
  refuses(file({ a: 3 }), "'a' is no record of dtype");
  refuses(
    file({ a: { ...f32([0, 4]), dtype: 'F16' } }, body(4)),
    `'a' has dtype "F16", and is to have one of F64`,
  );
  refuses(file({ a: { ...f32([0, 4]), dtype: 'toString' } }, body(4)), `'a' has dtype "toString"`);
  refuses(file({ a: f32([0, 4], [-1]) }, body(4)), "'a' has shape [-1], which is no list of sizes");
  refuses(file({ a: f32([0, 4], [0.25]) }, body(4)), "'a' has shape [0.25]");
  refuses(file({ a: f32([0, 4], [2 ** 40, 2 ** 40]) }, body(4)), "'a' has 4 bytes, and F32 of shape");
  refuses(file({ a: f32([0, 4], [2]) }, body(4)), "'a' has 4 bytes, and F32 of shape [2] needs 8");
  refuses(file({ a: f32([4, 0]) }, body(4)), "'a' has data_offsets [4,0], which are no range");
  refuses(file({ a: f32([0, 4, 8]) }, body(8)), 'which are no range');
  refuses(file({ a: f32([0, 4]), b: f32([2, 6]) }, body(6)), "'b' begins at 2, within 'a', which ends at 4");
  refuses(file({ a: f32([0, 4]), b: f32([0, 4]) }, body(4)), "'b' begins at 0, within 'a'");
  refuses(file({ a: f32([0, 4]), b: f32([8, 12]) }, body(12)), "bytes 4 to 8 before 'b' belong to no tensor");
  refuses(file({ a: f32([4, 8]) }, body(8)), "bytes 0 to 4 before 'a' belong to no tensor");
  refuses(file({ a: f32([0, 4]) }, body(2)), "'a' ends at 4, and there are 2 bytes");
  refuses(file({ a: f32([0, 4]) }, body(9)), '5 bytes after the last tensor belong to none');
  refuses(
    file(
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      body(4),
    ),
    'a name twice',
  );
  refuses(
    file('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', body(4)),
    'a name twice',
  );
  refuses(file('{"__metadata__":{"k":"\\": ","k" :"2"}}'), 'a name twice');
  refuses(file({ __metadata__: { k: 1 } }), "its '__metadata__' is no record of texts");
  refuses(file({ __metadata__: ['a'] }), "its '__metadata__' is no record of texts");
  refuses(
    file({ a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, Uint8Array.of(2)),
    "'a' has booleans other than 0 and 1",
  );
  t.match(
    errorOf(() =>
      state.writeSafetensors(new Map([['a', { dtype: 'f32', shape: [2], data: Float32Array.of(1) }]])),
    ),
    "HDL1020: tensor 'a' of shape [2] with 1 elements",
  );
});

/** The library, or why not. */
function noLibrary(): string | false {
  try {
    execFileSync('python3', ['-c', 'import numpy, safetensors'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'python3 with safetensors and numpy is not at hand';
  }
}

t.test("Python's safetensors reads what is written, and the other way", { skip: noLibrary() }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ours.safetensors'), state.writeSafetensors(tensors, { by: 'heddle' }));
  const script = `
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
t = load_file('ours.safetensors')
assert set(t) == {'10', '2', 'dense1/w', 'count "é"', 'none', 'sum', 'i'}, set(t)
assert t['dense1/w'].dtype == np.float32 and t['dense1/w'].shape == (2, 3) and t['2'].dtype == np.bool_
assert t['sum'][0] == np.pi and t['i'][0] == -7 and t['none'].shape == (0, 4)
with safe_open('ours.safetensors', 'numpy') as f: assert f.metadata() == {'by': 'heddle'}
save_file(t, 'theirs.safetensors', metadata={'by': 'python'})
`;
  execFileSync('python3', ['-c', script], { cwd: folder });
  const theirs = state.readSafetensors(await readFile(join(folder, 'theirs.safetensors')));
  t.same(theirs.metadata, { by: 'python' });
  for (const [name, { data }] of tensors) {
    t.same(Buffer.from(theirs.tensors.get(name)!.data.buffer), Buffer.from(data.buffer), name);
  }
});
