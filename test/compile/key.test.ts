// The key of a compilation tells apart what may compile to other plans, and nothing else.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import { makeNode } from '../../compiler/graph/build.ts';
import type { Graph } from '../../compiler/graph/ir.ts';
import { compilationKey, compilerVersion } from '../../compiler/key.ts';
import * as h from '../../compiler/ops/index.ts';
import { exp } from '../../compiler/ops/index.ts';
import { errorOf } from '../support/error-of.ts';
import { graphOf } from '../support/lower-graph.ts';

interface Parts {
  readonly size?: number;
  readonly factor?: number;
  readonly table?: readonly number[];
  readonly name?: string;
}

/** Made on one line, so that locations agree. */
function scaled({ size = 4, factor = 2, table = [0], name = 'x' }: Parts = {}): Graph {
  const rows = Array.from({ length: 32 }, (_, i) => table[i] ?? 0);
  return graphOf({ y: h.add(h.mul(h.input(name, [size, 32]), factor), h.constant(rows)) });
}

t.test('the version is that of the package', async (t) => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  t.equal(compilerVersion, (JSON.parse(text) as { version: string }).version);
});

t.test('equal graphs and options have equal keys', async (t) => {
  const key = compilationKey(scaled());
  t.match(key, /^[0-9a-f]{64}$/);
  t.equal(compilationKey(scaled()), key);
  t.equal(
    compilationKey(scaled(), {
      target: 'wasm',
      workers: [1],
      relaxed: false,
      winograd: true,
      verify: true,
      checkNumerics: false,
    }),
    key,
  );
  t.equal(compilationKey(scaled(), { workers: [2, 1, 2] }), compilationKey(scaled(), { workers: [1, 2] }));
});

t.test('whatever a plan depends on changes the key', async (t) => {
  const graphs: Parts[] = [
    {},
    { size: 5 },
    { factor: 3 },
    { factor: -0 },
    { factor: 0 },
    { table: [0, 1] },
    { name: 'z' },
  ];
  const options: CompileOptions[] = [
    { target: 'js' },
    { workers: [1, 2] },
    { checkNumerics: true },
    { relaxed: true },
    { winograd: false },
    { memory: { budget: 1_000_000 } },
  ];
  const keys = [
    ...graphs.map((parts) => compilationKey(scaled(parts))),
    ...options.map((o) => compilationKey(scaled(), o)),
  ];
  t.equal(new Set(keys).size, graphs.length + options.length);
});

t.test('of locations, those count that a run may tell', async (t) => {
  const sum = (): Graph => graphOf({ y: h.sum(h.input('x', [4])) });
  const moved = (): Graph => graphOf({ y: h.sum(h.input('x', [4])) });
  t.equal(compilationKey(sum()), compilationKey(moved()));
  t.not(
    compilationKey(sum(), { checkNumerics: true }),
    compilationKey(moved(), { checkNumerics: true }),
    'any op may be told to have made a NaN',
  );
  const index = (): Graph => graphOf({ y: h.checkIndex(h.input('i', [4], 'i32'), { size: 3 }) });
  const other = (): Graph => graphOf({ y: h.checkIndex(h.input('i', [4], 'i32'), { size: 3 }) });
  t.equal(compilationKey(index()), compilationKey(index()));
  t.not(compilationKey(index()), compilationKey(other()));
});

t.test('a graph with an op from outside has no key: its text does not say what that op does', async (t) => {
  const x = h.input('x', [4]);
  const own = exp(x).op;
  const alike = { ...own, lower: own.lower };
  t.equal(compilationKey(graphOf({ y: makeNode(alike, [x]) })), null);
  t.not(compilationKey(graphOf({ y: makeNode(own, [x]) })), null);
});

t.test('options that are not valid have no key either', async (t) => {
  const options = { workers: [0] };
  t.equal(
    errorOf(() => compilationKey(scaled(), options)),
    errorOf(() => compileGraph(scaled(), options)),
  );
});
