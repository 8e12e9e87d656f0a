// The other engines, where one is installed: Firefox, found by its name or given by HEDDLE_FIREFOX, and anything that opens an address
// that it is given, by HEDDLE_BROWSER: WebKitGTK's MiniBrowser, for example. Nothing drives them: their pages send what came out.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { bundle } from '../support/bundle.ts';
import { type Policy, startSite } from '../support/site.ts';
import type { Workload } from '../support/workloads.ts';
import type { Job } from './by-post.ts';
import * as programs from './programs.ts';

const { spiral, resnet } = (await import(new URL('../../../bench/workloads.mjs', import.meta.url).href)) as {
  readonly spiral: Workload;
  readonly resnet: (n: number, batch: number) => Workload;
};

interface Kind {
  readonly name: string;
  readonly variable: string;
  readonly files: readonly string[];
  readonly args: (profile: string, url: string) => readonly string[];
}

const kinds: readonly Kind[] = [
  {
    name: 'Firefox',
    variable: 'HEDDLE_FIREFOX',
    files: ['firefox', 'firefox-esr'],
    args: (profile, url) => ['--headless', '--no-remote', '--profile', profile, url],
  },
  { name: 'other browser', variable: 'HEDDLE_BROWSER', files: [], args: (_, url) => [url] },
];

function find({ variable, files }: Kind): string | null {
  const given = process.env[variable];
  if (given !== undefined && existsSync(given)) return given;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = folders.flatMap((folder) => files.map((file) => join(folder, file)));
  return paths.find((path) => existsSync(path)) ?? null;
}

const job = (name: Job['name'], ...args: readonly unknown[]): Job => ({ name, args });

/** What comes out of the jobs in a page. */
async function inPage(kind: Kind, path: string, policy: Policy, jobs: readonly Job[]): Promise<unknown[]> {
  const files = await bundle({
    page: 'test/browser/by-post.js',
    // So that it is in a file of its own.
    heddle: 'src/index.js',
    worker: 'runtime/worker.js',
    'loader-worker': 'src/data/loader/loader-worker.js',
  });
  files.set('index.html', '<!doctype html><script type="module" src="page.js"></script>');
  files.set('jobs.json', JSON.stringify(jobs));
  const results: unknown[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const site = await startSite(files, (text) => {
    const { index, result } = JSON.parse(text) as { readonly index: number; readonly result: unknown };
    results[index] = result;
    if (index === jobs.length - 1) finish();
  });
  const profile = await mkdtemp(join(tmpdir(), 'heddle-profile-'));
  // A group of its own, so that what it starts ends with it.
  const child = spawn(path, kind.args(profile, site.url(policy, 'index.html')), {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, HOME: profile },
  });
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  try {
    const timer = setTimeout(finish, 240_000);
    await finished;
    clearTimeout(timer);
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await site.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  return results;
}

/** Programs, and what they give here, of the same variant. */
async function compare(t: Test, kind: Kind, path: string, policy: Policy, threads: number): Promise<void> {
  const traces: readonly [Workload, Omit<programs.TraceOptions, 'threads'>][] = [
    [spiral, { steps: 20, target: 'wasm' }],
    [spiral, { steps: 20, target: 'wasm', relaxed: false }],
    [spiral, { steps: 20, target: 'js' }],
    [resnet(1, 4), { steps: 6, target: 'wasm', relaxed: false }],
  ];
  const jobs = [
    job('isRelaxed'),
    job('mistake'),
    ...traces.map(([workload, options]) => job('trace', workload, { ...options, threads })),
  ];
  const [isRelaxed, mistake, ...there] = await inPage(kind, path, policy, jobs);
  t.match(mistake, /^HDL0003: [\s\S]*\n {2}at: {3}http:\S*\/page\.js:\d+:\d+\n/, 'the line of the user');
  for (const [i, [workload, options]] of traces.entries()) {
    const relaxed = options.relaxed ?? (isRelaxed as boolean);
    if (relaxed && !programs.isRelaxed()) continue;
    const here = await programs.trace(workload, { ...options, relaxed, threads: 1 });
    t.same(
      there[i],
      here,
      `${workload.kind} ${JSON.stringify(options)}${relaxed && options.target === 'wasm' ? ', fused' : ''}`,
    );
  }
}

for (const kind of kinds) {
  const path = find(kind);
  const skip = path === null ? `no ${kind.name} here: say where one is by ${kind.variable}` : false;
  t.test(`${kind.name}: two threads, the same bits`, { skip }, (t) => compare(t, kind, path!, 'isolated', 2));
  t.test(`${kind.name}: one thread where the page is not isolated`, { skip }, (t) =>
    compare(t, kind, path!, 'plain', 2),
  );
  t.test(`${kind.name}: what a policy forbids is said`, { skip }, async (t) => {
    const both = [job('double', 'wasm', 1), job('double', 'js', 1), job('double', 'js', 2)];
    const strict = await inPage(kind, path!, 'strict', both);
    t.match(strict[0], /^HDL1006: .*code may not be made here[\s\S]*'wasm-unsafe-eval'$/);
    t.match(strict[1], /^HDL1006: .*code may not be made here[\s\S]*'unsafe-eval'$/);
    t.match(strict[2], /^HDL1006: .*code may not be made here[\s\S]*'unsafe-eval'$/);
    t.equal((await inPage(kind, path!, 'wasm', both))[0], '2 4 6 8');
  });
}
