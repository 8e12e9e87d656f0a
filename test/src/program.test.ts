// Programs: shared variables, specialisation by size, feeds, errors that leave the state as it was.

import t from 'tap';
import {
  add,
  entry,
  full,
  initializers,
  mul,
  program,
  scope,
  sub,
  sum,
  tensor,
  uniform,
  variable,
} from '../../src/index.ts';

const reference = { target: 'reference' } as const;

t.test('entries share variables; assigned values hold from the next run on', async (t) => {
  const w = variable('w', [2], initializers.fromArray([1, 2]));
  const p = program(
    {
      step: entry({ d: tensor([2]) }, ({ d }, ctx) => {
        ctx.assign(w, add(w, d));
        return { before: w };
      }),
      read: entry({}, () => ({ w })),
    },
    reference,
  );
  t.same([...p.get(w).data], [1, 2], 'the initial value, before anything ran');
  const { before } = await p.run('step', { d: [10, 20] });
  t.same([...before.data], [1, 2]);
  t.same([...(await p.run('read', {})).w.data], [11, 22]);
  p.set('w', [5, 6]);
  t.same([...(await p.run('read', {})).w.data], [5, 6]);
  t.same([...p.get('w').data], [5, 6]);
});

t.test('a value set before the first run is the first value', async (t) => {
  const w = variable('w', [], initializers.zeros());
  const p = program({ read: entry({}, () => ({ w })) }, reference);
  p.set(w, 7);
  t.equal(p.get(w).data[0], 7);
  t.equal((await p.run('read', {})).w.data[0], 7);
});

t.test('an entry is specialised for each size, once', async (t) => {
  let built = 0;
  const p = program(
    {
      total: entry({ x: tensor(['n', 2]) }, ({ x }) => {
        built++;
        return { y: sum(x, 1) };
      }),
    },
    reference,
  );
  for (const n of [1, 3, 1, 3]) {
    const { y } = await p.run('total', { x: new Float32Array(2 * n).fill(1) });
    t.same([...y.data], new Array(n).fill(2));
  }
  t.equal(built, 2);
  t.same(
    p.timings.map((s) => s.dims),
    [{ n: 1 }, { n: 3 }],
  );
});

