// The generated pages are up to date: `npm run docs` writes them.

import { readFile } from 'node:fs/promises';
import t from 'tap';
import { pages } from './support/pages.ts';

for (const [name, text] of Object.entries(pages())) {
  t.test(`docs/${name} is what the code says`, async (t) => {
    const file = await readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8').catch(() => '');
    t.equal(file, text, 'run `npm run docs` and commit the result');
  });
}
