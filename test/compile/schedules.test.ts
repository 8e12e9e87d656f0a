// Tiles given to contractions: results keep their bits on every target, plans and keys tell them apart, and what is wrong
// is said.

import t from 'tap';
import { type CompileOptions, compileGraph, type Schedules } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/ir.ts';
import { compilationKey } from '../../compiler/key.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import { errorOf } from '../support/error-of.ts';
import { graphOf } from '../support/lower-graph.ts';
import { seededRandom } from '../support/random.ts';

/** A convolution, a dense layer after it, and the gradients to both: sums along many loops. */
function net(prefix = ''): Graph {
  const x = h.input(`${prefix}x`, [4, 3, 12, 12]);
  const w = h.input(`${prefix}w`, [16, 3, 3, 3]);
  const v = h.input(`${prefix}v`, [1600, 24]);
  const y = h.relu(h.conv2d(x, w));
  const z = h.matmul(h.reshape(y, [4, 1600]), v);
  const loss = h.mean(h.square(z));
  const [dw, dv] = grad(loss, [w, v]);
  return graphOf({ z, dw: dw!, dv: dv! });
}

/** Operands in panels as wide as the tile, one that is transposed, and a sum that is cut into parts. */
function products(): Graph {
  const far = h.matmul(h.input('a', [67, 70]), h.input('b', [70, 101]));
  const turned = h.einsum('ik,jk->ij', h.input('c', [70, 66]), h.input('d', [90, 66]));
  const long = h.matmul(h.input('e', [9, 4096]), h.input('f', [4096, 18]));
  return graphOf({ far, turned, long });
}

const graph = net();

async function results(graph: Graph, options: CompileOptions): Promise<Record<string, RunTensor>> {
  const { plan } = compileGraph(graph, options);
  const executor = await Executor.create({ threads: 1 });
  const loaded = await executor.load(plan);
  const random = seededRandom(3);
  const inputs = Object.fromEntries(
    graph.inputs.map((n) => [
      String(n.attrs['name']),
      Float32Array.from({ length: n.type.shape.reduce((a, b) => a * b, 1) }, () => random.uniform(-1, 1)),
    ]),
  );
  const out = await executor.run(loaded, inputs);
  await executor.dispose();
  return out;
}

for (const options of [{ target: 'wasm' }, { target: 'wasm', relaxed: true }, { target: 'js' }] as const) {
  for (const [name, graph] of Object.entries({ net: net(), products: products() })) {
    t.test(`${name}, ${JSON.stringify(options)}: any tiles, the same bits`, async (t) => {
      const { contractions, lowered } = compileGraph(graph, options);
      t.ok(contractions.length >= 3, contractions.map((c) => c.label).join('; '));
      const isPacked = options.target === 'wasm';
      t.equal(
        lowered.steps.some((s) => s.label.endsWith('(pack)') && s.contraction !== undefined),
        isPacked,
        'panels depend on tiles',
      );
      const want = await results(graph, options);
      const candidates = contractions.map((c) => c.candidates());
      const rounds = Math.max(...candidates.map((list) => list.length));
      for (let round = 0; round < rounds; round++) {
        // Each contraction has its own tile: those with few candidates begin again.
        const tiles = candidates.map((list, i) => list[(round + i) % list.length]!.tile);
        const schedules = Object.fromEntries(contractions.map(({ key }, i) => [key, { tile: tiles[i]! }]));
        const given = compileGraph(graph, { ...options, schedules });
        t.same(
          given.contractions.map((c) => [c.key, c.tile, c.isGiven]),
          contractions.map(({ key }, i) => [key, tiles[i], true]),
        );
        t.same(
          given.plan.manifest.tiles,
          Object.fromEntries(contractions.map(({ key }, i) => [key, tiles[i]])),
        );
        t.same(await results(graph, { ...options, schedules }), want);
      }
    });
  }
}

t.test('keys are those of dumps, and do not depend on names', async (t) => {
  const a = compileGraph(graph);
  const b = compileGraph(net('other '));
  t.same(
    b.contractions.map((c) => c.key),
    a.contractions.map((c) => c.key),
  );
  for (const { key } of a.contractions) t.ok(a.dump('kernels').includes(`, key ${key}`), key);
  t.same(
    a.lowered.steps.filter((s) => s.kernel.tile && s.contraction === undefined),
    [],
    'every contraction says whose it is',
  );
});