t.test('feeds: typed arrays, nested arrays, shapes, numbers', async (t) => {
  const p = program(
    {
      f: entry({ x: tensor(['n', 'm']), s: tensor([]), k: tensor(['n'], 'i32') }, ({ x, s }) => ({
        y: mul(x, s),
      })),
    },
    reference,
  );
  for (const x of [
    [
      [1, 2],
      [3, 4],
    ],
    { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
    [1, 2, 3, 4],
  ]) {
    const { y } = await p.run('f', { x, s: 2, k: [0, 0] });
    t.same(
      [y.shape, [...y.data]],
      [
        [2, 2],
        [2, 4, 6, 8],
      ],
    );
  }
  const bad = async (feeds: object, text: RegExp): Promise<void> => {
    await t.rejects(p.run('f', feeds as never), { code: 'HDL1001', message: text });
  };
  await bad({ x: [[1]], s: 1 }, /input 'k' of entry 'f' is missing, expected i32\[n\]/);
  await bad({ x: [[1]], s: 1, k: [0], z: 1 }, /entry 'f' has no input 'z'/);
  await bad({ x: [[1], [2]], s: 1, k: [0] }, /fed 'x' with n = 2 and 'k' with n = 1/);
  await bad({ x: [[1, 2], [3]], s: 1, k: [0, 1] }, /ragged array: a row of 1 at depth 1/);
  await bad({ x: { data: [1, 2, 3], shape: [2, 2] }, s: 1, k: [0, 1] }, /has shape \[2, 2\] but 3 elements/);
  await bad({ x: [[1]], s: [1, 2], k: [0] }, /input 's' of entry 'f' has 2 elements, expected f32\[\]/);
  await bad({ x: [[1]], s: 1, k: [0.5] }, /0\.5 at position 0/);
  await bad({ x: [1, 2, 3], s: 1, k: { data: [0, 1], shape: [2] } }, /has 3 elements, expected f32\[n, m\]/);
});

t.test('initial values depend on seed and name only', async (t) => {
  const make = (order: readonly string[], seed: number) =>
    program(
      {
        f: entry({}, (_i, ctx) =>
          Object.fromEntries(order.map((n) => [n, ctx.variable(n, [3], initializers.normal())])),
        ),
      },
      { ...reference, seed },
    );
  const [one, other, reseeded] = [make(['a', 'b'], 1), make(['b', 'a'], 1), make(['a', 'b'], 2)];
  const [x, y, z] = [await one.run('f', {}), await other.run('f', {}), await reseeded.run('f', {})];
  t.same(x['a']!.data, y['a']!.data);
  t.notSame(x['a']!.data, x['b']!.data);
  t.notSame(x['a']!.data, z['a']!.data);
});

t.test('random keys: new in every call and run, the same for the same seed', async (t) => {
  const make = (seed: number) =>
    program(
      {
        draw: entry({}, (_i, ctx) => ({
          a: uniform(ctx.randomKey(), [4]),
          b: uniform(ctx.randomKey(), [4]),
        })),
      },
      { ...reference, seed },
    );
  const p = make(5);
  const [first, second] = [await p.run('draw', {}), await p.run('draw', {})];
  t.notSame(first.a.data, first.b.data);
  t.notSame(first.a.data, second.a.data);
  t.equal(p.get('random/counter').data[0], 2);
  t.same((await make(5).run('draw', {})).a.data, first.a.data);
  t.notSame((await make(6).run('draw', {})).a.data, first.a.data);
});

t.test('a build that fails leaves nothing behind', async (t) => {
  let fails = true;
  const p = program(
    {
      f: entry({}, (_i, ctx) => {
        const w = ctx.variable('w', fails ? [3] : [2], initializers.ones());
        if (fails) throw new Error('on purpose');
        return { w };
      }),
    },
    reference,
  );
  await t.rejects(p.run('f', {}), { message: 'on purpose' });
  t.same(p.variables(), []);
  fails = false;
  t.same([...(await p.run('f', {})).w.data], [1, 1], 'another shape is no conflict');
});

t.test('variables: one name, one object; one type; assigned once', async (t) => {
  const twins = program(
    {
      f: entry({}, () => ({
        y: sub(variable('w', [1], initializers.ones()), variable('w', [1], initializers.zeros())),
      })),
    },
    reference,
  );
  await t.rejects(twins.run('f', {}), { code: 'HDL0009', message: /second variable 'w'/ });
  const changed = program(
    {
      f: entry({ x: tensor(['n']) }, ({ x }, ctx) => ({
        y: mul(x, ctx.variable('w', x.type.shape, initializers.ones())),
      })),
    },
    reference,
  );
  await changed.run('f', { x: [1] });
  await t.rejects(changed.run('f', { x: [1, 2] }), {
    code: 'HDL0009',
    message: /already exists as f32\[1\]/,
  });
  const w = variable('w', [1], initializers.ones());
  const twice = program(
    {
      f: entry({}, (_i, ctx) => {
        ctx.assign(w, full([1], 1));
        ctx.assign(w, full([1], 2));
        return {};
      }),
    },
    reference,
  );
  await t.rejects(twice.run('f', {}), { code: 'HDL0010', message: /assigns a variable once/ });
});

t.test('scopes of variables and layers', async (t) => {
  const w = scope('outer', () => variable('w', [1], initializers.ones()));
  const p = program(
    {
      f: entry({}, (_i, ctx) => ({ a: w, b: ctx.scope('s').variable('v', [1], initializers.ones()) })),
    },
    reference,
  );
  await p.run('f', {});
  t.same(
    p.variables().map((v) => v.name),
    ['outer/w', 's/v'],
  );
});

t.test('dump, timings, dispose', async (t) => {
  const p = program({ f: entry({ x: tensor(['n']) }, ({ x }) => ({ y: mul(x, 2) })) }, reference);
  t.throws(() => p.dump('graph'), { code: 'HDL0003', message: /nothing has been compiled yet/ });
  t.match(p.dump('graph', { entry: 'f', dims: { n: 3 } }), /f32\[3\]/);
  t.match(p.dump('graph'), /f32\[3\]/);
  t.throws(() => p.dump('grap' as never), { code: 'HDL0003', message: /did you mean 'graph'/ });
  t.throws(() => p.dump('graph', { entry: 'f', dims: { m: 3 } }), {
    code: 'HDL0003',
    message: /named dimensions are 'n'/,
  });
  await p.dispose();
  await p.dispose();
  await t.rejects(p.run('f', { x: [1] }), { code: 'HDL1002' });
});
