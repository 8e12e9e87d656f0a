// docs/browser.md: its blocks of code run in a page as they stand, bundled as the page says, and print what their comments say;
// its table of sizes is right.

import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import t from 'tap';
import { entry, nn, program, tensor } from '../../src/index.ts';
import { bundle, bundleText, weigh } from '../support/bundle.ts';
import { chromiumPath, noChromium, startChromium } from '../support/chromium.ts';
import { startSite } from '../support/site.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = await readFile(join(root, 'docs/browser.md'), 'utf8');
const path = chromiumPath();

t.test('its examples run in a page', { skip: path === null ? noChromium : false }, async (t) => {
  const examples = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code!);
  t.ok(examples.length >= 4);
  const files = new Map<string, string | Uint8Array>(
    await bundle({ worker: 'runtime/worker.js', 'loader-worker': 'src/data/loader/loader-worker.js' }),
  );
  // The file of docs/plans.md.
  const layer = nn.dense(2, { name: 'layer' });
  const p = program({
    predict: entry({ x: tensor(['batch', 3]) }, ({ x }, ctx) => ({ y: layer.apply(x, ctx) })),
  });
  await p.compile('predict', { batch: 1 });
  files.set('net.heddle', await p.save({ variants: true }));
  await p.dispose();

  for (const [i, code] of examples.entries()) {
    files.set(`${i}.js`, await bundleText(code));
    files.set(
      `${i}.html`,
      `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${i}.js"></script>`,
    );
  }
  const site = await startSite(files);
  let browser: Browser | null = null;
  t.teardown(async () => {
    await browser?.close();
    await site.close();
  });
  browser = await startChromium(path!);
  for (const [i, code] of examples.entries()) {
    const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, words]) => words!);
    t.ok(expected.length > 0, 'it says what it prints');
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('console', async (message) => {
      const values = await Promise.all(message.args().map((arg) => arg.jsonValue()));
      said.push(values.map(String).join(' '));
    });
    await page.goto(site.url('isolated', `${i}.html`));
    const deadline = Date.now() + 30_000;
    while (said.length < expected.length && Date.now() < deadline)
      await new Promise((r) => setTimeout(r, 20));
    t.same(said, expected, `example ${i + 1}`);
    await page.close();
  }
});

t.test('the sizes are those of the table, within a tenth', async (t) => {
  const table = new Map<string, readonly [number, number]>();
  for (const [, what, minified, gzipped] of text.matchAll(/^\| (.*) \| (\d+) kB \| (\d+) kB \|$/gm)) {
    table.set(what!.split(/[ ,:]/)[0]!.replaceAll('`', ''), [Number(minified), Number(gzipped)]);
  }
  const code = {
    load: "export { load } from 'heddle/runtime';",
    'worker.js': "import 'heddle/runtime/worker';",
    what: "import * as h from 'heddle'; export default [h.program, h.entry, h.tensor, h.nn, h.losses, h.optimizers, h.grad, h.parametersOf];",
    everything: "export * from 'heddle';",
  };
  t.same([...table.keys()], Object.keys(code));
  for (const [name, source] of Object.entries(code)) {
    const { minified, gzipped } = await weigh(source);
    const [saidMinified, saidGzipped] = table.get(name)!;
    const isNear = (bytes: number, kilobytes: number): boolean =>
      Math.abs(bytes / 1000 - kilobytes) <= 0.1 * kilobytes + 0.5;
    t.ok(isNear(minified, saidMinified), `${name}: ${minified} bytes, the table says ${saidMinified} kB`);
    t.ok(isNear(gzipped, saidGzipped), `${name}: ${gzipped} bytes gzipped, the table says ${saidGzipped} kB`);
  }
});

t.test('the runtime alone has nothing of the compiler in it', async (t) => {
  const runtime = await bundleText("export { load } from 'heddle/runtime';");
  const names = [...runtime.matchAll(/^\/\/ (build\/.*|.*\/build\/.*)$/gm)].map(([, name]) => name!);
  t.ok(names.length > 20, `${names.length} modules`);
  t.same(
    names.filter((name) => !name.includes('build/runtime/')),
    [],
  );
});

t.test('links lead somewhere', async (t) => {
  const links = [...text.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, link]) => link!);
  t.ok(links.length >= 2);
  for (const link of links) await t.resolves(access(join(root, 'docs', link)), link);
});
