// Runs the tests: `npm test [-- NAME ...] [--long] [--no-build] [--timeout SECONDS]`.
//
// Each build/test/**/*.test.js runs in a plain Node process of its own, as many at once as there are cores; NAME keeps
// the files whose path contains it. A file is read as TAP and fails when an assertion fails, when it exits with an
// error, prints no plan, asserts nothing, or runs out of time. The last line is `N passed, N failed, N skipped`, which
// counts leaf assertions: the line that closes a subtest adds nothing to what stood inside it.
//
// Not tap's own runner: it compiles by a TypeScript API that TypeScript 7 no longer has, and its import hooks make each
// worker thread start ten times slower. `tap` serves as the assertion library alone.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, filesBelow, install, prepare, root, say } from './bootstrap.mjs';

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: 'boolean', default: process.env.HEDDLE_LONG === '1' },
    'no-build': { type: 'boolean', default: false },
    timeout: { type: 'string' },
  },
});
const timeoutSeconds = Number(options.timeout ?? (options.long ? 14_400 : 600));
if (!(timeoutSeconds > 0)) fail('--timeout takes a number of seconds');

await (options['no-build'] ? install() : prepare());
const { Parser } = await import('tap-parser');

const built = join(root, 'build/test');
const files = (await filesBelow(built, (path) => path.endsWith('.test.js')))
  .map((path) => ({
    path,
    title: relative(join(root, 'build'), path).replaceAll('\\', '/').replace(/\.js$/, '.ts'),
  }))
  .filter(({ title }) => names.length === 0 || names.some((name) => title.includes(name)));
if (files.length === 0)
  say(names.length > 0 ? `no test file matches ${names.join(' ')}` : 'there are no test files');

const start = performance.now();
const titleWidth = Math.max(0, ...files.map(({ title }) => title.length));
const outcomes = await runAll(files, availableParallelism());

for (const outcome of outcomes.filter((o) => o.failures.length > 0)) printFailures(outcome);

