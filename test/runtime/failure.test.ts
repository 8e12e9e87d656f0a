// Workers that throw, die or hang in the middle of a run: the run is rejected, nothing is committed, the next run works.
// And threads that end when the program ends, disposed or not.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { HeddleError } from '../../runtime/errors.ts';
import { Executor } from '../../runtime/executor.ts';
import type { Plan } from '../../runtime/plan.ts';
import { elements, trainPlan, trainStep, waitingSingly, wildPlan } from './plans.ts';

const x = Float32Array.from({ length: elements }, (_, i) => i / 100);
const ones = new Float32Array(elements).fill(1);

const failureOf = (promise: Promise<unknown>): Promise<HeddleError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as HeddleError,
  );

/** Kernels see which call of theirs it is by a counter in the thread; the second call is the step `block/wild`. */
const inSecondStep = (what: string, who: string) => `
const at = u32[args / 4] / 4;
globalThis.calls = (globalThis.calls ?? 0) + 1;
for (let i = begin; i < end; i++) f32[at + i] = 99;
if (globalThis.calls === 2 && (${who})) { ${what} }`;

/** How workers wait for each other. */
const ways: [string, (plan: Plan) => Plan][] = [
  ['barriers', (plan) => plan],
  ['point-to-point waits', waitingSingly],
];
const cases = ways.flatMap(([way, of]) =>
  [2, 3].map((threads) => ({ name: `${threads} threads, ${way}`, threads, of })),
);

for (const { name, threads, of } of [{ name: '1 thread', threads: 1, of: ways[0]![1] }, ...cases]) {
  t.test(`${name}: a kernel that throws`, async (t) => {
    const executor = await Executor.create({ threads });
    const train = await executor.load(await trainPlan('js'), () => undefined);
    executor.set('w', ones);
    const wild = await executor.load(
      of(await wildPlan(inSecondStep('throw new TypeError("boom")', 'begin === 0'))),
    );
    const error = await failureOf(executor.run(wild, {}));
    t.equal(error.code, 'HDL1003');
    t.match(
      error.message,
      /^HDL1003: step 'block\/wild' of 'wild' failed in worker 0 of \d: TypeError: boom\n/,
    );
    t.same(executor.get('w').data, ones, 'nothing is committed');
    const { updated } = await executor.run(train, { x });
    t.same(updated?.data, trainStep(x, ones)[1], 'the next run works');
    await executor.dispose();
    Reflect.deleteProperty(globalThis, 'calls');
  });
}

for (const { name, threads, of } of cases) {
  t.test(`${name}: a worker that dies while the others wait for it`, async (t) => {
    const executor = await Executor.create({ threads });
    const train = await executor.load(await trainPlan('wasm'));
    executor.set('w', ones);
    const wild = await executor.load(
      of(await wildPlan(inSecondStep('self.close(); for (;;);', 'end === 4'))),
    );
    const first = failureOf(executor.run(wild, {}));
    const second = executor.run(train, { x });
    t.match(
      (await first).message,
      /^HDL1003: step 'block\/wild' of 'wild' failed in worker \d of \d: the worker /,
    );
    t.same((await second)['updated']?.data, trainStep(x, ones)[1], 'the run that waited gets new workers');
    await executor.dispose();
  });
}

t.test('dispose ends a run that would never end', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const wild = await executor.load(await wildPlan('for (;;);'));
  const error = failureOf(executor.run(wild, {}));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const begin = performance.now();
  await executor.dispose();
  t.equal((await error).code, 'HDL1002');
  t.ok(performance.now() - begin < 20_000, 'in seconds');
});

t.test('one thread lets timers fire, and can be disposed, in the middle of a run', async (t) => {
  const executor = await Executor.create({ threads: 1 });
  const wild = await executor.load(
    await wildPlan('const end1 = performance.now() + 20; while (performance.now() < end1);'),
  );
  const error = failureOf(executor.run(wild, {}));
  await new Promise((resolve) => setImmediate(resolve));
  t.same(executor.get('w').data, new Float32Array(elements), 'what is committed can be read meanwhile');
  await executor.dispose();
  t.equal((await error).code, 'HDL1002');
});

/** Runs a script that imports the runtime; gives its exit code, output and time. */
async function runScript(body: string): Promise<{ code: number | null; output: string; ms: number }> {
  const runtime = JSON.stringify(new URL('../../runtime/index.js', import.meta.url).href);
  const plans = JSON.stringify(new URL('./plans.js', import.meta.url).href);
  const source = `import { Executor } from ${runtime}; import { trainPlan, wildPlan } from ${plans};\n${body}`;
  const begin = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'runtime-'));
  const script = join(folder, 'script.mjs');
  await writeFile(script, source);
  const child = spawn(process.execPath, [script], { timeout: 30_000 });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  await rm(folder, { recursive: true });
  return { code, output, ms: performance.now() - begin };
}

t.test('a script that forgets dispose ends by itself, after its runs', async (t) => {
  const { code, output, ms } = await runScript(`
    const executor = await Executor.create({ threads: 2 });
    const train = await executor.load(await trainPlan('wasm'));
    for (let i = 0; i < 3; i++) await executor.run(train, { x: new Float32Array(64) });
    const slow = await executor.load(await wildPlan('const e = performance.now() + 50; while (performance.now() < e);'));
    executor.run(slow, {}).then(() => console.log('the run in flight has ended'));`);
  t.equal(code, 0);
  t.match(output, 'the run in flight has ended');
  t.ok(ms < 15_000, `${Math.round(ms)} ms`);
});

t.test('a script that forgets dispose and never runs ends by itself', async (t) => {
  const { code, output } = await runScript(`
    await Executor.create({ threads: 2 });
    console.log('created');`);
  t.same({ code, output }, { code: 0, output: 'created\n' });
});

t.test('a process that ends in the middle of a run ends at once', async (t) => {
  for (const [end, wanted] of [
    ['process.exit(3)', 3],
    ["process.kill(process.pid, 'SIGTERM')", null],
    ["throw new Error('elsewhere')", 1],
  ] as const) {
    const { code, ms } = await runScript(`
      const executor = await Executor.create({ threads: 2 });
      const forever = await executor.load(await wildPlan('for (;;);'));
      executor.run(forever, {});
      setTimeout(() => { ${end}; }, 50);`);
    t.equal(code, wanted, end);
    t.ok(ms < 15_000, `${Math.round(ms)} ms`);
  }
});
