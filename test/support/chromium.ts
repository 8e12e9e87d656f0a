// A headless Chromium for tests of pages: the one that is installed, if there is one. Tests skip where there is none.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Its path: HEDDLE_CHROMIUM, or the first that is found; null where there is none. */
export function chromiumPath(): string | null {
  const given = process.env['HEDDLE_CHROMIUM'];
  if (given !== undefined && existsSync(given)) return given;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = [
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ];
  return paths.find((path) => existsSync(path)) ?? null;
}

export const noChromium =
  'no Chromium here: install one (Debian: apt-get install chromium), or say where it is by HEDDLE_CHROMIUM';

/** Starts it. Containers seldom allow its sandbox, and it opens nothing but our own pages. */
export function startChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
}
