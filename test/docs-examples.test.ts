// The pages of docs/ that are written by hand: their examples run as they stand, imported by the name of the package, and
// print what their comments say.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));

for (const page of ['debugging', 'plans']) {
  const text = await readFile(join(root, 'docs', `${page}.md`), 'utf8');
  const examples = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code!);
  t.ok(examples.length > 1, `${page} has examples`);
  for (const [i, code] of examples.entries()) {
    t.test(`${page}, example ${i + 1}`, async (t) => {
      // Inside of the package, so that its own name leads to its exports.
      const folder = await mkdtemp(join(root, 'build', 'docs-'));
      t.teardown(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, 'example.mjs'), code);
      const output = await new Promise<string>((resolve) => {
        execFile(process.execPath, ['example.mjs'], { cwd: folder }, (error, stdout, stderr) =>
          resolve(error ? `failed: ${stderr}` : stdout),
        );
      });
      const said = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, words]) => words!);
      t.ok(said.length > 0, 'it says what it prints');
      const plain = output.replace(/\[ (.*) \]/g, (_, list: string) => list.replaceAll(', ', ','));
      t.equal(plain, `${said.join('\n')}\n`);
    });
  }
}
