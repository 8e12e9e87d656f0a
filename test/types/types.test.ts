// What the editor says. Every fixture in test/types/fixtures is type-checked by the compiler's own program with this project's
// options: the lines after `// expect-error: text` must fail with a message that contains the text, and no others.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** From build/test/types/ to the root. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const fixtures = `${root}test/types/fixtures/`;
/** Two folders below the root, as the fixtures' imports have it; out of the main program, as build/ is. */
const workplace = `${root}build/type-fixtures/`;

interface Failure {
  readonly line: number;
  readonly text: string;
}

const names = readdirSync(fixtures)
  .filter((name) => name.endsWith('.ts.txt'))
  .map((name) => name.slice(0, -'.txt'.length))
  .sort();

/** The expected failures of a fixture: the line after each comment. */
function expectedIn(source: string): Failure[] {
  return source.split('\n').flatMap((text, i) => {
    const expected = /^\s*\/\/ expect-error: (.*)$/.exec(text);
    return expected ? [{ line: i + 2, text: expected[1]! }] : [];
  });
}

/** The failures that the compiler reports, by file name; further lines of a message are part of it. */
function check(): { readonly failures: ReadonlyMap<string, readonly Failure[]>; readonly other: string } {
  mkdirSync(workplace, { recursive: true });
  for (const name of names) writeFileSync(workplace + name, readFileSync(`${fixtures}${name}.txt`));
  const options = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      noEmit: true,
      incremental: false,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      isolatedDeclarations: false,
      declaration: false,
      declarationMap: false,
      noUnusedLocals: false,
      rootDir: '../..',
      typeRoots: ['../../node_modules/@types'],
    },
    include: [],
    // What declares the globals of hosts belongs to every program.
    files: ['../../runtime/platform.d.ts', ...names],
  };
  writeFileSync(`${workplace}tsconfig.json`, JSON.stringify(options, null, 2));
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const run = spawnSync(process.execPath, [tsc, '--project', workplace, '--pretty', 'false'], {
    cwd: workplace,
    encoding: 'utf8',
  });
  const failures = new Map<string, { line: number; text: string }[]>(names.map((n) => [n, []]));
  let last: { line: number; text: string } | null = null;
  const other: string[] = [run.stderr];
  for (const text of run.stdout.split('\n')) {
    const head = /^([^\s(][^(]*)\((\d+),\d+\): error TS\d+: (.*)$/.exec(text);
    const list = head === null ? undefined : failures.get(head[1]!);
    if (head !== null && list !== undefined) {
      last = { line: Number(head[2]), text: head[3]! };
      list.push(last);
    } else if (head === null && last !== null && text.startsWith(' ')) last.text += `\n${text}`;
    else if (text !== '') other.push(text);
  }
  return { failures, other: other.join('\n').trim() };
}

const { failures, other } = check();

t.test('nothing but the fixtures fails', async (t) => {
  t.equal(other, '');
});

for (const name of names) {
  t.test(name, async (t) => {
    const source = readFileSync(`${fixtures}${name}.txt`, 'utf8');
    const expected = expectedIn(source);
    const lines = source.split('\n');
    const left = [...failures.get(name)!];
    for (const { line, text } of expected) {
      const at = left.findIndex((f) => f.line === line);
      if (at < 0) t.fail(`line ${line} type-checks: ${lines[line - 1]}`);
      else t.ok(left.splice(at, 1)[0]!.text.includes(text), `line ${line}: ${text}`);
    }
    t.same(left, [], 'no other line fails');
    t.not(expected.length, 0, 'the fixture expects something');
  });
}
