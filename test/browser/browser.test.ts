// The library in a browser: the same programs as in Node, with the same bits, from a bundle and from plain modules; and what
// it says where a page may not share memory or make code.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { bundle } from '../support/bundle.ts';
import { chromiumPath, noChromium, startChromium } from '../support/chromium.ts';
import { missing, sharedFolder } from '../support/shared.ts';
import { type Policy, type Site, startSite } from '../support/site.ts';
import { batches, trainingProgram, type Workload } from '../support/workloads.ts';
import * as programs from './programs.ts';

const path = chromiumPath();
const skip = path === null ? noChromium : false;
const { resnet, spiral } = (await import(new URL('../../../bench/workloads.mjs', import.meta.url).href)) as {
  readonly spiral: Workload;
  readonly resnet: (n: number, batch: number) => Workload;
};
const resnet8 = resnet(1, 4);
/** JavaScript is twenty times as slow. */
const smallResnet8: Workload = { ...resnet(1, 2), input: [3, 16, 16] };

const html = (...head: string[]): string =>
  `<!doctype html><link rel="icon" href="data:,">${head.join('\n')}\n`;
const script = (src: string): string => `<script type="module" src="${src}"></script>`;
/** Without a bundler, a page says where the two packages are that the library imports. */
const imports = {
  graphlib: '../node_modules/graphlib/dist/graphlib.esm.js',
  '@bufbuild/protobuf/wire': '../node_modules/@bufbuild/protobuf/dist/esm/wire/index.js',
};
/** The user's code; its third line is wrong. */
const mistake = `globalThis.mistake = () => {
  const message = (f) => { try { return f(); } catch (error) { return error.message; } };
  return message(() => heddle.variable('w', [2, -3])); };
`;
const files = new Map<string, string | Uint8Array>([
  ['bundle.html', html(script('page.js'))],
  ['saved.html', html(script('build/test/browser/saved.js'))],
  [
    'modules/index.html',
    html(
      `<script type="importmap">${JSON.stringify({ imports })}</script>`,
      script('../build/test/browser/in-page.js'),
    ),
  ],
  ['one.html', html(script('one.js'))],
  [
    'worker-of-the-page.js',
    "import './page.js';\nonmessage = async () => postMessage(await programs.double('wasm', 2));\n",
  ],
  ['user.html', html(script('user.js'))],
  ['user.js', `import * as heddle from './heddle.js';\nglobalThis.heddle = heddle;\n${mistake}`],
  ['classic.html', html('<script src="classic.js"></script>', '<script src="user-classic.js"></script>')],
  ['user-classic.js', `// A script without imports.\n\n${mistake}`],
]);
let site: Site;
let browser: Browser | null = null;
t.before(async () => {
  if (skip !== false) return;
  const bundled = await bundle({
    page: 'test/browser/in-page.js',
    heddle: 'src/index.js',
    worker: 'runtime/worker.js',
    'loader-worker': 'src/data/loader/loader-worker.js',
  });
  for (const [name, text] of bundled) files.set(name, text);
  // It warns that such scripts do not know where they are.
  const logOverride = { 'empty-import-meta': 'silent' } as const;
  const options = { format: 'iife', globalName: 'heddle', logOverride } as const;
  files.set('classic.js', (await bundle({ classic: 'src/index.js' }, options)).get('classic.js')!);
  const one = await bundle({ one: 'test/browser/in-page.js' }, { splitting: false });
  files.set('one.js', one.get('one.js')!);
  site = await startSite(files);
  browser = await startChromium(path!);
});
t.teardown(async () => {
  await browser?.close();
  await site?.close();
});

interface Opened {
  readonly page: Page;
  /** What the page says on its console, and what went wrong in it. */
  readonly said: readonly string[];
  /** Calls what is global there; from a task of the page, to which its policies apply. */
  readonly call: <T>(name: string, ...args: unknown[]) => Promise<T>;
}

/** `prelude` runs before all else in the page. */
async function open(policy: Policy, file: string, prelude = ''): Promise<Opened> {
  const page = await browser!.newPage();
  const said: string[] = [];
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('console', (message) => said.push(message.text()));
  if (prelude !== '') await page.addInitScript(prelude);
  await page.goto(site.url(policy, file), { waitUntil: 'load' });
  const call = <T>(name: string, ...args: unknown[]): Promise<T> =>
    page.evaluate(
      `new Promise((resolve) => setTimeout(resolve)).then(() => ${name}(...${JSON.stringify(args)}))`,
    ) as Promise<T>;
  return { page, said, call };
}

