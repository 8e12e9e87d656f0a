// Compiled once: equal graphs share a plan within a process, and across processes by a cache; whatever is wrong with the
// cache costs a compilation and nothing else.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { input } from '../../compiler/ops/index.ts';
import { loadPlans, savePlans } from '../../runtime/index.ts';
import {
  entry,
  folderCache,
  initializers,
  matmul,
  mul,
  type PlanCache,
  type ProgramOptions,
  program,
  relu,
  tensor,
  variable,
} from '../../src/index.ts';
import { graphOf } from '../support/lower-graph.ts';

/** A program whose graph depends on `factor` alone. */
function made(factor: number, options: ProgramOptions = {}) {
  const w = variable('w', [8, 4], initializers.normal());
  const apply = entry({ x: tensor(['n', 8]) }, ({ x }) => ({ y: mul(relu(matmul(x, w)), factor) }));
  return program({ apply }, { threads: 1, ...options });
}

const x = { data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)), shape: [2, 8] };

async function run(p: ReturnType<typeof made>): Promise<{ y: readonly number[]; stages: string[] }> {
  const { y } = await p.run('apply', { x });
  const stages = p.timings[0]!.stages.map((s) => s.name);
  await p.dispose();
  return { y: [...y.data], stages };
}

function memory(): PlanCache & { readonly kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return { kept, get: (key) => kept.get(key), set: (key, bytes) => kept.set(key, bytes) };
}

function warnings(t: Test): string[] {
  const told: string[] = [];
  const { warn } = console;
  t.teardown(() => {
    console.warn = warn;
  });
  console.warn = (text: string) => told.push(text);
  return told;
}

t.test('programs with equal graphs share a plan, and differ in nothing else', async (t) => {
  const first = made(101);
  const second = made(101);
  await first.compile('apply', { n: 2 });
  await second.compile('apply', { n: 2 });
  t.same(
    second.timings[0]!.stages.map((s) => s.name),
    ['trace', 'recall', 'load'],
  );
  t.equal(second.dump('plan'), first.dump('plan'));
  second.set('w', new Float32Array(32));
  t.not(Math.max(...(await run(first)).y), 0);
  t.equal(Math.max(...(await run(second)).y), 0);
});

t.test('another graph, size or option is another plan', async (t) => {
  const p = made(102);
  await p.compile('apply', { n: 2 });
  for (const other of [made(103), made(102, { checkNumerics: true }), made(102, { target: 'js' })]) {
    await other.compile('apply', { n: 2 });
    t.ok(other.timings[0]!.stages.some((s) => s.name === 'lower'));
    await other.dispose();
  }
  await p.compile('apply', { n: 3 });
  t.ok(p.timings[1]!.stages.some((s) => s.name === 'lower'));
  await p.dispose();
});

t.test('a cache is asked once for a size, also by calls that meet', async (t) => {
  const asked: string[] = [];
  const cache: PlanCache = {
    get: async (key) => {
      asked.push(key);
      return null;
    },
    set: () => {},
  };
  const p = made(104, { cache });
  const results = await Promise.all([1, 2, 3].map(() => p.run('apply', { x })));
  t.same(results[1], results[0]);
  t.same(results[2], results[0]);
  t.equal(asked.length, 1);
  t.match(asked[0], /^[0-9a-f]{64}$/);
  await p.dispose();
});

/** What `made(factor)` compiles to, without the process knowing. */
const foreign = (factor: number, name = 'x'): Uint8Array =>
  savePlans([
    compileGraph(graphOf({ y: mul(input(name, [2, 8]), factor) }), { workers: [1], relaxed: false }).plan,
  ]);

