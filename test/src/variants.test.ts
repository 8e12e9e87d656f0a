// Programs with and without fused multiply-add: what is chosen, shown, saved, and what is the same.

import t, { type Test } from 'tap';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { Executor, loadPlans } from '../../runtime/index.ts';
import {
  entry,
  initializers,
  matmul,
  type ProgramOptions,
  program,
  tensor,
  variable,
} from '../../src/index.ts';
import { errorOf } from '../support/error-of.ts';

const skip = featureObstacle(relaxedSimd) ?? false;
const x = Float32Array.from({ length: 8 * 64 }, (_, i) => Math.sin(i * i));

function made(options: ProgramOptions) {
  const w = variable('w', [64, 32], initializers.normal());
  return program({ apply: entry({ x: tensor(['n', 64]) }, ({ x }) => ({ y: matmul(x, w) })) }, options);
}

async function result(options: ProgramOptions): Promise<readonly number[]> {
  const p = made({ threads: 1, ...options });
  const { y } = await p.run('apply', { x: { data: x, shape: [8, 64] } });
  await p.dispose();
  return [...y.data];
}

function withEnvironment(t: Test, value: string): void {
  const before = process.env['HEDDLE_RELAXED'];
  t.teardown(() => {
    if (before === undefined) delete process.env['HEDDLE_RELAXED'];
    else process.env['HEDDLE_RELAXED'] = before;
  });
  process.env['HEDDLE_RELAXED'] = value;
}

t.test('fused multiply-add is used where the engine has it', { skip }, async (t) => {
  const fused = await result({});
  t.same(await result({ relaxed: 'auto' }), fused);
  t.same(await result({ relaxed: true }), fused);
  const plain = await result({ relaxed: false });
  t.not(JSON.stringify(plain), JSON.stringify(fused), 'other last bits');
  t.ok(
    plain.every((v, i) => Math.abs(v - fused[i]!) <= 1e-5),
    'and no more than that',
  );
});

t.test('each variant gives the same bits for any number of threads', { skip }, async (t) => {
  for (const relaxed of [false, true]) {
    const one = await result({ relaxed });
    for (const threads of [2, 3]) t.same(await result({ relaxed, threads }), one, `${relaxed}, ${threads}`);
  }
});

t.test('the variant is shown', { skip }, async (t) => {
  for (const [relaxed, features] of [
    [false, '(simd128)'],
    ['auto', '(simd128, relaxed-simd)'],
  ] as const) {
    const p = made({ relaxed });
    t.ok(p.describe('apply', { n: 8 }).includes(`of wasm ${features}`));
    t.ok(p.dump('plan').startsWith(`plan apply for wasm ${features}\n`));
    t.equal(p.dump('wat').includes('f32x4.relaxed_madd'), relaxed === 'auto');
    await p.dispose();
  }
});

t.test('the environment refuses it', async (t) => {
  withEnvironment(t, '0');
  const p = made({});
  t.ok(p.describe('apply', { n: 8 }).includes('of wasm (simd128)'));
  await p.dispose();
  t.equal(
    errorOf(() => made({ relaxed: true })),
    'HDL0017: option relaxed: true needs relaxed-simd, and HEDDLE_RELAXED=0 refuses it:' +
      ' a program is compiled for the engine that it is made in' +
      " (use relaxed: 'auto'; a file for other engines is made by save({ variants: true }))",
  );
});

t.test('options that are not valid', async (t) => {
  t.equal(
    errorOf(() => made({ relaxed: 'yes' as 'auto' })),
    'HDL0003: option relaxed: "yes":' +
      " relaxed is true, false or 'auto' (leave it out: 'auto' uses fused multiply-add where the engine has it)",
  );
});

t.test('a file with both variants gives each engine what it can run', { skip }, async (t) => {
  const files: Uint8Array[] = [];
  for (const relaxed of [true, false]) {
    const p = made({ relaxed, threads: 1 });
    await p.run('apply', { x: { data: x, shape: [8, 64] } });
    files.push(await p.save({ variants: true }));
    t.equal(loadPlans(await p.save()).variants[0]!.length, 1, 'only on request');
    await p.dispose();
  }
  t.same(files[0], files[1], 'whichever the program itself runs');

  const run = async (options: { relaxed?: boolean }): Promise<readonly number[]> => {
    const { plans, variants, variables } = loadPlans(files[0]!, options);
    t.same(
      variants[0]!.map(({ manifest }) => manifest.features),
      [['simd128', 'relaxed-simd'], ['simd128']],
    );
    const executor = await Executor.create({ threads: 1 });
    const loaded = await executor.load(plans[0]!, ({ name }) => variables.get(name)?.data);
    const { y } = await executor.run(loaded, { x });
    await executor.dispose();
    return [...y!.data];
  };
  t.same(await run({}), await result({ relaxed: true }));
  t.same(await run({ relaxed: false }), await result({ relaxed: false }));
  withEnvironment(t, '0');
  t.same(await run({}), await result({ relaxed: false }), 'where it is refused');
});

t.test('target js has one variant', async (t) => {
  t.same(await result({ target: 'js', relaxed: true }), await result({ target: 'js', relaxed: false }));
  const p = made({ target: 'js', threads: 1 });
  await p.compile('apply', { n: 8 });
  t.equal(loadPlans(await p.save({ variants: true }), { trust: 'js' }).variants[0]!.length, 1);
  await p.dispose();
});
