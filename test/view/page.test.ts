// biome-ignore-all lint/performance/useDomNodeTextContent: what a person sees is the rendered text
// The viewer in a browser, opened from the disk: it draws what it was given, without a network, also where names are
// hostile; keys reach everything, and what canvases show is there in words.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import t from 'tap';
import { program as resnet } from '../../examples/resnet.ts';
import * as h from '../../src/index.ts';
import { chromiumPath, noChromium, startChromium } from '../support/chromium.ts';

const path = chromiumPath();
const skip = path === null ? noChromium : false;
const folder = await mkdtemp(join(tmpdir(), 'heddle-page-'));
let browser: Browser | null = null;
t.teardown(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

/** Opens a page, and keeps what went wrong in it. */
async function open(html: string, hash = ''): Promise<{ page: Page; wrong: string[] }> {
  browser ??= await startChromium(path!);
  const file = join(folder, 'page.html');
  await writeFile(file, html);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  page.on('dialog', (dialog) => wrong.push(`dialog ${dialog.message()}`));
  const url = pathToFileURL(file).href;
  page.on('request', (request) => {
    if (request.url() !== `${url}${hash}` && request.url() !== url) wrong.push(`request ${request.url()}`);
  });
  await page.goto(url + hash);
  await page.waitForSelector('html[data-ready]');
  return { page, wrong };
}

/** What is read as soon as it is as wanted, or after ten seconds as it is then: the effect of a key or a click may take a moment. */
async function settled(
  read: () => string | Promise<string>,
  isWanted: (found: string) => boolean,
): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await read();
    if (isWanted(found) || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function textOf(element: Locator, pattern: RegExp | string): Promise<string> {
  return settled(
    () => element.innerText(),
    (text) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)),
  );
}