t.test('what a cache keeps is a whole file; what is wrong with it is ignored and written anew', async (t) => {
  const told = warnings(t);
  const cache = memory();
  // The factors differ by nothing that the process could recall: every round compiles or reads.
  const right = await run(made(105, { cache }));
  const [[key, bytes]] = [...cache.kept] as [[string, Uint8Array]];
  t.equal(loadPlans(bytes).plans.length, 1);

  const damaged = bytes.slice();
  damaged[bytes.length >> 1]! ^= 1;
  const wrong = {
    damaged,
    cut: bytes.slice(0, 99),
    empty: new Uint8Array(0),
    other: foreign(1),
    text: 'text',
  };
  for (const [what, content] of Object.entries(wrong)) {
    const store = memory();
    // Always the wrong bytes, whatever is asked for, until something is set.
    const spoilt: PlanCache = { get: () => content as Uint8Array, set: (k, b) => store.set(k, b) };
    const again = await run(made(106 + Object.keys(wrong).indexOf(what), { cache: spoilt }));
    t.ok(again.stages.includes('lower') && again.stages.includes('write cache'), `${what}: compiled`);
    t.equal(store.kept.size, 1, `${what}: written anew`);
    t.equal(loadPlans([...store.kept.values()][0]!).plans[0]!.manifest.entry, 'apply');
  }
  t.same(told, []);
  t.match(key, /^[0-9a-f]{64}$/);
  t.ok(right.stages.includes('lower'));
});

t.test('a cache that fails is done without, and said so once', async (t) => {
  const told = warnings(t);
  const fail = () => {
    throw new Error('the disk is full');
  };
  const p = made(112, { cache: { get: fail, set: async () => fail() } });
  const { y } = await p.run('apply', { x });
  t.equal(y.data.length, 8);
  t.same(told, ['Heddle goes on without its cache of plans, which failed: the disk is full']);
  await p.dispose();
});

/** A process of its own that runs `made(factor)` with a cache in a folder, and says what it did. */
function elsewhere(folder: string, options: string): { stages: string[]; y: number[]; plan: string } {
  const [src, sha] = ['../../src/index.js', '../../runtime/sha256.js'].map((u) =>
    JSON.stringify(new URL(u, import.meta.url).href),
  );
  const script = `
    const h = await import(${src});
    const { sha256 } = await import(${sha});
    const w = h.variable('w', [8, 4], h.initializers.normal());
    const apply = h.entry({ x: h.tensor(['n', 8]) }, ({ x }) => ({ y: h.relu(h.matmul(x, w)) }));
    const p = h.program({ apply }, { threads: 1, cache: h.folderCache(${JSON.stringify(folder)}), ...${options} });
    const { y } = await p.run('apply', { x: { data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)), shape: [2, 8] } });
    const plan = Buffer.from(sha256(await p.save())).toString('hex') + p.dump('plan').length;
    console.log(JSON.stringify({ stages: p.timings[0].stages.map((s) => s.name), y: [...y.data], plan }));
    await p.dispose();`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(output) as ReturnType<typeof elsewhere>;
}

t.test('a folder keeps plans from one process to the next', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'plans-'));
  t.teardown(() => rm(parent, { recursive: true }));
  const folder = join(parent, 'made/when/needed');

  const first = elsewhere(folder, '{}');
  t.ok(first.stages.includes('lower') && first.stages.includes('write cache'));
  const [name, ...others] = await readdir(folder);
  t.match(name, /^[0-9a-f]{64}\.plan$/);
  t.same(others, []);
  const bytes = await readFile(join(folder, name!));

  const second = elsewhere(folder, '{}');
  t.same(second.stages, ['trace', 'read cache', 'load']);
  t.same([second.y, second.plan], [first.y, first.plan]);

  await writeFile(join(folder, name!), bytes.subarray(0, 1000));
  const third = elsewhere(folder, '{}');
  t.ok(third.stages.includes('lower'), 'a file that is cut short');
  t.same([third.y, third.plan], [first.y, first.plan]);
  t.same(await readFile(join(folder, name!)), bytes, 'is written again: equal bytes in two processes');

  const checked = elsewhere(folder, '{ checkNumerics: true }');
  t.ok(checked.stages.includes('lower'), 'another option');
  t.equal((await readdir(folder)).length, 2, 'another key');
});

t.test('a folder that cannot be used', async (t) => {
  const told = warnings(t);
  const file = join(await mkdtemp(join(tmpdir(), 'plans-')), 'file');
  t.teardown(() => rm(join(file, '..'), { recursive: true }));
  await writeFile(file, '');
  const { y } = await run(made(113, { cache: folderCache(file) }));
  t.equal(y.length, 8);
  t.match(told.join('\n'), /^Heddle goes on without its cache of plans, which failed: ENOTDIR[^\n]*$/);
});
