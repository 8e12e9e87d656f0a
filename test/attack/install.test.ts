// Installing into a checkout whose node_modules is a link to another checkout's: the other one keeps what it has. npm is
// stood in for by a script that does what `npm ci` does to the folder, so the test needs no network.

import { spawnSync } from 'node:child_process';
import { copyFile, lstat, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';

const bootstrap = fileURLToPath(new URL('../../../scripts/bootstrap.mjs', import.meta.url));

const standIn = `
const fs = require('node:fs');
const modules = process.cwd() + '/node_modules';
if (fs.existsSync(modules)) for (const f of fs.readdirSync(modules)) fs.rmSync(modules + '/' + f, { recursive: true });
fs.mkdirSync(modules, { recursive: true });
fs.writeFileSync(modules + '/.package-lock.json', '{}');
fs.writeFileSync(modules + '/own', '');
`;

t.test('a linked node_modules is replaced, not emptied', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'install-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const theirs = join(folder, 'theirs/node_modules');
  const ours = join(folder, 'ours');
  await mkdir(theirs, { recursive: true });
  await mkdir(join(ours, 'scripts'), { recursive: true });
  await writeFile(join(theirs, '.package-lock.json'), '{}');
  await writeFile(join(theirs, 'precious'), '');
  await utimes(join(theirs, '.package-lock.json'), 1, 1); // older than our lock file: ours looks stale
  await writeFile(join(ours, 'package-lock.json'), '{}');
  await copyFile(bootstrap, join(ours, 'scripts/bootstrap.mjs'));
  await symlink(theirs, join(ours, 'node_modules'), 'junction');
  const npm = join(folder, 'npm-cli.js');
  await writeFile(npm, standIn);

  const url = JSON.stringify(pathToFileURL(join(ours, 'scripts/bootstrap.mjs')).href);
  const { status } = spawnSync(process.execPath, ['-e', `import(${url}).then((m) => m.install())`], {
    env: { ...process.env, npm_execpath: npm },
  });
  t.equal(status, 0);
  t.same((await readdir(theirs)).sort(), ['.package-lock.json', 'precious'], 'the other checkout is whole');
  t.ok((await lstat(join(ours, 'node_modules'))).isDirectory(), 'this one has a folder of its own');
  t.same((await readdir(join(ours, 'node_modules'))).sort(), ['.package-lock.json', 'own']);
});
