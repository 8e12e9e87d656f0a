// What a page is told: where it may not share memory or make code, where a worker's script is missing, and on which line of the
// user's an error was made.

import t from 'tap';
import { bundle } from '../support/bundle.ts';
import { files, open, pageOf, skip } from '../support/in-chromium.ts';
import type { Workload } from '../support/workloads.ts';
import * as programs from './programs.ts';

const { spiral } = (await import(new URL('../../../bench/workloads.mjs', import.meta.url).href)) as {
  readonly spiral: Workload;
};

/** The user's code; its third line is wrong. */
const mistake = `globalThis.mistake = () => {
  const message = (f) => { try { return f(); } catch (error) { return error.message; } };
  return message(() => heddle.variable('w', [2, -3])); };
`;
files.set('user.html', pageOf('user.js'));
files.set('user.js', `import * as heddle from './heddle.js';\nglobalThis.heddle = heddle;\n${mistake}`);
files.set(
  'classic.html',
  '<!doctype html><link rel="icon" href="data:,"><script src="classic.js"></script><script src="user-classic.js"></script>',
);
files.set('user-classic.js', `// A script without imports.\n\n${mistake}`);
files.set('one.html', pageOf('one.js'));
t.before(async () => {
  if (skip !== false) return;
  // It warns that such scripts do not know where they are.
  const logOverride = { 'empty-import-meta': 'silent' } as const;
  const options = { format: 'iife', globalName: 'heddle', logOverride } as const;
  files.set('classic.js', (await bundle({ classic: 'src/index.js' }, options)).get('classic.js')!);
  const one = await bundle({ one: 'test/browser/in-page.js' }, { splitting: false });
  files.set('one.js', one.get('one.js')!);
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
