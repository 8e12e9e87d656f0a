// The generated pages are up to date: `npm run docs` writes them.

import { readFile } from 'node:fs/promises';
import t from 'tap';
import * as publicOps from '../compiler/ops/index.ts';
import * as heddle from '../src/index.ts';
import { documentedFunctions } from './support/ops-page.ts';
import { pages } from './support/pages.ts';

for (const [name, text] of Object.entries(pages())) {
  t.test(`docs/${name} is what the code says`, async (t) => {
    const file = await readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8').catch(() => '');
    t.equal(file, text, 'run `npm run docs` and commit the result');
  });
}

t.test('every public function of ops says what it does, with an example', async (t) => {
  const documented = new Map(documentedFunctions.map((f) => [f.name, f]));
  const names = Object.keys(publicOps);
  t.same(
    names.filter((n) => !documented.has(n)),
    [],
    'no doc comment',
  );
  t.same(
    names.filter((n) => documented.get(n)?.text === ''),
    [],
    'no text',
  );
  t.same(
    names.filter((n) => documented.get(n)?.example === undefined),
    [],
    'no example',
  );
});

t.test('docs/names.md points to functions and layers that exist', async (t) => {
  const text = await readFile(new URL('../../docs/names.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((l) => /^\| [^-]/.test(l) && !l.startsWith('| there'));
  t.ok(rows.length > 50, `${rows.length} rows`);
  for (const row of rows) {
    const here = row.split('|')[2]!;
    for (const [, name] of here.matchAll(/`([a-zA-Z][\w.]*)`/g)) {
      if (
        ['reflect', 'edge', 'wrap', 'ddof', 'perLabel', 'memory', 'mask', 'lengths', 'padding'].includes(
          name!,
        )
      )
        continue;
      const [owner, member] = name!.split('.') as [string, string?];
      const group = (heddle as Readonly<Record<string, unknown>>)[owner];
      const found = member === undefined ? group !== undefined : member in (group as object);
      t.ok(found, name!);
    }
  }
});
