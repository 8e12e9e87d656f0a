// Tuning: what is chosen from given measurements; and that tuning a program gives data that is valid, changes no variable,
// and no bit of any result when it is applied. No test looks at how long anything took.

import t from 'tap';
import {
  entry,
  grad,
  initializers,
  matmul,
  mean,
  mul,
  type ProgramOptions,
  program,
  relu,
  square,
  sub,
  type TuneProgress,
  tensor,
  variable,
} from '../../src/index.ts';
import { bestTiles } from '../../src/tune/best.ts';

t.test('the fastest tile, if it is faster by more than noise', async (t) => {
  const was = { tile: [4, 8], ms: 1 } as const;
  const chosen = (...others: { tile: readonly [number, number]; ms: number }[]) =>
    bestTiles([{ key: 'k', label: 'dense', was, others }])['k'];
  t.same(chosen(), { label: 'dense', ...was, was });
  t.same(chosen({ tile: [3, 12], ms: 0.98 }), { label: 'dense', ...was, was }, 'not worth it');
  t.same(chosen({ tile: [3, 12], ms: 0.9 }, { tile: [2, 16], ms: 0.8 }, { tile: [1, 4], ms: 0.8 }), {
    label: 'dense',
    tile: [2, 16],
    ms: 0.8,
    was,
  });
});

const net = (options: ProgramOptions) => {
  const w = variable('w', [24, 40], initializers.heNormal());
  const v = variable('v', [40, 16], initializers.heNormal());
  const train = entry({ x: tensor(['n', 24]), y: tensor(['n', 16]) }, ({ x, y }, ctx) => {
    const loss = mean(square(sub(matmul(relu(matmul(x, w)), v), y)));
    const [dw, dv] = grad(loss, [w, v]);
    ctx.assign(w, sub(w, mul(0.1, dw)));
    ctx.assign(v, sub(v, mul(0.1, dv)));
    return { loss };
  });
  return program({ train }, options);
};
const feeds = (n: number) => ({
  x: Float32Array.from({ length: n * 24 }, (_, i) => Math.sin(i)),
  y: Float32Array.from({ length: n * 16 }, (_, i) => Math.cos(i)),
});

for (const [target, threads] of [
  ['wasm', 1],
  ['wasm', 2],
  ['js', 1],
] as const) {
  t.test(`${target}, ${threads} threads: tuned tiles apply, and change no result`, async (t) => {
    const plain = net({ target, threads });
    const w = plain.get.bind(plain);
    await plain.run('train', feeds(20));
    const before = w('w').data;
    const told: TuneProgress[] = [];
    const tuned = await plain.tune('train', feeds(20), { rounds: 1, onProgress: (p) => told.push(p) });
    t.same(w('w').data, before, 'variables are as before');
    const last = await plain.run('train', feeds(20));
    const weights = w('w').data;

    t.ok(Object.keys(tuned.schedules).length >= 4, 'products of both passes');
    for (const { tile, ms, was, label } of Object.values(tuned.schedules)) {
      t.ok(ms > 0 && ms <= was.ms && tile.length === 2 && label !== '', label);
    }
    t.match(tuned.machine, { threads, target: new RegExp(`^${target}`) });
    for (const stage of ['compile', 'measure'] as const) {
      const events = told.filter((p) => p.stage === stage);
      t.same(
        events.map((p) => p.done),
        events.map((_, i) => i + 1),
      );
      t.equal(events.at(-1)!.done, events.at(-1)!.total);
    }
    await plain.dispose();

    const saved = JSON.parse(JSON.stringify(tuned)) as typeof tuned;
    t.same(saved, tuned, 'plain data');
    const faster = net({ target, threads, schedules: saved.schedules });
    await faster.run('train', feeds(20));
    t.same(await faster.run('train', feeds(20)), last, 'the same bits');
    t.same(faster.get('w').data, weights);
    const plan = faster.dump('plan', { entry: 'train', dims: { n: 20 } });
    for (const [key, { tile }] of Object.entries(tuned.schedules))
      t.ok(plan.includes(`  ${key}: ${tile[0]} × ${tile[1]}\n`), key);
    const kernels = faster.dump('kernels', { entry: 'train', dims: { n: 20 } });
    t.notOk(plan.includes('tiles given to no contraction'));
    t.ok(Object.keys(tuned.schedules).every((key) => kernels.includes(key)));
    await faster.dispose();
  });
}

t.test('sizes alone will do; a signal ends it', async (t) => {
  const p = net({ target: 'js', threads: 1 });
  const initial = p.variables();
  t.same(initial, []);
  const { schedules } = await p.tune('train', { n: 8 }, { rounds: 1 });
  t.ok(Object.keys(schedules).length > 0);
  const fresh = net({ target: 'js', threads: 1 });
  t.same(
    (await p.run('train', feeds(8))).loss,
    (await fresh.run('train', feeds(8))).loss,
    'as if it had not been',
  );
  await fresh.dispose();

  const reason = new Error('enough');
  await t.rejects(p.tune('train', { n: 8 }, { signal: AbortSignal.abort(reason) }), reason);
  const control = new AbortController();
  const stopped = p.tune(
    'train',
    { n: 8 },
    { signal: control.signal, onProgress: () => control.abort(reason) },
  );
  await t.rejects(stopped, reason);
  await p.run('train', feeds(8));
  await p.dispose();
});

t.test('what cannot be tuned says so', async (t) => {
  const interpreted = net({ target: 'reference' });
  await t.rejects(interpreted.tune('train', { n: 2 }), {
    code: 'HDL0017',
    parts: {
      what: "tune of 'train'",
      rule: "target 'reference' interprets the graph: there are no kernels to time",
      hint: "tune it with target 'wasm' or 'js'",
    },
  });
  const p = net({ target: 'js', threads: 1 });
  await t.rejects(p.tune('train', { n: 2 }, { rounds: 0 }), {
    code: 'HDL1001',
    parts: {
      what: 'a tuning cannot have 0 rounds',
      rule: 'rounds is an integer of at least 1',
      hint: 'leave it out for 5',
    },
  });
  await t.rejects(p.tune('train', {}), { code: 'HDL0003' }, 'sizes are missing');
  await t.rejects(p.tune('train', { x: [1] } as never), { code: 'HDL1001' }, 'a feed is missing');
  await p.dispose();
  await t.rejects(p.tune('train', { n: 2 }), { code: 'HDL1002' });
});
