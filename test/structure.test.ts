// The one-way street src -> compiler -> runtime, held for every file, and proof that the check can fail.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates here are texts to be read, not run
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { checkImports, importsOf, type SourceFile } from './support/imports.ts';

/** From build/test/ to the root. */
const root = fileURLToPath(new URL('../../', import.meta.url));

function sourcesBelow(folder: string): SourceFile[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
}

t.test('no file imports against src -> compiler -> runtime', async (t) => {
  for (const folder of ['src', 'compiler', 'runtime']) {
    t.not(sourcesBelow(folder).length, 0, `${folder}/ has sources to check`);
  }
  const files = ['src', 'compiler', 'runtime'].flatMap(sourcesBelow);
  t.same(checkImports(files), [], `${files.length} files keep the rules`);
});

t.test('every kind of wrong import is found', async (t) => {
  const wrong: readonly (readonly [path: string, text: string, rule: string])[] = [
    [
      'runtime/a.ts',
      `import { x } from '../compiler/x.ts';`,
      'runtime/ imports from runtime/ and nothing else',
    ],
    [
      'runtime/a.ts',
      `import type { X } from '../src/x.ts';`,
      'runtime/ imports from runtime/ and nothing else',
    ],
    ['runtime/a.ts', `export * from '../compiler/x.ts';`, 'runtime/ imports from runtime/ and nothing else'],
    ['runtime/a.ts', `await import('../compiler/x.ts');`, 'runtime/ imports from runtime/ and nothing else'],
    [
      'runtime/a.ts',
      `let x: import('../compiler/x.ts').X;`,
      'runtime/ imports from runtime/ and nothing else',
    ],
    [
      'runtime/a.ts',
      `new URL('../src/x.js', import.meta.url);`,
      'runtime/ imports from runtime/ and nothing else',
    ],
    [
      'compiler/a/b.ts',
      `export { x } from '../../src/x.ts';`,
      'compiler/ imports from compiler/, runtime/ and nothing else',
    ],
    [
      'compiler/a.ts',
      `import '../test/x.ts';`,
      'compiler/ imports from compiler/, runtime/ and nothing else',
    ],
    [
      'src/a.ts',
      `import x from '../examples/x.ts';`,
      'src/ imports from src/, compiler/, runtime/ and nothing else',
    ],
    [
      'src/a.ts',
      `import x from '../../elsewhere/x.ts';`,
      'src/ imports from src/, compiler/, runtime/ and nothing else',
    ],
    ['src/a.ts', `import { Graph } from 'graphlib';`, 'only compiler/graph/ imports this package'],
    [
      'compiler/passes/a.ts',
      `import { Graph } from 'graphlib';`,
      'only compiler/graph/ imports this package',
    ],
    ['compiler/graph/a.ts', `import Worker from 'web-worker';`, 'only runtime/ imports this package'],
    ['runtime/a.ts', `import { z } from '@scope/name/sub';`, 'runtime/ imports no such package'],
    ['runtime/a.ts', `import fs from 'fs';`, 'runtime/ imports no such package'],
    [
      'runtime/a.ts',
      `import fs from 'node:fs';`,
      'bundlers for browsers see this import: use nodeModule, or begin a line with `// @node-only`',
    ],
    [
      'src/a.ts',
      `const fs = await import('node:fs');`,
      'bundlers for browsers see this import: use nodeModule, or begin a line with `// @node-only`',
    ],
  ];
  for (const [path, text, rule] of wrong) {
    const specifier = /'([^']+)'/.exec(text)?.[1];
    t.same(
      checkImports([{ path, text: `\n${text}` }]),
      [`${path}:2: '${specifier}': ${rule}`],
      `${path}: ${text}`,
    );
  }
});

t.test('right imports pass', async (t) => {
  const right: readonly SourceFile[] = [
    {
      path: 'src/a.ts',
      text: `import { b } from '../compiler/b.ts';\nimport type { c } from '../runtime/c.ts';`,
    },
    { path: 'compiler/b.ts', text: `export * as c from '../runtime/c.ts';\nimport './graph/g.ts';` },
    { path: 'compiler/graph/g.ts', text: `import { alg } from 'graphlib';` },
    { path: 'runtime/c.ts', text: `import Worker from 'web-worker';\nimport type * as Fs from 'node:fs';` },
    { path: 'runtime/d.ts', text: `// @node-only: reads files\nimport { readFileSync } from 'node:fs';` },
    { path: 'runtime/e.ts', text: `const d = await import('./d.ts');\nimport type { D } from './d.ts';` },
    { path: 'test/f.test.ts', text: `import t from 'tap';\nimport { a } from '../src/a.ts';` },
  ];
  t.same(checkImports(right), []);
});

t.test('what browsers load does not load a Node-only file', async (t) => {
  const files = [
    { path: 'runtime/node.ts', text: `// @node-only\nimport 'node:fs';` },
    { path: 'runtime/a.ts', text: `import './node.ts';` },
  ];
  t.same(checkImports(files), [
    "runtime/a.ts:1: './node.ts': browsers load this file: reach a @node-only file by import()",
  ]);
});

t.test('import cycles are reported with their path', async (t) => {
  const cyclic = [
    { path: 'compiler/a.ts', text: `import './x/b.ts';` },
    { path: 'compiler/x/b.ts', text: `import { c } from '../c.ts';` },
    { path: 'compiler/c.ts', text: `export * from './a.ts';` },
    { path: 'compiler/d.ts', text: `import './a.ts';\nimport './d.ts';` },
  ];
  t.same(checkImports(cyclic), [
    'import cycle: compiler/a.ts -> compiler/x/b.ts -> compiler/c.ts -> compiler/a.ts',
    'import cycle: compiler/d.ts -> compiler/d.ts',
  ]);

  const byTypeOrLater = [
    { path: 'compiler/a.ts', text: `import type { B } from './b.ts';` },
    { path: 'compiler/b.ts', text: `import { a } from './a.ts';\nawait import('./c.ts');` },
    { path: 'compiler/c.ts', text: `import { b } from './b.ts';` },
  ];
  t.same(checkImports(byTypeOrLater), [], 'types and dynamic imports close no cycle');
});

t.test('imports are read from code, and from nothing that looks like it', async (t) => {
  const text = [
    "import a, { type B } from './1.ts';",
    'import type { C } from "./2.ts"; // import x from "./no.ts"',
    "/* import './no.ts' */ import * as d from './3.ts'",
    "import type from './4.ts';",
    'const code = `import x from "./no.ts"; ${await import("./5.ts")} export * from "./no.ts"`;',
    "const e = x / 2; const re = /import '.\\/no.ts'/; const f = 'import \"./no.ts\"';",
    "export { g, type H } from './6.ts'; export { i };",
    "export type { J } from './7.ts'; export const from = './no.ts';",
    "k.import('./no.ts'); import.meta.resolve('./no.ts'); new URL('../', import.meta.url);",
    'const l = `${`import "./no.ts" ${"}"}`}`; import',
    "  './8.ts';",
    "export default function from() { return './no.ts'; }",
  ].join('\n');
  t.same(
    importsOf(text).map(({ kind, specifier, line }) => `${line} ${kind} ${specifier}`),
    [
      '1 static ./1.ts',
      '2 type ./2.ts',
      '3 static ./3.ts',
      '4 static ./4.ts',
      '5 dynamic ./5.ts',
      '7 static ./6.ts',
      '8 type ./7.ts',
      '11 static ./8.ts',
    ],
  );
});
