// The tutorial: its blocks are one program, which runs as it stands and ends where the text says.

import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = await readFile(join(root, 'docs/tutorial.md'), 'utf8');

t.test('from nothing to a residual net and its plan', async (t) => {
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block!);
  t.ok(blocks.length >= 8, `${blocks.length} blocks`);
  // Inside of the package, so that its own name leads to its exports.
  const folder = await mkdtemp(join(root, 'build', 'tutorial-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'tutorial.mjs'), blocks.join('\n'));
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [join(folder, 'tutorial.mjs')], { cwd: folder }, (error, stdout, stderr) =>
      resolve(error ? `failed: ${stderr}` : stdout),
    );
  });
  t.match(output, 'y 6.9093, by x1 2.5839, by x2 2.0000');
  const [, summary] = /```text\n(.*?)```/s.exec(text)!;
  const trimmed = (s: string): string => s.replace(/ +$/gm, '');
  t.ok(trimmed(output).includes(trimmed(summary!)), 'the summary is the one in the text');
  const accuracy = (net: string): number =>
    Number(new RegExp(`${net} net: accuracy (\\S+)`).exec(output)?.[1]);
  t.ok(accuracy('dense') > 0.2 && accuracy('dense') < 0.45, `dense: about 0.3: ${accuracy('dense')}`);
  t.ok(accuracy('residual') >= 0.92, `residual: ${accuracy('residual')}`);
  t.match(output, /train\(batch=50\): \d+ kernels/);
  t.match(output, /plan train for wasm/);
  t.match(output, /the slowest of \d+ steps: \S+/);
  t.match(await readFile(join(folder, 'training.svg'), 'utf8'), '>A residual net<');
  t.ok((await readFile(join(folder, 'figures.heddle'))).length > 100_000);
});

t.test('links lead somewhere', async (t) => {
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!);
  t.ok(links.length >= 2);
  for (const path of links) await t.resolves(access(join(root, 'docs', path)), path);
  for (const [, file] of text.matchAll(/`([\w/-]+\.ts)`/g)) {
    const path = file!.includes('/') ? file! : `examples/experiments/${file}`;
    await t.resolves(access(join(root, path)), path);
  }
});
