// Pools against their definitions in plain loops: every kind, one to three spatial dimensions, padding, dilation, windows
// beyond the edge; gradients by differences; targets against the interpreter.

import t, { type Test } from 'tap';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { drawDistinct } from '../../compiler/ops/draw.ts';
import {
  adaptiveAvgPool,
  adaptiveMaxPool,
  globalAvgPool,
  globalLpPool,
  globalMaxPool,
} from '../../compiler/ops/global-pool.ts';
import { forEachPosition } from '../../compiler/ops/loops.ts';
import { avgPool1d, avgPool2d, avgPool3d, lpPool2d, maxPool2d, maxPool3d } from '../../compiler/ops/pool.ts';
import { Executor } from '../../runtime/executor.ts';
import { compiledDisagreements, draw, evaluateOp, graphOf, host } from '../support/evaluate-ops.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

interface Windows {
  readonly kernel: number[];
  readonly strides: number[];
  readonly padding: [number, number][];
  readonly dilation: number[];
  readonly ceil: boolean;
}

/** The elements of each window, and how many places of it lie on the padded image. */
function windowsOf(x: HostTensor, w: Windows): { elements: number[]; covered: number }[] {
  const [n, c, ...sizes] = x.type.shape as [number, number, ...number[]];
  const counts = sizes.map((size, d) => {
    const [lo, hi] = w.padding[d]!;
    const reach = (w.kernel[d]! - 1) * w.dilation[d]! + 1;
    const free = (size + lo + hi - reach) / w.strides[d]!;
    let count = (w.ceil ? Math.ceil(free) : Math.floor(free)) + 1;
    // A window that begins behind the image holds none of it.
    if (w.ceil && (count - 1) * w.strides[d]! >= size + lo) count--;
    return count;
  });
  const found: { elements: number[]; covered: number }[] = [];
  forEachPosition([n, c, ...counts], (at) => {
    const window = { elements: [] as number[], covered: 0 };
    forEachPosition(w.kernel, (tap) => {
      const place = sizes.map(
        (_, d) => at[d + 2]! * w.strides[d]! + tap[d]! * w.dilation[d]! - w.padding[d]![0],
      );
      if (place.every((p, d) => p < sizes[d]! + w.padding[d]![1])) window.covered++;
      if (place.some((p, d) => p < 0 || p >= sizes[d]!)) return;
      const flat = [at[0]!, at[1]!, ...place].reduce((f, p, d) => f * x.type.shape[d]! + p, 0);
      window.elements.push(x.data[flat]!);
    });
    found.push(window);
  });
  return found;
}

const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

const geometries: readonly (readonly [Shape, Windows])[] = [
  [[2, 3, 7], { kernel: [3], strides: [2], padding: [[1, 0]], dilation: [1], ceil: true }],
  [[1, 2, 6, 7], { kernel: [2, 3], strides: [2, 2], padding: [[1, 1], [0, 2]], dilation: [1, 1], ceil: false }],
  [[1, 2, 6, 8], { kernel: [3, 2], strides: [2, 3], padding: [[1, 1], [0, 0]], dilation: [1, 2], ceil: true }],
  [[1, 1, 5, 4, 6], { kernel: [2, 2, 3], strides: [2, 1, 3], padding: [[0, 1], [1, 0], [1, 1]], dilation: [2, 1, 1], ceil: true }],
]; // biome-ignore format: a table

const max = { 2: maxPool2d, 3: maxPool3d };
const avg = { 1: avgPool1d, 2: avgPool2d, 3: avgPool3d } as const;

function close(t: Test, got: readonly number[], want: readonly number[], what: string): void {
  t.equal(got.length, want.length, `${what}: length`);
  t.ok(
    got.every((v, i) => Math.abs(v - want[i]!) <= 1e-12 * Math.max(1, Math.abs(want[i]!))),
    what,
    { got, want },
  );
}

for (const [shape, windows] of geometries) {
  t.test(`pools of ${shape}`, async (t) => {
    const x = drawDistinct(seededRandom(3), shape);
    const found = windowsOf(x, windows);
    const rank = (shape.length - 2) as 1 | 2 | 3;
    const pool = avg[rank] as (x: Node, options: object) => Node;
    if (rank > 1) {
      const largest = max[rank as 2 | 3] as (x: Node, options: object) => Node;
      const want = found.map((w) => Math.max(...w.elements));
      close(
        t,
        evaluateOp((v) => largest(v, windows), x),
        want,
        'max',
      );
    }
    const padded = found.map((w) => total(w.elements) / w.covered);
    close(
      t,
      evaluateOp((v) => pool(v, windows), x),
      padded,
      'avg, padding counts',
    );
    const bare = found.map((w) => total(w.elements) / w.elements.length);
    close(
      t,
      evaluateOp((v) => pool(v, { ...windows, countIncludePad: false }), x),
      bare,
      'avg, it does not',
    );
    if (rank !== 2) return;
    for (const p of [1, 2, 3]) {
      const want = found.map((w) => total(w.elements.map((e) => Math.abs(e) ** p)) ** (1 / p));
      close(
        t,
        evaluateOp((v) => lpPool2d(v as never, { ...windows, p } as never), x),
        want,
        `Lp, p = ${p}`,
      );
    }
  });
}

