// The page of examples/browser, as a person opens it: it learns, draws, takes and gives weights, and begins anew with other settings.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import t from 'tap';
import { chromiumPath, noChromium, startChromium } from '../support/chromium.ts';

const path = chromiumPath();
const { bundlePage, serve } = (await import(
  new URL('../../../examples/browser/serve.mjs', import.meta.url).href
)) as {
  readonly bundlePage: () => Promise<ReadonlyMap<string, Uint8Array>>;
  readonly serve: (
    files: ReadonlyMap<string, Uint8Array>,
    options: { readonly port: number; readonly isIsolated: boolean },
  ) => Promise<Server>;
};

t.test('the example learns', { skip: path === null ? noChromium : false }, async (t) => {
  const files = await bundlePage();
  let browser: Browser | null = null;
  const servers: Server[] = [];
  t.teardown(async () => {
    await browser?.close();
    for (const server of servers) server.closeAllConnections();
    for (const server of servers) server.close();
  });
  browser = await startChromium(path!);
  for (const isIsolated of [true, false]) {
    const server = await serve(files, { port: 0, isIsolated });
    servers.push(server);
    const page = await browser.newPage();
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('console', (message) => wrong.push(message.text()));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const reaches = (steps: number, accuracy: number): Promise<unknown> =>
      page.waitForFunction(
        `Number(document.getElementById('steps').textContent) >= ${steps} &&
         Number.parseFloat(document.getElementById('accuracy').textContent) >= ${accuracy}`,
        undefined,
        { timeout: 60_000 },
      );
    await reaches(100, 90);
    t.pass(`${isIsolated ? 'isolated' : 'not isolated'}: 9 of 10 points are right`);
    const host = await page.textContent('#host');
    t.match(host!, isIsolated ? /^This page is isolated/ : /^This page is not isolated .* one thread\.$/);
    if (isIsolated) {
      await page.selectOption('#threads', '2');
      await page.selectOption('#classes', '2');
      await reaches(50, 80);
      const download = page.waitForEvent('download');
      await page.click('#save');
      t.equal((await download).suggestedFilename(), 'spiral.safetensors');
      await page.setInputFiles('#load', await (await download).path());
      await page.waitForFunction("document.getElementById('load').value === ''");
      const before = Number(await page.textContent('#steps'));
      await reaches(before + 20, 80);
      await (await download).delete();
      t.equal(await page.textContent('#host'), host, 'no error took the place of what the page says');
    }
    t.same(wrong, []);
    await page.close();
  }
});
