// Data sets: what each stage gives, that any epoch can be gone through again from any place, and what is refused.

import fc from 'fast-check';
import t from 'tap';
import { Dataset, data } from '../../src/index.ts';

const numbers = (n: number): Dataset<number> => Dataset.from(Array.from({ length: n }, (_, i) => i));

/** The same numbers, one after the other, known at the end only. */
const stream = (n: number): Dataset<number> =>
  Dataset.from(async function* () {
    for (let i = 0; i < n; i++) yield i;
  });

async function list<E>(elements: AsyncIterable<E>): Promise<E[]> {
  const all: E[] = [];
  for await (const element of elements) all.push(element);
  return all;
}

t.test('columns become elements, and elements batches', async (t) => {
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);
  const set = Dataset.from({ x, y: Int32Array.of(0, 1, 2), name: ['a', 'b', 'c'] });
  t.equal(set.size, 3);
  t.same(await set.toArray(), [
    { x: Float32Array.of(1, 2), y: 0, name: 'a' },
    { x: Float32Array.of(3, 4), y: 1, name: 'b' },
    { x: Float32Array.of(5, 6), y: 2, name: 'c' },
  ]);
  const pairs = set.map(({ x, y }) => ({ x, y })).batch(2);
  t.same([pairs.size, pairs.batchSize], [2, 2]);
  t.same(await pairs.toArray(), [
    { x: { data: x.slice(0, 4), shape: [2, 2] }, y: { data: Float64Array.of(0, 1), shape: [2] } },
    { x: { data: x.slice(4), shape: [1, 2] }, y: { data: Float64Array.of(2), shape: [1] } },
  ]);
  t.equal((await list(set.map(({ x }) => ({ x })).batch(2, { dropRemainder: true }))).length, 1);

  const pictures = Dataset.pictures({
    images: new Uint8Array(2 * 4).fill(7),
    shape: [2, 1, 2, 2],
    labels: Int32Array.of(3, 4),
  });
  t.same((await pictures.toArray())[1], { x: { data: new Uint8Array(4).fill(7), shape: [1, 2, 2] }, y: 4 });
  const [batch] = await pictures.batch(2).toArray();
  t.same((batch!['x'] as { shape: number[] }).shape, [2, 1, 2, 2]);

  const nested = Dataset.from({ x: { a: [[1], [2]], b: { data: [5, 6], shape: [2] } }, y: [[0], [1]] });
  t.same((await nested.toArray())[1], { x: { a: [2], b: 6 }, y: [1] });
  t.same((await nested.batch(2).toArray())[0], {
    x: { a: { data: Float64Array.of(1, 2), shape: [2, 1] }, b: { data: Float64Array.of(5, 6), shape: [2] } },
    y: { data: Float64Array.of(0, 1), shape: [2, 1] },
  });
});

