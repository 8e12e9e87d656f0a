// Saved files come back as they were, or not at all.

import { createHash } from 'node:crypto';
import t from 'tap';
import {
  Executor,
  type LoadPlansOptions,
  loadPlans as loadUntrusted,
  type RunTensor,
  type SavedPlans,
  savePlans,
} from '../../runtime/index.ts';
import { portableSha256, sha256 } from '../../runtime/sha256.ts';
import { seededRandom } from '../support/random.ts';
import { reseal, resealHead } from '../support/reseal.ts';
import { elements, trainPlan, trainStep } from './plans.ts';

/** These files are ours. */
const loadPlans = (bytes: Uint8Array, options: LoadPlansOptions = {}): SavedPlans =>
  loadUntrusted(bytes, { trust: 'js', ...options });

t.test('SHA-256 is what others compute', async (t) => {
  const random = seededRandom(5);
  const parts = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100_000].map((length) =>
    Uint8Array.from({ length }, () => random.int(0, 255)),
  );
  const whole = createHash('sha256');
  for (const part of parts) whole.update(part);
  for (const hash of [sha256, portableSha256]) {
    const hex = (...list: Uint8Array[]) => Buffer.from(hash(...list)).toString('hex');
    for (const part of parts) {
      t.equal(hex(part), createHash('sha256').update(part).digest('hex'), `${part.length} bytes`);
    }
    t.equal(hex(...parts), whole.copy().digest('hex'), 'in parts');
  }
});

const w = Float32Array.from({ length: elements }, (_, i) => i / 7);
const x = Float32Array.from({ length: elements }, (_, i) => Math.sin(i));

t.test('plans and variables come back, and run', async (t) => {
  const plans = [await trainPlan('js'), await trainPlan('wasm', { entry: 'other' })];
  const bytes = savePlans(plans, ({ name }) => (name === 'w' ? w : undefined));
  const loaded = loadPlans(bytes);
  t.same(loaded.plans, plans);
  t.same([...loaded.variables], [['w', { dtype: 'f32', shape: [elements], data: w } satisfies RunTensor]]);
  t.same(
    savePlans(loaded.plans, ({ name }) => loaded.variables.get(name)?.data),
    bytes,
    'byte for byte',
  );

  const executor = await Executor.create({ threads: 1 });
  const train = await executor.load(loaded.plans[1]!, ({ name }) => loaded.variables.get(name)?.data);
  t.same((await executor.run(train, { x }))['updated']?.data, trainStep(x, w)[1]);
  await executor.dispose();
});

t.test('a part of a larger buffer is read too', async (t) => {
  const bytes = savePlans([await trainPlan('js')]);
  const larger = new Uint8Array(bytes.length + 13);
  larger.set(bytes, 5);
  t.equal(loadPlans(larger.subarray(5, 5 + bytes.length)).plans.length, 1);
});

t.test('damage is refused, wherever it is', async (t) => {
  const bytes = savePlans([await trainPlan('wasm')], ({ name }) => (name === 'w' ? w : undefined));
  const isRefused = (file: Uint8Array) => {
    try {
      loadPlans(file);
    } catch (error) {
      return (error as { code?: string }).code === 'HDL1006';
    }
    return false;
  };
  const cuts = Array.from({ length: 200 }, (_, i) => Math.floor((bytes.length * i) / 200));
  t.same(
    cuts.filter((length) => !isRefused(bytes.slice(0, length))),
    [],
    'cut short',
  );
  const survivors: number[] = [];
  for (let at = 0; at < bytes.length; at += at < 600 ? 1 : 61) {
    const changed = bytes.slice();
    changed[at]! ^= 1 << (at % 8);
    if (!isRefused(changed)) survivors.push(at);
  }
  t.same(survivors, [], 'one bit changed');
  t.ok(isRefused(new Uint8Array([...bytes, 0])), 'a byte too many');
  t.ok(isRefused(new Uint8Array(0)), 'nothing');
  t.ok(isRefused('text' as never), 'no bytes');
});

t.test('reasons are told', async (t) => {
  const bytes = savePlans([await trainPlan('js')]);
  const changed = (change: (file: Uint8Array) => Uint8Array) => () => loadPlans(change(bytes.slice()));
  const setByte = (at: number) =>
    changed((file) => {
      file[at]! += 1;
      return file;
    });
  t.throws(setByte(0), /does not start as a file of saved plans/);
  t.throws(setByte(8), /it has version 3, this runtime reads version 2/);
  t.throws(setByte(30), /its checksum does not fit its head: it was changed or damaged/);
  t.throws(setByte(400), /the checksum of section 0 \('manifest'\) does not fit its contents/);
  t.throws(setByte(bytes.length - 1), /it has bytes between sections: it was changed or damaged/);
  t.throws(
    changed((file) => file.subarray(0, 100)),
    {
      message: `HDL1006: saved plans cannot be loaded: it is cut short: 100 of ${bytes.length} bytes
  rule: a file is loaded whole and unchanged, as savePlans wrote it
  try:  copy the file again in binary mode, or save the plans again with this version`,
    },
  );
});

