// A file is replaced whole, however many replace it at once, and nothing is left beside it.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readIfThere, replaceFile } from '../../src/files.ts';

t.test('writers of one file do not meet: the last that is named stands, whole', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-files-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'state');
  t.equal(await readIfThere(path), null);
  const contents = Array.from({ length: 8 }, (_, i) => new Uint8Array(100_000 * (8 - i)).fill(i + 1));
  await Promise.all(contents.map((bytes) => replaceFile(path, bytes)));
  const found = await readFile(path);
  t.ok(
    contents.some((bytes) => Buffer.compare(found, bytes) === 0),
    'one of them, whole',
  );
  t.same(await readdir(folder), ['state']);
});

t.test('what cannot be put in its place leaves nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-files-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await t.rejects(replaceFile(folder, new Uint8Array(3)), 'a folder is no file');
  t.same(
    await readdir(join(folder, '..')).then((l) => l.filter((n) => n.startsWith(folder.split('/').at(-1)!))),
    [folder.split('/').at(-1)!],
  );
});
