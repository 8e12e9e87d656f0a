// Given random contractions, when they have any tile that they can have, then every bit of what they compute is that of the
// tile which the compiler chooses: on random numbers, whose sums depend on their order.

import fc from 'fast-check';
import t from 'tap';
import { flatIndex, type KernelDefinition, VarSource } from '../../compiler/kernel/definition.ts';
import { definitionKey } from '../../compiler/kernel/definition-key.ts';
import { binary, reduce } from '../../compiler/kernel/expr.ts';
import { interpretKernel } from '../../compiler/kernel/interpret.ts';
import type { Target } from '../../compiler/kernel/ir.ts';
import {
  allowedTiles,
  type Bound,
  contractionKey,
  prepareContraction,
  prepareWithTile,
  scheduleKernel,
  tilesFor,
  tunableOf,
} from '../../compiler/kernel/schedule/index.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { jsTarget, wasmRelaxed, wasmSimd } from '../../compiler/target/targets.ts';
import { seededRandom } from '../support/random.ts';
import { drawDefinition } from '../support/random-definition.ts';
import { load, param } from '../support/run-kernel.ts';

const seed = 20240702;
const numbers: fc.Arbitrary<number[]> = fc.array(fc.nat(10_000), { maxLength: 60, size: 'max' });
const targets: readonly Target[] = [wasmSimd, wasmRelaxed, jsTarget];

const whole = (def: KernelDefinition): Bound<number> => ({ def, args: def.params.map((_, i) => i) });

/** What the parts compute from random numbers, and how they were scheduled. */
function run(
  def: KernelDefinition,
  target: Target,
  prepare: (temporary: (name: string, elements: number) => number) => readonly Bound<number>[],
): { readonly results: Float32Array[]; readonly tile: readonly number[] | undefined } {
  const random = seededRandom(5);
  const memory = def.params.map((p) =>
    p.access === 'write'
      ? new Float32Array(p.elements).fill(Number.NaN)
      : Float32Array.from({ length: p.elements }, () => random.uniform(-1, 1)),
  );
  let tile: readonly number[] | undefined;
  const parts = prepare((_, elements) => memory.push(new Float32Array(elements).fill(Number.NaN)) - 1);
  for (const { def: part, args } of parts) {
    const kernel = scheduleKernel(part, target);
    verifyKernel(kernel);
    tile ??= kernel.tile;
    const buffers = args.map((a) => memory[a]!);
    interpretKernel(kernel, buffers, 0, kernel.unit.extent);
  }
  return { results: memory.slice(0, def.params.length), tile };
}

/** Compares every tile that a definition can have with the one that is chosen; returns how many there were. */
function checkTiles(make: () => KernelDefinition, target: Target): number {
  const def = make();
  const tunable = tunableOf(def, target);
  if (tunable === null) return 0;
  const chosen = run(def, target, (temporary) => prepareContraction(whole(def), target, temporary));
  const tiles = allowedTiles(tunable);
  const own = tiles.filter((x) => String([x.rows, x.columns]) === String(chosen.tile));
  if (own.length !== 1) throw new Error(`the chosen tile ${chosen.tile} is not among those allowed`);
  for (const size of tiles) {
    const given = run(def, target, (temporary) => prepareWithTile(tunable, whole(def), temporary, size)!);
    const name = `${target.name}, tile ${size.rows} × ${size.columns} instead of ${chosen.tile}`;
    if (String(given.tile) !== String([size.rows, size.columns]))
      throw new Error(`${name}: has ${given.tile}`);
    given.results.forEach((data, p) => {
      data.forEach((x, i) => {
        if (!Object.is(x, chosen.results[p]![i]))
          throw new Error(`${name}: parameter ${p}, element ${i} is ${x}, not ${chosen.results[p]![i]}`);
      });
    });
  }
  return tiles.length;
}

t.test(`random contractions with any tile have the same bits, seed ${seed}`, async (t) => {
  let tried = 0;
  const kinds = fc.constantFrom('contraction', 'contraction', 'contraction', 'long contraction');
  fc.assert(
    fc.property(kinds, numbers, fc.constantFrom(...targets), (kind, list, target) => {
      tried += checkTiles(() => drawDefinition(kind, list), target);
    }),
    { seed, numRuns: 30 },
  );
  t.ok(tried > 60, `${tried} tiles`);
});

/** out[i, j] = Σ_k x[i, k] · y[k, j], or with y transposed. */
function product(m: number, k: number, n: number, isTransposed = false, name = 'product'): KernelDefinition {
  const vars = new VarSource();
  const [i, j, r] = [vars.make('i', m), vars.make('j', n), vars.make('k', k)];
  const x = load('f32', 0, flatIndex([i, r]));
  const y = load('f32', 1, flatIndex(isTransposed ? [j, r] : [r, j]));
  return {
    name,
    params: [
      param(`${name} x`, 'f32', m * k, 'read'),
      param(`${name} y`, 'f32', k * n, 'read'),
      param(`${name} out`, 'f32', m * n, 'write'),
    ],
    flags: null,
    space: [i, j],
    stores: [{ param: 2, index: flatIndex([i, j]), value: reduce('sum', [r], binary('mul', x, y)) }],
    vars,
  };
}

t.test('a tile wider than the columns is cut as narrower ones are, and stands among them once', async (t) => {
  const tunable = tunableOf(product(40, 30, 8), wasmRelaxed)!;
  const cut = allowedTiles(tunable).map((x) => `${x.rows} × ${Math.min(8, x.columns)}`);
  t.equal(new Set(cut).size, cut.length);
  t.ok(tilesFor(tunable).length > cut.length);
});

const keyOf = (def: KernelDefinition, target: Target): string => contractionKey(definitionKey(def), target);

t.test('a key is of what is computed, not of names', async (t) => {
  const key = keyOf(product(8, 8, 8), wasmSimd);
  t.match(key, /^[0-9a-f]{10}$/);
  t.equal(keyOf(product(8, 8, 8, false, 'other'), wasmSimd), key);
  const others = [
    keyOf(product(8, 8, 9), wasmSimd),
    keyOf(product(8, 8, 8, true), wasmSimd),
    keyOf(product(8, 8, 8), wasmRelaxed),
  ];
  t.equal(new Set([key, ...others]).size, 4, 'extents, strides and the target count');
});

t.test('what is no contraction has no tiles', async (t) => {
  t.equal(tunableOf(product(1, 8, 1), wasmSimd), null);
});
