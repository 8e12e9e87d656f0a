// Writes the pages of docs/ that are made from the code. Run by `npm run docs`, after a build.
import { mkdirSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { pages } = await import(new URL('build/test/support/pages.js', root).href);
mkdirSync(new URL('docs/', root), { recursive: true });
for (const [name, text] of Object.entries(pages())) {
  writeFileSync(new URL(`docs/${name}`, root), text);
  console.log(`docs/${name}`);
}
