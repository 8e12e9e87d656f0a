// How a value came to be, as a tree, and gradients against differences.

import t from 'tap';
import * as h from '../../src/index.ts';

const p = h.program(
  {
    apply: h.entry({ x: h.tensor(['n']) }, ({ x }, ctx) => {
      const w = ctx.variable('w', [], h.initializers.constant(2));
      const y = h.scope('scaled', () => h.mul(x, w));
      const total = h.sum(y);
      ctx.assign(w, h.add(w, total));
      return { ratio: h.div(total, h.add(h.sum(h.square(y)), 1)), y };
    }),
    idle: h.entry({ x: h.tensor(['n']) }, ({ x }) => ({ y: x })),
  },
  { threads: 1 },
);
t.teardown(() => p.dispose());
const places = (text: string) => text.replaceAll(/ at \S*explain\.test\.[jt]s:\d+:\d+/g, ' at LINE');

t.test('the tree, without numbers and with them', async (t) => {
  const bare = h.formatExplanation(await p.explain('apply', 'ratio', { n: 3 }));
  t.match(
    places(bare),
    /^%\d+ div f32\[\] at LINE\n├ %\d+ reduceSum f32\[\] at LINE\n│ └ %\d+ mul f32\[3\] in scaled at LINE\n/,
  );
  const e = await p.explain('apply', 'ratio', { x: [1, 2, 3] });
  const text = places(h.formatExplanation(e));
  t.match(text, /^%\d+ div f32\[\] at LINE = 0\.2105\n├ %\d+ reduceSum f32\[\] at LINE = 12\n/);
  t.match(text, /mul f32\[3\] in scaled at LINE: in \[2, 6\]\n/);
  t.match(text, /input 'x' f32\[3\] at LINE: in \[1, 3\]\n/);
  t.match(text, /variable 'w' f32\[\] at LINE = 2\n/);
  t.match(text, /mul f32\[3\] in scaled at LINE: in \[2, 6\] \(see above\)/);
  t.equal(e.value, Math.fround(12 / 57));
  t.same(p.get('w').data, Float32Array.of(2), 'nothing was committed');
});

t.test('values are meant by many names; depth cuts', async (t) => {
  t.match((await p.explain('apply', 'next w', { x: [1, 2] })).value, 2 + 6);
  t.match((await p.explain('apply', 'w', { n: 2 })).what, "variable 'w' f32[]");
  const cut = await p.explain('apply', 'ratio', { x: [1, 2, 3] }, { depth: 1 });
  t.same(
    cut.operands.map((o) => [o.op, o.rest]),
    [
      ['reduceSum', 'cut'],
      ['add', 'cut'],
    ],
  );
  t.match(h.formatExplanation(cut), /reduceSum f32\[\] at \S+ = 12 …/);
});

t.test('what is not there', async (t) => {
  const messageOf = (job: Promise<unknown>) =>
    job.then(
      () => 'no error',
      (e: Error) => e.message,
    );
  t.match(
    await messageOf(p.explain('apply', 'rati', { n: 3 })),
    /^HDL0015: 'apply' has no value 'rati'\n {2}rule: .*(\n {2}at: .*)?\n {2}try: {2}did you mean 'ratio'\?$/,
  );
  t.match(
    await messageOf(p.explain('apply', h.constant(3) as never, { n: 3 })),
    /HDL0015: explain of constant/,
  );
});

t.test('gradients that are right', async (t) => {
  const check = await p.gradCheck('apply', { x: [0.3, -0.4, 1.1] });
  t.equal(check.isRight, true, h.formatGradCheck(check));
  t.same(
    check.values.map((v) => [v.what, v.checked]),
    [
      ["input 'x' f32[3]", 3],
      ["variable 'w' f32[]", 1],
    ],
  );
  t.ok(check.worst!.worst.relativeError < 1e-8);
  t.match(
    h.formatGradCheck(check),
    /^apply: gradients of ratio, y are right: 2 values, relative error at most \S+$/,
  );
});

t.test('a gradient of one’s own that is wrong is found, with its worst element', async (t) => {
  const wrong = (x: h.Floats, factor: number) =>
    h.customGradient(
      ([v]) => h.mul(v!, h.sin(v!)),
      ([g], [v]) => [h.mul(g!, h.add(h.sin(v!), h.mul(factor, h.mul(v!, h.cos(v!)))))],
      [x],
    ) as h.Floats;
  const q = h.program(
    {
      right: h.entry({ x: h.tensor([4]) }, ({ x }) => ({ y: wrong(x, 1) })),
      wrong: h.entry({ x: h.tensor([4]), z: h.tensor([4]) }, ({ x, z }) => ({ y: h.mul(wrong(x, 2), z) })),
    },
    { threads: 1 },
  );
  const x = [0.5, -2, 0.1, 3];
  t.equal((await q.gradCheck('right', { x })).isRight, true);
  const check = await q.gradCheck('wrong', { x, z: [1, 1, 1, 1] });
  t.equal(check.isRight, false);
  t.same(
    check.values.map((v) => [v.name, v.isRight]),
    [
      ['x', false],
      ['z', true],
    ],
  );
  t.equal(check.worst!.name, 'x');
  t.equal(check.worst!.worst.element, 3, 'where x cos x is largest');
  t.match(
    places(h.formatGradCheck(check)),
    /^wrong: gradients of y are WRONG\n {2}input 'x' f32\[4\] at LINE: element 3: the gradient says \S+, differences \S+ \(relative error \S+\)$/,
  );
  await q.dispose();
});

t.test('a kink is told of, and is no error', async (t) => {
  const q = h.program(
    { apply: h.entry({ x: h.tensor([2]) }, ({ x }) => ({ y: h.relu(x) })) },
    { threads: 1 },
  );
  const at = await q.gradCheck('apply', { x: [0, 0] });
  t.same([at.isRight, at.values[0]!.worst.isSmooth], [true, false]);
  t.match(h.formatGradCheck(at), /1 of them only at kinks/);
  const messageOf = (job: Promise<unknown>) =>
    job.then(
      () => 'no error',
      (e: Error) => e.message,
    );
  t.match(
    await messageOf(q.gradCheck('apply', { x: [1, 2] }, { outputs: ['z'] })),
    /HDL0015: gradCheck of output 'z'/,
  );
  await q.dispose();
});