t.test(
  'a file that was made wrong, with the right checksum, is refused by what is wrong in it',
  async (t) => {
    const text = new TextDecoder('latin1');
    const bytes = savePlans([await trainPlan('js')], ({ name }) => (name === 'w' ? w : undefined));
    const edit = (from: string, to: string) => () => {
      const at = text.decode(bytes).indexOf(from);
      const file = bytes.slice();
      file.set(new TextEncoder().encode(to), at);
      return loadPlans(reseal(file));
    };
    t.throws(edit('"format":1', '"format":7'), /it has format 7, this runtime reads format 1/);
    t.throws(edit('"kernel":2', '"kernel":9'), /steps\[2\] names kernel 9 of 3/);
    t.throws(edit('["w"]', '["v"]'), /it has a value for "v", no variable of its plans/);
    t.throws(edit('{"format"', '["format"'), /it holds text that is no JSON/);
    const header = (at: number, value: number) => () => {
      const file = bytes.slice();
      new DataView(file.buffer).setUint32(at, value, true);
      return loadPlans(reseal(file));
    };
    t.throws(header(12, 1_000_000), /its table is longer than the file/);
    t.throws(header(12, 4), /section 0 does not begin where the one before it ends/);
    t.throws(header(56, 77), /section 0 is of an unknown kind/);
    t.throws(header(56 + 8, 4_000_000_000), /section 0 is not inside the file/);
    t.throws(header(56 + 8, 8), /section 0 does not begin where the one before it ends/);
    t.throws(header(56 + 20, 1), /section 0 is not inside the file/);
    t.throws(header(56 + 4, 3), /it has 0 sections 'manifest' of number 0/);
    t.throws(header(56 + 2 * 56 + 4, 7), /it has 0 sections 'constants' of number 0/);
    t.throws(() => {
      const file = bytes.slice();
      file[text.decode(file).indexOf('"kernel":2')] = 0x20;
      loadPlans(resealHead(file));
    }, /the checksum of section 0 \('manifest'\) does not fit its contents/);
    const twice = savePlans([await trainPlan('wasm')], ({ name }) =>
      name === 'w' ? w : new Float32Array(6),
    );
    const at = text.decode(twice).indexOf('["w","bias"]');
    twice.set(new TextEncoder().encode('["w"   ,"w"]'), at);
    t.throws(() => loadPlans(reseal(twice)), /it has two values for one variable/);
    twice.set(new TextEncoder().encode('["w"       ]'), at);
    t.throws(() => loadPlans(reseal(twice)), /it has 6 sections, its plans and variables make 5/);
  },
);

t.test('of variants, the loader picks the first one that runs here', async (t) => {
  const plain = await trainPlan('wasm');
  const future = await trainPlan('wasm', { features: ['simd4096'] });
  const relaxed = await trainPlan('wasm', { features: ['relaxed-simd'] });
  const other = await trainPlan('js', { entry: 'other' });
  const bytes = savePlans([[future, plain], other], ({ name }) => (name === 'w' ? w : undefined));
  const loaded = loadPlans(bytes);
  t.same(loaded.plans, [plain, other]);
  t.same(loaded.variants, [[future, plain], [other]]);
  t.same(loaded.variables.get('w')?.data, w);
  t.same(
    savePlans(loaded.variants, ({ name }) => loaded.variables.get(name)?.data),
    bytes,
    'byte for byte',
  );
  t.same(loadPlans(savePlans([[future, future]])).plans, [future], 'none runs: loading it tells why');
  t.same(loadPlans(savePlans([[relaxed, plain]]), { relaxed: false }).plans, [plain]);
  t.same(savePlans([[plain], [other]]), savePlans([plain, other]), 'a list of one is no list of variants');
});

t.test('variants that are no variants of each other are refused', async (t) => {
  const plain = await trainPlan('wasm');
  const message = /variants of 'train' differ in entry, inputs, outputs or variables/;
  const [first, ...rest] = plain.manifest.inputs;
  const renamed = { ...plain.manifest, inputs: [{ ...first!, name: 'z' }, ...rest] };
  t.throws(() => savePlans([[plain, { ...plain, manifest: renamed }]]), message);
  t.throws(() => savePlans([[plain, { ...plain, manifest: { ...plain.manifest, entry: 'b' } }]]), message);
  t.throws(() => savePlans([[]]), /a plan has no variants/);

  const bytes = savePlans([[plain, plain], plain]);
  const list = '[[0,1],[2]]';
  const at = new TextDecoder('latin1').decode(bytes).indexOf(list);
  for (const wrong of [
    '[[0,1],[1]]',
    '[[0,2],[1]]',
    '[[2],[0,1]]',
    '[0,1,[2]]',
    '[[],[0,1]]',
    '"[0,1][2]"',
  ]) {
    const file = bytes.slice();
    file.set(new TextEncoder().encode(wrong.padEnd(list.length)), at);
    reseal(file);
    t.throws(() => loadPlans(file), /its list of variants does not name each plan once, in order/, wrong);
  }
});

t.test('code is bound to its manifest and constants', async (t) => {
  const plans = [await trainPlan('wasm'), await trainPlan('wasm', { entry: 'other' })];
  const bytes = savePlans(plans);
  t.same(loadPlans(bytes).plans, plans, 'which the plan does not show');
  // Section 4 is the code of the second plan: the same as that of the first, and bound to another manifest.
  const view = new DataView(bytes.buffer);
  const [first, second] = [1, 4].map((i) => Number(view.getBigUint64(56 + 56 * i + 8, true)));
  const length = Number(view.getBigUint64(56 + 56 + 16, true));
  const spliced = bytes.slice();
  spliced.set(bytes.subarray(second!, second! + length), first!);
  t.throws(
    () => loadPlans(reseal(spliced)),
    /the code of plan 0 belongs to another manifest, or to other constants/,
  );
});

t.test('JavaScript is refused, unless it is trusted', async (t) => {
  const bytes = savePlans([await trainPlan('wasm'), await trainPlan('js', { entry: 'other' })]);
  t.throws(() => loadUntrusted(bytes), {
    message: `HDL1006: saved plans cannot be loaded: plan 'other' is for target 'js'
  rule: its code is JavaScript, which nothing confines: it may do whatever this process may
  try:  save it from a program of target 'wasm', or pass trust: 'js' if you know who made the file`,
  });
  t.equal(loadUntrusted(bytes, { trust: 'js' }).plans.length, 2);
});