t.test('map, filter, take, skip, over places and over streams', async (t) => {
  for (const make of [numbers, stream]) {
    const set = make(10);
    t.same(await set.map((v) => 2 * v).toArray(), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    t.same(
      await set
        .map(async (v) => -v)
        .take(3)
        .toArray(),
      [-0, -1, -2],
    );
    t.same(await set.filter((v) => v % 3 === 0).toArray(), [0, 3, 6, 9]);
    t.same(await set.skip(7).toArray(), [7, 8, 9]);
    t.same(await set.skip(2).take(3).skip(1).toArray(), [3, 4]);
    t.same(await set.take(0).toArray(), []);
    t.same(await set.skip(20).toArray(), []);
    t.same(await set.prefetch(3).toArray(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  t.equal(numbers(10).skip(7).size, 3);
  t.equal(stream(10).skip(7).size, null);
});

t.test('random numbers of a place: one stream, however it is read', async (t) => {
  const drawn = await numbers(3)
    .map((_, place) => [place.random.uint32(), place.random.uint32()])
    .toArray();
  const held = await numbers(3)
    .map((_, { random }) => [random.uint32(), random.uint32()])
    .toArray();
  t.same(drawn, held);
  t.equal(new Set(drawn.flat()).size, 6, 'and all are different');
});

t.test('shuffle: each epoch its order, all elements, the same again', async (t) => {
  for (const set of [numbers(50).shuffle({ seed: 3 }), stream(50).shuffle({ seed: 3, buffer: 10 })]) {
    const [first, second] = [await list(set.epoch(0)), await list(set.epoch(1))];
    t.same(
      [...first].sort((a, b) => a - b),
      await numbers(50).toArray(),
    );
    t.notSame(first, second);
    t.same(await list(set.epoch(1)), second);
  }
  const near = await stream(50).shuffle({ buffer: 5 }).toArray();
  t.ok(
    near.every((v, place) => v - place <= 5),
    'through a buffer nothing comes earlier than it reaches',
  );
});

t.test('any epoch, from any place: as if it had been gone through from its start', async (t) => {
  type Step = readonly [name: string, n: number];
  const apply = (set: Dataset<unknown>, [name, n]: Step): Dataset<unknown> => {
    switch (name) {
      case 'map':
        return set.map((e, { random }) => [e, random.uint32()], { seed: n });
      case 'filter':
        return set.filter((e) => JSON.stringify(e).length % (n + 2) !== 0);
      case 'shuffle':
        return set.shuffle({ seed: n, buffer: n });
      case 'take':
        return set.take(5 * n);
      case 'skip':
        return set.skip(n);
      case 'prefetch':
        return set.prefetch(n);
      case 'cache':
        return set.cache();
      default:
        return set.size === null || set.batchSize !== null ? set : set.shuffle({ seed: n });
    }
  };
  const names = ['map', 'filter', 'shuffle', 'take', 'skip', 'prefetch', 'cache', 'order'];
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 5 })), { maxLength: 4 }),
      fc.nat(3),
      fc.nat(30),
      fc.boolean(),
      async (isStream, steps, epoch, from, isBatched) => {
        const make = (): Dataset<unknown> => {
          let set: Dataset<unknown> = isStream ? stream(25) : numbers(25);
          for (const step of steps) {
            if (step[0] !== 'order' || (set.size !== null && !isStream)) {
              try {
                set = apply(set, step);
              } catch (error) {
                if (!/HDL0003: shuffle of data/.test(String(error))) throw error;
              }
            }
          }
          return isBatched ? set.map((e) => JSON.stringify(e).length).batch(4) : set;
        };
        const whole = JSON.stringify((await list(make().epoch(epoch))).slice(from));
        const set = make();
        const rest = JSON.stringify(await list(set.epoch(epoch, from)));
        const again = JSON.stringify(await list(set.epoch(epoch, from)));
        return rest === whole && again === whole;
      },
    ),
    { numRuns: 300, seed: 7 },
  );
  t.pass('300 pipelines');
});

t.test('split and k folds: every example once', async (t) => {
  const [train, rest] = numbers(10).split(0.7, { seed: 1 });
  t.same([train.size, rest.size], [7, 3]);
  t.same([...(await train.toArray()), ...(await rest.toArray())].sort(), await numbers(10).toArray());
  t.notSame(await train.toArray(), [0, 1, 2, 3, 4, 5, 6]);
  const [head] = numbers(10).split(0.5, { shuffle: false });
  t.same(await head.toArray(), [0, 1, 2, 3, 4]);
  const folds = numbers(11).kFold(3, { seed: 2 });
  const held = await Promise.all(folds.map(({ validation }) => validation.toArray()));
  t.same(
    held.flat().sort((a, b) => a - b),
    await numbers(11).toArray(),
  );
  t.same(held.map((h) => h.length).sort(), [3, 4, 4]);
  for (const { train, validation } of folds) {
    const all = [...(await train.toArray()), ...(await validation.toArray())];
    t.same(
      all.sort((a, b) => a - b),
      await numbers(11).toArray(),
    );
  }
  t.same(
    (await (await stream(4).collect()).split(0.5))[0].size,
    2,
    'what comes one after the other is split after it was collected',
  );
});

t.test('cache: made once', async (t) => {
  let made = 0;
  const set = stream(5)
    .map((v) => {
      made++;
      return v;
    })
    .cache();
  t.same(await list(set.epoch(0, 2)), [2, 3, 4]);
  t.same(await Promise.all([list(set.epoch(0)), list(set.epoch(3))]), [
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4],
  ]);
  t.equal(made, 5);
  const ordered = numbers(5).cache().shuffle({ seed: 1 });
  t.same(await ordered.toArray(), await numbers(5).shuffle({ seed: 1 }).toArray());
});