t.test('programs train with the bits that they have in Node', { skip }, async (t) => {
  const { page, said, call } = await open('isolated', 'bundle.html');
  t.equal(await page.evaluate('crossOriginIsolated'), true);
  const both = [1, 2];
  const cases: readonly [string, Workload, Omit<programs.TraceOptions, 'threads'>, readonly number[]][] = [
    ['spiral', spiral, { steps: 20, target: 'wasm' }, both],
    ['spiral', spiral, { steps: 20, target: 'wasm', relaxed: false }, both],
    ['spiral', spiral, { steps: 20, target: 'js' }, both],
    ['ResNet-8', resnet8, { steps: 6, target: 'wasm' }, both],
    ['ResNet-8', smallResnet8, { steps: 2, target: 'js' }, [2]],
  ];
  for (const [name, workload, options, threadCounts] of cases) {
    const here = await programs.trace(workload, { ...options, threads: 1 });
    t.ok(new Set(here).size > 1, 'steps change something');
    for (const threads of threadCounts) {
      const there = await call('programs.trace', workload, { ...options, threads });
      t.same(there, here, `${name} ${JSON.stringify(options)} in ${threads} threads`);
    }
  }
  t.equal(page.workers().length, 2, 'two workers computed');
  t.same(said, [], 'and nothing is said');
  await page.close();
});

t.test('a page that is not isolated computes in one thread, and is told once', { skip }, async (t) => {
  const { page, said, call } = await open('plain', 'bundle.html');
  const here = await programs.trace(spiral, { steps: 10, threads: 1 });
  t.same(await call('programs.trace', spiral, { steps: 10, threads: 2 }), here);
  t.same(await call('programs.trace', spiral, { steps: 10, threads: 2 }), here);
  t.equal(page.workers().length, 0);
  t.same(said, [
    'Heddle runs in one thread instead of 2: there is no memory that threads can share. Serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
  ]);
  await page.close();
});

t.test('an isolated page in a browser that has no memory to share is told that', { skip }, async (t) => {
  const { page, said, call } = await open('isolated', 'bundle.html', 'delete globalThis.SharedArrayBuffer;');
  t.equal(await call('programs.double', 'wasm', 2), '2 4 6 8');
  t.same(said, [
    'Heddle runs in one thread instead of 2: there is no memory that threads can share. The page is isolated as it should be, but this browser has no SharedArrayBuffer.',
  ]);
  await page.close();
});

t.test('an engine without relaxed SIMD gets the other variant', { skip }, async (t) => {
  // As in Safari: what uses relaxed SIMD does not validate.
  const { page, call } = await open(
    'isolated',
    'bundle.html',
    `const { validate } = WebAssembly;
     WebAssembly.validate = (bytes) => !new Uint8Array(bytes).join().includes('253,133,2') && validate(bytes);`,
  );
  const options = { steps: 20, threads: 2 } as const;
  const there = await call('programs.trace', spiral, options);
  t.same(there, await programs.trace(spiral, { ...options, relaxed: false }));
  await page.close();
});

t.test('fit, a loader in a worker, and a checkpoint in a Blob', { skip }, async (t) => {
  const { page, said, call } = await open('isolated', 'bundle.html');
  const there = await call<Awaited<ReturnType<typeof programs.fitPictures>>>('programs.fitPictures', 2);
  t.same(there, await programs.fitPictures(2));
  t.ok(there.losses[1]! < there.losses[0]!, 'it learns');
  t.same(said, []);
  await page.close();
});

t.test('a saved training goes on with the runtime alone, as plain modules', { skip }, async (t) => {
  const program = trainingProgram(spiral, { threads: 2 });
  const [{ x, y }] = batches(spiral) as [{ x: Float32Array; y: Int32Array }];
  await program.compile('train');
  files.set('spiral.heddle', await program.save({ variants: true }));
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push((await program.run('train', { x, y } as never))['loss']!.data[0]!);
  await program.dispose();
  const batch = { x: [...x], y: [...y] };
  for (const [policy, threads] of [
    ['isolated', 2],
    ['plain', 1],
    ['wasm', 2],
  ] as const) {
    const { page, call } = await open(policy, 'saved.html');
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const url = site.url(policy, 'spiral.heddle');
    t.same(
      await call('trainSaved', url, threads, 5, batch),
      { threads, losses },
      `${policy}, ${threads} threads`,
    );
    const beyond = requests.filter((name) => !/\/build\/runtime\/|\.heddle$/.test(name));
    t.same(beyond, [], 'nothing but the runtime is asked for');
    await page.close();
  }
});

t.test('the whole library as plain modules, with an import map', { skip }, async (t) => {
  const { page, said, call } = await open('isolated', 'modules/index.html');
  t.equal(await call('programs.double', 'wasm', 2), '2 4 6 8');
  t.same(said, []);
  await page.close();
});

