// Takes the pictures of docs/viewer.md and docs/browser.md: `npm run docs:screenshots`, after a build. Compiles ResNet-20 for
// training, profiles it, writes the viewer's page and opens it from the disk in a headless Chromium; then opens the example page.
//
//   npm run docs:screenshots -- [FOLDER]      default docs/images

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundlePage, serve } from '../examples/browser/serve.mjs';
import { fail, say } from './bootstrap.mjs';

const root = new URL('../', import.meta.url);
const built = (path) => import(new URL(`build/${path}`, root).href);
const { chromiumPath, noChromium, startChromium } = await built('test/support/chromium.js');
const { resnet20 } = await built('examples/resnet.js');

const path = chromiumPath();
if (path === null) fail(noChromium);
const folder = process.argv[2] ? resolve(process.argv[2]) : fileURLToPath(new URL('docs/images', root));
mkdirSync(folder, { recursive: true });

const dims = { batch: 32 };
const program = resnet20({ threads: 2 });
const feeds = {
  x: { data: Float32Array.from({ length: 32 * 3 * 32 * 32 }, (_, i) => Math.sin(i)), shape: [32, 3, 32, 32] },
  y: { data: Int32Array.from({ length: 32 }, (_, i) => i % 10), shape: [32] },
};
// Other work on the machine shows as waiting: the quietest of a few.
let profile = null;
for (let i = 0; i < 6; i++) {
  const next = await program.profile('train', feeds, { runs: 5 });
  if (profile === null || next.totals.walkMs < profile.totals.walkMs) profile = next;
}
const { graph, memory } = program.inspect({ entry: 'train', dims });
const html = await program.view(undefined, { entry: 'train', dims, profile, title: 'ResNet-20' });
await program.dispose();

const node = (name) => graph.nodes.findIndex((n) => n.name === name);
/** Name of the picture, place in the page, colours. */
const shots = [
  ['graph', '#graph', 'light'],
  ['graph-node', `#graph/node/${node('head/dense/dotGeneral')}`, 'dark'],
  ['memory', '#memory', 'light'],
  ['memory-peak', `#memory/step/${memory.peakStep}`, 'dark'],
  ['schedule', '#schedule', 'light'],
  ['roofline', '#roofline', 'dark'],
  ['kernels', '#kernels/kernel/12', 'light'],
  ['passes', '#passes//legalize', 'light'],
];

const place = mkdtempSync(join(tmpdir(), 'heddle-screenshots-'));
const browser = await startChromium(path);
try {
  const file = join(place, 'resnet20.html');
  writeFileSync(file, html);
  for (const [name, hash, colorScheme] of shots) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme });
    page.on('pageerror', (error) => fail(`${name}: ${error}`));
    const start = performance.now();
    await page.goto(pathToFileURL(file).href + hash);
    await page.waitForSelector('html[data-ready]');
    const ms = performance.now() - start;
    // Two frames: the first may find the picture without its size.
    await page.evaluate('new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))');
    await page.screenshot({ path: join(folder, `viewer-${name}.png`) });
    say(`viewer-${name}.png (opened in ${(ms / 1000).toFixed(1)} s)`);
    await page.close();
  }
  await example();
} finally {
  await browser.close();
  rmSync(place, { recursive: true });
}

/** The page of examples/browser, after some hundred steps. */
async function example() {
  const server = await serve(await bundlePage(), { port: 0, isIsolated: true });
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, colorScheme: 'light' });
  page.on('pageerror', (error) => fail(`browser: ${error}`));
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.waitForFunction("Number(document.getElementById('steps').textContent) >= 600");
  await page.screenshot({ path: join(folder, 'browser.png') });
  say('browser.png');
  await page.close();
  server.closeAllConnections();
  server.close();
}