t.test('prefetch makes elements ahead, and stops when nobody wants them', async (t) => {
  let made = 0;
  let closed = false;
  const set = Dataset.from(async function* () {
    try {
      for (let i = 0; i < 100; i++) {
        made++;
        yield i;
      }
    } finally {
      closed = true;
    }
  }).prefetch(4);
  for await (const first of set) {
    t.equal(first, 0);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(made, 5);
    break;
  }
  t.ok(closed, 'the source is told');
  const failing = Dataset.from(async function* () {
    yield 1;
    throw new Error('no more');
  });
  await t.rejects(failing.prefetch(3).toArray(), { message: 'no more' });
});

t.test('what is refused, and where', async (t) => {
  const refuses = (act: () => unknown, code: string, message: RegExp): void => {
    t.throws(act, { code, message });
  };
  refuses(() => Dataset.from({ x: [], y: [] }), 'HDL0016', /'x' is empty/);
  refuses(() => Dataset.from({}), 'HDL0016', /of no arrays/);
  refuses(
    () => Dataset.from({ x: [[1], [2]], y: [[1], [2], [3]] }),
    'HDL0016',
    /'y' has 3 rows and 'x' has 2 rows/,
  );
  refuses(
    () => Dataset.from({ x: new Float32Array(7), y: new Int32Array(3) }),
    'HDL0016',
    /'x' has 7 numbers and 'y' has 3 rows.*give its shape: \{ data, shape: \[3, …\] \}/s,
  );
  refuses(() => Dataset.from({ x: { data: [1, 2], shape: [3] } }), 'HDL0016', /shape \[3\] and 2 elements/);
  refuses(() => Dataset.from({ x: Promise.resolve([1]) }), 'HDL0016', /'x' is a promise/);
  refuses(() => Dataset.from(Promise.resolve({}) as never), 'HDL0016', /await it first/);
  refuses(() => Dataset.from(null as never), 'HDL0016', /Dataset.from\(null\)/);
  refuses(
    () => stream(3).shuffle(),
    'HDL0003',
    /shuffle of data that comes one element after the other.*buffer: 1000/s,
  );
  refuses(() => stream(3).kFold(2), 'HDL0003', /collect\(\)/);
  refuses(() => numbers(3).kFold(4), 'HDL0003', /kFold\(4\) of 3 examples/);
  refuses(() => numbers(3).split(1.5), 'HDL0003', /split\(1.5\) of 3 examples/);
  refuses(() => numbers(3).batch(0), 'HDL0003', /batchSize: 0/);
  refuses(() => numbers(3).batch(2).batch(2), 'HDL0003', /batch\(2\) of batches of 2/);
  refuses(() => numbers(3).map(3 as never), 'HDL0003', /map takes a function/);
  refuses(
    () => numbers(3).map((v) => v, { worker: true } as never),
    'HDL0003',
    /cannot be sent to another thread/,
  );
  refuses(() => numbers(3).shuffle({ buffer: 1.5 }), 'HDL0003', /buffer: 1.5/);

  const batches = async (elements: unknown[], message: RegExp): Promise<void> => {
    await t.rejects(Dataset.from(elements).batch(2).toArray(), { code: 'HDL0016', message });
  };
  await batches([{ x: [1, 2] }, { x: [1] }], /'x' has shapes \[2\] and \[1\]/);
  await batches([{ x: 1 }, {}], /lacks 'x' in element 1/);
  await batches([{ x: 'red' }, { x: 'blue' }], /'x' is of the text 'red'.*make numbers of text/s);
  await batches([{ x: 1 }, { x: [1] }], /'x' has a Array after 1/);
  await batches([{ x: Float32Array.of(1) }, { x: Uint8Array.of(1) }], /Uint8Array after Float32Array/);

  const once = Dataset.from(
    (function* () {
      yield 1;
    })(),
  );
  t.same(await once.toArray(), [1]);
  await t.rejects(once.toArray(), {
    code: 'HDL0016',
    message: /a second time.*Dataset.from\(\(\) => generate/s,
  });
  t.same(
    await numbers(2)
      .map((v) => v)
      .toArray(),
    [0, 1],
  );
  t.same(data.Dataset, Dataset);
});