t.test('what a content security policy forbids is said', { skip }, async (t) => {
  const strict = await open('strict', 'bundle.html');
  const wasm = await open('wasm', 'bundle.html');
  for (const threads of [1, 2]) {
    t.match(
      await strict.call('programs.double', 'wasm', threads),
      /^HDL1006: plan 'double' cannot be loaded: code may not be made here: .*\n {2}rule: where a content security policy holds, it has to allow 'wasm-unsafe-eval' for target 'wasm', in the answers that bring the page and worker\.js\n {2}try: {2}serve both with Content-Security-Policy: script-src 'self' 'wasm-unsafe-eval'$/,
    );
    t.match(
      await strict.call('programs.double', 'js', threads),
      /^HDL1006: .*code may not be made here: .*\n {2}rule: .* 'unsafe-eval' for target 'js', .*\n {2}try: {2}compile it for target 'wasm', which needs 'wasm-unsafe-eval' alone, or serve both with Content-Security-Policy: script-src 'self' 'unsafe-eval'$/,
    );
    t.equal(await wasm.call('programs.double', 'wasm', threads), '2 4 6 8');
    t.match(await wasm.call('programs.double', 'js', threads), /^HDL1006: .*code may not be made here/);
  }
  await strict.page.close();
  await wasm.page.close();
});

t.test('a worker that is not served is named', { skip }, async (t) => {
  const { page, call } = await open('isolated', 'bundle.html');
  await page.route('**/worker.js', (route) => route.fulfill({ status: 404 }));
  t.match(
    await call('programs.double', 'wasm', 2),
    /^HDL1003: 2 workers cannot be started: the worker died: its script cannot be loaded\n {2}try: .* check that worker\.js is emitted beside it$/,
  );
  t.equal(await call('programs.double', 'wasm', 1), '2 4 6 8');
  await page.close();
});

t.test('the viewer, a figure and a profile are made in a page', { skip }, async (t) => {
  const { page, call } = await open('isolated', 'user.html');
  const make = `const p = heddle.program({ f: heddle.entry({ x: heddle.tensor([64]) }, ({ x }) => ({ y: heddle.exp(x) })) }, { threads: 2 });
    await p.compile('f');`;
  t.match(
    await call(
      `(async () => { ${make} return (await p.profile('f', { x: new Float32Array(64) }, { runs: 3 })).steps.length; })`,
    ),
    1,
  );
  // Bundlers that know the expression copy these files; here the server has to.
  const missing = await call<string>(
    `(async () => { ${make} return p.view().catch((error) => error.message); })`,
  );
  const [, url = ''] =
    /try: {2}serve build\/viewer\/client\.js of the package as http:\/\/[^/]*\/(\S*)$/.exec(missing) ?? [];
  t.match(url, /client\.js$/, missing);
  await page.route('**/viewer/client.*', (route) =>
    route.fulfill({ path: `build/viewer/${new URL(route.request().url()).pathname.split('/').at(-1)}` }),
  );
  t.match(await call(`(async () => { ${make} return p.view(); })`), /^<!doctype html>/i);
  await page.close();
});

t.test('errors name the line of the user, where the bundle is a file of its own', { skip }, async (t) => {
  const modules = await open('isolated', 'user.html');
  t.match(await modules.call('mistake'), /^HDL0003: [\s\S]*\n {2}at: {3}http:\S*\/user\.js:5:31\n/);
  await modules.page.close();
  const classic = await open('isolated', 'classic.html');
  t.match(await classic.call('mistake'), /^HDL0003: [\s\S]*\n {2}at: {3}http:\S*\/user-classic\.js:5:31\n/);
  t.same(classic.said, []);
  await classic.page.close();
});

t.test(
  'where the code of the user is in the bundle, an error names no line rather than one of ours',
  { skip },
  async (t) => {
    const { page, call } = await open('plain', 'one.html');
    const said = await call<string>('programs.mistake');
    t.match(said, /^HDL0003: /);
    t.notMatch(said, /^ {2}at:/m);
    await page.close();
  },
);

t.test('in a worker of the page, with threads of its own', { skip }, async (t) => {
  const { page, call } = await open('isolated', 'bundle.html');
  const inside = `() => new Promise((resolve, reject) => {
    const worker = new Worker('worker-of-the-page.js', { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(0);
  })`;
  t.equal(await call(`(${inside})`), '2 4 6 8');
  await page.close();
});

t.test(
  'a data set from the server of the page',
  { skip: skip || missing('data/classics/iris.csv') },
  async (t) => {
    files.set('sets/iris.data', readFileSync(`${sharedFolder}/data/classics/iris.csv`));
    const { page, call } = await open('plain', 'user.html');
    const names = "(await heddle.data.iris({ base: 'sets', verbose: false })).classes.join()";
    t.equal(await call(`(async () => ${names})`), 'Iris-setosa,Iris-versicolor,Iris-virginica');
    await page.close();
  },
);
