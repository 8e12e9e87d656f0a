// The library in a browser: the same programs as in Node, with the same bits, from a bundle and from plain modules.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { files, open, pageOf, skip, urlOf } from '../support/in-chromium.ts';
import { missing, sharedFolder } from '../support/shared.ts';
import { batches, trainingProgram, type Workload } from '../support/workloads.ts';
import * as programs from './programs.ts';

const { resnet, spiral } = (await import(new URL('../../../bench/workloads.mjs', import.meta.url).href)) as {
  readonly spiral: Workload;
  readonly resnet: (n: number, batch: number) => Workload;
};
const resnet8 = resnet(1, 4);
/** JavaScript is twenty times as slow. */
const smallResnet8: Workload = { ...resnet(1, 2), input: [3, 16, 16] };

files.set('saved.html', pageOf('build/test/browser/saved.js'));
/** Without a bundler, a page says where the two packages are that the library imports. */
const imports = {
  graphlib: '../node_modules/graphlib/dist/graphlib.esm.js',
  '@bufbuild/protobuf/wire': '../node_modules/@bufbuild/protobuf/dist/esm/wire/index.js',
};
const importMap = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
files.set('modules/index.html', pageOf('../build/test/browser/in-page.js', importMap));
/** From build/test/browser/. */
const viewer = fileURLToPath(new URL('../../viewer/', import.meta.url));
files.set('library.html', pageOf('library.js'));
files.set('library.js', "import * as heddle from './heddle.js';\nglobalThis.heddle = heddle;\n");
files.set(
  'worker-of-the-page.js',
  "import './page.js';\nonmessage = async () => postMessage(await programs.double('wasm', 2));\n",
);

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
    const url = urlOf(policy, 'spiral.heddle');
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

t.test('the viewer and a profile are made in a page', { skip }, async (t) => {
  const { page, call } = await open('isolated', 'library.html');
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
    route.fulfill({ path: `${viewer}${new URL(route.request().url()).pathname.split('/').at(-1)}` }),
  );
  t.match(await call(`(async () => { ${make} return p.view(); })`), /^<!doctype html>/i);
  await page.close();
});

t.test(
  'a data set from the server of the page',
  { skip: skip || missing('data/classics/iris.csv') },
  async (t) => {
    files.set('sets/iris.data', readFileSync(`${sharedFolder}/data/classics/iris.csv`));
    const { page, call } = await open('plain', 'library.html');
    const names = "(await heddle.data.iris({ base: 'sets', verbose: false })).classes.join()";
    t.equal(await call(`(async () => ${names})`), 'Iris-setosa,Iris-versicolor,Iris-virginica');
    await page.close();
  },
);
