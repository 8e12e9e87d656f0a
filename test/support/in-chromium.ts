// Pages in a headless Chromium, from a site that is made for a test file: the library as a bundle, its workers, and what the tests add.

import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { bundle } from './bundle.ts';
import { chromiumPath, noChromium, startChromium } from './chromium.ts';
import { type Policy, type Site, startSite } from './site.ts';

const path = chromiumPath();

/** Why tests are skipped; false where there is a Chromium. */
export const skip: string | false = path === null ? noChromium : false;

/** A page that loads a module. */
export const pageOf = (script: string, head = ''): string =>
  `<!doctype html><link rel="icon" href="data:,">${head}<script type="module" src="${script}"></script>\n`;

/** The files of the site: `bundle.html` has `programs`, the rest is added by tests. */
export const files: Map<string, string | Uint8Array> = new Map([['bundle.html', pageOf('page.js')]]);

let site: Site;
let browser: Browser | null = null;

t.before(async () => {
  if (path === null) return;
  const bundled = await bundle({
    page: 'test/browser/in-page.js',
    heddle: 'src/index.js',
    worker: 'runtime/worker.js',
    'loader-worker': 'src/data/loader/loader-worker.js',
  });
  for (const [name, text] of bundled) files.set(name, text);
  site = await startSite(files);
  browser = await startChromium(path);
});
t.teardown(async () => {
  await browser?.close();
  await site?.close();
});

export interface Opened {
  readonly page: Page;
  /** What the page says on its console, and what went wrong in it. */
  readonly said: readonly string[];
  /** Calls what is global there; from a task of the page, to which its policies apply. */
  readonly call: <T>(name: string, ...args: unknown[]) => Promise<T>;
}

/** `prelude` runs before all else in the page. */
export async function open(policy: Policy, file: string, prelude = ''): Promise<Opened> {
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

/** The address of a file of the site. */
export function urlOf(policy: Policy, file: string): string {
  return site.url(policy, file);
}
