// The user's line, from what engines tell of the stack.

import t from 'tap';
import { callerLocation, fromText } from '../../compiler/graph/location.ts';
import { input } from '../../compiler/ops/index.ts';

const folder = new URL('../../', import.meta.url);

t.test('the line of the call, and nothing of the engine is changed', async (t) => {
  const E = Error as { stackTraceLimit?: number; prepareStackTrace?: unknown };
  const before = [E.stackTraceLimit, E.prepareStackTrace];
  const first = input('x', [2]).loc!;
  const second = input('x', [2]).loc!;
  t.match(first.file, /location\.test\.[tj]s$/);
  t.equal(second.line, first.line + 1);
  t.equal(second.column, first.column + 1, 'the column is that of the name');
  t.same([E.stackTraceLimit, E.prepareStackTrace], before);
  t.equal(callerLocation()?.file, first.file);
});

t.test('the source where source maps are switched on, as in stack traces', async (t) => {
  const ending = process.sourceMapsEnabled ? '/location.test.ts' : '/location.test.js';
  t.ok(input('x', [2]).loc!.file.endsWith(ending));
});

t.test('from text, in the words of several engines', async (t) => {
  const own = `${folder.href}compiler/ops/leaf.js`;
  const place = { file: '/home/a b/net.js', line: 3, column: 9 };
  const v8 = `Error\n    at input (${own}:1:1)\n    at Array.map (<anonymous>)\n    at build (file:///home/a%20b/net.js:3:9)`;
  t.same(fromText(v8), place);
  t.same(fromText(`input@${own}:1:1\nbuild@file:///home/a%20b/net.js:3:9\n@file:///main.js:1:1`), place);
  t.same(fromText('Error\n    at https://a.org/net.js:3:9'), { ...place, file: 'https://a.org/net.js' });
  t.equal(fromText(`Error\n    at input (${own}:1:1)\n    at node:internal/main:2:3`), null);
});
