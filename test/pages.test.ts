// The pages about data and checkpoints: their blocks of code run, one after the other, as one program, and print what their comments say.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { sharedFolder } from './support/shared.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const table = `${sharedFolder}/data/classics/iris.csv`;

async function run(page: string): Promise<{ readonly stdout: string; readonly failure: string }> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code!);
  // What a data set is downloaded for lies in the cache, where reference data is at hand; else it is left out.
  const here = blocks.filter((code) => existsSync(table) || !code.includes('data.iris('));
  // Inside of the package, so that its own name leads to its exports.
  const folder = await mkdtemp(join(root, 'build', 'pages-'));
  t.teardown(() => rm(folder, { recursive: true }));
  if (existsSync(table)) {
    await mkdir(join(folder, 'cache/iris'), { recursive: true });
    await writeFile(join(folder, 'cache/iris/iris.data'), await readFile(table));
  }
  await writeFile(join(folder, 'page.mjs'), here.join('\n'));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(folder, 'page.mjs')],
      { cwd: folder, env: { ...process.env, HEDDLE_VERIFY: '0', HEDDLE_CACHE: join(folder, 'cache') } },
      (error, stdout, stderr) => resolve({ stdout, failure: error === null ? '' : stderr || error.message }),
    );
  });
}

t.test('docs/data.md', async (t) => {
  const { stdout, failure } = await run('data.md');
  t.equal(failure, '');
  t.same(stdout.split('\n').slice(0, 3), [
    "{ area: 'number', floor: 'number', kind: 'text' }",
    "3 [ 'new', 'old' ]",
    '[ 300, 2 ]',
  ]);
  if (existsSync(table)) t.match(stdout, /^120 30 \[ 'Iris-setosa'/m);
});

t.test('docs/checkpoints.md', async (t) => {
  const { stdout, failure } = await run('checkpoints.md');
  t.equal(failure, '');
  t.equal(stdout, '5\nfive epochs\n1\n');
});

t.test('links lead somewhere', async (t) => {
  for (const page of ['docs/data.md', 'docs/checkpoints.md']) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, path] of text.matchAll(/\]\((?!http)([^)#]+)\)/g)) {
      await t.resolves(access(join(root, dirname(page), path!)), path!);
    }
  }
  t.pass();
});
