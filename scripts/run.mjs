// The npm scripts other than `test`: `node scripts/run.mjs TASK [ARGUMENT ...]`. Each task first makes the checkout
// ready (bootstrap.mjs), then does its one thing, and its exit code is ours.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { biome, fail, install, prepare, root, run, typecheck } from './bootstrap.mjs';

/** Paths that a formatter or linter gets by default. */
const everything = ['.'];

/** What `judge` goes through unless it gets folders. */
const judged = ['golden/cases', 'golden/optim', 'golden/train', 'fuzz-graphs', 'onnx-cases', 'onnx-models'];

const tasks = {
  async start(args) {
    await prepare();
    return runScript(join(root, 'build/examples/resnet.js'), args);
  },

  async build() {
    await prepare();
    return 0;
  },

  async typecheck() {
    await install();
    return typecheck();
  },

  async lint(args) {
    await install();
    return run(process.execPath, [biome, 'check', ...orElse(args, everything)]);
  },

  async format(args) {
    await install();
    return run(process.execPath, [biome, 'check', '--write', ...orElse(args, everything)]);
  },

  async judge(args) {
    const judge = join(root, '../shared/judge/judge.mjs');
    if (!existsSync(judge)) {
      fail(`the judge and its cases are not here: expected ${judge} (a folder beside this checkout)`);
    }
    const adapter = here('test/judge/adapter.mjs');
    await prepare();
    const folders = args.some((a) => !a.startsWith('--'))
      ? []
      : judged.map((d) => join(root, '../shared', d));
    return run(process.execPath, [judge, '--adapter', adapter, ...args, ...folders]);
  },

  async bench(args) {
    const script = here('bench/run.mjs');
    await prepare();
    // What the benchmarks compare with has a package.json and a lock file of its own.
    if (existsSync(join(root, 'bench/package-lock.json'))) await install(join(root, 'bench'));
    return runScript(script, args);
  },

  async 'plan-csv'(args) {
    await prepare();
    return runScript(here('bin/heddle.mjs'), ['plan-csv', ...args]);
  },

  async docs(args) {
    const script = here('scripts/docs.mjs');
    await prepare();
    return runScript(script, args);
  },

  async examples(args) {
    await prepare();
    return runScript(join(root, 'build/examples/run.js'), args);
  },

  async 'examples:browser'(args) {
    await install();
    return runScript(here('examples/browser/serve.mjs'), args);
  },

  async 'docs:screenshots'(args) {
    const script = here('scripts/screenshots.mjs');
    await prepare();
    return runScript(script, args);
  },

  async figures(args) {
    const script = here('scripts/figures.mjs');
    await prepare();
    return runScript(script, args);
  },
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !Object.hasOwn(tasks, name)) {
  fail(`usage: node scripts/run.mjs ${Object.keys(tasks).join('|')} [ARGUMENT ...]`);
}
process.exitCode = await tasks[name](args);

function runScript(path, args, options) {
  return run(process.execPath, ['--enable-source-maps', path, ...args], options);
}

function here(path) {
  if (!existsSync(join(root, path))) fail(`${path} is missing from this checkout`);
  return join(root, path);
}

function orElse(args, fallback) {
  return args.length > 0 ? args : fallback;
}