/** How many different colours a canvas shows: an empty one has one. */
function coloursOf(page: Page): Promise<number> {
  return page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
    const canvas = document.querySelector('main canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    done(seen.size);
  }, 50)))`);
}

const p = resnet({ threads: 2 });
t.teardown(() => p.dispose());
const train = { entry: 'train', dims: { batch: 8 } } as const;
const html = skip === false ? await p.view(undefined, { ...train, title: 'ResNet-8' }) : '';

t.test('every panel draws, and says the same in words', { skip }, async (t) => {
  const { page, wrong } = await open(html);
  t.equal(await page.title(), 'ResNet-8 – Heddle');
  const words: Readonly<Record<string, RegExp>> = {
    graph: /Forward[\s\S]*stage1[\s\S]*Backward[\s\S]*Update/i,
    memory: /lower bound [\d.]+ MiB[\s\S]*What lies in the arena at its peak/,
    schedule: /predicted [\d.]+ ms, waiting [\s\S]*The longest waits/,
    roofline: /operations per byte[\s\S]*convolution/,
    kernels: /\d+ kernels in \d+ steps[\s\S]*contraction over/,
    passes: /simplify[\s\S]*before simplify[\s\S]*after simplify/,
  };
  for (const [name, text] of Object.entries(words)) {
    await page.getByRole('tab', { name, exact: true }).click();
    t.equal(await page.getByRole('tab', { name, exact: true }).getAttribute('aria-selected'), 'true');
    t.match(await textOf(page.locator('main'), text), text, name);
    if (name === 'kernels' || name === 'passes') continue;
    t.ok((await coloursOf(page)) > 5, `${name}: something is drawn`);
    t.match(
      await page.locator('main canvas').getAttribute('aria-label'),
      /list|table/i,
      'and it says where in words',
    );
  }
  t.same(wrong, [], 'no error, no request, no message');
});

t.test('a node, a step, a kernel, a buffer: all that is known', { skip }, async (t) => {
  const { page, wrong } = await open(html, '#graph/step/3');
  const aside = page.locator('aside');
  t.match(
    await textOf(aside, /step 3[\s\S]*kernel[\s\S]*predicted[\s\S]*reads[\s\S]*writes[\s\S]*made of/),
    /step 3[\s\S]*kernel[\s\S]*predicted[\s\S]*reads[\s\S]*writes[\s\S]*made of/,
  );
  await aside
    .getByRole('button', { name: /^\d+: \w+/ })
    .first()
    .click();
  t.match(
    await textOf(aside, /kernel \d+[\s\S]*loops[\s\S]*called by[\s\S]*unit unit of \d+ \{/),
    /kernel \d+[\s\S]*loops[\s\S]*called by[\s\S]*unit unit of \d+ \{/,
  );
  await aside.getByText(/^code of kernel/).click();
  t.match(await textOf(aside, /\(module/), /\(module/);
  const { graph } = p.inspect(train);
  const convolution = graph.nodes.findIndex((n) => n.op === 'convolution');
  await page.evaluate(`location.hash = '#graph/node/${convolution}'`);
  await page.waitForFunction(`document.querySelector('aside').innerText.includes('node %${convolution}')`);
  const written = /strides[\s\S]*written at[\s\S]*resnet\.ts:\d+:\d+/;
  const text = await textOf(aside, written);
  t.match(text, written, 'attributes, and the line that made the layer');
  t.match(text, /gradient\s+grad\/stem\/conv1/, 'and its gradient');
  await aside.locator('dd button').filter({ hasText: 'grad/stem/conv1' }).first().click();
  t.match(await textOf(aside, /gradient of\s+stem\/conv1/), /gradient of\s+stem\/conv1/);
  t.same(wrong, []);
});

t.test('keys: search, panels, the list of scopes, help', { skip }, async (t) => {
  const { page, wrong } = await open(html);
  await page.keyboard.press('/');
  await page.keyboard.type('stage2 convolution');
  t.ok((await page.getByRole('option').count()) > 3);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  t.match(
    await textOf(page.locator('aside h2'), /node %\d+\s+\S*stage2\S*convolution/),
    /node %\d+\s+\S*stage2\S*convolution/,
  );

  await page.keyboard.press('2');
  const hash = (): string => new URL(page.url()).hash;
  t.match(await settled(hash, (h) => h.startsWith('#memory/')), /^#memory\//);
  await page.keyboard.press('Escape');
  t.equal(await settled(hash, (h) => h === '#memory'), '#memory');
  await page.keyboard.press('1');

  const focused = (): Promise<string> => page.evaluate('document.activeElement.innerText');
  await page.locator('[role=treeitem][tabindex="0"]').focus();
  await page.keyboard.press('ArrowDown');
  const row = await focused();
  await page.keyboard.press('ArrowRight');
  t.equal(await focused(), row.replace('▸', '▾'), 'opened, and still in focus');
  await page.keyboard.press('ArrowLeft');
  t.equal(await focused(), row.replace('▾', '▸'));
  await page.locator('main canvas').focus();
  for (const key of ['ArrowLeft', '+', '-', '0']) await page.keyboard.press(key);

  await page.keyboard.press('?');
  t.ok(await page.getByRole('dialog').isVisible());
  await page.keyboard.press('Escape');
  t.notOk(await page.getByRole('dialog').isVisible());
  t.same(wrong, []);
});

t.test('everything that acts has a name and can be reached', { skip }, async (t) => {
  const { page } = await open(html);
  for (const name of ['graph', 'memory', 'schedule', 'roofline', 'kernels', 'passes']) {
    await page.getByRole('tab', { name, exact: true }).click();
    const nameless = await page.evaluate(`[...document.querySelectorAll('button, input, select, canvas')]
      .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.closest('label')))
      .map((e) => e.outerHTML)`);
    t.same(nameless, [], name);
    const uncaptioned = await page.evaluate("document.querySelectorAll('table:not(:has(caption))').length");
    t.equal(uncaptioned, 0, `${name}: tables say what they are`);
  }
});

t.test('light and dark', { skip }, async (t) => {
  const { page, wrong } = await open(html);
  const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const becomes = (wanted: string): Promise<string> => settled(background, (found) => found === wanted);
  const light = await background();
  await page.getByRole('button', { name: 'Dark colours' }).click();
  const dark = await background();
  t.not(dark, light);
  await page.getByRole('button', { name: 'Light colours' }).click();
  t.equal(await becomes(light), light);
  await page.emulateMedia({ colorScheme: 'dark' });
  t.equal(await background(), light, 'what was chosen stays');
  await page.reload();
  t.equal(await becomes(dark), dark, 'before that, the page follows the system');
  await page.emulateMedia({ colorScheme: 'light' });
  t.equal(await becomes(light), light, 'as long as it is open');
  t.same(wrong, []);
});

t.test('all scopes open: a thousand boxes, and back', { skip }, async (t) => {
  const { page, wrong } = await open(html);
  const shown = async (): Promise<number> =>
    Number(/(\d+) boxes shown/.exec(await page.locator('.bar').innerText())![1]);
  const few = await shown();
  await page.getByRole('button', { name: 'open all' }).click();
  t.ok((await shown()) > 500);
  t.ok((await coloursOf(page)) > 5);
  await page.getByRole('button', { name: 'fold all' }).click();
  t.ok((await shown()) <= few);
  await page.getByLabel('Which graph').selectOption('source');
  t.ok((await coloursOf(page)) > 5);
  await page.locator('[role=treeitem]').filter({ hasText: /^x/ }).first().click();
  t.match(
    await page.locator('aside').innerText(),
    /declared node %\d+\s+x[\s\S]*read by\s+stem\/conv1\/convolution/,
  );
  await page.locator('aside').getByRole('button', { name: 'stem/conv1/convolution', exact: true }).click();
  t.match(await page.locator('aside').innerText(), /gradient\s+grad\/stem\/conv1/);
  await page.evaluate("location.hash = '#graph/step/3'");
  await page.waitForFunction("document.querySelector('.bar select').value === 'compiled'");
  t.same(wrong, []);
});

t.test('names are shown, whatever they are', { skip }, async (t) => {
  const hostile = '<img src=x onerror=alert(1)></script><script>alert(2)</script>';
  const q = h.program(
    {
      f: h.entry({ x: h.tensor([4]) }, ({ x }) => ({
        [hostile]: h.scope(hostile.replaceAll('/', '∕'), () => h.tanh(x)),
      })),
    },
    { threads: 1 },
  );
  t.teardown(() => q.dispose());
  const { page, wrong } = await open(await q.view(undefined, { entry: 'f', title: hostile }));
  t.equal(await page.locator('h1').innerText(), hostile);
  t.match(await textOf(page.locator('main'), '<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>');
  for (const key of ['2', '3', '4', '5', '6']) await page.keyboard.press(key);
  await page.keyboard.press('/');
  await page.keyboard.type('img');
  t.match(await textOf(page.getByRole('option').first(), '<img'), '<img');
  t.equal(await page.locator('img').count(), 0);
  t.same(wrong, []);
});

t.test('several entries in one page', { skip }, async (t) => {
  await p.compile('predict', { batch: 1 });
  const { page } = await open(await p.view());
  await page.getByLabel('Entry').selectOption({ label: 'predict(batch=1)' });
  t.match(await textOf(page.locator('aside'), /graph\s+\d+ nodes/), /graph\s+\d+ nodes/);
  t.match(new URL(page.url()).hash, /@1/);
  t.notMatch(await page.locator('.outline').innerText(), /Backward/i, 'prediction has no gradient');
});