t.test('global pools', async (t) => {
  const x = draw([2, 3, 4, 5]);
  const planes = Array.from({ length: 6 }, (_, i) => [...x.data.slice(i * 20, i * 20 + 20)]);
  close(t, evaluateOp((v) => globalAvgPool(v as never), x), planes.map((p) => total(p) / 20), 'avg');
  close(t, evaluateOp((v) => globalMaxPool(v as never), x), planes.map((p) => Math.max(...p)), 'max');
  const cubes = planes.map((p) => Math.cbrt(total(p.map((e) => Math.abs(e) ** 3))));
  close(t, evaluateOp((v) => globalLpPool(v as never, 3), x), cubes, 'Lp');
}); // biome-ignore format: a table

t.test('adaptive pools', async (t) => {
  const x = draw([1, 2, 5, 7]);
  const [rows, columns] = [3, 4];
  const windows: number[][] = [];
  forEachPosition([2, rows, columns], ([c, i, j]) => {
    const elements: number[] = [];
    for (let r = Math.floor((i! * 5) / rows); r < Math.ceil(((i! + 1) * 5) / rows); r++)
      for (let s = Math.floor((j! * 7) / columns); s < Math.ceil(((j! + 1) * 7) / columns); s++)
        elements.push(x.data[c! * 35 + r * 7 + s]!);
    windows.push(elements);
  });
  const means = windows.map((w) => total(w) / w.length);
  const got = evaluateOp((v) => adaptiveAvgPool(v, [rows, columns]), x);
  t.ok(got.every((v, i) => Math.abs(v - means[i]!) < 1e-6), 'means, with weights in f32');
  t.same(evaluateOp((v) => adaptiveMaxPool(v as never, [rows, columns]), x), windows.map((w) => Math.max(...w)));
  t.equal(evaluateOp((v) => adaptiveAvgPool(v, [10, 7]), x).length, 2 * 70, 'more windows than elements');
}); // biome-ignore format: a table

t.test('gradients', async (t) => {
  const x = drawDistinct(seededRandom(5), [1, 2, 5, 6]);
  const options = { kernel: 3, strides: 2, padding: 1, ceil: true } as const;
  const pools: Record<string, (v: Node) => Node> = {
    max: (v) => maxPool2d(v as never, options),
    avg: (v) => avgPool2d(v as never, { ...options, countIncludePad: false }),
    lp: (v) => lpPool2d(v as never, { ...options, p: 3 }),
    global: (v) => globalLpPool(v as never, 2),
    adaptiveAvg: (v) => adaptiveAvgPool(v, [3, 4]),
    adaptiveMax: (v) => adaptiveMaxPool(v as never, [3, 4]),
  };
  for (const [name, pool] of Object.entries(pools)) {
    const { inputs, outputs, values } = graphOf(pool, [x]);
    const check = { outputs, inputs, values, random: seededRandom(2), order: 2, elements: 6 } as const;
    t.same(checkGradients(check), [], name);
  }
  const zeros = host([1, 1, 2, 2], [0, 0, 0, 0]);
  t.same(
    evaluateOp((v) => lpPool2d(v as never, { kernel: 2 }), zeros),
    [0],
  );
});

t.test('targets agree with the interpreter', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  try {
    const x = draw([2, 3, 9, 11]);
    const build = (v: Node): Node[] => [
      maxPool2d(v as never, { kernel: 3, strides: 2, ceil: true }),
      avgPool2d(v as never, { kernel: 3, strides: 2, padding: 1, ceil: true }),
      lpPool2d(v as never, { kernel: 2, p: 3 }),
      adaptiveAvgPool(v, [4, 4]),
      adaptiveMaxPool(v as never, [4, 4]),
      globalMaxPool(v as never),
    ];
    t.same(await compiledDisagreements(executor, build, x), []);
  } finally {
    await executor.dispose();
  }
});

t.test('errors say what to write', async (t) => {
  const x = graphOf((v) => v, [draw([1, 2, 5, 7])]).inputs[0]!;
  t.throws(() => lpPool2d(x as never, { kernel: 2, p: 0 }), { code: 'HDL0003', message: /at least 1/ });
  t.throws(() => adaptiveAvgPool(x, [3]), { code: 'HDL0003', message: /2 integers of at least 1/ });
  t.throws(() => maxPool3d(x as never, { kernel: 2 }), { code: 'HDL0001', message: /maxPool3d takes 5/ });
});
