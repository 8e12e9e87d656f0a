// Makes a checkout ready to run: dependencies from the lock file, then JavaScript from the sources, each only when it
// is missing or stale. Every npm script starts here, so that any of them may be the first command after a clone;
// therefore nothing in this file, nor anything it imports, comes from node_modules.
//
// Install and build take a lock (a folder under .cache/), so two commands started at the same time do the work once.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folders that TypeScript compiles: the `include` of tsconfig.json. */
const sourceFolders = ['src', 'compiler', 'runtime', 'test', 'examples'];

/** What runs in pages: with a DOM, and bundled. */
const client = join(root, 'src/view/client');
/** A page that bundles itself. */
const page = join(root, 'examples/browser');

/** The compiler by its path: `.bin/tsc` may belong to an older TypeScript that some tool brought along. */
const tsc = join(root, 'node_modules/typescript/bin/tsc');
export const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');

/** Installs and builds whatever is missing or stale; ends the process with code 1 when either fails. */
export async function prepare() {
  await install();
  await build();
}

/** Brings `folder`/node_modules in line with `folder`/package-lock.json. */
export async function install(folder = root) {
  if (await isInstalled(folder)) return;
  await exclusively('install', async () => {
    if (await isInstalled(folder)) return; // whoever held the lock before us has done it
    const where = relative(root, folder) || 'this checkout';
    say(`installing the dependencies of ${where} from the lock file (npm ci, about half a minute) ...`);
    const start = performance.now();
    // `npm ci` empties the folder through a link, and with it the checkout that the folder belongs to.
    const modules = join(folder, 'node_modules');
    if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) await unlink(modules);
    const code = await run(npm().command, [...npm().args, 'ci', '--include=dev', '--no-audit', '--no-fund'], {
      cwd: folder,
    });
    if (code !== 0) fail(`npm ci failed in ${folder} (exit code ${code})`);
    await utimes(join(folder, 'node_modules/.package-lock.json'), new Date(), new Date());
    say(`dependencies installed in ${seconds(start)}`);
  });
}

/** Compiles to build/ unless build/ was made from exactly these sources. */
export async function build() {
  const stamp = join(root, 'build/.inputs');
  const isFresh = async () => (await read(stamp)) === (await digestOfInputs());
  if (await isFresh()) return;
  await exclusively('build', async () => {
    if (await isFresh()) return;
    // Taken before compiling: a source that changes meanwhile makes the next call build again.
    const inputs = await digestOfInputs();
    say('building ...');
    const start = performance.now();
    await rm(stamp, { force: true });
    // Without outputs the incremental state would claim that there is nothing to emit.
    if (!existsSync(join(root, 'build/src'))) await rm(join(root, 'build/.tsbuildinfo'), { force: true });
    const codes = [
      await run(process.execPath, [tsc, '-p', root]),
      await run(process.execPath, [tsc, '-p', client]),
    ];
    if (codes.some((code) => code !== 0)) fail('the build failed: see the errors above');
    const { bundleClient } = await import('./bundle.mjs');
    await bundleClient(root);
    await removeOrphans();
    await writeFile(stamp, inputs);
    say(`built in ${seconds(start)}`);
  });
}

/** Type-checks without writing anything; resolves to the exit code. */
export async function typecheck() {
  const codes = [];
  for (const project of [root, client, page])
    codes.push(await run(process.execPath, [tsc, '-p', project, '--noEmit', '--incremental', 'false']));
  return Math.max(...codes);
}

/** Runs a command on this process's terminal; resolves to its exit code (128 + n where a signal ended it). */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    // Ctrl-C reaches the whole process group: wait for the child's own ending instead of leaving it behind.
    const ignore = () => {};
    process.on('SIGINT', ignore);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}

/** Progress goes to stderr, so that the output of what is run stays clean. */
export function say(message) {
  process.stderr.write(`heddle: ${message}\n`);
}

export function fail(message) {
  say(message);
  process.exit(1);
}

/** The files below `folder` whose path `accepts` takes, sorted; none where the folder is missing. */
export async function filesBelow(folder, accepts) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name));
  return paths.filter(accepts).sort();
}

/** npm writes node_modules/.package-lock.json last, so an interrupted install counts as none. */
async function isInstalled(folder) {
  const [wanted, installed] = await Promise.all([
    modified(join(folder, 'package-lock.json')),
    modified(join(folder, 'node_modules/.package-lock.json')),
  ]);
  return installed !== undefined && installed >= (wanted ?? 0);
}

/** npm by its JavaScript where we run below npm, because Windows cannot spawn `npm.cmd` without a shell. */
function npm() {
  const script = process.env.npm_execpath;
  if (script?.endsWith('npm-cli.js')) return { command: process.execPath, args: [script] };
  return { command: 'npm', args: [] };
}

/** Names, sizes and times of all that a build reads: cheap, and it notices deleted files too. */
async function digestOfInputs() {
  const lists = await Promise.all(
    sourceFolders.map((name) => filesBelow(join(root, name), (path) => /\.(ts|css)$/.test(path))),
  );
  const inputs = [join(root, 'tsconfig.json'), join(root, 'package-lock.json'), ...lists.flat()];
  const facts = await Promise.all(
    inputs.map(async (path) => {
      const s = await stat(path).catch(() => undefined); // may vanish between listing and here
      return `${relative(root, path)} ${s?.size} ${s?.mtimeMs}`;
    }),
  );
  return createHash('sha256').update(facts.join('\n')).digest('hex');
}

/** Deletes outputs whose source is gone, so that a removed test does not go on running. */
async function removeOrphans() {
  for (const name of sourceFolders) {
    const outputs = await filesBelow(join(root, 'build', name), (path) => /\.(js|d\.ts)(\.map)?$/.test(path));
    for (const path of outputs) {
      const source = relative(join(root, 'build'), path).replace(/\.(js|d\.ts)(\.map)?$/, '.ts');
      if (!existsSync(join(root, source))) await rm(path, { force: true });
    }
  }
}

/** Runs `work` while holding the named lock; waits for another process that holds it, not for a dead one. */
async function exclusively(name, work) {
  const lock = join(root, `.cache/${name}.lock`);
  const owner = join(lock, 'pid');
  await mkdir(dirname(lock), { recursive: true });
  let told = false;
  while (!(await take(lock))) {
    if (await isAbandoned(lock, owner)) {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    if (!told) say(`waiting for the ${name} that another process is running ...`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await writeFile(owner, String(process.pid));
  const release = () => rmSyncQuietly(lock);
  process.on('exit', release); // `fail` ends the process from inside `work`
  try {
    await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Making a folder is atomic: exactly one process succeeds. */
async function take(lock) {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(lock, owner) {
  const pid = Number(await read(owner));
  if (pid > 0) return !isAlive(pid);
  // Taken, but its owner has not written its name: it is doing so right now, or it died in between.
  const age = Date.now() - ((await modified(lock)) ?? Date.now());
  return age > 5000;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function rmSyncQuietly(path) {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next process finds a lock without a living owner and removes it.
  }
}

const read = (path) => readFile(path, 'utf8').catch(() => undefined);
const modified = async (path) => (await stat(path).catch(() => undefined))?.mtimeMs;
const seconds = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`;
