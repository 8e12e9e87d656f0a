// Regions of linear memory: no overlap, no leak, errors that say what is there. Layout copies against the definition.

import t from 'tap';
import { copyIn, copyOut } from '../../runtime/layout.ts';
import { LinearMemory, type Region } from '../../runtime/memory.ts';
import { seededRandom } from '../support/random.ts';

t.test('regions never overlap, are aligned, and all come back', async (t) => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const memory = new LinearMemory({ shared: seed === 2 });
    const live: Region[] = [];
    for (let i = 0; i < 2000; i++) {
      if (live.length > 0 && random.bool(0.48)) {
        memory.free(live.splice(random.int(0, live.length - 1), 1)[0]!);
      } else {
        live.push(memory.allocate(random.int(0, 5000), 'a test'));
      }
    }
    live.sort((a, b) => a.address - b.address);
    const wrong = live.filter(
      (region, i) =>
        region.address % 64 !== 0 ||
        region.address < (i > 0 ? live[i - 1]!.address + live[i - 1]!.bytes : 64),
    );
    t.same(wrong, [], `seed ${seed}: ${live.length} regions`);
    t.equal(
      memory.usedBytes,
      live.reduce((sum, region) => sum + region.bytes, 0),
    );
    for (const region of live) memory.free(region);
    t.equal(memory.usedBytes, 0);
    const size = memory.sizeBytes;
    memory.free(memory.allocate(size - 64, 'everything'));
    t.equal(memory.sizeBytes, size, 'holes have merged to one');
  }
});

t.test('views follow growth', async (t) => {
  for (const shared of [false, true]) {
    const memory = new LinearMemory({ shared });
    const region = memory.allocate(4, 'one');
    memory.words[region.address / 4] = 17;
    const large = memory.allocate(1 << 20, 'much');
    t.equal(memory.generation, 1);
    t.equal(memory.words[region.address / 4], 17);
    memory.bytes[large.address + (1 << 20) - 1] = 3;
    t.equal(memory.bytes[large.address + (1 << 20) - 1], 3);
  }
});

t.test('too much memory is refused with numbers, and nothing is lost', async (t) => {
  const memory = new LinearMemory({ shared: false, maximumBytes: 1 << 20 });
  memory.allocate(300_000, 'a part');
  t.throws(() => memory.allocate(900_000, "the arena of 'train'"), {
    message: `HDL1007: 878.9 KiB for the arena of 'train' do not fit: 293.0 KiB are in use, memory has 320.0 KiB and may grow to 1.0 MiB
  rule: memory, in regions without gaps, stays below its maximum
  try:  use a smaller batch, or unload plans that are not needed`,
  });
  t.ok(memory.allocate(700_000, 'what is left'));
});

t.test('a region is freed once', async (t) => {
  const memory = new LinearMemory({ shared: false });
  const region = memory.allocate(100, 'a test');
  memory.free(region);
  t.throws(() => memory.free(region), /HDL1099: internal: region at 64 is freed twice/);
});

t.test('copies in any order of dimensions equal their definition', async (t) => {
  const seed = 20;
  const random = seededRandom(seed);
  for (let round = 0; round < 200; round++) {
    const shape = random.shape(0, 5, 4);
    if (round % 20 === 0) shape.push(0);
    const order = shape.map((_, d) => d);
    for (let d = order.length - 1; d > 0; d--) {
      const other = random.int(0, d);
      [order[d], order[other]] = [order[other]!, order[d]!];
    }
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Int32Array.from({ length: size }, (_, i) => i + 1);
    const expected = new Int32Array(size + 10);
    for (let i = 0; i < size; i++) {
      const coordinates: number[] = [];
      for (let d = shape.length - 1, rest = i; d >= 0; d--) {
        coordinates[d] = rest % shape[d]!;
        rest = Math.floor(rest / shape[d]!);
      }
      expected[5 + order.reduce((at, d) => at * shape[d]! + coordinates[d]!, 0)] = data[i]!;
    }
    const memory = new Int32Array(size + 10);
    copyIn(memory, 5, data, shape, order);
    const back = new Int32Array(size);
    copyOut(memory, 5, back, shape, order);
    const isRight = memory.every((v, i) => v === expected[i]) && back.every((v, i) => v === data[i]);
    if (!isRight) t.fail(`seed ${seed}, round ${round}: [${shape}] in order [${order}]`);
  }
  t.pass('200 shapes');
});
