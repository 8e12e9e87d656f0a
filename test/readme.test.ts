// The README: its example runs as it stands and learns, and what it links to exists.

import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');

t.test('the example runs, imported by the name of the package', async (t) => {
  const [, example] = /```js\n(.*?)```/s.exec(readme) ?? [];
  t.ok(example, 'there is an example');
  // Inside of the package, so that its own name leads to its exports.
  const folder = await mkdtemp(join(root, 'build', 'readme-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'example.mjs'), example!);
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [join(folder, 'example.mjs')], (error, stdout, stderr) =>
      resolve(error ? `failed: ${stderr}` : stdout),
    );
  });
  const accuracy = Number(/^accuracy (\S+)\n$/.exec(output)?.[1]);
  t.ok(accuracy >= 0.9, `it prints an accuracy of at least 0.9: ${output}`);
});

t.test('links lead somewhere', async (t) => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!);
  t.ok(links.length >= 4);
  for (const path of links) await t.resolves(access(join(root, path)), path);
});