const passed = total((o) => o.passed);
const failed = total((o) => o.failures.length);
const skipped = total((o) => o.skipped);
console.log(`\n${files.length} files in ${seconds(performance.now() - start)}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed + skipped === 0 ? 1 : 0;

/** Runs the files, `lanes` at a time, printing a line as each one ends; the outcomes come in the files' order. */
async function runAll(files, lanes) {
  const outcomes = new Array(files.length);
  const running = new Set();
  let next = 0;
  const lane = async () => {
    while (next < files.length) {
      const index = next++;
      const file = files[index];
      running.add(file.title);
      outcomes[index] = await runFile(file);
      running.delete(file.title);
      printLine(outcomes[index]);
    }
  };
  // Somebody who watches a long run sees that it lives, and where.
  const heartbeat = setInterval(() => say(`still running: ${[...running].join(', ')}`), 60_000);
  await Promise.all(Array.from({ length: Math.min(lanes, files.length) }, lane));
  clearInterval(heartbeat);
  return outcomes;
}

/** One file in one process: counts what it asserts and turns every other way of ending badly into a failure. */
function runFile({ path, title }) {
  return new Promise((resolve) => {
    const outcome = { title, passed: 0, skipped: 0, failures: [], stderr: '', ms: 0 };
    const began = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', path], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      // The library's own limit is 30 s for a file; ours replaces it, a little later so that the library, which can
      // name the subtest that hangs, speaks first.
      env: {
        ...process.env,
        ...(options.long ? { HEDDLE_LONG: '1' } : {}),
        TAP_TIMEOUT: String(timeoutSeconds),
        // Every compilation in every test is verified: passes, kernels, plans.
        HEDDLE_VERIFY: '1',
      },
    });
    const addFailure = (name, details) => outcome.failures.push({ name, details });

    let timedOut = false;
    const timer = setTimeout(
      () => {
        timedOut = true;
        child.kill('SIGKILL');
        // A grandchild may hold the other ends; without this, 'close' would wait for it.
        child.stdout.destroy();
        child.stderr.destroy();
      },
      timeoutSeconds * 1000 + 5000,
    );

    const parser = new Parser();
    countLeaves(parser, (result) => {
      if (result.skip || result.todo) outcome.skipped++;
      else if (result.ok) outcome.passed++;
      else addFailure(result.fullname.replace(/\\([#\\])/g, '$1') || 'unnamed assertion', result.diag);
    });
    let final;
    parser.on('complete', (results) => {
      final = results;
    });

    child.stdout.setEncoding('utf8').on('data', (text) => parser.write(text));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      outcome.stderr += text;
    });
    child.on('error', (error) => addFailure('could not be started', { message: error.message }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      parser.end();
      outcome.ms = performance.now() - began;
      if (final?.plan.skipAll && final.plan.skipReason && !/no tests found/i.test(final.plan.skipReason))
        outcome.skipped++;

      const isSilent = outcome.failures.length === 0;
      if (timedOut)
        addFailure(`ran out of time: killed after ${timeoutSeconds} s (--timeout SECONDS changes it)`);
      else if (signal) addFailure(`crashed: ended by ${signal}`);
      else if (isSilent && final?.bailout) addFailure(describeBadTap(final));
      else if (isSilent && code !== 0) addFailure(`exited with code ${code} outside of any assertion`);
      else if (isSilent && final && !final.ok) addFailure(describeBadTap(final));
      else if (isSilent && outcome.passed + outcome.skipped === 0) addFailure('asserted nothing');
      resolve(outcome);
    });
  });
}

/**
 * Calls `count` for each leaf below the parser. A subtest ends with a test point of its own, which follows it and
 * repeats its verdict; it is a leaf only where it says something new: a skip, or a failure of no assertion inside.
 * (The parser's own events `pass` and `fail` mean to do this, but miss names with `#` or a backslash in them.)
 */
function countLeaves(parser, count) {
  const seen = { leaves: 0, failures: 0 };
  let subtest;
  const leaf = (result) => {
    seen.leaves++;
    if (!result.ok) seen.failures++;
    count(result);
  };
  parser.on('child', (child) => {
    subtest = countLeaves(child, count);
  });
  parser.on('assert', (result) => {
    const ended = subtest;
    subtest = undefined;
    if (ended) {
      seen.leaves += ended.leaves;
      seen.failures += ended.failures;
    }
    const isNews = result.ok
      ? Boolean(result.skip || result.todo) && ended?.leaves === 0
      : ended?.failures === 0;
    if (!ended || isNews) leaf(result);
  });
  return seen;
}

function describeBadTap(results) {
  if (results.bailout) return `bailed out: ${results.bailout === true ? 'no reason given' : results.bailout}`;
  const errors = results.failures.map((f) => f.tapError).filter(Boolean);
  return `ended before its plan was complete: ${errors.join('; ') || 'unreadable output'}`;
}

function printLine({ title, passed, failures, skipped, ms }) {
  const counts = [`${passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  const word = failures.length > 0 ? 'FAIL' : 'ok  ';
  console.log(`${word}  ${title.padEnd(titleWidth)}  ${seconds(ms).padStart(7)}  ${counts.join(', ')}`);
}

function printFailures({ title, failures, stderr }) {
  const shown = failures.slice(0, 20);
  for (const { name, details } of shown) {
    console.log(`\nFAIL ${title} > ${name}`);
    const text = describe(details);
    if (text) console.log(indent(text, '    '));
  }
  if (failures.length > shown.length)
    console.log(`\n... and ${failures.length - shown.length} more in ${title}`);
  if (stderr.trim()) console.log(`\n  stderr of ${title}:\n${indent(tail(stderr.trim(), 40), '    ')}`);
}

/** What a reader needs of tap's diagnostics, in the order of need; the rest of the record repeats it. */
function describe(details) {
  if (details === null || details === undefined) return '';
  if (typeof details !== 'object') return String(details);
  const { diff, found, wanted, at, stack, source, message, ...rest } = details;
  const parts = [];
  if (message) parts.push(String(message));
  if (diff) parts.push(diff.trimEnd());
  else if (found !== undefined || wanted !== undefined)
    parts.push(`found:  ${show(found)}`, `wanted: ${show(wanted)}`);
  for (const key of Object.keys(rest)) {
    if (!['compare', 'time', 'type', 'test', 'tapCaught'].includes(key))
      parts.push(`${key}: ${show(rest[key])}`);
  }
  if (at?.fileName) parts.push(`at ${at.fileName}:${at.lineNumber}:${at.columnNumber}`);
  if (source) parts.push(source.trimEnd());
  if (stack) parts.push(stack.trimEnd());
  return parts.join('\n');
}

function show(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function indent(text, by) {
  return text.replace(/^/gm, by);
}

function tail(text, lines) {
  const all = text.split('\n');
  return all.length > lines ? ['...', ...all.slice(-lines)].join('\n') : text;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

function total(count) {
  return outcomes.reduce((sum, outcome) => sum + count(outcome), 0);
}