t.test('equal contractions share a key and a kernel', async (t) => {
  const layer = (name: string) => h.matmul(h.input(name, [16, 32]), h.input(`${name} w`, [32, 24]));
  const { contractions, lowered } = compileGraph(graphOf({ a: layer('a'), b: layer('b') }));
  t.equal(contractions.length, 1);
  t.equal(new Set(lowered.steps.map((s) => s.kernel)).size, 1);
  t.same(
    lowered.steps.map((s) => s.contraction),
    [contractions[0]!.key, contractions[0]!.key],
  );
});

t.test('the tile that would be chosen changes nothing but the record', async (t) => {
  const plain = compileGraph(graph);
  const schedules = Object.fromEntries(plain.contractions.map((c) => [c.key, { tile: c.tile }]));
  const given = compileGraph(graph, { schedules });
  t.same(given.plan.code, plain.plan.code);
  const { tiles, ...rest } = given.plan.manifest;
  t.same(rest, plain.plan.manifest);
  t.equal(Object.keys(tiles!).length, plain.contractions.length);
});

t.test('tiles are part of the key, in any order, without what is said beside them', async (t) => {
  const tiles = { '0000000001': { tile: [4, 8] }, '00000000ff': { tile: [2, 16] } };
  const key = compilationKey(graph, { schedules: tiles });
  t.not(key, compilationKey(graph));
  t.not(key, compilationKey(graph, { schedules: { ...tiles, '00000000ff': { tile: [4, 8] } } }));
  const said = { '00000000ff': { tile: [2, 16], ms: 3 }, '0000000001': { tile: [4, 8], label: 'dense' } };
  t.equal(compilationKey(graph, { schedules: said as Schedules }), key);
  t.equal(compilationKey(graph, { schedules: {} }), compilationKey(graph));
});

t.test('a key that no contraction has is left aside, and the dump says so', async (t) => {
  const { key, tile } = compileGraph(graph).contractions[0]!;
  const near = `${key.slice(0, 9)}${key.endsWith('0') ? '1' : '0'}`;
  const { plan, dump } = compileGraph(graph, { schedules: { [near]: { tile }, [key]: { tile } } });
  t.same(plan.manifest.tiles, { [key]: tile });
  t.ok(dump('plan').endsWith(`tiles given to no contraction of this plan\n  ${near} (near: ${key})\n`));
  t.ok(dump('plan').includes(`tiles given\n  ${key}: ${tile[0]} × ${tile[1]}\n`));
});

t.test('tiles that cannot be', async (t) => {
  const small = (rows: number): Graph =>
    graphOf({ x: h.matmul(h.input('x', [rows, 30]), h.input('w', [30, 32])) });
  const errorWith = (graph: Graph, schedules: unknown): string =>
    errorOf(() => compileGraph(graph, { schedules: schedules as Schedules }));
  const { key } = compileGraph(small(40)).contractions[0]!;
  const hint = "(use one of these, or what program.tune('entry', …) returns)";
  t.equal(
    errorWith(small(40), { [key]: { tile: [5, 8] } }),
    `HDL0003: schedules['${key}'] gives tile [5, 8] to contraction 'top: dotGeneral': the tiles of target wasm-simd for a contraction with lanes across the columns are [4, 8], [2, 16], [3, 8], [2, 12], [4, 4], [1, 16], [6, 4], [1, 24], [2, 8], [2, 4], [1, 8], [1, 4] ${hint}`,
  );
  const one = compileGraph(small(1)).contractions[0]!.key;
  t.equal(
    errorWith(small(1), { [one]: { tile: [4, 8] } }),
    `HDL0003: schedules['${one}'] gives tile [4, 8] to contraction 'top: dotGeneral': a tile leaves loops, lanes and the pieces of sums as they are; this contraction can have [1, 16], [1, 24], [1, 8], [1, 4] ${hint}`,
  );
  const option =
    "(schedules: { '3fa9c2d1e0': { tile: [4, 8] } }; or what program.tune('entry', …) returns as schedules)";
  t.equal(
    errorWith(small(40), { conv1: { tile: [4, 8] } }),
    `HDL0003: schedules has a key 'conv1': the key of a contraction is ten hexadecimal digits, as dump('kernels') shows them ${option}`,
  );
  for (const tile of [[4], [4, 0], [4.5, 8], ['4', '8'], undefined]) {
    t.equal(
      errorWith(small(40), { [key]: { tile } }),
      `HDL0003: schedules['${key}'] has tile ${JSON.stringify(tile)}: a tile is [rows, columns], two positive integers ${option}`,
    );
  }
  t.equal(
    errorWith(small(40), []),
    `HDL0003: option schedules is []: schedules is a record of tiles by the keys of contractions ${option}`,
  );
});
